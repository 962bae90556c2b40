// A geometry as a value: what the readers make, what accessors look at, what the writers write.
//
// Own form: the bytes a Geometry or SphericalGeography column holds (docs/formats/geometry.md), the
// extended WKB of PostGIS, little endian, with the SRID on the outermost geometry only and when it
// is not 0. One shape has one own form, so that equal bytes mean equal values.
//
// Invariants of a Shape that a reader gave: lines have no point or at least two, rings no point or
// at least three of which the first is the last, nesting is at most kDepthMax, Z is of all points
// or of none. Coordinates of foreign bytes may be any double.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aichemy::geo {

// The numbers are WKB's.
enum class Kind : uint8_t {
  point = 1,
  line_string,
  polygon,
  multi_point,
  multi_line_string,
  multi_polygon,
  collection,
};

inline constexpr int kDepthMax = 64;

struct Coordinate {
  double x = 0, y = 0;
  double z = std::numeric_limits<double>::quiet_NaN();
  bool same_place(const Coordinate& other) const { return x == other.x && y == other.y; }
};

struct Box {  // empty: x_min > x_max
  double x_min = std::numeric_limits<double>::infinity(), y_min = x_min;
  double x_max = -std::numeric_limits<double>::infinity(), y_max = x_max;
  bool empty() const { return !(x_min <= x_max); }
  void add(const Coordinate& point);
  bool misses(const Coordinate& point) const {
    return point.x < x_min || point.x > x_max || point.y < y_min || point.y > y_max;
  }
};

struct Shape {
  Kind kind = Kind::collection;
  bool has_z = false;
  int32_t srid = 0;
  std::vector<Coordinate> points;  // of a point (none: empty) or a line
  std::vector<Shape> parts;        // rings of a polygon (as lines, the shell first), or members

  static Shape point(const Coordinate& at, bool has_z = false, int32_t srid = 0);
  static Shape line(std::vector<Coordinate> points, bool has_z = false, int32_t srid = 0);
  static Shape empty(Kind kind, int32_t srid = 0);
  static Shape rectangle(const Box& box, int32_t srid = 0);  // clockwise from the lower left

  bool is(Kind k) const { return kind == k; }
  bool is_multi() const { return kind >= Kind::multi_point; }
  bool is_empty() const;
  size_t count_points() const;
  int dimension() const;  // 0 points, 1 lines, 2 areas; of a collection the largest
  int depth() const;
  Box box() const;
  // In the order of the text form.
  void each_point(const std::function<void(const Coordinate&)>& visit) const;
  void each_point(const std::function<void(Coordinate&)>& visit);
};

// POINT, MULTI_LINE_STRING: how messages name kinds. ST_Point, ST_MultiLineString: ST_GeometryType.
// LineString: the library's and GeoJSON's names.
const char* message_name(Kind kind);
const char* type_name(Kind kind);
const char* plain_name(Kind kind);

// invalid ("INVALID_FUNCTION_ARGUMENT").
std::unexpected<Error> bad_argument(std::string message);

std::string own_form(const Shape& shape);
// Bytes that own_form() wrote; anything else is an error, never a crash.
Result<Shape> read_own_form(std::string_view bytes);
// Of an own form, without reading the rest.
Kind kind_of(std::string_view bytes);
int32_t srid_of(std::string_view bytes);
// The place of a point that has one.
std::optional<Coordinate> point_of(std::string_view bytes);
std::string with_srid(std::string_view bytes, int32_t srid);

// WKB and extended WKB in either byte order; Z in both spellings. Refused: M coordinates.
Result<Shape> read_wkb(std::string_view bytes);
// ISO WKB without SRID, or (extended) with one.
std::string write_wkb(const Shape& shape, bool extended);

}  // namespace aichemy::geo
