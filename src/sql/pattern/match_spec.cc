#include "sql/pattern/match_spec.h"

#include <duckdb/common/exception/binder_exception.hpp>

#include "base/json.h"

namespace aichemy::sql {
namespace {

std::vector<bool> label_set(const Json& numbers, size_t count) {
  std::vector<bool> made;
  for (const auto& number : numbers.as_array()) {
    made.resize(count);
    made.at(static_cast<size_t>(number.as_int())) = true;
  }
  return made;
}

std::vector<MatchSlot> read_slots(const Json& list, size_t labels) {
  std::vector<MatchSlot> made;
  for (const auto& one : list.as_array()) {
    MatchSlot slot;
    slot.kind = static_cast<MatchSlot::Kind>(one["kind"].as_int());
    slot.column = static_cast<size_t>(one["column"].as_int());
    slot.labels = label_set(one["labels"], labels);
    slot.last = one["last"].as_bool();
    slot.final = one["final"].as_bool();
    slot.logical = one["logical"].as_int();
    slot.physical = one["physical"].as_int();
    for (const auto& item : one["items"].as_array()) slot.items.push_back(item.as_int());
    made.push_back(std::move(slot));
  }
  return made;
}

}  // namespace

MatchSpec read_match_spec(const std::string& text) {
  auto json = Json::parse(text);
  if (!json) throw duckdb::BinderException("row pattern: %s", json.error().message);
  MatchSpec spec;
  spec.rows = static_cast<MatchSpec::Rows>((*json)["rows"].as_int());
  spec.skip = static_cast<MatchSpec::Skip>((*json)["skip"].as_int());
  spec.seek = (*json)["seek"].as_bool();
  spec.frame_column = (*json)["frame_column"].as_int();
  spec.alias = (*json)["alias"].as_string();
  for (const auto& label : (*json)["labels"].as_array())
    spec.labels.emplace_back(label.as_string());
  for (const auto& condition : (*json)["conditions"].as_array())
    spec.conditions.emplace_back(condition.as_string());
  for (const auto& step : (*json)["program"].as_array()) {
    const auto& parts = step.as_array();
    spec.program.push_back({static_cast<MatchStep::Kind>(parts.at(0).as_int()),
                            static_cast<uint32_t>(parts.at(1).as_int()),
                            static_cast<uint32_t>(parts.at(2).as_int())});
  }
  spec.skip_labels = label_set((*json)["skip_labels"], spec.labels.size());
  spec.define = read_slots((*json)["define"], spec.labels.size());
  spec.output = read_slots((*json)["output"], spec.labels.size());
  return spec;
}

}  // namespace aichemy::sql
