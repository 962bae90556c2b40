// geometry_union_agg, convex_hull_agg, geometry_collect_agg.
#include "sql/native/aggregate.h"

#include "sql/geo/binding.h"
#include "sql/geo/planar.h"

namespace aichemy::geo {
namespace {

// The geometries of a group so far; what folds does so whenever they grow large.
struct Gathered {
  std::vector<std::string> geometries;
  size_t bytes = 0;
  int32_t srid = 0;

  void keep(std::string_view geometry) {
    srid = common_srid(srid, srid_of(geometry));
    geometries.emplace_back(geometry);
    bytes += geometry.size();
  }
  void keep_all(const Gathered& other) {
    for (const auto& geometry : other.geometries) keep(geometry);
  }
  void replace(std::string geometry) {
    geometries.clear();
    bytes = geometry.size();
    geometries.push_back(std::move(geometry));
  }
  std::vector<std::string_view> views() const { return {geometries.begin(), geometries.end()}; }
};

constexpr size_t kFoldBytes = 1 << 20;

struct Union : Gathered {
  size_t fold_at = kFoldBytes;

  static std::string fold(const Gathered& group) {
    std::string made = or_raise(union_of(group.views()));
    if (!or_raise(read_own_form(made)).is_empty()) return made;
    return own_form(Shape::empty(Kind::collection, group.srid));
  }
};
struct Hull : Gathered {
  size_t fold_at = kFoldBytes;

  static std::string fold(const Gathered& group) {
    std::vector<Shape> members;
    for (const auto& one : group.geometries) members.push_back(or_raise(read_own_form(one)));
    // A single empty geometry or point is its own hull.
    if (members.size() == 1 && (members[0].is_empty() || members[0].is(Kind::point)))
      return group.geometries[0];
    std::string all = own_form(collect(std::move(members)));
    return or_raise(or_raise(Planar::read(all)).make(Making::convex_hull));
  }
};

template <class Folding>
struct FoldState : Folding {
  bool add(const sql::AggregateRow& row) {
    if (row.any_null()) return false;
    this->keep(row.text(0));
    shrink();
    return true;
  }
  void merge(const FoldState& other) {
    this->keep_all(other);
    shrink();
  }
  // What stays large after folding is folded again when it has doubled.
  void shrink() {
    if (this->bytes < this->fold_at) return;
    this->replace(Folding::fold(*this));
    this->fold_at = std::max(kFoldBytes, 2 * this->bytes);
  }
  void write(Vector& result, idx_t at) const { put_bytes(result, at, Folding::fold(*this)); }
};

struct CollectState : Gathered {
  bool add(const sql::AggregateRow& row) {
    if (row.any_null()) return false;
    keep(row.text(0));
    return true;
  }
  void merge(const CollectState& other) { keep_all(other); }
  void write(Vector& result, idx_t at) const {
    std::vector<Shape> members;
    for (const auto& one : geometries) members.push_back(or_raise(read_own_form(one)));
    put_bytes(result, at, own_form(collect(std::move(members))));
  }
};

}  // namespace

void register_geo_aggregates(duckdb::DatabaseInstance& database) {
  duckdb::ExtensionLoader loader(database, "aichemy");
  const duckdb::LogicalType bytes = duckdb::LogicalType::BLOB;
  auto add = [&](const char* name, duckdb::AggregateFunction function) {
    duckdb::AggregateFunctionSet set(name);
    set.AddFunction(std::move(function));
    loader.RegisterFunction(set);
  };
  add("aichemy_geo_union_agg", sql::NativeAggregate<FoldState<Union>>::made({bytes}, bytes));
  add("aichemy_geo_hull_agg", sql::NativeAggregate<FoldState<Hull>>::made({bytes}, bytes));
  add("aichemy_geo_collect_agg", sql::NativeAggregate<CollectState>::made({bytes}, bytes));
}

}  // namespace aichemy::geo
