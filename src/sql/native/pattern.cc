// aichemy_match(rows, 'spec'): MATCH_RECOGNIZE and row patterns of windows over one partition,
// given as a list of structs in order. `spec` is what analysis/render_pattern.cc writes; the result
// is a list of structs, a field a slot of its "output". Conditions are SQL over the "define" slots.
//
// A condition that reads only the row itself and its neighbours is computed for whole blocks of
// rows; others, which look at the match so far, row by row as the machine asks.
#include "sql/native/pattern.h"

#include <duckdb/common/vector_operations/vector_operations.hpp>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>
#include <duckdb/planner/expression_iterator.hpp>
#include <optional>
#include <set>

#include "sql/pattern/match_spec.h"
#include "sql/native/functions.h"
#include "sql/pattern/pattern_matcher.h"
#include "sql/native/slot_expression.h"

namespace aichemy::sql {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::ListVector;
using duckdb::LogicalType;
using duckdb::StructVector;
using duckdb::Vector;

using Slot = MatchSlot;
using Spec = MatchSpec;

constexpr int64_t kNoRow = -1;

LogicalType slot_type(const Slot& slot, const duckdb::child_list_t<LogicalType>& columns) {
  switch (slot.kind) {
    case Slot::Kind::column:
    case Slot::Kind::current: return columns.at(slot.column).second;
    case Slot::Kind::classifier: return LogicalType::VARCHAR;
    case Slot::Kind::match_number: return LogicalType::BIGINT;
    case Slot::Kind::matched: return LogicalType::BOOLEAN;
    case Slot::Kind::list: break;
  }
  duckdb::child_list_t<LogicalType> fields;
  for (int64_t item : slot.items) {
    fields.emplace_back("f" + std::to_string(fields.size()),
                        item < 0 ? LogicalType(LogicalType::VARCHAR)
                                 : columns.at(static_cast<size_t>(item)).second);
  }
  return LogicalType::LIST(LogicalType::STRUCT(std::move(fields)));
}

// A label's condition; reads: the slots it looks at.
struct Condition {
  duckdb::unique_ptr<duckdb::Expression> expression;  // none: always true
  std::vector<size_t> reads;
  bool history_free = true;
};

struct MatchBind : duckdb::FunctionData {
  std::shared_ptr<const Spec> spec;
  duckdb::vector<LogicalType> define_types;
  std::vector<Condition> conditions;

  duckdb::unique_ptr<FunctionData> Copy() const override {
    auto copy = duckdb::make_uniq<MatchBind>();
    copy->spec = spec;
    copy->define_types = define_types;
    for (const auto& one : conditions) {
      copy->conditions.push_back(
          {one.expression ? one.expression->Copy() : nullptr, one.reads, one.history_free});
    }
    return copy;
  }
  bool Equals(const FunctionData& other) const override {
    return spec == other.Cast<MatchBind>().spec;
  }
};

void find_reads(const duckdb::Expression& expression, std::set<size_t>& reads) {
  if (expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_REF)
    reads.insert(expression.Cast<duckdb::BoundReferenceExpression>().index);
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const duckdb::Expression& child) { find_reads(child, reads); });
}

// The rows of one partition: columns that are flat, from `offset` on.
struct Partition {
  std::vector<Vector*> columns;
  idx_t offset = 0;
  size_t rows = 0;
};

// target[at + i] = column[from[i]], NULL for kNoRow.
void gather(const Partition& partition, size_t column, const std::vector<int64_t>& from,
            Vector& target, idx_t at) {
  if (from.empty()) return;
  duckdb::SelectionVector selection(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    selection.set_index(i, partition.offset + static_cast<idx_t>(std::max<int64_t>(from[i], 0)));
  }
  duckdb::VectorOperations::Copy(*partition.columns[column], target, selection, from.size(), 0, at);
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] == kNoRow) FlatVector::SetNull(target, at + i, true);
  }
}

void put_text(Vector& target, idx_t at, const std::string* text) {
  if (text)
    FlatVector::GetData<duckdb::string_t>(target)[at] =
        duckdb::StringVector::AddString(target, *text);
  else
    FlatVector::SetNull(target, at, true);
}

// The row of the match a navigation leads to before its physical offset: an index into labels.
int64_t logical_index(const Slot& slot, const std::vector<uint32_t>& labels, size_t current) {
  size_t end = slot.final ? labels.size() : std::min(current + 1, labels.size());
  int64_t left = slot.logical;
  for (size_t i = 0; i < end; ++i) {
    size_t at = slot.last ? end - 1 - i : i;
    if (slot.takes(labels[at]) && left-- == 0) return static_cast<int64_t>(at);
  }
  return kNoRow;
}

