// Inserts into Iceberg tables, and what row changes share with them.
#include <algorithm>

#include "sql/connectors/iceberg_connector.h"
#include "sql/connectors/iceberg_mapping.h"
#include "sql/connectors/iceberg_tables.h"

namespace aichemy::sql {

namespace {

// The catalog's words as the connector's interface has them.
struct WordRow {
  std::string_view theirs;
  const char* ours;
};
constexpr WordRow kWords[] = {
    {"no_such_namespace", "schema_not_found"},
    {"no_such_table", "table_not_found"},
    {"no_such_view", "view_not_found"},
    {"namespace_exists", "schema_exists"},
    {"table_exists", "table_exists"},
    {"view_exists", "table_exists"},
    {"namespace_not_empty", "schema_not_empty"},
};

// Whoever finishes an insert later, from files of an earlier begin_insert(), brings this entry of
// its summary along: the table may be divided by another spec by then.
constexpr const char* kSpecId = "aichemy.partition-spec-id";

struct IcebergInsert final : Insert {
  catalog::LoadedTable table;  // as it was when the insert began; staged for CREATE TABLE AS
  std::optional<catalog::Replacement> replaces;
  bool creates = false;
  std::string branch;  // empty: main
  int spec_id = 0;
};

// Columns below lists and maps have no bounds that mean anything for rows.
void collect_leaves(const std::vector<tables::Field>& fields, std::map<int, tables::Type>* leaves) {
  for (const tables::Field& field : fields) {
    if (field.type.kind == tables::TypeKind::struct_)
      collect_leaves(field.type.fields, leaves);
    else if (!field.type.is_nested())
      (*leaves)[field.id] = field.type;
  }
}

tables::ColumnMetrics metrics_of(const WrittenColumn& column, const tables::Type& type,
                                 uint64_t rows) {
  tables::ColumnMetrics metrics;
  metrics.field_id = column.field_id;
  metrics.column_size = static_cast<int64_t>(column.bytes);
  metrics.value_count = static_cast<int64_t>(rows);
  if (column.null_count) metrics.null_count = static_cast<int64_t>(*column.null_count);
  bool floating = type.kind == tables::TypeKind::float32 || type.kind == tables::TypeKind::float64;
  if (floating && column.has_nan) return metrics;  // the engine's bounds may be NaN themselves
  if (floating) metrics.nan_count = 0;
  // The engine prints bytes in statistics as hex and elsewhere escaped: not worth the doubt.
  bool bytes = type.kind == tables::TypeKind::binary || type.kind == tables::TypeKind::fixed;
  if (bytes) return metrics;
  auto lower = column.min ? value_from_engine_text(*column.min, type) : std::nullopt;
  auto upper = column.max ? value_from_engine_text(*column.max, type) : std::nullopt;
  if (lower && tables::fits(*lower, type)) metrics.lower = std::move(*lower);
  if (upper && tables::fits(*upper, type)) metrics.upper = std::move(*upper);
  return metrics;
}

}  // namespace

Error in_our_words(Error error) {
  for (const WordRow& row : kWords) {
    if (error.is(row.theirs)) error.what = row.ours;
  }
  return error;
}

Status in_our_words(Status status) {
  if (status) return status;
  return std::unexpected(in_our_words(status.error()));
}

Status check_branch(const IcebergTable& table) {
  auto ref = table.loaded.metadata->refs.find(table.ref);
  if (ref == table.loaded.metadata->refs.end() || ref->second.is_branch) return {};
  return fail(Code::not_found, "BRANCH_NOT_FOUND", "Branch '" + table.ref + "' does not exist");
}

namespace {

// The way from columns to a field inside of them: indexes, one a level. Empty when it is not there.
std::vector<size_t> path_to(const std::vector<tables::Field>& fields, int id) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].id == id) return {i};
    if (fields[i].type.kind != tables::TypeKind::struct_) continue;
    auto below = path_to(fields[i].type.fields, id);
    if (below.empty()) continue;
    below.insert(below.begin(), i);
    return below;
  }
  return {};
}

// What the engine can sort by; the rest of Iceberg's transforms it cannot compute.
bool computes(const tables::Transform& transform, const Type& type) {
  using Kind = tables::TransformKind;
  if (transform.kind == Kind::truncate) return !type.is(TypeKind::decimal);
  return transform.kind != Kind::void_ && transform.kind != Kind::unknown;
}

