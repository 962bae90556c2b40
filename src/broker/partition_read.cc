#include <algorithm>

#include "base/checksum.h"
#include "broker/partition.h"

namespace aichemy::broker {
namespace {

std::unexpected<Error> out_of_range(int64_t offset, int64_t first, int64_t end) {
  return fail(Code::invalid, "offset_out_of_range",
              "offset " + std::to_string(offset) + " is not between " + std::to_string(first) +
                  " and " + std::to_string(end));
}

std::unexpected<Error> no_storage(const std::string& topic) {
  return fail(Code::unavailable, "storage", "no copy of a segment of " + topic + " can be read");
}

}  // namespace

// With the mutex held.
std::shared_ptr<File> Partition::readable_file(Segment& segment) {
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    if (!in_sync(copy)) continue;
    if (!segment.files[copy]) {
      auto file = disk_.open(segment_path(options_.directories[copy], segment.base_offset),
                             OpenMode::write);
      if (!file) continue;
      segment.files[copy] = std::move(*file);
    }
    return segment.files[copy];
  }
  return nullptr;
}

// With the mutex held. A sealed segment's index is read when it is first needed, and made anew when
// it is broken.
Status Partition::load_index(Segment& segment) {
  if (segment.index_loaded) return {};
  auto file = readable_file(segment);
  if (!file) return no_storage(topic());
  for (size_t copy = 0; copy < kCopiesMax && !segment.index_loaded; ++copy) {
    if (!in_sync(copy)) continue;
    auto bytes = disk_.read_file(index_path(options_.directories[copy], segment.base_offset));
    if (!bytes || bytes->size() < segment.index_count * kIndexEntryBytes) continue;
    bytes->resize(segment.index_count * kIndexEntryBytes);
    segment.index = decode_index(*bytes);
    bool ordered =
        !segment.index.empty() && segment.index.front().position == 0 &&
        std::is_sorted(segment.index.begin(), segment.index.end(),
                       [](const auto& a, const auto& b) { return a.position < b.position; });
    segment.index_loaded = ordered && segment.index.back().position < segment.bytes;
  }
  if (segment.index_loaded) return {};
  Segment fresh;
  fresh.base_offset = segment.base_offset;
  ASSIGN_OR_RETURN(uint64_t end,
                   walk_batches(*file, 0, segment.bytes,
                                [&](const wire::BatchHeader& header, uint64_t position) {
                                  fresh.add(header, position);
                                  return true;
                                }));
  if (end != segment.bytes)
    return fail(Code::corrupt, "batch", "a segment of " + topic() + " is damaged");
  segment.index = std::move(fresh.index);
  segment.index_loaded = true;
  return {};
}

Result<Partition::Place> Partition::locate(int64_t offset, uint32_t bytes_max) {
  std::lock_guard lock(mutex_);
  auto after =
      std::upper_bound(segments_.begin(), segments_.end(), offset,
                       [](int64_t at, const Segment& segment) { return at < segment.base_offset; });
  if (after == segments_.begin()) return out_of_range(offset, log_start(), high_watermark());
  Segment& segment = *std::prev(after);
  RETURN_IF_ERROR(load_index(segment));
  Place place;
  place.file = readable_file(segment);
  if (!place.file) return no_storage(topic());
  place.readable = place.end = segment.bytes;
  if (segment.index.empty() || offset >= segment.end_offset) {
    place.position = place.end;
    return place;
  }
  auto entry =
      std::upper_bound(segment.index.begin(), segment.index.end(), offset,
                       [](int64_t at, const IndexEntry& known) { return at < known.offset; });
  if (entry != segment.index.begin()) --entry;
  place.position = entry->position;
  if (&segment ==
      &segments_.back()) {  // readers at the tail ask for batches that have just been written
    auto recent =
        std::lower_bound(recent_.begin(), recent_.end(), std::pair<int64_t, uint64_t>(offset, 0));
    if (recent != recent_.end() && recent->first == offset) {
      place.position = recent->second;
      place.exact = true;
    }
  }
  if (place.end - place.position <= bytes_max) return place;
  auto stop =
      std::upper_bound(entry, segment.index.end(), place.position + bytes_max,
                       [](uint64_t at, const IndexEntry& known) { return at < known.position; });
  if (stop != segment.index.begin()) place.end = std::prev(stop)->position;
  if (!recent_.empty() && &segment == &segments_.back()) {  // finer than the index
    auto recent = std::partition_point(recent_.begin(), recent_.end(), [&](const auto& batch) {
      return batch.second <= place.position + bytes_max;
    });
    if (recent != recent_.begin()) place.end = std::max(place.end, std::prev(recent)->second);
  }
  return place;
}

