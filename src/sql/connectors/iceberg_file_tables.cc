// Metadata tables over manifests: files, entries, manifests, partitions.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/bytes.h"
#include "sql/connectors/iceberg_mapping.h"
#include "sql/connectors/iceberg_metadata_scan.h"
#include "sql/connectors/virtual_tables.h"
#include "tables/calendar.h"

namespace aichemy::sql {

namespace iceberg = tables::iceberg;
using iceberg::TableMetadata;
using Cell = std::optional<std::string>;

namespace {

Cell known(int64_t value) { return value < 0 ? std::nullopt : Cell(std::to_string(value)); }

Json json(const Cell& cell) { return cell ? Json(*cell) : Json(); }

// A value as text that its Trino type is read from.
Json value_cell(const tables::Value& value, const tables::Type& type) {
  if (value.is_null()) return {};
  switch (type.kind) {
    case tables::TypeKind::timestamp:
    case tables::TypeKind::timestamptz: {
      std::string text = tables::timestamp_text(value.as_int(), false);
      std::ranges::replace(text, 'T', ' ');
      return Json(type.kind == tables::TypeKind::timestamp ? text : text + " UTC");
    }
    case tables::TypeKind::binary:
    case tables::TypeKind::fixed: return Json(to_hex(value.as_bytes()));
    default: return Json(tables::value_text(value, type));
  }
}

// ---- partitions: the fields of all specs whose columns are still there ----

struct PartitionColumn {
  const iceberg::PartitionField* field = nullptr;
  tables::Type source, result;
};

std::vector<PartitionColumn> partition_columns(const TableMetadata& metadata) {
  std::vector<PartitionColumn> columns;
  for (const auto& spec : metadata.specs) {
    for (const auto& field : spec.fields) {
      const tables::Field* source = metadata.current_schema().find(field.source_id);
      bool seen = std::ranges::any_of(
          columns, [&](const auto& column) { return column.field->field_id == field.field_id; });
      if (!source || seen) continue;
      auto result = tables::transform_result_type(field.transform, source->type);
      if (result) columns.push_back({&field, source->type, std::move(*result)});
    }
  }
  return columns;
}

Type partition_type(const std::vector<PartitionColumn>& columns) {
  std::vector<Field> fields;
  for (const PartitionColumn& column : columns)
    fields.push_back({column.field->name, trino_type(column.result)});
  return Type::row(std::move(fields));
}

void add_partition(const TableMetadata& metadata, std::vector<ColumnInfo>& to) {
  auto columns = partition_columns(metadata);
  if (!columns.empty()) to.push_back({.name = "partition", .type = partition_type(columns)});
}

void add_columns(const char* text, std::vector<ColumnInfo>& to) {
  for (ColumnInfo& column : virtual_columns(text)) to.push_back(std::move(column));
}

const tables::Value* partition_value(const iceberg::Manifest& manifest, size_t entry,
                                     int field_id) {
  for (const auto& column : manifest.partition) {
    if (column.field_id == field_id) return &column.values[entry];
  }
  return nullptr;
}

Json partition_cell(const std::vector<PartitionColumn>& columns, const iceberg::Manifest& manifest,
                    size_t entry) {
  Json row = Json::array();
  for (const PartitionColumn& column : columns) {
    const tables::Value* value = partition_value(manifest, entry, column.field->field_id);
    row.push(value ? value_cell(*value, column.result) : Json());
  }
  return row;
}

// ---- entries of manifests ----

struct Entry {
  const iceberg::ManifestFile& file;
  const iceberg::Manifest& manifest;
  size_t at;
};

template <class Visit>
Status visit_snapshot(MetadataScan& scan, const iceberg::Snapshot& snapshot, const Visit& visit,
                      std::set<std::string>* seen) {
  auto& files = scan.catalog.files();
  auto& cache = scan.catalog.manifests();
  ASSIGN_OR_RETURN(auto list,
                   iceberg::read_manifests(scan.call, files, cache, scan.metadata, snapshot));
  for (const auto& file : list->manifests) {
    if (seen && !seen->insert(file.path).second) continue;
    ASSIGN_OR_RETURN(auto manifest, cache.manifest(scan.call, files, file.path));
    for (size_t i = 0; i < manifest->size(); ++i) visit(Entry{file, *manifest, i});
  }
  return {};
}

int spec_of(const Entry& entry) {
  return entry.file.spec_id >= 0 ? entry.file.spec_id : std::max(entry.manifest.spec_id, 0);
}

constexpr const char* kFormats[] = {"PARQUET", "ORC", "AVRO", "PUFFIN"};

// A cell's text; of a nested type, as JSON.
struct FileCell {
  Cell text;
  bool nested = false;
};

FileCell number(int64_t value) { return {number_cell(value)}; }

void append_pair(std::string& out, int64_t key, std::string_view value) {
  out += out.empty() ? "[[" : ",[";
  append_json_string(out, number_cell(key));
  out += ',';
  append_json_string(out, value);
  out += ']';
}

FileCell closed(std::string list) {
  if (list.empty()) return {std::nullopt, true};
  return {list + ']', true};
}

FileCell counts(const std::vector<iceberg::ColumnStats>& columns,
                int64_t iceberg::ColumnStats::* of) {
  std::string out;
  for (const auto& column : columns) {
    if (column.*of >= 0) append_pair(out, column.field_id, number_cell(column.*of));
  }
  return closed(std::move(out));
}

template <class T>
FileCell list(const std::vector<T>& values) {
  std::string out;
  for (T value : values) {
    out += out.empty() ? "[" : ",";
    append_json_string(out, number_cell(static_cast<int64_t>(value)));
  }
  return closed(std::move(out));
}

constexpr const char* kFileColumns =
    "record_count bigint, file_size_in_bytes bigint, column_sizes map(integer, bigint), "
    "value_counts map(integer, bigint), null_value_counts map(integer, bigint), nan_value_counts "
    "map(integer, bigint), lower_bounds map(integer, varchar), upper_bounds map(integer, varchar), "
    "key_metadata varbinary, split_offsets array(bigint)";

std::vector<ColumnInfo> file_columns(const TableMetadata& metadata, const char* equality_ids) {
  std::vector<ColumnInfo> columns;
  add_columns("content integer, file_path varchar, file_format varchar, spec_id integer", columns);
  add_partition(metadata, columns);
  add_columns(kFileColumns, columns);
  add_columns(equality_ids, columns);
  add_columns("sort_order_id integer", columns);
  return columns;
}

// What the cells of every file need of the table, looked up once.
class FileCells {
 public:
  explicit FileCells(const TableMetadata& metadata) : partitions_(partition_columns(metadata)) {
    collect(metadata.current_schema().fields, "");
  }

