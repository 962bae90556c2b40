// What an Avro file begins with: for those who read its blocks one by one.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tables/avro_file.h"
#include "tables/avro_schema.h"

namespace aichemy::tables {

inline constexpr size_t kAvroSyncBytes = 16;

struct AvroHeader {
  std::map<std::string, std::string, std::less<>> metadata;
  AvroNode schema;
  AvroCodec codec = AvroCodec::null;
  std::string sync;  // kAvroSyncBytes, after each block
  size_t bytes = 0;
};

// corrupt ("avro"), also when `prefix` does not hold all of it; unsupported ("avro_codec").
Result<AvroHeader> read_avro_header(std::string_view prefix);

}  // namespace aichemy::tables
