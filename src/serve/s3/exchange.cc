#include "serve/s3/exchange.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "serve/s3/error_table.h"

namespace aichemy::serve::s3 {
namespace {

constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";
constexpr std::string_view kMetadataPrefix = "x-amz-meta-";
constexpr size_t kMetadataBytesMax = 2048;

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return result;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// aws-chunked is how the body travelled, not what it is.
std::string stored_encoding(std::string_view value) {
  std::string kept;
  while (!value.empty()) {
    size_t comma = std::min(value.find(','), value.size());
    std::string_view coding = trim(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (coding.empty() || coding == "aws-chunked") continue;
    if (!kept.empty()) kept += ",";
    kept += coding;
  }
  return kept;
}

}  // namespace

std::string Exchange::parameter(const std::string& name) const {
  auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

Status Exchange::may_use(std::string_view of, std::string_view name) const {
  if (!session || session->allows(of, name)) return {};
  return fail(Code::denied, "session_scope", "");
}

std::string Exchange::owner_id() const { return to_hex(digest(DigestKind::sha256, "aichemy")); }

Async<Status> Exchange::send_xml(std::string xml) {
  response.headers.set("Content-Type", "application/xml");
  co_return co_await response.send(std::move(xml));
}

Async<Status> Exchange::send_empty(int status) {
  response.status = status;
  co_return co_await response.send();
}

Result<int64_t> number_of(std::string_view name, std::string_view text, int64_t least,
                          int64_t most) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return fail(Code::invalid, "argument",
                fmt::format("Argument {} must be an integer between {} and {}", name, least, most));
  }
  return value;
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  std::string copy(trim(text));
  for (const char* format : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                             "%a %b %d %H:%M:%S %Y", "%Y-%m-%dT%H:%M:%SZ"}) {
    tm fields{};
    const char* end = ::strptime(copy.c_str(), format, &fields);
    if (end && *end == '\0') return WallTime(std::chrono::seconds(::timegm(&fields)));
  }
  return std::nullopt;
}

std::vector<std::string> parse_etags(std::string_view text) {
  std::vector<std::string> etags;
  while (!text.empty()) {
    size_t comma = std::min(text.find(','), text.size());
    std::string_view etag = trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (etag.starts_with("W/")) etag.remove_prefix(2);
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
      etag = etag.substr(1, etag.size() - 2);
    if (!etag.empty()) etags.emplace_back(etag);
  }
  return etags;
}

objectstore::Conditions conditions_of(const http::Headers& headers, const std::string& prefix) {
  objectstore::Conditions conditions;
  conditions.if_match = parse_etags(headers.get(prefix + "if-match"));
  conditions.if_none_match = parse_etags(headers.get(prefix + "if-none-match"));
  conditions.if_modified_since = parse_http_date(headers.get(prefix + "if-modified-since"));
  conditions.if_unmodified_since = parse_http_date(headers.get(prefix + "if-unmodified-since"));
  return conditions;
}

std::string checksum_algorithm_of(std::string_view header) {
  std::string name = lower_case(header);
  if (!name.starts_with(kChecksumPrefix)) return {};
  name.erase(0, kChecksumPrefix.size());
  bool known = name == "crc32" || name == "crc32c" || name == "crc64nvme" || name == "sha1" ||
               name == "sha256";
  return known ? name : std::string();
}

Result<std::string> algorithm_name(std::string_view sdk_name) {
  std::string name = lower_case(sdk_name);
  if (name.empty() || !checksum_algorithm_of(std::string(kChecksumPrefix) + name).empty())
    return name;
  return fail(Code::invalid, "argument",
              "Checksum algorithm provided is unsupported: " + std::string(sdk_name));
}

Result<objectstore::PutOptions> put_options_of(const Exchange& exchange) {
  objectstore::PutOptions options;
  size_t metadata_bytes = 0;
  if (auto type = exchange.header("content-type"); !type.empty())
    options.content_type = std::string(type);
  if (exchange.header("content-type").empty()) options.content_type = "binary/octet-stream";
  for (const char* name : {"cache-control", "content-disposition", "content-language", "expires"}) {
    if (exchange.request.headers.has(name))
      options.metadata[name] = std::string(exchange.header(name));
  }
  if (std::string encoding = stored_encoding(exchange.header("content-encoding"));
      !encoding.empty()) {
    options.metadata["content-encoding"] = std::move(encoding);
  }
  for (const auto& [header, value] : exchange.request.headers.all()) {
    std::string name = lower_case(header);
    if (name.starts_with(kMetadataPrefix)) {
      metadata_bytes += name.size() - kMetadataPrefix.size() + value.size();
      std::string& kept = options.metadata[name];
      kept = kept.empty() ? value : kept + "," + value;
    } else if (std::string algorithm = checksum_algorithm_of(name); !algorithm.empty()) {
      options.expected_checksums[algorithm] = value;
    }
  }
  ASSIGN_OR_RETURN(objectstore::Tags tags,
                   objectstore::decode_tags(exchange.header("x-amz-tagging")));
  objectstore::put_tags(options.metadata, tags);
  if (metadata_bytes > kMetadataBytesMax) return fail(Code::invalid, "metadata_too_large", "");
  ASSIGN_OR_RETURN(std::string asked,
                   algorithm_name(exchange.header("x-amz-sdk-checksum-algorithm")));
  if (!asked.empty()) options.checksum_algorithms.push_back(std::move(asked));
  if (auto md5 = exchange.header("content-md5"); !md5.empty()) {
    auto raw = from_base64(md5);
    if (!raw || raw->size() != 16) return fail(Code::invalid, "invalid_digest", "");
    options.expected_md5 = std::move(*raw);
  }
  return options;
}