  // The columns of file_columns(), in their order.
  std::vector<FileCell> of(const Entry& entry,
                           const std::vector<iceberg::ColumnStats>& columns) const {
    using iceberg::ColumnStats;
    const auto& [file, manifest, at] = entry;
    std::vector<FileCell> row = {number(static_cast<int64_t>(manifest.content[at])),
                                 {std::string(manifest.path(at))},
                                 {kFormats[static_cast<size_t>(manifest.format[at])]},
                                 number(spec_of(entry))};
    if (!partitions_.empty())
      row.push_back({partition_cell(partitions_, manifest, at).dump(), true});
    row.push_back(number(manifest.record_count[at]));
    row.push_back(number(manifest.file_size[at]));
    for (auto which : {&ColumnStats::column_size, &ColumnStats::value_count,
                       &ColumnStats::null_count, &ColumnStats::nan_count})
      row.push_back(counts(columns, which));
    for (auto which : {&ColumnStats::lower, &ColumnStats::upper})
      row.push_back(bounds(columns, which));
    row.push_back({});  // keys: encrypted tables are not read
    row.push_back(list(manifest.split_offsets(at)));
    row.push_back(list(manifest.equality_ids(at)));
    int32_t order = manifest.sort_order_id[at];
    row.push_back(order < 0 ? FileCell() : number(order));
    return row;
  }

  // By the columns' names: sizes, counts, and bounds as values of JSON.
  std::string readable(const std::vector<iceberg::ColumnStats>& columns) const {
    std::map<int, const iceberg::ColumnStats*> by_id;
    for (const auto& column : columns) by_id.emplace(column.field_id, &column);
    std::string out = "{";
    for (const auto& [name, field] : by_name_) {
      if (out.size() > 1) out += ',';
      append_json_string(out, name);
      auto found = by_id.find(field->id);
      append_metrics(out, found == by_id.end() ? nullptr : found->second, field->type);
    }
    return out + "}";
  }

 private:
  std::vector<PartitionColumn> partitions_;
  std::map<int, const tables::Field*> by_id_;            // at any depth
  std::map<std::string, const tables::Field*> by_name_;  // leaves, by their paths

  void collect(const std::vector<tables::Field>& fields, const std::string& prefix) {
    for (const tables::Field& field : fields) {
      by_id_.emplace(field.id, &field);
      std::string name = prefix + field.name;
      if (field.type.is_nested())
        collect(field.type.fields, name + ".");
      else
        by_name_[name] = &field;
    }
  }

