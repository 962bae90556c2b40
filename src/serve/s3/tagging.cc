// Tags of objects: GET, PUT and DELETE with ?tagging.
#include "objectstore/object_tags.h"
#include "serve/s3/exchange.h"
#include "serve/s3/routes.h"

namespace aichemy::serve::s3 {
namespace {

using objectstore::Tags;

constexpr size_t kDocumentBytesMax = 64 << 10;

Status check_version(const Exchange& exchange) {
  if (!exchange.has("versionId") || exchange.parameter("versionId") == "null") return {};
  return fail(Code::not_found, "no_such_version", "");
}

Result<Tags> read_tags(std::string_view document) {
  ASSIGN_OR_RETURN(XmlNode root, parse_xml(document));
  const XmlNode* set = root.find("TagSet");
  if (root.name != "Tagging" || !set)
    return fail(Code::invalid, "malformed_xml",
                "The XML you provided was not well-formed or did not validate against our "
                "published schema");
  Tags tags;
  for (const XmlNode& tag : set->children) {
    if (tag.name != "Tag" || !tag.find("Key") || !tag.find("Value"))
      return fail(Code::invalid, "malformed_xml", "a TagSet holds Tags with Key and Value");
    if (!tags.emplace(tag.text_of("Key"), tag.text_of("Value")).second)
      return fail(Code::invalid, "tag_twice", "Cannot provide multiple Tags with the same key");
  }
  RETURN_IF_ERROR(objectstore::check_tags(tags));
  return tags;
}

Async<Status> set_tags(Exchange& exchange, const Tags& tags) {
  objectstore::ObjectTagging* tagging = exchange.services.options.tagging;
  if (!tagging) co_return fail(Code::unsupported, "subresource", "");
  co_return co_await on(exchange.services.pool, [&] {
    return tagging->set_tags(exchange.call(), exchange.bucket, exchange.key, tags);
  });
}

}  // namespace

Async<Status> get_tagging(Exchange& exchange) {
  CO_RETURN_IF_ERROR(check_version(exchange));
  auto info = co_await on(exchange.services.pool, [&exchange] {
    return exchange.store().head(exchange.call(), exchange.bucket, exchange.key, {});
  });
  if (!info) co_return std::unexpected(info.error());
  XmlWriter xml;
  xml.open("Tagging", kNamespace).open("TagSet");
  for (const auto& [key, value] : objectstore::tags_of(info->metadata))
    xml.open("Tag").text("Key", key).text("Value", value).close("Tag");
  co_return co_await exchange.send_xml(xml.close("TagSet").close("Tagging").take());
}

Async<Status> put_tagging(Exchange& exchange) {
  CO_RETURN_IF_ERROR(check_version(exchange));
  CO_ASSIGN_OR_RETURN(std::string document, co_await receive_document(exchange, kDocumentBytesMax));
  CO_ASSIGN_OR_RETURN(Tags tags, read_tags(document));
  CO_RETURN_IF_ERROR(co_await set_tags(exchange, tags));
  co_return co_await exchange.send_empty(200);
}

Async<Status> delete_tagging(Exchange& exchange) {
  CO_RETURN_IF_ERROR(check_version(exchange));
  CO_RETURN_IF_ERROR(co_await set_tags(exchange, {}));
  co_return co_await exchange.send_empty(204);
}

}  // namespace aichemy::serve::s3
