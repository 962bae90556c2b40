// Aggregates over sketches, checksums, and the functions that read sketches.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "sql/native/aggregate.h"
#include "sql/native/functions.h"
#include "sql/native/hash.h"
#include "sql/sketch/hyperloglog.h"
#include "sql/sketch/smallest_hashes.h"
#include "sql/sketch/tdigest.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::Vector;

template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

HyperLogLog read_hll(std::string_view bytes) {
  auto made = HyperLogLog::read(bytes);
  if (!made) raise("INVALID_FUNCTION_ARGUMENT", made.error().message);
  return std::move(*made);
}
TDigest read_tdigest(std::string_view bytes) {
  auto made = TDigest::read(bytes);
  if (!made) raise("INVALID_FUNCTION_ARGUMENT", made.error().message);
  return std::move(*made);
}

// ---- states ----

struct SetState {
  HyperLogLog sketch;
  void merge(const SetState& other) {
    if (auto merged = sketch.merge(other.sketch); !merged)
      raise("INVALID_FUNCTION_ARGUMENT", merged.error().message);
  }
  void write(Vector& result, idx_t at) const { put_bytes(result, at, sketch.serialize()); }
};
template <class T>
struct SetOfNumbers : SetState {
  bool add(const AggregateRow& row) {
    if (row.any_null()) return false;
    T value = row.value<T>(0);
    sketch.add_hash(murmur3(bytes_of(value)).first);
    return true;
  }
};
struct SetOfTexts : SetState {
  bool add(const AggregateRow& row) {
    if (row.any_null()) return false;
    sketch.add_hash(murmur3(row.text(0)).first);
    return true;
  }
};
struct MergedSet : SetState {
  bool empty = true;
  bool add(const AggregateRow& row) {
    if (row.any_null()) return false;
    HyperLogLog one = read_hll(row.text(0));
    if (empty)
      sketch = std::move(one);
    else if (auto merged = sketch.merge(one); !merged)
      raise("INVALID_FUNCTION_ARGUMENT", merged.error().message);
    empty = false;
    return true;
  }
};

// (value [, weight [, compression]])
struct DigestState {
  TDigest digest;
  bool empty = true;
  bool add(const AggregateRow& row) {
    if (row.any_null()) return false;
    double value = row.value<double>(0), weight = row.columns() > 1 ? row.value<double>(1) : 1;
    if (empty && row.columns() > 2) {
      double compression = row.value<double>(2);
      if (!(compression > 0 && compression <= 1000))
        raise("INVALID_FUNCTION_ARGUMENT", "compression factor must be positive and at most 1000");
      digest = TDigest(std::max(compression, 10.0));
    }
    if (!std::isfinite(value))
      raise("INVALID_FUNCTION_ARGUMENT",
            std::isnan(value) ? "value is NaN" : "value must be finite");
    if (!(weight > 0) || std::isinf(weight))
      raise("INVALID_FUNCTION_ARGUMENT", "weight must be > 0");
    digest.add(value, weight);
    empty = false;
    return true;
  }
  void merge(const DigestState& other) { digest.merge(other.digest); }
  void write(Vector& result, idx_t at) { put_bytes(result, at, digest.serialize()); }
};
struct MergedDigest {
  TDigest digest;
  bool empty = true;
  bool add(const AggregateRow& row) {
    if (row.any_null()) return false;
    TDigest one = read_tdigest(row.text(0));
    if (empty)
      digest = std::move(one);
    else
      digest.merge(one);
    empty = false;
    return true;
  }
  void merge(const MergedDigest& other) { digest.merge(other.digest); }
  void write(Vector& result, idx_t at) { put_bytes(result, at, digest.serialize()); }
};

// As little-endian numbers, one after the other.
struct DistinctState {
  static constexpr size_t kHashes = 4097;  // a theta sketch of 4,096 entries, with its bound
  SmallestHashes hashes{kHashes};
  bool add(const AggregateRow& row) {
    if (row.any_null()) return false;
    hashes.add(row.value<int64_t>(0));
    return true;
  }
  void merge(const DistinctState& other) { hashes.merge(other.hashes); }
  void write(Vector& result, idx_t at) {
    const auto& sorted = hashes.sorted();
    put_bytes(result, at,
              {reinterpret_cast<const char*>(sorted.data()), sorted.size() * sizeof(int64_t)});
  }
};

// The sum of hashes times a prime: the order of rows does not matter.
constexpr uint64_t kChecksumPrime = 0x9E3779B185EBCA87;
template <class T>
struct Checksum {
  uint64_t sum = 0;
  bool add(const AggregateRow& row) {
    sum += (row.is_null(0) ? 1 : hash(row)) * kChecksumPrime;
    return true;
  }
  void merge(const Checksum& other) { sum += other.sum; }
  void write(Vector& result, idx_t at) const { put_bytes(result, at, std::string(bytes_of(sum))); }
  static uint64_t hash(const AggregateRow& row) {
    if constexpr (std::is_same_v<T, std::string_view>) return xxhash64(row.text(0));
    int64_t word = 0;
    if constexpr (std::is_same_v<T, int64_t>) word = row.value<int64_t>(0);
    if constexpr (std::is_same_v<T, bool>) word = row.value<bool>(0) ? 1 : 0;
    if constexpr (std::is_same_v<T, double>)
      word = std::bit_cast<int64_t>(row.value<double>(0) == 0 ? 0.0 : row.value<double>(0));
    if constexpr (std::is_same_v<T, float>)
      word = std::bit_cast<int32_t>(row.value<float>(0) == 0 ? 0.0F : row.value<float>(0));
    return xxhash64(bytes_of(word));
  }
};

