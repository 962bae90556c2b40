// One segment of a partition's log: a run of record batches in a file, in up to two copies, and a
// sparse index over it in memory. See partition.h for the invariants of the files.
//
// Not thread safe; the partition's mutex guards it. Files are shared so that readers keep them
// open.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/disk.h"
#include "wire/record_batch.h"

namespace aichemy::broker {

inline constexpr size_t kCopiesMax = 2;
inline constexpr uint64_t kIndexSpacingBytes = 16 << 10;
inline constexpr size_t kIndexEntryBytes = 24;

// A batch begins at `position` with `offset`; `max_timestamp` is the largest of all batches before
// it.
struct IndexEntry {
  int64_t offset = 0;
  uint64_t position = 0;
  int64_t max_timestamp = -1;
};

struct Segment {
  int64_t base_offset = 0;
  int64_t end_offset = 0;  // of the next batch
  uint64_t bytes = 0;      // readers see no more
  int64_t max_timestamp = -1;
  int64_t first_append_millis = 0;
  std::vector<IndexEntry> index;
  bool index_loaded = true;
  size_t index_saved[kCopiesMax] = {0, 0};  // entries of `index` that are durable in each copy
  uint64_t index_count = 0;                 // as the checkpoint says, until it is loaded
  std::shared_ptr<File> files[kCopiesMax];

  // Takes note of a batch that lies at `position`.
  void add(const wire::BatchHeader& batch, uint64_t position);
};

std::string segment_path(const std::string& directory, int64_t base_offset);
std::string index_path(const std::string& directory, int64_t base_offset);

std::string encode_index(const std::vector<IndexEntry>& entries, size_t from);
std::vector<IndexEntry> decode_index(std::string_view bytes);

// Reads batch headers from `position` on until `end`, calling visit(header, position); stops early
// when visit returns false or a header makes no sense. Returns where it stopped.
template <class Visit>
Result<uint64_t> walk_batches(File& file, uint64_t position, uint64_t end, Visit visit) {
  constexpr size_t kWindowBytes = 16 << 10;
  std::string window;
  uint64_t window_at = 0;
  while (position + wire::kBatchHeaderBytes <= end) {
    if (position < window_at || position + wire::kBatchHeaderBytes > window_at + window.size()) {
      window.resize(static_cast<size_t>(std::min<uint64_t>(kWindowBytes, end - position)));
      auto got = file.read_at(position, window.data(), window.size());
      if (!got) return std::unexpected(got.error());
      window.resize(*got);
      window_at = position;
      if (window.size() < wire::kBatchHeaderBytes) break;
    }
    auto header = wire::read_batch_header(std::string_view(window).substr(position - window_at));
    if (!header || header->bytes() > end - position) break;
    if (!visit(*header, position)) break;
    position += header->bytes();
  }
  return position;
}

}  // namespace aichemy::broker
