#include "objectstore/erasure.h"

#include <isa-l/erasure_code.h>

#include <array>
#include <vector>

#include "base/check.h"

namespace aichemy::objectstore {
namespace {

constexpr size_t kTableBytes = 32;  // per coefficient, ISA-L's expansion

// The generator: identity on top, Cauchy rows below (every 2x2 submatrix is invertible).
struct Generator {
  std::array<unsigned char, kShards * kDataShards> rows;
  std::array<unsigned char, kTableBytes * kDataShards * kParityShards> encode_tables;

  Generator() {
    gf_gen_cauchy1_matrix(rows.data(), kShards, kDataShards);
    ec_init_tables(kDataShards, kParityShards, &rows[kDataShards * kDataShards],
                   encode_tables.data());
  }
};

const Generator& generator() {
  static const Generator kGenerator;
  return kGenerator;
}

unsigned char* raw(char* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

}  // namespace

void encode_parity(const std::array<char*, kShards>& shards, size_t bytes) {
  if (bytes == 0) return;
  std::array<unsigned char*, kDataShards> data{raw(shards[0]), raw(shards[1])};
  std::array<unsigned char*, kParityShards> parity{raw(shards[2]), raw(shards[3])};
  auto* tables = const_cast<unsigned char*>(generator().encode_tables.data());
  ec_encode_data(static_cast<int>(bytes), kDataShards, kParityShards, tables, data.data(),
                 parity.data());
}

Status rebuild_shards(const std::array<char*, kShards>& shards, size_t bytes, uint8_t present,
                      uint8_t wanted) {
  CHECK((present & wanted) == 0);
  std::array<int, kDataShards> from{};
  int found = 0;
  for (int shard = 0; shard < kShards && found < kDataShards; ++shard) {
    if (present & 1 << shard) from[static_cast<size_t>(found++)] = shard;
  }
  if (found < kDataShards) {
    return fail(Code::corrupt, "too_few_shards", "fewer than two good shards are left");
  }
  if (bytes == 0 || wanted == 0) return {};
  const auto& rows = generator().rows;
  std::array<unsigned char, kDataShards * kDataShards> square{};
  for (size_t i = 0; i < kDataShards; ++i) {
    for (size_t j = 0; j < kDataShards; ++j) {
      square[i * kDataShards + j] = rows[static_cast<size_t>(from[i]) * kDataShards + j];
    }
  }
  std::array<unsigned char, kDataShards * kDataShards> inverse{};
  CHECK(gf_invert_matrix(square.data(), inverse.data(), kDataShards) == 0);

  // Row of a wanted shard in terms of the two present ones: its generator row times the inverse.
  std::vector<unsigned char> coefficients;
  std::vector<unsigned char*> outputs;
  for (int shard = 0; shard < kShards; ++shard) {
    if (!(wanted & 1 << shard)) continue;
    for (size_t j = 0; j < kDataShards; ++j) {
      unsigned char sum = 0;
      for (size_t k = 0; k < kDataShards; ++k) {
        sum ^= gf_mul(rows[static_cast<size_t>(shard) * kDataShards + k],
                      inverse[k * kDataShards + j]);
      }
      coefficients.push_back(sum);
    }
    outputs.push_back(raw(shards[static_cast<size_t>(shard)]));
  }
  auto rows_out = static_cast<int>(outputs.size());
  std::vector<unsigned char> tables(kTableBytes * kDataShards * outputs.size());
  ec_init_tables(kDataShards, rows_out, coefficients.data(), tables.data());
  std::array<unsigned char*, kDataShards> inputs{raw(shards[static_cast<size_t>(from[0])]),
                                                 raw(shards[static_cast<size_t>(from[1])])};
  ec_encode_data(static_cast<int>(bytes), kDataShards, rows_out, tables.data(), inputs.data(),
                 outputs.data());
  return {};
}

}  // namespace aichemy::objectstore
