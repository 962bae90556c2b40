// Lists of pairs on their way to becoming maps, of any type: each key's place is looked up by its
// hash, so that a list of n pairs costs n look-ups however often keys repeat.
//
//   aichemy_first_pairs(list of {k, v}) -> those with a key that no earlier one has
//   aichemy_gather_pairs(list of {k, v}) -> list of {k, v: list}, keys in the order of their first
//
// Keys are equal as in SQL's IS NOT DISTINCT FROM, NULL among them.
#include <algorithm>
#include <cstddef>
#include <duckdb/common/vector_operations/vector_operations.hpp>
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>
#include <unordered_map>
#include <vector>

#include "sql/native/functions.h"

namespace aichemy::sql {
namespace {

using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::Vector;

// The keys of one list, numbered in the order of their first pair.
class Keys {
 public:
  Keys(Vector& keys, const duckdb::hash_t* hashes) : keys_(keys), hashes_(hashes) {}

  struct Place {
    size_t number;
    bool is_first;
  };
  Place place_of(idx_t at) {
    auto [from, to] = by_hash_.equal_range(hashes_[at]);
    if (from != to) {
      duckdb::Value key = keys_.GetValue(at);
      for (; from != to; ++from) {
        if (duckdb::Value::NotDistinctFrom(from->second.key, key))
          return {from->second.number, false};
      }
      by_hash_.emplace(hashes_[at], Known{std::move(key), count_});
    } else {
      by_hash_.emplace(hashes_[at], Known{keys_.GetValue(at), count_});
    }
    return {count_++, true};
  }

 private:
  struct Known {
    duckdb::Value key;
    size_t number;
  };
  Vector& keys_;
  const duckdb::hash_t* hashes_;
  size_t count_ = 0;
  std::unordered_multimap<duckdb::hash_t, Known> by_hash_;
};

// What both functions read: lists of pairs, flat, with the hashes of all keys.
struct Pairs {
  duckdb::UnifiedVectorFormat lists;
  Vector* pairs = nullptr;  // all of all lists
  Vector* keys = nullptr;
  Vector* values = nullptr;
  Vector hashes;

  Pairs(Vector& argument, idx_t rows)
      : hashes(LogicalType::HASH, std::max<idx_t>(duckdb::ListVector::GetListSize(argument), 1)) {
    argument.ToUnifiedFormat(rows, lists);
    idx_t count = duckdb::ListVector::GetListSize(argument);
    pairs = &duckdb::ListVector::GetEntry(argument);
    pairs->Flatten(count);
    auto& parts = duckdb::StructVector::GetEntries(*pairs);
    keys = parts[0].get();
    values = parts[1].get();
    duckdb::VectorOperations::Hash(*keys, hashes, count);
    hashes.Flatten(count);
  }

