// The layout of shard files. An object's bytes are cut into stripes; each stripe becomes one frame
// in each of the four shard files. A frame is its payload, zeros up to 4 KiB alignment, and a
// trailer with checksums.
//
// I1  A frame starts at a multiple of 4 KiB; every frame but the last is kFrameBytes long.
// I2  The trailer is the frame's last kTrailerBytes and names the file, the stripe, the shard and
// the payload size:
//     a block that lies where it does not belong is found out.
// I3  One xxh3 per 64 KiB chunk of payload: a small range read checks what it returns without
// reading the frame. I4  Shard i of file id lies on drive (i + id) mod 4.
#pragma once

#include <cstdint>
#include <string_view>

#include "objectstore/erasure.h"

namespace aichemy::objectstore {

inline constexpr size_t kFrameBytes = 129 * 4096;
inline constexpr size_t kTrailerBytes = 128;
inline constexpr size_t kPayloadBytesMax = kFrameBytes - kTrailerBytes;
inline constexpr size_t kStripeBytes = kDataShards * kPayloadBytesMax;  // a little over 1 MiB
inline constexpr size_t kChunkBytes = 64 << 10;
inline constexpr size_t kChunksMax = (kPayloadBytesMax + kChunkBytes - 1) / kChunkBytes;

struct StripeShape {
  uint64_t object_offset = 0;
  size_t object_bytes = 0;   // in this stripe
  size_t payload_bytes = 0;  // of each shard; the second data shard may end in one zero byte
  uint64_t frame_offset = 0;
  size_t frame_bytes = 0;
};

StripeShape stripe_shape(uint64_t object_bytes, uint64_t stripe);
StripeShape last_stripe_shape(size_t bytes_in_stripe, uint64_t stripe);
uint64_t stripe_count(uint64_t object_bytes);
uint64_t shard_file_bytes(uint64_t object_bytes);

inline int drive_of_shard(uint64_t id, int shard) {
  return static_cast<int>((id + static_cast<uint64_t>(shard)) % kShards);
}
inline int shard_of_drive(uint64_t id, int drive) {
  return static_cast<int>((static_cast<uint64_t>(drive) + kShards - id % kShards) % kShards);
}

// Fills padding and trailer of a frame whose payload is in place.
void seal_frame(char* frame, size_t payload_bytes, uint64_t id, uint64_t stripe, int shard);

// False when the trailer is damaged or belongs elsewhere.
bool check_trailer(std::string_view trailer, size_t payload_bytes, uint64_t id, uint64_t stripe,
                   int shard);
bool check_chunk(std::string_view trailer, size_t chunk, std::string_view bytes);

// Inline shards (data table): bytes and their checksum.
std::string seal_inline(std::string_view bytes, uint64_t id, int shard);
// The bytes, or nothing when damaged. For replicated data shard is 0.
Result<std::string_view> open_inline(std::string_view sealed, uint64_t id, int shard);

}  // namespace aichemy::objectstore
