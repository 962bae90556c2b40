// ANALYZE and SHOW STATS.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/bytes.h"
#include "sql/connectors/table_change.h"
#include "sql/engine/engine_errors.h"
#include "sql/statement.h"

namespace aichemy::sql {
namespace {

constexpr size_t kColumnsAtOnce = 100;  // of ANALYZE: 64 kB of hashes each in every thread

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(); }
Json text(const std::optional<std::string>& value) { return value ? Json(*value) : Json(); }

std::vector<OutputColumn> stats_columns() {
  Type real(TypeKind::double_);
  return {{"column_name", Type::varchar()}, {"data_size", real}, {"distinct_values_count", real},
          {"nulls_fraction", real},         {"row_count", real}, {"low_value", Type::varchar()},
          {"high_value", Type::varchar()}};
}

// The hash of a column's value for its sketch; none for types that have none.
std::optional<std::string> hash_call(const Type& type) {
  switch (type.kind) {
    case TypeKind::boolean:
    case TypeKind::integer:
    case TypeKind::bigint:
    case TypeKind::real:
    case TypeKind::double_:
    case TypeKind::date:
    case TypeKind::varchar:
    case TypeKind::varbinary:
    case TypeKind::uuid: return "aichemy_theta({0})";
    case TypeKind::decimal: return "aichemy_theta_decimal(CAST({0} AS VARCHAR))";
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::timestamp_tz:
      if (type.precision > 6) return std::nullopt;
      // A zoned one is kept with its zone; files have the instant.
      return type.is(TypeKind::timestamp_tz) ? "aichemy_theta(aichemy_store_{f0}({0}))"
                                             : "aichemy_theta({0})";
    default: return std::nullopt;
  }
}

// What aichemy_smallest_hashes gave: numbers in base64; none when there were only nulls.
Result<std::vector<int64_t>> hashes_of(const Json& value) {
  std::vector<int64_t> hashes;
  if (value.is_null()) return hashes;
  ASSIGN_OR_RETURN(std::string bytes, from_base64(value.as_string()));
  hashes.resize(bytes.size() / sizeof(int64_t));
  std::memcpy(hashes.data(), bytes.data(), hashes.size() * sizeof(int64_t));
  return hashes;
}

QualifiedName absolute_name(const ResolvedName& name, Position at) {
  return {{name.catalog, true, at}, {name.schema, true, at}, {name.table, true, at}};
}

}  // namespace

// Of the columns together, read once: SELECT smallest_hashes(hash of each) FROM table.
Result<std::vector<DistinctHashes>> StatementRun::distinct_hashes(
    const ResolvedName& name, std::span<const HashedColumn> columns, Position at) {
  Query all;
  all.at = at;
  all.body = std::make_unique<QueryTerm>();
  all.body->kind = QueryTerm::Kind::table;
  all.body->at = at;
  all.body->table = absolute_name(name, at);
  ASSIGN_OR_RETURN(PlanPtr rows, analyzer_.query(all));
  auto inner = std::make_shared<Plan>(*rows);
  inner->relation = analyzer_.new_relation();
  Type bytes(TypeKind::varbinary);
  auto select = std::make_shared<Plan>();
  select->kind = Plan::Kind::select;
  std::vector<OutputColumn> outputs;
  for (const auto& [column, hash] : columns) {
    BoundPtr value = make_column(inner->relation, column, rows->fields[column].type);
    BoundPtr hashed = make_call(Type(TypeKind::bigint), hash, {std::move(value)});
    select->items.push_back(make_call(bytes, "aichemy_smallest_hashes({0})", {std::move(hashed)}));
    outputs.push_back({fmt::format("c{}", column), bytes});
    select->fields.push_back({outputs.back().name, bytes});
  }
  select->inputs.push_back(std::move(inner));
  std::vector<std::shared_ptr<void>> scans;
  RETURN_IF_ERROR(analyzer_.plan_scans(scans));
  ASSIGN_OR_RETURN(auto answer, options_.engine.execute(call_, render(*select, render_options()),
                                                        std::move(outputs), std::move(scans)));
  ASSIGN_OR_RETURN(Page page, answer->next_page(SIZE_MAX));
  ASSIGN_OR_RETURN(Json json, Json::parse(page.rows_json));
  std::vector<DistinctHashes> out;
  for (size_t i = 0; i < columns.size(); ++i) {
    ASSIGN_OR_RETURN(auto hashes, hashes_of(json.as_array()[0].as_array()[i]));
    out.push_back({columns[i].column, std::move(hashes)});
  }
  return out;
}

