// Hive tables of the platform's Metastore as a Trino catalog: files in folders, described by
// HiveCatalog, read and written in place. What is not a Hive table there (Iceberg) answers Trino's
// UNSUPPORTED_TABLE_TYPE.
//
// An insert into a table without partition keys is one object: it appears at once. One with keys
// writes into a hidden folder of the table's; its files are put in place under names that our own
// scans pass over until all are there, then the partitions are added in one transaction.
//
// Thread safe; one for the life of the process.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "catalog/hive_catalog.h"
#include "sql/connectors/connector.h"
#include "sql/connectors/file_adoption.h"
#include "sql/hive/hive_files.h"
#include "sql/hive/hive_partition.h"
#include "sql/hive/hive_scan.h"
#include "tables/file_io.h"

namespace aichemy::sql {

namespace hive = wire::hive;
struct HiveTable;

class HiveConnector final : public Connector, public RowChanger {
 public:
  struct Options {
    catalog::HiveCatalog& catalog;
    objectstore::ObjectStore& store;
    LakeScans& lake_scans;
    HiveTextScans& text_scans;
    HiveFileScans& file_scans;
    HiveScans& scans;
    Clock& clock;
    Random& random;
  };
  explicit HiveConnector(Options options) : o_(options), files_(options.store) {}

  RowChanger* row_changer() override { return this; }
  RoutineStorage routine_storage() const override { return RoutineStorage::durable; }
  std::vector<PropertyInfo> list_properties(PropertyOf of) const override;

  Result<std::vector<std::string>> list_schemas(const Call& call) override;
  Result<bool> schema_exists(const Call& call, const std::string& schema) override;
  Status create_schema(const Call& call, const std::string& schema,
                       const Properties& properties) override;
  Status drop_schema(const Call& call, const std::string& schema, bool cascade) override;
  Result<std::string> schema_owner(const Call& call, const std::string& schema) override;
  Status set_schema_owner(const Call& call, const std::string& schema, const std::string& owner,
                          bool role) override;

  Result<std::vector<std::string>> list_tables(const Call& call,
                                               const std::string& schema) override;
  Result<std::vector<std::string>> list_views(const Call& call, const std::string& schema) override;
  Result<TableRef> get_table(const Call& call, const TableName& name) override;
  Result<Scan> plan_scan(const Call& call, const TableRef& table,
                         const ScanRequest& request) override;

  // hive_views.cc
  Result<std::optional<View>> get_view(const Call& call, const TableName& name) override;
  Status create_view(const Call& call, const TableName& name, const View& view,
                     bool replace) override;
  Status drop_view(const Call& call, const TableName& name) override;
  Status rename_view(const Call& call, const TableName& from, const TableName& to) override;
  Status change_view(const Call& call, const TableName& name, const TableChange& change) override;

  // hive_write.cc
  Status create_table(const Call& call, const NewTable& table) override;
  Result<std::unique_ptr<Insert>> begin_insert(const Call& call, const TableRef& table) override;
  Result<std::unique_ptr<Insert>> begin_create_table_as(const Call& call,
                                                        const NewTable& table) override;
  Status finish_insert(const Call& call, Insert& insert, std::vector<WrittenFile> files) override;

  // hive_change.cc
  Status drop_table(const Call& call, const TableName& name) override;
  Status rename_table(const Call& call, const TableName& from, const TableName& to) override;
  Status change_table(const Call& call, const TableName& name, const TableChange& change) override;
  Result<std::unique_ptr<Change>> begin(const Call& call, const TableRef& table,
                                        Change::Kind kind) override;
  Result<ChangeWork> arrange(const Call& call, Change& change,
                             const std::vector<FilePositions>& deleted) override;
  Status finish(const Call& call, Change& change, ChangedFiles files) override;
  Status truncate(const Call& call, const TableRef& table) override;

  // hive_adoption.cc: see FileAdoption.
  Result<ForeignTable> foreign_table(const Call& call, const TableName& name);
  Status becomes_iceberg(const Call& call, const TableName& name,
                         const std::string& metadata_location);

  // hive_procedures.cc
  const std::vector<Procedure>& procedures() const override;
  Result<ProcedureMetrics> run_procedure(const Call& call, const ProcedureCall& procedure) override;

 private:
  Options o_;
  tables::FileIo files_;
  PendingInserts pending_;

  // nullptr: there is none, or it is a view.
  Result<std::shared_ptr<HiveTable>> find_table(const Call& call, const TableName& name);
  Result<std::shared_ptr<HiveTable>> existing_table(const Call& call, const TableName& name);
  int64_t now_seconds() const { return o_.clock.wall_millis() / 1000; }
  // Those that may hold rows for which the conjuncts are true: the Metastore's, or made up.
  Result<std::vector<HivePartition>> partitions_of(const Call& call, const HiveTable& table,
                                                   const std::vector<Conjunct>& conjuncts);
  Result<std::vector<HivePartition>> stored_partitions(const Call& call, const HiveTable& table,
                                                       const std::vector<Conjunct>& conjuncts);
  // unsupported ("NOT_SUPPORTED"): what has no partitions of its own has none to change.
  Status check_stored_partitions(const HiveTable& table);
  Result<std::vector<HivePartition>> load_partitions(const Call& call, const HiveTable& table,
                                                     const std::vector<std::string>& names);
  Status check_without_iceberg(const Call& call, const std::string& schema);
  Result<Scan> scan_change(const Call& call, const HiveTable& table, const ScanRequest& request);

  Result<hive::Table> located_table(const Call& call, const NewTable& table);
  Result<std::unique_ptr<Insert>> insert_into(const HiveTable& table);
  struct Places;
  Status publish(const Call& call, const HiveTable& table, const std::string& id,
                 const std::vector<WrittenFile>& files);
  Result<Places> places_of(const Call& call, const HiveTable& table,
                           const std::vector<WrittenFile>& files);
  Status place_partitions(const Call& call, const HiveTable& table, Places& places);

  Status create_empty_partition(const Call& call, const HiveTable& table,
                                const ProcedureCall& procedure);
  Status register_partition(const Call& call, const HiveTable& table,
                            const ProcedureCall& procedure);
  Status unregister_partition(const Call& call, const HiveTable& table,
                              const ProcedureCall& procedure);
  Status sync_partitions(const Call& call, const HiveTable& table, const ProcedureCall& procedure);
};

}  // namespace aichemy::sql
