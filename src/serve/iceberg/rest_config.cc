// Configuration, tokens and credentials.
#include <algorithm>

#include "base/bytes.h"
#include "serve/iceberg/rest.h"
#include "tables/file_io.h"

namespace aichemy::serve::iceberg {

namespace {

constexpr int64_t kTokenSeconds = 3600;
constexpr size_t kTokensMax = 10'000;

constexpr std::chrono::hours kCredentialLifetime{12};

Json s3_properties(const S3Access& s3) {
  Json json = Json::object();
  if (s3.endpoint.empty()) return json;
  json.set("s3.endpoint", s3.endpoint);
  json.set("s3.path-style-access", "true");
  json.set("s3.region", s3.region);
  json.set("client.region", s3.region);
  return json;
}

// "bucket/prefix/" of where the table's own files lie. Others, that were added from elsewhere, need
// a key of one's own.
std::vector<std::string> places_of(const tables::iceberg::TableMetadata& table) {
  constexpr std::string_view kPlaceProperties[] = {"write.data.path", "write.metadata.path",
                                                   "write.object-storage.path",
                                                   "write.folder-storage.path"};
  std::vector<std::string> places;
  auto add = [&](const std::string& location) {
    auto parsed = tables::parse_location(location);
    if (!parsed || parsed->bucket.empty() || parsed->key.empty()) return;  // no whole bucket
    std::string place = parsed->bucket + "/" + parsed->key;
    if (!place.ends_with('/')) place += '/';
    if (std::ranges::find(places, place) == places.end()) places.push_back(std::move(place));
  };
  add(table.location);
  for (std::string_view name : kPlaceProperties) {
    auto found = table.properties.find(std::string(name));
    if (found != table.properties.end()) add(found->second);
  }
  return places;
}

// application/x-www-form-urlencoded
std::string form_value(std::string_view body, std::string_view key) {
  while (!body.empty()) {
    std::string_view pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(body.size(), pair.size() + 1));
    size_t equals = pair.find('=');
    if (pair.substr(0, equals) != key || equals == std::string_view::npos) continue;
    return percent_decode(pair.substr(equals + 1), true).value_or("");
  }
  return {};
}

}  // namespace

Result<RestContext::Token> RestContext::give_token(const std::string& user,
                                                   const std::string& password) {
  if (!authenticates()) return Token{options_.random.uuid(), kTokenSeconds};
  ASSIGN_OR_RETURN(std::string principal, options_.authenticate(user, password));
  Token token{to_hex(options_.random.bytes(32)), kTokenSeconds};
  SteadyTime now = options_.clock.steady_now();
  std::lock_guard lock(mutex_);
  std::erase_if(tokens_, [&](const auto& entry) { return entry.second.until <= now; });
  if (tokens_.size() >= kTokensMax) {
    return fail(Code::exhausted, "tokens", "too many tokens are in use; retry later");
  }
  tokens_[token.text] = {std::move(principal), now + std::chrono::seconds(kTokenSeconds)};
  return token;
}

Result<std::string> RestContext::principal_of(std::string_view authorization) {
  // Clients without a token say "Bearer None"; without authentication any word will do.
  if (!authenticates()) return std::string();
  constexpr std::string_view kBearer = "Bearer ";
  auto refuse = [] {
    return fail(Code::unauthenticated, "token",
                "a valid bearer token is needed: get one from /v1/oauth/tokens");
  };
  if (!authorization.starts_with(kBearer)) return refuse();
  std::lock_guard lock(mutex_);
  auto found = tokens_.find(authorization.substr(kBearer.size()));
  if (found == tokens_.end() || found->second.until <= options_.clock.steady_now()) return refuse();
  return found->second.principal;
}

std::vector<std::string> RestContext::put_key(const std::string& principal,
                                              const tables::iceberg::TableMetadata& table,
                                              Json* config) const {
  std::vector<std::string> places = places_of(table);
  if (!authenticates()) {
    if (s3().access_key.empty()) return {};
    config->set("s3.access-key-id", s3().access_key);
    config->set("s3.secret-access-key", s3().secret_key);
    return places;
  }
  if (!s3().sessions) return {};
  auth::SessionKey key = s3().sessions->issue(
      {.user = principal, .places = places, .until = wall_now() + kCredentialLifetime});
  auto until = std::chrono::floor<std::chrono::milliseconds>(key.grant.until);
  config->set("s3.access-key-id", key.id);
  config->set("s3.secret-access-key", key.secret);
  config->set("s3.session-token", key.token);
  config->set("s3.session-token-expires-at-ms", std::to_string(until.time_since_epoch().count()));
  return places;
}

Json RestContext::storage_credentials(const std::string& principal,
                                      const tables::iceberg::TableMetadata& table) const {
  Json list = Json::array();
  if (s3().endpoint.empty()) return list;
  Json config = s3_properties(s3());
  for (const std::string& place : put_key(principal, table, &config))
    list.push(Json::object().set("prefix", "s3://" + place).set("config", config));
  return list;
}

void RestContext::put_credentials(const RestRequest& request,
                                  const tables::iceberg::TableMetadata& table, Json* answer) const {
  Json config = s3_properties(s3());
  if (request.wants_credentials && !s3().endpoint.empty())
    put_key(request.call.principal, table, &config);
  if (request.wants_signing && !s3().endpoint.empty() && request.path.contains("namespace")) {
    // Creating a table has its name in the body only: such a client loads it again.
    auto path = request.path.find("table");
    std::string name =
        path != request.path.end() ? path->second : std::string(request.body["name"].as_string());
    config.set("s3.remote-signing-enabled", "true");
    config.set("s3.signer.endpoint", "v1/namespaces/" +
                                         percent_encode(request.path.find("namespace")->second) +
                                         "/tables/" + percent_encode(name) + "/sign");
  }
  answer->set("config", std::move(config));
  if (request.wants_credentials)
    answer->set("storage-credentials", storage_credentials(request.call.principal, table));
}

Result<RestAnswer> get_config(RestContext& context, const RestRequest&) {
  Json endpoints = Json::array();
  for (const Route& route : routes()) {
    if (!route.advertised) continue;
    // In the specification's own spelling, with the prefix that we do not use.
    std::string path(route.path.substr(std::string_view("/v1").size()));
    endpoints.push(std::string(route.method) + " /v1/{prefix}" + path);
  }
  Json body = Json::object();
  body.set("defaults", s3_properties(context.s3()));
  body.set("overrides", Json::object());
  body.set("endpoints", std::move(endpoints));
  body.set("idempotency-key-lifetime", "PT" + std::to_string(Replies::kLifetime.count()) + "M");
  return RestAnswer{.body = std::move(body)};
}

Result<RestAnswer> post_token(RestContext& context, const RestRequest& request) {
  std::string user = form_value(request.raw_body, "client_id");
  std::string password = form_value(request.raw_body, "client_secret");
  auto token = context.give_token(user, password);
  if (!token) {
    // OAuth's own error form (RFC 6749, section 5.2).
    if (token.error().code != Code::unauthenticated) return std::unexpected(token.error());
    Json body = Json::object();
    body.set("error", "invalid_client");
    body.set("error_description", token.error().message);
    return RestAnswer{.status = 401, .body = std::move(body)};
  }
  Json body = Json::object();
  body.set("access_token", token->text);
  body.set("token_type", "bearer");
  body.set("expires_in", token->seconds);
  body.set("issued_token_type", "urn:ietf:params:oauth:token-type:access_token");
  return RestAnswer{.body = std::move(body)};
}

}  // namespace aichemy::serve::iceberg
