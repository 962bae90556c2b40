// JSON functions: parsing, Trino's older paths ($.a[0]), and the SQL/JSON functions over paths.
#include <fmt/format.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/json.h"
#include "sql/native/functions.h"
#include "sql/native/json_evaluator.h"
#include "sql/types/json_node.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::ListVector;
using duckdb::StringVector;
using duckdb::StructVector;
using duckdb::Vector;
using NodeKind = JsonNode::Kind;

void put(Vector& vector, idx_t row, std::string_view text) {
  FlatVector::GetData<duckdb::string_t>(vector)[row] =
      StringVector::AddString(vector, text.data(), text.size());
}

std::string text_of(const JsonNode& node) {
  std::string made;
  write_json(node, made);
  return made;
}

[[noreturn]] void invalid(const std::string& message) {
  raise("INVALID_FUNCTION_ARGUMENT", message);
}

void json_parse(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_text(result, [&](idx_t row) {
    auto parsed = parse_json(args.text(0, row), true);
    if (!parsed) invalid(fmt::format("Cannot convert value to JSON: '{}'", args.text(0, row)));
    return text_of(*parsed);
  });
}

void is_json_scalar(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_value<bool>(result, [&](idx_t row) {
    auto parsed = parse_json(args.text(0, row), false);
    if (!parsed) invalid(fmt::format("Invalid JSON value: {}", args.text(0, row)));
    return !parsed->is(NodeKind::array) && !parsed->is(NodeKind::object);
  });
}

void json_array_length(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each(result, [&](idx_t row) {
    auto parsed = parse_json(args.text(0, row), false);
    if (!parsed || !parsed->is(NodeKind::array)) return FlatVector::SetNull(result, row, true);
    FlatVector::GetData<int64_t>(result)[row] = std::ssize(parsed->items);
  });
}

template <class T>
bool same(const JsonNode& node, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return node.is(NodeKind::boolean) && node.truth == value;
  } else if constexpr (std::is_same_v<T, duckdb::string_t>) {
    return node.is(NodeKind::string) &&
           node.text == std::string_view(value.GetData(), value.GetSize());
  } else if constexpr (std::is_same_v<T, int64_t>) {
    return node.is_integer() && node.text == std::to_string(value);
  } else {
    return node.is(NodeKind::number) && !node.is_integer() &&
           std::strtod(node.text.c_str(), nullptr) == value;
  }
}

template <class T>
void json_array_contains(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each(result, [&](idx_t row) {
    auto parsed = parse_json(args.text(0, row), false);
    if (!parsed || !parsed->is(NodeKind::array)) return FlatVector::SetNull(result, row, true);
    const T& wanted = args.value<T>(1, row);
    FlatVector::GetData<bool>(result)[row] = std::ranges::any_of(
        parsed->items, [&](const JsonNode& item) { return same<T>(item, wanted); });
  });
}

void json_array_get(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each(result, [&](idx_t row) {
    auto parsed = parse_json(args.text(0, row), false);
    int64_t index = args.value<int64_t>(1, row);
    int64_t size = parsed ? std::ssize(parsed->items) : 0;
    if (index < 0) index += size;
    bool there = parsed && parsed->is(NodeKind::array) && index >= 0 && index < size;
    if (!there || parsed->items[static_cast<size_t>(index)].is(NodeKind::null))
      return FlatVector::SetNull(result, row, true);
    const JsonNode& item = parsed->items[static_cast<size_t>(index)];
    put(result, row, item.is(NodeKind::string) ? item.text : text_of(item));
  });
}

// "$.a[0]['b']": the steps; raises for what is no path.
std::vector<std::string> path_steps(std::string_view path) {
  auto broken = [&] { invalid(fmt::format("Invalid JSON path: '{}'", path)); };
  std::vector<std::string> steps;
  if (path.empty() || path[0] != '$') broken();
  auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == ':' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  for (size_t at = 1; at < path.size();) {
    std::string step;
    bool bracket = path[at] == '[';
    if (!bracket && path[at] != '.') broken();
    ++at;
    if (bracket && at < path.size() && (path[at] == '"' || path[at] == '\'')) {
      char quote = path[at++];
      while (at < path.size() && path[at] != quote) {
        if (path[at] == '\\' && at + 1 < path.size()) ++at;
        step += path[at++];
      }
      if (at++ >= path.size()) broken();
    } else {
      while (at < path.size() && plain(path[at])) step += path[at++];
      if (step.empty()) broken();
    }
    if (bracket && (at >= path.size() || path[at++] != ']')) broken();
    steps.push_back(std::move(step));
  }
  return steps;
}

