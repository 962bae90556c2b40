#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "objectstore/read_unit.h"
#include "objectstore/store_core.h"

namespace aichemy::objectstore {
namespace {

constexpr size_t kReadAheadFrom = 256 << 10;  // smaller reads are random ones
constexpr uint64_t kReadAheadStripes = 8;

}  // namespace

Result<std::unique_ptr<ExtentReader>> ExtentReader::open(StoreCore& core, const Extent& extent) {
  core.leases().acquire(extent.id);  // from here on the files stay
  std::unique_ptr<ExtentReader> reader(new ExtentReader(core, extent));
  int present = 0;
  bool gone = false;
  for (int shard = 0; shard < kShards; ++shard) {
    // The parity files are opened only when a data file is not there.
    if (shard >= kDataShards && present >= kDataShards) break;
    Drive& from = core.drive(drive_of_shard(extent.id, shard));
    if (!from.online()) continue;
    auto file = from.open_file(extent.id);
    if (!file) {
      gone |= file.error().code == Code::not_found;
      if (file.error().code == Code::not_found) reader->degraded_ = true;
      continue;
    }
    reader->files_[static_cast<size_t>(shard)] = std::move(*file);
    ++present;
  }
  if (present >= kDataShards) return reader;
  if (gone) return fail(Code::not_found, "gone", "the shard files are not there");
  return fail(Code::unavailable, "too_few_drives", "fewer than two drives can be read");
}

ExtentReader::~ExtentReader() { core_.release_file(extent_.id); }

Status ExtentReader::read_chunks(const StripeShape& shape, uint64_t stripe, int shard, size_t from,
                                 size_t count, char* to) {
  File* file = files_[static_cast<size_t>(shard)].get();
  char trailer[kTrailerBytes];
  uint64_t trailer_at = shape.frame_offset + shape.frame_bytes - kTrailerBytes;
  ASSIGN_OR_RETURN(size_t got, file->read_at(trailer_at, trailer, kTrailerBytes));
  std::string_view sums(trailer, got);
  if (check_trailer(sums, shape.payload_bytes, extent_.id, stripe, shard)) {
    ASSIGN_OR_RETURN(size_t payload, file->read_at(shape.frame_offset + from, to, count));
    bool good = payload == count;
    for (size_t at = 0; at < count && good; at += kChunkBytes) {
      good = check_chunk(sums, (from + at) / kChunkBytes,
                         {to + at, std::min(kChunkBytes, count - at)});
    }
    if (good) return {};
  }
  return fail(Code::corrupt, "corrupt_object", "a shard file is damaged");
}

Status ExtentReader::rebuild_chunks(const StripeShape& shape, uint64_t stripe, int shard,
                                    size_t from, size_t count, char* to) {
  degraded_ = true;
  std::string scratch(count * (kShards - 1), '\0');
  std::array<char*, kShards> places{};
  places[static_cast<size_t>(shard)] = to;
  uint8_t present = 0;
  char* next = scratch.data();
  for (int other = 0; other < kShards && std::popcount(present) < kDataShards; ++other) {
    if (other == shard || bad_ & 1 << other) continue;
    auto at = static_cast<size_t>(other);
    std::unique_ptr<File> late;
    if (!files_[at]) {
      // Not opened with the reader; concurrent readers must not see files_ change, so only for this
      // call.
      Drive& drive = core_.drive(drive_of_shard(extent_.id, other));
      if (!drive.online()) continue;
      auto file = drive.open_file(extent_.id);
      if (!file) continue;
      ExtentReader once(core_, extent_);
      core_.leases().acquire(extent_.id);  // released by `once`
      once.files_[at] = std::move(*file);
      if (!once.read_chunks(shape, stripe, other, from, count, next)) continue;
    } else if (!read_chunks(shape, stripe, other, from, count, next)) {
      bad_ |= static_cast<uint8_t>(1 << other);
      continue;
    }
    places[at] = next;
    present = static_cast<uint8_t>(present | 1 << other);
    next += count;
  }
  if (std::popcount(present) < kDataShards) {
    return fail(Code::unavailable, "too_few_drives", "fewer than two good shards can be read");
  }
  return rebuild_shards(places, count, present, static_cast<uint8_t>(1 << shard));
}

Status ExtentReader::read_piece(const StripeShape& shape, uint64_t stripe, int shard, size_t from,
                                size_t count, char* to) {
  // Widen to whole chunks; into place when the piece is such a range already.
  size_t first = from / kChunkBytes * kChunkBytes;
  size_t last =
      std::min((from + count + kChunkBytes - 1) / kChunkBytes * kChunkBytes, shape.payload_bytes);
  std::string wide;
  char* place = to;
  if (first != from || last != from + count) {
    wide.resize_and_overwrite(last - first, [](char*, size_t size) { return size; });
    place = wide.data();
  }
  bool readable = files_[static_cast<size_t>(shard)] && !(bad_ & 1 << shard);
  if (readable && !read_chunks(shape, stripe, shard, first, last - first, place)) {
    bad_ |= static_cast<uint8_t>(1 << shard);
    readable = false;
  }
  if (!readable) RETURN_IF_ERROR(rebuild_chunks(shape, stripe, shard, first, last - first, place));
  if (place != to) std::memcpy(to, place + (from - first), count);
  return {};
}

// The system's own read-ahead sees two files read in pieces and stays small. A hint, not an access:
// it goes past Disk.
void ExtentReader::read_ahead(uint64_t stripe) {
  uint64_t end = std::min(stripe + kReadAheadStripes, stripe_count(extent_.bytes));
  uint64_t from = std::max(hinted_.load(), stripe);
  if (from >= end || (from > stripe + kReadAheadStripes / 2 && end < stripe_count(extent_.bytes)))
    return;
  hinted_ = end;
  for (size_t shard = 0; shard < kDataShards; ++shard) {
    if (!files_[shard] || files_[shard]->descriptor() < 0) continue;
    uint64_t first = from * kFrameBytes;
    uint64_t bytes = std::min(end * kFrameBytes, shard_file_bytes(extent_.bytes)) - first;
    (void)::posix_fadvise(files_[shard]->descriptor(), static_cast<off_t>(first),
                          static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
  }
}

static_assert(kReadUnitBytes == kStripeBytes);

Status ExtentReader::read(uint64_t offset, char* to, size_t count) {
  const bool large = count >= kReadAheadFrom;
  while (count > 0) {
    uint64_t stripe = offset / kStripeBytes;
    if (large) read_ahead(stripe);
    StripeShape shape = stripe_shape(extent_.bytes, stripe);
    auto in_stripe = static_cast<size_t>(offset - shape.object_offset);
    size_t shard = in_stripe / shape.payload_bytes;
    size_t from = in_stripe % shape.payload_bytes;
    size_t step = std::min({count, shape.payload_bytes - from, shape.object_bytes - in_stripe});
    RETURN_IF_ERROR(read_piece(shape, stripe, static_cast<int>(shard), from, step, to));
    offset += step;
    to += step;
    count -= step;
  }
  return {};
}

Status ExtentReader::read_shard(uint64_t stripe, int shard, char* to) {
  StripeShape shape = stripe_shape(extent_.bytes, stripe);
  return read_piece(shape, stripe, shard, 0, shape.payload_bytes, to);
}

}  // namespace aichemy::objectstore
