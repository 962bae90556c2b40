#include "base/bytes.h"
#include "serve/kafka/adapter.h"
#include "serve/kafka/all_handlers.h"
#include "serve/kafka/errors.h"

namespace aichemy::serve::kafka {
namespace {

template <auto handle>
Async<Result<Reply>> run(Context& context) {
  return decode_and_call(context, handle);
}

// Key, versions on offer, handler. Produce is listed from version 0 although versions below 3 are
// refused: librdkafka before 2.8 switches compression off when they are missing. Fetch begins at 4:
// older versions cannot carry record batches of magic 2.
constexpr Handler kHandlers[] = {
    {kProduceKey, 0, 11, nullptr},
    {1, 4, 16, run<fetch>},
    {2, 1, 8, run<list_offsets>},
    {3, 0, 12, run<metadata>},
    {8, 2, 9, run<offset_commit>},
    {9, 1, 9, run<offset_fetch>},
    {10, 0, 5, run<find_coordinator>},
    {11, 0, 9, run<join_group>},
    {12, 0, 4, run<heartbeat>},
    {13, 0, 5, run<leave_group>},
    {14, 0, 5, run<sync_group>},
    {15, 0, 5, run<describe_groups>},
    {16, 0, 5, run<list_groups>},
    {17, 0, 1, run<sasl_handshake>},
    {kApiVersionsKey, 0, 3, run<api_versions>},
    {19, 0, 7, run<create_topics>},
    {20, 0, 6, run<delete_topics>},
    {21, 0, 2, run<delete_records>},
    {22, 0, 5, run<init_producer_id>},
    {23, 0, 4, run<offset_for_leader_epoch>},
    {29, 0, 3, run<describe_acls>},
    {32, 0, 4, run<describe_configs>},
    {33, 0, 2, run<alter_configs>},
    {35, 0, 4, run<describe_log_dirs>},
    {37, 0, 3, run<create_partitions>},
    {42, 0, 2, run<delete_groups>},
    {44, 0, 1, run<incremental_alter_configs>},
    {47, 0, 0, run<offset_delete>},
    {60, 0, 1, run<describe_cluster>},
    {75, 0, 0, run<describe_topic_partitions>},
};

// A client newer than us opens with a version we do not know: the answer is of version 0 and says
// what we offer.
Async<Result<Reply>> unknown_api_versions(Context& context) {
  wire::ApiVersionsRequest request;
  context.header.version = 0;
  context.flexible = false;
  auto response = api_versions(context, request);
  if (!response) co_return std::unexpected(response.error());
  response->error_code = kUnsupportedVersion;
  co_return make_reply(context, wire::ApiVersionsResponse::kTable, &*response);
}
constexpr Handler kUnknownApiVersions{kApiVersionsKey, 0, 0, unknown_api_versions};

}  // namespace

std::span<const Handler> handlers() { return kHandlers; }

const Handler* find_handler(int16_t key) {
  for (const Handler& handler : kHandlers) {
    if (handler.key == key) return &handler;
  }
  return nullptr;
}

Result<const Handler*> route(Context& context) {
  std::string_view frame = context.frame.view();
  if (frame.size() < 8) return fail(Code::invalid, "frame", "a request shorter than its header");
  auto key = load_big<int16_t>(frame.data());
  auto version = load_big<int16_t>(frame.data() + 2);
  const Handler* handler = find_handler(key);
  if (handler == nullptr)
    return fail(Code::unsupported, "api", "unknown api key " + std::to_string(key));
  bool known = version >= handler->first && version <= handler->last;
  if (!known && key != kApiVersionsKey) {
    return fail(Code::unsupported, "api",
                "api key " + std::to_string(key) + " has no version " + std::to_string(version));
  }
  context.flexible = known && wire::find_message(key)->is_flexible(version);
  ASSIGN_OR_RETURN(size_t used, wire::decode_header(frame, context.flexible, context.header));
  context.body = frame.substr(used);
  return known ? handler : &kUnknownApiVersions;
}

Reply make_reply(const Context& context, const wire::Struct& table, const void* response) {
  Reply reply;
  std::string& bytes = reply.frame.bytes;
  bytes.resize(4);
  append_big(bytes, context.header.correlation_id);
  // The response header of ApiVersions is never flexible: its reader does not know the version yet.
  if (context.flexible && context.header.key != kApiVersionsKey) bytes.push_back(0);
  wire::encode(table, context.header.version, context.flexible, response, reply.frame);
  size_t size = bytes.size() - 4;
  for (const wire::Gap& gap : reply.frame.gaps) size += gap.size;
  store_big(bytes.data(), static_cast<uint32_t>(size));
  reply.slices = context.slices;
  return reply;
}

}  // namespace aichemy::serve::kafka
