// How files of ORC and Avro are written: what HiveLayout::description says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/hive/hive_serde.h"
#include "sql/types/type.h"

namespace aichemy::sql {

struct HiveFileFormat {
  struct Column {
    std::string name;
    Type type;
  };
  HiveFormat format = HiveFormat::orc;
  std::string codec;  // zlib, snappy, lz4, zstd, none; Avro: null, deflate, snappy, zstandard
  std::vector<Column> columns;
  std::string avro_schema;           // of the records; "" for ORC
  uint64_t stripe_bytes = 32 << 20;  // of ORC: what a writer keeps in memory

  std::string text() const;
  static Result<HiveFileFormat> from_text(std::string_view text);
};

// From a table's columns and parameters (orc.compress, avro.output.codec, avro.schema.literal).
// invalid ("HIVE_INVALID_METADATA"), unsupported ("NOT_SUPPORTED").
Result<HiveFileFormat> file_format_of(HiveFormat format, const wire::hive::Table& table);

}  // namespace aichemy::sql
