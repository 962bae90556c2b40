// A query's rows as one Parquet file.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/language/lexer.h"
#include "sql/query_registry.h"
#include "sql/statement.h"

namespace aichemy::sql {
namespace {

constexpr int kFileMicros = 6, kFileNanos = 9;  // digits that a file's times have

Result<Type> file_type(const Type& type, const std::string& column);

// Readers tell names apart by their letters, some of them not by their case; the engine neither.
std::string unique_name(const std::optional<std::string>& wanted, size_t index,
                        std::set<std::string>& taken) {
  std::string base =
      wanted && !wanted->empty() ? *wanted : fmt::format("_col{}", index), name = base;
  for (int i = 2; !taken.insert(lower_case(name)).second; ++i) name = fmt::format("{}_{}", base, i);
  return name;
}

Result<Type> nested_type(const Type& type, const std::string& column) {
  Type out = type;
  std::set<std::string> taken;
  for (size_t i = 0; i < out.fields.size(); ++i) {
    Field& field = out.fields[i];
    ASSIGN_OR_RETURN(field.type, file_type(field.type, column));
    if (type.is(TypeKind::row)) field.name = unique_name(field.name, i, taken);
  }
  return out;
}

// What a file holds for a type: the type itself where Parquet has it with all its digits, else its
// text.
Result<Type> file_type(const Type& type, const std::string& column) {
  switch (type.kind) {
    case TypeKind::array:
    case TypeKind::map:
    case TypeKind::row: return nested_type(type, column);
    case TypeKind::timestamp:
      if (type.precision > kFileNanos) return Type::varchar();
      return Type(TypeKind::timestamp, type.precision > kFileMicros ? kFileNanos : kFileMicros);
    case TypeKind::timestamp_tz:
      return type.precision > kFileMicros ? Type::varchar()
                                          : Type(TypeKind::timestamp_tz, kFileMicros);
    case TypeKind::time:
      return type.precision > kFileMicros ? Type::varchar() : Type(TypeKind::time, kFileMicros);
    case TypeKind::unknown:
    case TypeKind::char_:
    case TypeKind::number:
    case TypeKind::time_tz:
    case TypeKind::interval_year_month:
    case TypeKind::interval_day_time:
    case TypeKind::ipaddress: return Type::varchar();
    case TypeKind::hyperloglog:
    case TypeKind::tdigest:
    case TypeKind::qdigest:
    case TypeKind::set_digest: return Type(TypeKind::varbinary);
    case TypeKind::geometry:
    case TypeKind::spherical_geography:
    case TypeKind::bing_tile:
    case TypeKind::variant:
    case TypeKind::color:
    case TypeKind::function:
      return fail(Code::unsupported, "NOT_SUPPORTED",
                  fmt::format("Column {} has type {}, which a Parquet file has no place for: cast it",
                              column, type.display()));
    default: return type;
  }
}

FieldId field_id(const Type& type, int32_t& next) {
  FieldId out{++next, {}};
  for (const Field& field : type.fields) out.children.push_back(field_id(field.type, next));
  return out;
}

}  // namespace

Result<StatementResult> StatementRun::export_rows(PlanPtr plan) {
  InsertTarget target;
  target.location = export_to_;
  std::vector<Type> types;
  std::set<std::string> taken;
  int32_t id = 0;
  for (size_t i = 0; i < plan->fields.size(); ++i) {
    WriteColumn column;
    column.name = unique_name(plan->fields[i].name, i, taken);
    ASSIGN_OR_RETURN(column.type, file_type(plan->fields[i].type, column.name));
    column.field_id = field_id(column.type, id);
    types.push_back(column.type);
    target.columns.push_back(std::move(column));
  }
  plan = analyzer_.cast_columns(std::move(plan), types);
  std::vector<std::shared_ptr<void>> scans;
  RETURN_IF_ERROR(analyzer_.plan_scans(scans));
  std::string select = render_for_write(*plan, target.columns, render_options());
  if (options_.queries) options_.queries->executing(session_.query_id);
  ASSIGN_OR_RETURN(Engine * by, engine());
  ASSIGN_OR_RETURN(auto files, by->write(call_, select, target, std::move(scans)));
  StatementResult result;
  result.query_type = "SELECT";
  for (auto& file : files) {
    result.update_count = result.update_count.value_or(0) + static_cast<int64_t>(file.rows);
    result.files.push_back(std::move(file.path));
  }
  return result;
}

}  // namespace aichemy::sql
