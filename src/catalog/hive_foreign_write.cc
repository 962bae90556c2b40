#include <algorithm>

#include "catalog/hive_foreign.h"
#include "catalog/hive_statistics_data.h"

namespace aichemy::catalog {

namespace {

using metadb::Cell;

struct Sequence {
  const char* table;
  const char* column;
  const char* model;  // SEQUENCE_NAME is its class
};
constexpr Sequence kSequences[] = {
    {"DBS", "DB_ID", "MDatabase"},
    {"TBLS", "TBL_ID", "MTable"},
    {"SDS", "SD_ID", "MStorageDescriptor"},
    {"CDS", "CD_ID", "MColumnDescriptor"},
    {"SERDES", "SERDE_ID", "MSerDeInfo"},
    {"PARTITIONS", "PART_ID", "MPartition"},
    {"TAB_COL_STATS", "CS_ID", "MTableColumnStatistics"},
    {"PART_COL_STATS", "CS_ID", "MPartitionColumnStatistics"},
    {"FUNCS", "FUNC_ID", "MFunction"},
};

template <class T>
Cell cell(const std::optional<T>& value) {
  if (!value) return {};
  if constexpr (std::is_same_v<T, int32_t>)
    return Cell(int64_t{*value});
  else
    return Cell(*value);
}

const char* principal_text(int32_t type) {
  if (type == static_cast<int32_t>(hive::PrincipalType::role)) return "ROLE";
  return type == static_cast<int32_t>(hive::PrincipalType::group) ? "GROUP" : "USER";
}

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

bool same_columns(const std::vector<hive::FieldSchema>& a,
                  const std::vector<hive::FieldSchema>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.name == y.name && x.type == y.type && x.comment == y.comment;
  });
}

}  // namespace

Result<std::optional<std::string>> ForeignSide::refusal(const TableContents&) {
  return std::nullopt;
}

Status ForeignSide::run(const std::string& sql, const Cells& parameters) {
  RETURN_IF_ERROR(transaction_.run(sql, parameters));
  return {};
}

Result<int64_t> ForeignSide::id_of(const std::string& sql, const Cells& parameters) {
  ASSIGN_OR_RETURN(auto found, transaction_.query(sql, parameters));
  return found.empty() ? 0 : found[0][0].as_int();
}

// NEXT_VAL is moved on at once: a running Hive takes its ids from there too.
Result<int64_t> ForeignSide::next_id(const std::string& table) {
  constexpr int64_t kBlock = 1000;
  const auto* sequence = std::ranges::find(kSequences, table, &Sequence::table);
  std::string name = std::string("org.apache.hadoop.hive.metastore.model.") + sequence->model;
  int64_t& next = next_ids_[table];
  if (next % kBlock != 0) return next++;
  ASSIGN_OR_RETURN(int64_t given, id_of("SELECT \"NEXT_VAL\" FROM \"SEQUENCE_TABLE\" WHERE "
                                        "\"SEQUENCE_NAME\" = $1 FOR UPDATE",
                                        {name}));
  ASSIGN_OR_RETURN(int64_t used, id_of("SELECT coalesce(max(" + quoted(sequence->column) +
                                           "), 0) + 1 FROM " + quoted(table),
                                       {}));
  next = std::max(given, used);
  int64_t end = (next / kBlock + 1) * kBlock;  // where this block ends
  if (given == 0) {
    RETURN_IF_ERROR(
        run("INSERT INTO \"SEQUENCE_TABLE\" (\"SEQUENCE_NAME\", \"NEXT_VAL\") VALUES ($1, $2)",
            {name, end}));
  } else {
    RETURN_IF_ERROR(
        run("UPDATE \"SEQUENCE_TABLE\" SET \"NEXT_VAL\" = $2 WHERE \"SEQUENCE_NAME\" = $1",
            {name, end}));
  }
  return next++;
}

