// A typed plan as DuckDB SQL: the only place that writes SQL text. Everything that came from a user
// is quoted or a number; no name of a user reaches the engine, except the column names a write
// needs.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sql/analysis/plan.h"
#include "sql/connectors/connector.h"

namespace aichemy::sql {

struct RenderOptions {
  std::string time_zone = "UTC";  // of the session: casts between timestamps with and without zone
  int64_t start_seconds = 0;      // of the statement, since 1970: what day it is
  std::string language = "en-US";
};

// A query whose columns are c0, c1, ...
std::string render(const Plan& plan, const RenderOptions& options);
// The same with the target's column names and row field names.
std::string render_for_write(const Plan& plan, const std::vector<WriteColumn>& columns,
                             const RenderOptions& options);
// The rows of a rewrite's scan as they are, under the target's names; columns of lineage.h from
// `lineage_from` on.
std::string render_rewrite(const std::vector<WriteColumn>& columns, const EngineScan& scan,
                           size_t lineage_from);
// The rows of a ChangePlan that the engine keeps and that are written, with those that stay of the
// files to be rewritten.
struct KeptRender {
  const EngineScan* rewritten = nullptr;  // ChangeWork
  const EngineScan* changed = nullptr;
  std::set<size_t> later;  // columns that come from `changed` where a row is updated
  size_t path_column = 0;  // of both scans
  // Of both scans, when the target keeps its rows' lineage (connectors/lineage.h).
  size_t lineage_from = 0;
};
std::string render_kept_for_write(const std::vector<WriteColumn>& columns, const KeptRender& kept);
std::string render_expression(const Bound& value, const RenderOptions& options);
std::string quote_text(std::string_view text);
std::string quote_name(std::string_view name);

}  // namespace aichemy::sql