// The steps of the last path of this thread: mostly it is a constant.
const std::vector<std::string>& steps_of(std::string_view path) {
  thread_local std::string last;
  thread_local std::vector<std::string> steps;
  if (steps.empty() || path != last) {
    steps = path_steps(path);
    last = path;
  }
  return steps;
}

void json_extract(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each(result, [&](idx_t row) {
    auto found = find_json(args.text(0, row), steps_of(args.text(1, row)));
    auto parsed = found ? parse_json(*found, false) : std::nullopt;
    if (!parsed) return FlatVector::SetNull(result, row, true);
    put(result, row, text_of(*parsed));
  });
}

void json_extract_scalar(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each(result, [&](idx_t row) {
    auto found = find_json(args.text(0, row), steps_of(args.text(1, row)));
    bool scalar = found && (*found)[0] != '{' && (*found)[0] != '[' && *found != "null";
    if (!scalar) return FlatVector::SetNull(result, row, true);
    if ((*found)[0] != '"') return put(result, row, *found);
    put(result, row, parse_json(*found, false)->text);
  });
}

void json_size(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each(result, [&](idx_t row) {
    auto found = find_json(args.text(0, row), steps_of(args.text(1, row)));
    auto parsed = found ? parse_json(*found, false) : std::nullopt;
    if (!parsed) return FlatVector::SetNull(result, row, true);
    FlatVector::GetData<int64_t>(result)[row] = std::ssize(parsed->items);
  });
}

// A JSON text of texts: NULL items are null, or left out when `absent`.
void json_array(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  auto count = ListVector::GetListSize(chunk.data[0]);
  duckdb::UnifiedVectorFormat format;
  auto& child = ListVector::GetEntry(chunk.data[0]);
  child.ToUnifiedFormat(count, format);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    auto entry = args.value<duckdb::list_entry_t>(0, row);
    bool absent = args.value<bool>(1, row);
    made = "[";
    for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      idx_t at = format.sel->get_index(i);
      bool null = !format.validity.RowIsValid(at);
      if (null && absent) continue;
      if (made.size() > 1) made += ',';
      if (null) {
        made += "null";
        continue;
      }
      const auto& text = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(format)[at];
      made.append(text.GetData(), text.GetSize());
    }
    made += ']';
    return made;
  });
}

// JSON_OBJECT gives its members in the order of a Java hash map, as Trino does: the bucket of a
// key.
uint32_t java_bucket(const std::string& key, size_t members) {
  uint32_t hash = 0;
  auto size = static_cast<int32_t>(key.size());
  for (int32_t at = 0; at < size;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(key.data(), at, size, c);
    if (c > 0xFFFF) {
      hash = hash * 31 + static_cast<uint32_t>(U16_LEAD(c));
      c = U16_TRAIL(c);
    }
    hash = hash * 31 + static_cast<uint32_t>(c);
  }
  hash ^= hash >> 16;
  uint32_t buckets = 16;
  while (static_cast<double>(members) > buckets * 0.75) buckets *= 2;
  return hash & (buckets - 1);
}

// mode: 1 sorted by key, 2 members that are NULL are left out, equal keys are an error (4) or not
// supported (8)
void json_object(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  duckdb::UnifiedVectorFormat keys, values;
  ListVector::GetEntry(chunk.data[0]).ToUnifiedFormat(ListVector::GetListSize(chunk.data[0]), keys);
  ListVector::GetEntry(chunk.data[1])
      .ToUnifiedFormat(ListVector::GetListSize(chunk.data[1]), values);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    auto key_entry = args.value<duckdb::list_entry_t>(0, row),
         value_entry = args.value<duckdb::list_entry_t>(1, row);
    int32_t mode = args.value<int32_t>(2, row);
    std::vector<std::pair<std::string, std::string>> members;
    for (idx_t i = 0; i < std::min(key_entry.length, value_entry.length); ++i) {
      idx_t k = keys.sel->get_index(key_entry.offset + i),
            v = values.sel->get_index(value_entry.offset + i);
      if (!keys.validity.RowIsValid(k))
        raise("INVALID_FUNCTION_ARGUMENT",
              "null value passed for JSON object key to JSON_OBJECT function");
      bool null = !values.validity.RowIsValid(v);
      if (null && mode & 2) continue;
      const auto& key = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(keys)[k];
      const auto* texts = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(values);
      members.emplace_back(key.GetString(), null ? "null" : texts[v].GetString());
    }
    if (mode & 1) std::ranges::sort(members, {}, [](const auto& member) { return member.first; });
    if (mode & 12) {
      std::multimap<uint32_t, std::pair<std::string, std::string>> buckets;
      for (auto& member : members)
        buckets.emplace(java_bucket(member.first, members.size()), std::move(member));
      members.clear();
      for (auto& [bucket, member] : buckets) members.push_back(std::move(member));
    }
    made = "{";
    std::map<std::string_view, int> seen;
    for (const auto& [key, value] : members) {
      if (mode & 12 && !seen.emplace(key, 0).second) {
        if (mode & 4)
          raise("INVALID_FUNCTION_ARGUMENT", "duplicate key passed to JSON_OBJECT function");
        raise("NOT_SUPPORTED", "cannot construct a JSON object with duplicate key");
      }
      if (made.size() > 1) made += ',';
      append_json_string(made, key);
      made += ':' + value;
    }
    made += '}';
    return made;
  });
}

