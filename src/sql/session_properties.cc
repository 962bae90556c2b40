#include "sql/session_properties.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace aichemy::sql {

// lint: table
const std::vector<SessionProperty>& session_properties() {
  static const std::vector<SessionProperty> kRows = {
      {"aggregation_operator_unspill_memory_limit", "varchar", "4MB", "size",
       "How much memory should be allocated per aggregation operator in unspilling process"},
      {"allow_pushdown_into_connectors", "boolean", "true", "", "Allow pushdown into connectors"},
      {"client_heartbeat_timeout", "varchar", "5.00m", "duration",
       "Time after which a query of a silent client is abandoned"},
      {"dictionary_aggregation", "boolean", "false", "",
       "Enable optimization for aggregations on dictionaries"},
      {"distributed_sort", "boolean", "true", "", "Parallelize sort across multiple nodes"},
      {"distinct_aggregations_strategy", "varchar", "", "", "Strategy for distinct aggregations"},
      {"enable_dynamic_filtering", "boolean", "true", "", "Enable dynamic filtering"},
      {"enable_intermediate_aggregations", "boolean", "false", "",
       "Enable the use of intermediate aggregations"},
      {"execution_policy", "varchar", "phased", "", "Policy used for scheduling query tasks"},
      {"exchange_compression", "boolean", "false", "", "Enable compression in exchanges"},
      {"grouped_execution", "boolean", "false", "", "Use grouped execution when possible"},
      {"hash_partition_count", "integer", "100", "",
       "Number of partitions for distributed joins and aggregations"},
      {"ignore_stats_calculator_failures", "boolean", "true", "",
       "Ignore statistics calculator failures"},
      {"initial_splits_per_node", "integer", "2", "",
       "The number of splits each node will run per task, initially"},
      {"iterative_optimizer_timeout", "varchar", "3.00m", "duration",
       "Timeout for plan optimization in iterative optimizer"},
      {"join_distribution_type", "varchar", "AUTOMATIC", "BROADCAST, PARTITIONED, AUTOMATIC",
       "Join distribution type"},
      {"join_max_broadcast_table_size", "varchar", "100MB", "size",
       "Maximum estimated size of a table that can be broadcast when using automatic join type "
       "selection"},
      {"join_reordering_strategy", "varchar", "AUTOMATIC", "NONE, ELIMINATE_CROSS_JOINS, AUTOMATIC",
       "Join reordering strategy"},
      {"max_recursion_depth", "integer", "10", "",
       "Maximum recursion depth for recursive common table expression"},
      {"max_reordered_joins", "integer", "8", "",
       "The maximum number of joins to reorder as one group in cost-based join reordering"},
      {"max_splits_per_node", "integer", "256", "",
       "The maximum number of splits scheduled on a node"},
      {"optimize_hash_generation", "boolean", "false", "",
       "Compute hash codes for distribution, joins, and aggregations early in query plan"},
      {"prefer_partial_aggregation", "boolean", "true", "",
       "Prefer splitting aggregations into partial and final stages"},
      {"push_aggregation_through_outer_join", "boolean", "true", "",
       "Allow pushing aggregations below joins"},
      {"query_max_cpu_time", "varchar", "1000000000.00d", "duration",
       "Maximum CPU time of a query"},
      {"query_max_execution_time", "varchar", "100.00d", "duration",
       "Maximum execution time of a query"},
      {"query_max_memory", "varchar", "20GB", "size",
       "Maximum amount of distributed memory a query can use"},
      {"query_max_memory_per_node", "varchar", "8GB", "size",
       "Maximum amount of memory a query can use per node"},
      {"query_max_planning_time", "varchar", "10.00m", "duration",
       "Maximum planning time of a query"},
      {"query_max_run_time", "varchar", "100.00d", "duration",
       "Maximum run time of a query (includes the queueing time)"},
      {"query_max_scan_physical_bytes", "varchar", "", "size",
       "Maximum scan physical bytes of a query"},
      {"query_max_total_memory", "varchar", "40GB", "size",
       "Maximum amount of distributed total memory a query can use"},
      {"query_priority", "integer", "1", "",
       "The priority of queries. Larger numbers are higher priority"},
      {"redistribute_writes", "boolean", "true", "", "Force parallel distributed writes"},
      {"required_workers_count", "integer", "1", "",
       "Minimum number of active workers that must be available before the query will start"},
      {"required_workers_max_wait_time", "varchar", "5.00m", "duration",
       "Maximum time to wait for minimum number of workers before the query is failed"},
      {"resource_overcommit", "boolean", "false", "",
       "Use resources which are not guaranteed to be available to the query"},
      {"retry_policy", "varchar", "NONE", "NONE, QUERY, TASK", "Retry policy"},
      {"scale_writers", "boolean", "true", "",
       "Scale out writers based on throughput (use minimum necessary)"},
      {"spill_enabled", "boolean", "false", "", "Enable spilling"},
      {"statistics_cpu_timer_enabled", "boolean", "true", "",
       "Experimental: Enable cpu time tracking for automatic column statistics collection on "
       "write"},
      {"task_concurrency", "integer", "2", "", "Default number of local parallel jobs per worker"},
      {"task_max_writer_count", "integer", "2", "",
       "Maximum number of local parallel table writer jobs per worker"},
      {"task_min_writer_count", "integer", "1", "",
       "Minimum number of local parallel table writer jobs per worker"},
      {"time_zone_id", "varchar", "", "", "Time Zone Id for the current session"},
      {"use_mark_distinct", "boolean", "true", "",
       "Implement DISTINCT aggregations using MarkDistinct"},
      {"use_preferred_write_partitioning", "boolean", "true", "",
       "Use preferred write partitioning"},
      {"writer_scaling_min_data_processed", "varchar", "100MB", "size",
       "Minimum amount of uncompressed output data processed by writers before writer scaling can "
       "happen"},
  };
  return kRows;
}

