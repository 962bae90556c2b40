// Text of cells as values of the engine: what Hive's SerDes make of it. A cell that is no value of
// its type is null (text); a JSON member of another kind is an error.
#pragma once

#include <duckdb/common/types/value.hpp>
#include <duckdb/common/types/vector.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "sql/hive/hive_serde.h"
#include "sql/types/json_node.h"
#include "sql/types/type.h"

namespace aichemy::sql {

// Text of varchar(n) and char(n): cut, without trailing blanks (char), damaged UTF-8 replaced.
std::string fitting(std::string_view text, const Type& type);

// A column of rows. One thread.
class CellReader {
 public:
  CellReader(const Type& type, const HiveSerde& serde);

  // A cell between separators of `level` - 1.
  void put(duckdb::Vector& out, duckdb::idx_t row, std::string_view cell);
  // As it is (CSV).
  void put_plain(duckdb::Vector& out, duckdb::idx_t row, std::string_view cell);
  // nullptr: there is no such member. Throws (duckdb::Exception) what the type cannot hold.
  void put_json(duckdb::Vector& out, duckdb::idx_t row, const JsonNode* node);

 private:
  const Type type_;
  const duckdb::LogicalType physical_;
  const HiveSerde& serde_;
  std::string kept_;

  duckdb::Value value(std::string_view cell, const Type& type, const duckdb::LogicalType& physical,
                      size_t level);
  void put_text(duckdb::Vector& out, duckdb::idx_t row, std::string_view text);
};

}  // namespace aichemy::sql
