#include "sql/connectors/hive_layout.h"

#include "base/json.h"

namespace aichemy::sql {
namespace {

constexpr std::string_view kPrefix = "hive:";

}  // namespace

void set_hive_layout(InsertTarget& target, const HiveLayout& layout) {
  Json json = Json::object();
  Json keys = Json::array();
  for (size_t key : layout.keys) keys.push(uint64_t{key});
  json.set("keys", std::move(keys));
  if (layout.serde) json.set("serde", *layout.serde);
  json.set("name_end", layout.name_end);
  json.set("codec", layout.codec);
  target.compression = std::string(kPrefix) + json.dump();
}

std::optional<HiveLayout> hive_layout(const InsertTarget& target) {
  if (!target.compression.starts_with(kPrefix)) return std::nullopt;
  auto json = Json::parse(std::string_view(target.compression).substr(kPrefix.size()));
  if (!json) return std::nullopt;
  HiveLayout layout;
  for (const Json& key : (*json)["keys"].as_array())
    layout.keys.push_back(static_cast<size_t>(key.as_int()));
  if (const Json* serde = json->find("serde")) layout.serde = serde->as_string();
  layout.name_end = (*json)["name_end"].as_string();
  layout.codec = (*json)["codec"].as_string();
  return layout;
}

}  // namespace aichemy::sql
