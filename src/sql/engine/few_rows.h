// The answer of a statement that has few rows, whole. Private to the module.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "sql/engine/engine.h"

namespace aichemy::sql {

// An array of arrays of values.
inline Result<Json> rows_of(Engine& engine, const Call& call, const std::string& sql,
                            std::vector<OutputColumn> columns) {
  constexpr size_t kPageBytes = 4 << 20;
  ASSIGN_OR_RETURN(auto stream, engine.execute(call, sql, std::move(columns), {}));
  Json all = Json::array();
  for (bool done = false; !done;) {
    ASSIGN_OR_RETURN(Page page, stream->next_page(kPageBytes));
    ASSIGN_OR_RETURN(Json rows, Json::parse(page.rows_json));
    for (const Json& row : rows.as_array()) all.push(row);
    done = page.done;
  }
  return all;
}

}  // namespace aichemy::sql
