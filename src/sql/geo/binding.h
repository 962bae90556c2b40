// From the engine's vectors to shapes and back. A function is a lambda over one row that gives an
// optional: none is NULL. It raises through or_raise() and refuse(). Internal.
#pragma once

#include <duckdb/common/types/vector.hpp>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/geo/shape.h"
#include "sql/native/functions.h"

namespace aichemy::geo {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::ListVector;
using duckdb::Vector;
using sql::NativeArguments;
using sql::NativeFunction;
using Bytes = std::optional<std::string>;
using Flag = std::optional<bool>;
using Number = std::optional<double>;
using Whole = std::optional<int64_t>;
using Strings = std::optional<std::vector<std::string>>;

std::vector<NativeFunction> form_functions();
std::vector<NativeFunction> accessor_functions();
std::vector<NativeFunction> planar_functions();
std::vector<NativeFunction> sphere_functions();
void register_geo_aggregates(duckdb::DatabaseInstance& database);

[[noreturn]] inline void refuse(const std::string& message) {
  sql::raise("INVALID_FUNCTION_ARGUMENT", message);
}
template <class T>
T or_raise(Result<T> result) {
  if (!result) sql::raise(result.error().what, result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline Shape shape_at(const NativeArguments& args, size_t argument, idx_t row) {
  return or_raise(read_own_form(args.text(argument, row)));
}

// "ST_X only applies to POINT. Input type is: POLYGON"
void require_kind(const char* function, Kind kind, std::initializer_list<Kind> allowed);
// The SRID of both; refused when they differ and none is 0.
int32_t common_srid(int32_t a, int32_t b);
Shape collect(std::vector<Shape> members);  // ST_Collect

// Elements of a list of geometries; none: NULL.
class GeometryList {
 public:
  explicit GeometryList(Vector& list) {
    ListVector::GetEntry(list).ToUnifiedFormat(ListVector::GetListSize(list), format_);
  }
  std::vector<std::optional<std::string_view>> of(const duckdb::list_entry_t& entry) const {
    std::vector<std::optional<std::string_view>> made;
    for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      idx_t at = format_.sel->get_index(i);
      auto& element = made.emplace_back();
      if (!format_.validity.RowIsValid(at)) continue;
      const auto& raw = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(format_)[at];
      element = std::string_view(raw.GetData(), raw.GetSize());
    }
    return made;
  }

 private:
  duckdb::UnifiedVectorFormat format_;
};

inline void put_bytes(Vector& result, idx_t row, std::string_view bytes) {
  FlatVector::GetData<duckdb::string_t>(result)[row] =
      duckdb::StringVector::AddStringOrBlob(result, bytes.data(), bytes.size());
}

template <class T, auto Fn>
void value_of(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each(result, [&](idx_t row) {
    auto made = Fn(args, row);
    if (made)
      FlatVector::GetData<T>(result)[row] = static_cast<T>(*made);
    else
      FlatVector::SetNull(result, row, true);
  });
}

template <auto Fn>
void bytes_of(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each(result, [&](idx_t row) {
    Bytes made = Fn(args, row);
    if (made)
      put_bytes(result, row, *made);
    else
      FlatVector::SetNull(result, row, true);
  });
}

// Fn takes the list of the first argument.
template <auto Fn>
void bytes_of_list(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  GeometryList list(chunk.data[0]);
  args.each(result, [&](idx_t row) {
    Bytes made = Fn(list.of(args.value<duckdb::list_entry_t>(0, row)));
    if (made)
      put_bytes(result, row, *made);
    else
      FlatVector::SetNull(result, row, true);
  });
}

template <auto Fn>
void list_of(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each(result, [&](idx_t row) {
    auto made = Fn(args, row);
    if (!made) return FlatVector::SetNull(result, row, true);
    idx_t begin = ListVector::GetListSize(result);
    ListVector::Reserve(result, begin + made->size());
    Vector& elements = ListVector::GetEntry(result);
    for (size_t i = 0; i < made->size(); ++i) {
      using Element = typename std::decay_t<decltype(*made)>::value_type;
      if constexpr (std::is_same_v<Element, std::string>)
        put_bytes(elements, begin + i, (*made)[i]);
      else
        FlatVector::GetData<Element>(elements)[begin + i] = (*made)[i];
    }
    ListVector::SetListSize(result, begin + made->size());
    FlatVector::GetData<duckdb::list_entry_t>(result)[row] = {begin, made->size()};
  });
}

}  // namespace aichemy::geo
