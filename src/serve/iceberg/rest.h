// What the handlers of the REST catalog share. Private to the module.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "serve/iceberg/iceberg_service.h"
#include "serve/iceberg/rest_plans.h"

namespace aichemy::serve::iceberg {

struct RestRequest {
  std::map<std::string, std::string, std::less<>> path;  // by name in the route's template, decoded
  std::map<std::string, std::string, std::less<>> query;
  Json body;
  std::string raw_body;  // of form-encoded requests
  std::string if_none_match;
  bool wants_credentials = false;
  bool wants_signing = false;   // and no credentials
  std::string idempotency_key;  // of a change
  Call call;

  std::string_view query_value(std::string_view name) const;
  catalog::NamespaceName space() const;  // {namespace}
  catalog::EntityName table() const;     // {namespace}, {table}
  catalog::EntityName view() const;      // {namespace}, {view}
};

struct RestAnswer {
  int status = 200;
  std::optional<Json> body;
  std::vector<http::Header> headers;
};

// What changes answered, by the client's Idempotency-Key, so that one whose answer got lost is not
// made twice. In memory, for kLifetime: after a restart the requirements of a commit decide.
class Replies {
 public:
  static constexpr std::chrono::minutes kLifetime{30};
  static constexpr size_t kRepliesMax = 10'000;

  // What was answered before; nothing: the caller answers now and must call finish(). invalid
  // ("request") when the key came with another request, unavailable ("in_progress") while its first
  // one runs.
  Result<std::optional<RestAnswer>> begin(const std::string& key, uint64_t fingerprint,
                                          SteadyTime now);
  // Nothing is kept of an answer after which the client should try again.
  void finish(const std::string& key, const std::optional<RestAnswer>& answer);

 private:
  struct Reply {
    uint64_t fingerprint = 0;
    SteadyTime until;
    std::optional<RestAnswer> answer;  // none: runs
  };
  std::mutex mutex_;
  std::map<std::string, Reply> by_key_;
};

// State of the service beside the catalog: tokens that were given out.
class RestContext {
 public:
  explicit RestContext(const IcebergServiceOptions& options) : options_(options) {}

  catalog::Catalog& catalog() { return options_.catalog; }
  const S3Access& s3() const { return options_.s3; }
  Replies& replies() { return replies_; }
  Plans& plans() { return plans_; }
  Random& random() const { return options_.random; }
  SteadyTime now() const { return options_.clock.steady_now(); }
  WallTime wall_now() const { return options_.clock.wall_now(); }
  bool authenticates() const { return static_cast<bool>(options_.authenticate); }

  struct Token {
    std::string text;
    int64_t seconds = 3600;
  };
  Result<Token> give_token(const std::string& user, const std::string& password);
  // The principal; unauthenticated without a valid "Bearer ..." when tokens are needed.
  Result<std::string> principal_of(std::string_view authorization);

  // The S3 request of the body, signed, when it is for an object below `location`.
  Result<Json> sign(const Json& body, const std::string& location) const;
  // Members "config" and "storage-credentials" of an answer about a table.
  void put_credentials(const RestRequest& request, const tables::iceberg::TableMetadata& table,
                       Json* answer) const;
  // One for each place: the table's location, and where its properties put data and metadata.
  Json storage_credentials(const std::string& principal,
                           const tables::iceberg::TableMetadata& table) const;

 private:
  // Sets a key for the table: one for its places only and for half a day when users sign in, the
  // platform's own when whoever comes may do everything anyway. The places; none: there is no key.
  std::vector<std::string> put_key(const std::string& principal,
                                   const tables::iceberg::TableMetadata& table, Json* config) const;

