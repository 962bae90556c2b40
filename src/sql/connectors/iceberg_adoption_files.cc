#include <fmt/format.h>

#include <algorithm>

#include "sql/connectors/iceberg_adoption.h"
#include "sql/connectors/iceberg_mapping.h"

namespace aichemy::sql {

namespace {

using Kind = tables::TypeKind;

struct TypeRow {
  Kind kind;
  std::string_view types[6];  // the engine's for what a file may hold
};
constexpr TypeRow kTypes[] = {
    {Kind::boolean, {"BOOLEAN"}},
    {Kind::int32, {"INTEGER", "SMALLINT", "TINYINT", "USMALLINT", "UTINYINT"}},
    {Kind::int64, {"BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER"}},
    {Kind::float32, {"FLOAT"}},
    {Kind::float64, {"DOUBLE", "FLOAT"}},
    {Kind::date, {"DATE"}},
    {Kind::time, {"TIME"}},
    {Kind::timestamp, {"TIMESTAMP", "TIMESTAMP_NS"}},
    {Kind::timestamptz, {"TIMESTAMP WITH TIME ZONE"}},
    {Kind::timestamp_ns, {"TIMESTAMP", "TIMESTAMP_NS"}},
    {Kind::string, {"VARCHAR"}},
    {Kind::uuid, {"UUID"}},
    {Kind::fixed, {"BLOB"}},
    {Kind::binary, {"BLOB"}},
};

bool holds_decimal(const std::string& type, const tables::Type& wanted) {
  int precision = 0, scale = 0;
  if (std::sscanf(type.c_str(), "DECIMAL(%d,%d)", &precision, &scale) != 2) return false;
  return scale == wanted.scale && precision <= wanted.precision;
}

bool holds(const ParquetField& there, const tables::Type& wanted) {
  if (wanted.kind == Kind::struct_)
    return !there.fields.empty() && there.converted != "LIST" && there.converted != "MAP";
  if (wanted.kind == Kind::list || wanted.kind == Kind::map) {
    bool list = wanted.kind == Kind::list;
    if (there.converted != (list ? "LIST" : "MAP") && (list || there.converted != "MAP_KEY_VALUE"))
      return false;
    return there.fields.size() == 1 && there.fields[0].fields.size() == (list ? 1U : 2U);
  }
  if (!there.fields.empty()) return false;
  if (wanted.kind == Kind::decimal) return holds_decimal(there.type, wanted);
  for (const TypeRow& row : kTypes) {
    if (row.kind == wanted.kind)
      return std::ranges::find(row.types, there.type) != std::end(row.types);
  }
  return false;
}

std::unexpected<Error> mismatch(const tables::Field& wanted, const ParquetField& there,
                                const std::string& path) {
  const std::string& type = there.type.empty() ? there.converted : there.type;
  return fail(Code::invalid, "TYPE_MISMATCH",
              fmt::format("Target '{}' column is '{}' type, but got source '{}' type: {}",
                          wanted.name, tables::type_text(wanted.type), type, path));
}

tables::ColumnMetrics metrics_of(const ParquetLeaf& leaf, const tables::Field& field) {
  tables::ColumnMetrics metrics;
  metrics.field_id = field.id;
  metrics.column_size = static_cast<int64_t>(leaf.bytes);
  metrics.value_count = static_cast<int64_t>(leaf.values);
  if (leaf.nulls) metrics.null_count = static_cast<int64_t>(*leaf.nulls);
  // Nobody says whether there are NaNs; bytes are printed escaped, which is not worth the doubt.
  Kind kind = field.type.kind;
  if (kind == Kind::float32 || kind == Kind::float64 || kind == Kind::binary || kind == Kind::fixed)
    return metrics;
  tables::Value lower, upper;
  for (const auto& [min, max] : leaf.bounds) {
    auto low = min ? value_from_engine_text(*min, field.type) : std::nullopt;
    auto high = max ? value_from_engine_text(*max, field.type) : std::nullopt;
    if (!low || !high || !tables::fits(*low, field.type) || !tables::fits(*high, field.type))
      return metrics;
    if (lower.is_null() || low->compare(lower) < 0) lower = std::move(*low);
    if (upper.is_null() || high->compare(upper) > 0) upper = std::move(*high);
  }
  metrics.lower = std::move(lower);
  metrics.upper = std::move(upper);
  return metrics;
}

bool same_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool any_ids(const std::vector<ParquetField>& fields) {
  return std::ranges::any_of(fields, [](const ParquetField& field) {
    return field.field_id.value_or(-1) >= 0 || any_ids(field.fields);
  });
}

// Below the location, in the order of their names.
Result<std::vector<FoundFile>> list(const Call& call, tables::FileIo& io,
                                    const std::string& location, Recursion recursion) {
  ASSIGN_OR_RETURN(tables::Location at, tables::parse_location(location + "/"));
  std::vector<FoundFile> files;
  objectstore::ListOptions options;
  options.prefix = at.key;
  while (true) {
    ASSIGN_OR_RETURN(auto page, io.store().list(call, at.bucket, options));
    for (const auto& object : page.objects) {
      std::string below = "/" + object.key.substr(at.key.size());
      bool hidden = below.contains("/_") || below.contains("/.");
      if (hidden || object.size == 0 || below.ends_with('/')) continue;
      bool deeper = below.find('/', 1) != std::string::npos;
      if (deeper && recursion == Recursion::no) continue;
      if (deeper && recursion == Recursion::refuse) {
        return fail(Code::unsupported, "NOT_SUPPORTED",
                    "Recursive directory must not exist when recursive_directory argument is "
                    "'fail': " +
                        location + below);
      }
      files.push_back({location + below, object.size, object.etag});
    }
    if (!page.truncated) return files;
    options.start_after = page.next_start_after;
    if (call.cancel.stop_requested())
      return fail(Code::cancelled, "cancelled", "the request was cancelled");
  }
}

std::string without_slash(std::string location) {
  while (location.ends_with('/')) location.pop_back();
  return location;
}

}  // namespace

Result<std::vector<FoundFile>> files_below(const Call& call, tables::FileIo& io,
                                           const std::string& location, Recursion recursion) {
  return list(call, io, without_slash(location), recursion);
}

Result<std::vector<FoundFile>> files_at(const Call& call, tables::FileIo& io,
                                        const std::string& location, Recursion recursion) {
  auto parsed = tables::parse_location(location);
  if (!parsed) return fail(Code::not_found, "NOT_FOUND", "Location not found: " + location);
  ASSIGN_OR_RETURN(bool folder, io.has_prefix(call, without_slash(location)));
  if (folder) return files_below(call, io, location, recursion);
  auto reader = io.store().open(call, parsed->bucket, parsed->key, {});
  if (reader) {
    const auto& info = (*reader)->info();
    return std::vector<FoundFile>{{location, info.size, info.etag}};
  }
  if (reader.error().code != Code::not_found) return std::unexpected(reader.error());
  return fail(Code::not_found, "NOT_FOUND", "Location not found: " + location);
}

Result<std::vector<tables::NameMapping>> mapping_of(
    const tables::iceberg::TableMetadata& metadata) {
  std::string_view text = metadata.property("schema.name-mapping.default");
  if (text.empty()) return tables::name_mapping_of(metadata.current_schema().fields);
  return tables::name_mapping_from_text(text);
}

bool FileMatcher::is_partition(const tables::Field& field) const {
  return std::ranges::any_of(spec_.fields, [&](const auto& partition) {
    return partition.source_id == field.id &&
           partition.transform.kind == tables::TransformKind::identity;
  });
}

Result<tables::WrittenFile> FileMatcher::match(const std::string& path,
                                               const ParquetFooter& footer) {
  File file{path, footer, {}, any_ids(footer.fields)};
  file.written.path = path;
  file.written.record_count = footer.rows;
  file.written.split_offsets = footer.split_offsets;
  size_t found = 0;
  RETURN_IF_ERROR(match_fields(file, footer.fields, schema_.fields, mapping_, true, &found));
  bool any = std::ranges::any_of(schema_.fields, [&](const auto& f) { return !is_partition(f); });
  if (found == 0 && any) {
    return fail(Code::invalid, "COLUMN_NOT_FOUND",
                "All columns in the source file do not exist in the target table: " + path);
  }
  return std::move(file.written);
}

Status FileMatcher::match_fields(File& file, const std::vector<ParquetField>& there,
                                 const std::vector<tables::Field>& wanted,
                                 std::vector<tables::NameMapping>& mapping, bool bounded,
                                 size_t* found) {
  for (const tables::Field& field : wanted) {
    auto names =
        std::ranges::find(mapping, std::optional(field.id), &tables::NameMapping::field_id);
    if (names == mapping.end()) {
      mapping.push_back({{field.name}, field.id, tables::name_mapping_of(field.type.fields)});
      names = mapping.end() - 1;
    }
    const ParquetField* match = nullptr;
    for (const ParquetField& candidate : there) {
      bool exact = std::ranges::find(names->names, candidate.name) != names->names.end();
      bool alike = std::ranges::any_of(names->names, [&](const std::string& name) {
        return same_without_case(name, candidate.name);
      });
      if (!exact && !alike) continue;
      if (match) {
        return fail(Code::unsupported, "NOT_SUPPORTED",
                    fmt::format("Several columns are called '{}': {}", field.name, file.path));
      }
      match = &candidate;
      if (!exact) names->names.push_back(candidate.name);
    }
    if (match) {
      ++*found;
      RETURN_IF_ERROR(match_field(file, *match, field, *names, bounded));
    } else if (field.required && !is_partition(field)) {
      return fail(Code::invalid, "CONSTRAINT_VIOLATION",
                  "NULL value not allowed for NOT NULL column: " + field.name);
    }
  }
  return {};
}

Status FileMatcher::match_field(File& file, const ParquetField& there, const tables::Field& wanted,
                                tables::NameMapping& mapping, bool bounded) {
  if (file.has_ids && there.field_id != wanted.id) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                fmt::format("Column '{}' has the field id of another table, by which it would not "
                            "be found: {}",
                            there.name, file.path));
  }
  if (!holds(there, wanted.type)) return mismatch(wanted, there, file.path);
  size_t found = 0;
  const auto& inner = wanted.type.fields;
  switch (wanted.type.kind) {
    case Kind::struct_:
      return match_fields(file, there.fields, inner, mapping.fields, bounded, &found);
    case Kind::list:
    case Kind::map: {
      // Readers find elements, keys and values by their place, whatever their names are.
      const auto& parts = there.fields[0].fields;
      if (mapping.fields.size() != inner.size()) mapping.fields = tables::name_mapping_of(inner);
      for (size_t i = 0; i < inner.size(); ++i)
        RETURN_IF_ERROR(match_field(file, parts[i], inner[i], mapping.fields[i], false));
      return {};
    }
    default: break;
  }
  const ParquetLeaf& leaf = file.footer.leaves[there.leaf];
  if (wanted.required && bounded && leaf.nulls.value_or(1) > 0) {
    return fail(Code::invalid, "CONSTRAINT_VIOLATION",
                "NULL value not allowed for NOT NULL column: " + wanted.name);
  }
  if (bounded) file.written.columns.push_back(metrics_of(leaf, wanted));
  return {};
}

}  // namespace aichemy::sql
