#include "sql/analysis/render_aggregate.h"

#include <fmt/format.h>

#include "sql/analysis/render_literal.h"

namespace aichemy::sql {

std::string render_decimal_average(const Bound& call, const std::string& sum,
                                   const std::string& count) {
  return fmt::format(
      "CAST(aichemy_decimal_divide({}, CAST({} AS DECIMAL(19,0)), CAST(0 AS DECIMAL(38,{}))) AS "
      "{})",
      sum, count, call.args[0]->type.scale, physical_type(call.type));
}

std::string render_frame_bound(BoundKind kind, const std::string& amount) {
  switch (kind) {
    case BoundKind::unbounded_preceding: return "UNBOUNDED PRECEDING";
    case BoundKind::preceding: return amount + " PRECEDING";
    case BoundKind::current_row: return "CURRENT ROW";
    case BoundKind::following: return amount + " FOLLOWING";
    case BoundKind::unbounded_following: return "UNBOUNDED FOLLOWING";
  }
  return "CURRENT ROW";
}

std::string_view without_nan(std::string_view text, const std::vector<BoundPtr>& args) {
  auto of_doubles = [&](size_t i) {
    return i < args.size() &&
           (args[i]->type.is(TypeKind::double_) || args[i]->type.is(TypeKind::real));
  };
  if (text == "max@({0})@" && of_doubles(0))
    return "COALESCE(max@(CASE WHEN isnan({0}) THEN NULL ELSE {0} END)@, max@({0})@)";
  if (text != "arg_max_null@({0}, {1})@" || !of_doubles(1)) return text;
  return "CASE WHEN max@(CASE WHEN isnan({1}) THEN NULL ELSE {1} END)@ IS NULL THEN "
         "arg_max_null@({0}, {1})@ ELSE arg_max_null@({0}, CASE WHEN isnan({1}) THEN NULL ELSE {1} "
         "END)@ END";
}

namespace {

// key: of the ORDER BY; the engine counts intervals as plain numbers when it is one.
std::string bound(BoundKind kind, const BoundPtr& value, const Type& key,
                  const WindowForms& forms) {
  std::string amount;
  if (value) {
    std::string check = forms.in_try ? with_try_macros("trino_frame(") : "trino_frame(";
    amount = value->kind == Bound::Kind::literal ? forms.expression(*value)
                                                 : check + forms.expression(*value) + ")";
    bool plain = key.kind == value->type.kind;
    if (value->type.is(TypeKind::interval_day_time) && !plain)
      amount = fmt::format("to_microseconds({} * 1000)", amount);
    if (value->type.is(TypeKind::interval_year_month) && !plain)
      amount = fmt::format("to_months({})", amount);
  }
  return render_frame_bound(kind, amount);
}

}  // namespace

std::string render_window(const BoundWindow& over, const WindowForms& forms) {
  std::string out;
  for (const auto& key : over.partition_by)
    out += (out.empty() ? "PARTITION BY " : ", ") + forms.expression(*key);
  if (!over.order_by.empty())
    out += (out.empty() ? "" : " ") + ("ORDER BY " + forms.sorts(over.order_by));
  if (over.unit.empty()) return out;
  Type key = over.order_by.empty() ? Type() : over.order_by[0].key->type;
  return out + fmt::format(" {} BETWEEN {} AND {}", over.unit,
                           bound(over.start, over.start_value, key, forms),
                           over.end ? bound(*over.end, over.end_value, key, forms) : "CURRENT ROW");
}

}  // namespace aichemy::sql
