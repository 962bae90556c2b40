// What is computed on the plane.
#include "sql/geo/planar.h"

#include <cmath>

#include "sql/geo/binding.h"
#include "sql/geo/geo.h"

namespace aichemy::geo {
namespace {

using Elements = std::vector<std::optional<std::string_view>>;

Planar planar_at(const NativeArguments& args, size_t argument, idx_t row) {
  return or_raise(Planar::read(args.text(argument, row)));
}

// An argument of many rows, read again only when it changes: of a join one side stays.
class Remembered {
 public:
  Planar& get(std::string_view bytes) {
    same_ = planar_ && bytes == bytes_;
    if (!same_) {
      planar_ = or_raise(Planar::read(bytes));
      bytes_ = bytes;
      box_ = or_raise(read_own_form(bytes)).box();
    }
    return *planar_;
  }
  // The point, which was not looked at further, lies outside of the box of the geometry.
  bool misses(std::string_view bytes, const Coordinate& point) {
    get(bytes);
    return box_.misses(point);
  }
  bool same() const { return same_; }  // as at the call before

 private:
  std::optional<Planar> planar_;
  std::string bytes_;
  Box box_;
  bool same_ = false;
};

Predicate converse(Predicate what) {
  switch (what) {
    case Predicate::contains: return Predicate::within;
    case Predicate::within: return Predicate::contains;
    default: return what;
  }
}

template <Predicate What>
void predicate(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  Remembered left, right;
  args.each_value<bool>(result, [&](idx_t row) {
    std::string_view a = args.text(0, row), b = args.text(1, row);
    common_srid(srid_of(a), srid_of(b));
    auto point = point_of(a), other_point = point_of(b);
    if (point.has_value() != other_point.has_value()) {
      bool apart = point ? right.misses(b, *point) : left.misses(a, *other_point);
      if (apart) return What == Predicate::disjoint;
    }
    Planar &one = left.get(a), &other = right.get(b);
    bool swap = right.same() && !left.same();
    return swap ? or_raise(other.test(converse(What), one)) : or_raise(one.test(What, other));
  });
}

template <Overlay What>
Bytes overlay(const NativeArguments& args, idx_t row) {
  common_srid(srid_of(args.text(0, row)), srid_of(args.text(1, row)));
  return or_raise(planar_at(args, 0, row).overlay(What, planar_at(args, 1, row)));
}

// Nothing united is an empty collection.
std::string united(const std::vector<std::string_view>& geometries) {
  std::string made = or_raise(union_of(geometries));
  if (!or_raise(read_own_form(made)).is_empty()) return made;
  return own_form(Shape::empty(Kind::collection, srid_of(made)));
}
Bytes union_of_two(const NativeArguments& args, idx_t row) {
  return united({args.text(0, row), args.text(1, row)});
}
std::vector<std::string_view> present(const Elements& elements) {
  std::vector<std::string_view> made;
  for (const auto& element : elements) {
    if (element) made.push_back(*element);
  }
  return made;
}
Bytes union_of_all(const Elements& elements) { return united(present(elements)); }
Bytes polygons_of(const Elements& elements) { return or_raise(polygonize(present(elements))); }

void require_amount(double value, const char* name) {
  if (std::isnan(value)) refuse(std::string(name) + " is NaN");
  if (value < 0) refuse(std::string(name) + " is negative");
}

Bytes buffer(const NativeArguments& args, idx_t row) {
  double distance = args.value<double>(1, row);
  require_amount(distance, "distance");
  if (distance == 0) return std::string(args.text(0, row));
  Planar planar = planar_at(args, 0, row);
  if (planar.is_empty()) return std::nullopt;
  if (std::isinf(distance))
    return own_form(Shape::empty(Kind::polygon, srid_of(args.text(0, row))));
  return or_raise(planar.make(Making::buffer, distance));
}

Bytes simplify(const NativeArguments& args, idx_t row) {
  double tolerance = args.value<double>(1, row);
  require_amount(tolerance, "distanceTolerance");
  if (tolerance == 0) return std::string(args.text(0, row));
  return or_raise(planar_at(args, 0, row).make(Making::simplify, tolerance));
}

Bytes reduce_precision(const NativeArguments& args, idx_t row) {
  double grid = args.value<double>(1, row);
  if (!std::isfinite(grid) || grid <= 0) refuse("gridSize must be finite and positive");
  return or_raise(planar_at(args, 0, row).make(Making::reduce_precision, grid));
}

Bytes voronoi(const NativeArguments& args, idx_t row, double tolerance) {
  if (!std::isfinite(tolerance) || tolerance < 0)
    refuse("tolerance must be finite and non-negative");
  return or_raise(planar_at(args, 0, row).make(Making::voronoi, tolerance));
}

Bytes centroid(const NativeArguments& args, idx_t row) {
  std::string_view bytes = args.text(0, row);
  Kind kind = kind_of(bytes);
  require_kind("ST_Centroid", kind,
               {Kind::point, Kind::multi_point, Kind::line_string, Kind::multi_line_string,
                Kind::polygon, Kind::multi_polygon});
  if (kind == Kind::point) return std::string(bytes);
  Planar planar = planar_at(args, 0, row);
  if (planar.is_empty()) return own_form(Shape::empty(Kind::point, srid_of(bytes)));
  return or_raise(planar.make(Making::centroid));
}

Bytes convex_hull(const NativeArguments& args, idx_t row) {
  std::string_view bytes = args.text(0, row);
  Planar planar = planar_at(args, 0, row);
  if (kind_of(bytes) == Kind::point || planar.is_empty()) return std::string(bytes);
  return or_raise(planar.make(Making::convex_hull));
}

Bytes boundary(const NativeArguments& args, idx_t row) {
  require_kind("ST_Boundary", kind_of(args.text(0, row)),
               {Kind::point, Kind::multi_point, Kind::line_string, Kind::multi_line_string,
                Kind::polygon, Kind::multi_polygon});
  return or_raise(planar_at(args, 0, row).make(Making::boundary));
}

Bytes line_merge(const NativeArguments& args, idx_t row) {
  std::string_view bytes = args.text(0, row);
  Kind kind = kind_of(bytes);
  if (kind != Kind::line_string && kind != Kind::multi_line_string)
    return own_form(Shape::empty(Kind::collection, srid_of(bytes)));
  return or_raise(planar_at(args, 0, row).make(Making::line_merge));
}

Bytes point_on_surface(const NativeArguments& args, idx_t row) {
  Planar planar = planar_at(args, 0, row);
  if (planar.is_empty()) return std::nullopt;
  return or_raise(planar.make(Making::point_on_surface));
}

Number length(const NativeArguments& args, idx_t row) {
  require_kind("ST_Length", kind_of(args.text(0, row)),
               {Kind::line_string, Kind::multi_line_string});
  return or_raise(planar_at(args, 0, row).measure(Measure::length));
}

Number distance(const NativeArguments& args, idx_t row) {
  common_srid(srid_of(args.text(0, row)), srid_of(args.text(1, row)));
  Planar a = planar_at(args, 0, row), b = planar_at(args, 1, row);
  if (a.is_empty() || b.is_empty()) return std::nullopt;
  return or_raise(a.distance(b));
}

Flag relate(const NativeArguments& args, idx_t row) {
  common_srid(srid_of(args.text(0, row)), srid_of(args.text(1, row)));
  std::string pattern(args.text(2, row));
  constexpr size_t kCells = 9;
  if (pattern.size() != kCells || pattern.find_first_not_of("TF*012tf") != std::string::npos)
    refuse("Invalid relation: " + pattern);
  return or_raise(planar_at(args, 0, row).relate(planar_at(args, 1, row), pattern));
}

Flag is_ring(const NativeArguments& args, idx_t row) {
  Shape line = shape_at(args, 0, row);
  require_kind("ST_IsRing", line.kind, {Kind::line_string});
  if (line.is_empty() || !line.points.front().same_place(line.points.back())) return false;
  return or_raise(planar_at(args, 0, row).is_simple());
}

Number locate(const NativeArguments& args, idx_t row) {
  std::string_view line_bytes = args.text(0, row), point_bytes = args.text(1, row);
  common_srid(srid_of(line_bytes), srid_of(point_bytes));
  Planar line = planar_at(args, 0, row), point = planar_at(args, 1, row);
  if (line.is_empty() || point.is_empty()) return std::nullopt;
  Kind kind = kind_of(line_bytes);
  if (kind != Kind::line_string && kind != Kind::multi_line_string) {
    refuse(std::string("First argument to line_locate_point must be a LineString or a "
                       "MultiLineString. Got: ") +
           plain_name(kind));
  }
  if (kind_of(point_bytes) != Kind::point) {
    refuse(std::string("Second argument to line_locate_point must be a Point. Got: ") +
           plain_name(kind_of(point_bytes)));
  }
  return or_raise(line.locate(point)) / or_raise(line.measure(Measure::length));
}

void nearest(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  auto& fields = duckdb::StructVector::GetEntries(result);
  args.each(result, [&](idx_t row) {
    common_srid(srid_of(args.text(0, row)), srid_of(args.text(1, row)));
    Planar a = planar_at(args, 0, row), b = planar_at(args, 1, row);
    if (a.is_empty() || b.is_empty()) return FlatVector::SetNull(result, row, true);
    auto [from, to] = or_raise(a.nearest(b));
    put_bytes(*fields[0], row, from);
    put_bytes(*fields[1], row, to);
  });
}

#define GEO_VALUE(physical, logical, expression) \
  value_of<physical, [](const NativeArguments& a, idx_t r) -> logical { return expression; }>
#define GEO_BYTES(expression) \
  bytes_of<[](const NativeArguments& a, idx_t r) -> Bytes { return expression; }>
#define GEO_MAKE(what) GEO_BYTES(or_raise(planar_at(a, 0, r).make(Making::what)))

}  // namespace

std::vector<NativeFunction> planar_functions() {
  return {
      {"aichemy_geo_contains", "BLOB, BLOB -> BOOLEAN", predicate<Predicate::contains>},
      {"aichemy_geo_crosses", "BLOB, BLOB -> BOOLEAN", predicate<Predicate::crosses>},
      {"aichemy_geo_disjoint", "BLOB, BLOB -> BOOLEAN", predicate<Predicate::disjoint>},
      {"aichemy_geo_equals", "BLOB, BLOB -> BOOLEAN", predicate<Predicate::equals>},
      {"aichemy_geo_intersects", "BLOB, BLOB -> BOOLEAN", predicate<Predicate::intersects>},
      {"aichemy_geo_overlaps", "BLOB, BLOB -> BOOLEAN", predicate<Predicate::overlaps>},
      {"aichemy_geo_touches", "BLOB, BLOB -> BOOLEAN", predicate<Predicate::touches>},
      {"aichemy_geo_within", "BLOB, BLOB -> BOOLEAN", predicate<Predicate::within>},
      {"aichemy_geo_relate", "BLOB, BLOB, VARCHAR -> BOOLEAN", (value_of<bool, relate>)},
      {"aichemy_geo_difference", "BLOB, BLOB -> BLOB", bytes_of<overlay<Overlay::difference>>},
      {"aichemy_geo_intersection", "BLOB, BLOB -> BLOB", bytes_of<overlay<Overlay::intersection>>},
      {"aichemy_geo_sym_difference", "BLOB, BLOB -> BLOB",
       bytes_of<overlay<Overlay::symmetric_difference>>},
      {"aichemy_geo_union", "BLOB, BLOB -> BLOB", bytes_of<union_of_two>},
      {"aichemy_geo_union_all", "BLOB[] -> BLOB", bytes_of_list<union_of_all>},
      {"aichemy_geo_polygonize", "BLOB[] -> BLOB", bytes_of_list<polygons_of>},
      {"aichemy_geo_buffer", "BLOB, DOUBLE -> BLOB", bytes_of<buffer>},
      {"aichemy_geo_simplify", "BLOB, DOUBLE -> BLOB", bytes_of<simplify>},
      {"aichemy_geo_reduce_precision", "BLOB, DOUBLE -> BLOB", bytes_of<reduce_precision>},
      {"aichemy_geo_voronoi", "BLOB -> BLOB", GEO_BYTES(voronoi(a, r, 0))},
      {"aichemy_geo_voronoi", "BLOB, DOUBLE -> BLOB",
       GEO_BYTES(voronoi(a, r, a.value<double>(1, r)))},
      {"aichemy_geo_centroid", "BLOB -> BLOB", bytes_of<centroid>},
      {"aichemy_geo_convex_hull", "BLOB -> BLOB", bytes_of<convex_hull>},
      {"aichemy_geo_boundary", "BLOB -> BLOB", bytes_of<boundary>},
      {"aichemy_geo_line_merge", "BLOB -> BLOB", bytes_of<line_merge>},
      {"aichemy_geo_point_on_surface", "BLOB -> BLOB", bytes_of<point_on_surface>},
      {"aichemy_geo_normalize", "BLOB -> BLOB", GEO_MAKE(normalize)},
      {"aichemy_geo_circle", "BLOB -> BLOB", GEO_MAKE(minimum_bounding_circle)},
      {"aichemy_geo_oriented_envelope", "BLOB -> BLOB", GEO_MAKE(oriented_envelope)},
      {"aichemy_geo_area", "BLOB -> DOUBLE",
       GEO_VALUE(double, Number, or_raise(planar_at(a, 0, r).measure(Measure::area)))},
      {"aichemy_geo_length", "BLOB -> DOUBLE", (value_of<double, length>)},
      {"aichemy_geo_distance", "BLOB, BLOB -> DOUBLE", (value_of<double, distance>)},
      {"aichemy_geo_locate", "BLOB, BLOB -> DOUBLE", (value_of<double, locate>)},
      {"aichemy_geo_is_simple", "BLOB -> BOOLEAN",
       GEO_VALUE(bool, Flag, or_raise(planar_at(a, 0, r).is_simple()))},
      {"aichemy_geo_is_ring", "BLOB -> BOOLEAN", (value_of<bool, is_ring>)},
      {"aichemy_geo_is_valid", "BLOB -> BOOLEAN",
       GEO_VALUE(bool, Flag, !or_raise(planar_at(a, 0, r).invalid_reason()))},
      {"aichemy_geo_invalid_reason", "BLOB -> VARCHAR",
       GEO_BYTES(or_raise(planar_at(a, 0, r).invalid_reason()))},
      {"aichemy_geo_nearest", "BLOB, BLOB -> STRUCT(f0 BLOB, f1 BLOB)", nearest},
  };
}

void register_geo_functions(duckdb::DatabaseInstance& database) {
  std::vector<NativeFunction> rows;
  for (auto family : {form_functions, accessor_functions, planar_functions, sphere_functions}) {
    for (auto& row : family()) rows.push_back(std::move(row));
  }
  sql::register_native_rows(database, rows);
  register_geo_aggregates(database);
}

}  // namespace aichemy::geo
