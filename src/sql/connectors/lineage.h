// Who a row is, whatever rewrites it (Iceberg spec, "Row Lineage", format version 3). A file holds
// two columns under reserved ids; where one is missing or null the row inherits: its id from the
// file's first one and its position, the last change from the file's sequence number.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aichemy::sql {

inline constexpr int32_t kRowIdField = 2147483540;
inline constexpr int32_t kLastUpdatedField = 2147483539;

// Columns of a scan, behind the table's own, in this order: what files hold, what rows inherit. The
// latter are constants of a file under ids that no table can have.
enum class LineageColumn : uint8_t { row_id, last_updated, first_row_id, file_sequence };
inline constexpr int32_t kLineageFields[] = {kRowIdField, kLastUpdatedField, 2147483500,
                                             2147483499};

}  // namespace aichemy::sql