void double_json(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_text(result, [&](idx_t row) { return java_double(args.value<double>(0, row)); });
}
void float_json(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_text(result, [&](idx_t row) { return java_float(args.value<float>(0, row)); });
}
void text_json(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    made.clear();
    append_json_string(made, args.text(0, row));
    return made;
  });
}

// Text that is JSON (FORMAT JSON): as written but for blanks.
void json_format_input(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_text(result, [&](idx_t row) {
    auto parsed = parse_json(args.text(0, row), false);
    if (!parsed) raise("JSON_INPUT_CONVERSION_ERROR", "conversion to JSON failed: ");
    return text_of(*parsed);
  });
}

// ---- SQL/JSON paths ----

const JsonPath& path_of(std::string_view text) {
  thread_local std::map<std::string, JsonPath, std::less<>> kept;
  auto found = kept.find(text);
  if (found != kept.end()) return found->second;
  auto parsed = parse_json_path(text);
  if (!parsed) raise(parsed.error().what, parsed.error().message);
  if (kept.size() > 64) kept.clear();
  return kept.emplace(text, std::move(*parsed)).first->second;
}

// What a path gives for one row: a sequence, or why not.
Result<JsonSequence> sequence(const NativeArguments& args, idx_t row) {
  const JsonPath& path = path_of(args.text(1, row));
  auto parameters = parse_json(args.text(2, row), false);
  auto input = parse_json(args.text(0, row), false);
  if (!input || !parameters)
    return fail(Code::invalid, "JSON_INPUT_CONVERSION_ERROR", "conversion to JSON failed: ");
  return evaluate_json_path(path, *input, *parameters);
}

void json_exists(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each(result, [&](idx_t row) {
    auto found = sequence(args, row);
    int32_t on_error = args.value<int32_t>(3, row);  // 0 false, 1 true, 2 unknown, 3 error
    if (!found && on_error == 3) raise(found.error().what, found.error().message);
    if (!found && on_error == 2) return FlatVector::SetNull(result, row, true);
    FlatVector::GetData<bool>(result)[row] = found ? !found->empty() : on_error == 1;
  });
}

// {status, value, error}: 0 a value, 1 empty, 2 an error, whose name and message are kept.
class Outcome {
 public:
  explicit Outcome(Vector& result) : result_(result), fields_(StructVector::GetEntries(result)) {}
  void value(idx_t row, std::string_view json) {
    set(row, 0);
    put(*fields_[1], row, json);
    FlatVector::SetNull(*fields_[2], row, true);
  }
  void null(idx_t row) {
    set(row, 0);
    FlatVector::SetNull(*fields_[1], row, true);
    FlatVector::SetNull(*fields_[2], row, true);
  }
  void empty(idx_t row) {
    set(row, 1);
    FlatVector::SetNull(*fields_[1], row, true);
    FlatVector::SetNull(*fields_[2], row, true);
  }
  void error(idx_t row, const Error& error) {
    set(row, 2);
    FlatVector::SetNull(*fields_[1], row, true);
    put(*fields_[2], row, fmt::format("TRINO[{}] {}", error.what, error.message));
  }
  void set_null(idx_t row) {
    for (auto& field : fields_) FlatVector::SetNull(*field, row, true);
    FlatVector::SetNull(result_, row, true);
  }

