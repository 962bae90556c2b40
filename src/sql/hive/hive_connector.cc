#include "sql/hive/hive_connector.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/hive/hive_buckets.h"
#include "sql/hive/hive_errors.h"
#include "sql/hive/hive_projection.h"
#include "sql/hive/hive_tables.h"

namespace aichemy::sql {
namespace {

constexpr std::string_view kPartitionsSuffix = "$partitions", kPropertiesSuffix = "$properties";
constexpr const char* kLocation = "location";
constexpr int32_t kUserOwner = 1, kRoleOwner = 2;

// Rows in which the partitions, or the parameters, of a table are listed.
struct HiveListing final : Table {
  std::shared_ptr<HiveTable> of;
  bool partitions = false;
};

FieldId numbered(const Type& type, int32_t& next) {
  FieldId id{next++, {}};
  for (const auto& field : type.fields) id.children.push_back(numbered(field.type, next));
  return id;
}

tables::NameMapping mapping_of(const std::string& name, const Type& type, const FieldId& id) {
  tables::NameMapping mapping{{name}, id.id, {}};
  for (size_t i = 0; i < type.fields.size(); ++i) {
    mapping.fields.push_back(
        mapping_of(type.fields[i].name.value_or(""), type.fields[i].type, id.children[i]));
  }
  return mapping;
}

LakeColumnSource source_of(const ColumnInfo& column) {
  struct Row {
    std::string_view name;
    LakeColumnSource source;
  };
  static constexpr Row kSources[] = {{"$path", LakeColumnSource::path},
                                     {"$file_size", LakeColumnSource::file_size},
                                     {"$file_modified_time", LakeColumnSource::modified},
                                     {"$partition", LakeColumnSource::partition}};
  for (const Row& row : kSources) {
    if (column.hidden && column.name == row.name) return row.source;
  }
  return LakeColumnSource::data;
}

// Puts the scan of a table together, a folder at a time.
class ScanBuilder {
 public:
  ScanBuilder(const HiveTable& table, const ScanRequest& request)
      : table_(table), request_(request) {
    int32_t next = 1;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const ColumnInfo& column = table.columns[i];
      LakeColumn made{column.type, numbered(column.type, next), source_of(column)};
      if (column.hidden && column.name == kBucketColumn) bucket_id_ = made.field_id.id;
      if (i < table.data_columns)
        lake_->plan.name_mapping.push_back(mapping_of(column.name, column.type, made.field_id));
      lake_->columns.push_back(made);
      text_->columns.push_back(std::move(made));
      text_->names.push_back(column.name);
    }
    own_->columns = text_->columns;
    own_->names = text_->names;
    for (const Conjunct& conjunct : request.conjuncts) {
      if (conjunct.column < table.data_columns) own_->conjuncts.push_back(conjunct);
    }
    lake_->by_name = true;
    lake_->counts_known = false;
  }

  Status add(const hive::StorageDescriptor& storage, std::vector<HiveFile> files,
             const HivePartition* partition) {
    ASSIGN_OR_RETURN(HiveFormat format, format_of(storage));
    if (!hive_format_row(format).read) {
      return fail(Code::unsupported, "HIVE_UNSUPPORTED_FORMAT",
                  fmt::format("Hive storage format {} is not supported: {}.{}",
                              hive_format_row(format).name, table_.name.schema, table_.name.table));
    }
    for (HiveFile& file : files) {
      if (file.bucket && bucket_id_ > 0)
        file.data.constants.push_back({bucket_id_, tables::Value(int64_t{*file.bucket})});
      if (!partition) continue;
      file.data.partition = partition->name;
      for (size_t i = 0; i < table_.keys; ++i) {
        int id = lake_->columns[table_.data_columns + i].field_id.id;
        file.data.constants.push_back({id, partition->values[i]});
      }
    }
    if (format == HiveFormat::parquet) {
      for (HiveFile& file : files) add_parquet(std::move(file));
      return {};
    }
    ASSIGN_OR_RETURN(HiveSerde serde, serde_of(format, storage, table_.parameters()));
    bool own = format == HiveFormat::orc || format == HiveFormat::avro;
    HiveTextScan& to = own ? *own_ : *text_;
    for (HiveFile& file : files)
      to.files.push_back({std::move(file.data), std::move(file.version), to.serdes.size()});
    to.serdes.push_back(std::move(serde));
    return {};
  }

