// Iceberg's statistics files: Puffin with one theta sketch a column, whose estimate the table's
// metadata repeats as the property "ndv". Sketches are Apache DataSketches' compact form, ordered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace aichemy::tables {

inline constexpr const char* kThetaBlob = "apache-datasketches-theta-v1";
inline constexpr size_t kThetaEntries = 4096;  // nominal entries: the error is about 1.6 %

// The smallest hashes of a column's distinct values, ascending, at most kThetaEntries + 1: the last
// one beyond kThetaEntries is the bound that those before it are below.
struct ThetaSketch {
  int field_id = 0;
  std::vector<int64_t> hashes;

  double estimate() const;
  std::string encode() const;
};

// What a sketch of any writer says: the number of distinct values. corrupt ("theta_sketch");
// unsupported for a form that is not the compact one of serial version 3.
Result<double> theta_estimate(std::string_view sketch);

struct StatisticsFile {
  std::string bytes;
  int64_t footer_size = 0;
  Json blob_metadata;  // for the table's metadata
};
StatisticsFile encode_statistics(const std::vector<ThetaSketch>& sketches, int64_t snapshot_id,
                                 int64_t sequence_number);

}  // namespace aichemy::tables
