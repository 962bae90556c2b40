// GeoJSON geometries (RFC 7946). Other members than those of the geometry are left out; absent
// coordinates are an empty geometry, and features stand for their geometries, as JTS has both.
#include <cmath>

#include "base/json.h"
#include "sql/geo/text.h"
#include "sql/types/json_node.h"

namespace aichemy::geo {
namespace {

std::unexpected<Error> broken(const std::string& why) {
  return bad_argument("Invalid GeoJSON: " + why);
}
std::unexpected<Error> not_of(Kind kind) {
  return broken(std::string("Could not parse ") + plain_name(kind) + " from GeoJson string.");
}

bool read_position(const Json& json, Coordinate& at, bool& has_z) {
  const auto& numbers = json.as_array();
  if (!json.is_array() || numbers.size() < 2) return false;
  for (const Json& number : numbers) {
    if (!number.is_number()) return false;
  }
  at.x = numbers[0].as_double();
  at.y = numbers[1].as_double();
  if (numbers.size() > 2) {
    at.z = numbers[2].as_double();
    has_z = true;
  }
  return true;
}

bool read_line(const Json& json, Shape& shape, bool& has_z) {
  if (!json.is_array()) return false;
  for (const Json& position : json.as_array()) {
    if (!read_position(position, shape.points.emplace_back(), has_z)) return false;
  }
  return shape.points.size() != 1;
}

bool read_polygon(const Json& json, Shape& shape, bool& has_z) {
  if (!json.is_array()) return false;
  for (const Json& one : json.as_array()) {
    Shape ring = Shape::line({});
    if (!read_line(one, ring, has_z)) return false;
    size_t size = ring.points.size();
    if (size > 0 && (size < 3 || !ring.points.front().same_place(ring.points.back()))) return false;
    if (size == 0 && json.as_array().size() > 1) return false;
    if (size > 0) shape.parts.push_back(std::move(ring));
  }
  return true;
}

bool read_single(const Json& json, Shape& shape, bool& has_z) {
  switch (shape.kind) {
    case Kind::point:
      if (json.is_array() && json.as_array().empty()) return true;
      return read_position(json, shape.points.emplace_back(), has_z);
    case Kind::line_string: return read_line(json, shape, has_z);
    default: return read_polygon(json, shape, has_z);
  }
}

Result<Shape> read_geometry(const Json& json, int depth) {
  if (depth > kDepthMax) return broken("nested too deep");
  if (json["type"].as_string() == "Feature") {
    const Json* inner = json.find("geometry");
    if (!inner || !inner->is_object())
      return broken("Could not parse Feature from GeoJson string.");
    return read_geometry(*inner, depth + 1);
  }
  if (!json.is_object())
    return broken("Could not parse Geometry from Json string.  No 'type' property found.");
  const Json* type = json.find("type");
  if (!type || !type->is_string())
    return broken("Could not parse Geometry from Json string.  No 'type' property found.");
  Shape shape;
  bool known = false, features = type->as_string() == "FeatureCollection";
  for (int kind = 1; kind <= 7; ++kind) {
    if (type->as_string() != plain_name(static_cast<Kind>(kind))) continue;
    shape.kind = static_cast<Kind>(kind);
    known = true;
  }
  if (!known && !features) {
    return broken("Could not parse Geometry from GeoJson string.  Unsupported 'type':" +
                  std::string(type->as_string()));
  }
  if (shape.is(Kind::collection)) {
    const Json* members = json.find(features ? "features" : "geometries");
    if (!members || !members->is_array()) return not_of(shape.kind);
    for (const Json& member : members->as_array()) {
      ASSIGN_OR_RETURN(Shape part, read_geometry(member, depth + 1));
      shape.has_z = shape.has_z || part.has_z;
      shape.parts.push_back(std::move(part));
    }
    return shape;
  }
  const Json* coordinates = json.find("coordinates");
  if (!coordinates || coordinates->is_null()) return shape;
  if (!shape.is_multi()) {
    if (!read_single(*coordinates, shape, shape.has_z)) return not_of(shape.kind);
    return shape;
  }
  if (!coordinates->is_array()) return not_of(shape.kind);
  for (const Json& one : coordinates->as_array()) {
    Shape part = Shape::empty(static_cast<Kind>(static_cast<int>(shape.kind) - 3));
    if (!read_single(one, part, shape.has_z)) return not_of(shape.kind);
    shape.parts.push_back(std::move(part));
  }
  return shape;
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void geometry(const Shape& shape) {
    out_ += std::string(R"({"type":")") + plain_name(shape.kind) + "\",";
    if (!shape.is(Kind::collection)) {
      out_ += R"("coordinates":)";
      coordinates(shape);
    } else {
      out_ += R"("geometries":[)";
      for (size_t i = 0; i < shape.parts.size(); ++i) {
        if (i > 0) out_ += ',';
        geometry(shape.parts[i]);
      }
      out_ += ']';
    }
    out_ += '}';
  }

 private:
  std::string& out_;

  // Eight digits after the point, and Java's text outside of [0.001, 10000000).
  void ordinate(double value) {
    constexpr double kScale = 1e8;
    if (std::abs(value) >= 1e-3 && value < 1e7) {
      value = std::floor(value * kScale + 0.5) / kScale;
      if (std::abs(value) < 9e18 && value == std::trunc(value)) {
        out_ += std::to_string(static_cast<int64_t>(value));
        return;
      }
    }
    out_ += sql::java_double(value);
  }
  void position(const Coordinate& at) {
    out_ += '[';
    ordinate(at.x);
    out_ += ',';
    ordinate(at.y);
    if (!std::isnan(at.z)) {
      out_ += ',';
      ordinate(at.z);
    }
    out_ += ']';
  }
  void coordinates(const Shape& shape) {
    if (shape.is(Kind::point) && !shape.points.empty()) return position(shape.points[0]);
    out_ += '[';
    bool first = true;
    for (const Coordinate& at : shape.points) {
      if (!first) out_ += ',';
      first = false;
      position(at);
    }
    for (const Shape& part : shape.parts) {
      if (!first) out_ += ',';
      first = false;
      coordinates(part);
    }
    out_ += ']';
  }
};

}  // namespace

Result<Shape> read_geojson(std::string_view text) {
  auto json = Json::parse(text);
  if (!json) return broken("Could not parse JSON");
  return read_geometry(*json, 1);
}

std::string write_geojson(const Shape& shape) {
  std::string out;
  Writer(out).geometry(shape);
  return out;
}

}  // namespace aichemy::geo
