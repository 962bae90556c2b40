// What a geometry consists of: no computing on the plane.
#include <cmath>

#include "sql/geo/binding.h"

namespace aichemy::geo {
namespace {

Shape of_kind(const char* function, const NativeArguments& args, idx_t row, Kind kind) {
  Shape shape = shape_at(args, 0, row);
  require_kind(function, shape.kind, {kind});
  return shape;
}

// A part of a whole keeps its SRID, and its Z when it has any.
std::string part_form(const Shape& whole, Shape part) {
  part.srid = whole.srid;
  part.has_z = whole.has_z;
  return own_form(part);
}
std::string point_form(const Shape& whole, const Coordinate& at) {
  return part_form(whole, Shape::point(at));
}

Number ordinate(const char* function, const NativeArguments& args, idx_t row,
                double Coordinate::* which) {
  Shape shape = of_kind(function, args, row, Kind::point);
  if (shape.is_empty() || (which == &Coordinate::z && !shape.has_z)) return std::nullopt;
  return shape.points[0].*which;
}

Number edge(const NativeArguments& args, idx_t row, double Box::* which) {
  Box box = shape_at(args, 0, row).box();
  if (box.empty()) return std::nullopt;
  return box.*which;
}

Bytes nth_point(const char* function, const NativeArguments& args, idx_t row, int64_t index) {
  Shape line = of_kind(function, args, row, Kind::line_string);
  auto count = static_cast<int64_t>(line.points.size());
  if (index < 0) index = count + index + 1;  // only ST_EndPoint asks so
  if (index < 1 || index > count) return std::nullopt;
  return point_form(line, line.points[static_cast<size_t>(index - 1)]);
}
Bytes point_n(const NativeArguments& args, idx_t row) {
  int64_t index = args.value<int32_t>(1, row);
  return nth_point("ST_PointN", args, row, std::max<int64_t>(index, 0));
}

Bytes geometry_n(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  int64_t index = args.value<int32_t>(1, row);
  if (shape.is_empty()) return std::nullopt;
  if (!shape.is_multi()) return index == 1 ? Bytes(std::string(args.text(0, row))) : std::nullopt;
  if (index < 1 || index > static_cast<int64_t>(shape.parts.size())) return std::nullopt;
  return part_form(shape, shape.parts[static_cast<size_t>(index - 1)]);
}

Strings geometries(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  if (shape.is_empty()) return std::nullopt;
  if (!shape.is_multi()) return std::vector{std::string(args.text(0, row))};
  std::vector<std::string> made;
  for (const Shape& part : shape.parts) made.push_back(part_form(shape, part));
  return made;
}

Strings points(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  if (shape.is_empty()) return std::nullopt;
  std::vector<std::string> made;
  shape.each_point([&](const Coordinate& at) { made.push_back(point_form(shape, at)); });
  return made;
}

Strings interior_rings(const NativeArguments& args, idx_t row) {
  Shape shape = of_kind("ST_InteriorRings", args, row, Kind::polygon);
  if (shape.is_empty()) return std::nullopt;
  std::vector<std::string> made;
  for (size_t i = 1; i < shape.parts.size(); ++i) made.push_back(part_form(shape, shape.parts[i]));
  return made;
}
Bytes interior_ring(const NativeArguments& args, idx_t row) {
  Shape shape = of_kind("ST_InteriorRingN", args, row, Kind::polygon);
  int64_t index = args.value<int32_t>(1, row);
  if (index < 1 || index >= static_cast<int64_t>(shape.parts.size())) return std::nullopt;
  return part_form(shape, shape.parts[static_cast<size_t>(index)]);
}
Bytes exterior_ring(const NativeArguments& args, idx_t row) {
  Shape shape = of_kind("ST_ExteriorRing", args, row, Kind::polygon);
  if (shape.is_empty()) return std::nullopt;
  return part_form(shape, shape.parts[0]);
}
Whole interior_ring_count(const NativeArguments& args, idx_t row) {
  Shape shape = of_kind("ST_NumInteriorRing", args, row, Kind::polygon);
  if (shape.is_empty()) return std::nullopt;
  return static_cast<int64_t>(shape.parts.size()) - 1;
}

Whole geometry_count(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  if (shape.is_empty()) return 0;
  return shape.is_multi() ? static_cast<int64_t>(shape.parts.size()) : 1;
}

bool is_closed(const Shape& line) {
  for (const Shape& part : line.parts) {
    if (!is_closed(part)) return false;
  }
  return line.points.empty() || line.points.front().same_place(line.points.back());
}
Flag closed(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  require_kind("ST_IsClosed", shape.kind, {Kind::line_string, Kind::multi_line_string});
  return is_closed(shape) && !shape.is_empty();
}

// A box without width or height is a line, and without both a point.
Shape shape_of(const Box& box, int32_t srid) {
  if (box.empty()) return Shape::empty(Kind::polygon, srid);
  Coordinate low{box.x_min, box.y_min}, high{box.x_max, box.y_max};
  if (low.same_place(high)) return Shape::point(low, false, srid);
  if (low.x == high.x || low.y == high.y) return Shape::line({low, high}, false, srid);
  return Shape::rectangle(box, srid);
}
Bytes envelope(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  return own_form(shape_of(shape.box(), shape.srid));
}
Strings envelope_points(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  Box box = shape.box();
  if (box.empty()) return std::nullopt;
  return std::vector{own_form(Shape::point({box.x_min, box.y_min}, false, shape.srid)),
                     own_form(Shape::point({box.x_max, box.y_max}, false, shape.srid))};
}

// ---- along a line ----

std::vector<Coordinate> interpolated(const Shape& line, double fraction, bool repeated) {
  if (!(fraction >= 0 && fraction <= 1)) refuse("fraction must be between 0 and 1");
  const auto& points = line.points;
  if (fraction == 0) return {points.front()};
  if (fraction == 1) return {points.back()};
  double count_wanted = repeated ? std::floor(1 / fraction) : 1;
  constexpr double kPointsMax = 1'000'000;
  if (count_wanted > kPointsMax) refuse("fraction is too small: more than 1000000 points");
  auto count = static_cast<size_t>(count_wanted);
  auto length = [&](size_t i) {
    return std::hypot(points[i].x - points[i - 1].x, points[i].y - points[i - 1].y);
  };
  double total = 0;
  for (size_t i = 1; i < points.size(); ++i) total += length(i);
  std::vector<Coordinate> made;
  double passed = 0, next = fraction;
  for (size_t i = 1; i < points.size() && made.size() < count; ++i) {
    double share = length(i) / total;
    const Coordinate &a = points[i - 1], &b = points[i];
    for (; next < passed + share && made.size() < count; next += fraction) {
      double part = (next - passed) / share;
      made.push_back(
          {a.x + (b.x - a.x) * part, a.y + (b.y - a.y) * part, a.z + (b.z - a.z) * part});
    }
    passed += share;
  }
  if (made.size() < count) made.push_back(points.back());
  return made;
}
Strings interpolate(const NativeArguments& args, idx_t row, bool repeated) {
  Shape line = shape_at(args, 0, row);
  if (line.is_empty()) return std::nullopt;
  require_kind("line_interpolate_point", line.kind, {Kind::line_string});
  std::vector<std::string> made;
  for (const Coordinate& at : interpolated(line, args.value<double>(1, row), repeated))
    made.push_back(point_form(line, at));
  return made;
}
Bytes interpolate_one(const NativeArguments& args, idx_t row) {
  auto made = interpolate(args, row, false);
  return made ? Bytes(std::move((*made)[0])) : std::nullopt;
}
Strings interpolate_all(const NativeArguments& args, idx_t row) {
  return interpolate(args, row, true);
}

#define GEO_VALUE(physical, logical, expression) \
  value_of<physical, [](const NativeArguments& a, idx_t r) -> logical { return expression; }>
#define GEO_BYTES(expression) \
  bytes_of<[](const NativeArguments& a, idx_t r) -> Bytes { return expression; }>

}  // namespace

std::vector<NativeFunction> accessor_functions() {
  return {
      {"aichemy_geo_x", "BLOB -> DOUBLE",
       GEO_VALUE(double, Number, ordinate("ST_X", a, r, &Coordinate::x))},
      {"aichemy_geo_y", "BLOB -> DOUBLE",
       GEO_VALUE(double, Number, ordinate("ST_Y", a, r, &Coordinate::y))},
      {"aichemy_geo_z", "BLOB -> DOUBLE",
       GEO_VALUE(double, Number, ordinate("ST_Z", a, r, &Coordinate::z))},
      {"aichemy_geo_x_min", "BLOB -> DOUBLE", GEO_VALUE(double, Number, edge(a, r, &Box::x_min))},
      {"aichemy_geo_x_max", "BLOB -> DOUBLE", GEO_VALUE(double, Number, edge(a, r, &Box::x_max))},
      {"aichemy_geo_y_min", "BLOB -> DOUBLE", GEO_VALUE(double, Number, edge(a, r, &Box::y_min))},
      {"aichemy_geo_y_max", "BLOB -> DOUBLE", GEO_VALUE(double, Number, edge(a, r, &Box::y_max))},
      {"aichemy_geo_kind", "BLOB -> VARCHAR", GEO_BYTES(type_name(kind_of(a.text(0, r))))},
      {"aichemy_geo_srid", "BLOB -> INTEGER", GEO_VALUE(int32_t, Whole, srid_of(a.text(0, r)))},
      {"aichemy_geo_dimension", "BLOB -> TINYINT",
       GEO_VALUE(int8_t, Whole, shape_at(a, 0, r).dimension())},
      {"aichemy_geo_coordinates", "BLOB -> TINYINT",
       GEO_VALUE(int8_t, Whole, shape_at(a, 0, r).has_z ? 3 : 2)},
      {"aichemy_geo_is_empty", "BLOB -> BOOLEAN",
       GEO_VALUE(bool, Flag, shape_at(a, 0, r).is_empty())},
      {"aichemy_geo_is_closed", "BLOB -> BOOLEAN", (value_of<bool, closed>)},
      {"aichemy_geo_count_points", "BLOB -> BIGINT",
       GEO_VALUE(int64_t, Whole, static_cast<int64_t>(shape_at(a, 0, r).count_points()))},
      {"aichemy_geo_count", "BLOB -> INTEGER", (value_of<int32_t, geometry_count>)},
      {"aichemy_geo_count_holes", "BLOB -> BIGINT", (value_of<int64_t, interior_ring_count>)},
      {"aichemy_geo_point_n", "BLOB, INTEGER -> BLOB", bytes_of<point_n>},
      {"aichemy_geo_start", "BLOB -> BLOB", GEO_BYTES(nth_point("ST_StartPoint", a, r, 1))},
      {"aichemy_geo_end", "BLOB -> BLOB", GEO_BYTES(nth_point("ST_EndPoint", a, r, -1))},
      {"aichemy_geo_n", "BLOB, INTEGER -> BLOB", bytes_of<geometry_n>},
      {"aichemy_geo_shell", "BLOB -> BLOB", bytes_of<exterior_ring>},
      {"aichemy_geo_hole_n", "BLOB, INTEGER -> BLOB", bytes_of<interior_ring>},
      {"aichemy_geo_holes", "BLOB -> BLOB[]", list_of<interior_rings>},
      {"aichemy_geo_points", "BLOB -> BLOB[]", list_of<points>},
      {"aichemy_geo_members", "BLOB -> BLOB[]", list_of<geometries>},
      {"aichemy_geo_envelope", "BLOB -> BLOB", bytes_of<envelope>},
      {"aichemy_geo_envelope_points", "BLOB -> BLOB[]", list_of<envelope_points>},
      {"aichemy_geo_interpolate", "BLOB, DOUBLE -> BLOB", bytes_of<interpolate_one>},
      {"aichemy_geo_interpolate_all", "BLOB, DOUBLE -> BLOB[]", list_of<interpolate_all>},
  };
}

}  // namespace aichemy::geo
