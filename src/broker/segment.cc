#include "broker/segment.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace aichemy::broker {

void Segment::add(const wire::BatchHeader& batch, uint64_t position) {
  if (index.empty() || position - index.back().position >= kIndexSpacingBytes) {
    index.push_back({batch.base_offset, position, max_timestamp});
  }
  max_timestamp = std::max(max_timestamp, batch.max_timestamp);
  end_offset = batch.next_offset();
  bytes = position + batch.bytes();
}

std::string segment_path(const std::string& directory, int64_t base_offset) {
  return fmt::format("{}/{:020}.log", directory, base_offset);
}

std::string index_path(const std::string& directory, int64_t base_offset) {
  return fmt::format("{}/{:020}.index", directory, base_offset);
}

std::string encode_index(const std::vector<IndexEntry>& entries, size_t from) {
  std::string bytes;
  bytes.reserve((entries.size() - from) * kIndexEntryBytes);
  for (size_t i = from; i < entries.size(); ++i) {
    append_little(bytes, entries[i].offset);
    append_little(bytes, entries[i].position);
    append_little(bytes, entries[i].max_timestamp);
  }
  return bytes;
}

std::vector<IndexEntry> decode_index(std::string_view bytes) {
  std::vector<IndexEntry> entries;
  for (size_t at = 0; at + kIndexEntryBytes <= bytes.size(); at += kIndexEntryBytes) {
    entries.push_back({load_little<int64_t>(bytes.data() + at),
                       load_little<uint64_t>(bytes.data() + at + 8),
                       load_little<int64_t>(bytes.data() + at + 16)});
  }
  return entries;
}

}  // namespace aichemy::broker
