#include <string>
#include <string_view>

#include "sql/analysis/renderer.h"

namespace aichemy::sql {

std::string quote_text(std::string_view text) {
  std::string out = "'";
  bool nul = false;
  for (char c : text) {
    if (c == '\0') {  // SQL text ends at a NUL: built from its code instead
      out += "' || chr(0) || '";
      nul = true;
      continue;
    }
    if (c == '\'') out += '\'';
    out += c;
  }
  out += "'";
  return nul ? "(" + out + ")" : out;
}

std::string quote_name(std::string_view name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace aichemy::sql
