// Recursive descent over the token list; operators by precedence climbing. Bounded: nesting deeper
// than kNestingMax, or a chain of operators longer than kHeightMax, is an error and not a stack
// overflow.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "sql/language/ast.h"

namespace aichemy::sql {

inline constexpr int kNestingMax = 200;
inline constexpr int kHeightMax = 800;  // below the engine's own limit of 1,000
inline constexpr size_t kStatementBytesMax = 16 << 20;

// One statement; a single trailing semicolon is allowed. Errors: SYNTAX_ERROR with "line L:C: ".
Result<std::unique_ptr<Statement>> parse_statement(std::string_view sql);
// A stored routine: FUNCTION name(...) RETURNS ....
Result<InlineFunction> parse_routine(std::string_view sql);
// catalog.schema, schema, ...: what SET PATH takes; empty text: none.
Result<std::vector<QualifiedName>> parse_path(std::string_view text);
// One expression (routines, tests).
Result<ExpressionPtr> parse_expression(std::string_view sql);

}  // namespace aichemy::sql
