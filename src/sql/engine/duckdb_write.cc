#include "sql/engine/duckdb_write.h"

#include <fmt/core.h>
#include <charconv>
#include <duckdb/common/types/value.hpp>
#include <duckdb/main/pending_query_result.hpp>
#include <duckdb/parser/keyword_helper.hpp>
#include <map>
#include <utility>

#include "base/bytes.h"
#include "sql/connectors/exports.h"
#include "sql/engine/duckdb_file_system.h"
#include "sql/engine/row_collector.h"
#include "tables/transform.h"

namespace aichemy::sql {
namespace {

std::string literal(const std::string& text) { return duckdb::Value(text).ToSQLString(); }
std::string identifier(const std::string& name) {
  return duckdb::KeywordHelper::WriteQuoted(name, '"');
}

std::string partition_column(size_t i) { return fmt::format("__partition_{}", i); }

// ---- field ids: {'a': 1, 'b': {__duckdb_field_id: 2, 'x': 3}} ----

std::string field_ids_of(const Type& type, const FieldId& id);

std::string child_ids(const Type& type, const FieldId& id) {
  std::string out;
  for (size_t i = 0; i < type.fields.size() && i < id.children.size(); ++i) {
    std::string name = type.is(TypeKind::array) ? "element"
                       : type.is(TypeKind::map)
                           ? (i == 0 ? "key" : "value")
                           : type.fields[i].name.value_or(fmt::format("f{}", i));
    out +=
        fmt::format(", {}: {}", literal(name), field_ids_of(type.fields[i].type, id.children[i]));
  }
  return out;
}

std::string field_ids_of(const Type& type, const FieldId& id) {
  if (id.children.empty()) return std::to_string(id.id);
  return fmt::format("{{__duckdb_field_id: {}{}}}", id.id, child_ids(type, id));
}

std::string field_ids(const InsertTarget& target) {
  std::string out;
  for (const WriteColumn& column : target.columns) {
    if (!out.empty()) out += ", ";
    out += fmt::format("{}: {}", literal(column.name), field_ids_of(column.type, column.field_id));
  }
  return "{" + out + "}";
}

// ---- partition values ----

// The transform of a value, told as an expression, as one that gives Iceberg's partition value
// (years since 1970 and so on). `for_order`: one in the same order, which has no limits of its own.
Result<std::string> transform_expression(const std::string& text, const std::string& name,
                                         const Type& type, bool for_order = false) {
  ASSIGN_OR_RETURN(tables::Transform transform, tables::transform_from_text(text));
  // The calendar is UTC's: an instant is taken as the UTC timestamp it is.
  std::string at =
      type.is(TypeKind::timestamp_tz) ? fmt::format("timezone('UTC', {})", name) : name;
  int64_t width = transform.parameter;
  switch (transform.kind) {
    case tables::TransformKind::identity: return name;
    case tables::TransformKind::void_: return std::string("NULL::INTEGER");
    case tables::TransformKind::year: return fmt::format("(year({}) - 1970)::INTEGER", at);
    case tables::TransformKind::month:
      return fmt::format("((year({0}) - 1970) * 12 + month({0}) - 1)::INTEGER", at);
    case tables::TransformKind::day:
      return fmt::format("({}::DATE - DATE '1970-01-01')::INTEGER", at);
    case tables::TransformKind::hour:
      // Floor division also before 1970.
      return fmt::format("floor(epoch({}) / 3600){}", at, for_order ? "" : "::INTEGER");
    case tables::TransformKind::truncate:
      if (type.is_text()) return fmt::format("left({}, {})", name, width);
      if (type.is(TypeKind::varbinary)) return fmt::format("{}[1:{}]", name, width);
      if (type.is(TypeKind::decimal)) {
        return fail(Code::unsupported, "partitioning",
                    "writing to a table partitioned by truncate of a decimal");
      }
      return fmt::format("({0}{2} - ((({0}{2} % {1}) + {1}) % {1}))", name, width,
                         for_order ? "::HUGEINT" : "");
    case tables::TransformKind::bucket: return fmt::format("aichemy_bucket({}, {})", name, width);
    case tables::TransformKind::unknown: break;
  }
  return fail(Code::unsupported, "partitioning",
              "cannot write with the partition transform " + text);
}

// ---- the order of rows ----

Result<std::string> sort_keys(const InsertTarget& target) {
  std::string keys;
  for (const SortKey& key : target.sort) {
    std::string value = identifier(key.column[0]);
    for (size_t i = 1; i < key.column.size(); ++i)
      value = fmt::format("struct_extract({}, {})", value, literal(key.column[i]));
    ASSIGN_OR_RETURN(value, transform_expression(key.transform, value, key.type, true));
    keys += fmt::format("{}{} {} NULLS {}", keys.empty() ? "" : ", ", value,
                        key.descending ? "DESC" : "ASC", key.nulls_first ? "FIRST" : "LAST");
  }
  return keys;
}

// The rows of `select` with their partition values behind them. One thread writes the files of
// parted rows, each in the order the rows come in: a numbering over all of them has it so, which
// nothing but the filter asks for.
Result<std::string> parted_rows(const std::string& select, const InsertTarget& target) {
  std::string parts, by;
  for (size_t i = 0; i < target.partition.size(); ++i) {
    const PartitionField& field = target.partition[i];
    const WriteColumn& column = target.columns[field.column];
    ASSIGN_OR_RETURN(std::string value,
                     transform_expression(field.transform, identifier(column.name), column.type));
    parts += fmt::format(", {} AS {}", value, partition_column(i));
    by += (i > 0 ? ", " : "") + partition_column(i);
  }
  std::string rows = fmt::format("SELECT *{} FROM ({})", parts, select);
  if (target.sort.empty()) return rows;
  ASSIGN_OR_RETURN(std::string keys, sort_keys(target));
  return fmt::format(
      "SELECT * EXCLUDE (__row) FROM (SELECT *, row_number() OVER () AS __row FROM "
      "(SELECT * FROM ({}) ORDER BY {}, {})) WHERE __row > 0",
      rows, by, keys);
}

Result<std::string> copy_statement(const std::string& select, const InsertTarget& target,
                                   const std::string& unique) {
  ASSIGN_OR_RETURN(std::string folder, lake_path(target.location));
  std::string options =
      fmt::format("FORMAT parquet, COMPRESSION {}, FIELD_IDS {}, RETURN_STATS true",
                  literal(target.compression), field_ids(target));
  if (target.partition.empty()) {
    std::string path = fmt::format("{}/{}.parquet", folder, unique);
    std::string rows = select;
    if (!target.sort.empty()) {
      ASSIGN_OR_RETURN(std::string keys, sort_keys(target));
      rows = fmt::format("SELECT * FROM ({}) ORDER BY {}", select, keys);
    }
    return fmt::format("COPY ({}) TO {} ({}, USE_TMP_FILE false)", rows, literal(path), options);
  }
  ASSIGN_OR_RETURN(std::string rows, parted_rows(select, target));
  std::string by;
  for (size_t i = 0; i < target.partition.size(); ++i)
    by += (i > 0 ? ", " : "") + partition_column(i);
  // Each write has a folder of its own, so that what a failed one leaves can be found.
  return fmt::format(
      "COPY ({}) TO {} ({}, PARTITION_BY ({}), WRITE_PARTITION_COLUMNS false, "
      "HIVE_FILE_PATTERN true, FILENAME_PATTERN 'part-{{uuid}}', OVERWRITE_OR_IGNORE true)",
      rows, literal(folder + "/" + unique), options, by);
}

// ---- Hive: partitions in folders whose names are hex of the keys' texts, N for null ----

constexpr const char* kKeysColumn = "__keys";

// The types within that the hash of version 1 tells apart: one letter a text, in the order of its
// places.
std::string bounded_text(const Type& type) {
  if (type.is(TypeKind::varchar)) return type.precision == Type::kUnbounded ? "s" : "b";
  std::string out;
  for (const Field& field : type.fields) out += bounded_text(field.type);
  return out;
}

std::string keys_expression(const InsertTarget& target, const HiveLayout& layout) {
  std::string out;
  for (size_t key : layout.keys) {
    out += fmt::format("{}coalesce(hex(CAST({} AS VARCHAR)), 'N')",
                       out.empty() ? "" : " || '-' || ", identifier(target.columns[key].name));
  }
  if (!layout.buckets) return out;
  std::string columns;
  for (size_t column : layout.buckets->columns)
    columns += (columns.empty() ? "" : ", ") + identifier(target.columns[column].name);
  std::string bounded;  // varchar(n), which the engine does not tell from varchar
  for (size_t column : layout.buckets->columns)
    bounded += bounded_text(target.columns[column].type);
  return out + fmt::format("{}hex(CAST(aichemy_hive_bucket({}, {}, {}, {}) AS VARCHAR))",
                           out.empty() ? "" : " || '-' || ", layout.buckets->version,
                           layout.buckets->count, literal(bounded), columns);
}

// Each file has its rows in order: they come sorted, through one thread.
std::string sorted_rows(const std::string& select, const InsertTarget& target,
                        const HiveLayout& layout) {
  if (!layout.buckets || layout.buckets->sorted_by.empty()) return select;
  std::string by;
  for (const HiveSortColumn& column : layout.buckets->sorted_by) {
    by += fmt::format("{}{} {} NULLS {}", by.empty() ? "" : ", ",
                      identifier(target.columns[column.column].name),
                      column.descending ? "DESC" : "ASC", column.descending ? "LAST" : "FIRST");
  }
  // A running number is counted by one thread in the rows' order, which the COPY then keeps.
  return fmt::format(
      "SELECT * EXCLUDE (__row) FROM (SELECT *, row_number() OVER () AS __row FROM (SELECT * FROM "
      "({}) ORDER BY {})) WHERE __row > 0",
      select, by);
}

// None where the folder is not one of ours.
std::optional<std::vector<std::optional<std::string>>> keys_of_path(std::string_view path) {
  std::string marker = fmt::format("/{}=", kKeysColumn);
  size_t at = path.rfind(marker);  // the table's own folder may have any name
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = path.substr(at + marker.size());
  rest = rest.substr(0, rest.find('/'));
  std::vector<std::optional<std::string>> keys;
  while (true) {
    std::string_view one = rest.substr(0, rest.find('-'));
    auto text = from_hex(one);
    if (one == "N")
      keys.emplace_back();
    else if (text)
      keys.emplace_back(std::move(*text));
    else
      return std::nullopt;
    if (one.size() == rest.size()) return keys;
    rest.remove_prefix(one.size() + 1);
  }
}

Result<std::string> hive_copy_statement(const std::string& select, const InsertTarget& target,
                                        const HiveLayout& layout, const std::string& unique) {
  ASSIGN_OR_RETURN(std::string folder, lake_path(target.location));
  std::string columns, row;
  for (size_t i = 0; i < target.columns.size() - layout.keys.size(); ++i) {
    std::string name = identifier(target.columns[i].name);
    columns += (i ? ", " : "") + name;
    row += fmt::format("{}{} := {}", i ? ", " : "", name, name);
  }
  std::string options = fmt::format("FORMAT parquet, COMPRESSION {}", literal(layout.codec));
  if (!layout.description.empty())
    options = fmt::format("FORMAT {}, DESCRIPTION {}", layout.format, literal(layout.description));
  if (layout.serde) {
    columns =
        fmt::format("aichemy_hive_line({}, struct_pack({})) AS line", literal(*layout.serde), row);
    options = "FORMAT blob";
  }
  options += ", RETURN_FILES true";
  if (!layout.is_divided()) {
    return fmt::format("COPY (SELECT {} FROM ({})) TO {} ({}, USE_TMP_FILE false)", columns, select,
                       literal(fmt::format("{}/{}{}", folder, unique, layout.name_end)), options);
  }
  std::string extension = layout.name_end.empty() ? "blob" : layout.name_end.substr(1);
  return fmt::format(
      "COPY (SELECT {}, {} AS {} FROM ({})) TO {} ({}, PARTITION_BY ({}), WRITE_PARTITION_COLUMNS "
      "false, HIVE_FILE_PATTERN true, FILENAME_PATTERN 'part-{{uuid}}', FILE_EXTENSION '{}', "
      "OVERWRITE_OR_IGNORE true)",
      columns, keys_expression(target, layout), kKeysColumn, sorted_rows(select, target, layout),
      literal(folder + "/" + unique), options, kKeysColumn, extension);
}

// The answer is the number of rows and the files' names.
Result<std::vector<WrittenFile>> hive_files(duckdb::MaterializedQueryResult& result,
                                            const HiveLayout& layout) {
  std::vector<WrittenFile> files;
  uint64_t rows = result.GetValue(0, 0).GetValue<uint64_t>();
  if (rows == 0) return files;
  for (const duckdb::Value& name : duckdb::ListValue::GetChildren(result.GetValue(1, 0))) {
    WrittenFile file;
    file.path = location_of_lake_path(name.ToString());
    file.rows = std::exchange(rows, 0);
    if (layout.is_divided()) {
      auto keys = keys_of_path(file.path);
      if (!keys || keys->size() != layout.keys.size() + (layout.buckets ? 1 : 0))
        return fail(Code::internal, "partition_value", "cannot read the keys of " + file.path);
      file.partition = std::move(*keys);
    }
    files.push_back(std::move(file));
  }
  return files;
}

// ---- statistics ----

// Leaf columns as the writer's statistics name them: quoted parts joined by dots.
void collect_leaves(const std::string& prefix, const std::string& name, const Type& type,
                    const FieldId& id, std::map<std::string, int32_t>& out) {
  std::string path = prefix.empty() ? identifier(name) : prefix + "." + identifier(name);
  out[path] = id.id;
  for (size_t i = 0; i < type.fields.size() && i < id.children.size(); ++i) {
    std::string child = type.is(TypeKind::array) ? "element"
                        : type.is(TypeKind::map)
                            ? (i == 0 ? "key" : "value")
                            : type.fields[i].name.value_or(fmt::format("f{}", i));
    collect_leaves(path, child, type.fields[i].type, id.children[i], out);
  }
}

std::optional<std::string> text_of(const duckdb::Value& value) {
  if (value.IsNull()) return std::nullopt;
  return value.ToString();
}

std::vector<std::pair<std::string, duckdb::Value>> entries_of(const duckdb::Value& map) {
  std::vector<std::pair<std::string, duckdb::Value>> out;
  if (map.IsNull()) return out;
  for (const duckdb::Value& entry : duckdb::MapValue::GetChildren(map)) {
    auto& pair = duckdb::StructValue::GetChildren(entry);
    out.emplace_back(pair[0].ToString(), pair[1]);
  }
  return out;
}

WrittenColumn written_column(int32_t field_id, const duckdb::Value& statistics) {
  WrittenColumn column;
  column.field_id = field_id;
  for (auto& [name, value] : entries_of(statistics)) {
    if (name == "min") column.min = text_of(value);
    if (name == "max") column.max = text_of(value);
    if (name == "has_nan") column.has_nan = value.ToString() == "true";
    if (name == "null_count") column.null_count = std::stoull(value.ToString());
    if (name == "column_size_bytes") column.bytes = std::stoull(value.ToString());
  }
  return column;
}

WrittenFile written_file(duckdb::MaterializedQueryResult& rows, duckdb::idx_t row,
                         const InsertTarget& target, const std::map<std::string, int32_t>& leaves) {
  WrittenFile file;
  file.path = location_of_lake_path(rows.GetValue(0, row).ToString());
  file.rows = rows.GetValue(1, row).GetValue<uint64_t>();
  if (!target.sort.empty()) file.sort_order_id = target.sort_order_id;
  file.bytes = rows.GetValue(2, row).GetValue<uint64_t>();
  for (auto& [name, statistics] : entries_of(rows.GetValue(4, row))) {
    auto leaf = leaves.find(name);
    if (leaf == leaves.end()) leaf = leaves.find(identifier(name));
    if (leaf != leaves.end()) file.columns.push_back(written_column(leaf->second, statistics));
  }
  std::map<std::string, std::optional<std::string>> values;
  for (auto& [name, value] : entries_of(rows.GetValue(5, row))) values[name] = text_of(value);
  for (size_t i = 0; i < target.partition.size(); ++i)
    file.partition.push_back(values[partition_column(i)]);
  return file;
}

}  // namespace

Result<duckdb::unique_ptr<duckdb::MaterializedQueryResult>> run_statement(
    duckdb::Connection& connection, const std::string& sql, const std::stop_token& cancel) {
  using State = duckdb::PendingExecutionResult;
  auto pending = connection.PendingQuery(sql, false);
  if (pending->HasError()) return std::unexpected(error_from_duckdb(pending->GetErrorObject()));
  // Beginning a statement forgets an interrupt that came before it.
  if (cancel.stop_requested()) return fail(Code::cancelled, "cancelled", "the query was cancelled");
  Backoff backoff;
  while (true) {
    State state = pending->ExecuteTask();
    if (duckdb::PendingQueryResult::IsResultReady(state)) break;
    if (state == State::NO_TASKS_AVAILABLE || state == State::BLOCKED)
      backoff.idled([](std::chrono::microseconds time) { std::this_thread::sleep_for(time); });
    else
      backoff.worked();
  }
  if (pending->HasError()) return std::unexpected(error_from_duckdb(pending->GetErrorObject()));
  auto result = pending->Execute();
  if (result->HasError()) return std::unexpected(error_from_duckdb(result->GetErrorObject()));
  return duckdb::unique_ptr_cast<duckdb::QueryResult, duckdb::MaterializedQueryResult>(
      std::move(result));
}

namespace {

// After how many rows the engine writes out what it has gathered of each partition. The rest of a
// partition that is no row group comes to the end of its file, behind what later flushes write: a
// file is in order only when there is one flush. Until then its rows are in memory that spills.
constexpr uint64_t kRowsOfAFlush = 524'288;  // the engine's default
constexpr uint64_t kAllRows = uint64_t{1} << 60;

Status flush_after(duckdb::Connection& connection, uint64_t rows) {
  auto set = connection.Query(fmt::format("SET partitioned_write_flush_threshold = {}", rows));
  if (set->HasError()) return std::unexpected(error_from_duckdb(set->GetErrorObject()));
  return {};
}

// Holds a connection's small files while it lives.
class Holding {
 public:
  explicit Holding(duckdb::ClientContext& context)
      : context_(context), files_(duckdb::make_shared_ptr<HeldFiles>()) {
    context_.registered_state->Insert(kHeldFiles, files_);
  }
  ~Holding() { context_.registered_state->Remove(kHeldFiles); }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;
  HeldFiles& files() { return *files_; }

