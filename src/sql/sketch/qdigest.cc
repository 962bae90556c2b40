#include "sql/sketch/qdigest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "sql/sketch/numbers.h"

namespace aichemy::sql {
namespace {

constexpr int kLevels = 64;
constexpr double kNothing = 1e-5;  // weights below are as none
constexpr uint64_t kSign = uint64_t{1} << 63;
constexpr unsigned kHasLeft = 1, kHasRight = 2, kLevelShift = 2;

// Order as unsigned.
uint64_t to_bits(int64_t value) { return static_cast<uint64_t>(value) ^ kSign; }
int64_t to_value(uint64_t bits) { return static_cast<int64_t>(bits ^ kSign); }

bool same_subtree(uint64_t a, uint64_t b, int level) {
  return level >= kLevels || (a >> level) == (b >> level);
}
bool goes_right(uint64_t bits, int level) { return ((bits >> (level - 1)) & 1) != 0; }

std::unexpected<Error> broken() {
  return fail(Code::invalid, "qdigest", "Cannot deserialize quantile digest");
}

// Children before their parent; `visit` says whether to go on.
template <class NodeType, class Visit>
bool post_order(NodeType* node, const Visit& visit) {
  if (!node) return true;
  return post_order(node->left.get(), visit) && post_order(node->right.get(), visit) &&
         visit(*node);
}

}  // namespace

uint64_t QuantileDigest::Node::last() const {
  return level == 0 ? bits : bits | (~uint64_t{0} >> (kLevels - level));
}

QuantileDigest::NodePtr QuantileDigest::Node::copy() const {
  auto made = std::make_unique<Node>();
  made->bits = bits;
  made->level = level;
  made->weight = weight;
  if (left) made->left = left->copy();
  if (right) made->right = right->copy();
  return made;
}

QuantileDigest::QuantileDigest(const QuantileDigest& other)
    : error_(other.error_),
      total_(other.total_),
      least_(other.least_),
      greatest_(other.greatest_),
      root_(other.root_ ? other.root_->copy() : nullptr) {}

// A parent for two subtrees at the level where their values part.
QuantileDigest::NodePtr QuantileDigest::joined(NodePtr a, NodePtr b) {
  auto parent = std::make_unique<Node>();
  parent->bits = a->bits;
  parent->level = kLevels - std::countl_zero(a->bits ^ b->bits);
  if (goes_right(a->bits, parent->level)) std::swap(a, b);
  parent->left = std::move(a);
  parent->right = std::move(b);
  return parent;
}

void QuantileDigest::add(int64_t value, double weight) {
  if (weight < kNothing) return;
  least_ = std::min(least_, value);
  greatest_ = std::max(greatest_, value);
  double before = total_;
  total_ += weight;
  auto leaf = std::make_unique<Node>();
  leaf->bits = to_bits(value);
  leaf->weight = weight;
  NodePtr* at = &root_;
  while (true) {
    Node* node = at->get();
    if (!node) {
      *at = std::move(leaf);
      break;
    }
    if (!same_subtree(leaf->bits, node->bits, node->level)) {
      *at = joined(std::move(*at), std::move(leaf));
      break;
    }
    if (node->level == 0) {  // the value itself
      node->weight += weight;
      break;
    }
    at = goes_right(leaf->bits, node->level) ? &node->right : &node->left;
  }
  // The bound of every node moves when the total passes a multiple of the factor.
  double step = factor();
  if (std::floor(std::floor(before) / step) != std::floor(std::floor(total_) / step)) compress();
}

QuantileDigest::NodePtr QuantileDigest::merged(NodePtr node, const Node* other) {
  if (!other) return node;
  if (!node) return other->copy();
  if (!same_subtree(node->bits, other->bits, std::max(node->level, other->level)))
    return joined(std::move(node), other->copy());
  if (node->level > other->level) {
    NodePtr& side = goes_right(other->bits, node->level) ? node->right : node->left;
    side = merged(std::move(side), other);
    return node;
  }
  if (node->level < other->level) {
    auto top = std::make_unique<Node>();
    top->bits = other->bits;
    top->level = other->level;
    top->weight = other->weight;
    bool right = goes_right(node->bits, other->level);
    const Node* aside = right ? other->left.get() : other->right.get();
    const Node* below = right ? other->right.get() : other->left.get();
    (right ? top->right : top->left) = merged(std::move(node), below);
    if (aside) (right ? top->left : top->right) = aside->copy();
    return top;
  }
  node->weight += other->weight;
  node->left = merged(std::move(node->left), other->left.get());
  node->right = merged(std::move(node->right), other->right.get());
  return node;
}

void QuantileDigest::merge(const QuantileDigest& other) {
  root_ = merged(std::move(root_), other.root_.get());
  total_ += other.total_;
  least_ = std::min(least_, other.least_);
  greatest_ = std::max(greatest_, other.greatest_);
  compress();
}

double QuantileDigest::factor() const {
  if (!root_) return 1;
  double made = std::floor((root_->level + 1) / error_);
  return std::clamp(made, 1.0, static_cast<double>(std::numeric_limits<int32_t>::max()));
}

// Weights of light children move to their parent; a node without weight stays only while it has
// two children.
void QuantileDigest::lighten(NodePtr& node, double bound) {
  if (node->left) lighten(node->left, bound);
  if (node->right) lighten(node->right, bound);
  double left = node->left ? node->left->weight : 0, right = node->right ? node->right->weight : 0;
  bool light = node->weight + left + right < bound;
  auto absorb = [&](NodePtr& child, double weight) {
    if (!child || (!light && weight >= kNothing)) return;
    node->weight += weight;
    if (child->left && child->right) {
      child->weight = 0;
      return;
    }
    NodePtr only = std::move(child->left ? child->left : child->right);
    child = std::move(only);
  };
  absorb(node->left, left);
  absorb(node->right, right);
}

void QuantileDigest::compress() {
  if (!root_) return;
  lighten(root_, std::floor(total_ / factor()));
  if (root_->weight < kNothing && !(root_->left && root_->right)) {
    NodePtr only = std::move(root_->left ? root_->left : root_->right);
    root_ = std::move(only);
  }
}

int64_t QuantileDigest::value_at(double quantile) const {
  double sum = 0, wanted = quantile * total_;
  int64_t found = greatest_;
  post_order(root_.get(), [&](const Node& node) {
    sum += node.weight;
    if (sum <= wanted) return true;
    found = std::min(to_value(node.last()), greatest_);
    return false;
  });
  return found;
}

double QuantileDigest::share_below(int64_t value) const {
  double sum = 0;
  post_order(root_.get(), [&](const Node& node) {
    if (to_value(node.last()) >= value) return false;
    sum += node.weight;
    return true;
  });
  return sum / total_;
}

std::string QuantileDigest::serialize() {
  compress();
  std::string nodes;
  int32_t count = 0;
  post_order(root_.get(), [&](const Node& node) {
    auto level = static_cast<unsigned>(std::max(node.level - 1, 0));
    unsigned mark =
        (level << kLevelShift) | (node.left ? kHasLeft : 0U) | (node.right ? kHasRight : 0U);
    append(nodes, static_cast<uint8_t>(mark));
    append(nodes, node.weight);
    append(nodes, node.bits);
    ++count;
    return true;
  });
  std::string out;
  append<int8_t>(out, 0);
  append(out, error_);
  append<double>(out, 0);
  append<int64_t>(out, 0);
  append(out, least_);
  append(out, greatest_);
  append(out, count);
  return out + nodes;
}

// A stack of subtrees: a parent takes its children, which came before it. Levels fall on the way
// down, which bounds the depth.
Result<QuantileDigest::NodePtr> QuantileDigest::Node::read(std::string_view& bytes,
                                                           uint32_t count) {
  std::vector<NodePtr> open;
  for (uint32_t i = 0; i < count; ++i) {
    auto node = std::make_unique<Node>();
    uint8_t mark = 0;
    if (!take(bytes, mark) || !take(bytes, node->weight) || !take(bytes, node->bits))
      return broken();
    bool inner = (mark & (kHasLeft | kHasRight)) != 0;
    node->level = (mark >> kLevelShift) + (inner ? 1 : 0);
    if (!(node->weight >= 0) || std::isinf(node->weight)) return broken();
    for (auto [flag, side] : {std::pair{kHasRight, &Node::right}, {kHasLeft, &Node::left}}) {
      if ((mark & flag) == 0) continue;
      if (open.empty() || open.back()->level >= node->level ||
          !same_subtree(open.back()->bits, node->bits, node->level) ||
          goes_right(open.back()->bits, node->level) != (flag == kHasRight))
        return broken();
      (*node).*side = std::move(open.back());
      open.pop_back();
    }
    open.push_back(std::move(node));
  }
  if (open.size() > 1) return broken();
  return open.empty() ? nullptr : std::move(open[0]);
}

Result<QuantileDigest> QuantileDigest::read(std::string_view bytes) {
  QuantileDigest made;
  int8_t format = 0;
  double decay = 0;
  int64_t landmark = 0;
  int32_t count = 0;
  bool good = take(bytes, format) && format == 0 && take(bytes, made.error_) &&
              take(bytes, decay) && take(bytes, landmark) && take(bytes, made.least_) &&
              take(bytes, made.greatest_) && take(bytes, count);
  constexpr size_t kNodeBytes = 17;
  if (!good || count < 0 || bytes.size() != static_cast<size_t>(count) * kNodeBytes ||
      !(made.error_ >= 0 && made.error_ <= 1))
    return broken();
  if (decay != 0)
    return fail(Code::invalid, "qdigest", "Quantile digests whose weights decay are not supported");
  ASSIGN_OR_RETURN(made.root_, Node::read(bytes, static_cast<uint32_t>(count)));
  post_order(made.root_.get(), [&](const Node& node) {
    made.total_ += node.weight;
    return true;
  });
  return made;
}

}  // namespace aichemy::sql