Status ForeignSide::write_parameters(const std::string& table, const std::string& key, int64_t id,
                                     const hive::Parameters& parameters) {
  for (const auto& [name, value] : parameters) {
    RETURN_IF_ERROR(run("INSERT INTO " + quoted(table) + " (" + quoted(key) +
                            ", \"PARAM_KEY\", \"PARAM_VALUE\") VALUES ($1, $2, $3)",
                        {id, name, value}));
  }
  return {};
}

Status ForeignSide::put(const hive::Database& database, bool replaces) {
  const char* owner_type = principal_text(database.owner_type.value_or(1));
  int64_t id = 0;
  if (replaces) {
    ASSIGN_OR_RETURN(id, id_of("SELECT \"DB_ID\" FROM \"DBS\" WHERE \"NAME\" = $1 AND "
                               "\"CTLG_NAME\" = 'hive'",
                               {*database.name}));
    RETURN_IF_ERROR(
        run("UPDATE \"DBS\" SET \"DESC\" = $2, \"DB_LOCATION_URI\" = $3, "
            "\"OWNER_NAME\" = $4, \"OWNER_TYPE\" = $5 WHERE \"DB_ID\" = $1",
            {id, cell(database.description), database.location.value_or(""), cell(database.owner),
             owner_type}));
    RETURN_IF_ERROR(run("DELETE FROM \"DATABASE_PARAMS\" WHERE \"DB_ID\" = $1", {id}));
  } else {
    ASSIGN_OR_RETURN(id, next_id("DBS"));
    RETURN_IF_ERROR(
        run("INSERT INTO \"DBS\" (\"DB_ID\", \"DESC\", \"DB_LOCATION_URI\", \"NAME\", "
            "\"OWNER_NAME\", \"OWNER_TYPE\", \"CTLG_NAME\") VALUES ($1, $2, $3, $4, "
            "$5, $6, 'hive')",
            {id, cell(database.description), database.location.value_or(""), *database.name,
             cell(database.owner), owner_type}));
  }
  return write_parameters("DATABASE_PARAMS", "DB_ID", id, *database.parameters);
}

Result<int64_t> ForeignSide::write_columns(const std::vector<hive::FieldSchema>& columns) {
  ASSIGN_OR_RETURN(int64_t id, next_id("CDS"));
  RETURN_IF_ERROR(run("INSERT INTO \"CDS\" (\"CD_ID\") VALUES ($1)", {id}));
  int64_t index = 0;
  for (const hive::FieldSchema& column : columns) {
    RETURN_IF_ERROR(
        run("INSERT INTO \"COLUMNS_V2\" (\"CD_ID\", \"COMMENT\", \"COLUMN_NAME\", "
            "\"TYPE_NAME\", \"INTEGER_IDX\") VALUES ($1, $2, $3, $4, $5::bigint)",
            {id, cell(column.comment), column.name.value_or(""), cell(column.type), index++}));
  }
  return id;
}

