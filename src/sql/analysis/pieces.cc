#include "sql/analysis/pieces.h"

#include <vector>

namespace aichemy::sql {
namespace {

using Kind = Bound::Kind;

constexpr size_t kDepthMax = 48;  // that the engine gets as it is
constexpr size_t kPieceDepth = 32;
constexpr size_t kParameters = size_t{1} << 40;  // the relation of a piece's parameters: no plan's

bool is_arithmetic(const Bound& value) {
  if (value.kind != Kind::call || value.args.size() != 2) return false;
  if (value.text.find("aichemy_decimal_") != std::string::npos) return true;
  return value.text == "({0} + {1})" || value.text == "({0} - {1})" ||
         value.text == "({0} * {1})" || value.text == "({0} / {1})";
}

// What may stand between two operators.
bool is_link(const Bound& value) {
  return is_arithmetic(value) || (value.kind == Kind::cast && !value.safe);
}

bool is_deep(const Bound& value) {
  const Bound* at = &value;
  for (size_t depth = 0; is_link(*at); at = at->args[0].get()) {
    if (++depth > kDepthMax) return true;
  }
  return false;
}

bool is_constant(const Bound& value) {
  const Bound* at = &value;
  while (at->kind == Kind::cast) at = at->args[0].get();
  return at->kind == Kind::literal;
}

// Operators over the result of the piece before; what else they take becomes a parameter.
class Piece {
 public:
  explicit Piece(BoundPtr before) { value_ = parameter(std::move(before)); }

  void add(const Bound& link) {
    auto made = std::make_shared<Bound>(link);
    made->args[0] = value_;
    for (size_t i = 1; i < made->args.size(); ++i) {
      if (!is_constant(*made->args[i])) made->args[i] = parameter(made->args[i]);
    }
    value_ = std::move(made);
  }

  BoundPtr take() {
    auto routine = std::make_shared<BoundRoutine>();
    routine->relation = kParameters;
    routine->parameters = arguments_.size();
    for (const BoundPtr& argument : arguments_) routine->variables.push_back(argument->type);
    routine->steps.push_back({.kind = BoundRoutine::Step::Kind::return_, .value = value_});
    auto made = std::make_shared<Bound>();
    made->kind = Kind::routine;
    made->type = value_->type;
    made->args = std::move(arguments_);
    made->routine = std::move(routine);
    return made;
  }

 private:
  std::vector<BoundPtr> arguments_;
  BoundPtr value_;

  BoundPtr parameter(BoundPtr argument) {
    auto column = make_column(kParameters, arguments_.size(), argument->type);
    arguments_.push_back(std::move(argument));
    return column;
  }
};

}  // namespace

BoundPtr in_pieces(const Bound& value) {
  if (!is_deep(value)) return nullptr;
  std::vector<const Bound*> links{&value};
  while (is_link(*links.back()->args[0])) links.push_back(links.back()->args[0].get());
  BoundPtr made = links.back()->args[0];
  while (!links.empty()) {
    Piece piece(std::move(made));
    for (size_t i = 0; i < kPieceDepth && !links.empty(); ++i) {
      piece.add(*links.back());
      links.pop_back();
    }
    made = piece.take();
  }
  return made;
}

}  // namespace aichemy::sql
