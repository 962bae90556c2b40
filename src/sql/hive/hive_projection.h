// Partition projection: the partitions of a table are made up from its properties (Athena's
// projection.enabled, projection.<column>.type, ..., storage.location.template) and what a query
// asks, instead of being kept in the Metastore. Private to the module.
//
// Errors as Trino's: invalid ("INVALID_COLUMN_PROPERTY"), invalid
// ("HIVE_EXCEEDED_PARTITION_LIMIT").
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/hive/hive_partition.h"
#include "sql/hive/hive_tables.h"

namespace aichemy::sql {

inline constexpr size_t kProjectedPartitionsMax = 100'000;  // of one query
inline constexpr int64_t kProjectedValuesMax = 10'000'000;  // of one column, looked at

// The values of one key.
class ColumnProjection {
 public:
  virtual ~ColumnProjection() = default;
  // The text of a value of the key's type; none when it is not among the projected.
  virtual std::optional<std::string> text_of(const tables::Value& value) const = 0;
  // Those for which no conjunct (of this key only) is false.
  virtual Result<std::vector<std::string>> values(const std::vector<Conjunct>& conjuncts) const = 0;
  // As it stands in a location.
  virtual std::string in_location(const std::string& text) const { return text; }
  // unsupported ("NOT_SUPPORTED") when other programs would not find what is written.
  virtual Status check_insert() const { return {}; }
};

class HiveProjection {
 public:
  // None: the partitions are the Metastore's. `now`: seconds since 1970. What is there is checked
  // also when the projection is not enabled.
  static Result<std::optional<HiveProjection>> of(const std::vector<ColumnInfo>& columns,
                                                  size_t data_columns,
                                                  const hive::Parameters& parameters, int64_t now);

  Result<std::vector<HivePartition>> partitions(const HiveTable& table,
                                                const std::vector<Conjunct>& conjuncts) const;
  // unsupported ("NOT_SUPPORTED") when other programs would not find what is written.
  Status check_insert(const HiveTable& table) const;
  // Where the partition of a row lies; texts as the engine has them, none for null. invalid
  // ("HIVE_INVALID_PARTITION_VALUE") when nobody would look there.
  Result<std::string> location(const HiveTable& table,
                               const std::vector<std::optional<std::string>>& texts) const;

 private:
  std::optional<std::string> template_;
  std::vector<std::unique_ptr<ColumnProjection>> keys_;

  bool is_hive_layout(const HiveTable& table) const;
  std::string location_of(const HiveTable& table, const std::vector<std::string>& texts) const;
};

// Properties of a column and parameters of its table. invalid ("INVALID_COLUMN_PROPERTY") for
// values of another type than the property's.
const std::vector<PropertyInfo>& projection_column_properties();
Status set_projection_parameters(const ColumnInfo& column, hive::Parameters& parameters);
Properties projection_properties(const std::string& column, const hive::Parameters& parameters);

Result<std::unique_ptr<ColumnProjection>> project_column(const ColumnInfo& column, size_t index,
                                                         const hive::Parameters& parameters,
                                                         int64_t now);
std::unexpected<Error> bad_projection(const std::string& column, const std::string& message);

}  // namespace aichemy::sql
