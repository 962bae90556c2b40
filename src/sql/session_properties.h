// System session properties: accepted, stored by the client, shown. Those that mean something here
// take effect; the others are there because clients and dashboards set them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/types/type.h"

namespace aichemy::sql {

struct SessionProperty {
  const char* name;
  const char* type;     // varchar, boolean, integer, bigint, double
  const char* value;    // default
  const char* allowed;  // comma list for enumerations, or ""
  const char* description;
};

const std::vector<SessionProperty>& session_properties();
// catalog.property names are taken as they are.
bool is_session_property(std::string_view name);
Status check_session_value(std::string_view name, const Type& type, const std::string& value);

}  // namespace aichemy::sql