class Recognizer {
 public:
  Recognizer(duckdb::ClientContext& context, const MatchBind& bound)
      : context_(context),
        bound_(bound),
        spec_(*bound.spec),
        matcher_(spec_.program, history_free(bound)) {
    for (const auto& condition : bound.conditions) {
      executors_.push_back(condition.expression ? duckdb::make_uniq<duckdb::ExpressionExecutor>(
                                                      context, *condition.expression)
                                                : nullptr);
    }
    if (!bound.define_types.empty())
      chunk_.Initialize(duckdb::Allocator::DefaultAllocator(), bound.define_types);
  }

  // Appends to a list of structs; how many.
  idx_t run(const Partition& partition, Vector& result) {
    partition_ = &partition;
    matcher_.forget();
    known_.assign(spec_.labels.size(), {});
    matches_.clear();
    out_.clear();
    if (spec_.rows == Spec::Rows::window)
      find_frames();
    else
      find_matches();
    idx_t begin = ListVector::GetListSize(result);
    ListVector::Reserve(result, begin + out_.size());
    auto& fields = StructVector::GetEntries(ListVector::GetEntry(result));
    for (size_t i = 0; i < spec_.output.size(); ++i) put(spec_.output[i], *fields[i], begin);
    ListVector::SetListSize(result, begin + out_.size());
    return out_.size();
  }

 private:
  struct OutputRow {
    int64_t row = 0;
    int64_t match = kNoRow;
    size_t current = 0;  // in the match
  };
  struct Found {
    RowMatch match;
    int64_t number = 0;
  };

  duckdb::ClientContext& context_;
  const MatchBind& bound_;
  const Spec& spec_;
  PatternMatcher matcher_;
  std::vector<duckdb::unique_ptr<duckdb::ExpressionExecutor>> executors_;
  duckdb::DataChunk chunk_;
  const Partition* partition_ = nullptr;
  std::vector<std::vector<uint8_t>> known_;  // per label and row: 0 not yet, 1 false, 2 true
  std::vector<Found> matches_;
  std::vector<OutputRow> out_;
  int64_t number_ = 1;

  static bool history_free(const MatchBind& bound) {
    for (const auto& condition : bound.conditions) {
      if (!condition.history_free) return false;
    }
    return true;
  }

  void pause() const {
    if (context_.interrupted) throw duckdb::InterruptException();
  }

  // ---- conditions ----

  bool test(uint32_t label, size_t row, RowMatch& so_far) {
    const Condition& condition = bound_.conditions[label];
    if (!condition.expression) return true;
    if (condition.history_free) return known(label, row);
    so_far.labels.push_back(label);
    size_t current = so_far.labels.size() - 1;
    chunk_.Reset();
    for (size_t slot : condition.reads) put_now(spec_.define[slot], slot, so_far, current);
    so_far.labels.pop_back();
    chunk_.SetCardinality(1);
    uint8_t truth = 0;
    evaluate(label, 1, &truth);
    return truth == 2;
  }

  void put_now(const Slot& slot, size_t index, const RowMatch& match, size_t current) {
    Vector& target = chunk_.data[index];
    if (slot.kind == Slot::Kind::match_number) {
      FlatVector::GetData<int64_t>(target)[0] = number_;
      return;
    }
    if (slot.kind == Slot::Kind::list) {
      put_lists({{&match, current}}, slot, target, 0);
      return;
    }
    int64_t at = logical_index(slot, match.labels, current);
    if (slot.kind == Slot::Kind::classifier) {
      put_text(target, 0, label_at(slot, match, at));
      return;
    }
    gather(*partition_, slot.column, {row_at(slot, match, at)}, target, 0);
  }

  void evaluate(uint32_t label, idx_t count, uint8_t* truths) {
    Vector result(LogicalType::BOOLEAN, std::max<idx_t>(count, STANDARD_VECTOR_SIZE));
    executors_[label]->ExecuteExpression(chunk_, result);
    duckdb::UnifiedVectorFormat format;
    result.ToUnifiedFormat(count, format);
    const auto* values = duckdb::UnifiedVectorFormat::GetData<bool>(format);
    for (idx_t i = 0; i < count; ++i) {
      idx_t at = format.sel->get_index(i);
      truths[i] = format.validity.RowIsValid(at) && values[at] ? 2 : 1;
    }
  }

