// Access rules in the JSON of Trino's file-based access control: first match wins in each section,
// a section that is missing restricts nothing (functions, procedures, authorization and
// impersonation excepted, as there). Patterns are regular expressions over the whole name.
//
// Thread safe: immutable once read.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sql/analysis/access.h"

namespace aichemy::sql {

// invalid ("access_rules"), naming section and rule, for a key or a value that is not known:
// nothing that was meant to protect is passed over.
Result<std::unique_ptr<AccessControl>> read_access_rules(std::string_view json);

}  // namespace aichemy::sql
