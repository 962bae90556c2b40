// UPDATE, DELETE, MERGE and TRUNCATE of Iceberg tables.
//
// Rows go by position deletes (format version 2) or deletion vectors (3). A file goes whole when
// every row of it does. With write.{delete,update,merge}.mode = copy-on-write, and in files of a
// version 3 table that still have version 2 deletes, what stays of a file is written anew.
// write.*.isolation-level decides what counts as a conflict; the default is serializable.
#pragma once

#include <memory>
#include <vector>

#include "catalog/catalog.h"
#include "sql/connectors/connector.h"
#include "sql/connectors/lake_scan.h"

namespace aichemy::sql {

class IcebergChanges final : public RowChanger {
 public:
  IcebergChanges(catalog::Catalog& catalog, LakeScans& scans) : catalog_(catalog), scans_(scans) {}

  Result<std::unique_ptr<Change>> begin(const Call& call, const TableRef& table,
                                        Change::Kind kind) override;
  Result<ChangeWork> arrange(const Call& call, Change& change,
                             const std::vector<FilePositions>& deleted) override;
  Status finish(const Call& call, Change& change, ChangedFiles files) override;
  Status truncate(const Call& call, const TableRef& table) override;

  // The scan of the change's target is planned: files that go unread leave the plan.
  static void note_plan(Change& change, const ScanRequest& request, tables::ScanPlan& plan);

 private:
  EngineScan changed_rows(const Change& change, const std::vector<FilePositions>& deleted);

  catalog::Catalog& catalog_;
  LakeScans& scans_;
};

}  // namespace aichemy::sql
