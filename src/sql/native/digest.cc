// Quantile digests, set digests and histograms: their aggregates and what reads them.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>

#include "sql/native/aggregate.h"
#include "sql/native/functions.h"
#include "sql/native/hash.h"
#include "sql/sketch/numeric_histogram.h"
#include "sql/sketch/qdigest.h"
#include "sql/sketch/set_digest.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::ListVector;
using duckdb::LogicalType;
using duckdb::Vector;

template <class Sketch>
Sketch read(std::string_view bytes) {
  auto made = Sketch::read(bytes);
  if (!made) raise("INVALID_FUNCTION_ARGUMENT", made.error().message);
  return std::move(*made);
}

void require(bool holds, const std::string& message) {
  if (!holds) raise("INVALID_FUNCTION_ARGUMENT", message);
}

// Numbers as integers in the same order; floating ones with the bits of negative ones turned round.
int64_t sortable(int64_t value) { return value; }
int64_t sortable(double value) {
  auto bits = std::bit_cast<int64_t>(value);
  return bits ^ ((bits >> 63) & std::numeric_limits<int64_t>::max());
}
int64_t sortable(float value) {
  auto bits = std::bit_cast<int32_t>(value);
  return bits ^ ((bits >> 31) & std::numeric_limits<int32_t>::max());
}
template <class T>
T unsorted(int64_t value) {
  if constexpr (std::is_same_v<T, int64_t>) return value;
  if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<double>(value ^ ((value >> 63) & std::numeric_limits<int64_t>::max()));
  if constexpr (std::is_same_v<T, float>) {
    auto bits = static_cast<int32_t>(value);
    return std::bit_cast<float>(bits ^ ((bits >> 31) & std::numeric_limits<int32_t>::max()));
  }
}

// ---- aggregates ----

// (value, weight, accuracy)
template <class T>
struct QuantileState {
  QuantileDigest digest;
  bool empty = true;
  bool add(const AggregateRow& row) {
    if (row.any_null()) return false;
    auto weight = row.value<int64_t>(1);
    auto accuracy = row.value<double>(2);
    require(weight > 0, fmt::format("Percentile weight must be > 0, was {}", weight));
    require(
        accuracy > 0 && accuracy < 1,
        fmt::format("Percentile accuracy must be exclusively between 0 and 1, was {}", accuracy));
    if (empty) digest = QuantileDigest(accuracy);
    empty = false;
    digest.add(sortable(row.value<T>(0)), static_cast<double>(weight));
    return true;
  }
  void merge(const QuantileState& other) { digest.merge(other.digest); }
  void write(Vector& result, idx_t at) { put_bytes(result, at, digest.serialize()); }
};

// What merges sketches of a column.
template <class Sketch>
struct MergedState {
  Sketch sketch;
  bool empty = true;
  void join(const Sketch& other) {
    if constexpr (std::is_same_v<Sketch, SetDigest>) {
      if (auto done = sketch.merge(other); !done)
        raise("INVALID_FUNCTION_ARGUMENT", done.error().message);
    } else {
      sketch.merge(other);
    }
  }
  bool add(const AggregateRow& row) {
    if (row.any_null()) return false;
    auto one = read<Sketch>(row.text(0));
    if (empty)
      sketch = std::move(one);
    else
      join(one);
    empty = false;
    return true;
  }
  void merge(const MergedState& other) { join(other.sketch); }
  void write(Vector& result, idx_t at) { put_bytes(result, at, sketch.serialize()); }
};

template <class T>
struct SetState {
  SetDigest digest;
  bool add(const AggregateRow& row) {
    if (row.any_null()) return false;
    if constexpr (std::is_same_v<T, std::string_view>) {
      digest.add_hash(murmur3(row.text(0)).first);
    } else {
      T value = row.value<T>(0);
      digest.add_hash(murmur3({reinterpret_cast<const char*>(&value), sizeof(T)}).first);
    }
    return true;
  }
  void merge(const SetState& other) {
    if (auto done = digest.merge(other.digest); !done)
      raise("INVALID_FUNCTION_ARGUMENT", done.error().message);
  }
  void write(Vector& result, idx_t at) const { put_bytes(result, at, digest.serialize()); }
};