Status refuse_unsupported_headers(const Exchange& exchange) {
  for (const char* name :
       {"x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-algorithm",
        "x-amz-object-lock-mode", "x-amz-object-lock-legal-hold",
        "x-amz-website-redirect-location"}) {
    if (exchange.request.headers.has(name)) return fail(Code::unsupported, "header", name);
  }
  auto storage_class = exchange.header("x-amz-storage-class");
  if (!storage_class.empty() && storage_class != "STANDARD" &&
      storage_class != "REDUCED_REDUNDANCY") {
    return fail(Code::invalid, "storage_class", "");
  }
  return {};
}

Result<CopySource> copy_source_of(const Exchange& exchange) {
  auto refuse = [] {
    return fail(Code::invalid, "argument",
                "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  };
  std::string_view text = exchange.header("x-amz-copy-source");
  size_t question = text.find("?versionId=");
  if (question != std::string_view::npos) {
    std::string_view version = text.substr(question + 11);
    if (version != "null") return fail(Code::not_found, "no_such_version", "");
    text = text.substr(0, question);
  }
  auto decoded = percent_decode(text);
  if (!decoded) return refuse();
  std::string path = *decoded;
  if (path.starts_with('/')) path.erase(0, 1);
  size_t slash = path.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == path.size()) return refuse();
  CopySource source{path.substr(0, slash), path.substr(slash + 1)};
  RETURN_IF_ERROR(exchange.may_use(source.bucket, source.key));
  return source;
}

Result<std::optional<ByteRange>> parse_range(std::string_view header, uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  std::string_view text = trim(header);
  if (!text.starts_with(kUnit) || text.find(',') != std::string_view::npos) return std::nullopt;
  text.remove_prefix(kUnit.size());
  size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto parse = [](std::string_view digits) -> std::optional<uint64_t> {
    uint64_t value = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
      return std::nullopt;
    return value;
  };
  std::string_view first = trim(text.substr(0, dash));
  std::string_view last = trim(text.substr(dash + 1));
  auto from = parse(first);
  auto to = parse(last);
  if ((!first.empty() && !from) || (!last.empty() && !to) || (!from && !to)) return std::nullopt;
  auto unsatisfiable = [&] {
    return fail(Code::invalid, "invalid_range",
                fmt::format("The requested range '{}' is not satisfiable", trim(header)));
  };
  if (!from) {
    if (*to == 0 || size == 0) return unsatisfiable();
    uint64_t count = std::min(*to, size);
    return ByteRange{size - count, count};
  }
  if (to && *to < *from) return std::nullopt;
  if (*from >= size) return unsatisfiable();
  uint64_t end = to ? std::min(*to, size - 1) : size - 1;
  return ByteRange{*from, end - *from + 1};
}

std::string quoted(std::string_view etag) { return fmt::format("\"{}\"", etag); }

void checksum_headers(const objectstore::ObjectInfo& info, http::Headers& headers) {
  for (const auto& [algorithm, value] : info.checksums)
    headers.set(std::string(kChecksumPrefix) + algorithm, value);
  if (!info.checksums.empty()) headers.set("x-amz-checksum-type", info.checksum_type);
}

void object_headers(const objectstore::ObjectInfo& info, bool with_checksums,
                    http::Headers& headers) {
  headers.set("ETag", quoted(info.etag));
  headers.set("Last-Modified", format_http_date(info.last_modified));
  headers.set("Content-Type", info.content_type);
  for (const auto& [name, value] : info.metadata) {
    if (name != objectstore::kTagsName) headers.set(name, value);
  }
  if (size_t tags = objectstore::tags_of(info.metadata).size(); tags > 0)
    headers.set("x-amz-tagging-count", std::to_string(tags));
  if (with_checksums) checksum_headers(info, headers);
}

void checksum_elements(const std::map<std::string, std::string>& checksums, XmlWriter& xml) {
  static constexpr std::pair<const char*, const char*> kElements[] = {
      {"crc32", "ChecksumCRC32"},
      {"crc32c", "ChecksumCRC32C"},
      {"crc64nvme", "ChecksumCRC64NVME"},
      {"sha1", "ChecksumSHA1"},
      {"sha256", "ChecksumSHA256"}};
  for (const auto& [algorithm, element] : kElements) {
    if (auto found = checksums.find(algorithm); found != checksums.end())
      xml.text(element, found->second);
  }
}

std::string error_xml(const Exchange& exchange, const Error& error) {
  const ErrorRow& row = error_row(error);
  XmlWriter xml;
  xml.open("Error")
      .text("Code", row.s3_code)
      .text("Message", row.message[0] ? row.message : error.message);
  if (!exchange.key.empty()) xml.text("Key", exchange.key);
  if (!exchange.bucket.empty()) xml.text("BucketName", exchange.bucket);
  auto path = percent_decode(exchange.request.path);
  xml.text("Resource", path && is_valid_utf8(*path) ? *path : exchange.request.path);
  xml.text("Region", exchange.services.options.region);
  xml.text("RequestId", exchange.call().trace).text("HostId", exchange.owner_id());
  return xml.close("Error").take();
}

}  // namespace aichemy::serve::s3
