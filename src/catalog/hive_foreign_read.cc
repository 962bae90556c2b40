#include <algorithm>

#include "catalog/hive_foreign.h"
#include "catalog/hive_statistics_data.h"

namespace aichemy::catalog {

namespace {

// The storage descriptors of a database's tables and partitions.
constexpr const char* kStoragesOf =
    "(SELECT \"SD_ID\" FROM \"TBLS\" WHERE \"DB_ID\" = $1 UNION ALL "
    "SELECT p.\"SD_ID\" FROM \"PARTITIONS\" p JOIN \"TBLS\" t ON t.\"TBL_ID\" = p.\"TBL_ID\" "
    "WHERE t.\"DB_ID\" = $1)";

constexpr const char* kStatisticsColumns =
    "s.\"COLUMN_NAME\", s.\"COLUMN_TYPE\", s.\"LONG_LOW_VALUE\", s.\"LONG_HIGH_VALUE\", "
    "s.\"DOUBLE_LOW_VALUE\", s.\"DOUBLE_HIGH_VALUE\", s.\"BIG_DECIMAL_LOW_VALUE\", "
    "s.\"BIG_DECIMAL_HIGH_VALUE\", s.\"NUM_NULLS\", s.\"NUM_DISTINCTS\", s.\"BIT_VECTOR\", "
    "s.\"AVG_COL_LEN\", s.\"MAX_COL_LEN\", s.\"NUM_TRUES\", s.\"NUM_FALSES\", s.\"LAST_ANALYZED\"";

std::optional<std::string> text(const metadb::Cell& cell) {
  if (cell.is_null()) return std::nullopt;
  return cell.as_text();
}

std::optional<int64_t> number(const metadb::Cell& cell) {
  if (cell.is_null()) return std::nullopt;
  return cell.as_int();
}

std::optional<double> real(const metadb::Cell& cell) {
  if (cell.is_null()) return std::nullopt;
  return cell.as_double();
}

int32_t narrow(const metadb::Cell& cell) { return static_cast<int32_t>(cell.as_int()); }

int32_t principal_of(const metadb::Cell& cell) {
  if (cell.as_text() == "ROLE") return static_cast<int32_t>(hive::PrincipalType::role);
  if (cell.as_text() == "GROUP") return static_cast<int32_t>(hive::PrincipalType::group);
  return static_cast<int32_t>(hive::PrincipalType::user);
}

}  // namespace

Result<std::unique_ptr<MetastoreSide>> foreign_side(metadb::Transaction& transaction) {
  auto side = std::make_unique<ForeignSide>(transaction);
  RETURN_IF_ERROR(side->check_schema());
  return side;
}

Status ForeignSide::check_schema() {
  ASSIGN_OR_RETURN(auto there, transaction_.query("SELECT to_regclass('\"VERSION\"')::text"));
  if (there[0][0].is_null()) {
    return fail(Code::invalid, "metastore_schema",
                "this database is no Hive Metastore: it has no table \"VERSION\". An empty one is "
                "made by Hive's own schematool -initSchema");
  }
  ASSIGN_OR_RETURN(auto versions, transaction_.query("SELECT \"SCHEMA_VERSION\" FROM \"VERSION\""));
  std::string version = versions.empty() ? "" : versions[0][0].as_text();
  is_four_ = version.starts_with("4.");
  if (is_four_ || version.starts_with("3.")) return {};
  return fail(Code::unsupported, "metastore_schema",
              "the Hive Metastore has schema version \"" + version +
                  "\"; 3.x and 4.x are supported: upgrade it with Hive's schematool");
}

Result<std::vector<metadb::Row>> ForeignSide::rows(const std::string& sql, int64_t database) {
  return transaction_.query(sql, {database});
}

Result<std::vector<std::string>> ForeignSide::databases() {
  ASSIGN_OR_RETURN(
      auto found,
      transaction_.query("SELECT \"NAME\" FROM \"DBS\" WHERE \"CTLG_NAME\" = 'hive' ORDER BY 1"));
  std::vector<std::string> names;
  for (const Row& row : found) names.push_back(row[0].as_text());
  return names;
}

Result<DatabaseContents> ForeignSide::contents(const std::string& name) {
  ASSIGN_OR_RETURN(auto found,
                   transaction_.query(
                       "SELECT \"DB_ID\", \"DESC\", \"DB_LOCATION_URI\", \"OWNER_NAME\", "
                       "\"OWNER_TYPE\" FROM \"DBS\" WHERE \"NAME\" = $1 AND \"CTLG_NAME\" = 'hive'",
                       {name}));
  if (found.empty()) return fail(Code::not_found, "no_such_namespace", name);
  int64_t id = found[0][0].as_int();
  DatabaseContents out;
  hive::Database& database = out.database;
  database.name = name;
  database.description = text(found[0][1]);
  database.location = text(found[0][2]);
  database.owner = text(found[0][3]);
  database.owner_type = principal_of(found[0][4]);
  ASSIGN_OR_RETURN(auto parameters, rows("SELECT \"PARAM_KEY\", \"PARAM_VALUE\" FROM "
                                         "\"DATABASE_PARAMS\" WHERE \"DB_ID\" = $1",
                                         id));
  database.parameters.emplace();
  for (const Row& row : parameters) (*database.parameters)[row[0].as_text()] = row[1].as_text();
  Names names;
  RETURN_IF_ERROR(read_storages(id, &names));
  RETURN_IF_ERROR(read_storage_details(id, &names));
  RETURN_IF_ERROR(read_tables(id, &names, &out));
  RETURN_IF_ERROR(read_partitions(id, &names, &out));
  RETURN_IF_ERROR(read_statistics(id, names, &out));
  RETURN_IF_ERROR(read_functions(id, &out));
  return out;
}

Status ForeignSide::read_storages(int64_t database, Names* names) {
  ASSIGN_OR_RETURN(
      auto columns,
      rows(std::string("SELECT c.\"CD_ID\", c.\"COLUMN_NAME\", c.\"TYPE_NAME\", c.\"COMMENT\" FROM "
                       "\"COLUMNS_V2\" c WHERE c.\"CD_ID\" IN (SELECT \"CD_ID\" FROM \"SDS\" WHERE "
                       "\"SD_ID\" IN ") +
               kStoragesOf + ") ORDER BY c.\"CD_ID\", c.\"INTEGER_IDX\"",
           database));
  std::map<int64_t, std::vector<hive::FieldSchema>> columns_of;
  for (const Row& row : columns)
    columns_of[row[0].as_int()].push_back({text(row[1]), text(row[2]), text(row[3])});
  ASSIGN_OR_RETURN(
      auto found,
      rows(std::string("SELECT s.\"SD_ID\", s.\"CD_ID\", s.\"INPUT_FORMAT\", s.\"OUTPUT_FORMAT\", "
                       "s.\"LOCATION\", s.\"IS_COMPRESSED\", s.\"NUM_BUCKETS\", "
                       "s.\"IS_STOREDASSUBDIRECTORIES\", r.\"SERDE_ID\", r.\"NAME\", r.\"SLIB\", "
                       "r.\"DESCRIPTION\", r.\"SERIALIZER_CLASS\", r.\"DESERIALIZER_CLASS\" "
                       "FROM \"SDS\" s LEFT JOIN \"SERDES\" r ON r.\"SERDE_ID\" = s.\"SERDE_ID\" "
                       "WHERE s.\"SD_ID\" IN ") +
               kStoragesOf,
           database));
  for (const Row& row : found) {
    Storage& storage = names->storages[row[0].as_int()];
    storage.columns_id = row[1].as_int();
    storage.serde_id = row[8].as_int();
    hive::StorageDescriptor& to = storage.descriptor;
    to.columns = columns_of[storage.columns_id];
    to.input_format = text(row[2]);
    to.output_format = text(row[3]);
    to.location = text(row[4]);
    to.compressed = row[5].as_int() != 0;
    to.buckets = narrow(row[6]);
    to.stored_as_sub_directories = row[7].as_int() != 0;
    to.serde = hive::SerDeInfo{text(row[9]),
                               text(row[10]),
                               hive::Parameters{},
                               text(row[11]),
                               text(row[12]),
                               text(row[13]),
                               {}};
    to.bucket_columns.emplace();
    to.sort_columns.emplace();
    to.parameters.emplace();
  }
  return {};
}

Status ForeignSide::read_storage_details(int64_t database, Names* names) {
  auto read = [&](const std::string& what, const std::string& from,
                  const std::string& order) -> Result<std::vector<Row>> {
    return rows("SELECT d.\"SD_ID\", " + what + " FROM " + from + " WHERE d.\"SD_ID\" IN " +
                    kStoragesOf + order,
                database);
  };
  ASSIGN_OR_RETURN(auto parameters,
                   read("d.\"PARAM_KEY\", d.\"PARAM_VALUE\"", "\"SD_PARAMS\" d", ""));
  for (const Row& row : parameters)
    (*names->storages[row[0].as_int()].descriptor.parameters)[row[1].as_text()] = row[2].as_text();
  ASSIGN_OR_RETURN(
      auto serde, read("p.\"PARAM_KEY\", p.\"PARAM_VALUE\"",
                       "\"SDS\" d JOIN \"SERDE_PARAMS\" p ON p.\"SERDE_ID\" = d.\"SERDE_ID\"", ""));
  for (const Row& row : serde) {
    auto& to = *names->storages[row[0].as_int()].descriptor.serde->parameters;
    to[row[1].as_text()] = row[2].as_text();
  }
  const std::string in_order = " ORDER BY d.\"SD_ID\", d.\"INTEGER_IDX\"";
  ASSIGN_OR_RETURN(auto buckets, read("d.\"BUCKET_COL_NAME\"", "\"BUCKETING_COLS\" d", in_order));
  for (const Row& row : buckets)
    names->storages[row[0].as_int()].descriptor.bucket_columns->push_back(row[1].as_text());
  ASSIGN_OR_RETURN(auto sorts, read("d.\"COLUMN_NAME\", d.\"ORDER\"", "\"SORT_COLS\" d", in_order));
  for (const Row& row : sorts) {
    names->storages[row[0].as_int()].descriptor.sort_columns->push_back(
        {row[1].as_text(), narrow(row[2])});
  }
  ASSIGN_OR_RETURN(auto skewed, read("d.\"SKEWED_COL_NAME\"", "\"SKEWED_COL_NAMES\" d", ""));
  for (const Row& row : skewed) names->storages[row[0].as_int()].is_skewed = true;
  return {};
}

Status ForeignSide::read_tables(int64_t database, Names* names, DatabaseContents* out) {
  ASSIGN_OR_RETURN(
      auto found,
      rows("SELECT \"TBL_ID\", \"TBL_NAME\", \"OWNER\", \"CREATE_TIME\", \"LAST_ACCESS_TIME\", "
           "\"RETENTION\", \"SD_ID\", \"TBL_TYPE\", \"VIEW_ORIGINAL_TEXT\", "
           "\"VIEW_EXPANDED_TEXT\", \"IS_REWRITE_ENABLED\" FROM \"TBLS\" WHERE \"DB_ID\" = $1 "
           "ORDER BY \"TBL_NAME\"",
           database));
  for (const Row& row : found) {
    const Storage& storage = names->storages[row[6].as_int()];
    const std::string& name = row[1].as_text();
    if (storage.is_skewed) {
      out->refusals.push_back("table " + *out->database.name + "." + name +
                              ": skewed tables are not supported");
      continue;
    }
    hive::Table table;
    table.name = name;
    table.database_name = out->database.name;
    table.owner = text(row[2]);
    table.create_time = narrow(row[3]);
    table.last_access_time = narrow(row[4]);
    table.retention = narrow(row[5]);
    table.storage = storage.descriptor;
    table.table_type = row[7].as_text();
    table.view_original_text = text(row[8]);
    table.view_expanded_text = text(row[9]);
    table.rewrite_enabled = row[10].as_int() != 0;
    table.partition_keys.emplace();
    table.parameters.emplace();
    names->tables[row[0].as_int()] = name;
    out->tables[name].table = std::move(table);
  }
  const std::string of_database =
      " d JOIN \"TBLS\" t ON t.\"TBL_ID\" = d.\"TBL_ID\" WHERE "
      "t.\"DB_ID\" = $1";
  ASSIGN_OR_RETURN(auto keys, rows("SELECT d.\"TBL_ID\", d.\"PKEY_NAME\", d.\"PKEY_TYPE\", "
                                   "d.\"PKEY_COMMENT\" FROM \"PARTITION_KEYS\"" +
                                       of_database + " ORDER BY d.\"TBL_ID\", d.\"INTEGER_IDX\"",
                                   database));
  ASSIGN_OR_RETURN(auto parameters,
                   rows("SELECT d.\"TBL_ID\", d.\"PARAM_KEY\", d.\"PARAM_VALUE\" FROM "
                        "\"TABLE_PARAMS\"" +
                            of_database,
                        database));
  for (const Row& row : keys) {
    auto table = names->tables.find(row[0].as_int());
    if (table == names->tables.end()) continue;
    out->tables[table->second].table.partition_keys->push_back(
        {text(row[1]), text(row[2]), text(row[3])});
  }
  for (const Row& row : parameters) {
    auto table = names->tables.find(row[0].as_int());
    if (table == names->tables.end()) continue;
    (*out->tables[table->second].table.parameters)[row[1].as_text()] = row[2].as_text();
  }
  return {};
}

Status ForeignSide::read_partitions(int64_t database, Names* names, DatabaseContents* out) {
  const std::string of_database =
      "\"PARTITIONS\" p JOIN \"TBLS\" t ON t.\"TBL_ID\" = "
      "p.\"TBL_ID\" WHERE t.\"DB_ID\" = $1";
  ASSIGN_OR_RETURN(auto found, rows("SELECT p.\"PART_ID\", p.\"TBL_ID\", p.\"PART_NAME\", "
                                    "p.\"CREATE_TIME\", p.\"LAST_ACCESS_TIME\", p.\"SD_ID\" FROM " +
                                        of_database,
                                    database));
  std::map<int64_t, hive::Partition*> by_id;
  for (const Row& row : found) {
    auto table = names->tables.find(row[1].as_int());
    if (table == names->tables.end()) continue;
    const std::string& name = row[2].as_text();
    hive::Partition& partition = out->tables[table->second].partitions[name].partition;
    partition.create_time = narrow(row[3]);
    partition.last_access_time = narrow(row[4]);
    partition.storage = names->storages[row[5].as_int()].descriptor;
    partition.parameters.emplace();
    by_id[row[0].as_int()] = &partition;
    names->partitions[row[0].as_int()] = {table->second, name};
  }
  auto details = [&](const std::string& what, const std::string& from, const std::string& order) {
    return rows("SELECT d.\"PART_ID\", " + what + " FROM " + from +
                    " d WHERE d.\"PART_ID\" IN (SELECT p.\"PART_ID\" FROM " + of_database + ")" +
                    order,
                database);
  };
  ASSIGN_OR_RETURN(auto values, details("d.\"PART_KEY_VAL\"", "\"PARTITION_KEY_VALS\"",
                                        " ORDER BY d.\"PART_ID\", d.\"INTEGER_IDX\""));
  for (const Row& row : values) {
    auto partition = by_id.find(row[0].as_int());
    if (partition != by_id.end()) partition->second->values.push_back(row[1].as_text());
  }
  ASSIGN_OR_RETURN(auto parameters,
                   details("d.\"PARAM_KEY\", d.\"PARAM_VALUE\"", "\"PARTITION_PARAMS\"", ""));
  for (const Row& row : parameters) {
    auto partition = by_id.find(row[0].as_int());
    if (partition != by_id.end())
      (*partition->second->parameters)[row[1].as_text()] = row[2].as_text();
  }
  return {};
}

Result<StatisticsRow> ForeignSide::statistics_of(const Row& row, size_t first) const {
  StatisticsColumns columns;
  auto at = [&](size_t index) -> const metadb::Cell& { return row[first + index]; };
  columns.long_low = number(at(2));
  columns.long_high = number(at(3));
  columns.double_low = real(at(4));
  columns.double_high = real(at(5));
  columns.decimal_low = text(at(6));
  columns.decimal_high = text(at(7));
  columns.nulls = at(8).as_int();
  columns.distincts = number(at(9));
  columns.bit_vector = text(at(10));
  columns.average_length = real(at(11));
  columns.length_max = number(at(12));
  columns.trues = number(at(13));
  columns.falses = number(at(14));
  StatisticsRow out;
  out.object.column_name = lower(at(0).as_text());
  out.object.column_type = at(1).as_text();
  out.analyzed_seconds = at(15).as_int();
  ASSIGN_OR_RETURN(out.object.data.bytes,
                   statistics_data(columns, lower(out.object.column_type), is_four_));
  return out;
}

namespace {

// One column whose statistics make no sense does not keep a database from being moved.
void note_unreadable(const std::string& whose, const metadb::Row& row, const Error& why,
                     DatabaseContents* out) {
  out->refusals.push_back("statistics of column " + row[1].as_text() + " of " +
                          out->database.name.value_or("") + "." + whose + ": " + why.message);
}

}  // namespace

Status ForeignSide::read_statistics(int64_t database, const Names& names, DatabaseContents* out) {
  ASSIGN_OR_RETURN(auto of_tables,
                   rows(std::string("SELECT s.\"TBL_ID\", ") + kStatisticsColumns +
                            " FROM \"TAB_COL_STATS\" s JOIN \"TBLS\" t ON t.\"TBL_ID\" = "
                            "s.\"TBL_ID\" WHERE t.\"DB_ID\" = $1" +
                            (is_four_ ? " AND s.\"ENGINE\" = 'hive'" : ""),
                        database));
  for (const Row& row : of_tables) {
    auto table = names.tables.find(row[0].as_int());
    if (table == names.tables.end()) continue;
    auto statistics = statistics_of(row, 1);
    if (!statistics) {
      note_unreadable(table->second, row, statistics.error(), out);
      continue;
    }
    std::string column = statistics->object.column_name;
    out->tables[table->second].statistics[column] = std::move(*statistics);
  }
  ASSIGN_OR_RETURN(auto of_partitions,
                   rows(std::string("SELECT s.\"PART_ID\", ") + kStatisticsColumns +
                            " FROM \"PART_COL_STATS\" s JOIN \"PARTITIONS\" p ON p.\"PART_ID\" = "
                            "s.\"PART_ID\" JOIN \"TBLS\" t ON t.\"TBL_ID\" = p.\"TBL_ID\" WHERE "
                            "t.\"DB_ID\" = $1" +
                            (is_four_ ? " AND s.\"ENGINE\" = 'hive'" : ""),
                        database));
  for (const Row& row : of_partitions) {
    auto partition = names.partitions.find(row[0].as_int());
    if (partition == names.partitions.end()) continue;
    const auto& [table, name] = partition->second;
    auto statistics = statistics_of(row, 1);
    if (!statistics) {
      note_unreadable(table + "/" + name, row, statistics.error(), out);
      continue;
    }
    std::string column = statistics->object.column_name;
    out->tables[table].partitions[name].statistics[column] = std::move(*statistics);
  }
  return {};
}

Status ForeignSide::read_functions(int64_t database, DatabaseContents* out) {
  ASSIGN_OR_RETURN(auto found,
                   rows("SELECT \"FUNC_ID\", \"FUNC_NAME\", \"CLASS_NAME\", \"OWNER_NAME\", "
                        "\"OWNER_TYPE\", \"CREATE_TIME\", \"FUNC_TYPE\" FROM \"FUNCS\" WHERE "
                        "\"DB_ID\" = $1",
                        database));
  std::map<int64_t, hive::Function*> by_id;
  for (const Row& row : found) {
    hive::Function& function = out->functions[lower(row[1].as_text())];
    function.name = lower(row[1].as_text());
    function.database_name = *out->database.name;
    function.class_name = text(row[2]);
    function.owner = text(row[3]);
    function.owner_type = principal_of(row[4]);
    function.create_time = narrow(row[5]);
    function.function_type = narrow(row[6]);
    function.resources.emplace();
    by_id[row[0].as_int()] = &function;
  }
  ASSIGN_OR_RETURN(auto resources,
                   rows("SELECT r.\"FUNC_ID\", r.\"RESOURCE_TYPE\", r.\"RESOURCE_URI\" FROM "
                        "\"FUNC_RU\" r JOIN \"FUNCS\" f ON f.\"FUNC_ID\" = r.\"FUNC_ID\" WHERE "
                        "f.\"DB_ID\" = $1 ORDER BY r.\"FUNC_ID\", r.\"INTEGER_IDX\"",
                        database));
  for (const Row& row : resources)
    by_id[row[0].as_int()]->resources->push_back({narrow(row[1]), text(row[2])});
  return {};
}

}  // namespace aichemy::catalog