// (buckets, value, weight) -> map of means to weights
struct HistogramState {
  NumericHistogram histogram;
  bool empty = true;
  bool add(const AggregateRow& row) {
    if (row.any_null()) return false;
    if (empty) {
      constexpr int64_t kMost = 1'000'000;
      auto buckets = row.value<int64_t>(0);
      require(buckets >= 2, "numeric_histogram bucket count must be greater than one");
      require(buckets <= kMost, "numeric_histogram bucket count must be at most 1000000");
      histogram = NumericHistogram(static_cast<size_t>(buckets));
    }
    empty = false;
    histogram.add(row.value<double>(1), row.value<double>(2));
    return true;
  }
  void merge(const HistogramState& other) { histogram.merge(other.histogram); }
  void write(Vector& result, idx_t at) {
    duckdb::vector<duckdb::Value> means, weights;
    for (const auto& bucket : histogram.buckets()) {
      means.push_back(duckdb::Value::DOUBLE(bucket.mean));
      weights.push_back(duckdb::Value::DOUBLE(bucket.weight));
    }
    result.SetValue(at, duckdb::Value::MAP(LogicalType::DOUBLE, LogicalType::DOUBLE,
                                           std::move(means), std::move(weights)));
  }
};

// ---- what reads them ----

void require_quantile(double quantile) {
  require(quantile >= 0 && quantile <= 1, "quantile must be between [0,1]");
}

template <class T>
void value_at_quantile(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<T>(result, [&](idx_t row) {
    auto quantile = arguments.value<double>(1, row);
    require_quantile(quantile);
    return unsorted<T>(read<QuantileDigest>(arguments.text(0, row)).value_at(quantile));
  });
}

template <class T>
void values_at_quantiles(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  duckdb::UnifiedVectorFormat quantiles;
  ListVector::GetEntry(chunk.data[1])
      .ToUnifiedFormat(ListVector::GetListSize(chunk.data[1]), quantiles);
  arguments.each(result, [&](idx_t row) {
    auto digest = read<QuantileDigest>(arguments.text(0, row));
    auto entry = arguments.value<duckdb::list_entry_t>(1, row);
    idx_t begin = ListVector::GetListSize(result);
    for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      idx_t at = quantiles.sel->get_index(i);
      require(quantiles.validity.RowIsValid(at), "quantile must not be null");
      double quantile = duckdb::UnifiedVectorFormat::GetData<double>(quantiles)[at];
      require_quantile(quantile);
      ListVector::PushBack(result,
                           duckdb::Value::CreateValue<T>(unsorted<T>(digest.value_at(quantile))));
    }
    FlatVector::GetData<duckdb::list_entry_t>(result)[row] = {begin, entry.length};
  });
}

// NULL for an empty digest and for values outside of its range.
template <class T>
void quantile_at_value(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each(result, [&](idx_t row) {
    auto digest = read<QuantileDigest>(arguments.text(0, row));
    int64_t value = sortable(arguments.value<T>(1, row));
    if (digest.total() <= 0 || value < digest.least() || value > digest.greatest())
      FlatVector::SetNull(result, row, true);
    else
      FlatVector::GetData<double>(result)[row] = digest.share_below(value);
  });
}

void set_cardinality(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(
      result, [&](idx_t row) { return read<SetDigest>(arguments.text(0, row)).cardinality(); });
}

void intersection_cardinality(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(result, [&](idx_t row) {
    auto other = read<SetDigest>(arguments.text(1, row));
    auto made = read<SetDigest>(arguments.text(0, row)).intersection(other);
    if (!made) raise("INVALID_FUNCTION_ARGUMENT", made.error().message);
    return *made;
  });
}

