#include "app/platform.h"

#include <fmt/core.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include "app/exposure.h"
#include "app/memory_trimmer.h"
#include "app/sql_files.h"
#include "app/sql_front.h"
#include "app/status_page.h"
#include "app/table_rewriter.h"
#include "auth/access_keys.h"
#include "auth/roles.h"
#include "auth/users.h"
#include "base/log.h"
#include "broker/broker.h"
#include "catalog/catalog.h"
#include "catalog/hive_catalog.h"
#include "catalog/hive_locks.h"
#include "jobs/jobs.h"
#include "jobs/query_log.h"
#include "jobs/topic_catalog.h"
#include "metadb/metadb.h"
#include "objectstore/embedded_store.h"
#include "objectstore/memory_store.h"
#include "runtime/io.h"
#include "runtime/pool.h"
#include "runtime/process.h"
#include "serve/console/console_service.h"
#include "serve/hms/hms_service.h"
#include "serve/iceberg/iceberg_service.h"
#include "serve/jobs/jobs_service.h"
#include "serve/kafka/server.h"
#include "serve/s3/s3.h"
#include "sql/connectors/memory_connector.h"
#include "sql/engine/duckdb_engine.h"
#include "sql/hive/hive_connector.h"
#include "sql/serde/hive_scans.h"
#include "upkeep/upkeep.h"

namespace aichemy::app {
namespace {

int cores() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

class RunningPlatform final : public Platform {
 public:
  explicit RunningPlatform(PlatformOptions options)
      : options_(std::move(options)),
        io_(std::min(4, cores())),
        s3_pool_({"s3", 32, 4096}),
        blocking_pool_({"blocking", 16, 4096}),
        sql_pool_({"sql", static_cast<int>(std::max<int64_t>(2, config().count("sql.concurrency"))),
                   4096}) {}

  ~RunningPlatform() override { stop(std::chrono::milliseconds(0)); }

  Status start();
  Json ready() override;
  void stop(std::chrono::milliseconds drain) override;

 private:
  PlatformOptions options_;
  Metrics metrics_;
  IoThreads io_;
  Pool s3_pool_;
  Pool blocking_pool_;
  Pool sql_pool_;
  std::unique_ptr<auth::UserStore> users_;
  std::unique_ptr<auth::AccessKeys> keys_;
  std::unique_ptr<auth::RoleStore> roles_;
  std::unique_ptr<objectstore::EmbeddedStore> store_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<metadb::Database> database_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<catalog::HiveCatalog> hive_catalog_;
  std::unique_ptr<catalog::HiveLocks> hive_locks_;
  sql::LakeScans lake_scans_;
  sql::TextScans text_scans_;
  sql::HiveTextScans hive_text_scans_;
  sql::HiveFileScans hive_file_scans_;
  sql::HiveScans hive_scans_;
  jobs::EventScans event_scans_;
  jobs::TopicScans topic_scans_;
  std::unique_ptr<sql::Connector> topic_catalog_;
  std::unique_ptr<jobs::QueryLog> query_log_;
  std::unique_ptr<objectstore::MemoryStore> memory_;
  std::unique_ptr<sql::DuckDbEngine> engine_;
  std::unique_ptr<sql::MemoryConnector> memory_catalog_;
  std::unique_ptr<sql::HiveConnector> hive_tables_;
  std::unique_ptr<SqlFront> sql_;
  std::unique_ptr<jobs::Jobs> jobs_;
  std::unique_ptr<TableRewriter> rewriter_;
  std::unique_ptr<upkeep::Upkeep> upkeep_;
  // Fronts: stopped first.
  std::unique_ptr<auth::SessionKeys> session_keys_;
  std::unique_ptr<serve::s3::S3Server> s3_;
  std::unique_ptr<serve::kafka::Server> kafka_;
  std::unique_ptr<serve::iceberg::IcebergService> iceberg_rest_;
  std::unique_ptr<serve::hms::HmsService> hms_;
  std::unique_ptr<serve::jobs::JobsService> jobs_service_;
  std::unique_ptr<StatusPage> status_page_;
  std::unique_ptr<serve::console::ConsoleService> console_;
  std::atomic<int> console_port_ = 0;  // once it listens
  std::unique_ptr<MemoryTrimmer> trimmer_;
  bool stopped_ = false;

