// The console's API as data: record types, routes, and what is made of them. One table of each
// (api_tables.cc) yields the dispatch, the check of every request, the OpenAPI document and, from
// that, the console's TypeScript types.
//
// Kinds are words: string, integer, number, boolean, map (of strings), any, or the name of a
// record; "[]" behind means a list, "?" behind that it may be missing or null.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace aichemy::serve::console {

enum class Role : uint8_t { nobody, viewer, operator_, admin };  // nobody: no login needed
std::string_view role_name(Role role);                           // "viewer"
Role role_from(std::string_view name);                           // nobody when unknown

struct Field {
  const char* name;
  const char* kind;
  const char* about = "";
};

struct RecordType {
  const char* name;
  std::vector<Field> fields;
};

const std::vector<RecordType>& record_types();
const RecordType* find_record_type(std::string_view name);

// Query parameters of a route, or a request's members: "name:kind name:kind?".
std::vector<std::pair<std::string, std::string>> parse_parameters(std::string_view text);

// invalid ("request") naming the member: unknown, missing, or of another kind.
Status check_record(const Json& value, std::string_view type, const std::string& where = "");
// Query parameters that a route knows: integers are whole numbers, booleans true or false.
Status check_parameters(const std::map<std::string, std::string>& given, std::string_view known);

Json openapi_document(std::string_view version);

}  // namespace aichemy::serve::console
