// Hashes of bytes: keyed digests by OpenSSL; xxHash64, MurmurHash3 and SpookyHash V2 as their
// specifications say.
#include "sql/native/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <bit>
#include <cstring>

#include "sql/native/functions.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::Vector;

template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

std::string big_endian(uint64_t value, size_t bytes) {
  std::string made;
  for (size_t i = bytes; i-- > 0;) made += static_cast<char>(value >> (8 * i));
  return made;
}
std::string little_endian(uint64_t value) {
  std::string made = big_endian(value, 8);
  return {made.rbegin(), made.rend()};
}

// ---- SpookyHash V2 ----

class Spooky {
 public:
  static std::pair<uint64_t, uint64_t> hash(std::string_view bytes) {
    return bytes.size() < 2 * kBlock ? brief(bytes) : full(bytes);
  }

 private:
  static constexpr uint64_t kConst = 0xdeadbeefdeadbeef;
  static constexpr size_t kWords = 12, kBlock = 8 * kWords;

  static void brief_mix(std::array<uint64_t, 4>& h) {
    static constexpr int kTurns[] = {50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36};
    for (size_t i = 0; i < 12; ++i) {
      uint64_t &turned = h[(i + 2) % 4], &added = h[(i + 3) % 4];
      turned = std::rotl(turned, kTurns[i]) + added;
      h[i % 4] ^= turned;
    }
  }
  static void brief_end(std::array<uint64_t, 4>& h) {
    static constexpr int kTurns[] = {15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63};
    for (size_t i = 0; i < 11; ++i) {
      uint64_t &mixed = h[(i + 3) % 4], &turned = h[(i + 2) % 4];
      mixed ^= turned;
      turned = std::rotl(turned, kTurns[i]);
      mixed += turned;
    }
  }

  static std::pair<uint64_t, uint64_t> brief(std::string_view bytes) {
    const char* at = bytes.data();
    size_t left = bytes.size() % 32, blocks = bytes.size() / 32;
    std::array<uint64_t, 4> h = {0, 0, kConst, kConst};  // a, b, c, d
    if (bytes.size() > 15) {
      for (size_t i = 0; i < blocks; ++i, at += 32) {
        h[2] += load<uint64_t>(at);
        h[3] += load<uint64_t>(at + 8);
        brief_mix(h);
        h[0] += load<uint64_t>(at + 16);
        h[1] += load<uint64_t>(at + 24);
      }
      if (left >= 16) {
        h[2] += load<uint64_t>(at);
        h[3] += load<uint64_t>(at + 8);
        brief_mix(h);
        at += 16;
        left -= 16;
      }
    }
    h[3] += static_cast<uint64_t>(bytes.size()) << 56;
    if (left == 0) {
      h[2] += kConst;
      h[3] += kConst;
    } else {
      std::array<char, 16> tail{};
      std::memcpy(tail.data(), at, left);
      h[2] += load<uint64_t>(tail.data());
      h[3] += load<uint64_t>(tail.data() + 8);
    }
    brief_end(h);
    return {h[0], h[1]};
  }

  static void end_part(std::array<uint64_t, kWords>& h) {
    static constexpr int kTurns[] = {44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54};
    for (size_t i = 0; i < kWords; ++i) {
      h[(i + 11) % kWords] += h[(i + 1) % kWords];
      h[(i + 2) % kWords] ^= h[(i + 11) % kWords];
      h[(i + 1) % kWords] = std::rotl(h[(i + 1) % kWords], kTurns[i]);
    }
  }

  static std::pair<uint64_t, uint64_t> full(std::string_view bytes) {
    static constexpr int kTurns[] = {11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46};
    std::array<uint64_t, kWords> h{};
    for (size_t i = 2; i < kWords; i += 3) h[i] = kConst;
    const char* at = bytes.data();
    size_t blocks = bytes.size() / kBlock;
    for (size_t block = 0; block < blocks; ++block, at += kBlock) {
      for (size_t i = 0; i < kWords; ++i) {
        h[i] += load<uint64_t>(at + 8 * i);
        h[(i + 2) % kWords] ^= h[(i + 10) % kWords];
        h[(i + 11) % kWords] ^= h[i];
        h[i] = std::rotl(h[i], kTurns[i]);
        h[(i + 11) % kWords] += h[(i + 1) % kWords];
      }
    }
    std::array<char, kBlock> tail{};
    size_t left = bytes.size() - blocks * kBlock;
    if (left > 0) std::memcpy(tail.data(), at, left);
    tail[kBlock - 1] = static_cast<char>(left);
    for (size_t i = 0; i < kWords; ++i) h[i] += load<uint64_t>(tail.data() + 8 * i);
    for (int round = 0; round < 3; ++round) end_part(h);
    return {h[0], h[1]};
  }
};

// ---- functions ----

// (bytes, key)
template <const EVP_MD* (*digest)()>
void hmac(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string_view bytes = arguments.text(0, row), key = arguments.text(1, row);
    std::array<unsigned char, EVP_MAX_MD_SIZE> made{};
    unsigned size = 0;
    HMAC(digest(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), made.data(), &size);
    return std::string(reinterpret_cast<const char*>(made.data()), size);
  });
}

void sha512(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string_view bytes = arguments.text(0, row);
    std::array<unsigned char, EVP_MAX_MD_SIZE> made{};
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), made.data(), &size, EVP_sha512(), nullptr);
    return std::string(reinterpret_cast<const char*>(made.data()), size);
  });
}