 private:
  Vector& result_;
  duckdb::vector<duckdb::unique_ptr<Vector>>& fields_;
  void set(idx_t row, int32_t status) { FlatVector::GetData<int32_t>(*fields_[0])[row] = status; }
};

void json_value(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  Outcome outcome(result);
  args.each(result, [&](idx_t row) {
    auto found = sequence(args, row);
    if (!found) return outcome.error(row, found.error());
    if (found->empty()) return outcome.empty(row);
    const JsonNode& first = found->front();
    if (found->size() > 1 || first.is(NodeKind::array) || first.is(NodeKind::object)) {
      return outcome.error(
          row, Error{Code::invalid, "JSON_VALUE_RESULT_ERROR",
                     found->size() > 1
                         ? "cannot extract SQL scalar from JSON: JSON path found multiple items"
                         : "cannot extract SQL scalar from JSON: JSON path found an item that "
                           "cannot be converted to an SQL value"});
    }
    if (first.is(NodeKind::null)) return outcome.null(row);
    outcome.value(row, text_of(first));
  });
}

void json_query(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  Outcome outcome(result);
  args.each(result, [&](idx_t row) {
    auto found = sequence(args, row);
    int32_t wrapper = args.value<int32_t>(3, row);  // 0 without, 1 conditional, 2 unconditional
    bool omit = args.value<bool>(4, row);
    if (!found) return outcome.error(row, found.error());
    if (found->empty()) return outcome.empty(row);
    bool single = found->size() == 1;
    const JsonNode& first = found->front();
    bool nested = first.is(NodeKind::array) || first.is(NodeKind::object);
    bool wrap = wrapper == 2 || (wrapper == 1 && !(single && nested));
    if (!single && !wrap) {
      return outcome.error(
          row, Error{Code::invalid, "JSON_VALUE_RESULT_ERROR", "JSON path found multiple items"});
    }
    if (!wrap) {
      return outcome.value(row, omit && first.is(NodeKind::string) ? first.text : text_of(first));
    }
    JsonNode all;
    all.kind = NodeKind::array;
    all.items = std::move(*found);
    outcome.value(row, text_of(all));
  });
}

// ---- JSON_TABLE: rows of the path tree ----

// {"path", "error", "children": tree} and a tree is a node or {"op": UNION|CROSS, "left", "right"},
// with "outer" at the node that has children.
struct TableRow {
  std::vector<std::optional<JsonNode>> items;  // by number of the node
  std::vector<int64_t> ordinals;
};

class TableMaker {
 public:
  TableMaker(const JsonNode& parameters, size_t nodes) : parameters_(parameters), nodes_(nodes) {}

  std::vector<TableRow> node(const JsonNode& plan, const JsonNode& input) {
    size_t number = static_cast<size_t>(std::stoul(plan.member("number")->text));
    auto found = evaluate_json_path(path_of(plan.member("path")->text), input, parameters_);
    if (!found) {
      if (plan.member("error")->truth) raise(found.error().what, found.error().message);
      return {};
    }
    std::vector<TableRow> rows;
    int64_t ordinal = 0;
    for (auto& item : *found) {
      ++ordinal;
      const JsonNode* children = plan.member("children");
      std::vector<TableRow> below;
      if (!children || children->is(NodeKind::null)) {
        below.push_back(blank());
      } else {
        below = tree(*children, item);
        if (below.empty() && plan.member("outer")->truth) below.push_back(blank());
      }
      for (auto& row : below) {
        row.items[number] = item;
        row.ordinals[number] = ordinal;
        rows.push_back(std::move(row));
      }
    }
    return rows;
  }

 private:
  const JsonNode& parameters_;
  size_t nodes_;

  TableRow blank() const {
    TableRow row;
    row.items.resize(nodes_);
    row.ordinals.resize(nodes_, 0);
    return row;
  }
  std::vector<TableRow> tree(const JsonNode& plan, const JsonNode& input) {
    const JsonNode* op = plan.member("op");
    if (!op) return node(plan, input);
    auto left = tree(*plan.member("left"), input), right = tree(*plan.member("right"), input);
    if (op->text == "UNION") {
      for (auto& row : right) left.push_back(std::move(row));
      return left;
    }
    std::vector<TableRow> rows;
    for (const auto& a : left) {
      for (const auto& b : right) {
        TableRow row = a;
        for (size_t i = 0; i < nodes_; ++i) {
          if (!b.items[i]) continue;
          row.items[i] = b.items[i];
          row.ordinals[i] = b.ordinals[i];
        }
        rows.push_back(std::move(row));
      }
    }
    return rows;
  }
};

