// Iceberg tables of the platform's catalog as a Trino catalog. Schemas are namespaces (levels
// joined by dots). Names compare without case, as everywhere in Trino; of names that differ only in
// case the exact one wins.
//
// Thread safe; one for the life of the process.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "sql/connectors/column_listing.h"
#include "sql/connectors/connector.h"
#include "sql/connectors/file_adoption.h"
#include "sql/connectors/iceberg_change.h"
#include "sql/connectors/iceberg_materialized.h"
#include "sql/connectors/lake_scan.h"
#include "sql/connectors/text_scan.h"

namespace aichemy::sql {

class IcebergConnector final : public Connector, public ColumnListing {
 public:
  IcebergConnector(catalog::Catalog& catalog, LakeScans& scans)
      : catalog_(catalog), scans_(scans), changes_(catalog, scans), views_(catalog, *this) {}

  // Before the first statement; without it the procedures that take files over are refused.
  void set_adoption(FileAdoption adoption) { adoption_ = std::move(adoption); }

  // Likewise; without it the rows of metadata tables become text in the statement.
  void set_texts(TextScans& texts) { texts_ = &texts; }

  MaterializedViews* materialized_views() override { return &views_; }
  RowChanger* row_changer() override { return &changes_; }
  RoutineStorage routine_storage() const override { return RoutineStorage::durable; }
  std::vector<PropertyInfo> list_properties(PropertyOf of) const override;

  Result<std::vector<std::string>> list_schemas(const Call& call) override;
  Result<bool> schema_exists(const Call& call, const std::string& schema) override;
  Status create_schema(const Call& call, const std::string& schema,
                       const Properties& properties) override;
  Status drop_schema(const Call& call, const std::string& schema, bool cascade) override;

  Result<std::vector<std::string>> list_tables(const Call& call,
                                               const std::string& schema) override;
  Result<std::vector<std::string>> list_views(const Call& call, const std::string& schema) override;
  Result<ColumnsByTable> list_columns(const Call& call, const std::string& schema) override;
  Result<TableRef> get_table(const Call& call, const TableName& name) override;
  Result<TableRef> get_table_at(const Call& call, const TableName& name,
                                const TableVersion& version) override;
  Result<std::optional<View>> get_view(const Call& call, const TableName& name) override;

  // Also when it is a materialized view.
  Result<std::optional<View>> load_view(const Call& call, const TableName& name);

  // The stored names for those a statement used; the given ones when nothing matches.
  Result<catalog::NamespaceName> find_schema(const Call& call, const std::string& schema);
  Result<catalog::EntityName> find_name(const Call& call, const TableName& name, bool view);

  Result<Scan> plan_scan(const Call& call, const TableRef& table,
                         const ScanRequest& request) override;

  Status create_table(const Call& call, const NewTable& table) override;
  Status drop_table(const Call& call, const TableName& name) override;
  Status create_view(const Call& call, const TableName& name, const View& view,
                     bool replace) override;
  Status drop_view(const Call& call, const TableName& name) override;

  // iceberg_alter.cc
  Status change_table(const Call& call, const TableName& name, const TableChange& change) override;
  Status change_view(const Call& call, const TableName& name, const TableChange& change) override;
  Status rename_table(const Call& call, const TableName& from, const TableName& to) override;
  Status rename_view(const Call& call, const TableName& from, const TableName& to) override;
  Status rename_schema(const Call& call, const std::string& from, const std::string& to) override;
  Status set_schema_owner(const Call& call, const std::string& schema, const std::string& owner,
                          bool role) override;
  Result<std::string> schema_owner(const Call& call, const std::string& schema) override;
  Result<std::vector<BranchInfo>> list_branches(const Call& call, const TableName& name) override;
  Status change_branch(const Call& call, const TableName& name,
                       const BranchChange& change) override;
  // iceberg_statistics.cc
  Result<TableStatistics> statistics(const Call& call, const TableRef& table) override;
  bool keeps_statistics() const override { return true; }
  Status store_distinct(const Call& call, const TableRef& table,
                        const std::vector<DistinctHashes>& columns) override;
  // iceberg_procedures.cc
  const std::vector<Procedure>& procedures() const override;
  Result<ProcedureMetrics> run_procedure(const Call& call, const ProcedureCall& procedure) override;
  Result<std::unique_ptr<Insert>> begin_rewrite(const Call& call, const TableRef& table,
                                                const RewriteRequest& request) override;

  Result<std::unique_ptr<Insert>> begin_insert(const Call& call, const TableRef& table) override;
  Result<std::unique_ptr<Insert>> begin_create_table_as(const Call& call,
                                                        const NewTable& table) override;
  Status finish_insert(const Call& call, Insert& insert, std::vector<WrittenFile> files) override;

 private:
  catalog::Catalog& catalog_;
  LakeScans& scans_;
  IcebergChanges changes_;
  IcebergMaterializedViews views_;
  FileAdoption adoption_;
  TextScans* texts_ = nullptr;

  Result<catalog::CreateTable> new_table(const Call& call, const NewTable& table);
  Result<ProcedureMetrics> optimize_manifests(const Call& call, const catalog::EntityName& name,
                                              const ProcedureCall& procedure);
  Result<ProcedureMetrics> expire_snapshots(const Call& call, const catalog::EntityName& name,
                                            const ProcedureCall& procedure);
  Result<ProcedureMetrics> remove_orphan_files(const Call& call, const catalog::EntityName& name,
                                               const ProcedureCall& procedure);
  Result<ProcedureMetrics> drop_extended_stats(const Call& call, const catalog::EntityName& name,
                                               const ProcedureCall& procedure);
  Result<ProcedureMetrics> rollback_to_snapshot(const Call& call, const catalog::EntityName& name,
                                                const ProcedureCall& procedure);
  Result<ProcedureMetrics> register_table(const Call& call, const catalog::EntityName& name,
                                          const ProcedureCall& procedure);
  Result<ProcedureMetrics> unregister_table(const Call& call, const catalog::EntityName& name,
                                            const ProcedureCall& procedure);
  // iceberg_adoption.cc
  Result<ProcedureMetrics> add_files(const Call& call, const catalog::EntityName& name,
                                     const ProcedureCall& procedure);
  Result<ProcedureMetrics> add_files_from_table(const Call& call, const catalog::EntityName& name,
                                                const ProcedureCall& procedure);
  Result<ProcedureMetrics> migrate(const Call& call, const catalog::EntityName& name,
                                   const ProcedureCall& procedure);
  // commit_unknown (internal): it may have become one.
  Status publish(const Call& call, const TableName& name, const std::string& metadata_location);
  Result<ProcedureMetrics> adopt(const Call& call, const catalog::LoadedTable& table,
                                 std::vector<tables::WrittenFile> files,
                                 std::vector<tables::NameMapping> mapping);
  // None when there is no such table yet.
  Result<std::optional<catalog::Replacement>> replacement_of(const Call& call,
                                                             catalog::CreateTable& table);
};

}  // namespace aichemy::sql
