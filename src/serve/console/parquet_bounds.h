// Whether a Parquet file may be handed to the engine for a preview: what its footer and its pages
// claim decides what the engine allocates, and the file may be anybody's. Reads the footer and the
// headers of pages by itself, allocating nothing that they ask for.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "objectstore/object_store.h"

namespace aichemy::serve::console {

struct ParquetBounds {
  uint64_t footer_bytes = 16 << 20;
  uint64_t elements = 500'000;  // of all lists of the footer: row groups, columns, names
  uint64_t page_bytes = 32 << 20;
  uint64_t group_bytes = uint64_t{512} << 20;  // of a row group, with its compression undone
  // Headers of as many pages are looked at, from the first row group on: what comes after is not,
  // and a preview comes to it only by the engine's reading ahead.
  size_t pages = 20'000;
};

// invalid ("not_parquet") when it is none, or claims more than that.
Status check_parquet_bounds(objectstore::ObjectReader& file, const ParquetBounds& bounds = {});

}  // namespace aichemy::serve::console
