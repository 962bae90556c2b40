#include "sql/analysis/expressions.h"

#include <functional>
#include <string>

#include "sql/analysis/analyzer.h"

namespace aichemy::sql {
namespace {

void mix(size_t& hash, size_t value) {
  hash ^= value + 0x9e3779b97f4a7c15 + (hash << 6) + (hash >> 2);
}

// Equal for expressions that are the same: names of columns and numbers of parameters do not count.
size_t hash_of(const Bound& value) {
  using Kind = Bound::Kind;
  size_t hash = static_cast<size_t>(value.kind);
  if (value.kind == Kind::variable) return hash;
  if (value.kind != Kind::lambda) {
    if (value.kind != Kind::column) mix(hash, std::hash<std::string>()(value.text));
    mix(hash, value.relation);
    mix(hash, value.index);
    mix(hash, value.distinct);
  }
  for (const BoundPtr& arg : value.args) mix(hash, hash_of(*arg));
  if (value.filter) mix(hash, hash_of(*value.filter));
  return hash;
}

}  // namespace

bool varies(const BoundPtr& value) {
  bool found = false;
  rewrite(value, [&](const BoundPtr& part) -> BoundPtr {
    found = found || (part->kind == Bound::Kind::call &&
                      (part->text.contains("random(") || part->text.contains("uuid(")));
    return nullptr;
  });
  return found;
}

void ExpressionIndex::add(const BoundPtr& expression, size_t number) {
  by_hash_.emplace(hash_of(*expression), std::pair(expression, number));
}

std::optional<size_t> ExpressionIndex::find(const Bound& expression) const {
  auto [begin, end] = by_hash_.equal_range(hash_of(expression));
  for (auto at = begin; at != end; ++at) {
    if (same_expression(*at->second.first, expression)) return at->second.second;
  }
  return std::nullopt;
}

}  // namespace aichemy::sql