  const Config& config() const { return options_.config; }
  const std::string& address() const { return config().text("listen.address"); }
  std::string host() const {
    return address() == "0.0.0.0" || address() == "::" ? "127.0.0.1" : address();
  }
  std::string url(const char* scheme, int port) const {
    return fmt::format("{}://{}:{}", scheme, host(), port);
  }

  Status start_users();
  Status start_store();
  Status start_broker();
  Status start_tables();
  Status start_fronts();
  serve::iceberg::S3Access storage_access();
  Status start_kafka();
  Status start_sql();
  Status start_hms();
  Status start_jobs();
  void start_upkeep();
  Status start_console();
  std::vector<serve::console::ServiceAddress> service_addresses();
  Json status();
};

// A taken port names the key that sets it.
Status about_port(Status status, const char* key) {
  if (status || !status.error().is("port_taken")) return status;
  return fail(Code::exists, "port_taken",
              fmt::format("{} (key {}); free it, or set another: --set {}=0 takes any",
                          status.error().message, key, key));
}

Status RunningPlatform::start_users() {
  ASSIGN_OR_RETURN(users_, auth::UserStore::open(options_.disk, options_.random,
                                                 options_.data.below("secrets/users")));
  ASSIGN_OR_RETURN(
      keys_, auth::AccessKeys::open(options_.disk, options_.data.below("secrets/access_keys")));
  ASSIGN_OR_RETURN(roles_,
                   auth::RoleStore::open(options_.disk, options_.data.below("secrets/roles")));
  ASSIGN_OR_RETURN(std::string seal, load_or_make_secret(options_.data, "session_keys",
                                                         options_.disk, options_.random));
  session_keys_ = std::make_unique<auth::SessionKeys>(std::move(seal));
  if (users_->empty()) {
    for (const auto& [name, password] : kFirstUsers)
      RETURN_IF_ERROR(users_->set_password(name, password));
  }
  if (keys_->ids().empty())
    RETURN_IF_ERROR(keys_->set({kFirstAccessKey, kFirstSecretKey, "admin"}));
  return check_exposure(config(), *users_, *keys_, options_.allow_default_passwords);
}

Status RunningPlatform::start_store() {
  objectstore::EmbeddedStoreOptions drives;
  for (int i = 0; i < 4; ++i)
    drives.drives.push_back(options_.data.below(fmt::format("drives/{}", i)));
  ASSIGN_OR_RETURN(
      store_, objectstore::EmbeddedStore::start(std::move(drives), options_.disk, options_.clock,
                                                options_.random, metrics_));
  return {};
}

Status RunningPlatform::start_broker() {
  broker::Broker::Options events;
  events.directory = options_.data.below("broker");
  events.default_partitions = static_cast<int32_t>(config().count("events.default_partitions"));
  events.auto_create_topics = config().flag("events.auto_create_topics");
  ASSIGN_OR_RETURN(broker_, broker::Broker::open(std::move(events), options_.disk, options_.clock,
                                                 options_.random, metrics_));
  return {};
}

// Object store, then what stands on it.
Status RunningPlatform::start_tables() {
  RETURN_IF_ERROR(start_store());
  ASSIGN_OR_RETURN(database_, open_metadata(config(), options_.data));
  catalog_ = std::make_unique<catalog::Catalog>(
      *database_, *store_, options_.clock, options_.random, metrics_, catalog::Catalog::Options{});
  RETURN_IF_ERROR(catalog_->prepare(Call{}));
  hive_catalog_ = std::make_unique<catalog::HiveCatalog>(*catalog_, *database_, options_.clock,
                                                         options_.random);
  sql::DuckDbOptions duckdb{.store = *store_,
                            .scans = lake_scans_,
                            .texts = &text_scans_,
                            .metrics = metrics_,
                            .random = options_.random};
  memory_ = std::make_unique<objectstore::MemoryStore>(options_.clock,
                                                       config().bytes("sql.memory_catalog"));
  duckdb.memory = memory_.get();
  memory_catalog_ = std::make_unique<sql::MemoryConnector>(*memory_, lake_scans_, options_.random);
  hive_tables_ = std::make_unique<sql::HiveConnector>(
      sql::HiveConnector::Options{.catalog = *hive_catalog_,
                                  .store = *store_,
                                  .lake_scans = lake_scans_,
                                  .text_scans = hive_text_scans_,
                                  .file_scans = hive_file_scans_,
                                  .scans = hive_scans_,
                                  .clock = options_.clock,
                                  .random = options_.random});
  duckdb.memory_bytes_max = config().bytes("sql.memory");
  duckdb.column_cache_bytes_max = config().bytes("sql.column_cache");
  duckdb.clock = &options_.clock;
  duckdb.threads = cores();
  duckdb.spill_directory = options_.data.below("spill");
  duckdb.spill_bytes_max = config().bytes("sql.spill");
  duckdb.extend = [this](duckdb::DatabaseInstance& database) {
    sql::register_hive_scans(database, hive_text_scans_, hive_file_scans_, hive_scans_);
    jobs::register_event_scan(database, event_scans_);
    jobs::register_topic_scan(database, topic_scans_);
  };
  ASSIGN_OR_RETURN(engine_, sql::DuckDbEngine::start(std::move(duckdb)));
  return {};
}

Status RunningPlatform::start_kafka() {
  serve::kafka::Server::Options listeners;
  listeners.host = address();
  listeners.port = config().port("events.port");
  listeners.external_port = config().port("events.external_port");
  listeners.advertised_external_host = config().text("listen.advertised_host");
  kafka_ = std::make_unique<serve::kafka::Server>(std::move(listeners), *broker_, io_,
                                                  blocking_pool_, options_.clock, metrics_);
  return about_port(kafka_->start(), "events.port or events.external_port");
}

Status RunningPlatform::start_hms() {
  hive_locks_ = std::make_unique<catalog::HiveLocks>(options_.clock);
  hms_ = std::make_unique<serve::hms::HmsService>(
      serve::hms::HmsServiceOptions{.io = io_,
                                    .pool = blocking_pool_,
                                    .metrics = metrics_,
                                    .catalog = *hive_catalog_,
                                    .locks = *hive_locks_,
                                    .clock = options_.clock,
                                    .address = address(),
                                    .port = config().port("hms.port")});
  return about_port(hms_->start(), "hms.port");
}

Status RunningPlatform::start_jobs() {
  jobs::JobsOptions options{.database = *database_,
                            .broker = *broker_,
                            .engine = *engine_,
                            .connector = sql_->iceberg(),
                            .event_scans = event_scans_,
                            .clock = options_.clock,
                            .random = options_.random,
                            .metrics = metrics_};
  options.epoch_interval = std::chrono::milliseconds(config().millis("jobs.epoch_interval"));
  ASSIGN_OR_RETURN(jobs_, jobs::Jobs::start(options));
  jobs_service_ = std::make_unique<serve::jobs::JobsService>(serve::jobs::JobsServiceOptions{
      .io = io_,
      .pool = blocking_pool_,
      .metrics = metrics_,
      .jobs = *jobs_,
      .address = address(),
      .port = config().port("jobs.rest_port"),
      .authenticate = [this](const std::string& user, const std::string& password) {
        return users_->check_password(user, password);
      }});
  return about_port(jobs_service_->start(), "jobs.rest_port");
}

void RunningPlatform::start_upkeep() {
  sql::DuckDbOptions engine{
      .store = *store_, .scans = lake_scans_, .metrics = metrics_, .random = options_.random};
  engine.spill_directory = options_.data.below("spill/upkeep");
  rewriter_ = std::make_unique<TableRewriter>(config(), std::move(engine), sql_->iceberg(),
                                              options_.clock, options_.random);
  upkeep::UpkeepOptions options{.catalog = *catalog_, .clock = options_.clock, .metrics = metrics_};
  options.pending_files = [this] { return jobs::outbox_files(*database_); };
  rewriter_->serve(&options);
  upkeep_ = std::make_unique<upkeep::Upkeep>(std::move(options));
  upkeep_->start();
}

Status RunningPlatform::start_sql() {
  ASSIGN_OR_RETURN(Certificate certificate,
                   load_or_make_certificate(options_.data, config().text("listen.advertised_host"),
                                            options_.disk));
  ASSIGN_OR_RETURN(std::string secret,
                   load_or_make_secret(options_.data, "internal", options_.disk, options_.random));
  ASSIGN_OR_RETURN(auto described, read_topic_tables(config(), options_.disk));
  ASSIGN_OR_RETURN(auto grants, sql::GrantStore::open(*database_));
  ASSIGN_OR_RETURN(auto routines, sql::RoutineStore::open(database_.get()));
  ASSIGN_OR_RETURN(auto rules, read_access_rules(config(), options_.disk));
  if (config().flag("sql.query_log")) {
    ASSIGN_OR_RETURN(query_log_, jobs::QueryLog::start(*broker_, metrics_));
    described.push_back(jobs::query_log_table());
  }
  topic_catalog_ = jobs::make_topic_catalog(*broker_, topic_scans_, std::move(described));
  sql_ = std::make_unique<SqlFront>(
      SqlFrontOptions{.config = config(),
                      .io = io_,
                      .pool = sql_pool_,
                      .auth_pool = blocking_pool_,
                      .metrics = metrics_,
                      .clock = options_.clock,
                      .random = options_.random,
                      .engine = *engine_,
                      .catalog = *catalog_,
                      .store = *store_,
                      .disk = options_.disk,
                      .engine_memory = [this] { return engine_->memory_used(); },
                      .console_port = [this] { return console_port_.load(); },
                      .hive = *hive_tables_,
                      .more = {{"hive", hive_tables_.get()},
                               {"kafka", topic_catalog_.get()},
                               {"memory", memory_catalog_.get()}},
                      .lake_scans = lake_scans_,
                      .text_scans = text_scans_,
                      .users = *users_,
                      .grants = std::move(grants),
                      .routines = std::move(routines),
                      .rules = std::move(rules),
                      .certificate = std::move(certificate),
                      .internal_secret = std::move(secret)});
  if (query_log_)
    sql_->queries().on_end([this](const sql::QueryInfo& query) { query_log_->add(query); });
  RETURN_IF_ERROR(about_port(sql_->start(), "sql.https_port or sql.http_port"));
  bool plain = sql_->http_port() > 0;
  sql_->queries().serve_at(
      url(plain ? "http" : "https", plain ? sql_->http_port() : sql_->https_port()));
  return {};
}

// How clients of the REST catalog reach the objects. Without the first key nothing is signed for
// them; credentials of users need none.
serve::iceberg::S3Access RunningPlatform::storage_access() {
  serve::iceberg::S3Access access{.endpoint = url("http", s3_->port()),
                                  .region = config().text("s3.region"),
                                  .sessions = session_keys_.get()};
  if (auto key = keys_->find(kFirstAccessKey)) {
    access.access_key = key->id;
    access.secret_key = key->secret;
  }
  return access;
}

Status RunningPlatform::start_fronts() {
  if (config().flag("s3.enabled")) {
    serve::s3::S3Options options;
    options.address = address();
    options.port = config().port("s3.port");
    options.region = config().text("s3.region");
    options.tagging = store_.get();
    options.sessions = session_keys_.get();
    auto started = serve::s3::S3Server::start(io_, s3_pool_, metrics_, options_.clock,
                                              options_.random, *store_, *keys_, options);
    if (!started) return about_port(std::unexpected(started.error()), "s3.port");
    s3_ = std::move(*started);
  }
  if (config().flag("events.enabled")) RETURN_IF_ERROR(start_kafka());
  if (config().flag("hms.enabled")) RETURN_IF_ERROR(start_hms());
  if (config().flag("iceberg_rest.enabled")) {
    serve::iceberg::IcebergServiceOptions options{.io = io_,
                                                  .pool = blocking_pool_,
                                                  .metrics = metrics_,
                                                  .catalog = *catalog_,
                                                  .clock = options_.clock,
                                                  .random = options_.random,
                                                  .address = address(),
                                                  .port = config().port("iceberg_rest.port"),
                                                  .s3 = {},
                                                  .authenticate = {}};
    if (s3_) options.s3 = storage_access();
    if (!is_loopback(address())) {
      options.authenticate = [this](const std::string& user,
                                    const std::string& password) -> Result<std::string> {
        RETURN_IF_ERROR(users_->check_password(user, password));
        return user;
      };
    }
    iceberg_rest_ = std::make_unique<serve::iceberg::IcebergService>(std::move(options));
    RETURN_IF_ERROR(about_port(iceberg_rest_->start(), "iceberg_rest.port"));
  }
  RETURN_IF_ERROR(start_sql());
  if (config().flag("jobs.enabled")) RETURN_IF_ERROR(start_jobs());
  if (config().flag("upkeep.enabled")) start_upkeep();
  if (config().flag("metrics.enabled")) {
    status_page_ =
        std::make_unique<StatusPage>(io_, blocking_pool_, metrics_, address(),
                                     config().port("metrics.port"), [this] { return status(); });
    RETURN_IF_ERROR(about_port(status_page_->start(), "metrics.port"));
  }
  if (config().flag("console.enabled")) RETURN_IF_ERROR(start_console());
  return {};
}

// What the console shows of where everything listens.
std::vector<serve::console::ServiceAddress> RunningPlatform::service_addresses() {
  std::vector<serve::console::ServiceAddress> out;
  if (sql_ && sql_->https_port() > 0)
    out.push_back({"sql", "SQL (Trino)", url("https", sql_->https_port())});
  if (s3_) out.push_back({"s3", "Objects (S3)", url("http", s3_->port())});
  if (kafka_)
    out.push_back({"events", "Events (Kafka)", fmt::format("{}:{}", host(), kafka_->port())});
  if (iceberg_rest_)
    out.push_back({"iceberg_rest", "Iceberg REST", url("http", iceberg_rest_->port())});
  if (jobs_service_) out.push_back({"jobs", "Jobs", url("http", jobs_service_->port())});
  if (status_page_)
    out.push_back({"metrics", "Metrics", url("http", status_page_->port()) + "/metrics"});
  return out;
}

Status RunningPlatform::start_console() {
  serve::console::ConsoleOptions options{.io = io_,
                                         .pool = blocking_pool_,
                                         .sql_pool = sql_pool_,
                                         .metrics = metrics_,
                                         .clock = options_.clock,
                                         .random = options_.random,
                                         .disk = options_.disk,
                                         .users = *users_,
                                         .roles = *roles_,
                                         .keys = *keys_,
                                         .database = *database_,
                                         .store = *store_,
                                         .tagging = *store_,
                                         .broker = *broker_,
                                         .catalog = *catalog_,
                                         .catalogs = sql_->catalogs(),
                                         .executor = sql_->executor(),
                                         .engine = *engine_,
                                         .queries = sql_->queries(),
                                         .jobs = jobs_.get()};
  options.version = AICHEMY_VERSION;
  options.sessions_file = options_.data.below("secrets/console_sessions");
  if (s3_) options.s3_endpoint = url("http", s3_->port());
  options.s3_region = config().text("s3.region");
  for (const ConfigValue& key : config().list()) {
    options.config.push_back({std::string(key.name), key.value, std::string(key.fallback),
                              std::string(key.allowed), std::string(key.meaning)});
  }
  options.addresses = service_addresses();
  options.address = address();
  options.ports = {{"console.port", "/overview", config().port("console.port")},
                   {"s3.console_port", "/objects", config().port("s3.console_port")},
                   {"events.console_port", "/events", config().port("events.console_port")}};
  console_ = std::make_unique<serve::console::ConsoleService>(std::move(options));
  std::string failed_port;
  Status started = console_->start(&failed_port);
  if (started) console_port_ = console_->port(0);
  return about_port(std::move(started), failed_port.c_str());
}

Status RunningPlatform::start() {
  // Three independent chains: hashing passwords, the broker's logs, the store with what stands on
  // it.
  auto users = std::async(std::launch::async, [this] { return start_users(); });
  auto broker = std::async(std::launch::async, [this] { return start_broker(); });
  Status tables = start_tables();
  Status users_started = users.get();
  Status broker_started = broker.get();
  RETURN_IF_ERROR(users_started);
  RETURN_IF_ERROR(broker_started);
  RETURN_IF_ERROR(tables);
  metrics_.gauge_callback("process_resident_memory_bytes", "Resident memory",
                          [] { return static_cast<int64_t>(resident_bytes()); });
  RETURN_IF_ERROR(start_fronts());
  ::malloc_trim(0);  // what starting up needed goes back
  trimmer_ = std::make_unique<MemoryTrimmer>(options_.clock);
  return {};
}

Json RunningPlatform::status() {
  Json out;
  out.set("version", AICHEMY_VERSION)
      .set("pid", static_cast<int64_t>(::getpid()))
      .set("data", options_.data.path());
  objectstore::StoreStatus store = store_->status();
  Json drives = Json::array();
  for (const auto& drive : store.drives) {
    Json row;
    row.set("path", drive.path).set("online", drive.online).set("problem", drive.problem);
    row.set("free_bytes", drive.free_bytes).set("healing_objects", drive.healing_objects);
    drives.push(std::move(row));
  }
  Json objects;
  objects.set("data_drives", store.data_drives).set("parity_drives", store.parity_drives);
  objects.set("drives", std::move(drives));
  out.set("object_store", std::move(objects));
  Json directories = Json::array();
  for (size_t copy = 0; copy < 2; ++copy) {
    Json row;
    row.set("path", broker_->directory(copy)).set("online", broker_->directory_online(copy));
    directories.push(std::move(row));
  }
  Json events;
  events.set("topics", static_cast<int64_t>(broker_->topics().size()))
      .set("directories", std::move(directories));
  out.set("events", std::move(events));
  if (jobs_) out.set("jobs", jobs_->list_json());
  if (upkeep_) out.set("upkeep", upkeep_->status());
  return out;
}

Json RunningPlatform::ready() {
  Json out;
  out.set("version", AICHEMY_VERSION)
      .set("pid", static_cast<int64_t>(::getpid()))
      .set("data", options_.data.path());
  const auto& [user, password] = kFirstUsers[0];
  bool known_user = users_->check_password(user, password).has_value();
  if (sql_ && sql_->https_port() > 0) {
    Json sql;
    sql.set("https", url("https", sql_->https_port())).set("http", url("http", sql_->http_port()));
    sql.set("user", user).set("password", known_user ? Json(password) : Json());
    out.set("sql", std::move(sql));
  }
  if (s3_) {
    auto key = keys_->find(kFirstAccessKey);
    bool known_key = key && key->secret == kFirstSecretKey;
    Json s3;
    s3.set("endpoint", url("http", s3_->port())).set("access_key", kFirstAccessKey);
    s3.set("secret_key", known_key ? Json(kFirstSecretKey) : Json())
        .set("region", config().text("s3.region"));
    out.set("s3", std::move(s3));
  }
  if (kafka_) {
    Json events;
    events.set("bootstrap", fmt::format("{}:{}", host(), kafka_->port()));
    events.set("external", fmt::format("{}:{}", host(), kafka_->external_port()));
    out.set("events", std::move(events));
  }
  if (hms_) {
    out.set("metastore", Json().set("thrift", fmt::format("thrift://{}:{}", host(), hms_->port())));
  }
  if (iceberg_rest_) out.set("iceberg_rest", Json().set("uri", url("http", iceberg_rest_->port())));
  if (jobs_service_) out.set("jobs", Json().set("rest", url("http", jobs_service_->port())));
  if (status_page_)
    out.set("metrics", Json().set("url", url("http", status_page_->port()) + "/metrics"));
  if (console_) {
    Json console;
    console.set("url", url("http", console_->port(0)));
    console.set("objects", url("http", console_->port(1)));
    console.set("events", url("http", console_->port(2)));
    out.set("console", std::move(console));
  }
  return out;
}

void RunningPlatform::stop(std::chrono::milliseconds drain) {
  if (std::exchange(stopped_, true)) return;
  SteadyTime until = options_.clock.steady_now() + drain;
  auto left = [&] {
    auto rest =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - options_.clock.steady_now());
    return std::max(rest, std::chrono::milliseconds(0));
  };
  if (console_) console_->stop(left());
  if (upkeep_) upkeep_->stop();
  if (jobs_) jobs_->stop();
  if (status_page_) status_page_->stop(left());
  if (jobs_service_) jobs_service_->stop(left());
  if (sql_) sql_->stop(left());
  if (query_log_) query_log_->stop();
  if (hms_) hms_->stop();
  if (iceberg_rest_) iceberg_rest_->stop(left());
  if (kafka_) kafka_->stop();
  if (s3_) s3_->stop(left());
  for (Pool* pool : {&sql_pool_, &blocking_pool_, &s3_pool_}) pool->stop();
  io_.stop();
}

}  // namespace

Result<std::unique_ptr<metadb::Database>> open_metadata(const Config& config,
                                                        const DataDirectory& data) {
  std::string store = config.text("metadata");
  if (store == "sqlite") return metadb::Database::open_sqlite({.path = data.below("meta/meta.db")});
  return metadb::Database::open_postgresql(
      {.uri = store, .schema = config.text("metadata_schema")});
}

Result<std::unique_ptr<Platform>> Platform::start(PlatformOptions options) {
  auto platform = std::make_unique<RunningPlatform>(std::move(options));
  RETURN_IF_ERROR(platform->start());
  return platform;
}

}  // namespace aichemy::app
