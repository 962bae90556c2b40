#include "sql/serde/avro_columns.h"

#include <fmt/format.h>

#include <limits>
#include <set>

#include "base/bytes.h"
#include "sql/engine/duckdb_file_system.h"
#include "sql/native/duckdb_type.h"
#include "sql/serde/file_rows.h"

namespace aichemy::sql {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;
using tables::AvroCursor;
using tables::AvroKind;
using tables::AvroNode;

constexpr const char* kKinds[] = {"null",   "boolean", "int",    "long",  "float",
                                  "double", "bytes",   "string", "fixed", "enum",
                                  "record", "array",   "map",    "union"};
constexpr int64_t kMicrosMax = 9'000'000'000'000'000'000;

std::unexpected<Error> damaged(const std::string& what) {
  return fail(Code::corrupt, "avro", what);
}

bool is_logical(const AvroNode& node, tables::TypeKind kind) { return node.type.kind == kind; }

bool is_millis(const AvroNode& node) {
  return node.kind == AvroKind::long_ && node.fixed_size == 1000;
}

bool is_time(const AvroNode& node) {
  using enum tables::TypeKind;
  return is_millis(node) || is_logical(node, timestamp) || is_logical(node, timestamptz) ||
         is_logical(node, timestamp_ns) || is_logical(node, timestamptz_ns);
}

bool is_readable(const AvroNode& node, const Type& type) {
  bool floating = type.is(TypeKind::real) || type.is(TypeKind::double_);
  switch (node.kind) {
    case AvroKind::null: return true;
    case AvroKind::boolean: return type.is(TypeKind::boolean);
    case AvroKind::int_:
      if (is_logical(node, tables::TypeKind::date)) return type.is(TypeKind::date);
      return type.is_integer() || floating;
    case AvroKind::long_:
      if (type.is(TypeKind::timestamp)) return is_time(node);
      return type.is(TypeKind::bigint) || floating;
    case AvroKind::float_: return floating;
    case AvroKind::double_: return type.is(TypeKind::double_);
    case AvroKind::bytes:
    case AvroKind::fixed:
      if (is_logical(node, tables::TypeKind::decimal)) return type.is(TypeKind::decimal);
      return type.is(TypeKind::varbinary) || type.is_text();
    case AvroKind::string: return type.is_text() || type.is(TypeKind::varbinary);
    case AvroKind::enum_: return type.is_text();
    case AvroKind::record: return type.is(TypeKind::row);
    case AvroKind::array: return type.is(TypeKind::array);
    case AvroKind::map: return type.is(TypeKind::map) && type.key().is_text();
    case AvroKind::union_: return false;  // of unions
  }
  return false;
}

template <class T>
Status put_fixed(int64_t value, duckdb::Vector& out, idx_t row) {
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
    return damaged(fmt::format("{} is out of the range of its column", value));
  FlatVector::GetData<T>(out)[row] = static_cast<T>(value);
  return {};
}

void put_double(double value, const Type& type, duckdb::Vector& out, idx_t row) {
  if (type.is(TypeKind::real))
    FlatVector::GetData<float>(out)[row] = static_cast<float>(value);
  else
    FlatVector::GetData<double>(out)[row] = value;
}

// Big-endian two's complement, of the file's scale, as a value of the column's.
Status put_decimal(std::string_view bytes, const AvroNode& node, const Type& type,
                   duckdb::Vector& out, idx_t row) {
  while (bytes.size() > 16 && (bytes[0] == 0 || bytes[0] == '\xff')) bytes.remove_prefix(1);
  if (bytes.size() > 16) return damaged("a decimal is out of range");
  unsigned __int128 bits =
      !bytes.empty() && (bytes[0] & 0x80) ? ~static_cast<unsigned __int128>(0) : 0;
  for (char byte : bytes) bits = bits << 8 | static_cast<uint8_t>(byte);
  auto value = static_cast<tables::Int128>(bits);
  tables::Int128 limit = 1;
  for (int i = 0; i < type.precision; ++i) limit *= 10;
  for (int scale = node.type.scale; scale < type.scale; ++scale) {
    if (value >= limit || value <= -limit) break;
    value *= 10;
  }
  tables::Int128 divisor = 1;
  for (int scale = type.scale; scale < node.type.scale && divisor < limit; ++scale) divisor *= 10;
  value = (value + (value < 0 ? -divisor / 2 : divisor / 2)) / divisor;
  if (value >= limit || value <= -limit) return damaged("a decimal is out of the column's range");
  switch (out.GetType().InternalType()) {
    case duckdb::PhysicalType::INT16:
      FlatVector::GetData<int16_t>(out)[row] = static_cast<int16_t>(value);
      return {};
    case duckdb::PhysicalType::INT32:
      FlatVector::GetData<int32_t>(out)[row] = static_cast<int32_t>(value);
      return {};
    case duckdb::PhysicalType::INT64:
      FlatVector::GetData<int64_t>(out)[row] = static_cast<int64_t>(value);
      return {};
    default: {
      auto& huge = FlatVector::GetData<duckdb::hugeint_t>(out)[row];
      huge.lower = static_cast<uint64_t>(value);
      huge.upper = static_cast<int64_t>(value >> 64);
      return {};
    }
  }
}

}  // namespace

