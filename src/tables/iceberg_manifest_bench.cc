// Entries decoded a second by one thread: 10,000 entries with bounds and counts of ten columns.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "tables/iceberg_manifest.h"

namespace aichemy::tables::iceberg {
namespace {

constexpr int kEntries = 10'000;
constexpr int kColumns = 10;

std::string bound(int64_t value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string manifest(AvroCodec codec) {
  Schema schema;
  for (int id = 1; id <= kColumns; ++id) {
    schema.fields.push_back(
        {.id = id, .name = "c" + std::to_string(id), .type = primitive(TypeKind::int64)});
  }
  std::vector<ManifestEntry> entries(kEntries);
  for (int i = 0; i < kEntries; ++i) {
    ManifestEntry& entry = entries[static_cast<size_t>(i)];
    entry.snapshot_id = 1;
    entry.path = "s3://warehouse/bench/files/data/part-" + std::to_string(100'000 + i) + ".parquet";
    entry.record_count = 1'000 + i;
    entry.size = 1'000'000 + 7 * i;
    for (int id = 1; id <= kColumns; ++id) {
      entry.columns.push_back({.field_id = id,
                               .column_size = 8'000 + i,
                               .value_count = 1'000,
                               .null_count = 0,
                               .lower = bound(int64_t{1'000} * i * id),
                               .upper = bound(int64_t{1'000} * i * id + 999)});
    }
  }
  auto bytes = encode_manifest(schema, {}, false, entries, {.codec = codec});
  CHECK(bytes.has_value());
  return *bytes;
}

void decode(benchmark::State& state, AvroCodec codec) {
  const std::string bytes = manifest(codec);
  for (auto _ : state) {
    auto decoded = decode_manifest(bytes);
    CHECK(decoded && decoded->size() == kEntries);
    benchmark::DoNotOptimize(decoded);
  }
  state.SetItemsProcessed(state.iterations() * kEntries);
}
BENCHMARK_CAPTURE(decode, deflate, AvroCodec::deflate);
BENCHMARK_CAPTURE(decode, plain, AvroCodec::null);

}  // namespace
}  // namespace aichemy::tables::iceberg
