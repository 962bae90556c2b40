// Values of the engine's vectors as variants. Internal to the family.
#pragma once

#include <duckdb/common/types/vector.hpp>
#include <optional>
#include <vector>

#include "sql/native/moment.h"
#include "sql/types/type.h"
#include "sql/types/variant.h"

namespace aichemy::sql {

// A vector of values of a Trino type, with those inside of them. Nested vectors are made flat.
class VariantSource {
 public:
  VariantSource(duckdb::Vector& vector, duckdb::idx_t count, const Type& type);
  bool is_null(duckdb::idx_t row) const {
    return !format_.validity.RowIsValid(format_.sel->get_index(row));
  }
  // NULL: the variant null. Raises INVALID_CAST_ARGUMENT for rows with unnamed fields.
  VariantNode at(duckdb::idx_t row) const;

 private:
  const Type& type_;
  duckdb::UnifiedVectorFormat format_;
  std::vector<VariantSource> parts_;
  std::optional<MomentReader> moments_;

  template <class T>
  const T& value(duckdb::idx_t row) const {
    return duckdb::UnifiedVectorFormat::GetData<T>(format_)[format_.sel->get_index(row)];
  }
  std::string_view text(duckdb::idx_t row) const;
  VariantNode nested(duckdb::idx_t row) const;
  VariantNode moment(duckdb::idx_t row) const;
  VariantNode decimal(duckdb::idx_t row) const;
};

}  // namespace aichemy::sql