  const IcebergServiceOptions& options_;
  struct Granted {
    std::string principal;
    SteadyTime until;
  };
  Replies replies_;
  Plans plans_;
  std::mutex mutex_;
  std::map<std::string, Granted, std::less<>> tokens_;
};

using RestHandler = Result<RestAnswer> (*)(RestContext& context, const RestRequest& request);

struct Route {
  std::string_view method;
  std::string_view path;  // "/v1/namespaces/{namespace}"
  RestHandler handler;
  bool advertised = true;  // in the endpoints of /v1/config
};
std::span<const Route> routes();

struct RouteMatch {
  const Route* route = nullptr;
  bool path_known = false;  // another method would do
  std::map<std::string, std::string, std::less<>> parameters;
};
// `path` is still encoded. invalid ("request") on a broken escape.
Result<RouteMatch> match_route(std::string_view method, std::string_view path);

struct ErrorRow {
  Code code;
  std::string_view what;  // "": any other
  int status;
  std::string_view type;
};
std::span<const ErrorRow> error_rows();
const ErrorRow& error_row(const Error& error);
Json error_json(const Error& error);

// Levels of "a\x1fb".
catalog::NamespaceName split_namespace(std::string_view text);
Json namespace_json(const catalog::NamespaceName& space);
// invalid ("request") unless an array of texts.
Result<catalog::NamespaceName> namespace_from_json(const Json& json);
Result<catalog::EntityName> identifier_from_json(const Json& json);
catalog::Properties properties_from_json(const Json& json);
Json properties_json(const catalog::Properties& properties);
// The page of sorted items that the request asks for, and the answer's next-page-token.
Json page_of(const RestRequest& request, const char* key, const std::vector<Json>& items);

// Handlers, by file.
Result<RestAnswer> get_config(RestContext&, const RestRequest&);
Result<RestAnswer> post_token(RestContext&, const RestRequest&);
Result<RestAnswer> list_namespaces(RestContext&, const RestRequest&);
Result<RestAnswer> create_namespace(RestContext&, const RestRequest&);
Result<RestAnswer> load_namespace(RestContext&, const RestRequest&);
Result<RestAnswer> head_namespace(RestContext&, const RestRequest&);
Result<RestAnswer> drop_namespace(RestContext&, const RestRequest&);
Result<RestAnswer> update_namespace(RestContext&, const RestRequest&);
Result<RestAnswer> list_tables(RestContext&, const RestRequest&);
Result<RestAnswer> create_table(RestContext&, const RestRequest&);
Result<RestAnswer> register_table(RestContext&, const RestRequest&);
Result<RestAnswer> unregister_table(RestContext&, const RestRequest&);
Result<RestAnswer> load_table(RestContext&, const RestRequest&);
Result<RestAnswer> head_table(RestContext&, const RestRequest&);
Result<RestAnswer> commit_table(RestContext&, const RestRequest&);
Result<RestAnswer> drop_table(RestContext&, const RestRequest&);
Result<RestAnswer> rename_table(RestContext&, const RestRequest&);
Result<RestAnswer> report_metrics(RestContext&, const RestRequest&);
Result<RestAnswer> load_credentials(RestContext&, const RestRequest&);
Result<RestAnswer> sign_request(RestContext&, const RestRequest&);
Result<RestAnswer> plan_scan(RestContext&, const RestRequest&);
Result<RestAnswer> get_plan(RestContext&, const RestRequest&);
Result<RestAnswer> cancel_plan(RestContext&, const RestRequest&);
Result<RestAnswer> fetch_tasks(RestContext&, const RestRequest&);
Result<RestAnswer> commit_transaction(RestContext&, const RestRequest&);
Result<RestAnswer> list_views(RestContext&, const RestRequest&);
Result<RestAnswer> create_view(RestContext&, const RestRequest&);
Result<RestAnswer> register_view(RestContext&, const RestRequest&);
Result<RestAnswer> load_view(RestContext&, const RestRequest&);
Result<RestAnswer> head_view(RestContext&, const RestRequest&);
Result<RestAnswer> commit_view(RestContext&, const RestRequest&);
Result<RestAnswer> drop_view(RestContext&, const RestRequest&);
Result<RestAnswer> rename_view(RestContext&, const RestRequest&);

}  // namespace aichemy::serve::iceberg
