#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "objectstore/read_unit.h"
#include "serve/s3/exchange.h"

namespace aichemy::serve::s3 {
namespace {

using objectstore::Conditions;
using objectstore::ObjectInfo;
using objectstore::ObjectReader;
using objectstore::PutOptions;

constexpr size_t kReadBytes = 1 << 20;
constexpr uint64_t kCopyBytesMax = uint64_t{5} << 30;

// The only version an object has is "null".
Status check_version(const Exchange& exchange) {
  if (!exchange.has("versionId")) return {};
  std::string version = exchange.parameter("versionId");
  if (version == "null") return {};
  if (version.size() == 36) return fail(Code::not_found, "no_such_version", "");
  return fail(Code::invalid, "argument", "Invalid version id specified");
}

// What of the object is asked for: by Range, by part number, or all.
struct Selection {
  ByteRange range;
  bool partial = false;
};

Result<Selection> select_bytes(const Exchange& exchange, const ObjectInfo& info) {
  Selection selection{{0, info.size}, false};
  if (exchange.has("partNumber")) {
    ASSIGN_OR_RETURN(int64_t number,
                     number_of("partNumber", exchange.parameter("partNumber"), 1, 10'000));
    auto parts = static_cast<int64_t>(std::max<size_t>(info.part_bytes.size(), 1));
    if (number > parts)
      return fail(Code::invalid, "invalid_range", "The requested partnumber is not satisfiable");
    selection.partial = info.size > 0;
    if (info.part_bytes.empty()) return selection;
    for (int64_t i = 0; i + 1 < number; ++i)
      selection.range.offset += info.part_bytes[static_cast<size_t>(i)];
    selection.range.count = info.part_bytes[static_cast<size_t>(number - 1)];
    return selection;
  }
  std::string_view header = exchange.header("range");
  std::string_view if_range = exchange.header("if-range");
  if (!if_range.empty()) {
    auto etags = parse_etags(if_range);
    auto date = parse_http_date(if_range);
    bool current = date ? info.last_modified <= *date + std::chrono::seconds(1)
                        : !etags.empty() && etags.front() == info.etag;
    if (!current) return selection;
  }
  if (header.empty()) return selection;
  ASSIGN_OR_RETURN(auto range, parse_range(header, info.size));
  if (range) selection = {*range, true};
  return selection;
}

void response_overrides(const Exchange& exchange, http::Headers& headers) {
  static constexpr std::pair<const char*, const char*> kOverrides[] = {
      {"response-content-type", "Content-Type"},
      {"response-content-language", "Content-Language"},
      {"response-expires", "Expires"},
      {"response-cache-control", "Cache-Control"},
      {"response-content-disposition", "Content-Disposition"},
      {"response-content-encoding", "Content-Encoding"}};
  for (const auto& [parameter, header] : kOverrides) {
    if (exchange.has(parameter)) headers.set(header, exchange.parameter(parameter));
  }
}

void answer_headers(Exchange& exchange, const ObjectInfo& info, const Selection& selection) {
  http::Headers& headers = exchange.response.headers;
  bool whole = !selection.partial || selection.range.count == info.size;
  bool checksums = exchange.header("x-amz-checksum-mode") == "ENABLED" && whole;
  object_headers(info, checksums, headers);
  response_overrides(exchange, headers);
  headers.set("Accept-Ranges", "bytes");
  if (exchange.has("partNumber") && info.parts_count > 0) {
    headers.set("x-amz-mp-parts-count", std::to_string(info.parts_count));
  }
  if (selection.partial) {
    exchange.response.status = 206;
    headers.set("Content-Range",
                fmt::format("bytes {}-{}/{}", selection.range.offset,
                            selection.range.offset + selection.range.count - 1, info.size));
  }
}

std::unexpected<Error> with_range_header(Exchange& exchange, const ObjectInfo& info,
                                         const Error& error) {
  if (error.is("invalid_range"))
    exchange.response.headers.set("Content-Range", fmt::format("bytes */{}", info.size));
  return std::unexpected(error);
}

struct Opened {
  std::unique_ptr<ObjectReader> reader;
  Result<Selection> selection{Selection{}};
  std::string small;  // the whole answer, when it is small
};

Result<Opened> open_object(Exchange& exchange) {
  Conditions conditions = conditions_of(exchange.request.headers, "");
  Opened opened;
  ASSIGN_OR_RETURN(opened.reader, exchange.store().open(exchange.call(), exchange.bucket,
                                                        exchange.key, conditions));
  opened.selection = select_bytes(exchange, opened.reader->info());
  if (!opened.selection || opened.selection->range.count > kReadBytes) return opened;
  const ByteRange& range = opened.selection->range;
  opened.small.resize(range.count);
  ASSIGN_OR_RETURN(size_t got,
                   opened.reader->read_at(range.offset, opened.small.data(), opened.small.size()));
  if (got != range.count)
    return fail(Code::corrupt, "corrupt_object", "an object is shorter than its record says");
  return opened;
}

}  // namespace

Async<Status> put_object(Exchange& exchange) {
  CO_RETURN_IF_ERROR(refuse_unsupported_headers(exchange));
  CO_ASSIGN_OR_RETURN(PutOptions options, put_options_of(exchange));
  options.conditions.if_match = parse_etags(exchange.header("if-match"));
  options.conditions.if_none_match = parse_etags(exchange.header("if-none-match"));
  auto open = [&exchange](PutOptions with) {
    return exchange.store().write(exchange.call(), exchange.bucket, exchange.key, std::move(with));
  };
  CO_ASSIGN_OR_RETURN(ObjectInfo info, co_await receive_object(exchange, open, std::move(options)));
  exchange.response.headers.set("ETag", quoted(info.etag));
  checksum_headers(info, exchange.response.headers);
  if (info.redundancy_lost > 0) {
    exchange.response.headers.set("x-aichemy-redundancy-lost",
                                  std::to_string(info.redundancy_lost));
  }
  co_return co_await exchange.send_empty(200);
}

Async<Status> get_object(Exchange& exchange) {
  CO_RETURN_IF_ERROR(check_version(exchange));
  auto opening = co_await on(exchange.services.pool, [&exchange] { return open_object(exchange); });
  if (!opening) co_return std::unexpected(opening.error());
  Opened opened = std::move(*opening);
  const ObjectInfo& info = opened.reader->info();
  if (!opened.selection) co_return with_range_header(exchange, info, opened.selection.error());
  ByteRange range = opened.selection->range;
  answer_headers(exchange, info, *opened.selection);
  if (range.count <= kReadBytes) {
    if (!opened.small.empty() || info.size == 0) opened.reader.reset();
    co_return co_await exchange.response.send(std::move(opened.small));
  }
  CO_RETURN_IF_ERROR(co_await exchange.response.begin(range.count));
  std::string buffer(objectstore::kReadUnitBytes, '\0');
  Status status;
  while (range.count > 0 && status) {
    uint64_t unit = buffer.size() - range.offset % buffer.size();  // to the end of a stored unit
    auto step = static_cast<size_t>(std::min(range.count, unit));
    auto got = co_await on(exchange.services.pool, [&] {
      return opened.reader->read_at(range.offset, buffer.data(), step);
    });
    if (got && *got != step)
      got = fail(Code::corrupt, "corrupt_object", "an object is shorter than its record says");
    if (!got) {
      status = std::unexpected(got.error());
      break;
    }
    status = co_await exchange.response.write({buffer.data(), step});
    range.offset += step;
    range.count -= step;
  }
  // Closing files may write (a removal that waited for this reader): not on the loop.
  co_await on(exchange.services.pool, [&]() -> Status { return opened.reader.reset(), Status{}; });
  CO_RETURN_IF_ERROR(status);
  co_return co_await exchange.response.end();
}

Async<Status> head_object(Exchange& exchange) {
  CO_RETURN_IF_ERROR(check_version(exchange));
  auto looked_up = co_await on(exchange.services.pool, [&exchange] {
    return exchange.store().head(exchange.call(), exchange.bucket, exchange.key,
                                 conditions_of(exchange.request.headers, ""));
  });
  if (!looked_up) co_return std::unexpected(looked_up.error());
  ObjectInfo info = std::move(*looked_up);
  auto selection = select_bytes(exchange, info);
  if (!selection) co_return with_range_header(exchange, info, selection.error());
  answer_headers(exchange, info, *selection);
  exchange.response.headers.set("Content-Length", std::to_string(selection->range.count));
  co_return co_await exchange.response.send();
}

Async<Status> delete_object(Exchange& exchange) {
  CO_RETURN_IF_ERROR(check_version(exchange));
  Conditions conditions;
  conditions.if_match = parse_etags(exchange.header("if-match"));
  auto removed = co_await on(exchange.services.pool, [&] {
    return exchange.store().remove(exchange.call(), exchange.bucket, exchange.key, conditions);
  });
  if (!removed) co_return std::unexpected(removed.error());
  co_return co_await exchange.send_empty(204);
}

Async<Status> copy_object(Exchange& exchange) {
  CO_RETURN_IF_ERROR(refuse_unsupported_headers(exchange));
  CO_ASSIGN_OR_RETURN(CopySource source, copy_source_of(exchange));
  CO_ASSIGN_OR_RETURN(PutOptions options, put_options_of(exchange));
  std::string_view directive = exchange.header("x-amz-metadata-directive");
  if (!directive.empty() && directive != "COPY" && directive != "REPLACE") {
    co_return fail(Code::invalid, "argument", "Unknown metadata directive.");
  }
  const bool replace = directive == "REPLACE";
  std::string_view tag_directive = exchange.header("x-amz-tagging-directive");
  if (!tag_directive.empty() && tag_directive != "COPY" && tag_directive != "REPLACE")
    co_return fail(Code::invalid, "argument", "Unknown tagging directive.");
  const objectstore::Tags given = objectstore::tags_of(options.metadata);
  if (!replace && source.bucket == exchange.bucket && source.key == exchange.key) {
    co_return fail(
        Code::invalid, "copy_to_itself",
        "This copy request is illegal because it is trying to copy an object to itself without "
        "changing the "
        "object's metadata, storage class, website redirect location or encryption attributes.");
  }
  CO_ASSIGN_OR_RETURN(std::string asked,
                      algorithm_name(exchange.header("x-amz-checksum-algorithm")));
  options.conditions.if_match = parse_etags(exchange.header("if-match"));
  options.conditions.if_none_match = parse_etags(exchange.header("if-none-match"));
  auto copy = [&]() -> Result<ObjectInfo> {
    auto conditions = conditions_of(exchange.request.headers, "x-amz-copy-source-");
    auto reader = exchange.store().open(exchange.call(), source.bucket, source.key, conditions);
    // A copy that must not happen says so with 412, whichever condition it was.
    if (!reader && reader.error().is("not_modified"))
      return fail(Code::conflict, "precondition_failed", "");
    if (!reader) return std::unexpected(reader.error());
    const ObjectInfo& info = (*reader)->info();
    if (info.size > kCopyBytesMax) return fail(Code::invalid, "entity_too_large", "");
    if (!replace) {
      options.metadata = info.metadata;
      options.content_type = info.content_type;
    }
    objectstore::put_tags(options.metadata,
                          tag_directive == "REPLACE" ? given : objectstore::tags_of(info.metadata));
    for (const auto& [algorithm, value] : info.checksums)
      options.checksum_algorithms.push_back(algorithm);
    if (!asked.empty()) options.checksum_algorithms = {asked};
    options.size_hint = info.size;
    options.expected_md5.clear();
    options.expected_checksums.clear();
    ASSIGN_OR_RETURN(auto writer, exchange.store().write(exchange.call(), exchange.bucket,
                                                         exchange.key, options));
    return copy_bytes(**reader, {0, info.size}, *writer);
  };
  auto copied = co_await on(exchange.services.pool, copy);
  if (!copied) co_return std::unexpected(copied.error());
  XmlWriter xml;
  xml.open("CopyObjectResult", kNamespace)
      .text("LastModified", format_iso8601(copied->last_modified));
  xml.text("ETag", quoted(copied->etag));
  checksum_elements(copied->checksums, xml);
  co_return co_await exchange.send_xml(xml.close("CopyObjectResult").take());
}

Async<Status> get_attributes(Exchange& exchange) {
  CO_RETURN_IF_ERROR(check_version(exchange));
  auto looked_up = co_await on(exchange.services.pool, [&exchange] {
    return exchange.store().head(exchange.call(), exchange.bucket, exchange.key, {});
  });
  if (!looked_up) co_return std::unexpected(looked_up.error());
  const ObjectInfo& info = *looked_up;
  std::string wanted;
  for (std::string_view value : exchange.request.headers.get_all("x-amz-object-attributes")) {
    wanted += "," + std::string(value);
  }
  if (wanted.empty())
    co_return fail(Code::invalid, "argument",
                   "x-amz-object-attributes must name at least one attribute");
  auto asked = [&](std::string_view attribute) {
    return wanted.find(attribute) != std::string::npos;
  };
  XmlWriter xml;
  xml.open("GetObjectAttributesResponse", kNamespace);
  if (asked("ETag")) xml.text("ETag", info.etag);
  if (asked("Checksum") && !info.checksums.empty()) {
    xml.open("Checksum");
    checksum_elements(info.checksums, xml);
    xml.text("ChecksumType", info.checksum_type).close("Checksum");
  }
  if (asked("ObjectParts") && info.parts_count > 0) {
    xml.open("ObjectParts")
        .number("PartsCount", static_cast<uint64_t>(info.parts_count))
        .flag("IsTruncated", false);
    xml.number("MaxParts", 10'000).number("PartNumberMarker", 0);
    for (size_t i = 0; i < info.part_bytes.size(); ++i) {
      xml.open("Part").number("PartNumber", i + 1).number("Size", info.part_bytes[i]).close("Part");
    }
    xml.close("ObjectParts");
  }
  if (asked("StorageClass")) xml.text("StorageClass", "STANDARD");
  if (asked("ObjectSize")) xml.number("ObjectSize", info.size);
  exchange.response.headers.set("Last-Modified", format_http_date(info.last_modified));
  co_return co_await exchange.send_xml(xml.close("GetObjectAttributesResponse").take());
}

}  // namespace aichemy::serve::s3
