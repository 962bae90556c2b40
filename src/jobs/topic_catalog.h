// The catalog "kafka": topics as tables, read straight from the partition logs of our own broker.
//
// Every topic is a table of schema "default", by its name in lower case, with the internal columns
// of Trino's Kafka connector (_partition_id, _partition_offset, _timestamp, _key, _message,
// _headers, ...). A table description (Trino's JSON file) adds columns from the members of JSON
// messages and hides the internal ones from SELECT *. A message that does not fit its columns is a
// row of nulls with _message_corrupt.
//
// A scan reads the records that are there when the query is planned, by offsets: equality and
// ranges of _partition_id and _partition_offset and lower bounds of _timestamp cut what is read
// (upper bounds too, for topics in log-append time; a producer's times are in no order). Read-only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/broker.h"
#include "jobs/script.h"
#include "sql/connectors/connector.h"
#include "sql/connectors/scan_registry.h"

namespace duckdb {
class DatabaseInstance;
}

namespace aichemy::jobs {

struct TopicRange {
  int32_t partition = 0;
  int64_t from = 0, to = 0;  // offsets, `to` exclusive
};

struct TopicScan {
  broker::Broker* broker = nullptr;
  std::string topic;
  std::vector<sql::ColumnInfo> columns;  // internal ones first
  std::vector<SourceColumn> members;     // those behind them, by the names of the JSON members
  std::vector<TopicRange> ranges;
};

// Read by duckdb_topic_scan.cc.
class TopicScans : public sql::ScanRegistry<TopicScan> {
 public:
  TopicScans() : ScanRegistry("topic_scan", "topic-") {}
};

// Once per database, before the first statement. `scans` must outlive it.
void register_topic_scan(duckdb::DatabaseInstance& database, const TopicScans& scans);

// Columns of one topic, from a description.
struct TopicTable {
  std::string schema, table;  // lower case
  std::string topic;
  std::vector<sql::ColumnInfo> columns;
  std::vector<SourceColumn> members;
};
// A table description file. invalid ("config"), naming `file`; unsupported data formats too.
Result<TopicTable> read_topic_table(std::string_view text, const std::string& file);

const std::vector<sql::ColumnInfo>& topic_columns();  // the internal ones
std::unique_ptr<sql::Connector> make_topic_catalog(broker::Broker& broker, TopicScans& scans,
                                                   std::vector<TopicTable> described);

}  // namespace aichemy::jobs