  // Of a condition without history, a block at a time; where a row of the block raises, each row
  // when it is asked for, as the rows that are never asked for must not raise.
  bool known(uint32_t label, size_t row) {
    auto& truths = known_[label];
    if (truths.empty()) truths.resize(partition_->rows);
    if (truths[row] == 0) {
      size_t begin = row / STANDARD_VECTOR_SIZE * STANDARD_VECTOR_SIZE;
      size_t count = std::min<size_t>(STANDARD_VECTOR_SIZE, partition_->rows - begin);
      try {
        fill(label, begin, count);
        evaluate(label, count, &truths[begin]);
      } catch (const duckdb::InterruptException&) {
        throw;
      } catch (const std::exception&) {
        std::fill_n(&truths[begin], count, uint8_t{0});
        fill(label, row, 1);
        evaluate(label, 1, &truths[row]);
      }
    }
    return truths[row] == 2;
  }

  void fill(uint32_t label, size_t begin, size_t count) {
    chunk_.Reset();
    for (size_t index : bound_.conditions[label].reads) {
      const Slot& slot = spec_.define[index];
      std::vector<int64_t> from(count);
      for (size_t i = 0; i < count; ++i)
        from[i] = in_partition(static_cast<int64_t>(begin + i) + slot.physical);
      gather(*partition_, slot.column, from, chunk_.data[index], 0);
    }
    chunk_.SetCardinality(count);
  }

  // ---- navigation ----

  int64_t in_partition(int64_t row) const {
    return row >= 0 && row < static_cast<int64_t>(partition_->rows) ? row : kNoRow;
  }
  int64_t row_at(const Slot& slot, const RowMatch& match, int64_t index) const {
    if (index == kNoRow) return kNoRow;
    return in_partition(static_cast<int64_t>(match.start) + index + slot.physical);
  }
  const std::string* label_at(const Slot& slot, const RowMatch& match, int64_t index) const {
    int64_t at = index == kNoRow ? kNoRow : index + slot.physical;
    if (at < 0 || at >= static_cast<int64_t>(match.labels.size())) return nullptr;
    return &spec_.labels[match.labels[static_cast<size_t>(at)]];
  }

  // ---- matches ----

  bool match_at(size_t start, size_t limit) {
    Found found;
    found.number = number_;
    bool matched = matcher_.match(
        start, limit, partition_->rows,
        [this](uint32_t label, size_t row, RowMatch& so_far) { return test(label, row, so_far); },
        [this] { pause(); }, found.match);
    if (!matched) return false;
    ++number_;
    matches_.push_back(std::move(found));
    return true;
  }

  // The row before the one where the search goes on.
  size_t last_skipped(const RowMatch& match, size_t from) const {
    size_t length = match.labels.size();
    if (length == 0 || spec_.skip == Spec::Skip::to_next) return from;
    if (spec_.skip == Spec::Skip::past_last) return match.start + length - 1;
    bool last = spec_.skip == Spec::Skip::to_last;
    for (size_t i = 0; i < length; ++i) {
      size_t at = last ? length - 1 - i : i;
      if (!spec_.skip_labels[match.labels[at]]) continue;
      if (at == 0)
        raise("GENERIC_USER_ERROR", "AFTER MATCH SKIP failed: cannot skip to first row of match");
      return match.start + at - 1;
    }
    raise("GENERIC_USER_ERROR",
          "AFTER MATCH SKIP failed: pattern variable is not present in match");
  }

  void find_matches() {
    number_ = 1;
    int64_t last_matched = -1;
    for (size_t row = 0; row < partition_->rows;) {
      pause();
      if (!match_at(row, partition_->rows)) {
        bool show = spec_.rows == Spec::Rows::all_with_unmatched &&
                    static_cast<int64_t>(row) > last_matched;
        if (show) out_.push_back({static_cast<int64_t>(row), kNoRow, 0});
        ++row;
        continue;
      }
      const RowMatch& match = matches_.back().match;
      show_match(match);
      last_matched = std::max(last_matched, static_cast<int64_t>(row + match.labels.size()) - 1);
      row = last_skipped(match, row) + 1;
    }
  }

  void show_match(const RowMatch& match) {
    auto number = static_cast<int64_t>(matches_.size()) - 1;
    auto start = static_cast<int64_t>(match.start);
    if (spec_.rows == Spec::Rows::one || match.labels.empty()) {
      if (spec_.rows == Spec::Rows::all_omit_empty) return;
      out_.push_back({start, number, match.labels.empty() ? 0 : match.labels.size() - 1});
      return;
    }
    for (size_t i = 0; i < match.labels.size(); ++i) {
      bool hidden = false;
      for (auto [from, to] : match.excluded)
        hidden = hidden || (match.start + i >= from && match.start + i < to);
      if (!hidden) out_.push_back({start + static_cast<int64_t>(i), number, i});
    }
  }