  // nullptr: NULL.
  const duckdb::list_entry_t* list(idx_t row) const {
    idx_t at = lists.sel->get_index(row);
    if (!lists.validity.RowIsValid(at)) return nullptr;
    return duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(lists) + at;
  }
  const duckdb::hash_t* hash_data() const {
    return duckdb::FlatVector::GetData<duckdb::hash_t>(hashes);
  }
};

duckdb::SelectionVector selection(const std::vector<idx_t>& rows) {
  duckdb::SelectionVector out(std::max<idx_t>(rows.size(), 1));
  for (size_t i = 0; i < rows.size(); ++i) out.set_index(i, rows[i]);
  return out;
}

void copy_rows(const Vector& from, const std::vector<idx_t>& rows, Vector& to) {
  duckdb::VectorOperations::Copy(from, to, selection(rows), rows.size(), 0, 0);
}

// A result of one row when the argument is constant.
idx_t rows_of(duckdb::DataChunk& chunk, Vector& result) {
  bool constant = chunk.data[0].GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  return constant ? 1 : chunk.size();
}

duckdb::list_entry_t* list_data(Vector& result) {
  return result.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR
             ? duckdb::ConstantVector::GetData<duckdb::list_entry_t>(result)
             : duckdb::FlatVector::GetData<duckdb::list_entry_t>(result);
}

void set_null(Vector& result, idx_t row) {
  if (result.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR)
    duckdb::ConstantVector::SetNull(result, true);
  else
    duckdb::FlatVector::SetNull(result, row, true);
}

void first_pairs(duckdb::DataChunk& chunk, duckdb::ExpressionState&, Vector& result) {
  idx_t rows = rows_of(chunk, result);
  Pairs pairs(chunk.data[0], rows);
  std::vector<idx_t> kept;
  for (idx_t row = 0; row < rows; ++row) {
    const auto* list = pairs.list(row);
    if (!list) {
      set_null(result, row);
      continue;
    }
    Keys keys(*pairs.keys, pairs.hash_data());
    size_t begin = kept.size();
    for (idx_t at = list->offset; at < list->offset + list->length; ++at)
      if (keys.place_of(at).is_first) kept.push_back(at);
    list_data(result)[row] = {begin, kept.size() - begin};
  }
  duckdb::ListVector::Reserve(result, kept.size());
  copy_rows(*pairs.pairs, kept, duckdb::ListVector::GetEntry(result));
  duckdb::ListVector::SetListSize(result, kept.size());
}

void gather_pairs(duckdb::DataChunk& chunk, duckdb::ExpressionState&, Vector& result) {
  idx_t rows = rows_of(chunk, result);
  Pairs pairs(chunk.data[0], rows);
  std::vector<idx_t> firsts, values;         // rows of keys, of values
  std::vector<duckdb::list_entry_t> of_key;  // in `values`
  for (idx_t row = 0; row < rows; ++row) {
    const auto* list = pairs.list(row);
    if (!list) {
      set_null(result, row);
      continue;
    }
    Keys keys(*pairs.keys, pairs.hash_data());
    size_t begin = firsts.size();
    std::vector<std::vector<idx_t>> gathered;
    for (idx_t at = list->offset; at < list->offset + list->length; ++at) {
      auto place = keys.place_of(at);
      if (place.is_first) {
        firsts.push_back(at);
        gathered.emplace_back();
      }
      gathered[place.number].push_back(at);
    }
    for (const auto& of_one : gathered) {
      of_key.push_back({values.size(), of_one.size()});
      values.insert(values.end(), of_one.begin(), of_one.end());
    }
    list_data(result)[row] = {begin, firsts.size() - begin};
  }
  duckdb::ListVector::Reserve(result, firsts.size());
  auto& parts = duckdb::StructVector::GetEntries(duckdb::ListVector::GetEntry(result));
  copy_rows(*pairs.keys, firsts, *parts[0]);
  duckdb::ListVector::Reserve(*parts[1], values.size());
  std::ranges::copy(of_key, duckdb::FlatVector::GetData<duckdb::list_entry_t>(*parts[1]));
  copy_rows(*pairs.values, values, duckdb::ListVector::GetEntry(*parts[1]));
  duckdb::ListVector::SetListSize(*parts[1], values.size());
  duckdb::ListVector::SetListSize(result, firsts.size());
}

const duckdb::child_list_t<LogicalType>& pair_parts(const LogicalType& list) {
  if (list.id() != duckdb::LogicalTypeId::LIST ||
      duckdb::ListType::GetChildType(list).id() != duckdb::LogicalTypeId::STRUCT)
    throw duckdb::BinderException("a list of pairs is needed, not %s", list.ToString());
  return duckdb::StructType::GetChildTypes(duckdb::ListType::GetChildType(list));
}

template <bool gathered>
duckdb::unique_ptr<duckdb::FunctionData> bind(
    duckdb::ClientContext&, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  LogicalType type = arguments[0]->return_type;
  if (type.id() == duckdb::LogicalTypeId::UNKNOWN)  // in a macro that is being made
    throw duckdb::ParameterNotResolvedException();
  if (type.id() == duckdb::LogicalTypeId::SQLNULL) {
    function.return_type = type;
    return nullptr;
  }
  auto parts = pair_parts(type);
  if (gathered) parts[1].second = LogicalType::LIST(parts[1].second);
  function.arguments[0] = type;
  function.return_type = LogicalType::LIST(LogicalType::STRUCT(std::move(parts)));
  return nullptr;
}

}  // namespace

void register_pairs(duckdb::DatabaseInstance& database) {
  duckdb::ExtensionLoader loader(database, "aichemy");
  loader.RegisterFunction(duckdb::ScalarFunction("aichemy_first_pairs", {LogicalType::ANY},
                                                 LogicalType::ANY, first_pairs, bind<false>));
  loader.RegisterFunction(duckdb::ScalarFunction("aichemy_gather_pairs", {LogicalType::ANY},
                                                 LogicalType::ANY, gather_pairs, bind<true>));
}

}  // namespace aichemy::sql
