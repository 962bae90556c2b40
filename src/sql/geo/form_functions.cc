// Constructors and other forms of geometries.
#include <algorithm>
#include <cmath>

#include "sql/geo/binding.h"
#include "sql/geo/bing_tile.h"
#include "sql/geo/geo.h"
#include "sql/geo/text.h"

namespace aichemy::geo {
namespace {

using Elements = std::vector<std::optional<std::string_view>>;

Bytes wkt_of_kind(const char* function, std::string_view text, Kind kind) {
  Shape shape = or_raise(read_wkt(text));
  require_kind(function, shape.kind, {kind});
  return own_form(shape);
}

Bytes point(const NativeArguments& args, idx_t row, bool has_z, int32_t srid) {
  Coordinate at{args.value<double>(0, row), args.value<double>(1, row)};
  if (has_z) at.z = args.value<double>(2, row);
  if (has_z && !std::isfinite(at.z)) refuse("Z coordinate must be finite");
  return own_form(Shape::point(at, has_z, srid));
}

[[noreturn]] void refuse_element(const char* function, const std::string& why, size_t index) {
  refuse(std::string("Invalid input to ") + function + ": " + why + " at index " +
         std::to_string(index + 1));
}

Bytes line_string(const Elements& elements) {
  Shape line = Shape::line({});
  for (size_t i = 0; i < elements.size(); ++i) {
    if (!elements[i]) refuse_element("ST_LineString", "null point", i);
    Shape one = or_raise(read_own_form(*elements[i]));
    if (!one.is(Kind::point)) {
      refuse(std::string("ST_LineString takes only an array of valid points, ") +
             plain_name(one.kind) + " was passed");
    }
    if (one.is_empty()) refuse_element("ST_LineString", "empty point", i);
    const Coordinate& at = one.points[0];
    if (!line.points.empty()) {
      const Coordinate& before = line.points.back();
      bool same_z = before.z == at.z || (std::isnan(before.z) && std::isnan(at.z));
      if (before.same_place(at) && same_z)
        refuse_element("ST_LineString", "consecutive duplicate points", i);
    }
    line.points.push_back(at);
    line.has_z = line.has_z || one.has_z;
    line.srid = common_srid(line.srid, one.srid);
  }
  if (line.points.size() < 2) line.points.clear();
  return own_form(line);
}

Bytes multi_point(const Elements& elements) {
  Shape many = Shape::empty(Kind::multi_point);
  for (size_t i = 0; i < elements.size(); ++i) {
    if (!elements[i]) refuse_element("ST_MultiPoint", "null", i);
    Shape one = or_raise(read_own_form(*elements[i]));
    if (!one.is(Kind::point)) {
      refuse_element("ST_MultiPoint",
                     std::string("geometry is not a point: ") + plain_name(one.kind), i);
    }
    if (one.is_empty()) refuse_element("ST_MultiPoint", "empty point", i);
    many.has_z = many.has_z || one.has_z;
    many.srid = common_srid(many.srid, one.srid);
    many.parts.push_back(std::move(one));
  }
  if (many.parts.empty()) return std::nullopt;
  return own_form(many);
}

Bytes make_line(const Elements& elements) {
  Shape line = Shape::line({});
  for (size_t i = 0; i < elements.size(); ++i) {
    if (!elements[i]) refuse_element("ST_MakeLine", "null", i);
    Shape one = or_raise(read_own_form(*elements[i]));
    require_kind("ST_MakeLine", one.kind, {Kind::point, Kind::line_string});
    line.srid = common_srid(line.srid, one.srid);
    line.has_z = line.has_z || (one.has_z && !one.is_empty());
    bool first = true;
    for (const Coordinate& at : one.points) {
      bool joins = first && !line.points.empty() && line.points.back().same_place(at) &&
                   (line.points.back().z == at.z || std::isnan(at.z));
      if (!joins) line.points.push_back(at);
      first = false;
    }
  }
  if (line.points.size() < 2) line.points.clear();
  return own_form(line);
}

Bytes collected(const Elements& elements) {
  std::vector<Shape> members;
  for (const auto& element : elements) {
    if (element) members.push_back(or_raise(read_own_form(*element)));
  }
  return own_form(collect(std::move(members)));
}

// A shell or a hole: a closed line.
void add_ring(Shape& polygon, Shape ring) {
  require_kind("ST_MakePolygon", ring.kind, {Kind::line_string});
  polygon.srid = common_srid(polygon.srid, ring.srid);
  if (ring.is_empty()) return;
  constexpr size_t kRingPointsMin = 4;
  if (ring.points.size() < kRingPointsMin || !ring.points.front().same_place(ring.points.back()))
    refuse("Invalid input to ST_MakePolygon: a ring must be a closed line of at least 4 points");
  polygon.has_z = polygon.has_z || ring.has_z;
  polygon.parts.push_back(std::move(ring));
}

void make_polygon(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  std::optional<GeometryList> holes;
  if (chunk.ColumnCount() > 1) holes.emplace(chunk.data[1]);
  args.each(result, [&](idx_t row) {
    Shape polygon = Shape::empty(Kind::polygon);
    add_ring(polygon, shape_at(args, 0, row));
    Elements elements;
    if (holes) elements = holes->of(args.value<duckdb::list_entry_t>(1, row));
    for (size_t i = 0; i < elements.size(); ++i) {
      if (!elements[i]) refuse_element("ST_MakePolygon", "null hole", i);
      Shape hole = or_raise(read_own_form(*elements[i]));
      if (polygon.parts.empty() && !hole.is_empty())
        refuse("Invalid input to ST_MakePolygon: an empty shell has no holes");
      add_ring(polygon, std::move(hole));
    }
    put_bytes(result, row, own_form(polygon));
  });
}

Bytes multi(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  if (shape.is_multi()) return std::string(args.text(0, row));
  Shape many = Shape::empty(static_cast<Kind>(static_cast<int>(shape.kind) + 3), shape.srid);
  many.has_z = shape.has_z;
  if (!shape.is_empty()) many.parts.push_back(std::move(shape));
  return own_form(many);
}

void force_z(Shape& shape, double z) {
  shape.has_z = true;
  for (Shape& part : shape.parts) part.has_z = true;
  shape.each_point([z](Coordinate& at) {
    if (std::isnan(at.z)) at.z = z;
  });
}
Bytes force_3d(const NativeArguments& args, idx_t row, double z) {
  if (!std::isfinite(z)) refuse("Z coordinate must be finite");
  Shape shape = shape_at(args, 0, row);
  force_z(shape, z);
  return own_form(shape);
}
Bytes force_2d(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  shape.has_z = false;
  return own_form(shape);
}

Bytes to_polyline(const NativeArguments& args, idx_t row) {
  Shape shape = shape_at(args, 0, row);
  require_kind("encode_polyline", shape.kind, {Kind::multi_point, Kind::line_string});
  return write_polyline(shape);
}

#define GEO_BYTES(expression) \
  bytes_of<[](const NativeArguments& a, idx_t r) -> Bytes { return expression; }>

}  // namespace

void require_kind(const char* function, Kind kind, std::initializer_list<Kind> allowed) {
  if (std::ranges::find(allowed, kind) != allowed.end()) return;
  std::string list;
  for (Kind one : allowed) list += (list.empty() ? "" : " or ") + std::string(message_name(one));
  refuse(std::string(function) + " only applies to " + list +
         ". Input type is: " + message_name(kind));
}

int32_t common_srid(int32_t a, int32_t b) {
  if (a != 0 && b != 0 && a != b)
    refuse("SRID mismatch: " + std::to_string(a) + " vs " + std::to_string(b));
  return a != 0 ? a : b;
}

Shape collect(std::vector<Shape> members) {
  Shape made = Shape::empty(Kind::collection);
  bool alike = !members.empty() && !members[0].is_multi();
  for (Shape& member : members) {
    made.srid = common_srid(made.srid, member.srid);
    made.has_z = made.has_z || member.has_z;
    alike = alike && member.kind == members[0].kind;
    member.srid = 0;
  }
  if (alike) made.kind = static_cast<Kind>(static_cast<int>(members[0].kind) + 3);
  made.parts = std::move(members);
  if (made.depth() > kDepthMax) refuse("Geometry collections are nested too deep");
  return made;
}

std::string geometry_text(std::string_view bytes) {
  auto shape = read_own_form(bytes);
  return shape ? write_wkt(*shape) : "<invalid geometry>";
}
std::string bing_tile_text(int64_t code) { return BingTile::of_code(code).json(); }

std::vector<NativeFunction> form_functions() {
  return {
      {"aichemy_geo_of_wkt", "VARCHAR -> BLOB",
       GEO_BYTES(own_form(or_raise(read_wkt(a.text(0, r)))))},
      {"aichemy_geo_line_of_wkt", "VARCHAR -> BLOB",
       GEO_BYTES(wkt_of_kind("ST_LineFromText", a.text(0, r), Kind::line_string))},
      {"aichemy_geo_polygon_of_wkt", "VARCHAR -> BLOB",
       GEO_BYTES(wkt_of_kind("ST_Polygon", a.text(0, r), Kind::polygon))},
      {"aichemy_geo_of_ewkt", "VARCHAR -> BLOB",
       GEO_BYTES(own_form(or_raise(read_ewkt(a.text(0, r)))))},
      {"aichemy_geo_wkt", "BLOB -> VARCHAR", GEO_BYTES(write_wkt(shape_at(a, 0, r)))},
      {"aichemy_geo_ewkt", "BLOB -> VARCHAR", GEO_BYTES(write_ewkt(shape_at(a, 0, r)))},
      {"aichemy_geo_of_wkb", "BLOB -> BLOB", GEO_BYTES(own_form(or_raise(read_wkb(a.text(0, r)))))},
      {"aichemy_geo_wkb", "BLOB -> BLOB", GEO_BYTES(write_wkb(shape_at(a, 0, r), false))},
      {"aichemy_geo_of_hadoop", "BLOB -> BLOB",
       GEO_BYTES(own_form(or_raise(read_hadoop_shape(a.text(0, r)))))},
      {"aichemy_geo_of_json", "VARCHAR -> BLOB",
       GEO_BYTES(own_form(or_raise(read_geojson(a.text(0, r)))))},
      {"aichemy_geo_of_kml", "VARCHAR -> BLOB",
       GEO_BYTES(own_form(or_raise(read_kml(a.text(0, r)))))},
      {"aichemy_geo_json", "BLOB -> VARCHAR", GEO_BYTES(write_geojson(shape_at(a, 0, r)))},
      {"aichemy_geo_of_polyline", "VARCHAR -> BLOB",
       GEO_BYTES(own_form(or_raise(read_polyline(a.text(0, r)))))},
      {"aichemy_geo_polyline", "BLOB -> VARCHAR", GEO_BYTES(to_polyline(a, r))},
      {"aichemy_geo_point", "DOUBLE, DOUBLE -> BLOB", GEO_BYTES(point(a, r, false, 0))},
      {"aichemy_geo_point_srid", "DOUBLE, DOUBLE, INTEGER -> BLOB",
       GEO_BYTES(point(a, r, false, a.value<int32_t>(2, r)))},
      {"aichemy_geo_point_z", "DOUBLE, DOUBLE, DOUBLE -> BLOB", GEO_BYTES(point(a, r, true, 0))},
      {"aichemy_geo_point_z", "DOUBLE, DOUBLE, DOUBLE, INTEGER -> BLOB",
       GEO_BYTES(point(a, r, true, a.value<int32_t>(3, r)))},
      {"aichemy_geo_line", "BLOB[] -> BLOB", bytes_of_list<line_string>},
      {"aichemy_geo_multi_point", "BLOB[] -> BLOB", bytes_of_list<multi_point>},
      {"aichemy_geo_make_line", "BLOB[] -> BLOB", bytes_of_list<make_line>},
      {"aichemy_geo_collect", "BLOB[] -> BLOB", bytes_of_list<collected>},
      {"aichemy_geo_make_polygon", "BLOB -> BLOB", make_polygon},
      {"aichemy_geo_make_polygon", "BLOB, BLOB[] -> BLOB", make_polygon},
      {"aichemy_geo_multi", "BLOB -> BLOB", GEO_BYTES(multi(a, r))},
      {"aichemy_geo_force_2d", "BLOB -> BLOB", GEO_BYTES(force_2d(a, r))},
      {"aichemy_geo_force_3d", "BLOB -> BLOB", GEO_BYTES(force_3d(a, r, 0))},
      {"aichemy_geo_force_3d", "BLOB, DOUBLE -> BLOB",
       GEO_BYTES(force_3d(a, r, a.value<double>(1, r)))},
      {"aichemy_geo_set_srid", "BLOB, INTEGER -> BLOB",
       GEO_BYTES(with_srid(a.text(0, r), a.value<int32_t>(1, r)))},
  };
}

}  // namespace aichemy::geo
