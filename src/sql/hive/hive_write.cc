// CREATE TABLE, CREATE TABLE AS and INSERT.
#include <fmt/format.h>

#include <algorithm>

#include "sql/hive/hive_buckets.h"
#include "sql/hive/hive_connector.h"
#include "sql/hive/hive_errors.h"
#include "sql/hive/hive_file_format.h"
#include "sql/hive/hive_projection.h"
#include "sql/hive/hive_tables.h"

namespace aichemy::sql {
namespace {

struct HiveInsert final : Insert {
  std::shared_ptr<const HiveTable> table;
  std::optional<hive::Table> creates;  // CREATE TABLE AS
  std::string id;
  std::string staging;  // the hidden folder of a table with keys

  ~HiveInsert() override {
    if (files && !staging.empty()) (void)files->remove_prefix(Call{}, staging);
  }
  tables::FileIo* files = nullptr;
};

// Of inserts with keys or buckets, which have up to a hundred files open.
constexpr uint64_t kDividedStripeBytes = 4 << 20;

Status check_writable(const HiveTable& table) {
  auto refuse = [](const std::string& message) {
    return fail(Code::unsupported, "NOT_SUPPORTED", message);
  };
  if (is_spark_bucketed(table))
    return refuse("Inserting into Spark bucketed tables is not supported");
  ASSIGN_OR_RETURN(HiveFormat format, format_of(table.storage()));
  const HiveFormatRow& row = hive_format_row(format);
  if (!row.written)
    return refuse(
        fmt::format("Writing to tables of the Hive storage format {} is not supported", row.name));
  for (const char* key : {"skip.header.line.count", "skip.footer.line.count"}) {
    std::string lines = parameter_of(table.parameters(), key);
    if (lines.empty() || lines == "0") continue;
    return refuse(fmt::format("Inserting into Hive table with {} property not supported", key));
  }
  return {};
}

}  // namespace

// With its location, and none of anybody else's files there.
Result<hive::Table> HiveConnector::located_table(const Call& call, const NewTable& table) {
  if (table.replace) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "This connector does not support replacing tables");
  }
  ASSIGN_OR_RETURN(hive::Table made, metastore_table(table, now_seconds()));
  if (made.storage->location) {
    if (!tables::parse_location(*made.storage->location)) {
      return fail(Code::invalid, "INVALID_TABLE_PROPERTY",
                  fmt::format("External location is not a valid file system URI: {}",
                              *made.storage->location));
    }
    return made;
  }
  ASSIGN_OR_RETURN(auto database, hive_words(o_.catalog.load_database(call, table.name.schema)));
  made.storage->location = without_slash(database.location.value_or("")) + "/" + table.name.table;
  ASSIGN_OR_RETURN(bool taken, files_.has_prefix(call, *made.storage->location));
  if (taken) {
    return fail(Code::exists, "HIVE_PATH_ALREADY_EXISTS",
                fmt::format("Target directory for table '{}.{}' already exists: {}",
                            table.name.schema, table.name.table, *made.storage->location));
  }
  return made;
}

Status HiveConnector::create_table(const Call& call, const NewTable& table) {
  ASSIGN_OR_RETURN(hive::Table made, located_table(call, table));
  return hive_words(o_.catalog.create_table(call, std::move(made)));
}

