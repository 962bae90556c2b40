#include "broker/topic_config.h"

#include <charconv>

namespace aichemy::broker {
namespace {

using enum ConfigKind;

constexpr ConfigRow kRows[] = {
    {"cleanup.policy", list, "delete", 0, "delete|compact",
     "delete: old segments go by time and size; compact: segments are kept"},
    {"compression.type", text, "producer", 0, "producer|uncompressed|gzip|snappy|lz4|zstd",
     "batches are stored as the producer compressed them"},
    {"delete.retention.ms", integer, "86400000", 0, "",
     "how long a compacted topic keeps tombstones"},
    {"file.delete.delay.ms", integer, "60000", 0, "", "accepted; segments are removed at once"},
    {"flush.messages", integer, "9223372036854775807", 1, "", "accepted; see flush.mode"},
    {"flush.mode", text, "strict", 0, "strict|relaxed",
     "strict: acknowledged means on disk; relaxed: acknowledged means handed to the operating "
     "system"},
    {"flush.ms", integer, "9223372036854775807", 0, "", "accepted; see flush.mode"},
    {"index.interval.bytes", integer, "4096", 0, "", "accepted; the index has its own spacing"},
    {"max.compaction.lag.ms", integer, "9223372036854775807", 1, "", "accepted"},
    {"max.message.bytes", integer, "1048588", 0, "", "largest record batch, compressed"},
    {"message.timestamp.after.max.ms", integer, "9223372036854775807", 0, "", "accepted"},
    {"message.timestamp.before.max.ms", integer, "9223372036854775807", 0, "", "accepted"},
    {"message.timestamp.type", text, "CreateTime", 0, "CreateTime|LogAppendTime",
     "whose clock stamps records: the producer's or the broker's"},
    {"min.cleanable.dirty.ratio", text, "0.5", 0, "", "accepted"},
    {"min.compaction.lag.ms", integer, "0", 0, "", "accepted"},
    {"min.insync.replicas", integer, "1", 1, "", "copies that must take a write with acks=all"},
    {"preallocate", boolean, "false", 0, "", "accepted"},
    {"retention.bytes", integer, "-1", -1, "", "size of a partition above which old segments go"},
    {"retention.ms", integer, "604800000", -1, "", "age of records above which their segment goes"},
    {"segment.bytes", integer, "1073741824", 14, "", "size at which a new segment is begun"},
    {"segment.index.bytes", integer, "10485760", 4, "", "accepted"},
    {"segment.jitter.ms", integer, "0", 0, "", "accepted"},
    {"segment.ms", integer, "604800000", 1, "", "age at which a new segment is begun"},
    {"unclean.leader.election.enable", boolean, "false", 0, "", "accepted"},
};

bool parse_integer(std::string_view text, int64_t& to) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    size_t bar = words.find('|');
    if (words.substr(0, bar) == word) return true;
    words = bar == std::string_view::npos ? std::string_view() : words.substr(bar + 1);
  }
  return false;
}

bool is_allowed(const ConfigRow& row, std::string_view value) {
  if (row.kind == boolean) return value == "true" || value == "false";
  if (row.kind == integer) {
    int64_t number = 0;
    return parse_integer(value, number) && number >= row.least;
  }
  if (*row.allowed == '\0') return true;
  if (row.kind == text) return is_word(row.allowed, value);
  for (size_t at = 0; at <= value.size();) {  // a list: every word
    size_t comma = std::min(value.find(',', at), value.size());
    std::string_view word = value.substr(at, comma - at);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (!is_word(row.allowed, word)) return false;
    at = comma + 1;
  }
  return true;
}

}  // namespace

std::span<const ConfigRow> topic_config_rows() { return kRows; }

const ConfigRow* find_topic_config(std::string_view name) {
  for (const ConfigRow& row : kRows) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

Status check_topic_config(std::string_view name, std::string_view value) {
  const ConfigRow* row = find_topic_config(name);
  if (row == nullptr)
    return fail(Code::invalid, "config", "Unknown topic config name: " + std::string(name));
  if (is_allowed(*row, value)) return {};
  std::string message = "Invalid value " + std::string(value) + " for configuration " + row->name;
  if (*row->allowed != '\0') message += ": allowed are " + std::string(row->allowed);
  if (row->kind == integer)
    message += ": a whole number from " + std::to_string(row->least) + " on";
  if (row->kind == boolean) message += ": true or false";
  return fail(Code::invalid, "config", std::move(message));
}

std::string config_value(const ConfigMap& set, const ConfigRow& row) {
  auto found = set.find(row.name);
  return found == set.end() ? std::string(row.fallback) : found->second;
}

TopicConfig parse_topic_config(const ConfigMap& set) {
  auto value = [&](const char* name) { return config_value(set, *find_topic_config(name)); };
  auto number = [&](const char* name, int64_t& to) { parse_integer(value(name), to); };
  TopicConfig config;
  number("segment.bytes", config.segment_bytes);
  number("segment.ms", config.segment_millis);
  number("retention.bytes", config.retention_bytes);
  number("retention.ms", config.retention_millis);
  number("max.message.bytes", config.message_bytes_max);
  number("min.insync.replicas", config.copies_in_sync_min);
  config.deletes = value("cleanup.policy").find("delete") != std::string::npos;
  config.append_time = value("message.timestamp.type") == "LogAppendTime";
  config.relaxed = value("flush.mode") == "relaxed";
  return config;
}

}  // namespace aichemy::broker