Result<ForeignSide::StorageIds> ForeignSide::write_storage(const hive::StorageDescriptor& storage,
                                                           const hive::StorageDescriptor* shared,
                                                           StorageIds ids) {
  if (!shared || !same_columns(*storage.columns, *shared->columns)) {
    ASSIGN_OR_RETURN(ids.columns, write_columns(*storage.columns));
  }
  const hive::SerDeInfo& serde = *storage.serde;
  ASSIGN_OR_RETURN(int64_t serde_id, next_id("SERDES"));
  RETURN_IF_ERROR(
      run("INSERT INTO \"SERDES\" (\"SERDE_ID\", \"NAME\", \"SLIB\", \"DESCRIPTION\", "
          "\"SERIALIZER_CLASS\", \"DESERIALIZER_CLASS\", \"SERDE_TYPE\") VALUES ($1, "
          "$2, $3, $4, $5, $6, 0)",
          {serde_id, cell(serde.name), cell(serde.serialization_library), cell(serde.description),
           cell(serde.serializer_class), cell(serde.deserializer_class)}));
  RETURN_IF_ERROR(write_parameters("SERDE_PARAMS", "SERDE_ID", serde_id, *serde.parameters));
  ASSIGN_OR_RETURN(ids.storage, next_id("SDS"));
  RETURN_IF_ERROR(
      run("INSERT INTO \"SDS\" (\"SD_ID\", \"INPUT_FORMAT\", \"IS_COMPRESSED\", "
          "\"LOCATION\", \"NUM_BUCKETS\", \"OUTPUT_FORMAT\", \"SERDE_ID\", \"CD_ID\", "
          "\"IS_STOREDASSUBDIRECTORIES\") VALUES ($1, $2, $3::bigint <> 0, $4, $5, $6, "
          "$7, $8, $9::bigint <> 0)",
          {ids.storage, cell(storage.input_format), *storage.compressed, cell(storage.location),
           int64_t{*storage.buckets}, cell(storage.output_format), serde_id, ids.columns,
           *storage.stored_as_sub_directories}));
  RETURN_IF_ERROR(write_parameters("SD_PARAMS", "SD_ID", ids.storage, *storage.parameters));
  int64_t index = 0;
  for (const std::string& column : *storage.bucket_columns) {
    RETURN_IF_ERROR(
        run("INSERT INTO \"BUCKETING_COLS\" (\"SD_ID\", \"BUCKET_COL_NAME\", "
            "\"INTEGER_IDX\") VALUES ($1, $2, $3)",
            {ids.storage, column, index++}));
  }
  index = 0;
  for (const hive::Order& order : *storage.sort_columns) {
    RETURN_IF_ERROR(
        run("INSERT INTO \"SORT_COLS\" (\"SD_ID\", \"COLUMN_NAME\", \"ORDER\", "
            "\"INTEGER_IDX\") VALUES ($1, $2, $3, $4)",
            {ids.storage, order.column, int64_t{order.direction}, index++}));
  }
  return ids;
}

// Nothing points to it any more. Columns may be shared.
Status ForeignSide::delete_storage(int64_t storage) {
  ASSIGN_OR_RETURN(
      auto found,
      transaction_.query("SELECT \"SERDE_ID\", \"CD_ID\" FROM \"SDS\" WHERE \"SD_ID\" = $1",
                         {storage}));
  for (const char* table : {"SD_PARAMS", "BUCKETING_COLS", "SORT_COLS", "SDS"})
    RETURN_IF_ERROR(run("DELETE FROM " + quoted(table) + " WHERE \"SD_ID\" = $1", {storage}));
  if (found.empty()) return {};
  for (const char* table : {"SERDE_PARAMS", "SERDES"})
    RETURN_IF_ERROR(
        run("DELETE FROM " + quoted(table) + " WHERE \"SERDE_ID\" = $1", {found[0][0]}));
  for (const char* table : {"COLUMNS_V2", "CDS"}) {
    RETURN_IF_ERROR(run("DELETE FROM " + quoted(table) +
                            " WHERE \"CD_ID\" = $1 AND NOT EXISTS "
                            "(SELECT 1 FROM \"SDS\" WHERE \"CD_ID\" = $1)",
                        {found[0][1]}));
  }
  return {};
}

