// How a topic's messages are read: the Events page's schemas.
#include "serve/console/decoders.h"
#include "serve/console/handlers.h"

namespace aichemy::serve::console {
namespace {

Json decoder_json(const Decoder& decoder) {
  Json out;
  out.set("id", decoder.id).set("format", decoder.format);
  if (decoder.schema_id) out.set("schema_id", *decoder.schema_id);
  out.set("message_type", decoder.message_type).set("definition", decoder.definition);
  out.set("changed_millis", decoder.changed_millis).set("changed_by", decoder.changed_by);
  return out;
}

Result<std::string> topic_of(Exchange& exchange) {
  if (exchange.services().broker.find_topic(exchange.path[0])) return exchange.path[0];
  return fail(Code::not_found, "no_such_topic", "there is no topic " + exchange.path[0]);
}

}  // namespace

Result<Answer> list_decoders(Exchange& exchange) {
  ASSIGN_OR_RETURN(std::string topic, topic_of(exchange));
  ASSIGN_OR_RETURN(auto decoders, exchange.parts.decoders.list(topic));
  Json list = Json::array();
  for (const auto& decoder : decoders) list.push(decoder_json(decoder));
  return Answer(Json().set("decoders", std::move(list)));
}

Result<Answer> add_decoder(Exchange& exchange) {
  const Json& body = exchange.body;
  Decoder decoder;
  ASSIGN_OR_RETURN(decoder.topic, topic_of(exchange));
  decoder.format = body["format"].as_string();
  decoder.message_type = body["message_type"].as_string();
  decoder.definition = body["definition"].as_string();
  if (!body["schema_id"].is_null()) {
    int64_t number = body["schema_id"].as_int();
    if (number < 0 || number > INT32_MAX)
      return fail(Code::invalid, "schema_id", "the number of a schema is 0 to 2147483647");
    decoder.schema_id = static_cast<int32_t>(number);
  }
  ASSIGN_OR_RETURN(auto added,
                   exchange.parts.decoders.add(exchange.call.principal, std::move(decoder)));
  return Answer(decoder_json(added));
}

Result<Answer> remove_decoder(Exchange& exchange) {
  RETURN_IF_ERROR(exchange.parts.decoders.remove(exchange.path[0], exchange.path[1]));
  return Answer(Json());
}

}  // namespace aichemy::serve::console