namespace {

const SessionProperty* find_property(std::string_view name) {
  for (const auto& row : session_properties()) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

}  // namespace

namespace {

using Unit = std::pair<std::string_view, double>;
constexpr std::array<Unit, 7> kDurations = {
    {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 36e5}, {"d", 864e5}}};
constexpr std::array<Unit, 6> kSizes = {{{"B", 1},
                                         {"kB", 1024.0},
                                         {"MB", 1048576.0},
                                         {"GB", 1073741824.0},
                                         {"TB", 1099511627776.0},
                                         {"PB", 1125899906842624.0}}};

template <size_t N>
std::optional<double> parse_unit(const std::array<Unit, N>& units, std::string_view text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const auto& [name, factor] : units) {
    if (unit == name && number * factor < 9e18) return number * factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  auto millis = parse_unit(kDurations, text);
  if (!millis) return std::nullopt;
  // Longer ones could not be added to a clock.
  return std::chrono::milliseconds(static_cast<int64_t>(std::min(*millis, 864e5 * 36500)));
}

std::string format_duration(std::chrono::milliseconds duration) {
  auto millis = static_cast<double>(duration.count());
  const Unit* unit = &kDurations[2];
  for (const Unit& one : kDurations) {
    if (one.second >= 1 && millis >= one.second) unit = &one;
  }
  return fmt::format("{:.2f}{}", millis / unit->second, unit->first);
}

std::optional<uint64_t> parse_data_size(std::string_view text) {
  auto bytes = parse_unit(kSizes, text);
  if (!bytes) return std::nullopt;
  return static_cast<uint64_t>(*bytes);
}

std::string format_data_size(uint64_t bytes) {
  const Unit* unit = &kSizes[0];
  for (const Unit& one : kSizes) {
    if (static_cast<double>(bytes) >= one.second) unit = &one;
  }
  double number = static_cast<double>(bytes) / unit->second;
  if (number == static_cast<double>(static_cast<uint64_t>(number)))
    return fmt::format("{:.0f}{}", number, unit->first);
  return fmt::format("{:.2f}{}", number, unit->first);
}

Status check_session_text(std::string_view name, const std::string& value) {
  const SessionProperty* row = find_property(name);
  std::string_view allowed = row ? row->allowed : "";
  bool fits = allowed == "duration" ? parse_duration(value).has_value()
              : allowed == "size"   ? parse_data_size(value).has_value()
                                    : true;
  if (fits) return {};
  return fail(Code::invalid, "INVALID_SESSION_PROPERTY",
              fmt::format("{} is invalid: {}", name, value));
}

bool is_session_property(std::string_view name) {
  return name.find('.') != std::string_view::npos || find_property(name) != nullptr;
}

Status check_session_value(std::string_view name, const Type& type, const std::string& value) {
  const SessionProperty* row = find_property(name);
  if (!row) return {};
  std::string_view wanted = row->type;
  bool fits = wanted == "varchar"   ? type.is(TypeKind::varchar)
              : wanted == "boolean" ? type.is(TypeKind::boolean)
              : wanted == "double"  ? type.is_numeric()
                                    : type.is_integer();
  if (!fits) {
    return fail(
        Code::invalid, "INVALID_SESSION_PROPERTY",
        fmt::format("Unable to set session property '{}' to '{}': Cannot cast type {} to {}", name,
                    value, type.display(), wanted));
  }
  std::string_view allowed = row->allowed;
  if (allowed == "duration" || allowed == "size") return check_session_text(name, value);
  if (allowed.empty()) return {};
  std::string upper = value;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (fmt::format(", {},", allowed).find(fmt::format(" {},", upper)) != std::string::npos)
    return {};
  return fail(Code::invalid, "INVALID_SESSION_PROPERTY",
              fmt::format("Invalid value [{}]. Valid values: [{}]", value, allowed));
}

}  // namespace aichemy::sql