void jaccard_index(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<double>(result, [&](idx_t row) {
    return read<SetDigest>(arguments.text(0, row)).jaccard(read<SetDigest>(arguments.text(1, row)));
  });
}

void hash_counts(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each(result, [&](idx_t row) {
    duckdb::vector<duckdb::Value> hashes, counts;
    for (auto [hash, count] : read<SetDigest>(arguments.text(0, row)).counts()) {
      hashes.push_back(duckdb::Value::BIGINT(hash));
      counts.push_back(duckdb::Value::SMALLINT(count));
    }
    result.SetValue(row, duckdb::Value::MAP(LogicalType::BIGINT, LogicalType::SMALLINT,
                                            std::move(hashes), std::move(counts)));
  });
}

}  // namespace

std::vector<NativeFunction> native_digest_functions() {
  return {
      {"aichemy_qdigest_bigint", "BLOB, DOUBLE -> BIGINT", value_at_quantile<int64_t>},
      {"aichemy_qdigest_real", "BLOB, DOUBLE -> FLOAT", value_at_quantile<float>},
      {"aichemy_qdigest_double", "BLOB, DOUBLE -> DOUBLE", value_at_quantile<double>},
      {"aichemy_qdigest_bigints", "BLOB, DOUBLE[] -> BIGINT[]", values_at_quantiles<int64_t>},
      {"aichemy_qdigest_reals", "BLOB, DOUBLE[] -> FLOAT[]", values_at_quantiles<float>},
      {"aichemy_qdigest_doubles", "BLOB, DOUBLE[] -> DOUBLE[]", values_at_quantiles<double>},
      {"aichemy_qdigest_rank", "BLOB, BIGINT -> DOUBLE", quantile_at_value<int64_t>},
      {"aichemy_qdigest_rank", "BLOB, FLOAT -> DOUBLE", quantile_at_value<float>},
      {"aichemy_qdigest_rank", "BLOB, DOUBLE -> DOUBLE", quantile_at_value<double>},
      {"aichemy_set_cardinality", "BLOB -> BIGINT", set_cardinality},
      {"aichemy_intersection_cardinality", "BLOB, BLOB -> BIGINT", intersection_cardinality},
      {"aichemy_jaccard_index", "BLOB, BLOB -> DOUBLE", jaccard_index},
      {"aichemy_hash_counts", "BLOB -> MAP(BIGINT, SMALLINT)", hash_counts},
  };
}

void register_digests(duckdb::DatabaseInstance& database) {
  duckdb::ExtensionLoader loader(database, "aichemy");
  const LogicalType bytes = LogicalType::BLOB, number = LogicalType::DOUBLE,
                    whole = LogicalType::BIGINT;
  auto add = [&](const char* name, const std::vector<duckdb::AggregateFunction>& overloads) {
    duckdb::AggregateFunctionSet set(name);
    for (const auto& one : overloads) set.AddFunction(one);
    loader.RegisterFunction(set);
  };
  add("aichemy_qdigest",
      {NativeAggregate<QuantileState<int64_t>>::made({whole, whole, number}, bytes),
       NativeAggregate<QuantileState<float>>::made({LogicalType::FLOAT, whole, number}, bytes),
       NativeAggregate<QuantileState<double>>::made({number, whole, number}, bytes)});
  add("aichemy_merge_qdigest",
      {NativeAggregate<MergedState<QuantileDigest>>::made({bytes}, bytes)});
  add("aichemy_set_digest", {NativeAggregate<SetState<int64_t>>::made({whole}, bytes),
                             NativeAggregate<SetState<double>>::made({number}, bytes),
                             NativeAggregate<SetState<std::string_view>>::made({bytes}, bytes)});
  add("aichemy_merge_set_digest", {NativeAggregate<MergedState<SetDigest>>::made({bytes}, bytes)});
  add("aichemy_numeric_histogram", {NativeAggregate<HistogramState>::made(
                                       {whole, number, number}, LogicalType::MAP(number, number))});
}

}  // namespace aichemy::sql