// The table's order, when all of it can be kept: files claim it whole or not at all.
void set_order(const tables::iceberg::TableMetadata& metadata, InsertTarget* target) {
  const tables::Schema& schema = metadata.current_schema();
  std::vector<SortKey> keys;
  for (const auto& field : metadata.default_sort_order().fields) {
    auto path = path_to(schema.fields, field.source_id);
    if (path.empty()) return;
    SortKey key{.column = {target->columns[path[0]].name},
                .type = target->columns[path[0]].type,
                .transform = tables::transform_text(field.transform),
                .descending = !field.ascending,
                .nulls_first = field.nulls_first};
    for (size_t i = 1; i < path.size(); ++i) {
      Field inner = key.type.fields[path[i]];
      key.column.push_back(inner.name.value_or(""));
      key.type = std::move(inner.type);
    }
    if (!computes(field.transform, key.type)) return;
    keys.push_back(std::move(key));
  }
  target->sort = std::move(keys);
  target->sort_order_id = metadata.default_sort_order_id;
}

}  // namespace

Result<InsertTarget> insert_target(const catalog::LoadedTable& table) {
  const auto& metadata = *table.metadata;
  InsertTarget target;
  target.location = metadata.property("write.data.path", metadata.location + "/data");
  while (target.location.ends_with('/')) target.location.pop_back();
  const tables::Schema& schema = metadata.current_schema();
  for (const tables::Field& field : schema.fields) {
    target.columns.push_back({.name = field.name,
                              .type = trino_type(field.type),
                              .field_id = field_id_of(field),
                              .required = field.required});
  }
  target.compression = metadata.property("write.parquet.compression-codec", "zstd");
  target.file_bytes_max =
      static_cast<uint64_t>(metadata.int_property("write.target-file-size-bytes", 512 << 20));
  for (const auto& field : metadata.default_spec().fields) {
    auto source =
        std::find_if(schema.fields.begin(), schema.fields.end(),
                     [&](const tables::Field& column) { return column.id == field.source_id; });
    if (source == schema.fields.end()) {
      return fail(
          Code::unsupported, "NOT_SUPPORTED",
          "Writing to a table partitioned by a nested column is not supported: " + field.name);
    }
    target.partition.push_back({.column = static_cast<size_t>(source - schema.fields.begin()),
                                .transform = tables::transform_text(field.transform),
                                .name = field.name,
                                .field_id = field.field_id});
  }
  set_order(metadata, &target);
  return target;
}

Result<tables::WrittenFile> committed_file(const WrittenFile& written,
                                           const catalog::LoadedTable& table, int spec_id) {
  const auto& metadata = *table.metadata;
  const tables::Schema& schema = metadata.current_schema();
  tables::WrittenFile file;
  file.path = written.path;
  file.size = written.bytes;
  file.record_count = written.rows;
  file.split_offsets = written.split_offsets;
  file.sort_order_id = written.sort_order_id;
  file.held = written.held;
  const auto& spec = *metadata.spec(spec_id);
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    tables::Value value;
    if (i < written.partition.size() && written.partition[i]) {
      const tables::Field* source = schema.find(spec.fields[i].source_id);
      ASSIGN_OR_RETURN(tables::Type type,
                       tables::transform_result_type(spec.fields[i].transform, source->type));
      // Days are dates to Iceberg; the engine counts them.
      if (spec.fields[i].transform.kind == tables::TransformKind::day)
        type = tables::primitive(tables::TypeKind::int32);
      auto parsed = value_from_engine_text(*written.partition[i], type);
      if (!parsed && *written.partition[i] == "nan") {
        return fail(Code::unsupported, "NOT_SUPPORTED",
                    "Partitions of NaN are not supported: " + source->name);
      }
      if (!parsed) {
        return fail(
            Code::internal, "partition_value",
            "cannot read the partition value \"" + *written.partition[i] + "\" of " + written.path);
      }
      value = std::move(*parsed);
    }
    file.partition.push_back(std::move(value));
  }
  std::map<int, tables::Type> leaves;
  collect_leaves(schema.fields, &leaves);
  for (const WrittenColumn& column : written.columns) {
    auto leaf = leaves.find(column.field_id);
    if (leaf != leaves.end())
      file.columns.push_back(metrics_of(column, leaf->second, written.rows));
  }
  return file;
}