  // The registries take what there is to read; `scans` what puts several together.
  EngineScan finish(const HiveConnector::Options& to) {
    std::vector<EngineScan> parts;
    if (!text_->files.empty()) parts.push_back(to.text_scans.add(text_));
    if (!own_->files.empty()) parts.push_back(to.file_scans.add(own_));
    // Readers of our own make values fit their columns; Parquet's does not.
    bool parquet = !lake_->plan.files.empty() || parts.empty();
    if (!parquet && parts.size() == 1) return parts[0];
    auto whole = std::make_shared<HiveScan>();
    bool any = false;
    for (size_t i = 0; i < table_.columns.size(); ++i) {
      const Type& type = table_.columns[i].type;
      bool cut = type.is(TypeKind::char_) ||
                 (type.is(TypeKind::varchar) && type.precision != Type::kUnbounded) ||
                 type.is(TypeKind::timestamp);
      whole->types.push_back(type);
      whole->declared.push_back(cut && i < table_.data_columns);
      any = any || (whole->declared[i] &&
                    std::ranges::find(request_.columns, i) != request_.columns.end());
    }
    if (parquet) {
      lake_->plan.files_total = lake_->plan.files.size();
      EngineScan files = to.lake_scans.add(lake_);
      if (parts.empty() && !any) return files;
      parts.insert(parts.begin(), std::move(files));
    }
    whole->parts = std::move(parts);
    return to.scans.add(std::move(whole));
  }

 private:
  const HiveTable& table_;
  const ScanRequest& request_;
  int32_t bucket_id_ = 0;  // the field of $bucket
  std::shared_ptr<LakeScan> lake_ = std::make_shared<LakeScan>();
  std::shared_ptr<HiveTextScan> text_ = std::make_shared<HiveTextScan>();
  std::shared_ptr<HiveFileScan> own_ = std::make_shared<HiveFileScan>();

  void add_parquet(HiveFile file) {
    constexpr uint64_t kRowBytes = 32;  // for a guess
    lake_->plan.record_count += file.data.size / kRowBytes + 1;
    lake_->plan.byte_count += file.data.size;
    lake_->plan.files.push_back(std::move(file.data));
    lake_->versions.push_back(std::move(file.version));
  }
};

}  // namespace

std::vector<PropertyInfo> HiveConnector::list_properties(PropertyOf of) const {
  if (of == PropertyOf::table) return hive_table_properties();
  if (of == PropertyOf::column) return projection_column_properties();
  if (of == PropertyOf::schema)
    return {{kLocation, "", "varchar", "Base file system location URI"}};
  return {};
}

Result<std::vector<std::string>> HiveConnector::list_schemas(const Call& call) {
  return o_.catalog.list_databases(call, "");
}

Result<bool> HiveConnector::schema_exists(const Call& call, const std::string& schema) {
  auto found = o_.catalog.load_database(call, schema);
  if (!found && found.error().code == Code::not_found) return false;
  if (!found) return std::unexpected(found.error());
  return true;
}

Status HiveConnector::create_schema(const Call& call, const std::string& schema,
                                    const Properties& properties) {
  hive::Database database;
  database.name = schema;
  for (const auto& [name, value] : properties) {
    if (name != kLocation) {
      return fail(Code::invalid, "INVALID_SCHEMA_PROPERTY",
                  fmt::format("Catalog 'hive' schema property '{}' does not exist", name));
    }
    if (!tables::parse_location(value)) {
      return fail(Code::invalid, "INVALID_SCHEMA_PROPERTY",
                  fmt::format("Invalid location URI: {}", value));
    }
    database.location = without_slash(value);
  }
  return hive_words(o_.catalog.create_database(call, database));
}

// Iceberg has the same schemas: what is its own goes through its own catalog.
Status HiveConnector::check_without_iceberg(const Call& call, const std::string& schema) {
  ASSIGN_OR_RETURN(auto names, hive_words(o_.catalog.list_tables(call, schema, "", "")));
  for (const std::string& name : names) {
    auto found = o_.catalog.load_table(call, schema, name);
    if (!found && found.error().code == Code::not_found) continue;
    if (!found) return std::unexpected(hive_words(found.error()));
    hive::Parameters given = found->parameters.value_or(hive::Parameters{});
    if (!lower(parameter_of(given, "table_type")).starts_with("iceberg")) continue;
    return fail(Code::unsupported, "NOT_SUPPORTED",
                fmt::format("Schema {} has Iceberg tables or views, which catalog hive does not "
                            "drop: {}",
                            schema, name));
  }
  return {};
}

Status HiveConnector::drop_schema(const Call& call, const std::string& schema, bool cascade) {
  if (cascade) RETURN_IF_ERROR(check_without_iceberg(call, schema));
  return hive_words(o_.catalog.drop_database(call, schema, true, cascade));
}