Result<std::unique_ptr<Insert>> HiveConnector::insert_into(const HiveTable& table) {
  RETURN_IF_ERROR(check_writable(table));
  ASSIGN_OR_RETURN(HiveFormat format, format_of(table.storage()));
  auto insert = std::make_unique<HiveInsert>();
  insert->table = std::make_shared<HiveTable>(table);
  insert->id = o_.random.uuid();
  insert->files = &files_;
  InsertTarget& target = insert->target;
  HiveLayout layout;
  target.location = table.location();
  for (size_t i = 0; i < table.data_columns + table.keys; ++i) {
    target.columns.push_back({.name = table.columns[i].name, .type = table.columns[i].type});
    if (i >= table.data_columns) layout.keys.push_back(i);
  }
  layout.format = "parquet";
  layout.name_end = ".parquet";
  bool own = format == HiveFormat::orc || format == HiveFormat::avro;
  if (format != HiveFormat::parquet) {
    // Also refuses what no reader could find: avro.schema.url.
    ASSIGN_OR_RETURN(HiveSerde serde, serde_of(format, table.storage(), table.parameters()));
    if (!own) layout.serde = serde.text();
    layout.name_end = "";
  }
  ASSIGN_OR_RETURN(layout.buckets, buckets_of(table));
  if (layout.buckets) RETURN_IF_ERROR(check_bucket_types(table, *layout.buckets));
  if (own) {
    ASSIGN_OR_RETURN(HiveFileFormat files, file_format_of(format, table.source));
    if (layout.is_divided()) files.stripe_bytes = kDividedStripeBytes;
    layout.format = format == HiveFormat::orc ? "aichemy_orc" : "aichemy_avro";
    layout.description = files.text();
  }
  ASSIGN_OR_RETURN(auto projection, HiveProjection::of(table.columns, table.data_columns,
                                                       table.parameters(), now_seconds()));
  if (projection) RETURN_IF_ERROR(projection->check_insert(table));
  bool divided = layout.is_divided();
  target.hive = std::move(layout);
  if (divided) {
    insert->staging = fmt::format("{}/.insert-{}", target.location, insert->id);
    target.location = insert->staging;
  }
  return insert;
}

Result<std::unique_ptr<Insert>> HiveConnector::begin_insert(const Call&, const TableRef& table) {
  const auto* ours = dynamic_cast<const HiveTable*>(table.get());
  if (!ours)
    return fail(Code::unsupported, "NOT_SUPPORTED", "This connector does not support inserts");
  return insert_into(*ours);
}

Result<std::unique_ptr<Insert>> HiveConnector::begin_create_table_as(const Call& call,
                                                                     const NewTable& table) {
  ASSIGN_OR_RETURN(bool schema, schema_exists(call, table.name.schema));
  if (!schema) {
    return fail(Code::not_found, "schema_not_found",
                fmt::format("Schema {} not found", table.name.schema));
  }
  ASSIGN_OR_RETURN(hive::Table made, located_table(call, table));
  ASSIGN_OR_RETURN(auto described, sql_table(table.name, made));
  ASSIGN_OR_RETURN(auto insert, insert_into(*described));
  static_cast<HiveInsert&>(*insert).creates = std::move(made);
  return insert;
}

namespace {

// Files are written with the table's SerDe and read with their partition's.
Status check_same_lines(const HiveTable& table, const HivePartition& partition, HiveFormat format) {
  if (format == HiveFormat::parquet) return {};
  ASSIGN_OR_RETURN(HiveSerde of_table, serde_of(format, table.storage(), table.parameters()));
  ASSIGN_OR_RETURN(HiveSerde of_partition, serde_of(format, partition.storage, table.parameters()));
  if (of_table.text() == of_partition.text()) return {};
  return fail(
      Code::unsupported, "NOT_SUPPORTED",
      fmt::format("Partition {} has other SerDe properties than its table", partition.name));
}

}  // namespace

// Where the files of an insert go.
struct HiveConnector::Places {
  std::vector<std::string> of_files;  // a partition's name each; "" for a table without keys
  std::map<std::string, std::string> folders;  // of partitions
  std::map<std::string, std::vector<std::string>> values;
  std::vector<hive::Partition> added;
};

Result<HiveConnector::Places> HiveConnector::places_of(const Call& call, const HiveTable& table,
                                                       const std::vector<WrittenFile>& files) {
  Places places;
  ASSIGN_OR_RETURN(auto projection, HiveProjection::of(table.columns, table.data_columns,
                                                       table.parameters(), now_seconds()));
  for (const WrittenFile& file : files) {
    auto keys = file.partition;
    keys.resize(table.keys);  // without the bucket
    std::vector<std::string> texts;
    for (const auto& text : keys)
      texts.push_back(text && !text->empty() ? *text : std::string(kDefaultPartition));
    std::string name =
        table.keys == 0 ? "" : catalog::name_of_values(*table.source.partition_keys, texts);
    if (projection && !places.folders.contains(name)) {
      ASSIGN_OR_RETURN(places.folders[name], projection->location(table, keys));
    }
    places.values.emplace(name, std::move(texts));
    places.of_files.push_back(std::move(name));
  }
  if (table.keys == 0) places.folders[""] = table.location();
  if (table.keys > 0 && !projection) RETURN_IF_ERROR(place_partitions(call, table, places));
  return places;
}

