// A Hive Metastore's own database: its tables by their quoted names, schema 3.x and 4.x. Private to
// the module.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalog/hive_contents.h"

namespace aichemy::catalog {

class ForeignSide final : public MetastoreSide {
 public:
  explicit ForeignSide(metadb::Transaction& transaction) : transaction_(transaction) {}
  Status check_schema();

  Result<std::vector<std::string>> databases() override;
  Result<DatabaseContents> contents(const std::string& database) override;
  Result<std::optional<std::string>> refusal(const TableContents& table) override;
  Status put(const hive::Database& database, bool replaces) override;
  Status put(const TableContents& table, bool replaces) override;
  Status put(const hive::Function& function, bool replaces) override;

 private:
  using Row = metadb::Row;
  using Cells = std::vector<metadb::Cell>;
  struct Storage {
    hive::StorageDescriptor descriptor;
    int64_t columns_id = 0, serde_id = 0;
    bool is_skewed = false;
  };
  struct Names {  // what ids stand for, of the database that is being read
    std::map<int64_t, std::string> tables;
    std::map<int64_t, std::pair<std::string, std::string>> partitions;  // table, partition
    std::map<int64_t, Storage> storages;
  };
  metadb::Transaction& transaction_;
  bool is_four_ = false;
  std::map<std::string, int64_t> next_ids_;  // by table

  // --- Reading. Every statement is about one database: $1.
  Result<std::vector<Row>> rows(const std::string& sql, int64_t database);
  Status read_storages(int64_t database, Names* names);
  Status read_storage_details(int64_t database, Names* names);
  Status read_tables(int64_t database, Names* names, DatabaseContents* out);
  Status read_partitions(int64_t database, Names* names, DatabaseContents* out);
  Status read_statistics(int64_t database, const Names& names, DatabaseContents* out);
  Status read_functions(int64_t database, DatabaseContents* out);
  Result<StatisticsRow> statistics_of(const Row& row, size_t first) const;

  // --- Writing.
  struct StorageIds {
    int64_t storage = 0, columns = 0;
  };
  Result<int64_t> next_id(const std::string& table);
  Result<int64_t> id_of(const std::string& sql, const Cells& parameters);  // 0: there is none
  Status run(const std::string& sql, const Cells& parameters);
  Status write_parameters(const std::string& table, const std::string& key, int64_t id,
                          const hive::Parameters& parameters);
  Result<int64_t> write_columns(const std::vector<hive::FieldSchema>& columns);
  // With the columns of `shared` when they are the same.
  Result<StorageIds> write_storage(const hive::StorageDescriptor& storage,
                                   const hive::StorageDescriptor* shared, StorageIds ids);
  Status delete_storage(int64_t storage);
  Status write_statistics(const TableContents& table, const std::string& partition, int64_t id,
                          const StatisticsByColumn& statistics);
  Status write_table_row(const TableContents& contents, int64_t database, int64_t id, bool is_there,
                         int64_t storage);
  Status write_partition(const TableContents& table, int64_t table_id, const std::string& name,
                         StorageIds shared);
  Status delete_partition(int64_t id);
  Status delete_further(const TableContents& table, int64_t table_id);
};

}  // namespace aichemy::catalog
