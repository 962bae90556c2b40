// CALL hive.system.…: partitions in the Metastore and folders in the store brought together.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "sql/connectors/table_change.h"
#include "sql/hive/hive_connector.h"
#include "sql/hive/hive_errors.h"
#include "sql/hive/hive_tables.h"

namespace aichemy::sql {
namespace {

constexpr int kFoldersDeep = 16;

std::unexpected<Error> invalid(const std::string& message) {
  return fail(Code::invalid, "INVALID_PROCEDURE_ARGUMENT", message);
}

Result<std::vector<std::string>> texts_of(const std::optional<std::string>& argument) {
  ASSIGN_OR_RETURN(Json json, Json::parse(argument.value_or("[]")));
  std::vector<std::string> texts;
  for (const Json& item : json.as_array()) texts.emplace_back(item.as_string());
  return texts;
}

// The values that a procedure names, in the order of the keys.
Result<std::vector<std::string>> named_values(const HiveTable& table,
                                              const ProcedureCall& procedure) {
  ASSIGN_OR_RETURN(auto columns, texts_of(procedure.values[2]));
  ASSIGN_OR_RETURN(auto values, texts_of(procedure.values[3]));
  if (table.keys == 0) {
    return invalid(
        fmt::format("Table is not partitioned: {}.{}", table.name.schema, table.name.table));
  }
  bool fit = columns.size() == table.keys && values.size() == table.keys;
  for (size_t i = 0; fit && i < columns.size(); ++i) {
    std::ranges::transform(columns[i], columns[i].begin(),
                           [](unsigned char c) { return std::tolower(c); });
    fit = columns[i] == table.key(i).name;
  }
  if (!fit)
    return invalid("Provided partition column names do not match actual partition column names");
  for (size_t i = 0; i < values.size(); ++i)
    RETURN_IF_ERROR(partition_value(values[i], table.key(i).type, table.key(i).name));
  return values;
}

}  // namespace

const std::vector<Procedure>& HiveConnector::procedures() const {
  static const std::vector<ProcedureArgument> kOfPartition = {
      {"schema_name", "varchar", true},
      {"table_name", "varchar", true},
      {"partition_columns", "array(varchar)", true},
      {"partition_values", "array(varchar)", true}};
  static const std::vector<Procedure> kProcedures = [] {
    std::vector<ProcedureArgument> located = kOfPartition;
    located.push_back({"location", "varchar", false});
    return std::vector<Procedure>{{"system", "create_empty_partition", kOfPartition},
                                  {"system", "register_partition", located},
                                  {"system", "unregister_partition", kOfPartition},
                                  {"system",
                                   "sync_partition_metadata",
                                   {{"schema_name", "varchar", true},
                                    {"table_name", "varchar", true},
                                    {"mode", "varchar", true},
                                    {"case_sensitive", "boolean", false}}}};
  }();
  return kProcedures;
}

Result<ProcedureMetrics> HiveConnector::run_procedure(const Call& call,
                                                      const ProcedureCall& procedure) {
  struct Row {
    const char* name;
    Status (HiveConnector::*run)(const Call&, const HiveTable&, const ProcedureCall&);
  };
  static constexpr Row kRows[] = {
      {"create_empty_partition", &HiveConnector::create_empty_partition},
      {"register_partition", &HiveConnector::register_partition},
      {"unregister_partition", &HiveConnector::unregister_partition},
      {"sync_partition_metadata", &HiveConnector::sync_partitions},
  };
  TableName name{procedure.values[0].value_or(""), procedure.values[1].value_or("")};
  ASSIGN_OR_RETURN(auto table, existing_table(call, name));
  RETURN_IF_ERROR(check_stored_partitions(*table));
  for (const Row& row : kRows) {
    if (procedure.name != row.name) continue;
    RETURN_IF_ERROR((this->*row.run)(call, *table, procedure));
  }
  return ProcedureMetrics{};
}

Status HiveConnector::create_empty_partition(const Call& call, const HiveTable& table,
                                             const ProcedureCall& procedure) {
  ASSIGN_OR_RETURN(auto values, named_values(table, procedure));
  ASSIGN_OR_RETURN(std::string name,
                   o_.catalog.partition_name(call, table.name.schema, table.name.table, values));
  auto made =
      o_.catalog.add_partitions(call, table.name.schema, table.name.table,
                                {table.partition(values, table.location() + "/" + name)}, false);
  if (made) return {};
  if (made.error().is("partition_exists"))
    return fail(Code::exists, "ALREADY_EXISTS", "Partition already exists");
  return std::unexpected(hive_words(made.error()));
}

Status HiveConnector::register_partition(const Call& call, const HiveTable& table,
                                         const ProcedureCall& procedure) {
  ASSIGN_OR_RETURN(auto values, named_values(table, procedure));
  ASSIGN_OR_RETURN(std::string name,
                   o_.catalog.partition_name(call, table.name.schema, table.name.table, values));
  std::string location = procedure.values[4].value_or(table.location() + "/" + name);
  if (!tables::parse_location(location))
    return invalid(fmt::format("Invalid partition location: {}", location));
  ASSIGN_OR_RETURN(bool there, files_.has_prefix(call, without_slash(location)));
  if (!there) return invalid(fmt::format("Partition location does not exist: {}", location));
  auto made = o_.catalog.add_partitions(call, table.name.schema, table.name.table,
                                        {table.partition(values, without_slash(location))}, false);
  if (made) return {};
  if (made.error().is("partition_exists")) {
    return fail(
        Code::exists, "ALREADY_EXISTS",
        fmt::format("Partition [{}] is already registered with location {}", name, location));
  }
  return std::unexpected(hive_words(made.error()));
}

Status HiveConnector::unregister_partition(const Call& call, const HiveTable& table,
                                           const ProcedureCall& procedure) {
  ASSIGN_OR_RETURN(auto values, named_values(table, procedure));
  ASSIGN_OR_RETURN(std::string name,
                   o_.catalog.partition_name(call, table.name.schema, table.name.table, values));
  auto dropped =
      o_.catalog.drop_partitions(call, table.name.schema, table.name.table, {name}, false, false);
  if (dropped) return {};
  if (dropped.error().code == Code::not_found)
    return fail(Code::not_found, "NOT_FOUND", fmt::format("Partition '{}' does not exist", name));
  return std::unexpected(hive_words(dropped.error()));
}

// Folders key=value/key=value below the table's, and partitions whose folder there is gone.
Status HiveConnector::sync_partitions(const Call& call, const HiveTable& table,
                                      const ProcedureCall& procedure) {
  std::string mode = procedure.values[2].value_or("");
  std::ranges::transform(mode, mode.begin(), [](unsigned char c) { return std::toupper(c); });
  if (mode != "ADD" && mode != "DROP" && mode != "FULL")
    return invalid(fmt::format("Invalid partition metadata sync mode: {}", mode));
  bool exact = procedure.values[3].value_or("true") != "false";
  if (table.keys == 0 || table.keys > kFoldersDeep) {
    return invalid(
        fmt::format("Table is not partitioned: {}.{}", table.name.schema, table.name.table));
  }
  // Path below the table's folder to the partition's values.
  std::vector<std::pair<std::string, std::vector<std::string>>> found{{"", {}}};
  for (size_t key = 0; key < table.keys; ++key) {
    std::vector<std::pair<std::string, std::vector<std::string>>> next;
    for (const auto& [path, values] : found) {
      ASSIGN_OR_RETURN(auto folders, list_folders(call, o_.store, table.location() + path));
      for (const std::string& folder : folders) {
        std::string name = folder.substr(0, folder.find('='));
        if (!exact) {
          std::ranges::transform(name, name.begin(),
                                 [](unsigned char c) { return std::tolower(c); });
        }
        if (name != table.key(key).name || folder.find('=') == std::string::npos) continue;
        auto value = catalog::partition_values(folder);
        if (!value) continue;
        std::vector<std::string> more = values;
        more.push_back((*value)[0]);
        next.emplace_back(path + "/" + folder, std::move(more));
      }
    }
    found = std::move(next);
  }
  std::vector<hive::Partition> added;
  std::set<std::string> in_store;
  for (const auto& [path, values] : found) {
    ASSIGN_OR_RETURN(std::string name,
                     o_.catalog.partition_name(call, table.name.schema, table.name.table, values));
    if (in_store.insert(name).second)
      added.push_back(table.partition(values, table.location() + path));
  }
  if (mode != "DROP") {
    auto made = o_.catalog.add_partitions(call, table.name.schema, table.name.table,
                                          std::move(added), true);
    if (!made) return std::unexpected(hive_words(made.error()));
  }
  if (mode == "ADD") return {};
  ASSIGN_OR_RETURN(auto known, stored_partitions(call, table, {}));
  std::vector<std::string> gone;
  for (const HivePartition& partition : known) {
    if (!in_store.contains(partition.name)) gone.push_back(partition.name);
  }
  auto dropped =
      o_.catalog.drop_partitions(call, table.name.schema, table.name.table, gone, false, true);
  if (!dropped) return std::unexpected(hive_words(dropped.error()));
  return {};
}

}  // namespace aichemy::sql