Status ForeignSide::write_statistics(const TableContents& contents, const std::string& partition,
                                     int64_t id, const StatisticsByColumn& statistics) {
  std::string table = partition.empty() ? "TAB_COL_STATS" : "PART_COL_STATS";
  std::string key = partition.empty() ? "TBL_ID" : "PART_ID";
  // Since Hive 4 other engines keep their own beside Hive's.
  RETURN_IF_ERROR(run("DELETE FROM " + quoted(table) + " WHERE " + quoted(key) + " = $1" +
                          (is_four_ ? " AND \"ENGINE\" = 'hive'" : ""),
                      {id}));
  for (const auto& [column, row] : statistics) {
    ASSIGN_OR_RETURN(StatisticsColumns columns, statistics_columns(row.object.data.bytes));
    ASSIGN_OR_RETURN(int64_t own_id, next_id(table));
    std::vector<std::pair<const char*, Cell>> cells = {
        {"CS_ID", own_id},
        {"CAT_NAME", "hive"},
        {"DB_NAME", *contents.table.database_name},
        {"TABLE_NAME", *contents.table.name},
        {"COLUMN_NAME", column},
        {"COLUMN_TYPE", row.object.column_type},
        {"LONG_LOW_VALUE", cell(columns.long_low)},
        {"LONG_HIGH_VALUE", cell(columns.long_high)},
        {"DOUBLE_LOW_VALUE", cell(columns.double_low)},
        {"DOUBLE_HIGH_VALUE", cell(columns.double_high)},
        {"BIG_DECIMAL_LOW_VALUE", cell(columns.decimal_low)},
        {"BIG_DECIMAL_HIGH_VALUE", cell(columns.decimal_high)},
        {"NUM_NULLS", columns.nulls},
        {"NUM_DISTINCTS", cell(columns.distincts)},
        {"BIT_VECTOR", cell(columns.bit_vector)},
        {"AVG_COL_LEN", cell(columns.average_length)},
        {"MAX_COL_LEN", cell(columns.length_max)},
        {"NUM_TRUES", cell(columns.trues)},
        {"NUM_FALSES", cell(columns.falses)},
        {"LAST_ANALYZED", row.analyzed_seconds},
    };
    cells.emplace_back(key.c_str(), id);
    if (!partition.empty()) cells.emplace_back("PARTITION_NAME", partition);
    if (is_four_) cells.emplace_back("ENGINE", "hive");
    std::string names, values;
    Cells parameters;
    for (auto& [name, value] : cells) {
      parameters.push_back(value);
      names += (names.empty() ? "" : ", ") + quoted(name);
      values += (values.empty() ? "$" : ", $") + std::to_string(parameters.size());
    }
    RETURN_IF_ERROR(run("INSERT INTO " + quoted(table) + " (" + names + ") VALUES (" + values + ")",
                        parameters));
  }
  return {};
}

Status ForeignSide::write_table_row(const TableContents& contents, int64_t database, int64_t id,
                                    bool is_there, int64_t storage) {
  const hive::Table& table = contents.table;
  if (is_there) {
    RETURN_IF_ERROR(run(
        "UPDATE \"TBLS\" SET \"CREATE_TIME\" = $2, \"LAST_ACCESS_TIME\" = $3, \"OWNER\" = $4, "
        "\"RETENTION\" = $5, \"SD_ID\" = $6, \"TBL_TYPE\" = $7, \"VIEW_EXPANDED_TEXT\" = $8, "
        "\"VIEW_ORIGINAL_TEXT\" = $9, \"IS_REWRITE_ENABLED\" = $10::bigint <> 0 WHERE \"TBL_ID\" = "
        "$1",
        {id, int64_t{*table.create_time}, int64_t{*table.last_access_time}, cell(table.owner),
         int64_t{*table.retention}, storage, cell(table.table_type), cell(table.view_expanded_text),
         cell(table.view_original_text), *table.rewrite_enabled}));
    for (const char* name : {"TABLE_PARAMS", "PARTITION_KEYS"})
      RETURN_IF_ERROR(run("DELETE FROM " + quoted(name) + " WHERE \"TBL_ID\" = $1", {id}));
  } else {
    RETURN_IF_ERROR(run(
        "INSERT INTO \"TBLS\" (\"TBL_ID\", \"CREATE_TIME\", \"DB_ID\", \"LAST_ACCESS_TIME\", "
        "\"OWNER\", \"OWNER_TYPE\", \"RETENTION\", \"SD_ID\", \"TBL_NAME\", \"TBL_TYPE\", "
        "\"VIEW_EXPANDED_TEXT\", \"VIEW_ORIGINAL_TEXT\", \"IS_REWRITE_ENABLED\") VALUES ($1, $2, "
        "$3, $4, $5, 'USER', $6, $7, $8, $9, $10, $11, $12::bigint <> 0)",
        {id, int64_t{*table.create_time}, database, int64_t{*table.last_access_time},
         cell(table.owner), int64_t{*table.retention}, storage, *table.name, cell(table.table_type),
         cell(table.view_expanded_text), cell(table.view_original_text), *table.rewrite_enabled}));
  }
  RETURN_IF_ERROR(write_parameters("TABLE_PARAMS", "TBL_ID", id, *table.parameters));
  int64_t index = 0;
  for (const hive::FieldSchema& key : *table.partition_keys) {
    RETURN_IF_ERROR(
        run("INSERT INTO \"PARTITION_KEYS\" (\"TBL_ID\", \"PKEY_COMMENT\", "
            "\"PKEY_NAME\", \"PKEY_TYPE\", \"INTEGER_IDX\") VALUES ($1, $2, $3, $4, $5)",
            {id, cell(key.comment), key.name.value_or(""), key.type.value_or(""), index++}));
  }
  return {};
}

