#include <algorithm>

#include "base/bytes.h"
#include "serve/s3/exchange.h"

namespace aichemy::serve::s3 {
namespace {

using objectstore::ObjectInfo;
using objectstore::PartInfo;
using objectstore::PutOptions;
using objectstore::UploadInfo;

constexpr size_t kDocumentBytesMax = 4 << 20;
constexpr size_t kPageMax = 1000;

struct PartName {
  int number = 0;
  std::string upload_id;
};

Result<PartName> part_name(const Exchange& exchange) {
  ASSIGN_OR_RETURN(int64_t number,
                   number_of("partNumber", exchange.parameter("partNumber"), 1, 10'000));
  return PartName{static_cast<int>(number), exchange.parameter("uploadId")};
}

std::string upper_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return text;
}

void identity(const Exchange& exchange, const char* element, XmlWriter& xml) {
  xml.open(element).text("ID", exchange.owner_id()).text("DisplayName", "aichemy").close(element);
}

// <Part><PartNumber/><ETag/><ChecksumCRC32/>...</Part>*
Result<std::vector<PartInfo>> parts_of(const XmlNode& root) {
  static constexpr std::pair<const char*, const char*> kChecksums[] = {
      {"ChecksumCRC32", "crc32"},
      {"ChecksumCRC32C", "crc32c"},
      {"ChecksumCRC64NVME", "crc64nvme"},
      {"ChecksumSHA1", "sha1"},
      {"ChecksumSHA256", "sha256"}};
  std::vector<PartInfo> parts;
  for (const XmlNode& child : root.children) {
    if (child.name != "Part") continue;
    PartInfo part;
    auto number = number_of("PartNumber", child.text_of("PartNumber"), 1, 10'000);
    auto etags = parse_etags(child.text_of("ETag"));
    if (!number || etags.size() != 1) {
      return fail(Code::invalid, "malformed_xml",
                  "The XML you provided was not well-formed or did not validate against our "
                  "published schema");
    }
    part.number = static_cast<int>(*number);
    part.etag = etags.front();
    for (const auto& [element, algorithm] : kChecksums) {
      if (const XmlNode* found = child.find(element)) part.checksums[algorithm] = found->text;
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace

Async<Status> create_upload(Exchange& exchange) {
  CO_RETURN_IF_ERROR(refuse_unsupported_headers(exchange));
  CO_ASSIGN_OR_RETURN(PutOptions options, put_options_of(exchange));
  CO_ASSIGN_OR_RETURN(std::string algorithm,
                      algorithm_name(exchange.header("x-amz-checksum-algorithm")));
  std::string type(exchange.header("x-amz-checksum-type"));
  bool sums_parts =
      algorithm.starts_with("sha") || (algorithm.starts_with("crc32") && type != "FULL_OBJECT");
  if (!algorithm.empty() && type.empty()) type = sums_parts ? "COMPOSITE" : "FULL_OBJECT";
  bool fits = (type == "FULL_OBJECT" && !algorithm.starts_with("sha")) ||
              (type == "COMPOSITE" && algorithm != "crc64nvme");
  if (!algorithm.empty() && !fits) {
    co_return fail(Code::invalid, "checksum_type",
                   "The " + type + " checksum type cannot be used with the " + algorithm +
                       " checksum algorithm.");
  }
  auto created = co_await on(exchange.services.pool, [&] {
    return exchange.store().create_upload(exchange.call(), exchange.bucket, exchange.key,
                                          std::move(options), algorithm, type);
  });
  if (!created) co_return std::unexpected(created.error());
  if (!algorithm.empty()) {
    exchange.response.headers.set("x-amz-checksum-algorithm", upper_case(algorithm));
    exchange.response.headers.set("x-amz-checksum-type", type);
  }
  XmlWriter xml;
  xml.open("InitiateMultipartUploadResult", kNamespace)
      .text("Bucket", exchange.bucket)
      .text("Key", exchange.key);
  xml.text("UploadId", *created);
  co_return co_await exchange.send_xml(xml.close("InitiateMultipartUploadResult").take());
}

Async<Status> upload_part(Exchange& exchange) {
  CO_ASSIGN_OR_RETURN(PartName part, part_name(exchange));
  CO_ASSIGN_OR_RETURN(PutOptions options, put_options_of(exchange));
  auto open = [&exchange, &part](PutOptions with) {
    return exchange.store().write_part(exchange.call(), exchange.bucket, exchange.key,
                                       part.upload_id, part.number, std::move(with));
  };
  CO_ASSIGN_OR_RETURN(ObjectInfo info, co_await receive_object(exchange, open, std::move(options)));
  exchange.response.headers.set("ETag", quoted(info.etag));
  info.checksum_type.clear();
  for (const auto& [algorithm, value] : info.checksums) {
    exchange.response.headers.set("x-amz-checksum-" + algorithm, value);
  }
  co_return co_await exchange.send_empty(200);
}

Async<Status> upload_part_copy(Exchange& exchange) {
  CO_ASSIGN_OR_RETURN(PartName part, part_name(exchange));
  CO_ASSIGN_OR_RETURN(CopySource source, copy_source_of(exchange));
  auto copy = [&]() -> Result<ObjectInfo> {
    auto conditions = conditions_of(exchange.request.headers, "x-amz-copy-source-");
    auto reader = exchange.store().open(exchange.call(), source.bucket, source.key, conditions);
    if (!reader && reader.error().is("not_modified"))
      return fail(Code::conflict, "precondition_failed", "");
    if (!reader) return std::unexpected(reader.error());
    ByteRange range{0, (*reader)->info().size};
    if (std::string_view text = exchange.header("x-amz-copy-source-range"); !text.empty()) {
      ASSIGN_OR_RETURN(auto parsed, parse_range(text, range.count));
      // Strict: both ends are named and lie within the object.
      bool strict = parsed && text.find('-') + 1 < text.size() && !text.starts_with("bytes=-") &&
                    text.ends_with("-" + std::to_string(parsed->offset + parsed->count - 1));
      if (!strict) {
        return fail(Code::invalid, "argument",
                    "The x-amz-copy-source-range value must be of the form bytes=first-last where "
                    "first and last are "
                    "the zero-based offsets of the first and last bytes to copy");
      }
      range = *parsed;
    }
    PutOptions options;
    options.size_hint = range.count;
    ASSIGN_OR_RETURN(auto writer,
                     exchange.store().write_part(exchange.call(), exchange.bucket, exchange.key,
                                                 part.upload_id, part.number, options));
    return copy_bytes(**reader, range, *writer);
  };
  auto copied = co_await on(exchange.services.pool, copy);
  if (!copied) co_return std::unexpected(copied.error());
  XmlWriter xml;
  xml.open("CopyPartResult", kNamespace)
      .text("LastModified", format_iso8601(copied->last_modified));
  xml.text("ETag", quoted(copied->etag));
  checksum_elements(copied->checksums, xml);
  co_return co_await exchange.send_xml(xml.close("CopyPartResult").take());
}

Async<Status> complete_upload(Exchange& exchange) {
  CO_ASSIGN_OR_RETURN(std::string document, co_await receive_document(exchange, kDocumentBytesMax));
  CO_ASSIGN_OR_RETURN(XmlNode root, parse_xml(document));
  CO_ASSIGN_OR_RETURN(std::vector<PartInfo> parts, parts_of(root));
  CO_ASSIGN_OR_RETURN(PutOptions options, put_options_of(exchange));
  options.conditions.if_match = parse_etags(exchange.header("if-match"));
  options.conditions.if_none_match = parse_etags(exchange.header("if-none-match"));
  auto completed = co_await on(exchange.services.pool, [&] {
    return exchange.store().complete_upload(exchange.call(), exchange.bucket, exchange.key,
                                            exchange.parameter("uploadId"), parts, options);
  });
  if (!completed) co_return std::unexpected(completed.error());
  XmlWriter xml;
  xml.open("CompleteMultipartUploadResult", kNamespace);
  xml.text("Location", "http://" + std::string(exchange.header("host")) + exchange.request.path);
  xml.text("Bucket", exchange.bucket)
      .text("Key", exchange.key)
      .text("ETag", quoted(completed->etag));
  checksum_elements(completed->checksums, xml);
  if (!completed->checksums.empty()) xml.text("ChecksumType", completed->checksum_type);
  co_return co_await exchange.send_xml(xml.close("CompleteMultipartUploadResult").take());
}

Async<Status> abort_upload(Exchange& exchange) {
  auto aborted = co_await on(exchange.services.pool, [&exchange] {
    return exchange.store().abort_upload(exchange.call(), exchange.bucket, exchange.key,
                                         exchange.parameter("uploadId"));
  });
  if (!aborted) co_return std::unexpected(aborted.error());
  co_return co_await exchange.send_empty(204);
}

Async<Status> list_parts(Exchange& exchange) {
  int64_t most = kPageMax;
  int64_t after = 0;
  if (auto text = exchange.parameter("max-parts"); !text.empty()) {
    CO_ASSIGN_OR_RETURN(most, number_of("max-parts", text, 0, INT32_MAX));
    most = std::min<int64_t>(most, kPageMax);
  }
  if (auto text = exchange.parameter("part-number-marker"); !text.empty()) {
    CO_ASSIGN_OR_RETURN(after, number_of("part-number-marker", text, 0, INT32_MAX));
  }
  std::string upload_id = exchange.parameter("uploadId");
  auto listed = co_await on(exchange.services.pool, [&] {
    return exchange.store().list_parts(exchange.call(), exchange.bucket, exchange.key, upload_id);
  });
  if (!listed) co_return std::unexpected(listed.error());
  std::erase_if(*listed, [&](const PartInfo& part) { return part.number <= after; });
  bool truncated = listed->size() > static_cast<size_t>(most);
  if (truncated) listed->resize(static_cast<size_t>(most));
  XmlWriter xml;
  xml.open("ListPartsResult", kNamespace).text("Bucket", exchange.bucket).text("Key", exchange.key);
  xml.text("UploadId", upload_id);
  identity(exchange, "Initiator", xml);
  identity(exchange, "Owner", xml);
  xml.text("StorageClass", "STANDARD").number("PartNumberMarker", static_cast<uint64_t>(after));
  xml.number("NextPartNumberMarker",
             listed->empty() ? 0 : static_cast<uint64_t>(listed->back().number));
  xml.number("MaxParts", static_cast<uint64_t>(most)).flag("IsTruncated", truncated);
  for (const PartInfo& part : *listed) {
    xml.open("Part").number("PartNumber", static_cast<uint64_t>(part.number));
    xml.text("LastModified", format_iso8601(part.last_modified))
        .text("ETag", quoted(part.etag))
        .number("Size", part.size);
    checksum_elements(part.checksums, xml);
    xml.close("Part");
  }
  co_return co_await exchange.send_xml(xml.close("ListPartsResult").take());
}

Async<Status> list_uploads(Exchange& exchange) {
  int64_t most = kPageMax;
  if (auto text = exchange.parameter("max-uploads"); !text.empty()) {
    CO_ASSIGN_OR_RETURN(most, number_of("max-uploads", text, 0, INT32_MAX));
    most = std::min<int64_t>(most, kPageMax);
  }
  std::string prefix = exchange.parameter("prefix");
  std::string delimiter = exchange.parameter("delimiter");
  std::string key_marker = exchange.parameter("key-marker");
  std::string id_marker = exchange.parameter("upload-id-marker");
  auto listed = co_await on(exchange.services.pool, [&] {
    return exchange.store().list_uploads(exchange.call(), exchange.bucket, prefix);
  });
  if (!listed) co_return std::unexpected(listed.error());
  const bool encoded = exchange.parameter("encoding-type") == "url";
  auto name = [encoded](const std::string& text) {
    return encoded ? percent_encode(text, "/") : text;
  };
  XmlWriter uploads;
  std::string common;
  std::vector<std::string> prefixes;
  std::string body;
  const UploadInfo* last = nullptr;
  bool truncated = false;
  XmlWriter xml;
  xml.open("ListMultipartUploadsResult", kNamespace).text("Bucket", exchange.bucket);
  xml.text("KeyMarker", name(key_marker)).text("UploadIdMarker", id_marker);
  std::vector<const UploadInfo*> page;
  for (const UploadInfo& upload : *listed) {
    bool before = upload.key < key_marker || (upload.key == key_marker &&
                                              (id_marker.empty() || upload.upload_id <= id_marker));
    if (!key_marker.empty() && before) continue;
    size_t at = delimiter.empty() ? std::string::npos : upload.key.find(delimiter, prefix.size());
    std::string group =
        at == std::string::npos ? std::string() : upload.key.substr(0, at + delimiter.size());
    if (!group.empty() && !prefixes.empty() && prefixes.back() == group) continue;
    if (page.size() + prefixes.size() == static_cast<size_t>(most)) {
      truncated = true;
      break;
    }
    last = &upload;
    if (!group.empty()) {
      prefixes.push_back(std::move(group));
    } else {
      page.push_back(&upload);
    }
  }
  if (truncated && last)
    xml.text("NextKeyMarker", name(last->key)).text("NextUploadIdMarker", last->upload_id);
  xml.text("Prefix", name(prefix));
  if (!delimiter.empty()) xml.text("Delimiter", name(delimiter));
  xml.number("MaxUploads", static_cast<uint64_t>(most)).flag("IsTruncated", truncated);
  for (const UploadInfo* upload : page) {
    xml.open("Upload").text("Key", name(upload->key)).text("UploadId", upload->upload_id);
    identity(exchange, "Initiator", xml);
    identity(exchange, "Owner", xml);
    xml.text("StorageClass", "STANDARD")
        .text("Initiated", format_iso8601(upload->initiated))
        .close("Upload");
  }
  for (const std::string& group : prefixes) {
    xml.open("CommonPrefixes").text("Prefix", name(group)).close("CommonPrefixes");
  }
  if (encoded) xml.text("EncodingType", "url");
  co_return co_await exchange.send_xml(xml.close("ListMultipartUploadsResult").take());
}

}  // namespace aichemy::serve::s3
