#include "app/sql_front.h"

#include "serve/trino/trino.h"
#include "sql/connectors/iceberg_connector.h"
#include "sql/engine/parquet_footer.h"
#include "sql/executor.h"
#include "sql/query_registry.h"

namespace aichemy::app {

struct SqlFront::State {
  SqlFrontOptions options;
  sql::IcebergConnector iceberg;
  sql::QueryRegistry queries;
  std::vector<std::unique_ptr<sql::AccessControl>> controls;
  sql::Executor executor;
  std::unique_ptr<serve::trino::ResourceGroups> groups;
  std::unique_ptr<serve::trino::SegmentStore> segments;
  std::unique_ptr<serve::trino::TrinoService> trino;

  Result<std::string> owner_of(const sql::AccessObject& object) {
    if (object.catalog != "iceberg" || object.schema.empty()) return std::string();
    if (object.table.empty()) {
      auto owner = iceberg.schema_owner(Call{}, object.schema);
      return owner ? *owner : std::string();  // a schema that is yet to be made
    }
    ASSIGN_OR_RETURN(auto table, iceberg.get_table(Call{}, {object.schema, object.table}));
    if (table) return table->owner;
    ASSIGN_OR_RETURN(auto view, iceberg.get_view(Call{}, {object.schema, object.table}));
    if (view) return view->owner;
    ASSIGN_OR_RETURN(auto kept,
                     iceberg.materialized_views()->get(Call{}, {object.schema, object.table}));
    return kept ? kept->view.owner : std::string();
  }

  // What decides who may do what; nullptr: everybody may do everything.
  const sql::AccessControl* access_control() {
    std::vector<const sql::AccessControl*> all;
    if (options.rules) all.push_back(options.rules.get());
    if (options.config.flag("sql.grants")) {
      controls.push_back(sql::make_grant_control(
          *options.grants, {"system", "tpch"},
          [this](const sql::AccessObject& object) { return owner_of(object); }));
      all.push_back(controls.back().get());
    }
    if (all.empty()) return nullptr;
    controls.push_back(sql::all_of(std::move(all)));
    return controls.back().get();
  }

  sql::Catalogs catalogs() {
    sql::Catalogs all = options.more;
    all["iceberg"] = &iceberg;
    return all;
  }

  // What Iceberg's procedures need of the Metastore and the engine.
  sql::FileAdoption adoption() {
    auto& hive = options.hive;
    return {.random = &options.random,
            .foreign_table =
                [&hive](const Call& call, const sql::TableName& name) {
                  return hive.foreign_table(call, name);
                },
            .becomes_iceberg =
                [&hive](const Call& call, const sql::TableName& name, const std::string& metadata) {
                  return hive.becomes_iceberg(call, name, metadata);
                },
            .footer =
                [this](const Call& call, const std::string& location) {
                  return sql::read_parquet_footer(options.engine, call, location);
                }};
  }

