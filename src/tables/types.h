// Types, fields and schemas of tables: Iceberg's type system, which every other format maps onto.
// Columns are identified by field id, never by name or position: that is what survives renames and
// reordering.
//
// A Type is a value. Nested types keep their children in `fields`: a struct its fields, a list one
// field named "element", a map two fields named "key" and "value".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace aichemy::tables {

enum class TypeKind : uint8_t {
  boolean,
  int32,
  int64,
  float32,
  float64,
  decimal,         // precision, scale
  date,            // days since 1970-01-01
  time,            // microseconds since midnight
  timestamp,       // microseconds, no zone
  timestamptz,     // microseconds, UTC instant
  timestamp_ns,    // format version 3
  timestamptz_ns,  // format version 3
  string,
  uuid,
  fixed,  // length
  binary,
  struct_,
  list,
  map,
  unknown,  // format version 3: always null
  variant,  // format version 3: read is refused by name
};

struct Field;

struct Type {
  TypeKind kind = TypeKind::unknown;
  int precision = 0;  // decimal
  int scale = 0;      // decimal
  int length = 0;     // fixed
  std::vector<Field> fields;

  bool is_nested() const {
    return kind == TypeKind::struct_ || kind == TypeKind::list || kind == TypeKind::map;
  }
  bool operator==(const Type& other) const;
};

struct Field {
  int id = 0;
  std::string name;
  bool required = false;
  Type type;
  std::string doc;
  std::optional<Json> initial_default;  // single-value JSON (Iceberg spec, appendix D)
  std::optional<Json> write_default;

  bool operator==(const Field& other) const = default;
};

Type primitive(TypeKind kind);
Type decimal_type(int precision, int scale);
Type fixed_type(int length);
Type list_type(int element_id, Type element, bool element_required);
Type map_type(int key_id, Type key, int value_id, Type value, bool value_required);
Type struct_type(std::vector<Field> fields);

class Schema {
 public:
  int id = 0;
  std::vector<Field> fields;
  std::vector<int> identifier_field_ids;

  // nullptr when absent. By id: at any depth. By name: dotted path; case sensitive first, then,
  // when `ignore_case`, the only field that matches without case.
  const Field* find(int field_id) const;
  const Field* find(std::string_view path, bool ignore_case = false) const;
  // Dotted path of a field at any depth, "" when absent.
  std::string path_of(int field_id) const;
  int highest_field_id() const;
  // Same columns, whatever the schema id.
  bool same_fields(const Schema& other) const {
    return fields == other.fields && identifier_field_ids == other.identifier_field_ids;
  }
};

// Canonical text of a primitive type ("decimal(9, 2)", "fixed[16]"); nested: "struct<...>" for
// messages.
std::string type_text(const Type& type);

// Iceberg's JSON forms (spec, appendix C). corrupt ("schema") on anything broken, unsupported
// ("type") on a type name we do not know, nesting beyond 64 levels or more than 100,000 fields.
Result<Type> type_from_json(const Json& json);
Json type_to_json(const Type& type);
Result<Schema> schema_from_json(const Json& json);
Json schema_to_json(const Schema& schema);

// A copy with new ids in Iceberg's order (all fields of a level before their children), starting
// after *last_id, which ends as the highest one given. identifier_field_ids follow.
Schema with_fresh_ids(const Schema& schema, int* last_id);

// Whether values written as `from` may be read as `to` (int to long, float to double, wider
// decimals).
bool can_promote(const Type& from, const Type& to);

}  // namespace aichemy::tables
