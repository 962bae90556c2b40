#include "sql/hive/hive_projection.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/hive_catalog.h"

namespace aichemy::sql {
namespace {

constexpr const char* kEnabled = "projection.enabled";
constexpr const char* kIgnored = "trino.partition_projection.ignore";
constexpr const char* kTemplate = "storage.location.template";

std::unexpected<Error> refuse(const std::string& message) {
  return fail(Code::invalid, "INVALID_COLUMN_PROPERTY", message);
}

std::string placeholder(const std::string& column) { return "${" + column + "}"; }

// As the value of a folder's name.
std::string escaped(const std::string& text) {
  return catalog::name_of_values({hive::FieldSchema{"k", {}, {}}}, {text}).substr(2);
}

// Every way to take one value a key, the last key fastest.
bool advance(std::vector<size_t>& at, const std::vector<std::vector<std::string>>& values) {
  for (size_t i = at.size(); i-- > 0;) {
    if (++at[i] < values[i].size()) return true;
    at[i] = 0;
  }
  return false;
}

}  // namespace

Result<std::optional<HiveProjection>> HiveProjection::of(const std::vector<ColumnInfo>& columns,
                                                         size_t data_columns,
                                                         const hive::Parameters& parameters,
                                                         int64_t now) {
  bool enabled = lower(parameter_of(parameters, kEnabled)) == "true";
  bool said = parameters.contains(kEnabled);
  size_t all = 0;
  while (all < columns.size() && !columns[all].hidden) ++all;
  if (enabled && all == data_columns)
    return refuse("Partition projection cannot be enabled on a table that is not partitioned");
  HiveProjection made;
  for (size_t i = 0; i < all; ++i) {
    const std::string& name = columns[i].name;
    bool given = !projection_properties(name, parameters).empty();
    if (given && i >= data_columns && !said) {
      return refuse(
          "Columns partition projection properties cannot be set when "
          "'partition_projection_enabled' is not set");
    }
    if (given && i < data_columns) {
      return refuse(fmt::format(
          "Partition projection cannot be defined for non-partition column: '{}'", name));
    }
    if (!enabled || i < data_columns) continue;
    ASSIGN_OR_RETURN(auto key, project_column(columns[i], i, parameters, now));
    made.keys_.push_back(std::move(key));
  }
  if (auto found = parameters.find(kTemplate); found != parameters.end()) {
    made.template_ = found->second;
    for (size_t i = data_columns; i < all; ++i) {
      if (found->second.find(placeholder(columns[i].name)) != std::string::npos) continue;
      return refuse(
          fmt::format("Partition projection location template: {} is missing partition "
                      "column: '{}' placeholder",
                      found->second, columns[i].name));
    }
  }
  if (!enabled || lower(parameter_of(parameters, kIgnored)) == "true") return std::nullopt;
  return made;
}

// Whether the template ends as Hive's own folders do, and names the keys nowhere else.
bool HiveProjection::is_hive_layout(const HiveTable& table) const {
  if (!template_) return true;
  std::string end, text = without_slash(*template_);
  for (size_t i = 0; i < table.keys; ++i)
    end += fmt::format("/{}={}", table.key(i).name, placeholder(table.key(i).name));
  if (!text.ends_with(end)) return false;
  text.resize(text.size() - end.size());
  for (size_t i = 0; i < table.keys; ++i) {
    if (text.find(placeholder(table.key(i).name)) != std::string::npos) return false;
  }
  return true;
}

std::string HiveProjection::location_of(const HiveTable& table,
                                        const std::vector<std::string>& texts) const {
  std::vector<std::string> values;
  for (size_t i = 0; i < table.keys; ++i) values.push_back(keys_[i]->in_location(texts[i]));
  if (!template_)
    return table.location() + "/" + catalog::name_of_values(*table.source.partition_keys, values);
  bool escape = is_hive_layout(table);
  std::string out;
  // Placeholders in values are none: what has been put in is not looked at again.
  std::string_view rest = *template_;
  while (!rest.empty()) {
    size_t begin = rest.find("${"), end = rest.find('}', begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) break;
    out += rest.substr(0, begin);
    std::string_view name = rest.substr(begin + 2, end - begin - 2);
    for (size_t i = 0; i < table.keys; ++i) {
      if (table.key(i).name == name) out += escape ? escaped(values[i]) : values[i];
    }
    rest.remove_prefix(end + 1);
  }
  return without_slash(out + std::string(rest));
}

Result<std::vector<HivePartition>> HiveProjection::partitions(
    const HiveTable& table, const std::vector<Conjunct>& conjuncts) const {
  std::vector<std::vector<std::string>> values;
  size_t count = 1;
  for (size_t i = 0; i < table.keys; ++i) {
    std::vector<Conjunct> ours;
    for (const Conjunct& conjunct : conjuncts) {
      if (conjunct.column == table.data_columns + i) ours.push_back(conjunct);
    }
    ASSIGN_OR_RETURN(auto texts, keys_[i]->values(ours));
    if (texts.size() > kProjectedPartitionsMax) count = SIZE_MAX;
    count = count > kProjectedPartitionsMax ? count : count * texts.size();
    values.push_back(std::move(texts));
  }
  if (std::ranges::any_of(values, [](const auto& texts) { return texts.empty(); })) return {};
  if (count > kProjectedPartitionsMax) {
    return fail(Code::invalid, "HIVE_EXCEEDED_PARTITION_LIMIT",
                fmt::format("Query over table '{}.{}' can potentially read more than {} partitions",
                            table.name.schema, table.name.table, kProjectedPartitionsMax));
  }
  std::vector<HivePartition> partitions;
  hive::StorageDescriptor storage = table.storage();
  storage.columns.reset();  // the table's: not once more for every partition
  std::vector<size_t> at(table.keys, 0);
  do {
    HivePartition& made = partitions.emplace_back();
    for (size_t i = 0; i < table.keys; ++i) {
      made.texts.push_back(values[i][at[i]]);
      ASSIGN_OR_RETURN(auto value,
                       partition_value(made.texts[i], table.key(i).type, table.key(i).name));
      made.values.push_back(std::move(value));
    }
    made.name = catalog::name_of_values(*table.source.partition_keys, made.texts);
    made.storage = storage;
    made.storage.location = location_of(table, made.texts);
  } while (advance(at, values));
  return partitions;
}

Status HiveProjection::check_insert(const HiveTable& table) const {
  if (!is_hive_layout(table)) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "Partition projection with storage location template is not compatible with Hive");
  }
  for (const auto& key : keys_) RETURN_IF_ERROR(key->check_insert());
  return {};
}

Result<std::string> HiveProjection::location(
    const HiveTable& table, const std::vector<std::optional<std::string>>& texts) const {
  std::vector<std::string> values;
  for (size_t i = 0; i < table.keys; ++i) {
    const ColumnInfo& key = table.key(i);
    tables::Value value;
    if (texts[i] && !texts[i]->empty()) {
      ASSIGN_OR_RETURN(value, partition_value(*texts[i], key.type, key.name));
    }
    auto projected = value.is_null() ? std::nullopt : keys_[i]->text_of(value);
    if (!projected) {
      return fail(Code::invalid, "HIVE_INVALID_PARTITION_VALUE",
                  fmt::format("Value {} of partition column '{}' is not in its projection: the row "
                              "could not be read",
                              texts[i] ? "'" + *texts[i] + "'" : "NULL", key.name));
    }
    values.push_back(std::move(*projected));
  }
  return location_of(table, values);
}

}  // namespace aichemy::sql