template <std::string (*function)(std::string_view)>
void of_bytes(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) { return function(arguments.text(0, row)); });
}

std::string xxhash64_bytes(std::string_view bytes) { return big_endian(xxhash64(bytes), 8); }
std::string murmur3_bytes(std::string_view bytes) {
  auto [low, high] = murmur3(bytes);
  return little_endian(low) + little_endian(high);
}
std::string spooky_32(std::string_view bytes) { return big_endian(spooky_hash(bytes).first, 4); }
std::string spooky_64(std::string_view bytes) { return big_endian(spooky_hash(bytes).first, 8); }

}  // namespace

uint64_t xxhash64(std::string_view bytes, uint64_t seed) {
  constexpr uint64_t kP1 = 0x9E3779B185EBCA87, kP2 = 0xC2B2AE3D27D4EB4F, kP3 = 0x165667B19E3779F9,
                     kP4 = 0x85EBCA77C2B2AE63, kP5 = 0x27D4EB2F165667C5;
  auto round = [](uint64_t sum, uint64_t word) {
    return std::rotl(sum + word * kP2, 31) * kP1;
  };
  const char* at = bytes.data();
  size_t left = bytes.size();
  uint64_t hash = seed + kP5;
  if (left >= 32) {
    std::array<uint64_t, 4> sums = {seed + kP1 + kP2, seed + kP2, seed, seed - kP1};
    for (; left >= 32; at += 32, left -= 32) {
      for (size_t i = 0; i < 4; ++i) sums[i] = round(sums[i], load<uint64_t>(at + 8 * i));
    }
    hash = std::rotl(sums[0], 1) + std::rotl(sums[1], 7) + std::rotl(sums[2], 12) +
           std::rotl(sums[3], 18);
    for (uint64_t sum : sums) hash = (hash ^ round(0, sum)) * kP1 + kP4;
  }
  hash += bytes.size();
  for (; left >= 8; at += 8, left -= 8)
    hash = std::rotl(hash ^ round(0, load<uint64_t>(at)), 27) * kP1 + kP4;
  if (left >= 4) {
    hash = std::rotl(hash ^ (load<uint32_t>(at) * kP1), 23) * kP2 + kP3;
    at += 4;
    left -= 4;
  }
  for (; left > 0; ++at, --left)
    hash = std::rotl(hash ^ (static_cast<unsigned char>(*at) * kP5), 11) * kP1;
  hash = (hash ^ (hash >> 33)) * kP2;
  hash = (hash ^ (hash >> 29)) * kP3;
  return hash ^ (hash >> 32);
}

std::pair<uint64_t, uint64_t> murmur3(std::string_view bytes) {
  constexpr uint64_t kC1 = 0x87c37b91114253d5, kC2 = 0x4cf5ad432745937f;
  auto mix1 = [](uint64_t k) { return std::rotl(k * kC1, 31) * kC2; };
  auto mix2 = [](uint64_t k) { return std::rotl(k * kC2, 33) * kC1; };
  auto end = [](uint64_t k) {
    k = (k ^ (k >> 33)) * 0xff51afd7ed558ccd;
    k = (k ^ (k >> 33)) * 0xc4ceb9fe1a85ec53;
    return k ^ (k >> 33);
  };
  uint64_t h1 = 0, h2 = 0;
  const char* at = bytes.data();
  for (size_t i = 0; i < bytes.size() / 16; ++i, at += 16) {
    h1 = (std::rotl(h1 ^ mix1(load<uint64_t>(at)), 27) + h2) * 5 + 0x52dce729;
    h2 = (std::rotl(h2 ^ mix2(load<uint64_t>(at + 8)), 31) + h1) * 5 + 0x38495ab5;
  }
  std::array<char, 16> tail{};
  size_t left = bytes.size() % 16;
  if (left > 0) std::memcpy(tail.data(), at, left);
  if (left > 8) h2 ^= mix2(load<uint64_t>(tail.data() + 8));
  if (left > 0) h1 ^= mix1(load<uint64_t>(tail.data()));
  h1 ^= bytes.size();
  h2 ^= bytes.size();
  h1 += h2;
  h2 += h1;
  h1 = end(h1);
  h2 = end(h2);
  h1 += h2;
  h2 += h1;
  return {h1, h2};
}

std::pair<uint64_t, uint64_t> spooky_hash(std::string_view bytes) { return Spooky::hash(bytes); }

std::vector<NativeFunction> native_hash_functions() {
  return {
      {"aichemy_hmac_md5", "BLOB, BLOB -> BLOB", hmac<EVP_md5>},
      {"aichemy_hmac_sha1", "BLOB, BLOB -> BLOB", hmac<EVP_sha1>},
      {"aichemy_hmac_sha256", "BLOB, BLOB -> BLOB", hmac<EVP_sha256>},
      {"aichemy_hmac_sha512", "BLOB, BLOB -> BLOB", hmac<EVP_sha512>},
      {"aichemy_sha512", "BLOB -> BLOB", sha512},
      {"aichemy_xxhash64", "BLOB -> BLOB", of_bytes<xxhash64_bytes>},
      {"aichemy_murmur3", "BLOB -> BLOB", of_bytes<murmur3_bytes>},
      {"aichemy_spooky_32", "BLOB -> BLOB", of_bytes<spooky_32>},
      {"aichemy_spooky_64", "BLOB -> BLOB", of_bytes<spooky_64>},
  };
}

}  // namespace aichemy::sql
