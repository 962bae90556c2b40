// Columns of ORC files as vectors of the engine.
#pragma once

#include <duckdb/common/types/vector.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "sql/connectors/connector.h"
#include "sql/orc/orc_column.h"
#include "sql/orc/orc_metadata.h"
#include "sql/types/time_zone.h"
#include "sql/types/type.h"

namespace aichemy::sql {

// How the seconds of a stripe's timestamps become local times: they count from the beginning of
// 2015 in the writer's zone.
struct OrcClock {
  Zone zone = kUtc;
  int64_t base = 0;                                     // in UTC
  static Result<OrcClock> of(const std::string& zone);  // "": UTC
};

class OrcColumn {
 public:
  // Type `node` of the file as `type`; fields of structs by name, those it has not are null.
  // corrupt when the one cannot be read as the other.
  static Result<OrcColumn> plan(const std::vector<orc::TypeNode>& types, uint32_t node,
                                const Type& type, const std::string& name);
  orc::Selection selection() const;
  // `out` is empty and flat.
  Status put(const orc::Batch& batch, const OrcClock& clock, duckdb::Vector& out) const;

 private:
  Type type_;
  duckdb::LogicalType physical_, natural_;  // natural: what is made of the file's values first
  uint32_t node_ = 0;
  orc::Kind kind_ = orc::Kind::struct_;
  std::vector<OrcColumn> children_;  // that the file has
  std::vector<size_t> fields_;       // row: the field each child is

  Status put_natural(const orc::Batch& batch, const OrcClock& clock, duckdb::Vector& out) const;
  Status put_times(const orc::Batch& batch, const OrcClock& clock, duckdb::Vector& out) const;
  void put_texts(const orc::Batch& batch, duckdb::Vector& out) const;
  Status put_entries(const orc::Batch& batch, const OrcClock& clock, duckdb::Vector& out) const;
};

// False when no row of a stripe with these statistics can make the conjunct true.
bool orc_may_match(const Conjunct& conjunct, const Type& type, const orc::TypeNode& node,
                   const orc::ColumnStatistics& statistics);

}  // namespace aichemy::sql