// One struct {items, ordinals} a row of the table.
void json_table(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  idx_t size = 0, parts = 0;
  args.each(result, [&](idx_t row) {
    auto input = parse_json(args.text(0, row), false), plan = parse_json(args.text(1, row), false),
         parameters = parse_json(args.text(2, row), false);
    auto nodes = static_cast<size_t>(args.value<int32_t>(3, row));
    std::vector<TableRow> rows;
    if (input && parameters)
      rows = TableMaker(*parameters, nodes).node(*plan, *input);
    else if (plan->member("error")->truth)
      raise("JSON_INPUT_CONVERSION_ERROR", "conversion to JSON failed: ");
    ListVector::Reserve(result, size + rows.size());
    auto& fields = StructVector::GetEntries(ListVector::GetEntry(result));
    ListVector::GetData(result)[row] = {size, rows.size()};
    for (const auto& made : rows) {
      for (auto& field : fields) {
        ListVector::Reserve(*field, parts + nodes);
        ListVector::GetData(*field)[size] = {parts, nodes};
      }
      for (size_t i = 0; i < nodes; ++i) {
        Vector& items = ListVector::GetEntry(*fields[0]);
        if (made.items[i])
          put(items, parts + i, text_of(*made.items[i]));
        else
          FlatVector::SetNull(items, parts + i, true);
        Vector& ordinals = ListVector::GetEntry(*fields[1]);
        FlatVector::GetData<int64_t>(ordinals)[parts + i] = made.ordinals[i];
      }
      parts += nodes;
      for (auto& field : fields) ListVector::SetListSize(*field, parts);
      ++size;
    }
    ListVector::SetListSize(result, size);
  });
}

}  // namespace

std::vector<NativeFunction> native_json_functions() {
  constexpr const char* kOutcome =
      "VARCHAR, VARCHAR, VARCHAR -> STRUCT(status INTEGER, item VARCHAR, problem VARCHAR)";
  return {
      {"aichemy_json_parse", "VARCHAR -> VARCHAR", json_parse},
      {"aichemy_is_json_scalar", "VARCHAR -> BOOLEAN", is_json_scalar},
      {"aichemy_json_array_length", "VARCHAR -> BIGINT", json_array_length},
      {"aichemy_json_array_contains", "VARCHAR, BOOLEAN -> BOOLEAN", json_array_contains<bool>},
      {"aichemy_json_array_contains", "VARCHAR, BIGINT -> BOOLEAN", json_array_contains<int64_t>},
      {"aichemy_json_array_contains", "VARCHAR, DOUBLE -> BOOLEAN", json_array_contains<double>},
      {"aichemy_json_array_contains", "VARCHAR, VARCHAR -> BOOLEAN",
       json_array_contains<duckdb::string_t>},
      {"aichemy_json_array_get", "VARCHAR, BIGINT -> VARCHAR", json_array_get},
      {"aichemy_json_extract", "VARCHAR, VARCHAR -> VARCHAR", json_extract},
      {"aichemy_json_extract_scalar", "VARCHAR, VARCHAR -> VARCHAR", json_extract_scalar},
      {"aichemy_json_size", "VARCHAR, VARCHAR -> BIGINT", json_size},
      {"aichemy_json_array", "VARCHAR[], BOOLEAN -> VARCHAR", json_array},
      {"aichemy_json_object", "VARCHAR[], VARCHAR[], INTEGER -> VARCHAR", json_object},
      {"aichemy_double_json", "DOUBLE -> VARCHAR", double_json},
      {"aichemy_float_json", "FLOAT -> VARCHAR", float_json},
      {"aichemy_text_json", "VARCHAR -> VARCHAR", text_json},
      {"aichemy_json_input", "VARCHAR -> VARCHAR", json_format_input},
      {"aichemy_json_exists", "VARCHAR, VARCHAR, VARCHAR, INTEGER -> BOOLEAN", json_exists},
      {"aichemy_json_value", kOutcome, json_value},
      {"aichemy_json_query",
       "VARCHAR, VARCHAR, VARCHAR, INTEGER, BOOLEAN -> STRUCT(status INTEGER, item VARCHAR, "
       "problem VARCHAR)",
       json_query},
      {"aichemy_json_table",
       "VARCHAR, VARCHAR, VARCHAR, INTEGER -> STRUCT(f0 VARCHAR[], f1 BIGINT[])[]", json_table},
  };
}

}  // namespace aichemy::sql
