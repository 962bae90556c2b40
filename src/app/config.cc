#include "app/config.h"

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/check.h"

namespace aichemy::app {
namespace {

constexpr std::string_view kAnywhere =
    "address to listen on; anything but loopback needs changed passwords";

constexpr std::string_view kPostgresql = "postgresql://";

std::optional<uint64_t> parse_whole(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// 512MB, 2GiB, 4096: powers of 1024 whatever the spelling.
std::optional<uint64_t> parse_bytes(std::string_view text) {
  size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto number = parse_whole(text.substr(0, digits));
  std::string_view unit = text.substr(digits);
  static constexpr std::pair<std::string_view, int> kUnits[] = {
      {"", 0},     {"B", 0},   {"KB", 10},  {"KiB", 10}, {"MB", 20},
      {"MiB", 20}, {"GB", 30}, {"GiB", 30}, {"TB", 40},  {"TiB", 40}};
  for (auto [name, shift] : kUnits) {
    if (number && unit == name && *number < (uint64_t{1} << (63 - shift))) return *number << shift;
  }
  return std::nullopt;
}

// 250ms, 10s, 5m, 12h, 7d
std::optional<uint64_t> parse_duration(std::string_view text) {
  size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto number = parse_whole(text.substr(0, digits));
  static constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  for (auto [name, millis] : kUnits) {
    if (number && text.substr(digits) == name && *number < UINT64_MAX / millis)
      return *number * millis;
  }
  return std::nullopt;
}

std::string_view allowed(ValueKind kind) {
  switch (kind) {
    case ValueKind::boolean: return "true or false";
    case ValueKind::port: return "a port from 0 (any free one) to 65535";
    case ValueKind::text: return "text";
    case ValueKind::bytes: return "a size such as 512MB or 4GB";
    case ValueKind::count: return "a whole number";
    case ValueKind::duration: return "a time such as 250ms, 10s, 5m, 12h or 7d";
    case ValueKind::store: return "sqlite or postgresql://...";
  }
  return "";
}

bool is_allowed(ValueKind kind, const std::string& value) {
  switch (kind) {
    case ValueKind::boolean: return value == "true" || value == "false";
    case ValueKind::port: return parse_whole(value).value_or(65536) <= 65535;
    case ValueKind::text: return true;
    case ValueKind::bytes: return parse_bytes(value).has_value();
    case ValueKind::count: return parse_whole(value).has_value();
    case ValueKind::duration: return parse_duration(value).has_value();
    case ValueKind::store: return value == "sqlite" || value.starts_with(kPostgresql);
  }
  return false;
}

// What people may see of a value: postgresql://user:password@host keeps its password to itself.
std::string shown(const ConfigKey& key, std::string value) {
  if (key.kind != ValueKind::store || !value.starts_with(kPostgresql)) return value;
  size_t authority = kPostgresql.size(), end = value.find_first_of("/?", authority);
  size_t at = value.substr(0, end).rfind('@'), colon = value.find(':', authority);
  if (at != std::string::npos && colon < at) value.replace(colon + 1, at - colon - 1, "***");
  constexpr std::string_view kPassword = "password=";
  for (size_t begin = 0; (begin = value.find(kPassword, begin)) != std::string::npos;) {
    begin += kPassword.size();
    value.replace(begin, std::min(value.find('&', begin), value.size()) - begin, "***");
  }
  return value;
}

const ConfigKey* find_key(std::string_view name) {
  auto found = std::ranges::find(config_keys(), name, &ConfigKey::name);
  return found == config_keys().end() ? nullptr : &*found;
}

// The key that was probably meant: the one with the longest common beginning.
std::string closest(std::string_view name) {
  size_t best = 0;
  std::string out;
  for (const ConfigKey& key : config_keys()) {
    size_t same = 0;
    while (same < name.size() && same < key.name.size() && name[same] == key.name[same]) ++same;
    if (same > best) {
      best = same;
      out = key.name;
    }
  }
  return out;
}

using Values = std::map<std::string, std::string, std::less<>>;

Status put(Values& values, const std::string& name, const std::string& value,
           const std::string& where) {
  const ConfigKey* key = find_key(name);
  if (!key) {
    std::string near = closest(name);
    return fail(Code::invalid, "config",
                fmt::format("{}: there is no key '{}'{}; docs/config.md lists them", where, name,
                            near.empty() ? "" : fmt::format(", did you mean '{}'", near)));
  }
  if (!is_allowed(key->kind, value)) {
    return fail(Code::invalid, "config",
                fmt::format("{}: {} = '{}' is not {}", where, name, shown(*key, value),
                            allowed(key->kind)));
  }
  values[name] = value;
  return {};
}

Status put_yaml(Values& values, const std::string& file, const std::string& prefix,
                const YAML::Node& node) {
  for (const auto& entry : node) {
    std::string name = (prefix.empty() ? "" : prefix + ".") + entry.first.as<std::string>();
    if (entry.second.IsMap()) {
      RETURN_IF_ERROR(put_yaml(values, file, name, entry.second));
      continue;
    }
    std::string where = fmt::format("{}:{}", file, entry.first.Mark().line + 1);
    if (!entry.second.IsScalar()) {
      return fail(Code::invalid, "config",
                  fmt::format("{}: {} must be a single value", where, name));
    }
    RETURN_IF_ERROR(put(values, name, entry.second.as<std::string>(), where));
  }
  return {};
}

Status load_file(Values& values, const std::string& file) {
  try {
    YAML::Node root = YAML::LoadFile(file);
    if (root.IsNull()) return {};
    if (!root.IsMap())
      return fail(Code::invalid, "config", file + ": not a YAML map of service.key: value");
    return put_yaml(values, file, "", root);
  } catch (const YAML::BadFile&) {
    return fail(Code::invalid, "config", file + ": cannot be read");
  } catch (const YAML::Exception& problem) {
    return fail(Code::invalid, "config",
                fmt::format("{}:{}: {}", file, problem.mark.line + 1, problem.msg));
  }
}

// AICHEMY_S3_CONSOLE_PORT -> s3.console_port: the service may hold an underscore itself
// (iceberg_rest).
std::string key_of_environment(const std::string& variable) {
  std::string lower = variable.substr(std::string_view("AICHEMY_").size());
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  for (const ConfigKey& key : config_keys()) {
    std::string flat(key.name);
    std::ranges::replace(flat, '.', '_');
    if (flat == lower) return std::string(key.name);
  }
  return lower;
}

}  // namespace

const std::vector<ConfigKey>& config_keys() {  // lint: table
  using enum ValueKind;
  static const std::vector<ConfigKey> kKeys = {
      {"listen.address", text, "127.0.0.1", kAnywhere},
      {"listen.advertised_host", text, "",
       "host name that clients are told; empty: the address they connected to"},
      {"metadata", store, "sqlite",
       "names of tables and jobs: sqlite, a file in the data directory, or a PostgreSQL (13 or "
       "newer) "
       "that outlives this machine: postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=require"},
      {"metadata_schema", text, "aichemy",
       "PostgreSQL's schema for them; one running aichemy each"},
      {"log.format", text, "human", "human or json"},
      {"log.level", text, "info", "debug, info, warn or error"},
      {"s3.enabled", boolean, "true", "the object store's S3 port"},
      {"s3.port", port, "9000", "S3"},
      {"s3.console_port", port, "9001", "the console, opening on its Objects page"},
      {"s3.region", text, "us-east-1", "region name that clients must sign for"},
      {"events.enabled", boolean, "true", "the event broker's Kafka ports"},
      {"events.port", port, "9092", "Kafka protocol, clients on this machine"},
      {"events.external_port", port, "9094", "Kafka protocol, clients elsewhere"},
      {"events.console_port", port, "8082", "the console, opening on its Events page"},
      {"events.allow_anonymous", boolean, "false",
       "accept Kafka clients, who do not sign in, on an address beyond loopback"},
      {"events.auto_create_topics", boolean, "true", "make a topic when a client first names it"},
      {"events.default_partitions", count, "1", "partitions of a topic made without a number"},
      {"iceberg_rest.enabled", boolean, "true", "the Iceberg REST catalog"},
      {"iceberg_rest.port", port, "8181", "Iceberg REST catalog"},
      {"hms.enabled", boolean, "true", "the Hive Metastore's Thrift service"},
      {"hms.port", port, "9083", "Hive Metastore"},
      {"hms.allow_anonymous", boolean, "false",
       "accept Hive Metastore clients, who do not sign in, on an address beyond loopback"},
      {"sql.enabled", boolean, "true", "the Trino client protocol"},
      {"sql.https_port", port, "8443", "SQL over HTTPS with a password"},
      {"sql.http_port", port, "8080", "SQL over HTTP: clients on this machine, and internal use"},
      {"sql.memory", bytes, "2GB", "memory of all running queries together; beyond it they spill"},
      {"sql.column_cache", bytes, "512MB",
       "of sql.memory, half at most, for columns of tables read often; 0: files are read every "
       "time"},
      {"sql.spill", bytes, "20GB",
       "disk that running queries may spill to, together; beyond it they fail"},
      {"sql.grants", boolean, "false",
       "SQL roles and grants decide who may do what; false: they are kept only"},
      {"sql.access_rules", text, "",
       "file of access rules in the JSON of Trino's file-based access control"},
      {"sql.groups", text, "",
       "file of the groups that access rules name: lines of group:user,user"},
      {"sql.function_schema", text, "",
       "catalog.schema where CREATE FUNCTION puts unqualified names and calls look for them"},
      {"sql.concurrency", count, "16",
       "threads that run statements: so many make progress at once, the others take turns"},
      {"sql.resource_groups", text, "",
       "a file of resource groups and selectors in Trino's JSON; empty: one group, global"},
      {"sql.kafka_tables", text, "",
       "a folder of table descriptions (Trino's JSON) for the catalog kafka; empty: none"},
      {"sql.query_log", boolean, "true",
       "each query that ended is a record of the topic __query_log, in SQL kafka.system.queries"},
      {"sql.memory_catalog", bytes, "256MB", "tables of the catalog memory together; 0: none"},
      {"sql.running_max", count, "1000", "statements of the group global that are not queued"},
      {"sql.queued_max", count, "1000", "queued statements of the group global"},
      {"sql.max_run_time", duration, "100d", "of a statement, waiting included"},
      {"sql.max_execution_time", duration, "100d", "of a statement, without waiting and planning"},
      {"sql.max_planning_time", duration, "10m", "of a statement's analysis and planning"},
      {"sql.client_timeout", duration, "5m", "a statement nobody asks for is given up after this"},
      {"sql.spooling", boolean, "true", "results in compressed segments for clients that can"},
      {"sql.spooling_memory", bytes, "128MB", "segments beyond it go to the object store"},
      {"sql.spooling_space", bytes, "10GB", "of all segments that clients have not fetched"},
      {"sql.spooling_ttl", duration, "12h", "a segment that is not fetched is kept so long"},
      {"jobs.enabled", boolean, "true", "streaming jobs"},
      {"jobs.rest_port", port, "8081", "jobs over HTTP"},
      {"jobs.epoch_interval", duration, "500ms", "time between two epochs of a busy job"},
      {"upkeep.enabled", boolean, "true",
       "small files of Iceberg tables that jobs write to become fewer, old snapshots and orphans "
       "go, in the background; the table property aichemy.upkeep.enabled decides for one table"},
      {"upkeep.all_tables", boolean, "false", "not only of tables that jobs write to"},
      {"upkeep.interval", duration, "5m", "time between two looks at all tables"},
      {"upkeep.round_bytes", bytes, "256MB", "data files that are rewritten in one commit"},
      {"upkeep.bytes_per_second", bytes, "32MB", "data files that are rewritten, on average"},
      {"upkeep.memory", bytes, "256MB", "memory of rewriting; beyond it it spills"},
      {"upkeep.orphan_age", duration, "3d",
       "files that no snapshot names are removed when they are older, seen twice"},
      {"upkeep.orphan_interval", duration, "1d", "time between two looks for such files"},
      {"upkeep.orphan_grace", duration, "1h", "time between the two looks that remove one"},
      {"console.enabled", boolean, "true", "the web console, on three ports"},
      {"console.port", port, "3000", "the console, opening on its Overview"},
      {"metrics.enabled", boolean, "true", "Prometheus metrics and /status"},
      {"metrics.port", port, "9464", "Prometheus metrics and /status"},
  };
  return kKeys;
}

std::vector<ConfigValue> Config::list() const {
  std::vector<ConfigValue> out;
  for (const ConfigKey& key : config_keys())
    out.push_back(
        {key.name, shown(key, text(key.name)), key.fallback, allowed(key.kind), key.meaning});
  return out;
}

std::string config_document() {
  std::string out =
      "# Configuration\n\nKeys of `aichemy.yaml`, `--set key=value` and the environment (`s3.port` "
      "is `AICHEMY_S3_PORT`). "
      "A port of 0 takes any free one; the ready line prints what was taken.\n\n"
      "| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const ConfigKey& key : config_keys()) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", key.name, allowed(key.kind),
                       key.fallback.empty() ? "" : fmt::format("`{}`", key.fallback), key.meaning);
  }
  return out;
}

