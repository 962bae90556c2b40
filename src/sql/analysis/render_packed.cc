#include "sql/analysis/render_packed.h"

#include <fmt/format.h>

#include "sql/analysis/renderer.h"
#include "sql/types/coercion.h"

namespace aichemy::sql {
namespace {

// Shorter lists stay literals: the engine prunes files by those of an IN.
constexpr size_t kRowsMin = 500, kItemsMin = 2000, kTermsMin = 64;
constexpr std::string_view kSeparator = "\x1f", kNull = "\x1e";

bool is_packable(const Type& type) {
  bool number = type.is_integer() || type.is(TypeKind::double_) || type.is(TypeKind::decimal);
  return number || type.is(TypeKind::varchar) || type.is(TypeKind::boolean);
}

// The literal below a cast that reads its text as the wider type would.
const Bound* plain_literal(const Bound& value, const Type& wanted) {
  const Bound* at = &value;
  if (at->kind == Bound::Kind::cast && !at->safe) {
    const Type& from = at->args[0]->type;
    bool exact = from.is_integer() || (from.is(TypeKind::decimal) && wanted.is(TypeKind::decimal));
    if (!exact || !can_coerce(from, wanted)) return nullptr;
    at = at->args[0].get();
  }
  if (at->kind != Bound::Kind::literal) return nullptr;
  if (at->null) return at;
  if (!is_packable(at->type) || at->text.find_first_of("\x1e\x1f") != std::string::npos ||
      at->text.find('\0') != std::string::npos)
    return nullptr;
  return at;
}

class Packing {
 public:
  explicit Packing(const Type& type) : type_(type), fits_(is_packable(type)) {}

  bool fits() const { return fits_; }
  bool nulls() const { return nulls_; }

  void add(const Bound& value) {
    const Bound* literal =
        fits_ && value.type.kind == type_.kind ? plain_literal(value, type_) : nullptr;
    fits_ = literal != nullptr;
    if (!fits_) return;
    if (!first_) joined_ += kSeparator;
    first_ = false;
    nulls_ = nulls_ || literal->null;
    joined_ += literal->null ? kNull : std::string_view(literal->text);
  }

  std::string list() const {
    std::string split = fmt::format("string_split({}, chr(31))", quote_text(joined_));
    if (nulls_) split = fmt::format("list_transform({}, lambda x: nullif(x, chr(30)))", split);
    return fmt::format("CAST({} AS {}[])", split, physical_type(type_));
  }

 private:
  const Type type_;
  std::string joined_;
  bool fits_, nulls_ = false, first_ = true;
};

}  // namespace

std::optional<std::string> render_packed_values(const Plan& plan) {
  if (plan.rows.size() < kRowsMin) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < plan.fields.size(); ++i) {
    Packing column(plan.fields[i].type);
    for (const auto& row : plan.rows) {
      column.add(*row[i]);
      if (!column.fits()) return std::nullopt;
    }
    out += fmt::format("{}unnest({}) AS c{}", i ? ", " : "SELECT ", column.list(), i);
  }
  return out;
}

std::optional<std::string> render_packed_array(const Bound& call) {
  if (call.args.size() < kRowsMin || !call.text.starts_with("CAST([{*}] AS")) return std::nullopt;
  Packing items(call.type.element());
  for (const auto& item : call.args) {
    items.add(*item);
    if (!items.fits()) return std::nullopt;
  }
  return items.list();
}

std::optional<std::string> render_packed_items(const Bound& call) {
  if (call.args.size() < kItemsMin || call.text != "({0} IN ({1+}))") return std::nullopt;
  Packing items(call.args[0]->type);
  for (size_t i = 1; i < call.args.size(); ++i) {
    items.add(*call.args[i]);
    if (!items.fits()) return std::nullopt;
  }
  return fmt::format("SELECT unnest({})", items.list());
}

std::vector<BoundPtr> merge_texts(const std::vector<BoundPtr>& args, size_t first) {
  std::vector<BoundPtr> out;
  auto is_text = [](const Bound& part) {
    return part.kind == Bound::Kind::literal && !part.null && part.type.is(TypeKind::varchar);
  };
  for (size_t i = first; i < args.size();) {
    if (!is_text(*args[i])) {
      out.push_back(args[i++]);
      continue;
    }
    auto merged = std::make_shared<Bound>(*args[i++]);
    while (i < args.size() && is_text(*args[i])) merged->text += args[i++]->text;
    out.push_back(std::move(merged));
  }
  return out;
}

BoundPtr chain_as_in(const Bound& chain) {
  bool any = chain.text == "OR";
  if (chain.args.size() < kTermsMin || (!any && chain.text != "AND")) return nullptr;
  const char* wanted = any ? "({0} = {1})" : "({0} <> {1})";
  auto column = [](const Bound& value) {
    return value.kind == Bound::Kind::cast ? value.args[0].get() : &value;
  };
  auto made = std::make_shared<Bound>();
  for (const auto& term : chain.args) {
    if (term->kind != Bound::Kind::call || term->text != wanted) return nullptr;
    const Bound& left = *term->args[0];
    if (made->args.empty()) made->args.push_back(term->args[0]);
    const Bound &a = *column(left), &b = *column(*made->args[0]);
    bool same = a.kind == Bound::Kind::column && b.kind == Bound::Kind::column &&
                a.relation == b.relation && a.index == b.index && left.safe == b.safe &&
                left.type == made->args[0]->type;
    if (!same || !is_packable(left.type) || !plain_literal(*term->args[1], left.type))
      return nullptr;
    made->args.push_back(term->args[1]);
  }
  made->kind = Bound::Kind::call;
  made->type = chain.type;
  made->text = "({0} IN ({1+}))";
  if (any) return made;
  auto negated = std::make_shared<Bound>();
  negated->kind = Bound::Kind::call;
  negated->type = chain.type;
  negated->text = "(NOT {0})";
  negated->args.push_back(std::move(made));
  return negated;
}

// ---- long arithmetic ----

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

bool is_literal(const Bound& value) {
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
      if (!is_literal(*made->args[i])) made->args[i] = parameter(made->args[i]);
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
