// Signing S3 requests for clients that hold no key (Iceberg's S3 signer API), and answers kept by
// idempotency key.
#include <algorithm>
#include <set>

#include "auth/sigv4.h"
#include "base/bytes.h"
#include "serve/iceberg/rest.h"
#include "tables/file_io.h"

namespace aichemy::serve::iceberg {

namespace {

constexpr std::string_view kUnsigned = "UNSIGNED-PAYLOAD";
// Headers that clients or what lies between change after signing.
constexpr std::string_view kNotSigned[] = {"authorization", "user-agent",        "expect",
                                           "connection",    "transfer-encoding", "accept-encoding"};

std::string lower_name(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::unexpected<Error> refused(const std::string& why) {
  return fail(Code::denied, "sign", "the request is not signed: " + why);
}

// Objects of the table only: listing its bucket, or anything beside it, is not the table's.
Status check_object(std::string_view path, const std::string& location) {
  ASSIGN_OR_RETURN(tables::Location table, tables::parse_location(location));
  ASSIGN_OR_RETURN(std::string object, percent_decode(path));
  std::string below = "/" + table.bucket + "/" + table.key + "/";
  bool climbs = object.find("/../") != std::string::npos || object.ends_with("/..");
  if (object.starts_with(below) && !climbs) return {};
  return refused(object + " is not below the table's location");
}

// What a copy reads is the table's, too.
Status check_source(const Json& values, const std::string& location) {
  if (values.as_array().size() != 1) return refused("one x-amz-copy-source is needed");
  std::string_view source = values.as_array()[0].as_string();
  if (source.starts_with('/')) source.remove_prefix(1);
  return check_object("/" + std::string(source.substr(0, source.find('?'))), location);
}

}  // namespace

Result<Json> RestContext::sign(const Json& body, const std::string& location) const {
  if (s3().endpoint.empty()) return refused("there is no object store to sign for");
  if (s3().access_key.empty()) return refused("the key that requests were signed with was removed");
  std::string uri(body["uri"].as_string());
  std::string method(body["method"].as_string());
  if (!uri.starts_with(s3().endpoint + "/") || method.empty())
    return refused("\"uri\" is not of " + s3().endpoint + ", or \"method\" is missing");
  std::string_view rest = std::string_view(uri).substr(s3().endpoint.size());
  std::string_view path = rest.substr(0, rest.find('?'));
  std::string_view query = path.size() == rest.size() ? "" : rest.substr(path.size() + 1);
  RETURN_IF_ERROR(check_object(path, location));
  std::map<std::string, std::string> headers;
  for (const auto& [name, values] : body["headers"].as_object()) {
    std::string key = lower_name(name);
    if (key == "x-amz-copy-source") RETURN_IF_ERROR(check_source(values, location));
    if (std::ranges::find(kNotSigned, key) != std::end(kNotSigned)) continue;
    if (values.as_array().size() == 1) headers[key] = values.as_array()[0].as_string();
  }
  headers["host"] = s3().endpoint.substr(s3().endpoint.find("://") + 3);
  headers["x-amz-date"] = auth::format_amz_date(wall_now());
  headers.try_emplace("x-amz-content-sha256", kUnsigned);
  auth::SignedRequest request{method, path, query, {}};
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) {
    request.headers.emplace_back(name, value);
    names.push_back(name);
  }
  ASSIGN_OR_RETURN(headers["authorization"],
                   auth::authorization_header(request, names, s3().access_key, s3().secret_key,
                                              s3().region, headers["x-amz-content-sha256"]));
  Json signed_headers = Json::object();
  for (const auto& [name, value] : headers) {
    Json values = Json::array();
    values.push(value);
    signed_headers.set(name, std::move(values));
  }
  return Json().set("uri", uri).set("headers", std::move(signed_headers));
}

Result<RestAnswer> sign_request(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto table, context.catalog().load_table(request.call, request.table()));
  ASSIGN_OR_RETURN(Json answer, context.sign(request.body, table.metadata->location));
  return RestAnswer{.body = std::move(answer)};
}

Result<std::optional<RestAnswer>> Replies::begin(const std::string& key, uint64_t fingerprint,
                                                 SteadyTime now) {
  std::lock_guard lock(mutex_);
  std::erase_if(by_key_, [&](const auto& entry) { return entry.second.until <= now; });
  auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (by_key_.size() >= kRepliesMax)
      return fail(Code::exhausted, "replies", "too many idempotency keys are in use; retry later");
    by_key_[key] = {fingerprint, now + kLifetime, {}};
    return std::optional<RestAnswer>();
  }
  if (found->second.fingerprint != fingerprint)
    return fail(Code::invalid, "request", "the Idempotency-Key was used for another request");
  if (!found->second.answer)
    return fail(Code::unavailable, "in_progress", "the first request of this key is still running");
  return found->second.answer;
}

void Replies::finish(const std::string& key, const std::optional<RestAnswer>& answer) {
  std::lock_guard lock(mutex_);
  auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  if (answer)
    found->second.answer = answer;
  else
    by_key_.erase(found);
}

}  // namespace aichemy::serve::iceberg
