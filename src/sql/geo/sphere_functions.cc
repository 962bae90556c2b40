// Great circles and Bing tiles.
#include "sql/geo/sphere.h"

#include "sql/geo/binding.h"
#include "sql/geo/bing_tile.h"

namespace aichemy::geo {
namespace {

using Codes = std::optional<std::vector<int64_t>>;

void require_spherical_kind(const char* function, Kind kind, std::initializer_list<Kind> allowed) {
  std::string list;
  for (Kind one : allowed) {
    if (one == kind) return;
    list += (list.empty() ? "" : " or ") + std::string(message_name(one));
  }
  refuse(std::string("When applied to SphericalGeography inputs, ") + function + " only supports " +
         list + ". Input type is: " + message_name(kind));
}

Bytes to_sphere(const NativeArguments& args, idx_t row) {
  or_raise(require_spherical(shape_at(args, 0, row)));
  return with_srid(args.text(0, row), 0);
}

Number length(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  if (shape.is_empty()) return std::nullopt;
  require_spherical_kind("ST_Length", shape.kind, {Kind::line_string, Kind::multi_line_string});
  return or_raise(spherical_length(shape));
}

Number area(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  if (shape.is_empty()) return std::nullopt;
  require_spherical_kind("ST_Area", shape.kind, {Kind::polygon, Kind::multi_polygon});
  return or_raise(spherical_area(shape));
}

Number distance(const NativeArguments& args, idx_t row) {
  Shape a = shape_at(args, 0, row), b = shape_at(args, 1, row);
  if (a.is_empty() || b.is_empty()) return std::nullopt;
  require_spherical_kind("ST_Distance", a.kind, {Kind::point});
  require_spherical_kind("ST_Distance", b.kind, {Kind::point});
  return or_raise(great_circle_km(a.points[0].y, a.points[0].x, b.points[0].y, b.points[0].x)) *
         1000;
}

Number great_circle(const NativeArguments& args, idx_t row) {
  return or_raise(great_circle_km(args.value<double>(0, row), args.value<double>(1, row),
                                  args.value<double>(2, row), args.value<double>(3, row)));
}

// ---- tiles ----

BingTile tile_of(const NativeArguments& args, idx_t row) {
  return BingTile::of_code(args.value<int64_t>(0, row));
}
Whole tile(const NativeArguments& args, idx_t row) {
  return or_raise(BingTile::of(args.value<int32_t>(0, row), args.value<int32_t>(1, row),
                               args.value<int32_t>(2, row)))
      .code();
}
Whole tile_at(const NativeArguments& args, idx_t row) {
  return or_raise(BingTile::at(args.value<double>(0, row), args.value<double>(1, row),
                               args.value<int32_t>(2, row)))
      .code();
}
Codes around(const NativeArguments& args, idx_t row) {
  return or_raise(tiles_around(args.value<double>(0, row), args.value<double>(1, row),
                               args.value<int32_t>(2, row)));
}
Codes around_within(const NativeArguments& args, idx_t row) {
  return or_raise(tiles_around(args.value<double>(0, row), args.value<double>(1, row),
                               args.value<int32_t>(2, row), args.value<double>(3, row)));
}
Codes covering(const NativeArguments& args, idx_t row) {
  return or_raise(tiles_of(args.text(0, row), args.value<int32_t>(1, row)));
}

void tile_coordinates(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  auto& fields = duckdb::StructVector::GetEntries(result);
  args.each(result, [&](idx_t row) {
    BingTile one = tile_of(args, row);
    FlatVector::GetData<int32_t>(*fields[0])[row] = one.x;
    FlatVector::GetData<int32_t>(*fields[1])[row] = one.y;
  });
}

#define GEO_VALUE(physical, logical, expression) \
  value_of<physical, [](const NativeArguments& a, idx_t r) -> logical { return expression; }>
#define GEO_BYTES(expression) \
  bytes_of<[](const NativeArguments& a, idx_t r) -> Bytes { return expression; }>

}  // namespace

std::vector<NativeFunction> sphere_functions() {
  return {
      {"aichemy_geo_sphere", "BLOB -> BLOB", bytes_of<to_sphere>},
      {"aichemy_sphere_length", "BLOB -> DOUBLE", (value_of<double, length>)},
      {"aichemy_sphere_area", "BLOB -> DOUBLE", (value_of<double, area>)},
      {"aichemy_sphere_distance", "BLOB, BLOB -> DOUBLE", (value_of<double, distance>)},
      {"aichemy_great_circle", "DOUBLE, DOUBLE, DOUBLE, DOUBLE -> DOUBLE",
       (value_of<double, great_circle>)},
      {"aichemy_tile", "INTEGER, INTEGER, INTEGER -> BIGINT", (value_of<int64_t, tile>)},
      {"aichemy_tile_of_key", "VARCHAR -> BIGINT",
       GEO_VALUE(int64_t, Whole, or_raise(BingTile::of_quad_key(a.text(0, r))).code())},
      {"aichemy_tile_at", "DOUBLE, DOUBLE, INTEGER -> BIGINT", (value_of<int64_t, tile_at>)},
      {"aichemy_tiles_around", "DOUBLE, DOUBLE, INTEGER -> BIGINT[]", list_of<around>},
      {"aichemy_tiles_around", "DOUBLE, DOUBLE, INTEGER, DOUBLE -> BIGINT[]",
       list_of<around_within>},
      {"aichemy_tile_key", "BIGINT -> VARCHAR", GEO_BYTES(tile_of(a, r).quad_key())},
      {"aichemy_tile_zoom", "BIGINT -> TINYINT", GEO_VALUE(int8_t, Whole, tile_of(a, r).zoom)},
      {"aichemy_tile_polygon", "BIGINT -> BLOB",
       GEO_BYTES(own_form(Shape::rectangle(tile_of(a, r).box())))},
      {"aichemy_tile_coordinates", "BIGINT -> STRUCT(f0 INTEGER, f1 INTEGER)", tile_coordinates},
      {"aichemy_tiles_of", "BLOB, INTEGER -> BIGINT[]", list_of<covering>},
  };
}

}  // namespace aichemy::geo