  explicit State(SqlFrontOptions given)
      : options(std::move(given)),
        iceberg(options.catalog, options.lake_scans),
        queries(options.clock, options.random),
        executor({.engine = options.engine,
                  .catalogs = catalogs(),
                  .clock = options.clock,
                  .random = options.random,
                  .queries = &queries,
                  .grants = options.grants.get(),
                  .texts = &options.text_scans,
                  .access = access_control(),
                  .routines = options.routines.get(),
                  .function_schema = options.config.text("sql.function_schema")}) {
    iceberg.set_adoption(adoption());
    iceberg.set_texts(options.text_scans);
  }
};

namespace {

using serve::trino::ResourceGroups;

Result<std::unique_ptr<ResourceGroups>> make_groups(const Config& config, Disk& disk) {
  const std::string& file = config.text("sql.resource_groups");
  if (file.empty()) {
    return std::make_unique<ResourceGroups>(config.count("sql.running_max"),
                                            config.count("sql.queued_max"));
  }
  auto text = disk.read_file(file);
  if (!text) {
    return fail(Code::invalid, "config",
                "sql.resource_groups: " + file + ": " + text.error().message);
  }
  return ResourceGroups::parse(*text);
}

serve::trino::QueryLimits limits_of(const Config& config) {
  auto millis = [&](const char* key) { return std::chrono::milliseconds(config.millis(key)); };
  return {.run_max = millis("sql.max_run_time"),
          .execution_max = millis("sql.max_execution_time"),
          .planning_max = millis("sql.max_planning_time"),
          .client_timeout = millis("sql.client_timeout")};
}

}  // namespace

SqlFront::SqlFront(SqlFrontOptions options) : state_(std::make_unique<State>(std::move(options))) {}
SqlFront::~SqlFront() = default;

Status SqlFront::start() {
  SqlFrontOptions& options = state_->options;
  if (!options.config.flag("sql.enabled")) return {};
  ASSIGN_OR_RETURN(state_->groups, make_groups(options.config, options.disk));
  state_->groups->set_memory(
      [memory = options.engine_memory,
       limit = options.config.bytes("sql.memory")]() -> serve::trino::GroupMemory {
        return {memory(), limit};
      });
  if (options.config.flag("sql.spooling")) {
    state_->segments =
        std::make_unique<serve::trino::SegmentStore>(serve::trino::SegmentStoreOptions{
            .store = options.store,
            .clock = options.clock,
            .random = options.random,
            .metrics = options.metrics,
            .memory_bytes_max = options.config.bytes("sql.spooling_memory"),
            .bytes_max = options.config.bytes("sql.spooling_space"),
            .time_to_live =
                std::chrono::seconds(options.config.millis("sql.spooling_ttl") / 1000)});
    RETURN_IF_ERROR(state_->segments->start());
  }
  serve::trino::TrinoOptions trino{.io = options.io,
                                   .pool = options.pool,
                                   .auth_pool = options.auth_pool,
                                   .metrics = options.metrics,
                                   .clock = options.clock,
                                   .random = options.random,
                                   .executor = state_->executor,
                                   .queries = state_->queries,
                                   .groups = *state_->groups,
                                   .segments = state_->segments.get(),
                                   .limits = limits_of(options.config)};
  trino.memory_used = options.engine_memory;
  trino.console_port = options.console_port;
  trino.address = options.config.text("listen.address");
  trino.https_port = options.config.port("sql.https_port");
  trino.http_port = options.config.port("sql.http_port");
  trino.tls =
      serve::http::TlsFiles{options.certificate.certificate_pem, options.certificate.key_pem};
  trino.internal_secret = options.internal_secret;
  trino.check_password = [&users = options.users](
                             const std::string& user,
                             const std::string& password) -> Result<std::string> {
    RETURN_IF_ERROR(users.check_password(user, password));
    return user;
  };
  trino.is_remembered = [&users = options.users](const std::string& user,
                                                 const std::string& password) {
    return users.is_remembered(user, password);
  };
  trino.impersonates = [executor = &state_->executor](const std::string& principal,
                                                      const std::string& user) {
    return executor->may_impersonate(principal, user);
  };
  state_->trino = std::make_unique<serve::trino::TrinoService>(std::move(trino));
  return state_->trino->start();
}

void SqlFront::stop(std::chrono::milliseconds drain) {
  if (state_->trino) state_->trino->stop(drain);
}

int SqlFront::https_port() const { return state_->trino ? state_->trino->https_port() : 0; }
int SqlFront::http_port() const { return state_->trino ? state_->trino->http_port() : 0; }
sql::Connector& SqlFront::iceberg() { return state_->iceberg; }
sql::Executor& SqlFront::executor() { return state_->executor; }
sql::QueryRegistry& SqlFront::queries() { return state_->queries; }
sql::Catalogs SqlFront::catalogs() { return state_->catalogs(); }

}  // namespace aichemy::app