 private:
  duckdb::ClientContext& context_;
  duckdb::shared_ptr<HeldFiles> files_;
};

}  // namespace

Result<std::vector<WrittenFile>> copy_to_lake(duckdb::Connection& connection,
                                              const std::string& select, const InsertTarget& target,
                                              const std::string& unique,
                                              const std::stop_token& cancel) {
  const auto& layout = target.hive;
  ASSIGN_OR_RETURN(std::string statement, layout
                                              ? hive_copy_statement(select, target, *layout, unique)
                                              : copy_statement(select, target, unique));
  // Many small files wait together, also where they are put here.
  bool many = !target.partition.empty() || (layout && !layout->keys.empty());
  std::optional<Holding> held;
  if (target.holds_small_files || many) held.emplace(*connection.context);
  bool ordered = !target.sort.empty() && !target.partition.empty() && !layout;
  if (ordered) RETURN_IF_ERROR(flush_after(connection, kAllRows));
  ASSIGN_OR_RETURN(auto rows, run_statement(connection, statement, cancel));
  if (ordered) RETURN_IF_ERROR(flush_after(connection, kRowsOfAFlush));
  if (held && !target.holds_small_files) RETURN_IF_ERROR(held->files().put_all());
  if (layout) return hive_files(*rows, *layout);
  std::map<std::string, int32_t> leaves;
  for (const WriteColumn& column : target.columns)
    collect_leaves("", column.name, column.type, column.field_id, leaves);
  bool keep_empty = target.location.starts_with(fmt::format("s3://{}/", kExportBucket));
  std::vector<WrittenFile> files;
  for (duckdb::idx_t row = 0; row < rows->RowCount(); ++row) {
    WrittenFile file = written_file(*rows, row, target, leaves);
    if (held) file.held = held->files().take(rows->GetValue(0, row).ToString());
    if (file.rows > 0 || keep_empty) files.push_back(std::move(file));
  }
  if (held && !held->files().empty())
    return fail(Code::internal, "engine", "a file was written that the engine does not tell of");
  return files;
}

std::string written_prefix(const InsertTarget& target, const std::string& unique) {
  return target.location + "/" + unique;
}

void remove_below(objectstore::ObjectStore& store, const std::string& prefix_location) {
  std::string_view rest = prefix_location;
  rest.remove_prefix(std::min(rest.find("://") + 3, rest.size()));
  size_t slash = std::min(rest.find('/'), rest.size());
  std::string bucket(rest.substr(0, slash));
  objectstore::ListOptions options;
  options.prefix = slash < rest.size() ? std::string(rest.substr(slash + 1)) : std::string();
  if (options.prefix.empty()) return;  // never a whole bucket
  Call call;
  for (;;) {
    auto page = store.list(call, bucket, options);
    if (!page) return;
    // Best effort: what stays is not named by any table and is removed with the orphans.
    for (const auto& object : page->objects) (void)store.remove(call, bucket, object.key, {});
    if (!page->truncated) return;
    options.start_after = page->next_start_after;
  }
}

}  // namespace aichemy::sql