Result<std::vector<AvroColumn::Part>> AvroColumn::parts_of(const AvroNode& node, const Type& type,
                                                           const std::string& name) {
  if (!is_readable(node, type)) {
    return damaged(fmt::format("column {} of type {} cannot be read from Avro's {}", name,
                               type.display(), kKinds[static_cast<size_t>(node.kind)]));
  }
  std::vector<Part> parts;
  auto add = [&](const AvroNode& of, const Type& as, size_t field) -> Status {
    ASSIGN_OR_RETURN(AvroColumn column, plan(of, as, name));
    Part& part = parts.emplace_back();
    part.field = field;
    part.column.push_back(std::move(column));
    return {};
  };
  if (node.kind == AvroKind::array) RETURN_IF_ERROR(add(node.children[0], type.element(), 0));
  if (node.kind == AvroKind::map) RETURN_IF_ERROR(add(node.children[0], type.value(), 0));
  if (node.kind != AvroKind::record) return parts;
  for (const AvroNode& child : node.children) {
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < type.fields.size() && found == SIZE_MAX; ++i) {
      if (same_name(type.fields[i].name.value_or(""), child.name)) found = i;
    }
    if (found == SIZE_MAX)
      parts.emplace_back();
    else
      RETURN_IF_ERROR(add(child, type.fields[found].type, found));
  }
  return parts;
}

Result<AvroColumn> AvroColumn::plan(const AvroNode& node, const Type& type,
                                    const std::string& name) {
  AvroColumn out;
  out.type_ = type;
  if (node.kind != AvroKind::union_) {
    ASSIGN_OR_RETURN(auto parts, parts_of(node, type, name));
    out.branches_.push_back(std::move(parts));
    return out;
  }
  for (const AvroNode& branch : node.children) {
    ASSIGN_OR_RETURN(auto parts, parts_of(branch, type, name));
    out.branches_.push_back(std::move(parts));
  }
  return out;
}

Status AvroColumn::put(AvroCursor& cursor, const AvroNode& node, duckdb::Vector& out,
                       idx_t row) const {
  const AvroNode* branch = cursor.enter(node);
  if (!branch) return damaged("a union has no such branch");
  size_t index = branch == &node ? 0 : static_cast<size_t>(branch - node.children.data());
  return put_branch(cursor, *branch, branches_[index], out, row);
}

Status AvroColumn::put_branch(AvroCursor& cursor, const AvroNode& node,
                              const std::vector<Part>& parts, duckdb::Vector& out,
                              idx_t row) const {
  switch (node.kind) {
    case AvroKind::null: FlatVector::SetNull(out, row, true); return {};
    case AvroKind::boolean: FlatVector::GetData<bool>(out)[row] = cursor.read_bool(); return {};
    case AvroKind::int_:
    case AvroKind::long_: return put_number(cursor.read_long(), node, out, row);
    case AvroKind::float_: {
      std::string_view raw = cursor.read_raw(4);
      put_double(raw.empty() ? 0 : load_little<float>(raw.data()), type_, out, row);
      return {};
    }
    case AvroKind::double_: {
      std::string_view raw = cursor.read_raw(8);
      put_double(raw.empty() ? 0 : load_little<double>(raw.data()), type_, out, row);
      return {};
    }
    case AvroKind::fixed: return put_bytes(cursor.read_raw(node.fixed_size), node, out, row);
    case AvroKind::bytes:
    case AvroKind::string: return put_bytes(cursor.read_bytes(), node, out, row);
    case AvroKind::enum_: {
      auto index = static_cast<uint64_t>(cursor.read_long());
      if (index >= node.children.size()) return damaged("an enum has no such symbol");
      put_fitting(out, row, node.children[index].name, type_);
      return {};
    }
    case AvroKind::record: {
      auto& fields = duckdb::StructVector::GetEntries(out);
      for (size_t i = 0; i < fields.size(); ++i) FlatVector::SetNull(*fields[i], row, true);
      for (size_t i = 0; i < node.children.size(); ++i) {
        if (parts[i].field == SIZE_MAX) {
          cursor.skip(node.children[i]);
          continue;
        }
        duckdb::Vector& field = *fields[parts[i].field];
        FlatVector::SetNull(field, row, false);
        RETURN_IF_ERROR(parts[i].column[0].put(cursor, node.children[i], field, row));
      }
      return {};
    }
    case AvroKind::array:
    case AvroKind::map: return put_entries(cursor, node, parts[0].column[0], out, row);
    case AvroKind::union_: break;
  }
  return damaged("a union in a union");
}

