// Trino's functions as rows: name, signature, kind, DuckDB template, and one example with its
// result that a test walks. SHOW FUNCTIONS and docs/sql/functions.md come from the same rows.
//
// Signatures: "array(T), bigint -> T". T U K V R S are type variables; `varchar` takes any varchar,
// `timestamp6` those up to microseconds, `decimal` any decimal, `$0` as result is the type of
// argument 0; "T..." repeats; function(T, R) is a lambda T -> R. Templates: see Bound::Kind.
// trino_* names are macros of the prelude (sql/native/prelude.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/types/type.h"

namespace aichemy::sql {

enum class FunctionKind : uint8_t { scalar, aggregate, window };

struct FunctionRow {
  const char* name;
  FunctionKind kind;
  const char* signature;
  const char* text;           // template
  const char* example = "";   // a Trino expression
  const char* expected = "";  // its value, as JSON
};

const std::vector<FunctionRow>& scalar_functions_text();
const std::vector<FunctionRow>& scalar_functions_number();
const std::vector<FunctionRow>& scalar_functions_time();
const std::vector<FunctionRow>& scalar_functions_bytes();
const std::vector<FunctionRow>& scalar_functions_nested();
const std::vector<FunctionRow>& scalar_functions_statistics();
const std::vector<FunctionRow>& functions_geo();  // of every kind
const std::vector<FunctionRow>& aggregate_functions();
// All rows with this name (lower case).
std::vector<const FunctionRow*> functions_named(std::string_view name);
std::vector<const FunctionRow*> all_functions();

// A parameter or result of a signature.
struct Pattern {
  enum class Kind : uint8_t { type, any_length, variable, same_as, nested } kind = Kind::type;
  Type type;  // type, any_length: its kind counts
  char variable = 0;
  size_t argument = 0;                   // same_as
  int precision_max = Type::kUnbounded;  // any_length: of times and timestamps
  TypeKind nested = TypeKind::array;
  std::vector<Pattern> children;
};
struct Signature {
  std::vector<Pattern> parameters;
  bool variadic = false;  // the last parameter repeats
  Pattern result;
};
// Parsed once per row; rows are checked by a test.
Result<Signature> parse_signature(std::string_view text);

}  // namespace aichemy::sql
