// A quantile digest (Shrivastava and others, "Medians and Beyond", SenSys 2004) over 64-bit
// integers with the serialized form of airlift's, which Trino writes: format 0, error, decay,
// landmark, least and greatest value, the number of nodes, then the nodes in post-order: a byte
// (two bits for which children there are, above them the level less one), weight, value. A node
// without children is read with the level as it stands there: a range that lost its children to a
// compression comes back as its lower half, here as in Trino.
//
// The digest is a binary trie: a node of level n stands for 2^n neighbouring values, and light ones
// give their weight to their parent.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace aichemy::sql {

class QuantileDigest {
 public:
  static constexpr double kError = 0.01;  // of qdigest_agg when nothing else is asked for

  explicit QuantileDigest(double error = kError) : error_(error) {}
  QuantileDigest(const QuantileDigest& other);
  QuantileDigest(QuantileDigest&&) noexcept = default;
  QuantileDigest& operator=(QuantileDigest&&) noexcept = default;
  ~QuantileDigest() = default;
  // invalid ("qdigest") for other bytes, and for digests whose weights decay.
  static Result<QuantileDigest> read(std::string_view bytes);

  // weight above 0
  void add(int64_t value, double weight);
  void merge(const QuantileDigest& other);
  double total() const { return total_; }
  int64_t least() const { return least_; }
  int64_t greatest() const { return greatest_; }
  // An upper bound: the rank of what is returned lies within the error above the quantile's.
  int64_t value_at(double quantile) const;
  // The share of the weight that is known to lie below the value.
  double share_below(int64_t value) const;
  std::string serialize();

 private:
  struct Node;
  using NodePtr = std::unique_ptr<Node>;
  struct Node {
    uint64_t bits = 0;  // of a value below this node; ordered as unsigned
    int level = 0;
    double weight = 0;
    NodePtr left, right;
    uint64_t last() const;  // of the values it stands for
    NodePtr copy() const;
    static Result<NodePtr> read(std::string_view& bytes, uint32_t count);
  };
  double error_ = kError, total_ = 0;
  int64_t least_ = std::numeric_limits<int64_t>::max();
  int64_t greatest_ = std::numeric_limits<int64_t>::min();
  NodePtr root_;

  static NodePtr joined(NodePtr a, NodePtr b);
  static NodePtr merged(NodePtr node, const Node* other);
  static void lighten(NodePtr& node, double bound);
  double factor() const;
  void compress();
};

}  // namespace aichemy::sql
