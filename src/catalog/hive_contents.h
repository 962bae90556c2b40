// A metastore as values, and a side of a transfer that reads and writes them. Private to the
// module.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/hive_rows.h"
#include "catalog/hive_transfer.h"

namespace aichemy::catalog {

struct StatisticsRow {
  hive::ColumnStatisticsObject object;
  int64_t analyzed_seconds = 0;
};
using StatisticsByColumn = std::map<std::string, StatisticsRow>;

struct PartitionContents {
  hive::Partition partition;
  StatisticsByColumn statistics;
};

struct TableContents {
  hive::Table table;
  std::map<std::string, PartitionContents> partitions;  // by name
  StatisticsByColumn statistics;

  std::string full_name() const { return *table.database_name + "." + *table.name; }
  bool is_iceberg() const { return is_iceberg_table(table) || is_iceberg_view(table); }
};

struct DatabaseContents {
  hive::Database database;
  std::map<std::string, TableContents> tables;
  std::map<std::string, hive::Function> functions;
  std::vector<std::string> refusals;  // what there is, but cannot be read

  // Leaves out what says nothing, so that the same contents of both sides have the same bytes.
  void make_canonical();
};

class MetastoreSide {
 public:
  virtual ~MetastoreSide() = default;
  virtual Result<std::vector<std::string>> databases() = 0;
  virtual Result<DatabaseContents> contents(const std::string& database) = 0;
  // Why this side cannot hold a table.
  virtual Result<std::optional<std::string>> refusal(const TableContents& table) = 0;

  virtual Status put(const hive::Database& database, bool replaces) = 0;
  virtual Status put(const TableContents& table, bool replaces) = 0;
  virtual Status put(const hive::Function& function, bool replaces) = 0;
};

// What is to be written, after everything was read.
struct TransferPlan {
  std::vector<std::function<Status(MetastoreSide&)>> steps;
  TransferReport report;

  Status apply(MetastoreSide& to) const;
};
Result<TransferPlan> plan_transfer(MetastoreSide& from, MetastoreSide& to,
                                   const TransferOptions& options);

// Ours. `transaction` is for writing; reading goes through HiveCatalog.
std::unique_ptr<MetastoreSide> own_side(const TransferStores& stores,
                                        metadb::Transaction* transaction);
// Theirs.
Result<std::unique_ptr<MetastoreSide>> foreign_side(metadb::Transaction& transaction);

// What namespaces.properties holds of a database.
std::string stored_properties(const hive::Database& database);

}  // namespace aichemy::catalog
