// The catalog as a Hive Metastore sees it: databases are namespaces of one level, tables and views
// are the catalog's own relations, whoever made them. Hive tables (format hive) exist here only.
//
// Blocking, thread safe. Descriptions are wire::hive structs; stored as the bytes that a client is
// answered with, so most answers are a row of metadb with the names added. An Iceberg table made or
// committed by another front is described anew from its metadata.
//
// H1  An Iceberg table's pointer moves here only from the version that the client says it changed:
//     expected_parameter_value, or else previous_metadata_location. Locks are a courtesy between
//     Metastore clients; other fronts do not take them.
// H2  A metadata file that lies in our store is read before the pointer names it.
// H3  Names are lower case here. Of two relations that differ in case only, the lower one answers.
//
// Errors beyond Catalog's: no_such_partition, no_such_function (not_found); partition_exists,
// function_exists (exists); table_modified (conflict); invalid_object, invalid_filter (invalid).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "wire/hive_metastore.h"

namespace aichemy::catalog {

namespace hive = wire::hive;
using Raw = wire::thrift::Raw;

struct HiveRelation;  // a row of metadb

// "@hive#sales" and "sales" are {hive, sales}; both lower case.
struct HiveDatabaseName {
  std::string catalog = "hive";
  std::string database;
};
HiveDatabaseName parse_database_name(std::string_view text);

// One partition, or many: by full values, by a prefix of them where "" stands for any, by names.
using PartitionValues = std::vector<std::string>;
// Of "key=value/key=value"; invalid ("invalid_object").
Result<PartitionValues> partition_values(std::string_view name);

class HiveCatalog {
 public:
  HiveCatalog(Catalog& catalog, metadb::Database& database, Clock& clock, Random& random)
      : catalog_(catalog), database_(database), clock_(clock), random_(random) {}

  // See metadb::Database::version(): while it stays, so does what was answered since.
  std::optional<int64_t> version() { return database_.version(); }

  // --- Databases. `default` answers always; it is made when something is put into it.
  Result<std::vector<std::string>> list_databases(const Call& call, std::string_view pattern);
  Result<hive::Database> load_database(const Call& call, std::string_view name);
  Status create_database(const Call& call, const hive::Database& database);
  Status alter_database(const Call& call, std::string_view name, const hive::Database& database);
  Status drop_database(const Call& call, std::string_view name, bool delete_data, bool cascade);

  // --- Tables and views. A pattern is Hive's: * for anything, | between alternatives; "" is all.
  // `type` is a table type such as VIRTUAL_VIEW, "" any.
  Result<std::vector<std::string>> list_tables(const Call& call, std::string_view database,
                                               std::string_view pattern, std::string_view type);
  Result<std::vector<hive::TableMeta>> list_table_meta(const Call& call, std::string_view databases,
                                                       std::string_view tables,
                                                       const std::vector<std::string>& types);
  // Names of the tables whose owner or parameters a filter such as
  // hive_filter_field_params__table_type like "ICEBERG" accepts; at most `max` unless negative.
  Result<std::vector<std::string>> find_tables(const Call& call, std::string_view database,
                                               const std::string& filter, int max);
  Result<hive::Table> load_table(const Call& call, std::string_view database,
                                 std::string_view name);
  Result<Raw> table_bytes(const Call& call, std::string_view database, std::string_view name);
  Status create_table(const Call& call, hive::Table table);
  // `context` holds expected_parameter_key and expected_parameter_value of a conditional change.
  Status alter_table(const Call& call, std::string_view database, std::string_view name,
                     hive::Table table, const hive::Parameters& context);
  Status drop_table(const Call& call, std::string_view database, std::string_view name,
                    bool delete_data);
  Status truncate_table(const Call& call, std::string_view database, std::string_view name,
                        const std::optional<std::vector<std::string>>& partitions);

