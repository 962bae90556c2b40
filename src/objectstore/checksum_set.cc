#include "objectstore/checksum_set.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace aichemy::objectstore {
namespace {

template <class T>
std::string big(T value) {
  std::string raw;
  append_big(raw, value);
  return raw;
}

// CRCs are linear: crc(A B) = shift(crc(A), length of B) ^ crc(B). The shift by 2^k bytes is a bit
// matrix, squared k times; columns are the images of the single bits. `polynomial` is reflected,
// `width` in bits.
struct Combiner {
  uint64_t polynomial;
  int width;

  using Matrix = std::array<uint64_t, 64>;
  static uint64_t times(const Matrix& matrix, uint64_t vector) {
    uint64_t sum = 0;
    for (size_t i = 0; vector != 0; ++i, vector >>= 1) {
      if (vector & 1) sum ^= matrix[i];
    }
    return sum;
  }
  Matrix squared(const Matrix& matrix) const {
    Matrix result{};
    for (size_t i = 0; i < static_cast<size_t>(width); ++i) result[i] = times(matrix, matrix[i]);
    return result;
  }
  uint64_t combine(uint64_t first, uint64_t second, uint64_t second_bytes) const {
    Matrix shift{};  // by one zero bit
    shift[0] = polynomial;
    for (size_t i = 1; i < static_cast<size_t>(width); ++i) shift[i] = uint64_t{1} << (i - 1);
    for (int i = 0; i < 3; ++i) shift = squared(shift);  // by one byte
    for (; second_bytes != 0; second_bytes >>= 1) {
      if (second_bytes & 1) first = times(shift, first);
      shift = squared(shift);
    }
    return first ^ second;
  }
};

constexpr Combiner kCrc32{0xEDB88320, 32};
constexpr Combiner kCrc32c{0x82F63B78, 32};
constexpr Combiner kCrc64nvme{0x9A6C9329AC4BC9B5, 64};

}  // namespace

bool is_checksum_algorithm(std::string_view name) {
  return name == "crc32" || name == "crc32c" || name == "crc64nvme" || name == "sha1" ||
         name == "sha256";
}

std::string checksum_of(std::string_view algorithm, std::string_view bytes) {
  if (algorithm == "crc32") return to_base64(big(crc32(0, bytes)));
  if (algorithm == "crc32c") return to_base64(big(crc32c(0, bytes)));
  if (algorithm == "crc64nvme") return to_base64(big(crc64nvme(0, bytes)));
  return to_base64(digest(algorithm == "sha1" ? DigestKind::sha1 : DigestKind::sha256, bytes));
}

Result<std::string> combine_checksums(std::string_view algorithm, std::string_view first,
                                      std::string_view second, uint64_t second_bytes) {
  size_t width = algorithm == "crc64nvme" ? 8 : 4;
  if (!can_combine(algorithm) || first.size() != width || second.size() != width) {
    return fail(Code::invalid, "checksum", "these checksums cannot be combined");
  }
  if (width == 8) {
    return big(kCrc64nvme.combine(load_big<uint64_t>(first.data()),
                                  load_big<uint64_t>(second.data()), second_bytes));
  }
  const Combiner& combiner = algorithm == "crc32" ? kCrc32 : kCrc32c;
  return big(static_cast<uint32_t>(combiner.combine(
      load_big<uint32_t>(first.data()), load_big<uint32_t>(second.data()), second_bytes)));
}

ChecksumSet::ChecksumSet(const std::vector<std::string>& algorithms) {
  for (const std::string& name : algorithms) {
    if (name == "crc32") crc32_ = 0;
    if (name == "crc32c") crc32c_ = 0;
    if (name == "crc64nvme") crc64nvme_ = 0;
    if (name == "sha1" && !sha1_) sha1_.emplace(DigestKind::sha1);
    if (name == "sha256" && !sha256_) sha256_.emplace(DigestKind::sha256);
  }
}

void ChecksumSet::update(std::string_view bytes) {
  md5_.update(bytes);
  if (crc32_) crc32_ = crc32(*crc32_, bytes);
  if (crc32c_) crc32c_ = crc32c(*crc32c_, bytes);
  if (crc64nvme_) crc64nvme_ = crc64nvme(*crc64nvme_, bytes);
  if (sha1_) sha1_->update(bytes);
  if (sha256_) sha256_->update(bytes);
}

ChecksumSet::Sums ChecksumSet::finish() {
  Sums sums;
  sums.md5 = md5_.finish();
  if (crc32_) sums.checksums["crc32"] = to_base64(big(*crc32_));
  if (crc32c_) sums.checksums["crc32c"] = to_base64(big(*crc32c_));
  if (crc64nvme_) sums.checksums["crc64nvme"] = to_base64(big(*crc64nvme_));
  if (sha1_) sums.checksums["sha1"] = to_base64(sha1_->finish());
  if (sha256_) sums.checksums["sha256"] = to_base64(sha256_->finish());
  return sums;
}

}  // namespace aichemy::objectstore
