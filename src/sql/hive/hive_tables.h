// Tables of the Metastore as SQL sees them, and the other way round. Private to the module.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sql/connectors/connector.h"
#include "sql/hive/hive_serde.h"
#include "wire/hive_metastore.h"

namespace aichemy::sql {

namespace hive = wire::hive;

// A table at the time it was asked for: data columns, then partition keys, then hidden ones.
struct HiveTable final : Table {
  hive::Table source;
  size_t data_columns = 0;
  size_t keys = 0;

  const hive::StorageDescriptor& storage() const { return *source.storage; }
  const hive::Parameters& parameters() const { return *source.parameters; }
  std::string location() const;  // without a slash at the end
  bool is_managed() const { return source.table_type == "MANAGED_TABLE"; }
  const ColumnInfo& key(size_t i) const { return columns[data_columns + i]; }
  // A new one of the table's format.
  hive::Partition partition(std::vector<std::string> values, std::string at) const;
};

std::string parameter_of(const hive::Parameters& parameters, std::string_view key);
std::string lower(std::string text);  // ASCII
std::string without_slash(std::string location);

// unsupported ("UNSUPPORTED_TABLE_TYPE") for tables of other formats (Iceberg, Delta Lake, Hudi).
Result<std::shared_ptr<HiveTable>> sql_table(const TableName& name, hive::Table source);

// Of Spark's own kind, whose buckets are not Hive's.
bool is_spark_bucketed(const HiveTable& table);

// What CREATE TABLE asks for. The location is empty unless it was given. `now`: seconds since 1970,
// for projections of partitions.
Result<hive::Table> metastore_table(const NewTable& table, int64_t now);
const std::vector<PropertyInfo>& hive_table_properties();

Result<hive::FieldSchema> metastore_column(const ColumnInfo& column);

}  // namespace aichemy::sql