Status AvroColumn::put_number(int64_t value, const AvroNode& node, duckdb::Vector& out,
                              idx_t row) const {
  switch (type_.kind) {
    case TypeKind::tinyint: return put_fixed<int8_t>(value, out, row);
    case TypeKind::smallint: return put_fixed<int16_t>(value, out, row);
    case TypeKind::date:
    case TypeKind::integer: return put_fixed<int32_t>(value, out, row);
    case TypeKind::timestamp: {
      bool nanos = is_logical(node, tables::TypeKind::timestamp_ns) ||
                   is_logical(node, tables::TypeKind::timestamptz_ns);
      int64_t micros = value;
      if (nanos) micros = value / 1000 - (value % 1000 < 0);
      if (is_millis(node)) {
        if (value > kMicrosMax / 1000 || value < -kMicrosMax / 1000)
          return damaged("a timestamp is out of range");
        micros = value * 1000;
      }
      if (micros > kMicrosMax || micros < -kMicrosMax)
        return damaged("a timestamp is out of range");
      if (type_.precision == 3) {  // rounded half up
        int64_t rest = ((micros % 1000) + 1000) % 1000;
        micros += rest >= 500 ? 1000 - rest : -rest;
      }
      FlatVector::GetData<duckdb::timestamp_t>(out)[row] = duckdb::timestamp_t(micros);
      return {};
    }
    case TypeKind::real:
    case TypeKind::double_: put_double(static_cast<double>(value), type_, out, row); return {};
    default: return put_fixed<int64_t>(value, out, row);
  }
}

Status AvroColumn::put_bytes(std::string_view bytes, const AvroNode& node, duckdb::Vector& out,
                             idx_t row) const {
  if (type_.is(TypeKind::decimal)) return put_decimal(bytes, node, type_, out, row);
  if (type_.is_text()) {
    put_fitting(out, row, bytes, type_);
  } else {
    FlatVector::GetData<duckdb::string_t>(out)[row] =
        duckdb::StringVector::AddStringOrBlob(out, bytes.data(), bytes.size());
  }
  return {};
}

Status AvroColumn::put_entries(AvroCursor& cursor, const AvroNode& node, const AvroColumn& entry,
                               duckdb::Vector& out, idx_t row) const {
  bool map = node.kind == AvroKind::map;
  idx_t begin = duckdb::ListVector::GetListSize(out), size = begin;
  std::set<std::string_view> keys;
  while (int64_t count = cursor.read_block_count()) {
    for (int64_t i = 0; i < count && !cursor.failed(); ++i) {
      size_t before = cursor.offset();
      duckdb::ListVector::Reserve(out, size + 1);
      if (map) {
        std::string_view key = cursor.read_bytes();
        if (!cursor.failed() && !keys.insert(key).second) return damaged("a map has a key twice");
        put_fitting(duckdb::MapVector::GetKeys(out), size, key, type_.key());
      }
      duckdb::Vector& to =
          map ? duckdb::MapVector::GetValues(out) : duckdb::ListVector::GetEntry(out);
      RETURN_IF_ERROR(entry.put(cursor, node.children[0], to, size));
      if (cursor.offset() == before) return damaged("a list has items without bytes");
      duckdb::ListVector::SetListSize(out, ++size);
    }
    if (cursor.failed()) break;
  }
  FlatVector::GetData<duckdb::list_entry_t>(out)[row] = {begin, size - begin};
  return {};
}

AvroReaderSchema::AvroReaderSchema(const std::string& literal) {
  auto json = Json::parse(literal.empty() ? std::string_view("{}") : std::string_view(literal));
  if (!json || !json->is_object()) {
    throw_error({Code::corrupt, "HIVE_INVALID_METADATA",
                 "the table property avro.schema.literal is no schema of a record"});
  }
  json_ = std::move(*json);
}

const Json* AvroReaderSchema::field_of(std::string_view column) const {
  for (const Json& field : json_["fields"].as_array()) {
    if (same_name(field["name"].as_string(), column)) return &field;
  }
  return nullptr;
}

bool AvroReaderSchema::is_name_of(std::string_view column, std::string_view name) const {
  if (same_name(column, name)) return true;
  const Json* field = field_of(column);
  if (!field) return false;
  for (const Json& alias : (*field)["aliases"].as_array()) {
    if (same_name(alias.as_string(), name)) return true;
  }
  return false;
}

Result<duckdb::Value> AvroReaderSchema::default_of(std::string_view column,
                                                   const Type& type) const {
  duckdb::LogicalType physical = duckdb_type(type);
  const Json* field = field_of(column);
  const Json* given = field ? field->find("default") : nullptr;
  if (!given || given->is_null()) return duckdb::Value(physical);
  bool plain = type.is_integer() || type.is(TypeKind::boolean) || type.is(TypeKind::real) ||
               type.is(TypeKind::double_) || type.is(TypeKind::varchar);
  if (!plain || given->is_object() || given->is_array()) {
    return fail(
        Code::unsupported, "avro",
        fmt::format("the default of column {} in avro.schema.literal is not supported", column));
  }
  std::string text = given->is_string() ? std::string(given->as_string()) : given->dump();
  duckdb::Value value, made(text);
  std::string message;
  if (!made.DefaultTryCastAs(physical, value, &message))
    return fail(Code::corrupt, "avro",
                fmt::format("the default of column {}: {}", column, message));
  return value;
}

}  // namespace aichemy::sql
