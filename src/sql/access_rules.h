// Access rules in the JSON of Trino's file-based access control: first match wins in each section,
// a section that is missing restricts nothing (functions, procedures, authorization and
// impersonation excepted, as there). Patterns are regular expressions over the whole name.
//
// Thread safe: immutable once read.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "sql/analysis/access.h"

namespace aichemy::sql {

// The groups of each user that has some.
using UserGroups = std::map<std::string, std::set<std::string>>;

// The text of Trino's file group provider: lines of group:user,user; empty ones and those that
// begin with # say nothing. invalid ("groups"), naming the line.
Result<UserGroups> read_user_groups(std::string_view text);

// invalid ("access_rules"), naming section and rule, for a key or a value that is not known:
// nothing that was meant to protect is passed over.
Result<std::unique_ptr<AccessControl>> read_access_rules(std::string_view json,
                                                         UserGroups groups = {});

}  // namespace aichemy::sql