// The folders of those that are there, and of those to be added.
Status HiveConnector::place_partitions(const Call& call, const HiveTable& table, Places& places) {
  ASSIGN_OR_RETURN(auto known, load_partitions(call, table, places.of_files));
  ASSIGN_OR_RETURN(HiveFormat ours, format_of(table.storage()));
  for (const HivePartition& partition : known) {
    ASSIGN_OR_RETURN(HiveFormat format, format_of(partition.storage));
    if (format != ours) {
      return fail(Code::unsupported, "NOT_SUPPORTED",
                  fmt::format("Partition {} has another storage format than its table: {}",
                              partition.name, hive_format_row(format).name));
    }
    if (!same_buckets(partition.storage, table.storage())) {
      return fail(Code::corrupt, "HIVE_PARTITION_SCHEMA_MISMATCH",
                  fmt::format("Partition {} of table '{}.{}' has other buckets than its table",
                              partition.name, table.name.schema, table.name.table));
    }
    RETURN_IF_ERROR(check_same_lines(table, partition, ours));
    places.folders[partition.name] = without_slash(partition.storage.location.value_or(""));
  }
  for (const auto& [name, texts] : places.values) {
    if (places.folders.contains(name)) continue;
    places.folders[name] = table.location() + "/" + name;
    places.added.push_back(table.partition(texts, places.folders[name]));
  }
  return {};
}

// What lies in the hidden folder is put in place, and the partitions that are new are added. On
// failure what was put in place is taken away.
Status HiveConnector::publish(const Call& call, const HiveTable& table, const std::string& id,
                              const std::vector<WrittenFile>& files) {
  ASSIGN_OR_RETURN(Places places, places_of(call, table, files));
  ASSIGN_OR_RETURN(auto buckets, buckets_of(table));
  std::vector<std::string> to;
  std::map<std::string, size_t> of_bucket;  // files so far, by folder and bucket
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string& from = files[i].path;
    std::string name = fmt::format("{}_{}{}", id, i, from.ends_with(".parquet") ? ".parquet" : "");
    if (buckets) {
      std::string text = files[i].partition.back().value_or("");
      size_t count = of_bucket[places.of_files[i] + "/" + text]++;
      name = bucket_file_name(std::atoi(text.c_str()), id, count);
    }
    to.push_back(fmt::format("{}/{}", places.folders[places.of_files[i]], name));
  }
  Status done;
  size_t moved = 0;
  for (; done && moved < to.size(); ++moved) done = files_.copy(call, files[moved].path, to[moved]);
  if (done && !places.added.empty()) {
    auto made = o_.catalog.add_partitions(call, table.name.schema, table.name.table,
                                          std::move(places.added), true);
    if (!made) done = std::unexpected(hive_words(made.error()));
  }
  bool unknown = !done && done.error().is("commit_unknown");
  for (size_t i = 0; !done && !unknown && i < moved; ++i) (void)files_.remove(Call{}, to[i]);
  return done;
}

Status HiveConnector::finish_insert(const Call& call, Insert& insert,
                                    std::vector<WrittenFile> files) {
  auto& ours = static_cast<HiveInsert&>(insert);
  const HiveTable& table = *ours.table;
  if (ours.creates) {
    auto made = hive_words(o_.catalog.create_table(call, std::move(*ours.creates)));
    if (!made && made.error().is("commit_unknown")) return made;  // the rows may be the table's
    if (!made) {
      for (const WrittenFile& file : files) (void)files_.remove(Call{}, file.path);
      return made;
    }
  } else if (!files.empty() && table.keys == 0) {
    // Whether the table is still there: files in a dropped one would be nobody's.
    auto still = existing_table(call, table.name);
    if (!still || (*still)->location() != table.location()) {
      for (const WrittenFile& file : files) (void)files_.remove(Call{}, file.path);
      if (!still) return std::unexpected(still.error());
      return fail(Code::conflict, "TRANSACTION_CONFLICT", "The table has been moved meanwhile");
    }
  }
  if (ours.staging.empty() || files.empty()) return {};
  pending_.begin(ours.id);
  Status done = publish(call, table, ours.id, files);
  pending_.end(ours.id);
  if (!done && ours.creates)
    (void)o_.catalog.drop_table(Call{}, table.name.schema, table.name.table, table.is_managed());
  return done;
}

}  // namespace aichemy::sql
