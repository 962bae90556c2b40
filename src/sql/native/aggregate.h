// Aggregate functions of our own in the engine: a state on the heap per group. Internal.
//
// State has: bool add(const AggregateRow&) (one row; false: as if it had not been there), void
// merge(State&), void write(Vector& result, idx_t at). A group without rows gives NULL.
#pragma once

#include <duckdb/common/types/vector.hpp>
#include <duckdb/function/aggregate_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/native/functions.h"
#include "sql/native/put.h"

namespace aichemy::sql {

class AggregateRow {
 public:
  AggregateRow(duckdb::Vector inputs[], duckdb::idx_t columns, duckdb::idx_t count)
      : formats_(columns) {
    for (duckdb::idx_t i = 0; i < columns; ++i) inputs[i].ToUnifiedFormat(count, formats_[i]);
  }
  void go_to(duckdb::idx_t row) { row_ = row; }
  size_t columns() const { return formats_.size(); }
  bool is_null(size_t column) const {
    const auto& format = formats_[column];
    return !format.validity.RowIsValid(format.sel->get_index(row_));
  }
  bool any_null() const {
    for (size_t i = 0; i < formats_.size(); ++i) {
      if (is_null(i)) return true;
    }
    return false;
  }
  template <class T>
  const T& value(size_t column) const {
    const auto& format = formats_[column];
    return duckdb::UnifiedVectorFormat::GetData<T>(format)[format.sel->get_index(row_)];
  }
  std::string_view text(size_t column) const {
    const auto& raw = value<duckdb::string_t>(column);
    return {raw.GetData(), raw.GetSize()};
  }

 private:
  std::vector<duckdb::UnifiedVectorFormat> formats_;
  duckdb::idx_t row_ = 0;
};

template <class State>
struct NativeAggregate {
  using Pointer = State*;

  static duckdb::idx_t size(const duckdb::AggregateFunction&) { return sizeof(Pointer); }
  static void initialize(const duckdb::AggregateFunction&, duckdb::data_ptr_t state) {
    *reinterpret_cast<Pointer*>(state) = nullptr;
  }
  static void add(const AggregateRow& row, Pointer& state) {
    if (state) {
      state->add(row);
      return;
    }
    auto made = std::make_unique<State>();
    if (made->add(row)) state = made.release();
  }
  static void update(duckdb::Vector inputs[], duckdb::AggregateInputData&, duckdb::idx_t columns,
                     duckdb::Vector& states, duckdb::idx_t count) {
    AggregateRow row(inputs, columns, count);
    duckdb::UnifiedVectorFormat format;
    states.ToUnifiedFormat(count, format);
    auto** pointers = duckdb::UnifiedVectorFormat::GetDataNoConst<Pointer*>(format);
    for (duckdb::idx_t i = 0; i < count; ++i) {
      row.go_to(i);
      add(row, *pointers[format.sel->get_index(i)]);
    }
  }
  static void simple_update(duckdb::Vector inputs[], duckdb::AggregateInputData&,
                            duckdb::idx_t columns, duckdb::data_ptr_t state, duckdb::idx_t count) {
    AggregateRow row(inputs, columns, count);
    for (duckdb::idx_t i = 0; i < count; ++i) {
      row.go_to(i);
      add(row, *reinterpret_cast<Pointer*>(state));
    }
  }
  static void combine(duckdb::Vector& source, duckdb::Vector& target, duckdb::AggregateInputData&,
                      duckdb::idx_t count) {
    duckdb::UnifiedVectorFormat from, to;
    source.ToUnifiedFormat(count, from);
    target.ToUnifiedFormat(count, to);
    auto** sources = duckdb::UnifiedVectorFormat::GetDataNoConst<Pointer*>(from);
    auto** targets = duckdb::UnifiedVectorFormat::GetDataNoConst<Pointer*>(to);
    for (duckdb::idx_t i = 0; i < count; ++i) {
      Pointer& one = *sources[from.sel->get_index(i)];
      Pointer& other = *targets[to.sel->get_index(i)];
      if (!one) continue;
      if (other)
        other->merge(*one);
      else
        other = new State(*one);
    }
  }
  static void finalize(duckdb::Vector& states, duckdb::AggregateInputData&, duckdb::Vector& result,
                       duckdb::idx_t count, duckdb::idx_t offset) {
    duckdb::UnifiedVectorFormat format;
    states.ToUnifiedFormat(count, format);
    auto** pointers = duckdb::UnifiedVectorFormat::GetDataNoConst<Pointer*>(format);
    if (states.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR)
      result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
    for (duckdb::idx_t i = 0; i < count; ++i) {
      Pointer& state = *pointers[format.sel->get_index(i)];
      if (state)
        state->write(result, i + offset);
      else if (result.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR)
        duckdb::ConstantVector::SetNull(result, true);
      else
        duckdb::FlatVector::SetNull(result, i + offset, true);
    }
  }
  static void destroy(duckdb::Vector& states, duckdb::AggregateInputData&, duckdb::idx_t count) {
    duckdb::UnifiedVectorFormat format;
    states.ToUnifiedFormat(count, format);
    auto** pointers = duckdb::UnifiedVectorFormat::GetDataNoConst<Pointer*>(format);
    for (duckdb::idx_t i = 0; i < count; ++i) {
      Pointer& state = *pointers[format.sel->get_index(i)];
      delete state;
      state = nullptr;
    }
  }

  static duckdb::AggregateFunction made(const duckdb::vector<duckdb::LogicalType>& arguments,
                                        const duckdb::LogicalType& result) {
    duckdb::AggregateFunction function(arguments, result, size, initialize, update, combine,
                                       finalize, duckdb::FunctionNullHandling::SPECIAL_HANDLING,
                                       simple_update);
    function.destructor = destroy;
    return function;
  }
};

std::vector<NativeFunction> native_sketch_functions();
// Registers the sketches and checksums of sketch.cc.
void register_sketches(duckdb::DatabaseInstance& database);
std::vector<NativeFunction> native_digest_functions();
// Registers the digests and histograms of digest.cc.
void register_digests(duckdb::DatabaseInstance& database);

}  // namespace aichemy::sql
