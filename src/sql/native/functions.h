// Native functions of the engine: what no short expression over DuckDB's own functions can say
// exactly. Each family is a file <family>.cc with one table of rows; rows of one name are
// overloads by DuckDB type. Names start with aichemy_; function rows (sql/functions) and the
// renderer call them.
//
// A function gets flat, constant or dictionary vectors and may see NULLs: NativeArguments below
// does that part. It raises with raise(): Trino's error name and message, inside TRY a NULL.
#pragma once

#include <duckdb/common/types/data_chunk.hpp>
#include <duckdb/common/types/vector.hpp>
#include <duckdb/execution/expression_executor_state.hpp>
#include <duckdb/main/database.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace aichemy::sql {

struct NativeFunction {
  std::string name;
  std::string signature;  // DuckDB types: "VARCHAR, BIGINT -> VARCHAR"; "T..." repeats the last
  void (*function)(duckdb::DataChunk&, duckdb::ExpressionState&, duckdb::Vector&);
  bool sees_nulls = false;  // called for NULL arguments too
};

// One a family, in the order of functions.cc.
std::vector<NativeFunction> native_partition_functions();
std::vector<NativeFunction> native_json_functions();
std::vector<NativeFunction> native_regexp_functions();
std::vector<NativeFunction> native_text_functions();
std::vector<NativeFunction> native_bytes_functions();
std::vector<NativeFunction> native_format_functions();
std::vector<NativeFunction> native_math_functions();
std::vector<NativeFunction> native_number_functions();
std::vector<NativeFunction> native_statistics_functions();
std::vector<NativeFunction> native_color_functions();
std::vector<NativeFunction> native_time_functions();
std::vector<NativeFunction> native_time_format_functions();
std::vector<NativeFunction> native_url_functions();

void register_native_functions(duckdb::DatabaseInstance& database);
// Families of other modules.
void register_native_rows(duckdb::DatabaseInstance& database,
                          const std::vector<NativeFunction>& rows);
// Functions whose result type is an argument: aichemy_json_decode(text, 'type').
void register_json_decode(duckdb::DatabaseInstance& database);

void register_pairs(duckdb::DatabaseInstance& database);

// Throws the exception that engine_errors turns into Trino's error of this name.
[[noreturn]] void raise(std::string_view name, const std::string& message);

// The arguments of one call, row by row.
class NativeArguments {
 public:
  explicit NativeArguments(duckdb::DataChunk& chunk);

  duckdb::idx_t size() const { return count_; }
  bool is_null(size_t argument, duckdb::idx_t row) const {
    const auto& format = formats_[argument];
    return !format.validity.RowIsValid(format.sel->get_index(row));
  }
  bool any_null(duckdb::idx_t row) const {
    for (size_t i = 0; i < formats_.size(); ++i) {
      if (is_null(i, row)) return true;
    }
    return false;
  }
  template <class T>
  const T& value(size_t argument, duckdb::idx_t row) const {
    const auto& format = formats_[argument];
    return duckdb::UnifiedVectorFormat::GetData<T>(format)[format.sel->get_index(row)];
  }
  std::string_view text(size_t argument, duckdb::idx_t row) const {
    const auto& raw = value<duckdb::string_t>(argument, row);
    return {raw.GetData(), raw.GetSize()};
  }

  // Runs fn(row) for each row without a NULL argument; the others are NULL in the result. All
  // constant: once, and the result is constant.
  template <class Fn>
  void each(duckdb::Vector& result, Fn fn) {
    result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
    duckdb::idx_t count = constant_ ? std::min<duckdb::idx_t>(1, count_) : count_;
    for (duckdb::idx_t row = 0; row < count; ++row) {
      if (any_null(row)) {
        duckdb::FlatVector::SetNull(result, row, true);
      } else {
        fn(row);
      }
    }
    if (constant_) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  }

  // each() for a function that gives a fixed-width value.
  template <class T, class Fn>
  void each_value(duckdb::Vector& result, Fn fn) {
    each(result, [&](duckdb::idx_t row) { duckdb::FlatVector::GetData<T>(result)[row] = fn(row); });
  }

  // each() for a function that gives text or bytes: fn returns something a std::string_view is
  // made of.
  template <class Fn>
  void each_text(duckdb::Vector& result, Fn fn) {
    each(result, [&](duckdb::idx_t row) {
      const auto& made = fn(row);
      std::string_view text(made);
      duckdb::FlatVector::GetData<duckdb::string_t>(result)[row] =
          duckdb::StringVector::AddStringOrBlob(result, text.data(), text.size());
    });
  }

 private:
  duckdb::vector<duckdb::UnifiedVectorFormat> formats_;
  duckdb::idx_t count_ = 0;
  bool constant_ = true;
};

}  // namespace aichemy::sql
