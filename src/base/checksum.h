// Checksums and digests. CRCs run at memory speed (ISA-L, carry-less multiplication); digests are
// OpenSSL's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace aichemy {

// Each takes the checksum so far (0 to begin) and returns it extended by `bytes`, finalised:
// results chain.
uint32_t crc32(uint32_t so_far, std::string_view bytes);   // IEEE 802.3, reflected (zlib, S3 CRC32)
uint32_t crc32c(uint32_t so_far, std::string_view bytes);  // Castagnoli (Kafka batches, S3 CRC32C)
uint64_t crc64nvme(uint64_t so_far, std::string_view bytes);  // NVMe (S3 CRC64NVME)
uint64_t xxh3(std::string_view bytes, uint64_t seed = 0);     // our own block checksum on disk

enum class DigestKind : uint8_t { md5, sha1, sha256, sha512 };

// Streaming digest. finish() returns the raw bytes and may be called once.
class Digest {
 public:
  explicit Digest(DigestKind kind);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  void update(std::string_view bytes);
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string digest(DigestKind kind, std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);
// Compares without leaking the position of the first difference.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace aichemy