  // --- Partitions, in the order of their names; at most `max` unless negative.
  Result<std::vector<Raw>> add_partitions(const Call& call, std::string_view database,
                                          std::string_view table,
                                          std::vector<hive::Partition> partitions,
                                          bool if_not_exists);
  Result<Raw> load_partition(const Call& call, std::string_view database, std::string_view table,
                             const PartitionValues& values);
  Result<std::vector<Raw>> load_partitions(const Call& call, std::string_view database,
                                           std::string_view table,
                                           const std::vector<std::string>& names);
  struct PartitionQuery {
    std::optional<PartitionValues> prefix;
    std::string filter;
    int max = -1;
  };
  Result<std::vector<std::string>> partition_names(const Call& call, std::string_view database,
                                                   std::string_view table,
                                                   const PartitionQuery& query);
  Result<std::vector<Raw>> find_partitions(const Call& call, std::string_view database,
                                           std::string_view table, const PartitionQuery& query);
  Status alter_partitions(const Call& call, std::string_view database, std::string_view table,
                          std::vector<hive::Partition> partitions);
  Status rename_partition(const Call& call, std::string_view database, std::string_view table,
                          const PartitionValues& values, hive::Partition partition);
  // Answers what was dropped. `if_exists` leaves out what is not there.
  Result<std::vector<Raw>> drop_partitions(const Call& call, std::string_view database,
                                           std::string_view table,
                                           const std::vector<std::string>& names, bool delete_data,
                                           bool if_exists);
  // "ds=2024-01-01/h=1" of these values; invalid_object when their number is not the keys'.
  Result<std::string> partition_name(const Call& call, std::string_view database,
                                     std::string_view table, const PartitionValues& values);

  // --- Column statistics, of a table (partition "") or its partitions.
  Status update_statistics(const Call& call, const hive::ColumnStatistics& statistics);
  Result<std::vector<hive::ColumnStatisticsObject>> load_statistics(
      const Call& call, std::string_view database, std::string_view table,
      std::string_view partition, const std::vector<std::string>& columns);
  Status delete_statistics(const Call& call, std::string_view database, std::string_view table,
                           std::string_view partition, const std::optional<std::string>& column);

  // --- Functions.
  Status create_function(const Call& call, hive::Function function);
  Status alter_function(const Call& call, std::string_view database, std::string_view name,
                        hive::Function function);
  Status drop_function(const Call& call, std::string_view database, std::string_view name);
  Result<hive::Function> load_function(const Call& call, std::string_view database,
                                       std::string_view name);
  Result<std::vector<std::string>> list_functions(const Call& call, std::string_view database,
                                                  std::string_view pattern);
  Result<std::vector<hive::Function>> all_functions(const Call& call);

  // --- Events: what changed, through whichever front, with growing ids.
  Result<int64_t> last_event(const Call& call);
  Result<std::vector<hive::NotificationEvent>> events_after(const Call& call, int64_t id, int max);
  Result<int64_t> count_events(const Call& call, const hive::NotificationCountRequest& request);

 private:
  Catalog& catalog_;
  metadb::Database& database_;
  Clock& clock_;
  Random& random_;

  int32_t now_seconds() const { return static_cast<int32_t>(clock_.wall_millis() / 1000); }
  std::string database_location(const std::string& name, const Properties& properties) const;
  Status make_default(metadb::Transaction& transaction, const std::string& name);
  Result<HiveRelation> relation(std::string_view database, std::string_view name);
  Result<hive::Table> describe(const Call& call, const HiveRelation& row);
  Status describe_iceberg(const Call& call, const HiveRelation& row, hive::Table* table);
  Status describe_view(const Call& call, const HiveRelation& row, hive::Table* table);
  Status check_pointer(const Call& call, const hive::Table& table, std::string* uuid);
  Status check_change(const HiveRelation& row, const hive::Table& table,
                      const hive::Parameters& context) const;
  Status store_change(metadb::Transaction& transaction, const HiveRelation& row,
                      const hive::Table& table, const std::string& uuid);
  struct FolderMove {
    std::string from, to;  // without a slash at the end
    tables::CopiedFiles copied;
  };
  // Where the data goes when this table becomes `to`; nothing when it stays.
  Result<std::optional<FolderMove>> folder_move(const Call& call, const HiveRelation& row,
                                                const hive::Table& to);
  Status copy_folder(const Call& call, FolderMove* move);
  void finish_move(const Call& call, FolderMove* move);
  void remove_copied(const Call& call, const std::string& folder, const FolderMove& move);
  void remove_folder(const Call& call, const std::string& folder);
  Status move_partitions(metadb::Transaction& transaction, const HiveRelation& row,
                         const FolderMove& move);
  void delete_data(const Call& call, const hive::Table& table);
  void delete_folder(const Call& call, const std::optional<hive::StorageDescriptor>& storage);
  Result<hive::Table> partitioned_table(const Call& call, std::string_view database,
                                        std::string_view name, std::string* table_id);
};

// "ds=2024-01-01/h=1", escaped as Hive does; as many values as keys.
std::string name_of_values(const std::vector<hive::FieldSchema>& keys,
                           const PartitionValues& values);

}  // namespace aichemy::catalog
