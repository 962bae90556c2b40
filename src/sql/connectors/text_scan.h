// Rows made on the spot that are too many to be written into a statement: the listings of many
// tables in information_schema and system.jdbc, the files of a table.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sql/connectors/scan_registry.h"
#include "sql/types/type.h"

namespace aichemy::sql {

// Cells as in RowScan, those of a nested type JSON: arrays, rows as arrays of their fields, maps
// as arrays of pairs, scalars in them as texts. Instants are told in UTC ("... UTC"), bytes in
// hex.
struct TextScan {
  std::vector<Type> types;
  std::vector<std::vector<std::optional<std::string>>> rows;
};

inline bool is_scalar_text(const Type& type) {
  return type.is(TypeKind::varchar) || type.is(TypeKind::boolean) || type.is_integer() ||
         type.is(TypeKind::double_);
}

class TextScans : public ScanRegistry<TextScan> {
 public:
  TextScans() : ScanRegistry("text_scan", "rows-") {}
};

}  // namespace aichemy::sql