Result<StatementResult> StatementRun::analyze_table(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
  if (view) return semantic_error("NOT_SUPPORTED", s.at, "Analyzing views is not supported");
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  if (!table) return no_such_table(s, name, "");
  RETURN_IF_ERROR(allowed(Action::insert, name));
  std::optional<std::vector<std::string>> wanted;
  for (const auto& [property, value] : s.properties) {
    if (property.lower() != "columns") {
      return semantic_error("INVALID_ANALYZE_PROPERTY", property.at,
                            fmt::format("Catalog '{}' analyze property '{}' does not exist",
                                        name.catalog, property.lower()));
    }
    if (!value) continue;
    ASSIGN_OR_RETURN(Properties made, properties(s.properties));
    ASSIGN_OR_RETURN(Json list, Json::parse(made["columns"]));
    wanted.emplace();
    for (const Json& column : list.as_array()) wanted->emplace_back(column.as_string());
    if (wanted->empty()) {
      return fail(Code::invalid, "INVALID_ANALYZE_PROPERTY",
                  "Cannot specify empty list of columns for analysis");
    }
  }
  std::vector<DistinctHashes> analysed;
  std::string unknown;
  for (const std::string& column : wanted.value_or(std::vector<std::string>())) {
    bool known = std::ranges::any_of(table->columns, [&](const auto& info) {
      return info.name == column && !info.hidden && hash_call(info.type);
    });
    if (!known) unknown += (unknown.empty() ? "" : ", ") + column;
  }
  if (!unknown.empty()) {
    return fail(Code::invalid, "INVALID_ANALYZE_PROPERTY",
                fmt::format("Invalid columns specified for analysis: [{}]", unknown));
  }
  ASSIGN_OR_RETURN(TableStatistics before, name.connector->statistics(call_, table));
  if (!name.connector->keeps_statistics()) {
    return semantic_error("NOT_SUPPORTED", s.at, "This connector does not support analyze");
  }
  std::vector<HashedColumn> hashed;
  for (size_t i = 0; i < table->columns.size(); ++i) {
    const ColumnInfo& column = table->columns[i];
    auto hash = column.hidden ? std::nullopt : hash_call(column.type);
    bool chosen = !wanted || std::ranges::find(*wanted, column.name) != wanted->end();
    if (hash && chosen) hashed.push_back({i, *hash});
  }
  for (std::span<const HashedColumn> rest = hashed; !rest.empty();) {
    auto some = rest.first(std::min(rest.size(), kColumnsAtOnce));
    ASSIGN_OR_RETURN(auto hashes, distinct_hashes(name, some, s.at));
    std::ranges::move(hashes, std::back_inserter(analysed));
    rest = rest.subspan(some.size());
  }
  auto done = name.connector->store_distinct(call_, table, analysed);
  if (!done) return std::unexpected(to_trino_error(done.error()));
  return count_result("ANALYZE", static_cast<uint64_t>(before.rows.value_or(0)));
}

// Whether the user's rows and values are the table's; denied when not even all columns are.
Result<bool> StatementRun::sees_all_rows(const ResolvedName& name, const Table& table) {
  if (!options_.access) return true;
  Identity who{session_.user, session_.roles};
  AccessObject object{name.catalog, name.schema, name.table};
  std::set<std::string> columns;
  for (const auto& column : table.columns) {
    if (!column.hidden) columns.insert(column.name);
  }
  RETURN_IF_ERROR(check_columns(options_.access, who, object, columns, nullptr));
  RowRules rules = options_.access->row_rules(who, object);
  return rules.filters.empty() && rules.masks.empty();
}

Result<StatementResult> StatementRun::show_stats(const Statement& s) {
  TextTable result{stats_columns(), {}};
  auto add = [&](const Json& name, const ColumnStatistics& column) {
    result.rows.push_back({name, number(column.data_size), number(column.distinct_values),
                           number(column.nulls_fraction), Json(), text(column.low),
                           text(column.high)});
  };
  if (s.query) {
    // No estimates are made for queries: unknown is what Trino says where it has none either.
    ASSIGN_OR_RETURN(PlanPtr plan, analyzer_.query(*s.query));
    for (size_t i = 0; i < plan->fields.size(); ++i)
      add(Json(plan->fields[i].name.value_or(fmt::format("_col{}", i))), {});
    ASSIGN_OR_RETURN(auto whole, whole_table(*plan));
    if (whole) {
      result.rows.clear();
      for (size_t i = 0; i < whole->columns.size(); ++i)
        add(Json(plan->fields[i].name.value_or(fmt::format("_col{}", i))), whole->columns[i]);
    }
    result.rows.push_back({Json(), Json(), Json(), Json(),
                           number(whole ? whole->rows : std::nullopt), Json(), Json()});
    return table_result(std::move(result), "SELECT");
  }
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  if (!table) {
    ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
    if (!view) return no_such_table(s, name, "");
    for (const auto& column : view->columns) add(Json(column.name), {});
    result.rows.push_back({Json(), Json(), Json(), Json(), Json(), Json(), Json()});
    return table_result(std::move(result), "SELECT");
  }
  ASSIGN_OR_RETURN(bool all_rows, sees_all_rows(name, *table));
  TableStatistics known;
  if (all_rows) {
    ASSIGN_OR_RETURN(known, name.connector->statistics(call_, table));
  }
  size_t at = 0;
  for (const auto& column : table->columns) {
    if (column.hidden) continue;
    add(Json(column.name), at < known.columns.size() ? known.columns[at] : ColumnStatistics{});
    ++at;
  }
  result.rows.push_back({Json(), Json(), Json(), Json(), number(known.rows), Json(), Json()});
  return table_result(std::move(result), "SELECT");
}

// The statistics of a query that is columns of one table and nothing else.
Result<std::optional<TableStatistics>> StatementRun::whole_table(const Plan& plan) {
  bool plain = plan.kind == Plan::Kind::select && plan.inputs.size() == 1 && !plan.where &&
               !plan.having && !plan.grouped && !plan.distinct && !plan.limit && !plan.offset &&
               plan.inputs[0]->kind == Plan::Kind::scan;
  if (!plain) return std::optional<TableStatistics>();
  const Plan& scan = *plan.inputs[0];
  ASSIGN_OR_RETURN(TableStatistics known, scan.connector->statistics(call_, scan.table));
  TableStatistics made;
  made.rows = known.rows;
  for (const auto& item : plan.items) {
    if (item->kind != Bound::Kind::column || item->relation != scan.relation)
      return std::optional<TableStatistics>();
    made.columns.push_back(item->index < known.columns.size() ? known.columns[item->index]
                                                              : ColumnStatistics{});
  }
  return std::optional(std::move(made));
}

}  // namespace aichemy::sql