// ---- functions ----

void hll_cardinality(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(
      result, [&](idx_t row) { return read_hll(arguments.text(0, row)).cardinality(); });
}

void require_quantile(double quantile) {
  if (!(quantile >= 0 && quantile <= 1))
    raise("INVALID_FUNCTION_ARGUMENT",
          "Quantile should be within bounds [0, 1], was: " + fmt::format("{}", quantile));
}

void value_at_quantile(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<double>(result, [&](idx_t row) {
    double quantile = arguments.value<double>(1, row);
    require_quantile(quantile);
    return read_tdigest(arguments.text(0, row)).value_at(quantile);
  });
}

void quantile_at_value(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<double>(result, [&](idx_t row) {
    return read_tdigest(arguments.text(0, row)).quantile_at(arguments.value<double>(1, row));
  });
}

void values_at_quantiles(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  auto& quantiles = duckdb::ListVector::GetEntry(chunk.data[1]);
  duckdb::UnifiedVectorFormat format;
  quantiles.ToUnifiedFormat(duckdb::ListVector::GetListSize(chunk.data[1]), format);
  arguments.each(result, [&](idx_t row) {
    TDigest digest = read_tdigest(arguments.text(0, row));
    auto entry = arguments.value<duckdb::list_entry_t>(1, row);
    idx_t begin = duckdb::ListVector::GetListSize(result);
    double before = 0;
    for (idx_t i = 0; i < entry.length; ++i) {
      idx_t at = format.sel->get_index(entry.offset + i);
      double quantile = format.validity.RowIsValid(at)
                            ? duckdb::UnifiedVectorFormat::GetData<double>(format)[at]
                            : -1;
      if (i > 0 && quantile < before)
        raise("INVALID_FUNCTION_ARGUMENT", "percentiles must be sorted in increasing order");
      if (!(quantile >= 0 && quantile <= 1))
        raise("INVALID_FUNCTION_ARGUMENT", "percentiles should be in [0, 1] range");
      before = quantile;
      duckdb::ListVector::PushBack(result, duckdb::Value::DOUBLE(digest.value_at(quantile)));
    }
    FlatVector::GetData<duckdb::list_entry_t>(result)[row] = {begin, entry.length};
  });
}

std::string empty_set_bytes() { return HyperLogLog().serialize(); }

void empty_set(DataChunk&, ExpressionState&, Vector& result) {
  result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  put_bytes(result, 0, empty_set_bytes());
}

}  // namespace

std::vector<NativeFunction> native_sketch_functions() {
  return {
      {"aichemy_hll_cardinality", "BLOB -> BIGINT", hll_cardinality},
      {"aichemy_empty_set", "-> BLOB", empty_set},
      {"aichemy_value_at_quantile", "BLOB, DOUBLE -> DOUBLE", value_at_quantile},
      {"aichemy_quantile_at_value", "BLOB, DOUBLE -> DOUBLE", quantile_at_value},
      {"aichemy_values_at_quantiles", "BLOB, DOUBLE[] -> DOUBLE[]", values_at_quantiles},
  };
}

void register_sketches(duckdb::DatabaseInstance& database) {
  duckdb::ExtensionLoader loader(database, "aichemy");
  const LogicalType bytes = LogicalType::BLOB, number = LogicalType::DOUBLE;
  auto add = [&](const char* name, std::vector<duckdb::AggregateFunction> overloads) {
    duckdb::AggregateFunctionSet set(name);
    for (auto& one : overloads) set.AddFunction(one);
    loader.RegisterFunction(set);
  };
  add("aichemy_approx_set",
      {NativeAggregate<SetOfNumbers<int64_t>>::made({LogicalType::BIGINT}, bytes),
       NativeAggregate<SetOfNumbers<double>>::made({number}, bytes),
       NativeAggregate<SetOfTexts>::made({bytes}, bytes)});
  add("aichemy_merge_set", {NativeAggregate<MergedSet>::made({bytes}, bytes)});
  add("aichemy_tdigest", {NativeAggregate<DigestState>::made({number}, bytes),
                          NativeAggregate<DigestState>::made({number, number}, bytes),
                          NativeAggregate<DigestState>::made({number, number, number}, bytes)});
  add("aichemy_merge_tdigest", {NativeAggregate<MergedDigest>::made({bytes}, bytes)});
  add("aichemy_smallest_hashes",
      {NativeAggregate<DistinctState>::made({LogicalType::BIGINT}, bytes)});
  add("aichemy_checksum", {NativeAggregate<Checksum<int64_t>>::made({LogicalType::BIGINT}, bytes),
                           NativeAggregate<Checksum<bool>>::made({LogicalType::BOOLEAN}, bytes),
                           NativeAggregate<Checksum<double>>::made({number}, bytes),
                           NativeAggregate<Checksum<float>>::made({LogicalType::FLOAT}, bytes),
                           NativeAggregate<Checksum<std::string_view>>::made({bytes}, bytes)});
}

}  // namespace aichemy::sql
