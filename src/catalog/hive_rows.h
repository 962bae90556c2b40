// What the parts of HiveCatalog share: rows, names and the bytes of descriptions. Private to the
// module.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog_state.h"
#include "catalog/hive_catalog.h"

namespace aichemy::catalog {

inline constexpr std::string_view kHiveCatalogName = "hive";
inline constexpr std::string_view kDefaultDatabase = "default";

struct HiveRelation {
  RelationKind kind = RelationKind::table;
  bool is_iceberg = false;
  int64_t namespace_id = 0;
  EntityName name;  // as stored
  std::string uuid;
  std::string metadata_location;
  std::string previous_metadata_location;
  std::string definition;          // "" for what no Metastore client touched
  std::string definition_pointer;  // metadata_location when the definition was written
  int64_t created_millis = 0;

  std::string database() const;    // lower case
  std::string table_name() const;  // lower case
  bool is_current() const { return !definition.empty() && metadata_location == definition_pointer; }
};

std::string lower(std::string_view text);  // ASCII

// None when there is no such relation.
Result<std::optional<HiveRelation>> find_hive_relation(metadb::Transaction& transaction,
                                                       std::string_view database,
                                                       std::string_view name);
// Every relation of a database, by name; `each` returns false to stop.
Status each_hive_relation(metadb::Transaction& transaction, std::string_view database,
                          const std::function<bool(HiveRelation)>& each);

// "hive.db.t table not found", as the Metastore says it.
std::unexpected<Error> no_such_hive_table(std::string_view database, std::string_view name);

// Hive's patterns: * is any text, | separates alternatives; ".*" is tolerated for "*". Without
// case.
bool matches_pattern(std::string_view pattern, std::string_view name);

// --- Descriptions. The stored form has neither names nor stop byte.
std::string stored_form(const hive::Table& table);
std::string stored_form(hive::Partition partition);
Raw answer_form(std::string_view stored, const HiveRelation& relation);  // a Table
Raw partition_form(std::string_view stored, std::string_view database, std::string_view table);
Result<hive::Table> table_of(std::string_view stored, const HiveRelation& relation);
Result<hive::Partition> partition_of(std::string_view stored);

std::string parameter(const hive::Table& table, std::string_view key);
bool is_iceberg_table(const hive::Table& table);
bool is_iceberg_view(const hive::Table& table);

// --- Partition names: key=value/..., escaped as Hive does.
std::string escape_partition_part(std::string_view text);
Result<PartitionValues> values_of_name(std::string_view name, size_t keys);

}  // namespace aichemy::catalog
