// Iceberg tables of the platform's catalog as a Trino catalog. Schemas are namespaces (levels
// joined by dots). Names compare without case, as everywhere in Trino; of names that differ only in
// case the exact one wins.
//
// Thread safe; one for the life of the process.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "sql/connectors/connector.h"
#include "sql/connectors/iceberg_change.h"
#include "sql/connectors/iceberg_materialized.h"
#include "sql/connectors/lake_scan.h"

namespace aichemy::sql {

class IcebergConnector final : public Connector {
 public:
  IcebergConnector(catalog::Catalog& catalog, LakeScans& scans)
      : catalog_(catalog), scans_(scans), changes_(catalog, scans), views_(catalog, *this) {}

  MaterializedViews* materialized_views() override { return &views_; }
  RowChanger* row_changer() override { return &changes_; }

  Result<std::vector<std::string>> list_schemas(const Call& call) override;
  Result<bool> schema_exists(const Call& call, const std::string& schema) override;
  Status create_schema(const Call& call, const std::string& schema,
                       const Properties& properties) override;
  Status drop_schema(const Call& call, const std::string& schema, bool cascade) override;

  Result<std::vector<std::string>> list_tables(const Call& call,
                                               const std::string& schema) override;
  Result<std::vector<std::string>> list_views(const Call& call, const std::string& schema) override;
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

  Result<std::unique_ptr<Insert>> begin_insert(const Call& call, const TableRef& table) override;
  Result<std::unique_ptr<Insert>> begin_create_table_as(const Call& call,
                                                        const NewTable& table) override;
  Status finish_insert(const Call& call, Insert& insert, std::vector<WrittenFile> files) override;

 private:
  catalog::Catalog& catalog_;
  LakeScans& scans_;
  IcebergChanges changes_;
  IcebergMaterializedViews views_;

  Result<catalog::CreateTable> new_table(const Call& call, const NewTable& table);
};

}  // namespace aichemy::sql
