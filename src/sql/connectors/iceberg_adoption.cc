// add_files, add_files_from_table and migrate: files that others wrote become part of an Iceberg
// table where they lie. Checks and words as Trino's; beyond them, every file's columns are compared
// with the table's, so that nothing is added that would be read wrongly.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "catalog/hive_catalog.h"
#include "sql/connectors/iceberg_adoption.h"
#include "sql/connectors/iceberg_connector.h"
#include "sql/connectors/iceberg_mapping.h"
#include "sql/connectors/iceberg_tables.h"
#include "sql/connectors/table_change.h"

namespace aichemy::sql {

namespace {

using tables::iceberg::PartitionSpec;
using tables::iceberg::TableMetadata;

constexpr const char* kNameMapping = "schema.name-mapping.default";
constexpr const char* kParquet = "PARQUET";
constexpr std::string_view kDefaultPartition = "__HIVE_DEFAULT_PARTITION__";

std::unexpected<Error> bad_argument(const std::string& message) {
  return fail(Code::invalid, "INVALID_PROCEDURE_ARGUMENT", message);
}

std::unexpected<Error> unsupported(const std::string& message) {
  return fail(Code::unsupported, "NOT_SUPPORTED", message);
}

std::unexpected<Error> not_added(const std::string& message) {
  return fail(Code::invalid, "ICEBERG_COMMIT_ERROR", "Failed to add files: " + message);
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Result<Recursion> recursion_of(const std::optional<std::string>& text) {
  std::string given = upper(text.value_or("fail"));
  if (given == "TRUE") return Recursion::yes;
  if (given == "FALSE") return Recursion::no;
  if (given == "FAIL") return Recursion::refuse;
  return bad_argument("Invalid recursive_directory: " + *text);
}

// What a statement's format becomes; ORC and Avro are Trino's, not ours.
Status check_format(const std::string& format) {
  if (format == kParquet) return {};
  return unsupported("The procedure does not support storage format: " + format);
}

// The files of one partition, and its values.
struct Group {
  std::vector<FoundFile> files;
  std::vector<tables::Value> partition;
};

// The values in "…/part1=a/part2=b/file", one a field of the spec.
Result<std::vector<tables::Value>> values_of_path(const std::string& path,
                                                  const TableMetadata& metadata) {
  const auto& fields = metadata.default_spec().fields;
  std::vector<std::string> parts;
  std::string_view rest = std::string_view(path).substr(0, path.rfind('/'));
  for (size_t i = 0; i < fields.size(); ++i) {
    size_t slash = rest.rfind('/');
    parts.insert(parts.begin(), std::string(rest.substr(slash + 1)));
    rest = rest.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  std::string expected;
  for (const auto& field : fields)
    expected += (expected.empty() ? "" : "/") + field.name + "=value";
  std::vector<tables::Value> values;
  for (size_t i = 0; i < fields.size(); ++i) {
    size_t equal = parts[i].find('=');
    if (equal == std::string::npos) {
      return not_added(fmt::format(
          "Invalid partition location, expected path with partitions defined as '{}': {}", expected,
          path));
    }
    std::string key = parts[i].substr(0, equal);
    if (key != fields[i].name) {
      return not_added(
          fmt::format("Invalid partition location, expected partition key '{}' but was '{}': {}",
                      fields[i].name, key, path));
    }
    if (fields[i].transform.kind != tables::TransformKind::identity)
      return unsupported("Adding files to partitions of a transform is not supported: " + key);
    ASSIGN_OR_RETURN(auto texts, catalog::partition_values(parts[i]));
    const tables::Field* source = metadata.current_schema().find(fields[i].source_id);
    if (texts[0] == kDefaultPartition) {
      values.emplace_back();
      continue;
    }
    auto value = source ? value_from_engine_text(texts[0], source->type) : std::nullopt;
    if (!value) {
      return not_added(
          fmt::format("Invalid partition value '{}' of '{}': {}", texts[0], key, path));
    }
    values.push_back(std::move(*value));
  }
  return values;
}

// In the order of the spec, the values of a Hive partition, which are in the order of its keys.
Result<std::vector<tables::Value>> values_for(const PartitionSpec& spec,
                                              const tables::Schema& schema,
                                              const ForeignTable& source,
                                              const std::vector<tables::Value>& values) {
  std::vector<tables::Value> ordered;
  for (const auto& field : spec.fields) {
    std::string name = schema.path_of(field.source_id);
    size_t key = 0;
    while (key < source.keys &&
           source.columns[source.columns.size() - source.keys + key].name != lower(name))
      ++key;
    if (key == source.keys || field.transform.kind != tables::TransformKind::identity)
      return not_added("Invalid partition: " + field.name);
    ordered.push_back(values[key]);
  }
  return ordered;
}

Status check_source(const ForeignTable& source) {
  if (source.transactional)
    return unsupported("Adding files from transactional tables is unsupported");
  if (source.table_type != "MANAGED_TABLE" && source.table_type != "EXTERNAL_TABLE") {
    return unsupported("The procedure doesn't support adding files from " + source.table_type +
                       " table type");
  }
  if (source.kind != ForeignTable::Kind::hive)
    return unsupported("Adding files from non-Hive tables is unsupported");
  return {};
}

Status check_columns(const ForeignTable& source, const tables::Schema& schema) {
  size_t data = source.columns.size() - source.keys, missing = 0;
  int last_id = 0;
  for (size_t i = 0; i < source.columns.size(); ++i) {
    const ColumnInfo& column = source.columns[i];
    const tables::Field* target = schema.find(column.name, true);
    if (!target && i >= data) {
      return fail(Code::invalid, "COLUMN_NOT_FOUND",
                  fmt::format("Partition column '{}' does not exist", column.name));
    }
    if (!target) {
      ++missing;
      continue;
    }
    ASSIGN_OR_RETURN(tables::Type type, iceberg_type(column.type, &last_id));
    if (tables::type_text(type) == tables::type_text(target->type)) continue;
    return fail(
        Code::invalid, "TYPE_MISMATCH",
        fmt::format("Target '{}' column is '{}' type, but got source '{}' type", target->name,
                    tables::type_text(target->type), tables::type_text(type)));
  }
  if (missing < data || data == 0) return {};
  return fail(Code::invalid, "COLUMN_NOT_FOUND",
              "All columns in the source table do not exist in the target table");
}

// Which folders of the source partition_filter names: all values of one.
Result<std::vector<const ForeignTable::Folder*>> chosen_folders(const ForeignTable& source,
                                                                const Json& filter) {
  std::vector<const ForeignTable::Folder*> chosen;
  if (source.keys == 0) {
    for (const auto& folder : source.folders) chosen.push_back(&folder);
    return chosen;
  }
  if (filter.as_object().size() != source.keys) {
    return not_added(fmt::format("partition value count must match partition column count"));
  }
  std::vector<catalog::hive::FieldSchema> keys;
  std::vector<std::string> texts;
  for (size_t i = source.columns.size() - source.keys; i < source.columns.size(); ++i) {
    const Json* text = filter.find(source.columns[i].name);
    if (!text) return not_added("Invalid partition: " + filter.dump());
    keys.push_back({source.columns[i].name, {}, {}});
    texts.emplace_back(text->as_string());
  }
  std::string name = catalog::name_of_values(keys, texts);
  for (const auto& folder : source.folders) {
    if (folder.partition == name) chosen.push_back(&folder);
  }
  if (chosen.empty()) return not_added("Invalid partition: " + name);
  return chosen;
}

constexpr const char* kMetastoreOnly[] = {"transient_lastDdlTime",
                                          "numFiles",
                                          "totalSize",
                                          "rawDataSize",
                                          "numRows",
                                          "EXTERNAL",
                                          "comment",
                                          "auto.purge",
                                          "COLUMN_STATS_ACCURATE",
                                          "bucketing_version",
                                          "external.table.purge",
                                          "numFilesErasureCoded"};

// The table that a Hive table becomes, before its files.
Result<catalog::CreateTable> migrated_table(const ForeignTable& source, catalog::EntityName name) {
  catalog::CreateTable made;
  made.name = std::move(name);
  made.location = source.location;
  int last_id = 0;
  for (const ColumnInfo& column : source.columns) {
    tables::Field field{.id = ++last_id, .name = column.name, .doc = column.comment};
    made.schema.fields.push_back(std::move(field));
  }
  for (size_t i = 0; i < source.columns.size(); ++i) {
    ASSIGN_OR_RETURN(made.schema.fields[i].type, iceberg_type(source.columns[i].type, &last_id));
  }
  for (size_t i = source.columns.size() - source.keys; i < source.columns.size(); ++i) {
    tables::iceberg::PartitionField field;
    field.source_id = made.schema.fields[i].id;
    field.name = source.columns[i].name;
    field.transform.kind = tables::TransformKind::identity;
    made.spec.fields.push_back(std::move(field));
  }
  for (const auto& [key, value] : source.parameters) {
    if (std::ranges::find(kMetastoreOnly, key) == std::end(kMetastoreOnly))
      made.properties[key] = value;
  }
  if (!source.comment.empty()) made.properties["comment"] = source.comment;
  made.properties["migrated"] = "true";
  made.properties["write.format.default"] = kParquet;
  return made;
}

Status check_migrates(const ForeignTable& source) {
  if (source.transactional) return unsupported("Migrating transactional tables is unsupported");
  if (source.table_type != "MANAGED_TABLE" && source.table_type != "EXTERNAL_TABLE") {
    return unsupported("The procedure doesn't support migrating " + source.table_type +
                       " table type");
  }
  switch (source.kind) {
    case ForeignTable::Kind::delta:
      return unsupported("The procedure doesn't support migrating Delta Lake tables");
    case ForeignTable::Kind::hudi:
      return unsupported("The procedure doesn't support migrating Hudi tables");
    case ForeignTable::Kind::iceberg: return unsupported("The table is already an Iceberg table");
    case ForeignTable::Kind::hive: break;
  }
  for (const auto& folder : source.folders) {
    if (folder.format != kParquet)
      return unsupported("Unsupported storage format: " + folder.format);
  }
  return {};
}

bool same_files(const std::vector<Group>& a, const std::vector<Group>& b) {
  return std::ranges::equal(
      a, b, [](const Group& x, const Group& y) { return std::ranges::equal(x.files, y.files); });
}

Result<std::vector<tables::WrittenFile>> described(const Call& call, const FileAdoption& adoption,
                                                   const std::vector<Group>& groups,
                                                   const tables::Schema& schema,
                                                   const PartitionSpec& spec,
                                                   std::vector<tables::NameMapping>* mapping) {
  FileMatcher matcher(schema, spec, mapping);
  std::vector<tables::WrittenFile> files;
  for (const Group& group : groups) {
    for (const FoundFile& found : group.files) {
      if (call.cancel.stop_requested())
        return fail(Code::cancelled, "cancelled", "the request was cancelled");
      auto footer = adoption.footer(call, found.path);
      if (!footer && footer.error().is("not_parquet")) {
        return not_added(
            fmt::format("Failed to read file footer: {}: {}", found.path, footer.error().message));
      }
      if (!footer) return std::unexpected(footer.error());
      ASSIGN_OR_RETURN(tables::WrittenFile file, matcher.match(found.path, *footer));
      file.size = found.size;
      file.partition = group.partition;
      files.push_back(std::move(file));
    }
  }
  return files;
}

// Metadata with the files in its first snapshot; its location.
Result<std::string> write_first_version(const Call& call, catalog::Catalog& catalog, Random& random,
                                        const catalog::LoadedTable& staged,
                                        const std::vector<tables::WrittenFile>& files,
                                        std::vector<std::string>* written) {
  namespace iceberg = tables::iceberg;
  TableMetadata metadata = *staged.metadata;
  int64_t now = catalog.now_millis();
  if (!files.empty()) {
    ASSIGN_OR_RETURN(auto prepared, iceberg::prepare_append(call, catalog.files(), random, metadata,
                                                            metadata.default_spec_id, files));
    *written = prepared.written;
    ASSIGN_OR_RETURN(auto change,
                     iceberg::append_change(call, catalog.files(), catalog.manifests(), random,
                                            metadata, prepared, {"", 1, now, {}}));
    written->insert(written->end(), change.written.begin(), change.written.end());
    ASSIGN_OR_RETURN(metadata, iceberg::apply_updates(&metadata, change.updates, {now, ""}));
  }
  std::string location = iceberg::metadata_location(metadata, "", random.uuid());
  RETURN_IF_ERROR(
      catalog.files().write_new(call, location, iceberg::metadata_to_json(metadata).dump()));
  written->push_back(location);
  return location;
}

Result<std::vector<Group>> groups_of(const Call& call, tables::FileIo& io,
                                     const ForeignTable& source,
                                     const std::vector<const ForeignTable::Folder*>& folders,
                                     const PartitionSpec& spec, const tables::Schema& schema,
                                     Recursion recursion) {
  std::vector<Group> groups;
  for (const auto* folder : folders) {
    Group group;
    ASSIGN_OR_RETURN(group.files, files_below(call, io, folder->location, recursion));
    ASSIGN_OR_RETURN(group.partition, values_for(spec, schema, source, folder->values));
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace

Result<ProcedureMetrics> IcebergConnector::adopt(const Call& call,
                                                 const catalog::LoadedTable& table,
                                                 std::vector<tables::WrittenFile> files,
                                                 std::vector<tables::NameMapping> mapping) {
  ASSIGN_OR_RETURN(auto plan, catalog_.plan(call, table, {.with_bounds = false}));
  std::set<std::string_view> existing;
  for (const auto& file : plan.files) existing.insert(file.path);
  for (const auto& file : files) {
    if (existing.contains(file.path)) {
      return fail(Code::exists, "ICEBERG_COMMIT_ERROR",
                  "Failed to add files: File already exists: " + file.path);
    }
  }
  std::string text = tables::name_mapping_text(mapping);
  const TableMetadata& metadata = *table.metadata;
  if (metadata.property(kNameMapping) != text) {
    using tables::iceberg::Requirement;
    catalog::CommitTable change{
        table.name,
        {Requirement::uuid(metadata.uuid),
         Requirement::of(Requirement::Kind::current_schema_id, metadata.current_schema_id)},
        {tables::iceberg::Update::set({{kNameMapping, text}})}};
    RETURN_IF_ERROR(catalog_.commit(call, change));
  }
  auto count = static_cast<int64_t>(files.size());
  if (count > 0) {
    catalog::AppendFiles append{
        .name = table.name, .spec_id = metadata.default_spec_id, .files = std::move(files)};
    RETURN_IF_ERROR(catalog_.append(call, append));
  }
  return ProcedureMetrics{{"added_data_files", count}};
}

Result<ProcedureMetrics> IcebergConnector::add_files(const Call& call,
                                                     const catalog::EntityName& name,
                                                     const ProcedureCall& procedure) {
  RETURN_IF_ERROR(check_format(upper(procedure.values[1].value_or(""))));
  ASSIGN_OR_RETURN(Recursion recursion, recursion_of(procedure.values[2]));
  ASSIGN_OR_RETURN(auto table, catalog_.load_table(call, name));
  const TableMetadata& metadata = *table.metadata;
  std::string location = procedure.values[0].value_or("");
  ASSIGN_OR_RETURN(auto found, files_at(call, catalog_.files(), location, recursion));
  std::vector<Group> groups;
  for (FoundFile& file : found) {
    ASSIGN_OR_RETURN(auto values, values_of_path(file.path, metadata));
    groups.push_back({{std::move(file)}, std::move(values)});
  }
  ASSIGN_OR_RETURN(auto mapping, mapping_of(metadata));
  ASSIGN_OR_RETURN(auto files, described(call, adoption_, groups, metadata.current_schema(),
                                         metadata.default_spec(), &mapping));
  return adopt(call, table, std::move(files), std::move(mapping));
}

Result<ProcedureMetrics> IcebergConnector::add_files_from_table(const Call& call,
                                                                const catalog::EntityName& name,
                                                                const ProcedureCall& procedure) {
  TableName source_name{lower(procedure.values[0].value_or("")),
                        lower(procedure.values[1].value_or(""))};
  ASSIGN_OR_RETURN(Recursion recursion, recursion_of(procedure.values[3]));
  ASSIGN_OR_RETURN(auto table, catalog_.load_table(call, name));
  const TableMetadata& metadata = *table.metadata;
  ASSIGN_OR_RETURN(ForeignTable source, adoption_.foreign_table(call, source_name));
  RETURN_IF_ERROR(check_source(source));
  const PartitionSpec& spec = metadata.default_spec();
  if (spec.fields.size() != source.keys) {
    return bad_argument(
        fmt::format("Numbers of partition columns should be equivalent. target: {}, source: {}",
                    spec.fields.size(), source.keys));
  }
  ASSIGN_OR_RETURN(Json filter, Json::parse(procedure.values[2].value_or("{}")));
  if (source.keys > 0 && !procedure.values[2])
    return bad_argument("partition_filter argument must be provided for partitioned tables");
  if (source.keys == 0 && !filter.as_object().empty())
    return unsupported("Partition filter is not supported for non-partitioned tables");
  RETURN_IF_ERROR(check_columns(source, metadata.current_schema()));
  ASSIGN_OR_RETURN(auto folders, chosen_folders(source, filter));
  for (const auto* folder : folders) RETURN_IF_ERROR(check_format(folder->format));
  ASSIGN_OR_RETURN(auto groups, groups_of(call, catalog_.files(), source, folders, spec,
                                          metadata.current_schema(), recursion));
  ASSIGN_OR_RETURN(auto mapping, mapping_of(metadata));
  ASSIGN_OR_RETURN(auto files,
                   described(call, adoption_, groups, metadata.current_schema(), spec, &mapping));
  return adopt(call, table, std::move(files), std::move(mapping));
}

Status IcebergConnector::publish(const Call& call, const TableName& name,
                                 const std::string& metadata_location) {
  Status done = adoption_.becomes_iceberg(call, name, metadata_location);
  if (done || done.error().code == Code::conflict) return done;
  auto now = adoption_.foreign_table(Call{}, name);
  if (now && now->kind == ForeignTable::Kind::hive) return done;
  if (now && now->parameters["metadata_location"] == metadata_location) return {};
  return fail(Code::internal, "commit_unknown",
              "the migration may or may not have happened: " + done.error().message);
}

// The metadata is written beside the files; then the Metastore's table is told where it is. Files
// that come in between are seen: the folders are looked into once more.
Result<ProcedureMetrics> IcebergConnector::migrate(const Call& call,
                                                   const catalog::EntityName& name,
                                                   const ProcedureCall& procedure) {
  ASSIGN_OR_RETURN(Recursion recursion, recursion_of(procedure.values[2]));
  TableName hive_name{procedure.values[0].value_or(""), procedure.values[1].value_or("")};
  ASSIGN_OR_RETURN(ForeignTable source, adoption_.foreign_table(call, hive_name));
  RETURN_IF_ERROR(check_migrates(source));
  ASSIGN_OR_RETURN(auto made, migrated_table(source, name));
  ASSIGN_OR_RETURN(auto staged, catalog_.stage_table(call, made));
  const tables::Schema& schema = staged.metadata->current_schema();
  const PartitionSpec& spec = staged.metadata->default_spec();
  auto list = [&](const ForeignTable& of) {
    std::vector<const ForeignTable::Folder*> folders;
    for (const auto& folder : of.folders) folders.push_back(&folder);
    return groups_of(call, catalog_.files(), of, folders, spec, schema, recursion);
  };
  ASSIGN_OR_RETURN(auto groups, list(source));
  auto mapping = tables::name_mapping_of(schema.fields);
  auto files = described(call, adoption_, groups, schema, spec, &mapping);
  if (!files) {
    Error error = files.error();
    if (error.is("ICEBERG_COMMIT_ERROR"))
      error.message = "Failed to migrate table: " + error.message;
    return std::unexpected(error);
  }
  made.properties[kNameMapping] = tables::name_mapping_text(mapping);
  ASSIGN_OR_RETURN(auto mapped, catalog_.stage_table(call, made));
  ASSIGN_OR_RETURN(ForeignTable now, adoption_.foreign_table(call, hive_name));
  RETURN_IF_ERROR(check_migrates(now));
  ASSIGN_OR_RETURN(auto again, list(now));
  if (!same_files(groups, again)) {
    return fail(Code::conflict, "TRANSACTION_CONFLICT",
                "Failed to migrate table: its files were changed meanwhile");
  }
  std::vector<std::string> written;
  auto location = write_first_version(call, catalog_, *adoption_.random, mapped, *files, &written);
  Status done = location ? Status() : Status(std::unexpected(location.error()));
  if (done) done = publish(call, hive_name, *location);
  if (!done && !done.error().is("commit_unknown")) {
    for (const std::string& file : written) (void)catalog_.files().remove(Call{}, file);
  }
  RETURN_IF_ERROR(done);
  return ProcedureMetrics{};
}

}  // namespace aichemy::sql