  // A row of a window sees the match that begins at it (or, with SEEK, later) inside its frame.
  void find_frames() {
    std::optional<size_t> skipped;
    for (size_t row = 0; row < partition_->rows; ++row) {
      pause();
      out_.push_back({static_cast<int64_t>(row), kNoRow, 0});
      if (skipped && row <= *skipped) continue;
      size_t limit = frame_end(row);
      bool found = false;
      number_ = static_cast<int64_t>(matches_.size()) + 1;
      for (size_t start = row; start < limit && !found; ++start) {
        found = match_at(start, limit);
        if (!spec_.seek) break;
      }
      if (limit != partition_->rows) matcher_.forget();
      if (!found) continue;
      const RowMatch& match = matches_.back().match;
      out_.back().match = static_cast<int64_t>(matches_.size()) - 1;
      out_.back().current = match.labels.empty() ? 0 : match.labels.size() - 1;
      skipped = last_skipped(match, row);
    }
  }

  size_t frame_end(size_t row) const {
    if (spec_.frame_column < 0) return partition_->rows;
    const Vector& column = *partition_->columns[static_cast<size_t>(spec_.frame_column)];
    duckdb::Value value = column.GetValue(partition_->offset + row);
    int64_t after = value.IsNull() ? -1 : value.GetValue<int64_t>();
    if (after < 0)
      raise("INVALID_WINDOW_FRAME", "Window frame offset value must not be negative or null");
    return static_cast<size_t>(
        std::min<uint64_t>(partition_->rows, row + static_cast<uint64_t>(after) + 1));
  }

  // ---- output ----

  const RowMatch* match_of(const OutputRow& row) const {
    return row.match == kNoRow ? nullptr : &matches_[static_cast<size_t>(row.match)].match;
  }

  void put(const Slot& slot, Vector& target, idx_t begin) {
    switch (slot.kind) {
      case Slot::Kind::column:
      case Slot::Kind::current: {
        std::vector<int64_t> from;
        for (const auto& row : out_) {
          const RowMatch* match = match_of(row);
          int64_t at = match ? logical_index(slot, match->labels, row.current) : kNoRow;
          from.push_back(slot.kind == Slot::Kind::current ? row.row
                         : match                          ? row_at(slot, *match, at)
                                                          : kNoRow);
        }
        gather(*partition_, slot.column, from, target, begin);
        return;
      }
      case Slot::Kind::classifier:
        for (size_t i = 0; i < out_.size(); ++i) {
          const RowMatch* match = match_of(out_[i]);
          put_text(target, begin + i,
                   match
                       ? label_at(slot, *match, logical_index(slot, match->labels, out_[i].current))
                       : nullptr);
        }
        return;
      case Slot::Kind::match_number:
        for (size_t i = 0; i < out_.size(); ++i) {
          if (out_[i].match == kNoRow)
            FlatVector::SetNull(target, begin + i, true);
          else
            FlatVector::GetData<int64_t>(target)[begin + i] =
                matches_[static_cast<size_t>(out_[i].match)].number;
        }
        return;
      case Slot::Kind::matched:
        for (size_t i = 0; i < out_.size(); ++i)
          FlatVector::GetData<bool>(target)[begin + i] = out_[i].match != kNoRow;
        return;
      case Slot::Kind::list: break;
    }
    std::vector<std::pair<const RowMatch*, size_t>> rows;
    for (const auto& row : out_) rows.emplace_back(match_of(row), row.current);
    put_lists(rows, slot, target, begin);
  }

