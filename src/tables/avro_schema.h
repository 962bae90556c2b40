// Avro schemas as a tree of nodes that a decoder walks. Iceberg finds fields by their "field-id"
// attribute (lists by "element-id", int-keyed maps are arrays of key-value records), Hive by their
// names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tables/types.h"

namespace aichemy::tables {

enum class AvroKind : uint8_t {
  null,
  boolean,
  int_,
  long_,
  float_,
  double_,
  bytes,
  string,
  fixed,
  enum_,
  record,
  array,
  map,
  union_,
};

struct AvroNode {
  AvroKind kind = AvroKind::null;
  int field_id = -1;               // of a record's field; element-id of an array's element
  std::string name;                // of a record's field
  uint32_t fixed_size = 0;         // of a long: 1000 when it is a timestamp in milliseconds
  std::vector<AvroNode> children;  // fields, element, value, branches; an enum's symbols, as names
  Type type;                       // the Iceberg type of a primitive, from kind and logicalType
};

// corrupt ("avro") when broken, or nested beyond 64 levels, or recursive.
Result<AvroNode> avro_schema_from_json(const Json& json);

}  // namespace aichemy::tables
