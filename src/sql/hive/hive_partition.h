// Partitions of Hive tables: their values as the Metastore has them, as values of the keys' types,
// and against what a query asks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/connectors/connector.h"
#include "tables/value.h"
#include "wire/hive_metastore.h"

namespace aichemy::sql {

inline constexpr std::string_view kDefaultPartition = "__HIVE_DEFAULT_PARTITION__";

struct HivePartition {
  std::string name;                   // "ds=2024-01-01/h=1", escaped
  std::vector<std::string> texts;     // as kept
  std::vector<tables::Value> values;  // one a key
  wire::hive::StorageDescriptor storage;
  wire::hive::Parameters parameters;
};

// A key's value; null for the default partition. corrupt ("HIVE_INVALID_PARTITION_VALUE").
Result<tables::Value> partition_value(std::string_view text, const Type& type,
                                      std::string_view partition);
// As the cell of a row that casts to the type; none for null.
std::optional<std::string> partition_cell(const tables::Value& value, const Type& type);

// A value of a conjunct in the representation of partition values; none: it has no such.
std::optional<tables::Value> conjunct_value(const Value& value, const Type& type);

// Whether the conjunct is true for rows with this value (of null none but IS NULL is); none when
// that cannot be told.
std::optional<bool> is_true_for(const Conjunct& conjunct, const tables::Value& value,
                                const Type& type);

}  // namespace aichemy::sql
