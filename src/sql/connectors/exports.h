// Results that are written for somebody to take along: files of a bucket of their own, which live
// until they are fetched.
#pragma once

#include <cstdint>

namespace aichemy::sql {

// Files of this bucket are kept when they have no rows, and refused beyond this size:
// exhausted ("GENERIC_INSUFFICIENT_RESOURCES").
inline constexpr const char* kExportBucket = "aichemy-exports";
inline constexpr uint64_t kExportBytesMax = uint64_t{4} << 30;

}  // namespace aichemy::sql
