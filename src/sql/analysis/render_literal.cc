#include "sql/analysis/render_literal.h"

#include <fmt/format.h>

#include <cctype>

#include "base/bytes.h"
#include "sql/analysis/render_moment.h"
#include "sql/analysis/renderer.h"

namespace aichemy::sql {

std::string render_literal(const Bound& value) {
  std::string type = physical_type(value.type);
  if (value.null)
    return value.type.is(TypeKind::unknown) ? "NULL" : fmt::format("CAST(NULL AS {})", type);
  switch (value.type.kind) {
    case TypeKind::boolean: return value.text == "true" ? "TRUE" : "FALSE";
    case TypeKind::number:
    case TypeKind::ipaddress:
    case TypeKind::varbinary: return fmt::format("unhex('{}')", to_hex(value.text));
    case TypeKind::varchar:
    case TypeKind::char_: return fmt::format("CAST({} AS VARCHAR)", quote_text(value.text));
    case TypeKind::json: return fmt::format("CAST({} AS VARCHAR)", quote_text(value.text));
    default:
      if (is_moment(value.type)) return render_moment(value.type, value.text);
      return fmt::format("CAST({} AS {})", quote_text(value.text), type);
  }
}

std::string column_names(size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += fmt::format("{}c{}", i ? ", " : "", i);
  return out;
}

std::string with_try_macros(const std::string& text) {
  std::string out;
  size_t from = 0;
  while (true) {
    size_t at = text.find("trino_", from);
    if (at == std::string::npos) return out + text.substr(from);
    bool starts = at == 0 || !(std::isalnum(static_cast<unsigned char>(text[at - 1])) ||
                               text[at - 1] == '_' || text[at - 1] == '\'');
    out += text.substr(from, at - from) +
           (starts && text.compare(at, 10, "trino_try_") != 0 ? "trino_try_" : "trino_");
    from = at + 6;
  }
}

}  // namespace aichemy::sql
