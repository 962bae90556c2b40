#include "jobs/source.h"

#include <fmt/core.h>
#include <algorithm>
#include <charconv>
#include <set>

#include "sql/language/ast.h"
#include "sql/language/parser.h"

namespace aichemy::jobs {
namespace {

std::unexpected<Error> option_error(const std::string& key, const std::string& value,
                                    const std::string& allowed) {
  return fail(Code::invalid, "option", fmt::format("option '{}' = '{}': {}", key, value, allowed));
}

// Keys that are understood, or that change nothing about what is read.
bool is_known_key(const std::string& key) {
  static const std::set<std::string, std::less<>> kKeys = {
      "connector",
      "topic",
      "format",
      "value.format",
      "scan.startup.mode",
      "scan.startup.timestamp-millis",
      "properties.bootstrap.servers",
      "properties.group.id",
      "json.ignore-parse-errors",
      "json.fail-on-missing-field",
      "json.timestamp-format.standard",
      "value.json.timestamp-format.standard",
      "scan.topic-partition-discovery.interval"};
  return kKeys.contains(key);
}

std::unexpected<Error> read_only() {
  return fail(Code::unsupported, "NOT_SUPPORTED", "a source of events can only be read by its job");
}

std::unexpected<Error> needs_state(const char* what) {
  return fail(Code::unsupported, "query",
              fmt::format("a job cannot use {} yet: it would need state over all events. Write the "
                          "events into a table "
                          "and ask there.",
                          what));
}

// ---- what a query may hold ----

Status check_expression(const sql::Expression* expression);

Status check_expressions(const std::vector<sql::ExpressionPtr>& list) {
  for (const auto& item : list) RETURN_IF_ERROR(check_expression(item.get()));
  return {};
}

// Aggregates by name: the parser does not tell them from other functions.
bool is_aggregate(const std::string& name) {
  static const std::set<std::string, std::less<>> kNames = {"any_value",
                                                            "approx_distinct",
                                                            "approx_most_frequent",
                                                            "approx_percentile",
                                                            "approx_set",
                                                            "arbitrary",
                                                            "array_agg",
                                                            "avg",
                                                            "bitwise_and_agg",
                                                            "bitwise_or_agg",
                                                            "bitwise_xor_agg",
                                                            "bool_and",
                                                            "bool_or",
                                                            "checksum",
                                                            "corr",
                                                            "count",
                                                            "count_if",
                                                            "covar_pop",
                                                            "covar_samp",
                                                            "every",
                                                            "geometric_mean",
                                                            "histogram",
                                                            "kurtosis",
                                                            "listagg",
                                                            "map_agg",
                                                            "map_union",
                                                            "max",
                                                            "max_by",
                                                            "merge",
                                                            "min",
                                                            "min_by",
                                                            "multimap_agg",
                                                            "numeric_histogram",
                                                            "qdigest_agg",
                                                            "reduce_agg",
                                                            "regr_intercept",
                                                            "regr_slope",
                                                            "skewness",
                                                            "stddev",
                                                            "stddev_pop",
                                                            "stddev_samp",
                                                            "sum",
                                                            "tdigest_agg",
                                                            "var_pop",
                                                            "var_samp",
                                                            "variance"};
  return kNames.contains(name);
}

Status check_expression(const sql::Expression* expression) {
  if (!expression) return {};
  if (expression->query) return needs_state("a subquery");
  if (expression->window) return needs_state("a window function");
  if (expression->kind == sql::ExpressionKind::function && !expression->qualified.empty() &&
      is_aggregate(expression->qualified.back().lower())) {
    return needs_state("an aggregate");
  }
  return check_expressions(expression->args);
}

}  // namespace

Result<SourceOptions> source_options(const CreateSource& source) {
  auto get = [&](const char* key) {
    auto found = source.options.find(key);
    return found == source.options.end() ? std::string() : found->second;
  };
  for (const auto& [key, value] : source.options) {
    if (!is_known_key(key) && !key.starts_with("properties.")) {
      return fail(Code::unsupported, "option", fmt::format("option '{}' is not supported", key));
    }
  }
  SourceOptions out;
  if (get("connector") != "kafka")
    return option_error("connector", get("connector"), "only 'kafka' can be a source");
  std::string format = get("format").empty() ? get("value.format") : get("format");
  if (format != "json") return option_error("format", format, "only 'json' is supported");
  if (get("json.ignore-parse-errors") == "true") {
    return option_error(
        "json.ignore-parse-errors", "true",
        "records that do not parse go to the dead-letter table, they are never ignored");
  }
  if (get("json.fail-on-missing-field") == "true") {
    return option_error("json.fail-on-missing-field", "true",
                        "declare the column NOT NULL instead");
  }
  std::string topics = get("topic");
  for (size_t at = 0; at <= topics.size() && !topics.empty();) {
    size_t end = std::min(topics.find(';', at), topics.size());
    if (end > at) out.topics.push_back(topics.substr(at, end - at));
    at = end + 1;
  }
  if (out.topics.empty())
    return option_error("topic", topics, "name one topic, or several with ';' between");
  std::string mode = get("scan.startup.mode");
  if (mode == "latest-offset") {
    out.startup = SourceOptions::Startup::latest;
  } else if (mode == "timestamp") {
    out.startup = SourceOptions::Startup::timestamp;
    std::string millis = get("scan.startup.timestamp-millis");
    auto [end, error] =
        std::from_chars(millis.data(), millis.data() + millis.size(), out.startup_millis);
    if (error != std::errc() || end != millis.data() + millis.size() || millis.empty()) {
      return option_error("scan.startup.timestamp-millis", millis,
                          "a whole number of milliseconds since 1970");
    }
  } else if (mode != "earliest-offset") {
    return option_error("scan.startup.mode", mode,
                        "say 'earliest-offset', 'latest-offset' or 'timestamp'");
  }
  static const std::set<std::string, std::less<>> kMetadata = {"topic", "partition", "offset",
                                                               "timestamp", "key"};
  for (const SourceColumn& column : source.columns) {
    if (column.metadata && !kMetadata.contains(*column.metadata)) {
      return option_error("METADATA FROM", *column.metadata,
                          "there are topic, partition, offset, timestamp and key");
    }
  }
  return out;
}

Status check_stateless(const std::string& query, const std::string& source) {
  ASSIGN_OR_RETURN(auto statement, sql::parse_statement(query));
  if (!statement->query) return needs_state("anything but a SELECT");
  const sql::Query& whole = *statement->query;
  if (!whole.with.empty()) return needs_state("WITH");
  if (!whole.order_by.empty()) return needs_state("ORDER BY");
  if (whole.limit || whole.offset) return needs_state("LIMIT");
  if (!whole.body || whole.body->kind != sql::QueryTerm::Kind::select)
    return needs_state("UNION, VALUES or TABLE");
  const sql::SelectBlock& select = whole.body->select;
  if (select.distinct) return needs_state("DISTINCT");
  if (select.grouped || select.having) return needs_state("GROUP BY");
  if (select.from.size() != 1 || select.from[0]->kind != sql::Relation::Kind::table) {
    return needs_state("more than its one source in FROM");
  }
  const sql::Relation& from = *select.from[0];
  if (from.name.size() != 1 || from.name[0].lower() != sql::lower_case(source)) {
    return fail(Code::invalid, "query",
                fmt::format("FROM must name the source table {} of the script", source));
  }
  RETURN_IF_ERROR(check_expression(select.where.get()));
  for (const auto& item : select.items) RETURN_IF_ERROR(check_expression(item.expression.get()));
  return {};
}

// ---- SourceConnector ----

Status SourceConnector::check_columns(const CreateSource& source) {
  std::set<std::string> seen;
  for (const SourceColumn& column : source.columns) {
    if (!seen.insert(sql::lower_case(column.name)).second) {
      return fail(
          Code::invalid, "column",
          fmt::format("column {} differs from another one only in case: SQL cannot tell them apart",
                      column.name));
    }
  }
  return {};
}

SourceConnector::SourceConnector(const CreateSource& source, EventScans& scans)
    : source_name_(sql::lower_case(source.name)), scans_(scans) {
  auto table_of = [](const std::string& name, const std::vector<SourceColumn>& columns) {
    auto table = std::make_shared<sql::Table>();
    table->name = {kJobSchema, name};
    for (const SourceColumn& column : columns) {
      table->columns.push_back(
          {.name = sql::lower_case(column.name), .type = column.type, .comment = {}});
    }
    return table;
  };
  source_ = table_of(source_name_, source.columns);
  dead_ = table_of(kDeadTable, dead_event_columns());
}

Result<std::vector<std::string>> SourceConnector::list_schemas(const Call&) {
  return std::vector<std::string>{kJobSchema};
}
Result<bool> SourceConnector::schema_exists(const Call&, const std::string& schema) {
  return schema == kJobSchema;
}
Result<std::vector<std::string>> SourceConnector::list_tables(const Call&, const std::string&) {
  return std::vector<std::string>{source_name_};
}
Result<std::vector<std::string>> SourceConnector::list_views(const Call&, const std::string&) {
  return std::vector<std::string>{};
}
Result<std::optional<sql::View>> SourceConnector::get_view(const Call&, const sql::TableName&) {
  return std::nullopt;
}

Result<sql::TableRef> SourceConnector::get_table(const Call&, const sql::TableName& name) {
  if (name.schema != kJobSchema) return nullptr;
  if (name.table == source_name_) return source_;
  return name.table == kDeadTable ? dead_ : nullptr;
}

Result<sql::Scan> SourceConnector::plan_scan(const Call&, const sql::TableRef& table,
                                             const sql::ScanRequest&) {
  if (!batch_) return fail(Code::internal, "scan", "no epoch is running");
  return scans_.add(std::make_shared<const EventScan>(batch_, table == dead_));
}

Status SourceConnector::create_schema(const Call&, const std::string&, const sql::Properties&) {
  return read_only();
}
Status SourceConnector::drop_schema(const Call&, const std::string&, bool) { return read_only(); }
Status SourceConnector::create_table(const Call&, const sql::NewTable&) { return read_only(); }
Status SourceConnector::drop_table(const Call&, const sql::TableName&) { return read_only(); }
Status SourceConnector::create_view(const Call&, const sql::TableName&, const sql::View&, bool) {
  return read_only();
}
Status SourceConnector::drop_view(const Call&, const sql::TableName&) { return read_only(); }
Result<std::unique_ptr<sql::Insert>> SourceConnector::begin_insert(const Call&,
                                                                   const sql::TableRef&) {
  return read_only();
}
Result<std::unique_ptr<sql::Insert>> SourceConnector::begin_create_table_as(const Call&,
                                                                            const sql::NewTable&) {
  return read_only();
}
Status SourceConnector::finish_insert(const Call&, sql::Insert&, std::vector<sql::WrittenFile>) {
  return read_only();
}

}  // namespace aichemy::jobs
