#include "sql/analysis/pattern_program.h"

#include <algorithm>
#include <numeric>

#include "sql/analysis/analyzer.h"

namespace aichemy::sql {
namespace {

using Step = PatternStep;
using Node = PatternNode;

class Compiler {
 public:
  explicit Compiler(const LabelOf& label) : label_(label) {}

  Result<std::vector<Step>> run(const Node& pattern) {
    RETURN_IF_ERROR(add(pattern));
    RETURN_IF_ERROR(emit({Step::Kind::done}, pattern));
    return std::move(steps_);
  }

 private:
  static constexpr size_t kStepsMax = 100'000;
  const LabelOf& label_;
  std::vector<Step> steps_;
  size_t marks_ = 0;

  size_t here() const { return steps_.size(); }

  Status emit(Step step, const Node& node) {
    if (steps_.size() >= kStepsMax) {
      return semantic_error("INVALID_ROW_PATTERN", node.at,
                            "The row pattern is too long when its quantifiers are written out");
    }
    steps_.push_back(step);
    return {};
  }

  // A split whose second (or, when reluctant, first) way is patched later.
  Status emit_split(bool reluctant, std::vector<size_t>& open, const Node& node) {
    open.push_back(here());
    Step split{Step::Kind::split, here() + 1, 0};
    if (reluctant) std::swap(split.first, split.second);
    return emit(split, node);
  }
  void close(const std::vector<size_t>& open, bool reluctant) {
    for (size_t at : open) (reluctant ? steps_[at].first : steps_[at].second) = here();
  }

  Status add(const Node& node) {
    switch (node.kind) {
      case Node::Kind::label: return emit({Step::Kind::label, label_(node.name)}, node);
      case Node::Kind::empty: return {};
      case Node::Kind::start: return emit({Step::Kind::start}, node);
      case Node::Kind::end: return emit({Step::Kind::end}, node);
      case Node::Kind::sequence:
        for (const auto& part : node.parts) RETURN_IF_ERROR(add(part));
        return {};
      case Node::Kind::choice: {
        std::vector<std::vector<const Node*>> ways;
        for (const auto& part : node.parts) ways.push_back({&part});
        return add_ways(ways, node);
      }
      case Node::Kind::permutation: return add_permutations(node);
      case Node::Kind::excluded:
        RETURN_IF_ERROR(emit({Step::Kind::exclude, 1}, node));
        RETURN_IF_ERROR(add(node.parts[0]));
        return emit({Step::Kind::exclude, 0}, node);
      case Node::Kind::repeated: return add_repeated(node);
    }
    return {};
  }

  // Each way is a sequence; earlier ones are preferred.
  Status add_ways(const std::vector<std::vector<const Node*>>& ways, const Node& node) {
    std::vector<size_t> jumps;
    for (size_t i = 0; i < ways.size(); ++i) {
      std::vector<size_t> open;
      if (i + 1 < ways.size()) RETURN_IF_ERROR(emit_split(false, open, node));
      for (const Node* part : ways[i]) RETURN_IF_ERROR(add(*part));
      if (i + 1 < ways.size()) {
        jumps.push_back(here());
        RETURN_IF_ERROR(emit({Step::Kind::jump}, node));
      }
      close(open, false);
    }
    for (size_t at : jumps) steps_[at].first = here();
    return {};
  }

  // In the order of the list, as if every permutation had been written.
  Status add_permutations(const Node& node) {
    constexpr size_t kPartsMax = 8;
    if (node.parts.size() > kPartsMax) {
      return semantic_error("INVALID_ROW_PATTERN", node.at,
                            "PERMUTE of more than 8 patterns is not supported");
    }
    std::vector<size_t> order(node.parts.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::vector<std::vector<const Node*>> ways;
    do {
      auto& way = ways.emplace_back();
      for (size_t i : order) way.push_back(&node.parts[i]);
    } while (std::ranges::next_permutation(order).found);
    return add_ways(ways, node);
  }

  Status add_repeated(const Node& node) {
    const Node& part = node.parts[0];
    for (int64_t i = 0; i < node.low; ++i) RETURN_IF_ERROR(add(part));
    std::vector<size_t> open;
    if (node.high) {
      for (int64_t i = node.low; i < *node.high; ++i) {
        RETURN_IF_ERROR(emit_split(node.reluctant, open, node));
        RETURN_IF_ERROR(add(part));
      }
      close(open, node.reluctant);
      return {};
    }
    size_t loop = here(), mark = marks_++;
    RETURN_IF_ERROR(emit_split(node.reluctant, open, node));
    RETURN_IF_ERROR(emit({Step::Kind::mark, mark}, node));
    RETURN_IF_ERROR(add(part));
    size_t check = here();
    RETURN_IF_ERROR(emit({Step::Kind::check, mark}, node));
    RETURN_IF_ERROR(emit({Step::Kind::jump, loop}, node));
    steps_[check].second = here();
    close(open, node.reluctant);
    return {};
  }
};

}  // namespace

Result<std::vector<PatternStep>> compile_pattern(const PatternNode& pattern, const LabelOf& label) {
  return Compiler(label).run(pattern);
}

}  // namespace aichemy::sql
