#include "objectstore/shard_file.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/checksum.h"

namespace aichemy::objectstore {
namespace {

// Trailer: 9 chunk checksums, id, stripe, payload bytes (u32), shard (u8), zeros, own checksum in
// the last 8.
constexpr size_t kIdAt = kChunksMax * 8;
constexpr size_t kStripeAt = kIdAt + 8;
constexpr size_t kPayloadAt = kStripeAt + 8;
constexpr size_t kShardAt = kPayloadAt + 4;
constexpr size_t kSumAt = kTrailerBytes - 8;
static_assert(kShardAt < kSumAt);

constexpr uint64_t kTrailerSeed = 0x5368617264;
constexpr uint64_t kInlineSeed = 0x496e6c696e65;

constexpr size_t frame_bytes_for(size_t payload) {
  return (payload + kTrailerBytes + 4095) / 4096 * 4096;
}

uint64_t inline_seed(uint64_t id, int shard) {
  return kInlineSeed ^ id << 2 ^ static_cast<uint64_t>(shard);
}

}  // namespace

StripeShape last_stripe_shape(size_t bytes_in_stripe, uint64_t stripe) {
  StripeShape shape;
  shape.object_offset = stripe * kStripeBytes;
  shape.object_bytes = bytes_in_stripe;
  shape.payload_bytes = (bytes_in_stripe + kDataShards - 1) / kDataShards;
  shape.frame_offset = stripe * kFrameBytes;
  shape.frame_bytes = frame_bytes_for(shape.payload_bytes);
  return shape;
}

StripeShape stripe_shape(uint64_t object_bytes, uint64_t stripe) {
  uint64_t left = object_bytes - std::min(object_bytes, stripe * kStripeBytes);
  return last_stripe_shape(static_cast<size_t>(std::min<uint64_t>(left, kStripeBytes)), stripe);
}

uint64_t stripe_count(uint64_t object_bytes) {
  return (object_bytes + kStripeBytes - 1) / kStripeBytes;
}

uint64_t shard_file_bytes(uint64_t object_bytes) {
  if (object_bytes == 0) return 0;
  StripeShape last = stripe_shape(object_bytes, stripe_count(object_bytes) - 1);
  return last.frame_offset + last.frame_bytes;
}

void seal_frame(char* frame, size_t payload_bytes, uint64_t id, uint64_t stripe, int shard) {
  size_t frame_bytes = frame_bytes_for(payload_bytes);
  std::memset(frame + payload_bytes, 0, frame_bytes - payload_bytes);
  char* trailer = frame + frame_bytes - kTrailerBytes;
  for (size_t chunk = 0; chunk * kChunkBytes < payload_bytes; ++chunk) {
    size_t from = chunk * kChunkBytes;
    size_t count = std::min(kChunkBytes, payload_bytes - from);
    store_little(trailer + chunk * 8, xxh3(std::string_view(frame + from, count), chunk));
  }
  store_little(trailer + kIdAt, id);
  store_little(trailer + kStripeAt, stripe);
  store_little(trailer + kPayloadAt, static_cast<uint32_t>(payload_bytes));
  trailer[kShardAt] = static_cast<char>(shard);
  store_little(trailer + kSumAt, xxh3(std::string_view(trailer, kSumAt), kTrailerSeed));
}

bool check_trailer(std::string_view trailer, size_t payload_bytes, uint64_t id, uint64_t stripe,
                   int shard) {
  return trailer.size() == kTrailerBytes &&
         load_little<uint64_t>(trailer.data() + kSumAt) ==
             xxh3(trailer.substr(0, kSumAt), kTrailerSeed) &&
         load_little<uint64_t>(trailer.data() + kIdAt) == id &&
         load_little<uint64_t>(trailer.data() + kStripeAt) == stripe &&
         load_little<uint32_t>(trailer.data() + kPayloadAt) == payload_bytes &&
         trailer[kShardAt] == static_cast<char>(shard);
}

bool check_chunk(std::string_view trailer, size_t chunk, std::string_view bytes) {
  return load_little<uint64_t>(trailer.data() + chunk * 8) == xxh3(bytes, chunk);
}

std::string seal_inline(std::string_view bytes, uint64_t id, int shard) {
  std::string sealed;
  sealed.reserve(bytes.size() + 8);
  sealed += bytes;
  append_little(sealed, xxh3(bytes, inline_seed(id, shard)));
  return sealed;
}

Result<std::string_view> open_inline(std::string_view sealed, uint64_t id, int shard) {
  if (sealed.size() >= 8) {
    std::string_view bytes = sealed.substr(0, sealed.size() - 8);
    if (load_little<uint64_t>(sealed.data() + bytes.size()) == xxh3(bytes, inline_seed(id, shard)))
      return bytes;
  }
  return fail(Code::corrupt, "corrupt_object", "an inline shard is damaged");
}

}  // namespace aichemy::objectstore
