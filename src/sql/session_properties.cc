#include "sql/session_properties.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace aichemy::sql {

// lint: table
const std::vector<SessionProperty>& session_properties() {
  static const std::vector<SessionProperty> kRows = {
      {"adaptive_partial_aggregation_enabled", "boolean", "true", "",
       "Stop early aggregation that does not shrink its input"},
      {"adaptive_partial_aggregation_unique_rows_ratio_threshold", "double", "0.8", "",
       "Share of unique rows from which early aggregation is no use"},
      {"aggregation_operator_unspill_memory_limit", "varchar", "4MB", "size",
       "How much memory should be allocated per aggregation operator in unspilling process"},
      {"allow_pushdown_into_connectors", "boolean", "true", "", "Allow pushdown into connectors"},
      {"client_heartbeat_timeout", "varchar", "5.00m", "duration",
       "Time after which a query of a silent client is abandoned"},
      {"collect_plan_statistics_for_all_queries", "boolean", "false", "",
       "Gather plan statistics of every query, not only of EXPLAIN"},
      {"colocated_join", "boolean", "true", "", "Join tables where their buckets lie"},
      {"default_filter_factor_enabled", "boolean", "false", "",
       "Assume a selectivity for filters of which nothing is known"},
      {"determine_partition_count_for_write_enabled", "boolean", "false", "",
       "Choose the number of partitions of a write by its data"},
      {"dictionary_aggregation", "boolean", "false", "",
       "Enable optimization for aggregations on dictionaries"},
      {"distinct_aggregations_strategy", "varchar", "", "", "Strategy for distinct aggregations"},
      {"distributed_sort", "boolean", "true", "", "Parallelize sort across multiple nodes"},
      {"enable_coordinator_dynamic_filters_distribution", "boolean", "true", "",
       "Send dynamic filters to all workers"},
      {"enable_dynamic_filtering", "boolean", "true", "", "Enable dynamic filtering"},
      {"enable_intermediate_aggregations", "boolean", "false", "",
       "Enable the use of intermediate aggregations"},
      {"enable_large_dynamic_filters", "boolean", "false", "",
       "Collect dynamic filters of many values"},
      {"enable_stats_calculator", "boolean", "true", "", "Estimate with statistics"},
      {"exchange_compression", "boolean", "false", "", "Enable compression in exchanges"},
      {"exchange_compression_codec", "varchar", "NONE", "NONE, LZ4, ZSTD",
       "Compression of data between workers"},
      {"execution_policy", "varchar", "phased", "", "Policy used for scheduling query tasks"},
      {"filter_and_project_min_output_page_row_count", "integer", "256", "",
       "Rows from which a page is handed on"},
      {"filter_and_project_min_output_page_size", "varchar", "500kB", "size",
       "Size from which a page is handed on"},
      {"filter_conjunction_independence_factor", "double", "0.75", "",
       "How independent conditions of one filter are taken to be"},
      {"force_spilling_join_operator", "boolean", "false", "",
       "Join with the operator that can spill"},
      {"grouped_execution", "boolean", "false", "", "Use grouped execution when possible"},
      {"hash_partition_count", "integer", "100", "",
       "Number of partitions for distributed joins and aggregations"},
      {"ignore_downstream_preferences", "boolean", "false", "",
       "Place exchanges without regard to what follows"},
      {"ignore_stats_calculator_failures", "boolean", "true", "",
       "Ignore statistics calculator failures"},
      {"incremental_hash_array_load_factor_enabled", "boolean", "true", "",
       "Fill small hash tables less"},
      {"initial_splits_per_node", "integer", "2", "",
       "The number of splits each node will run per task, initially"},
      {"iterative_optimizer_timeout", "varchar", "3.00m", "duration",
       "Timeout for plan optimization in iterative optimizer"},
      {"join_distribution_type", "varchar", "AUTOMATIC", "BROADCAST, PARTITIONED, AUTOMATIC",
       "Join distribution type"},
      {"join_max_broadcast_table_size", "varchar", "100MB", "size",
       "Maximum estimated size of a table that can be broadcast when using automatic join type "
       "selection"},
      {"join_multi_clause_independence_factor", "double", "0.25", "",
       "How independent conditions of one join are taken to be"},
      {"join_partitioned_build_min_row_count", "bigint", "1000000", "",
       "Rows from which the build side of a join is parted"},
      {"join_reordering_strategy", "varchar", "AUTOMATIC", "NONE, ELIMINATE_CROSS_JOINS, AUTOMATIC",
       "Join reordering strategy"},
      {"max_drivers_per_task", "integer", "", "", "Drivers of one task"},
      {"max_hash_partition_count", "integer", "100", "",
       "Most partitions of joins and aggregations"},
      {"max_partial_top_n_memory", "varchar", "16MB", "size", "Memory of an early top N"},
      {"max_recursion_depth", "integer", "10", "",
       "Maximum recursion depth for recursive common table expression"},
      {"max_reordered_joins", "integer", "8", "",
       "The maximum number of joins to reorder as one group in cost-based join reordering"},
      {"max_splits_per_node", "integer", "256", "",
       "The maximum number of splits scheduled on a node"},
      {"max_tasks_waiting_for_execution_per_query", "integer", "10", "",
       "Tasks of a query that may wait to be scheduled"},
      {"max_unacknowledged_splits_per_task", "integer", "2000", "",
       "Splits on their way to one task"},
      {"max_writer_task_count", "integer", "100", "", "Most tasks that write"},
      {"merge_project_with_values", "boolean", "true", "", "Fold projections into VALUES"},
      {"min_hash_partition_count", "integer", "4", "",
       "Fewest partitions of joins and aggregations"},
      {"min_hash_partition_count_for_write", "integer", "50", "",
       "Fewest partitions of joins and aggregations of a write"},
      {"min_input_rows_per_task", "bigint", "10000000", "", "Rows that a task is worth"},
      {"min_input_size_per_task", "varchar", "5GB", "size", "Data that a task is worth"},
      {"non_estimatable_predicate_approximation_enabled", "boolean", "true", "",
       "Guess the cost of filters that cannot be estimated"},
      {"optimize_duplicate_insensitive_joins", "boolean", "true", "",
       "Make fewer rows in joins whose duplicates do not matter"},
      {"optimize_hash_generation", "boolean", "false", "",
       "Compute hash codes for distribution, joins, and aggregations early in query plan"},
      {"optimize_metadata_queries", "boolean", "false", "",
       "Answer from metadata alone where possible"},
      {"optimize_top_n_ranking", "boolean", "true", "", "Rank only the rows that are asked for"},
      {"page_partitioning_buffer_pool_size", "integer", "8", "", "Free buffers kept by a task"},
      {"pre_aggregate_case_aggregations_enabled", "boolean", "true", "",
       "Aggregate early below aggregates of CASE"},
      {"predicate_pushdown_use_table_properties", "boolean", "true", "",
       "Use what a table says of its rows in filters"},
      {"prefer_partial_aggregation", "boolean", "true", "",
       "Prefer splitting aggregations into partial and final stages"},
      {"prefer_streaming_operators", "boolean", "false", "",
       "Prefer plans without blocking operators"},
      {"push_aggregation_through_outer_join", "boolean", "true", "",
       "Allow pushing aggregations below joins"},
      {"push_partial_aggregation_through_join", "boolean", "false", "",
       "Aggregate early below joins"},
      {"push_table_write_through_union", "boolean", "true", "",
       "Write the sides of UNION ALL in parallel"},
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
      {"query_retry_attempts", "integer", "4", "", "How often a query is tried again"},
      {"redistribute_writes", "boolean", "true", "", "Force parallel distributed writes"},
      {"remote_task_adaptive_update_request_size_enabled", "boolean", "true", "",
       "Keep requests to workers small"},
      {"required_workers_count", "integer", "1", "",
       "Minimum number of active workers that must be available before the query will start"},
      {"required_workers_max_wait_time", "varchar", "5.00m", "duration",
       "Maximum time to wait for minimum number of workers before the query is failed"},
      {"resource_overcommit", "boolean", "false", "",
       "Use resources which are not guaranteed to be available to the query"},
      {"retry_delay_scale_factor", "double", "2.0", "", "Growth of the time between tries"},
      {"retry_initial_delay", "varchar", "10.00s", "duration", "Time before the first try again"},
      {"retry_max_delay", "varchar", "1.00m", "duration", "Longest time between tries"},
      {"retry_policy", "varchar", "NONE", "NONE, QUERY, TASK", "Retry policy"},
      {"rewrite_filtering_semi_join_to_inner_join", "boolean", "true", "",
       "Semi joins that only filter become inner joins"},
      {"scale_writers", "boolean", "true", "",
       "Scale out writers based on throughput (use minimum necessary)"},
      {"skip_redundant_sort", "boolean", "true", "", "Leave out sorts that do not matter"},
      {"spatial_join", "boolean", "true", "", "Join by a spatial index"},
      {"spatial_partitioning_table_name", "varchar", "", "", "Table with the parts of space"},
      {"spill_enabled", "boolean", "false", "", "Enable spilling"},
      {"split_concurrency_adjustment_interval", "varchar", "100.00ms", "duration",
       "Time between changes of how many splits run"},
      {"statistics_cpu_timer_enabled", "boolean", "true", "",
       "Experimental: Enable cpu time tracking for automatic column statistics collection on "
       "write"},
      {"statistics_precalculation_for_pushdown_enabled", "boolean", "true", "",
       "Estimate before a connector takes over"},
      {"table_scan_node_partitioning_min_bucket_to_task_ratio", "double", "0.5", "",
       "Buckets per task from which a plan follows them"},
      {"task_concurrency", "integer", "2", "", "Default number of local parallel jobs per worker"},
      {"task_max_writer_count", "integer", "2", "",
       "Maximum number of local parallel table writer jobs per worker"},
      {"task_min_writer_count", "integer", "1", "",
       "Minimum number of local parallel table writer jobs per worker"},
      {"task_retry_attempts_per_task", "integer", "4", "", "How often a task is tried again"},
      {"task_scale_writers_enabled", "boolean", "true", "", "More writers in a task as data grows"},
      {"time_zone_id", "varchar", "", "", "Time Zone Id for the current session"},
      {"use_cost_based_partitioning", "boolean", "true", "",
       "Choose partitions of aggregations by cost"},
      {"use_exact_partitioning", "boolean", "false", "", "Part by all columns of an aggregation"},
      {"use_legacy_window_filter_pushdown", "boolean", "false", "",
       "Push filters on window functions the old way"},
      {"use_mark_distinct", "boolean", "true", "",
       "Implement DISTINCT aggregations using MarkDistinct"},
      {"use_preferred_write_partitioning", "boolean", "true", "",
       "Use preferred write partitioning"},
      {"use_table_scan_node_partitioning", "boolean", "true", "",
       "Follow how tables are parted among workers"},
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

std::optional<MemoryLimit> memory_limit(const std::map<std::string, std::string>& properties) {
  struct Row {
    const char* property;
    const char* reached;
  };
  // Of equal ones the first is reached.
  static constexpr Row kRows[] = {
      {"query_max_memory_per_node", "Query exceeded per-node memory limit of"},
      {"query_max_memory", "Query exceeded distributed user memory limit of"},
      {"query_max_total_memory", "Query exceeded distributed total memory limit of"}};
  std::optional<MemoryLimit> made;
  for (const Row& row : kRows) {
    auto found = properties.find(row.property);
    auto bytes = found == properties.end() ? std::nullopt : parse_data_size(found->second);
    if (!bytes || (made && made->bytes <= *bytes)) continue;
    made = MemoryLimit{*bytes, &row == kRows,
                       fmt::format("{} {}", row.reached, format_data_size(*bytes))};
  }
  return made;
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
