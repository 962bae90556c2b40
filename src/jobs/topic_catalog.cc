#include "jobs/topic_catalog.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/json.h"
#include "sql/connectors/virtual_tables.h"

namespace aichemy::jobs {
namespace {

using sql::Compare;
using sql::Conjunct;

constexpr const char* kSchema = "default";
// Places in topic_columns().
constexpr size_t kPartition = 0, kOffset = 1, kTimestamp = 9, kOffsetAgain = 10;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

struct TopicHandle final : sql::Table {
  std::string topic;
  std::vector<SourceColumn> members;
};

// [low, high] of a column under the conjuncts.
struct Bounds {
  int64_t low = std::numeric_limits<int64_t>::min();
  int64_t high = std::numeric_limits<int64_t>::max();

  void take(const Conjunct& conjunct) {
    if (conjunct.values.empty()) return;
    int64_t least = high, most = low;
    for (const auto& value : conjunct.values) {
      const auto* number = std::get_if<int64_t>(&value);
      if (!number) return;
      least = std::min(least, *number);
      most = std::max(most, *number);
    }
    int64_t one = std::get<int64_t>(conjunct.values[0]);
    switch (conjunct.op) {
      case Compare::eq:
      case Compare::in:
        low = std::max(low, least);
        high = std::min(high, most);
        return;
      case Compare::lt:
        if (one > std::numeric_limits<int64_t>::min()) high = std::min(high, one - 1);
        return;
      case Compare::le: high = std::min(high, one); return;
      case Compare::gt:
        if (one < std::numeric_limits<int64_t>::max()) low = std::max(low, one + 1);
        return;
      case Compare::ge: low = std::max(low, one); return;
      default: return;
    }
  }
};

int64_t floor_millis(int64_t micros) {
  return micros >= 0 ? micros / 1000 : -((-(micros + 1)) / 1000) - 1;
}

class TopicCatalog final : public sql::VirtualConnector {
 public:
  TopicCatalog(broker::Broker& broker, TopicScans& scans, std::vector<TopicTable> described)
      : VirtualConnector({}), broker_(broker), scans_(scans), described_(std::move(described)) {}

