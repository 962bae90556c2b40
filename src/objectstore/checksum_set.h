// The digests of one body as it streams by: always MD5 (the ETag), and the checksums asked for by
// name ("crc32", "crc32c", "crc64nvme", "sha1", "sha256"). One thread at a time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/checksum.h"
#include "base/result.h"

namespace aichemy::objectstore {

bool is_checksum_algorithm(std::string_view name);
// Of a composite: raw checksums of the parts, one after the other. Base64.
std::string checksum_of(std::string_view algorithm, std::string_view bytes);
// CRC of two adjacent pieces from their CRCs (raw big-endian bytes) and the length of the second.
// invalid
// ("checksum") for algorithms that do not combine.
Result<std::string> combine_checksums(std::string_view algorithm, std::string_view first,
                                      std::string_view second, uint64_t second_bytes);
inline bool can_combine(std::string_view algorithm) { return algorithm.starts_with("crc"); }

class ChecksumSet {
 public:
  explicit ChecksumSet(const std::vector<std::string>& algorithms);
  void update(std::string_view bytes);
  struct Sums {
    std::string md5;                               // raw
    std::map<std::string, std::string> checksums;  // base64
  };
  Sums finish();

 private:
  Digest md5_{DigestKind::md5};
  std::optional<uint32_t> crc32_;
  std::optional<uint32_t> crc32c_;
  std::optional<uint64_t> crc64nvme_;
  std::optional<Digest> sha1_;
  std::optional<Digest> sha256_;
};

}  // namespace aichemy::objectstore
