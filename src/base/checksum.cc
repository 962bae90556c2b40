#include "base/checksum.h"

#include <isa-l/crc.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <xxhash.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/check.h"

namespace aichemy {
namespace {

const EVP_MD* algorithm(DigestKind kind) {
  switch (kind) {
    case DigestKind::md5: return EVP_md5();
    case DigestKind::sha1: return EVP_sha1();
    case DigestKind::sha256: return EVP_sha256();
    case DigestKind::sha512: return EVP_sha512();
  }
  CHECK(false);
}

// Slicing-by-8 for the reflected NVMe polynomial: ISA-L 2.30 has other 64-bit polynomials only.
using Crc64Tables = std::array<std::array<uint64_t, 256>, 8>;

const Crc64Tables& crc64_tables() {
  static const Crc64Tables kTables = [] {
    constexpr uint64_t kPolynomial = 0x9A6C9329AC4BC9B5;  // 0xAD93D23594C93659 reflected
    Crc64Tables tables{};
    for (uint64_t i = 0; i < 256; ++i) {
      uint64_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) ? crc >> 1 ^ kPolynomial : crc >> 1;
      tables[0][i] = crc;
    }
    for (size_t slice = 1; slice < 8; ++slice) {
      for (size_t i = 0; i < 256; ++i) {
        uint64_t before = tables[slice - 1][i];
        tables[slice][i] = tables[0][before & 255] ^ before >> 8;
      }
    }
    return tables;
  }();
  return kTables;
}

}  // namespace

uint32_t crc32(uint32_t so_far, std::string_view bytes) {
  return crc32_gzip_refl(so_far, reinterpret_cast<const unsigned char*>(bytes.data()),
                         bytes.size());
}

uint32_t crc32c(uint32_t so_far, std::string_view bytes) {
  uint32_t crc = ~so_far;
  // ISA-L takes an int length.
  while (!bytes.empty()) {
    size_t step = std::min(bytes.size(), size_t{1} << 30);
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    crc = crc32_iscsi(data, static_cast<int>(step), crc);
    bytes.remove_prefix(step);
  }
  return ~crc;
}

uint64_t crc64nvme(uint64_t so_far, std::string_view bytes) {
  const Crc64Tables& tables = crc64_tables();
  uint64_t crc = ~so_far;
  while (bytes.size() >= 8) {
    crc ^= load_little<uint64_t>(bytes.data());
    crc = tables[7][crc & 255] ^ tables[6][crc >> 8 & 255] ^ tables[5][crc >> 16 & 255] ^
          tables[4][crc >> 24 & 255] ^ tables[3][crc >> 32 & 255] ^ tables[2][crc >> 40 & 255] ^
          tables[1][crc >> 48 & 255] ^ tables[0][crc >> 56];
    bytes.remove_prefix(8);
  }
  for (char c : bytes) crc = tables[0][(crc ^ static_cast<unsigned char>(c)) & 255] ^ crc >> 8;
  return ~crc;
}

uint64_t xxh3(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

struct Digest::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Digest::Digest(DigestKind kind) : state_(std::make_unique<State>()) {
  CHECK(EVP_DigestInit_ex(state_->context, algorithm(kind), nullptr) == 1);
}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw;
  unsigned count = 0;
  CHECK(EVP_DigestFinal_ex(state_->context, raw.data(), &count) == 1);
  return std::string(reinterpret_cast<char*>(raw.data()), count);
}

std::string digest(DigestKind kind, std::string_view bytes) {
  Digest d(kind);
  d.update(bytes);
  return d.finish();
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw;
  unsigned count = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), raw.data(),
             &count) != nullptr);
  return std::string(reinterpret_cast<char*>(raw.data()), count);
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace aichemy
