// Rows of a statement as text: what `aichemy sql` prints. One table of formats.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/client_session.h"

namespace aichemy::app {

struct SqlOutput {
  std::string_view name;  // "csv"
  std::string_view meaning;
  void (*print)(const SqlRows& rows, std::string& out);
};

const std::vector<SqlOutput>& sql_outputs();
// nullptr when there is no such format.
const SqlOutput* find_sql_output(std::string_view name);
std::string sql_output_names();  // "table, csv, ..."

}  // namespace aichemy::app
