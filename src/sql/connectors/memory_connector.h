// The catalog "memory": tables that live in this process and are gone when it ends.
//
// A table is a list of Parquet files in an in-memory object store, written and read by the engine
// through the same paths as Iceberg's; an insert adds files to a new version of the table, so a
// running scan keeps what it began with. A file's bytes go when the last version that names it
// does. Bounded: the store refuses to grow beyond its limit, and the statement that tried fails.
//
// Timestamps with time zone come back in UTC: the files hold the instant, not the zone.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/random.h"
#include "objectstore/memory_store.h"
#include "sql/connectors/connector.h"
#include "sql/connectors/lake_scan.h"

namespace aichemy::sql {

// The engine finds this bucket's files in the in-memory store.
inline constexpr const char* kMemoryBucket = "aichemy-memory";

class MemoryConnector final : public Connector {
 public:
  // Makes the bucket. `store` and `scans` outlive every statement.
  MemoryConnector(objectstore::MemoryStore& store, LakeScans& scans, Random& random);
  ~MemoryConnector() override;

  RoutineStorage routine_storage() const override { return RoutineStorage::memory; }
  Result<std::vector<std::string>> list_schemas(const Call& call) override;
  Result<bool> schema_exists(const Call& call, const std::string& schema) override;
  Status create_schema(const Call& call, const std::string& schema, const Properties&) override;
  Status drop_schema(const Call& call, const std::string& schema, bool cascade) override;
  Result<std::vector<std::string>> list_tables(const Call& call,
                                               const std::string& schema) override;
  Result<std::vector<std::string>> list_views(const Call& call, const std::string& schema) override;
  Result<TableRef> get_table(const Call& call, const TableName& name) override;
  Result<std::optional<View>> get_view(const Call& call, const TableName& name) override;
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
  struct Schema {
    std::map<std::string, TableRef> tables;
    std::map<std::string, View> views;
  };
  objectstore::MemoryStore& store_;
  LakeScans& scans_;
  Random& random_;
  std::mutex mutex_;
  std::map<std::string, Schema> schemas_;

  Result<Schema*> find_locked(const std::string& schema);
  Status add_locked(TableRef table, bool replace);
};

}  // namespace aichemy::sql