Result<Config> Config::load(const ConfigSources& sources) {
  Config config;
  for (const ConfigKey& key : config_keys()) {
    bool any = sources.any_ports && key.kind == ValueKind::port;
    config.values_[std::string(key.name)] = any ? "0" : std::string(key.fallback);
  }
  if (!sources.file.empty()) RETURN_IF_ERROR(load_file(config.values_, sources.file));
  for (const auto& [variable, value] : sources.environment) {
    RETURN_IF_ERROR(
        put(config.values_, key_of_environment(variable), value, "environment " + variable));
  }
  for (const std::string& setting : sources.settings) {
    size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return fail(Code::invalid, "config", fmt::format("--set {}: write it as key=value", setting));
    }
    RETURN_IF_ERROR(put(config.values_, setting.substr(0, equals), setting.substr(equals + 1),
                        "--set " + setting));
  }
  return config;
}

const std::string& Config::text(std::string_view key) const {
  auto found = values_.find(key);
  CHECK(found != values_.end());
  return found->second;
}

bool Config::flag(std::string_view key) const { return text(key) == "true"; }
uint16_t Config::port(std::string_view key) const {
  return static_cast<uint16_t>(*parse_whole(text(key)));
}
uint64_t Config::bytes(std::string_view key) const { return *parse_bytes(text(key)); }
int64_t Config::count(std::string_view key) const {
  return static_cast<int64_t>(*parse_whole(text(key)));
}
int64_t Config::millis(std::string_view key) const {
  return static_cast<int64_t>(*parse_duration(text(key)));
}

}  // namespace aichemy::app
