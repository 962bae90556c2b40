// Materialized views: a view of the catalog and, beside it, the table
// NAME$materialized_view_storage with its rows. What a refresh read is in the summary of the
// storage table's snapshot, under Trino's names: dependsOnTables ("schema.table=snapshot,...") and
// trino-query-start-time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "sql/connectors/connector.h"

namespace aichemy::sql {

class IcebergConnector;

class IcebergMaterializedViews final : public MaterializedViews {
 public:
  IcebergMaterializedViews(catalog::Catalog& catalog, IcebergConnector& tables)
      : catalog_(catalog), tables_(tables) {}

  Result<ViewFreshness> freshness(const Call& call, const MaterializedView& view) override;
  Result<std::vector<std::string>> list(const Call& call, const std::string& schema) override;
  Result<std::optional<MaterializedView>> get(const Call& call, const TableName& name) override;
  Result<TableRef> storage(const Call& call, const TableName& name,
                           const MaterializedView& view) override;
  Status create(const Call& call, const TableName& name, const MaterializedView& view,
                bool replace) override;
  Status drop(const Call& call, const TableName& name) override;
  Status rename(const Call& call, const TableName& from, const TableName& to) override;
  Status set_properties(const Call& call, const TableName& name,
                        const Properties& properties) override;
  Result<std::unique_ptr<Insert>> begin_refresh(const Call& call, const TableName& name,
                                                const MaterializedView& view,
                                                const std::map<std::string, std::string>& sources,
                                                int64_t began_millis) override;
  Status finish_refresh(const Call& call, Insert& insert, std::vector<WrittenFile> files) override;

 private:
  catalog::Catalog& catalog_;
  IcebergConnector& tables_;

  Result<bool> changed_since(const Call& call, const std::string& table, const std::string& version,
                             std::optional<int64_t>* changed_millis);
};

}  // namespace aichemy::sql