Result<ReadResult> Partition::read(int64_t offset, uint32_t bytes_max) {
  ReadResult result;
  result.high_watermark = high_watermark();
  result.log_start = log_start();
  if (offset < result.log_start || offset > result.high_watermark) {
    return out_of_range(offset, result.log_start, result.high_watermark);
  }
  if (offset == result.high_watermark) return result;
  ASSIGN_OR_RETURN(Place place, locate(offset, bytes_max));
  uint64_t start = place.position;
  uint64_t first_end = 0;
  if (!place.exact || place.end <= start) {
    bool found = false;
    ASSIGN_OR_RETURN(uint64_t stopped,
                     walk_batches(*place.file, start, place.readable,
                                  [&](const wire::BatchHeader& header, uint64_t position) {
                                    found = header.next_offset() > offset;
                                    start = position;
                                    first_end = position + header.bytes();
                                    return !found;
                                  }));
    if (!found) {
      if (stopped == place.readable) return result;  // cut off since
      return fail(Code::corrupt, "batch",
                  "a segment of " + topic() + " is damaged at " + std::to_string(stopped));
    }
  }
  uint64_t end = std::max(place.end, first_end);
  result.slice =
      Slice{place.file, start, static_cast<uint32_t>(std::min<uint64_t>(end - start, UINT32_MAX))};
  return result;
}

Result<TimestampOffset> Partition::first_in_batch(const Slice& slice, int64_t millis) {
  std::string bytes(slice.bytes, '\0');
  ASSIGN_OR_RETURN(size_t got, slice.file->read_at(slice.position, bytes.data(), bytes.size()));
  bytes.resize(got);
  ASSIGN_OR_RETURN(wire::BatchHeader header, wire::check_batch(bytes));
  std::string storage;
  auto records = wire::read_records(bytes, storage);
  TimestampOffset found{header.max_timestamp, header.base_offset, header.leader_epoch};
  if (!records) return found;  // not ours to judge: the batch is where it is
  for (const wire::Record& record : *records) {
    if (record.timestamp < millis || record.offset < log_start()) continue;
    found.timestamp = record.timestamp;
    found.offset = record.offset;
    break;
  }
  return found;
}

Result<TimestampOffset> Partition::find_timestamp(int64_t millis) {
  Place place;
  {
    std::lock_guard lock(mutex_);
    for (Segment& segment : segments_) {
      if (segment.max_timestamp < millis || segment.end_offset <= log_start()) continue;
      RETURN_IF_ERROR(load_index(segment));
      place.file = readable_file(segment);
      if (!place.file) return no_storage(topic());
      place.readable = segment.bytes;
      // The last entry before which everything is older.
      auto entry = std::partition_point(
          segment.index.begin(), segment.index.end(),
          [&](const IndexEntry& known) { return known.max_timestamp < millis; });
      place.position = entry == segment.index.begin() ? 0 : std::prev(entry)->position;
      break;
    }
  }
  if (!place.file) return TimestampOffset{};
  Slice slice;
  ASSIGN_OR_RETURN(
      uint64_t stopped,
      walk_batches(*place.file, place.position, place.readable,
                   [&](const wire::BatchHeader& header, uint64_t position) {
                     if (header.max_timestamp < millis || header.last_offset() < log_start())
                       return true;
                     slice = Slice{place.file, position, static_cast<uint32_t>(header.bytes())};
                     return false;
                   }));
  (void)stopped;
  if (!slice.file) return TimestampOffset{};
  return first_in_batch(slice, millis);
}

Result<TimestampOffset> Partition::find_largest_timestamp() {
  int64_t largest = -1;
  {
    std::lock_guard lock(mutex_);
    for (const Segment& segment : segments_) {
      if (segment.end_offset > log_start()) largest = std::max(largest, segment.max_timestamp);
    }
  }
  if (largest < 0) return TimestampOffset{};
  return find_timestamp(largest);
}

std::pair<int32_t, int64_t> Partition::epoch_end(int32_t epoch) const {
  std::lock_guard lock(mutex_);
  if (epoch == leader_epoch()) return {epoch, high_watermark()};
  auto after = std::partition_point(epochs_.begin(), epochs_.end(),
                                    [&](const auto& known) { return known.first <= epoch; });
  if (after == epochs_.begin()) return {-1, -1};
  int64_t end = after == epochs_.end() ? high_watermark() : after->second;
  return {std::prev(after)->first, end};
}

int32_t Partition::epoch_of(int64_t offset) const {
  std::lock_guard lock(mutex_);
  auto after = std::partition_point(epochs_.begin(), epochs_.end(),
                                    [&](const auto& known) { return known.second <= offset; });
  return after == epochs_.begin() ? leader_epoch() : std::prev(after)->first;
}

}  // namespace aichemy::broker
