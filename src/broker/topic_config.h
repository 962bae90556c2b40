// Settings of topics: one table of rows (name, kind, default, what it does) that parsing,
// DescribeConfigs and docs are made from. A topic stores only what was set; everything else follows
// the default.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace aichemy::broker {

enum class ConfigKind : uint8_t { boolean, integer, list, text };

struct ConfigRow {
  const char* name;
  ConfigKind kind;
  const char* fallback;
  int64_t least;        // integers
  const char* allowed;  // text and lists: the words, separated by |; empty: any
  const char* about;
};

std::span<const ConfigRow> topic_config_rows();
const ConfigRow* find_topic_config(std::string_view name);
// invalid ("config") naming the setting and what is allowed.
Status check_topic_config(std::string_view name, std::string_view value);

using ConfigMap = std::map<std::string, std::string, std::less<>>;

// The settings the log acts on, read once from the map.
struct TopicConfig {
  int64_t segment_bytes = int64_t{1} << 30;
  int64_t segment_millis = 604'800'000;
  int64_t retention_bytes = -1;  // -1: no limit
  int64_t retention_millis = 604'800'000;
  int64_t message_bytes_max = 1'048'588;
  int64_t copies_in_sync_min = 1;
  bool deletes = true;       // cleanup.policy contains delete
  bool append_time = false;  // message.timestamp.type
  bool relaxed = false;      // flush.mode
};
TopicConfig parse_topic_config(const ConfigMap& set);
// The value in force: what was set, or the default.
std::string config_value(const ConfigMap& set, const ConfigRow& row);

}  // namespace aichemy::broker