Result<std::string> HiveConnector::schema_owner(const Call& call, const std::string& schema) {
  auto found = o_.catalog.load_database(call, schema);
  if (!found) return std::string();
  return found->owner.value_or("");
}

Status HiveConnector::set_schema_owner(const Call& call, const std::string& schema,
                                       const std::string& owner, bool role) {
  ASSIGN_OR_RETURN(hive::Database database, hive_words(o_.catalog.load_database(call, schema)));
  database.owner = owner;
  database.owner_type = role ? kRoleOwner : kUserOwner;
  return hive_words(o_.catalog.alter_database(call, schema, database));
}

Result<std::vector<std::string>> HiveConnector::list_tables(const Call& call,
                                                            const std::string& schema) {
  RETURN_IF_ERROR(hive_words(o_.catalog.load_database(call, schema)));
  ASSIGN_OR_RETURN(auto names, hive_words(o_.catalog.list_tables(call, schema, "", "")));
  std::ranges::sort(names);
  return names;
}

Result<std::vector<std::string>> HiveConnector::list_views(const Call& call,
                                                           const std::string& schema) {
  ASSIGN_OR_RETURN(auto names,
                   hive_words(o_.catalog.list_tables(call, schema, "", "VIRTUAL_VIEW")));
  std::ranges::sort(names);
  return names;
}

Result<std::shared_ptr<HiveTable>> HiveConnector::find_table(const Call& call,
                                                             const TableName& name) {
  auto found = o_.catalog.load_table(call, name.schema, name.table);
  if (!found && found.error().code == Code::not_found) return std::shared_ptr<HiveTable>();
  if (!found) return std::unexpected(hive_words(found.error()));
  if (found->table_type == "VIRTUAL_VIEW") return std::shared_ptr<HiveTable>();
  return sql_table(name, std::move(*found));
}

Result<std::shared_ptr<HiveTable>> HiveConnector::existing_table(const Call& call,
                                                                 const TableName& name) {
  ASSIGN_OR_RETURN(auto table, find_table(call, name));
  if (table) return table;
  return fail(Code::not_found, "table_not_found",
              fmt::format("Table '{}.{}' not found", name.schema, name.table));
}

Result<TableRef> HiveConnector::get_table(const Call& call, const TableName& name) {
  for (std::string_view suffix : {kPartitionsSuffix, kPropertiesSuffix}) {
    if (!name.table.ends_with(suffix)) continue;
    TableName inner{name.schema, name.table.substr(0, name.table.size() - suffix.size())};
    ASSIGN_OR_RETURN(auto of, find_table(call, inner));
    bool partitions = suffix == kPartitionsSuffix;
    if (!of || (partitions && of->keys == 0)) return TableRef();
    auto listing = std::make_shared<HiveListing>();
    listing->name = name;
    listing->partitions = partitions;
    for (size_t i = 0; partitions && i < of->keys; ++i) listing->columns.push_back(of->key(i));
    for (const auto& [key, value] : of->parameters()) {
      if (!partitions) listing->columns.push_back({.name = key, .type = Type::varchar()});
    }
    listing->of = std::move(of);
    return TableRef(std::move(listing));
  }
  ASSIGN_OR_RETURN(auto table, find_table(call, name));
  return TableRef(std::move(table));
}

