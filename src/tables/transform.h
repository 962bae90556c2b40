// Partition transforms (Iceberg spec, "Partition Transforms"): functions from a column's value to a
// partition value, and from a predicate on the column to one on the partition value (inclusive
// projection: true for every partition that can hold a matching row). Null maps to null.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tables/predicate.h"
#include "tables/types.h"
#include "tables/value.h"

namespace aichemy::tables {

enum class TransformKind : uint8_t {
  identity,
  bucket,
  truncate,
  year,
  month,
  day,
  hour,
  void_,
  unknown,  // of a later specification: kept by text, never used for pruning, never written with
};

struct Transform {
  TransformKind kind = TransformKind::identity;
  int parameter = 0;  // bucket count, truncation width
  std::string name;   // unknown: the text as it was read

  bool operator==(const Transform&) const = default;
};

// "bucket[16]"; corrupt ("transform") on a broken parameter. A name we do not know is `unknown`.
Result<Transform> transform_from_text(std::string_view text);
std::string transform_text(const Transform& transform);

// The type of partition values; invalid ("transform") when the transform does not apply to the
// source type.
Result<Type> transform_result_type(const Transform& transform, const Type& source);

Value apply_transform(const Transform& transform, const Type& source, const Value& value);

// Column-at-a-time forms for writers; null slots give null.
// Murmur3 (x86, 32 bit, seed 0) as Iceberg hashes values of the type, before the modulus.
uint32_t bucket_hash(const Type& source, const Value& value);
uint32_t murmur3(std::string_view bytes);

// `predicate` is a leaf on the source column; the answer is on field id `partition_field_id` over
// partition values; always_true when nothing can be said.
Predicate project_inclusive(const Transform& transform, const Type& source,
                            const Predicate& predicate, int partition_field_id);

// "2017-11-16-03" for hours and so on; the human form used in partition paths.
std::string transform_value_text(const Transform& transform, const Type& source,
                                 const Value& value);

}  // namespace aichemy::tables