  FileCell bounds(const std::vector<iceberg::ColumnStats>& columns,
                  std::optional<std::string> iceberg::ColumnStats::* of) const {
    std::string out;
    for (const auto& column : columns) {
      auto field = by_id_.find(column.field_id);
      if (!(column.*of) || field == by_id_.end()) continue;
      auto value = tables::value_from_binary(*(column.*of), field->second->type);
      if (value) append_pair(out, column.field_id, tables::value_text(*value, field->second->type));
    }
    return closed(std::move(out));
  }

  static void append_metrics(std::string& out, const iceberg::ColumnStats* stats,
                             const tables::Type& type) {
    auto count = [&](const char* name, int64_t value) {
      out += fmt::format("{}\"{}\":", out.ends_with('{') ? "" : ",", name);
      out += stats && value >= 0 ? number_cell(value) : "null";
    };
    auto bound = [&](const char* name, const std::optional<std::string>* bytes) {
      out += fmt::format(",\"{}\":", name);
      auto value = bytes && *bytes ? tables::value_from_binary(**bytes, type)
                                   : fail(Code::not_found, "bound", "");
      if (value)
        tables::value_to_json(*value, type).dump_to(out);
      else
        out += "null";
    };
    out += ":{";
    count("column_size", stats ? stats->column_size : -1);
    count("value_count", stats ? stats->value_count : -1);
    count("null_value_count", stats ? stats->null_count : -1);
    count("nan_value_count", stats ? stats->nan_count : -1);
    bound("lower_bound", stats ? &stats->lower : nullptr);
    bound("upper_bound", stats ? &stats->upper : nullptr);
    out += '}';
  }
};

// ---- the tables ----

}  // namespace

std::vector<ColumnInfo> file_table_columns(const TableMetadata& metadata) {
  auto columns = file_columns(metadata, "equality_ids array(integer)");
  add_columns("readable_metrics json", columns);
  return columns;
}

Status scan_files(MetadataScan& scan) {
  const iceberg::Snapshot* snapshot = scan.metadata.current_snapshot();
  if (!snapshot) return {};
  FileCells cells(scan.metadata);
  auto visit = [&](const Entry& entry) {
    if (entry.manifest.status[entry.at] == iceberg::EntryStatus::deleted) return;
    auto columns = entry.manifest.columns(entry.at);
    std::vector<Cell> row;
    for (FileCell& cell : cells.of(entry, columns)) row.push_back(std::move(cell.text));
    row.emplace_back(cells.readable(columns));
    scan.rows.push_back(std::move(row));
  };
  return visit_snapshot(scan, *snapshot, visit, nullptr);
}

std::vector<ColumnInfo> entry_table_columns(const TableMetadata& metadata) {
  std::vector<ColumnInfo> columns;
  add_columns(
      "status integer, snapshot_id bigint, sequence_number bigint, file_sequence_number bigint",
      columns);
  std::vector<Field> fields;
  for (ColumnInfo& column : file_columns(metadata, "equality_ids array(bigint)"))
    fields.push_back({column.name, std::move(column.type)});
  columns.push_back({.name = "data_file", .type = Type::row(std::move(fields))});
  add_columns("readable_metrics json", columns);
  return columns;
}

namespace {

// The file's columns as one row.
std::string file_row(const std::vector<FileCell>& cells) {
  std::string out = "[";
  for (const FileCell& cell : cells) {
    if (out.size() > 1) out += ',';
    if (!cell.text)
      out += "null";
    else if (cell.nested)
      out += *cell.text;
    else
      append_json_string(out, *cell.text);
  }
  return out + "]";
}

void add_entry(MetadataScan& scan, const FileCells& cells, const Entry& entry) {
  const auto& [file, manifest, at] = entry;
  auto inherited = [](int64_t value, int64_t from) {
    return value == iceberg::Manifest::kNone ? from : value;
  };
  auto columns = manifest.columns(at);
  bool added = manifest.status[at] == iceberg::EntryStatus::added;
  std::vector<Cell> row = {
      number_cell(static_cast<int64_t>(manifest.status[at])),
      number_cell(inherited(manifest.snapshot_id[at], file.added_snapshot_id)),
      number_cell(inherited(manifest.sequence_number[at], file.sequence_number)),
      added ? Cell(number_cell(inherited(manifest.file_sequence_number[at], file.sequence_number)))
            : known(inherited(manifest.file_sequence_number[at], -1)),
      file_row(cells.of(entry, columns)),
      cells.readable(columns)};
  scan.rows.push_back(std::move(row));
}

}  // namespace

Status scan_entries(MetadataScan& scan) {
  const iceberg::Snapshot* snapshot = scan.metadata.current_snapshot();
  if (!snapshot) return {};
  FileCells cells(scan.metadata);
  return visit_snapshot(
      scan, *snapshot, [&](const Entry& entry) { add_entry(scan, cells, entry); }, nullptr);
}

Status scan_all_entries(MetadataScan& scan) {
  std::set<std::string> seen;
  FileCells cells(scan.metadata);
  for (const auto& snapshot : scan.metadata.snapshots) {
    RETURN_IF_ERROR(visit_snapshot(
        scan, snapshot, [&](const Entry& entry) { add_entry(scan, cells, entry); }, &seen));
  }
  return {};
}

// ---- manifests ----

constexpr const char* kSummaries =
    "partition_summaries array(row(contains_null boolean, contains_nan boolean, lower_bound "
    "varchar, upper_bound varchar))";

std::vector<ColumnInfo> manifest_table_columns(const TableMetadata&) {
  std::vector<ColumnInfo> columns;
  add_columns(
      "path varchar, length bigint, partition_spec_id integer, added_snapshot_id bigint, "
      "added_data_files_count integer, added_rows_count bigint, existing_data_files_count integer, "
      "existing_rows_count bigint, deleted_data_files_count integer, deleted_rows_count bigint",
      columns);
  add_columns(kSummaries, columns);
  return columns;
}

std::vector<ColumnInfo> all_manifest_table_columns(const TableMetadata&) {
  std::vector<ColumnInfo> columns;
  add_columns(
      "path varchar, length bigint, partition_spec_id integer, added_snapshot_id bigint, "
      "added_data_files_count integer, existing_data_files_count integer, "
      "deleted_data_files_count integer",
      columns);
  add_columns(kSummaries, columns);
  return columns;
}

namespace {

std::string summaries(const TableMetadata& metadata, const iceberg::ManifestFile& file) {
  Json out = Json::array();
  const iceberg::PartitionSpec* spec = metadata.spec(std::max(file.spec_id, 0));
  for (size_t i = 0; i < file.partitions.size() && spec && i < spec->fields.size(); ++i) {
    const auto& summary = file.partitions[i];
    const auto& field = spec->fields[i];
    const tables::Field* source = metadata.current_schema().find(field.source_id);
    auto bound = [&](const std::optional<std::string>& bytes) -> Json {
      if (!bytes || !source) return {};
      auto type = tables::transform_result_type(field.transform, source->type);
      auto value = type ? tables::value_from_binary(*bytes, *type) : fail(Code::invalid, "", "");
      if (!value) return {};
      return Json(tables::transform_value_text(field.transform, source->type, *value));
    };
    out.push(
        row_cell({Json(summary.contains_null ? "true" : "false"),
                  summary.contains_nan ? Json(*summary.contains_nan ? "true" : "false") : Json(),
                  bound(summary.lower), bound(summary.upper)}));
  }
  return out.dump();
}

Status add_manifests(MetadataScan& scan, const iceberg::Snapshot& snapshot, bool rows) {
  auto& files = scan.catalog.files();
  auto& cache = scan.catalog.manifests();
  ASSIGN_OR_RETURN(auto manifests,
                   iceberg::read_manifests(scan.call, files, cache, scan.metadata, snapshot));
  for (const auto& file : manifests->manifests) {
    std::vector<Cell> row = {file.path, number_cell(file.length),
                             number_cell(static_cast<int64_t>(std::max(file.spec_id, 0))),
                             number_cell(file.added_snapshot_id)};
    for (auto [count, of_rows] : {std::pair(file.added_files, file.added_rows),
                                  {file.existing_files, file.existing_rows},
                                  {file.deleted_files, file.deleted_rows}}) {
      row.push_back(known(count));
      if (rows) row.push_back(known(of_rows));
    }
    row.emplace_back(summaries(scan.metadata, file));
    scan.rows.push_back(std::move(row));
  }
  return {};
}

}  // namespace

Status scan_manifests(MetadataScan& scan) {
  const iceberg::Snapshot* snapshot = scan.metadata.current_snapshot();
  return snapshot ? add_manifests(scan, *snapshot, true) : Status();
}

Status scan_all_manifests(MetadataScan& scan) {
  for (const auto& snapshot : scan.metadata.snapshots)
    RETURN_IF_ERROR(add_manifests(scan, snapshot, false));
  return {};
}

// ---- partitions ----

namespace {

std::vector<const tables::Field*> data_columns(const TableMetadata& metadata) {
  std::vector<const tables::Field*> columns;
  for (const tables::Field& column : metadata.current_schema().fields) {
    bool divides = std::ranges::any_of(metadata.default_spec().fields, [&](const auto& field) {
      return field.source_id == column.id &&
             field.transform.kind == tables::TransformKind::identity;
    });
    if (!divides && !column.type.is_nested()) columns.push_back(&column);
  }
  return columns;
}

// A column within the files of one partition; what one file does not say is not known of all.
struct PartitionMetrics {
  bool any = false, has_bounds = true;
  tables::Value lower, upper;
  int64_t nulls = 0, nans = 0;