  Result<std::vector<std::string>> list_schemas(const Call&) override {
    std::vector<std::string> names = {kSchema};
    for (const auto& table : described_) names.push_back(table.schema);
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }
  Result<bool> schema_exists(const Call& call, const std::string& schema) override {
    ASSIGN_OR_RETURN(auto names, list_schemas(call));
    return std::ranges::find(names, schema) != names.end();
  }
  Result<std::vector<std::string>> list_tables(const Call& call,
                                               const std::string& schema) override {
    ASSIGN_OR_RETURN(bool exists, schema_exists(call, schema));
    if (!exists)
      return fail(Code::not_found, "schema_not_found",
                  fmt::format("Schema '{}' does not exist", schema));
    std::vector<std::string> names;
    for (const auto& table : described_) {
      if (table.schema == schema) names.push_back(table.table);
    }
    if (schema == kSchema) {
      for (const auto& topic : broker_.topics()) {
        if (!topic->internal) names.push_back(lower(topic->name));
      }
    }
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

  Result<sql::TableRef> get_table(const Call&, const sql::TableName& name) override {
    auto made = std::make_shared<TopicHandle>();
    made->name = name;
    made->columns = topic_columns();
    auto described = std::ranges::find_if(described_, [&](const TopicTable& table) {
      return table.schema == name.schema && table.table == name.table;
    });
    if (described != described_.end()) {
      made->topic = described->topic;
      made->members = described->members;
      for (auto& column : made->columns) column.hidden = true;
      made->columns.insert(made->columns.end(), described->columns.begin(),
                           described->columns.end());
    } else if (name.schema == kSchema) {
      for (const auto& topic : broker_.topics()) {
        if (!topic->internal && lower(topic->name) == name.table) made->topic = topic->name;
      }
    }
    if (made->topic.empty() || !broker_.topic_exists(made->topic)) return sql::TableRef();
    return sql::TableRef(std::move(made));
  }

  Result<sql::Scan> plan_scan(const Call&, const sql::TableRef& table,
                              const sql::ScanRequest& request) override {
    const auto& handle = static_cast<const TopicHandle&>(*table);
    Bounds partition, offset, time;
    for (const Conjunct& conjunct : request.conjuncts) {
      if (conjunct.column == kPartition) partition.take(conjunct);
      if (conjunct.column == kOffset || conjunct.column == kOffsetAgain) offset.take(conjunct);
      if (conjunct.column == kTimestamp) time.take(conjunct);
    }
    auto scan = std::make_shared<TopicScan>();
    scan->broker = &broker_;
    scan->topic = handle.topic;
    scan->columns = handle.columns;
    scan->members = handle.members;
    broker::TopicRef topic = broker_.find_topic(handle.topic);
    if (!topic)
      return fail(Code::not_found, "table_not_found",
                  fmt::format("topic {} was deleted", handle.topic));
    for (size_t i = 0; i < topic->partitions.size(); ++i) {
      auto number = static_cast<int32_t>(i);
      if (number < partition.low || number > partition.high) continue;
      ASSIGN_OR_RETURN(TopicRange range, range_of(*topic, number, offset, time));
      if (range.from < range.to) scan->ranges.push_back(range);
    }
    return sql::Scan(scans_.add(std::move(scan)));
  }

 private:
  broker::Broker& broker_;
  TopicScans& scans_;
  const std::vector<TopicTable> described_;

  Result<TopicRange> range_of(const broker::Topic& topic, int32_t number, const Bounds& offset,
                              const Bounds& time) const {
    ASSIGN_OR_RETURN(broker::Offsets there, broker_.offsets(topic.name, number));
    TopicRange range{number, std::max(there.start, offset.low), there.end};
    if (offset.high < range.to) range.to = offset.high + 1;
    broker::Partition& partition = *topic.partitions[static_cast<size_t>(number)];
    if (time.low > std::numeric_limits<int64_t>::min()) {
      ASSIGN_OR_RETURN(auto first, partition.find_timestamp(floor_millis(time.low)));
      range.from = first.offset < 0 ? range.to : std::max(range.from, first.offset);
    }
    auto type = topic.config.find("message.timestamp.type");
    bool in_order = type != topic.config.end() && type->second == "LogAppendTime";
    if (in_order && time.high < std::numeric_limits<int64_t>::max()) {
      ASSIGN_OR_RETURN(auto beyond, partition.find_timestamp(floor_millis(time.high) + 1));
      if (beyond.offset >= 0) range.to = std::min(range.to, beyond.offset);
    }
    return range;
  }
};

Error wrong(const std::string& file, const std::string& what) {
  return {Code::invalid, "config", fmt::format("{}: {}", file, what)};
}

}  // namespace

const std::vector<sql::ColumnInfo>& topic_columns() {
  static const std::vector<sql::ColumnInfo> kColumns = sql::virtual_columns(
      "_partition_id bigint, _partition_offset bigint, _message_corrupt boolean, _message varchar, "
      "_headers map(varchar, array(varbinary)), _message_length bigint, _key_corrupt boolean, "
      "_key varchar, _key_length bigint, _timestamp timestamp(3), -_offset bigint");
  return kColumns;
}

Result<TopicTable> read_topic_table(std::string_view text, const std::string& file) {
  auto json = Json::parse(text);
  if (!json || !json->is_object()) return std::unexpected(wrong(file, "not a JSON object"));
  TopicTable made;
  made.table = lower((*json)["tableName"].as_string());
  made.schema = lower((*json)["schemaName"].as_string(kSchema));
  made.topic = (*json)["topicName"].as_string();
  if (made.table.empty() || made.topic.empty())
    return std::unexpected(wrong(file, "tableName and topicName are needed"));
  if (json->find("key"))
    return std::unexpected(wrong(file, "'key' is not supported: read the column _key"));
  const Json& message = (*json)["message"];
  if (message["dataFormat"].as_string() != "json")
    return std::unexpected(wrong(file, "message.dataFormat: only json is supported"));
  for (const Json& field : message["fields"].as_array()) {
    sql::ColumnInfo column;
    column.name = lower(field["name"].as_string());
    column.comment = field["comment"].as_string();
    column.hidden = field["hidden"].as_bool();
    std::string member(field["mapping"].as_string());
    if (column.name.empty() || member.empty())
      return std::unexpected(wrong(file, "a field needs name and mapping"));
    if (member.find('/') != std::string::npos || field.find("dataFormat"))
      return std::unexpected(
          wrong(file, fmt::format("field {}: paths and dataFormat are not supported; declare the "
                                  "member with a ROW type",
                                  column.name)));
    auto type = sql::parse_type(lower(field["type"].as_string()));
    if (!type)
      return std::unexpected(
          wrong(file, fmt::format("field {}: {}", column.name, type.error().message)));
    column.type = *type;
    made.columns.push_back(column);
    made.members.push_back({member, *type, false, std::nullopt});
  }
  if (made.columns.empty()) return std::unexpected(wrong(file, "message.fields is empty"));
  return made;
}

std::unique_ptr<sql::Connector> make_topic_catalog(broker::Broker& broker, TopicScans& scans,
                                                   std::vector<TopicTable> described) {
  return std::make_unique<TopicCatalog>(broker, scans, std::move(described));
}

}  // namespace aichemy::jobs