Status ForeignSide::write_partition(const TableContents& table, int64_t table_id,
                                    const std::string& name, StorageIds shared) {
  const PartitionContents& contents = table.partitions.at(name);
  const hive::Partition& partition = contents.partition;
  ASSIGN_OR_RETURN(StorageIds storage,
                   write_storage(*partition.storage, &*table.table.storage, shared));
  ASSIGN_OR_RETURN(auto found, transaction_.query("SELECT \"PART_ID\", \"SD_ID\" FROM "
                                                  "\"PARTITIONS\" WHERE \"TBL_ID\" = $1 AND "
                                                  "\"PART_NAME\" = $2",
                                                  {table_id, name}));
  int64_t id = 0;
  if (found.empty()) {
    ASSIGN_OR_RETURN(id, next_id("PARTITIONS"));
    RETURN_IF_ERROR(
        run("INSERT INTO \"PARTITIONS\" (\"PART_ID\", \"CREATE_TIME\", "
            "\"LAST_ACCESS_TIME\", \"PART_NAME\", \"SD_ID\", \"TBL_ID\") VALUES ($1, "
            "$2, $3, $4, $5, $6)",
            {id, int64_t{*partition.create_time}, int64_t{*partition.last_access_time}, name,
             storage.storage, table_id}));
  } else {
    id = found[0][0].as_int();
    RETURN_IF_ERROR(
        run("UPDATE \"PARTITIONS\" SET \"CREATE_TIME\" = $2, \"LAST_ACCESS_TIME\" = $3, "
            "\"SD_ID\" = $4 WHERE \"PART_ID\" = $1",
            {id, int64_t{*partition.create_time}, int64_t{*partition.last_access_time},
             storage.storage}));
    RETURN_IF_ERROR(delete_storage(found[0][1].as_int()));
    for (const char* rest : {"PARTITION_PARAMS", "PARTITION_KEY_VALS"})
      RETURN_IF_ERROR(run("DELETE FROM " + quoted(rest) + " WHERE \"PART_ID\" = $1", {id}));
  }
  RETURN_IF_ERROR(write_parameters("PARTITION_PARAMS", "PART_ID", id, *partition.parameters));
  int64_t index = 0;
  for (const std::string& value : partition.values) {
    RETURN_IF_ERROR(
        run("INSERT INTO \"PARTITION_KEY_VALS\" (\"PART_ID\", \"PART_KEY_VAL\", "
            "\"INTEGER_IDX\") VALUES ($1, $2, $3)",
            {id, value, index++}));
  }
  return write_statistics(table, name, id, contents.statistics);
}

// Privileges on it, if there are any, refuse this by their foreign keys.
Status ForeignSide::delete_partition(int64_t id) {
  ASSIGN_OR_RETURN(int64_t storage,
                   id_of("SELECT \"SD_ID\" FROM \"PARTITIONS\" WHERE \"PART_ID\" = $1", {id}));
  for (const char* table :
       {"PARTITION_PARAMS", "PARTITION_KEY_VALS", "PART_COL_STATS", "PARTITIONS"})
    RETURN_IF_ERROR(run("DELETE FROM " + quoted(table) + " WHERE \"PART_ID\" = $1", {id}));
  return delete_storage(storage);
}