  void add(const iceberg::ColumnStats* stats, const tables::Type& type) {
    any = any || stats;
    nulls = stats && stats->null_count >= 0 && nulls >= 0 ? nulls + stats->null_count : -1;
    nans = stats && stats->nan_count >= 0 && nans >= 0 ? nans + stats->nan_count : -1;
    bool only_nulls = stats && stats->value_count >= 0 && stats->null_count == stats->value_count;
    if (only_nulls) return;
    if (!stats || !stats->lower || !stats->upper) has_bounds = false;
    if (!has_bounds) return;
    auto low = tables::value_from_binary(*stats->lower, type);
    auto high = tables::value_from_binary(*stats->upper, type);
    has_bounds = low && high;
    if (!has_bounds) return;
    if (lower.is_null() || low->compare(lower) < 0) lower = std::move(*low);
    if (upper.is_null() || high->compare(upper) > 0) upper = std::move(*high);
  }
  Json cell(const tables::Type& type) const {
    bool bounds = has_bounds && !lower.is_null();
    if (!any || (!bounds && nulls < 0)) return {};
    return row_cell({bounds ? value_cell(lower, type) : Json(),
                     bounds ? value_cell(upper, type) : Json(), json(known(nulls)),
                     json(known(nans))});
  }
};

struct PartitionSums {
  Json partition;
  int64_t rows = 0, files = 0, bytes = 0;
  std::vector<PartitionMetrics> columns;
};

}  // namespace

std::vector<ColumnInfo> partition_table_columns(const TableMetadata& metadata) {
  std::vector<ColumnInfo> made;
  add_partition(metadata, made);
  add_columns("record_count bigint, file_count bigint, total_size bigint", made);
  std::vector<Field> columns;
  for (const tables::Field* column : data_columns(metadata)) {
    Type type = trino_type(column->type);
    Type bigint(TypeKind::bigint);
    columns.push_back(
        {column->name,
         Type::row({{"min", type}, {"max", type}, {"null_count", bigint}, {"nan_count", bigint}})});
  }
  if (!columns.empty()) made.push_back({.name = "data", .type = Type::row(std::move(columns))});
  return made;
}

Status scan_partitions(MetadataScan& scan) {
  const iceberg::Snapshot* snapshot = scan.metadata.current_snapshot();
  if (!snapshot) return {};
  auto partitions = partition_columns(scan.metadata);
  auto data = data_columns(scan.metadata);
  std::map<std::string, PartitionSums> sums;
  auto visit = [&](const Entry& entry) {
    const auto& [file, manifest, at] = entry;
    if (manifest.status[at] == iceberg::EntryStatus::deleted || file.holds_deletes) return;
    Json key = partition_cell(partitions, manifest, at);
    PartitionSums& sum = sums[key.dump()];
    sum.partition = std::move(key);
    sum.rows += manifest.record_count[at];
    sum.files += 1;
    sum.bytes += manifest.file_size[at];
    sum.columns.resize(data.size());
    auto columns = manifest.columns(at);
    for (size_t i = 0; i < data.size(); ++i) {
      auto found = std::ranges::find(columns, data[i]->id, &iceberg::ColumnStats::field_id);
      sum.columns[i].add(found == columns.end() ? nullptr : &*found, data[i]->type);
    }
  };
  RETURN_IF_ERROR(visit_snapshot(scan, *snapshot, visit, nullptr));
  for (auto& [key, sum] : sums) {
    std::vector<Cell> row;
    if (!partitions.empty()) row.emplace_back(sum.partition.dump());
    row.insert(row.end(), {number_cell(sum.rows), number_cell(sum.files), number_cell(sum.bytes)});
    Json columns = Json::array();
    for (size_t i = 0; i < data.size(); ++i) columns.push(sum.columns[i].cell(data[i]->type));
    if (!data.empty()) row.emplace_back(columns.dump());
    scan.rows.push_back(std::move(row));
  }
  return {};
}

}  // namespace aichemy::sql
