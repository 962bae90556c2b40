#include "auth/session_keys.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/json.h"

namespace aichemy::auth {
namespace {

using std::chrono::seconds;

constexpr size_t kTokenBytesMax = 16'384;  // five places of the longest names
constexpr size_t kIdDigits = 16;

std::string payload_of(const SessionGrant& grant) {
  Json places = Json::array();
  for (const std::string& place : grant.places) places.push(place);
  int64_t until = std::chrono::floor<seconds>(grant.until).time_since_epoch().count();
  return Json::object()
      .set("user", grant.user)
      .set("until", until)
      .set("places", std::move(places))
      .dump();
}

}  // namespace

bool SessionGrant::allows(std::string_view bucket, std::string_view key) const {
  if (bucket.contains('/')) return false;  // no name of a bucket
  std::string path = std::string(bucket) + "/" + std::string(key);
  return std::ranges::any_of(places,
                             [&](const std::string& place) { return path.starts_with(place); });
}

std::string SessionKeys::sealed(std::string_view what, std::string_view payload) const {
  return hmac_sha256(seal_, std::string(what) + ":" + std::string(payload));
}

SessionKey SessionKeys::key_of(const std::string& payload, SessionGrant grant) const {
  SessionKey key;
  key.id = "AISESSION" + to_hex(sealed("id", payload)).substr(0, kIdDigits);
  key.secret = to_hex(sealed("secret", payload));
  key.token = to_base64(payload) + "." + to_hex(sealed("token", payload));
  key.grant = std::move(grant);
  return key;
}

SessionKey SessionKeys::issue(SessionGrant grant) const {
  grant.until = std::chrono::floor<seconds>(grant.until);
  return key_of(payload_of(grant), std::move(grant));
}

Result<SessionKey> SessionKeys::open(std::string_view token, WallTime now) const {
  auto refused = fail(Code::unauthenticated, "invalid_token", "");
  size_t dot = token.rfind('.');
  if (dot == std::string_view::npos || token.size() > kTokenBytesMax) return refused;
  auto payload = from_base64(token.substr(0, dot));
  if (!payload || !equal_constant_time(to_hex(sealed("token", *payload)), token.substr(dot + 1)))
    return refused;
  ASSIGN_OR_RETURN(Json json, Json::parse(*payload));
  SessionGrant grant;
  grant.user = json["user"].as_string();
  grant.until = WallTime(seconds(json["until"].as_int()));
  for (const Json& place : json["places"].as_array()) grant.places.emplace_back(place.as_string());
  if (grant.until <= now) return fail(Code::denied, "expired_token", "");
  return key_of(*payload, std::move(grant));
}

}  // namespace aichemy::auth
