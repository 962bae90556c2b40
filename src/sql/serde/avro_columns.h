// Columns of Avro records as vectors of the engine, by the rules of Avro's schema resolution.
#pragma once

#include <duckdb/common/types/value.hpp>
#include <duckdb/common/types/vector.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "sql/types/type.h"
#include "tables/avro_file.h"
#include "tables/avro_schema.h"

namespace aichemy::sql {

class AvroColumn {
 public:
  // corrupt when a branch of the node cannot be read as the type. The node outlives this.
  static Result<AvroColumn> plan(const tables::AvroNode& node, const Type& type,
                                 const std::string& name);
  // One value of the node this was planned for.
  Status put(tables::AvroCursor& cursor, const tables::AvroNode& node, duckdb::Vector& out,
             duckdb::idx_t row) const;

 private:
  Type type_;
  // By branch of a union, one when the node is none: what its parts become. Of a record one a
  // field of the file; of an array or map the entries'.
  struct Part {
    size_t field = SIZE_MAX;         // of the row type; none: passed over
    std::vector<AvroColumn> column;  // none or one
  };
  std::vector<std::vector<Part>> branches_;

  Status put_branch(tables::AvroCursor& cursor, const tables::AvroNode& node,
                    const std::vector<Part>& parts, duckdb::Vector& out, duckdb::idx_t row) const;
  Status put_entries(tables::AvroCursor& cursor, const tables::AvroNode& node,
                     const AvroColumn& entry, duckdb::Vector& out, duckdb::idx_t row) const;
  Status put_number(int64_t value, const tables::AvroNode& node, duckdb::Vector& out,
                    duckdb::idx_t row) const;
  Status put_bytes(std::string_view bytes, const tables::AvroNode& node, duckdb::Vector& out,
                   duckdb::idx_t row) const;
  static Result<std::vector<Part>> parts_of(const tables::AvroNode& node, const Type& type,
                                            const std::string& name);
};

// avro.schema.literal of a table: other names of its columns, and what those have that a file does
// not know.
class AvroReaderSchema {
 public:
  explicit AvroReaderSchema(const std::string& literal);  // "": there is none
  bool is_name_of(std::string_view column, std::string_view field) const;
  Result<duckdb::Value> default_of(std::string_view column, const Type& type) const;

 private:
  Json json_;
  const Json* field_of(std::string_view column) const;
};

}  // namespace aichemy::sql