  // For each of these places in matches, the rows with the slot's labels up to there.
  void put_lists(const std::vector<std::pair<const RowMatch*, size_t>>& places, const Slot& slot,
                 Vector& target, idx_t begin) {
    idx_t at = ListVector::GetListSize(target);
    std::vector<int64_t> rows;
    std::vector<uint32_t> labels;
    auto* entries = FlatVector::GetData<duckdb::list_entry_t>(target);
    for (size_t i = 0; i < places.size(); ++i) {
      auto [match, current] = places[i];
      idx_t first = rows.size();
      size_t end = !match       ? 0
                   : slot.final ? match->labels.size()
                                : std::min(current + 1, match->labels.size());
      for (size_t k = 0; k < end; ++k) {
        if (!slot.takes(match->labels[k])) continue;
        rows.push_back(static_cast<int64_t>(match->start + k));
        labels.push_back(match->labels[k]);
      }
      entries[begin + i] = {at + first, rows.size() - first};
    }
    ListVector::Reserve(target, at + rows.size());
    auto& fields = StructVector::GetEntries(ListVector::GetEntry(target));
    for (size_t field = 0; field < slot.items.size(); ++field) {
      if (slot.items[field] >= 0) {
        gather(*partition_, static_cast<size_t>(slot.items[field]), rows, *fields[field], at);
        continue;
      }
      for (size_t i = 0; i < labels.size(); ++i)
        put_text(*fields[field], at + i, &spec_.labels[labels[i]]);
    }
    ListVector::SetListSize(target, at + rows.size());
  }
};

void match(duckdb::DataChunk& chunk, duckdb::ExpressionState& state, Vector& result) {
  const auto& bound =
      state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<MatchBind>();
  Recognizer recognizer(state.GetContext(), bound);
  Vector& lists = chunk.data[0];
  duckdb::UnifiedVectorFormat format;
  lists.ToUnifiedFormat(chunk.size(), format);
  auto& rows = ListVector::GetEntry(lists);
  rows.Flatten(ListVector::GetListSize(lists));
  Partition partition;
  for (auto& column : StructVector::GetEntries(rows)) {
    column->Flatten(ListVector::GetListSize(lists));
    partition.columns.push_back(column.get());
  }
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (idx_t i = 0; i < chunk.size(); ++i) {
    idx_t at = format.sel->get_index(i);
    if (!format.validity.RowIsValid(at)) {
      FlatVector::SetNull(result, i, true);
      continue;
    }
    auto entry = duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(format)[at];
    partition.offset = entry.offset;
    partition.rows = entry.length;
    idx_t begin = ListVector::GetListSize(result);
    idx_t count = recognizer.run(partition, result);
    FlatVector::GetData<duckdb::list_entry_t>(result)[i] = {begin, count};
  }
}

bool reads_neighbours_only(const Spec& spec, size_t label, const Condition& condition) {
  for (size_t index : condition.reads) {
    const Slot& slot = spec.define[index];
    bool here = slot.kind == Slot::Kind::column && slot.last && slot.logical == 0 &&
                slot.takes(static_cast<uint32_t>(label));
    if (!here) return false;
  }
  return true;
}

duckdb::unique_ptr<duckdb::FunctionData> bind(
    duckdb::ClientContext& context, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  auto bound = duckdb::make_uniq<MatchBind>();
  auto spec = std::make_shared<Spec>(read_match_spec(constant_text(context, *arguments[1])));
  const LogicalType rows = arguments[0]->return_type;
  if (rows.id() != duckdb::LogicalTypeId::LIST) throw duckdb::BinderException("rows expected");
  const auto& columns = duckdb::StructType::GetChildTypes(duckdb::ListType::GetChildType(rows));
  for (const auto& slot : spec->define) bound->define_types.push_back(slot_type(slot, columns));
  for (size_t label = 0; label < spec->conditions.size(); ++label) {
    Condition condition;
    if (!spec->conditions[label].empty()) {
      condition.expression = bind_slot_expression(context, spec->conditions[label], spec->alias,
                                                  bound->define_types, LogicalType::BOOLEAN);
      std::set<size_t> reads;
      find_reads(*condition.expression, reads);
      condition.reads.assign(reads.begin(), reads.end());
      condition.history_free =
          reads_neighbours_only(*spec, label, condition) && !condition.expression->IsVolatile();
    }
    bound->conditions.push_back(std::move(condition));
  }
  duckdb::child_list_t<LogicalType> fields;
  for (const auto& slot : spec->output)
    fields.emplace_back("f" + std::to_string(fields.size()), slot_type(slot, columns));
  function.arguments[0] = rows;
  function.return_type = LogicalType::LIST(LogicalType::STRUCT(std::move(fields)));
  bound->spec = std::move(spec);
  return bound;
}

}  // namespace

void register_row_patterns(duckdb::DatabaseInstance& database) {
  duckdb::ScalarFunction function("aichemy_match", {LogicalType::ANY, LogicalType::VARCHAR},
                                  LogicalType::ANY, match, bind);
  function.errors = duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR;
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  duckdb::ExtensionLoader loader(database, "aichemy");
  loader.RegisterFunction(function);
}

}  // namespace aichemy::sql