Result<std::vector<HivePartition>> HiveConnector::load_partitions(
    const Call& call, const HiveTable& table, const std::vector<std::string>& names) {
  ASSIGN_OR_RETURN(auto stored, hive_words(o_.catalog.load_partitions(call, table.name.schema,
                                                                      table.name.table, names)));
  std::vector<HivePartition> partitions;
  for (const auto& raw : stored) {
    ASSIGN_OR_RETURN(auto found, wire::thrift::decode<hive::Partition>(raw.bytes));
    HivePartition partition;
    partition.texts = found.values;
    if (found.values.size() == table.keys)
      partition.name = catalog::name_of_values(*table.source.partition_keys, found.values);
    for (size_t i = 0; i < table.keys && i < found.values.size(); ++i) {
      ASSIGN_OR_RETURN(auto value,
                       partition_value(found.values[i], table.key(i).type, partition.name));
      partition.values.push_back(std::move(value));
    }
    if (!found.storage || partition.values.size() != table.keys) {
      return fail(Code::corrupt, "HIVE_INVALID_METADATA",
                  fmt::format("Partition is not whole in the Metastore: {}", partition.name));
    }
    partition.storage = std::move(*found.storage);
    partition.parameters = found.parameters.value_or(hive::Parameters{});
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

Result<std::vector<HivePartition>> HiveConnector::partitions_of(
    const Call& call, const HiveTable& table, const std::vector<Conjunct>& conjuncts) {
  ASSIGN_OR_RETURN(auto projection, HiveProjection::of(table.columns, table.data_columns,
                                                       table.parameters(), now_seconds()));
  if (projection) return projection->partitions(table, conjuncts);
  return stored_partitions(call, table, conjuncts);
}

Status HiveConnector::check_stored_partitions(const HiveTable& table) {
  ASSIGN_OR_RETURN(auto projection, HiveProjection::of(table.columns, table.data_columns,
                                                       table.parameters(), now_seconds()));
  if (!projection) return {};
  return fail(Code::unsupported, "NOT_SUPPORTED",
              fmt::format("The partitions of table '{}.{}' are projected: they can be neither "
                          "added nor dropped",
                          table.name.schema, table.name.table));
}

Result<std::vector<HivePartition>> HiveConnector::stored_partitions(
    const Call& call, const HiveTable& table, const std::vector<Conjunct>& conjuncts) {
  ASSIGN_OR_RETURN(auto names, hive_words(o_.catalog.partition_names(call, table.name.schema,
                                                                     table.name.table, {})));
  std::vector<std::string> kept;
  for (std::string& name : names) {
    ASSIGN_OR_RETURN(auto texts, hive_words(catalog::partition_values(name)));
    bool may_match = true;
    for (const Conjunct& conjunct : conjuncts) {
      size_t key = conjunct.column - table.data_columns;
      if (conjunct.column < table.data_columns || key >= table.keys || key >= texts.size())
        continue;
      const Type& type = table.key(key).type;
      ASSIGN_OR_RETURN(auto value, partition_value(texts[key], type, name));
      may_match = may_match && is_true_for(conjunct, value, type).value_or(true);
    }
    if (may_match) kept.push_back(std::move(name));
  }
  return load_partitions(call, table, kept);
}

Result<Scan> HiveConnector::plan_scan(const Call& call, const TableRef& ref,
                                      const ScanRequest& request) {
  if (const auto* listing = dynamic_cast<const HiveListing*>(ref.get())) {
    RowScan rows;
    if (!listing->partitions) {
      rows.rows.emplace_back();
      for (const auto& [key, value] : listing->of->parameters()) rows.rows[0].emplace_back(value);
      return Scan(std::move(rows));
    }
    ASSIGN_OR_RETURN(auto partitions, partitions_of(call, *listing->of, {}));
    for (const HivePartition& partition : partitions) {
      auto& row = rows.rows.emplace_back();
      for (size_t i = 0; i < listing->of->keys; ++i)
        row.push_back(partition_cell(partition.values[i], listing->of->key(i).type));
    }
    return Scan(std::move(rows));
  }
  const auto& table = dynamic_cast<const HiveTable&>(*ref);
  if (request.change) return scan_change(call, table, request);
  PendingInserts::Mark mark = pending_.mark();
  std::vector<HivePartition> partitions;
  if (table.keys > 0) {
    ASSIGN_OR_RETURN(partitions, partitions_of(call, table, request.conjuncts));
  }
  std::vector<std::vector<HiveFile>> folders;
  for (size_t i = 0; i < std::max<size_t>(1, partitions.size()); ++i) {
    bool whole = table.keys == 0;
    if (!whole && partitions.empty()) break;
    std::string location = whole ? table.location() : partitions[i].storage.location.value_or("");
    ASSIGN_OR_RETURN(auto files, list_files(call, o_.store, location));
    folders.push_back(std::move(files));
  }
  std::set<std::string> hidden = pending_.hidden(mark);
  ASSIGN_OR_RETURN(auto buckets, buckets_of(table));
  std::optional<BucketChoice> choice;
  if (buckets) choice.emplace(table, *buckets, request);
  ScanBuilder builder(table, request);
  for (size_t i = 0; i < folders.size(); ++i) {
    std::erase_if(folders[i], [&](const HiveFile& file) { return is_of(hidden, file.data.path); });
    const HivePartition* partition = table.keys == 0 ? nullptr : &partitions[i];
    const hive::StorageDescriptor& storage = partition ? partition->storage : table.storage();
    if (choice) RETURN_IF_ERROR(choice->choose(table, storage, folders[i]));
    RETURN_IF_ERROR(builder.add(storage, std::move(folders[i]), partition));
  }
  return Scan(builder.finish(o_));
}

}  // namespace aichemy::sql
