// Hive tables whose files become an Iceberg table's.
#include "sql/hive/hive_connector.h"
#include "sql/hive/hive_errors.h"
#include "sql/hive/hive_tables.h"

namespace aichemy::sql {
namespace {

ForeignTable::Kind kind_of(const hive::Table& source) {
  const hive::Parameters parameters = source.parameters.value_or(hive::Parameters{});
  std::string input = source.storage ? source.storage->input_format.value_or("") : "";
  std::string provider = lower(parameter_of(parameters, "spark.sql.sources.provider"));
  if (lower(parameter_of(parameters, "table_type")) == "iceberg")
    return ForeignTable::Kind::iceberg;
  if (provider == "delta") return ForeignTable::Kind::delta;
  if (provider == "hudi" || input.starts_with("org.apache.hudi.")) return ForeignTable::Kind::hudi;
  return ForeignTable::Kind::hive;
}

std::string format_name(const hive::StorageDescriptor& storage) {
  auto format = format_of(storage);
  if (format) return hive_format_row(*format).name;
  return storage.serde ? storage.serde->serialization_library.value_or("") : "";
}

}  // namespace

Result<ForeignTable> HiveConnector::foreign_table(const Call& call, const TableName& name) {
  auto found = o_.catalog.load_table(call, name.schema, name.table);
  if (!found && found.error().code == Code::not_found) {
    return fail(Code::not_found, "table_not_found",
                "Table '" + name.schema + "." + name.table + "' not found");
  }
  if (!found) return std::unexpected(hive_words(found.error()));
  ForeignTable foreign;
  foreign.kind = kind_of(*found);
  foreign.table_type = found->table_type.value_or("");
  foreign.parameters = found->parameters.value_or(hive::Parameters{});
  foreign.transactional = lower(parameter_of(foreign.parameters, "transactional")) == "true";
  bool table = foreign.table_type == "MANAGED_TABLE" || foreign.table_type == "EXTERNAL_TABLE";
  if (!table || foreign.kind != ForeignTable::Kind::hive) return foreign;
  ASSIGN_OR_RETURN(auto shown, sql_table(name, std::move(*found)));
  foreign.location = shown->location();
  foreign.comment = shown->comment;
  foreign.keys = shown->keys;
  foreign.columns.assign(
      shown->columns.begin(),
      shown->columns.begin() + static_cast<std::ptrdiff_t>(shown->data_columns + shown->keys));
  if (shown->keys == 0) {
    foreign.folders.push_back({foreign.location, format_name(shown->storage()), "", {}});
    return foreign;
  }
  ASSIGN_OR_RETURN(auto partitions, partitions_of(call, *shown, {}));
  for (HivePartition& partition : partitions) {
    foreign.folders.push_back({without_slash(partition.storage.location.value_or("")),
                               format_name(partition.storage), partition.name,
                               std::move(partition.values)});
  }
  return foreign;
}

Status HiveConnector::becomes_iceberg(const Call& call, const TableName& name,
                                      const std::string& metadata_location) {
  ASSIGN_OR_RETURN(hive::Table table,
                   hive_words(o_.catalog.load_table(call, name.schema, name.table)));
  if (kind_of(table) != ForeignTable::Kind::hive) {
    return fail(Code::conflict, "TRANSACTION_CONFLICT",
                "Table was changed by others: " + name.schema + "." + name.table);
  }
  for (auto& key : table.partition_keys.value_or(std::vector<hive::FieldSchema>{}))
    table.storage->columns->push_back(std::move(key));
  table.partition_keys.emplace();
  table.table_type = "EXTERNAL_TABLE";
  table.storage->input_format = "org.apache.iceberg.mr.hive.HiveIcebergInputFormat";
  table.storage->output_format = "org.apache.iceberg.mr.hive.HiveIcebergOutputFormat";
  table.storage->serde =
      hive::SerDeInfo{.serialization_library = "org.apache.iceberg.mr.hive.HiveIcebergSerDe"};
  if (!table.parameters) table.parameters.emplace();
  (*table.parameters)["EXTERNAL"] = "TRUE";
  (*table.parameters)["table_type"] = "ICEBERG";
  (*table.parameters)["metadata_location"] = metadata_location;
  return hive_words(o_.catalog.alter_table(call, name.schema, name.table, std::move(table), {}));
}

}  // namespace aichemy::sql