namespace {

Result<std::unique_ptr<IcebergInsert>> insert_into(catalog::LoadedTable table) {
  auto insert = std::make_unique<IcebergInsert>();
  ASSIGN_OR_RETURN(insert->target, insert_target(table));
  insert->spec_id = table.metadata->default_spec_id;
  insert->summary[kSpecId] = std::to_string(insert->spec_id);
  insert->takes_held_files = true;
  insert->table = std::move(table);
  return insert;
}

}  // namespace

Result<std::unique_ptr<Insert>> IcebergConnector::begin_insert(const Call&, const TableRef& table) {
  const auto* iceberg = dynamic_cast<const IcebergTable*>(table.get());
  if (!iceberg)
    return fail(Code::unsupported, "NOT_SUPPORTED", "This connector does not support inserts");
  RETURN_IF_ERROR(check_branch(*iceberg));
  ASSIGN_OR_RETURN(auto insert, insert_into(iceberg->loaded));
  insert->branch = iceberg->ref;
  return insert;
}

Result<std::unique_ptr<Insert>> IcebergConnector::begin_create_table_as(const Call& call,
                                                                        const NewTable& table) {
  ASSIGN_OR_RETURN(auto made, new_table(call, table));
  if (table.replace) {
    ASSIGN_OR_RETURN(auto replacement, replacement_of(call, made));
    if (replacement) {
      ASSIGN_OR_RETURN(auto insert, insert_into(replacement->staged));
      insert->replaces = std::move(replacement);
      return insert;
    }
  }
  ASSIGN_OR_RETURN(bool taken, in_our_words(catalog_.table_exists(call, made.name)));
  if (taken)
    return fail(Code::exists, "table_exists",
                "Table already exists: " + catalog::name_text(made.name));
  ASSIGN_OR_RETURN(auto staged, in_our_words(catalog_.stage_table(call, made)));
  ASSIGN_OR_RETURN(auto insert, insert_into(std::move(staged)));
  insert->creates = true;
  return insert;
}

Status IcebergConnector::finish_insert(const Call& call, Insert& insert,
                                       std::vector<WrittenFile> files) {
  auto& ours = static_cast<IcebergInsert&>(insert);
  if (auto given = ours.summary.extract(kSpecId); !given.empty())
    ours.spec_id = std::atoi(given.mapped().c_str());
  if (!ours.table.metadata->spec(ours.spec_id)) {
    return fail(Code::invalid, "partition_spec",
                "the table has no partition spec " + std::to_string(ours.spec_id) + " any more");
  }
  catalog::AppendFiles append;
  append.name = ours.table.name;
  append.branch = ours.branch;
  append.spec_id = ours.spec_id;
  append.summary = {insert.summary.begin(), insert.summary.end()};
  append.once = insert.once;
  for (const WrittenFile& written : files) {
    ASSIGN_OR_RETURN(auto file, committed_file(written, ours.table, ours.spec_id));
    append.files.push_back(std::move(file));
  }
  if (!insert.files.empty()) {
    catalog::ChangeRows rows;
    rows.name = append.name;
    rows.change.read_snapshot_id = ours.table.metadata->current_snapshot_id;
    rows.change.spec_id = ours.spec_id;
    rows.change.added = std::move(append.files);
    rows.change.replaced = insert.files;
    rows.summary["operation"] = "replace";
    auto rewritten = in_our_words(catalog_.change_rows(call, rows));
    if (!rewritten) {
      // Nobody names them; others than a lost race may not have come so far.
      bool certain = rewritten.error().code == Code::conflict;
      for (const WrittenFile& written : files) {
        if (certain) (void)catalog_.files().remove(Call{}, written.path);
      }
      return std::unexpected(rewritten.error());
    }
    auto count = [&](const char* key) -> int64_t {
      return std::atoll(
          std::string(rewritten->metadata->current_snapshot()->summary_value(key)).c_str());
    };
    insert.metrics = {{"rewritten_data_files_count", count("deleted-data-files")},
                      {"removed_delete_files_count", count("removed-delete-files")},
                      {"added_data_files_count", count("added-data-files")}};
    return {};
  }
  if (ours.replaces) {
    auto replaced = in_our_words(catalog_.replace_with_files(call, *ours.replaces, append));
    if (!replaced) return std::unexpected(replaced.error());
    return {};
  }
  if (ours.creates) {
    auto created = in_our_words(catalog_.create_with_files(call, ours.table, append));
    if (!created) return std::unexpected(created.error());
    return {};
  }
  if (append.files.empty() && !append.once && append.summary.empty()) return {};
  auto done = in_our_words(catalog_.append(call, append));
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace aichemy::sql
