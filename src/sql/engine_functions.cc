#include "sql/engine_functions.h"

namespace aichemy::sql {

std::string_view engine_prelude() { return "SELECT 1;"; }

}  // namespace aichemy::sql
