// Literals' texts: checked, typed, and turned into the text DuckDB reads for the physical form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/types/type.h"

namespace aichemy::sql {

struct Literal {
  Type type;
  std::string text;  // dates, times and timestamps: moment_code()
};

size_t code_points(std::string_view text);
// 1.50 -> decimal(3,2); leading zeros do not count. invalid when over 38 digits.
Result<Literal> decimal_literal(std::string_view text);
// DATE '...', TIMESTAMP '...', UUID '...' and so on; precision comes from the text.
Result<Literal> typed_literal(const Type& type, std::string_view text,
                              const std::string& time_zone);
Result<Literal> interval_literal(std::string_view text, const std::string& from,
                                 const std::string& to, bool negative);
// CURRENT_DATE, CURRENT_TIMESTAMP, ... of a statement that started at this instant.
Result<Literal> now_literal(std::string_view name, int precision, int64_t utc_micros,
                            const std::string& time_zone);
}  // namespace aichemy::sql