// Partitions that the table no longer has.
Status ForeignSide::delete_further(const TableContents& table, int64_t table_id) {
  ASSIGN_OR_RETURN(auto found, transaction_.query("SELECT \"PART_ID\", \"PART_NAME\" FROM "
                                                  "\"PARTITIONS\" WHERE \"TBL_ID\" = $1",
                                                  {table_id}));
  for (const Row& row : found) {
    if (table.partitions.contains(row[1].as_text())) continue;
    RETURN_IF_ERROR(delete_partition(row[0].as_int()));
  }
  return {};
}

Status ForeignSide::put(const TableContents& contents, bool replaces) {
  ASSIGN_OR_RETURN(int64_t database, id_of("SELECT \"DB_ID\" FROM \"DBS\" WHERE \"NAME\" = $1 AND "
                                           "\"CTLG_NAME\" = 'hive'",
                                           {*contents.table.database_name}));
  ASSIGN_OR_RETURN(StorageIds storage, write_storage(*contents.table.storage, nullptr, {}));
  int64_t id = 0, old_storage = 0;
  if (replaces) {
    ASSIGN_OR_RETURN(auto found, transaction_.query("SELECT \"TBL_ID\", \"SD_ID\" FROM \"TBLS\" "
                                                    "WHERE \"DB_ID\" = $1 AND \"TBL_NAME\" = $2",
                                                    {database, *contents.table.name}));
    if (found.empty())
      return no_such_hive_table(*contents.table.database_name, *contents.table.name);
    id = found[0][0].as_int();
    old_storage = found[0][1].as_int();
  } else {
    ASSIGN_OR_RETURN(id, next_id("TBLS"));
  }
  RETURN_IF_ERROR(write_table_row(contents, database, id, replaces, storage.storage));
  if (replaces) RETURN_IF_ERROR(delete_further(contents, id));
  for (const auto& [name, partition] : contents.partitions)
    RETURN_IF_ERROR(write_partition(contents, id, name, storage));
  if (old_storage != 0) RETURN_IF_ERROR(delete_storage(old_storage));
  return write_statistics(contents, "", id, contents.statistics);
}

Status ForeignSide::put(const hive::Function& function, bool replaces) {
  ASSIGN_OR_RETURN(int64_t database, id_of("SELECT \"DB_ID\" FROM \"DBS\" WHERE \"NAME\" = $1 AND "
                                           "\"CTLG_NAME\" = 'hive'",
                                           {function.database_name}));
  int64_t id = 0;
  if (replaces) {
    ASSIGN_OR_RETURN(id, id_of("SELECT \"FUNC_ID\" FROM \"FUNCS\" WHERE \"DB_ID\" = $1 AND "
                               "\"FUNC_NAME\" = $2",
                               {database, function.name}));
    for (const char* table : {"FUNC_RU", "FUNCS"})
      RETURN_IF_ERROR(run("DELETE FROM " + quoted(table) + " WHERE \"FUNC_ID\" = $1", {id}));
  } else {
    ASSIGN_OR_RETURN(id, next_id("FUNCS"));
  }
  RETURN_IF_ERROR(
      run("INSERT INTO \"FUNCS\" (\"FUNC_ID\", \"CLASS_NAME\", \"CREATE_TIME\", "
          "\"DB_ID\", \"FUNC_NAME\", \"FUNC_TYPE\", \"OWNER_NAME\", \"OWNER_TYPE\") "
          "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
          {id, cell(function.class_name), int64_t{*function.create_time}, database, function.name,
           int64_t{*function.function_type}, cell(function.owner),
           principal_text(function.owner_type.value_or(1))}));
  int64_t index = 0;
  for (const hive::ResourceUri& resource : *function.resources) {
    RETURN_IF_ERROR(
        run("INSERT INTO \"FUNC_RU\" (\"FUNC_ID\", \"RESOURCE_TYPE\", \"RESOURCE_URI\", "
            "\"INTEGER_IDX\") VALUES ($1, $2, $3, $4)",
            {id, int64_t{resource.resource_type.value_or(1)}, cell(resource.uri), index++}));
  }
  return {};
}

}  // namespace aichemy::catalog
