#include "sql/analysis/render_aggregate.h"

#include <fmt/format.h>

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

}  // namespace aichemy::sql
