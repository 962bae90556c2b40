// The path language of SQL/JSON (ISO 9075-2, 9.39): "lax $.a[*] ? (@.b > 3)".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/types/json_node.h"

namespace aichemy::sql {

struct JsonPathStep;
using JsonPathPtr = std::unique_ptr<JsonPathStep>;

struct JsonPathStep {
  enum class Kind : uint8_t {
    // values
    context,     // $
    variable,    // $name
    current,     // @
    last,        // inside [ ]
    literal,     // value
    member,      // args[0] . text
    members,     // args[0] . *
    descendant,  // args[0] .. text
    subscript,   // args[0] [ranges: args[1..] in pairs from, to; `to` may be null]
    items,       // args[0] [*]
    filter,      // args[0] ? (args[1])
    method,      // args[0] . text()
    arithmetic,  // text + - * / %, args; one argument: sign
    // predicates
    compare,      // text, args
    and_,         // args
    or_,          // args
    not_,         // args[0]
    exists,       // args[0]
    is_unknown,   // args[0]
    starts_with,  // args
    like_regex,   // args[0], text: pattern, flags
  };
  Kind kind = Kind::context;
  std::string text, flags;
  JsonNode value;
  std::vector<JsonPathPtr> args;
};

struct JsonPath {
  bool strict = false;
  JsonPathPtr root;
};

// invalid ("SYNTAX_ERROR"; "INVALID_PATH": a regular expression that XQuery does not know).
Result<JsonPath> parse_json_path(std::string_view text);

}  // namespace aichemy::sql
