#include "sql/geo/shape.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"

namespace aichemy::geo {
namespace {

struct KindRow {
  const char *message, *type, *plain;
};
constexpr KindRow kKinds[] = {
    {"POINT", "ST_Point", "Point"},
    {"LINE_STRING", "ST_LineString", "LineString"},
    {"POLYGON", "ST_Polygon", "Polygon"},
    {"MULTI_POINT", "ST_MultiPoint", "MultiPoint"},
    {"MULTI_LINE_STRING", "ST_MultiLineString", "MultiLineString"},
    {"MULTI_POLYGON", "ST_MultiPolygon", "MultiPolygon"},
    {"GEOMETRY_COLLECTION", "ST_GeomCollection", "GeometryCollection"},
};
const KindRow& row_of(Kind kind) { return kKinds[static_cast<size_t>(kind) - 1]; }

constexpr uint32_t kHasZ = 0x80000000, kHasM = 0x40000000, kHasSrid = 0x20000000;
constexpr uint32_t kIsoStep = 1000;  // ISO WKB: 1001 is a point with Z, 2001 with M, 3001 with both

class WkbReader {
 public:
  explicit WkbReader(std::string_view bytes) : bytes_(bytes) {}

  Result<Shape> run() {
    ASSIGN_OR_RETURN(Shape shape, geometry(1));
    if (next_ != bytes_.size()) return broken();
    return shape;
  }

 private:
  std::string_view bytes_;
  size_t next_ = 0;
  bool big_ = false;

  static std::unexpected<Error> broken() { return bad_argument("Invalid WKB"); }
  size_t left() const { return bytes_.size() - next_; }

  template <class T>
  bool read(T& value) {
    if (left() < sizeof(T)) return false;
    const char* from = bytes_.data() + next_;
    value = big_ ? load_big<T>(from) : load_little<T>(from);
    next_ += sizeof(T);
    return true;
  }
  bool read(double& value) {
    uint64_t raw = 0;
    if (!read<uint64_t>(raw)) return false;
    value = std::bit_cast<double>(raw);
    return true;
  }

  // A count of things of at least `bytes` each: more than what is left can hold is no count.
  bool count(uint32_t& value, size_t bytes) {
    return read<uint32_t>(value) && value <= left() / bytes;
  }

  bool coordinate(Coordinate& at, bool has_z) {
    return read(at.x) && read(at.y) && (!has_z || read(at.z));
  }

  bool line(std::vector<Coordinate>& points, bool has_z) {
    uint32_t size = 0;
    if (!count(size, has_z ? 24 : 16)) return false;
    points.resize(size);
    return std::ranges::all_of(points, [&](Coordinate& at) { return coordinate(at, has_z); });
  }

  Result<Shape> polygon(Shape shape) {
    uint32_t rings = 0;
    if (!count(rings, 4)) return broken();
    for (uint32_t i = 0; i < rings; ++i) {
      Shape ring = Shape::line({}, shape.has_z);
      if (!line(ring.points, shape.has_z)) return broken();
      size_t size = ring.points.size();
      if (size > 0 && (size < 3 || !ring.points.front().same_place(ring.points.back())))
        return broken();
      if (size == 0 && rings > 1) return broken();  // a hole in nothing, or a hole of nothing
      shape.parts.push_back(std::move(ring));
    }
    if (shape.is_empty()) shape.parts.clear();
    return shape;
  }

  Result<Shape> members(Shape shape, int depth) {
    uint32_t size = 0;
    if (!count(size, 9)) return broken();
    for (uint32_t i = 0; i < size; ++i) {
      ASSIGN_OR_RETURN(Shape member, geometry(depth + 1));
      bool fits = shape.is(Kind::collection) ||
                  static_cast<int>(member.kind) + 3 == static_cast<int>(shape.kind);
      if (!fits) return broken();
      shape.has_z = shape.has_z || (member.has_z && !member.is_empty());
      member.srid = 0;
      shape.parts.push_back(std::move(member));
    }
    return shape;
  }

  Result<Shape> geometry(int depth) {
    if (depth > kDepthMax) return bad_argument("Invalid WKB: nested too deep");
    uint8_t order = 0;
    if (!read<uint8_t>(order) || order > 1) return broken();
    big_ = order == 0;
    uint32_t word = 0;
    if (!read<uint32_t>(word)) return broken();
    uint32_t type = word & 0x1fffffff;
    if (type >= 4 * kIsoStep || (word & kHasM) != 0 || type / kIsoStep >= 2)
      return bad_argument("Invalid WKB: M coordinates are not supported");
    Shape shape;
    shape.has_z = (word & kHasZ) != 0 || type / kIsoStep == 1;
    type %= kIsoStep;
    if (type < 1 || type > 7) return broken();
    shape.kind = static_cast<Kind>(type);
    if ((word & kHasSrid) != 0 && !read<int32_t>(shape.srid)) return broken();
    switch (shape.kind) {
      case Kind::point: {
        Coordinate at;
        if (!coordinate(at, shape.has_z)) return broken();
        if (!(std::isnan(at.x) && std::isnan(at.y))) shape.points.push_back(at);
        return shape;
      }
      case Kind::line_string:
        if (!line(shape.points, shape.has_z) || shape.points.size() == 1) return broken();
        return shape;
      case Kind::polygon: return polygon(std::move(shape));
      default: return members(std::move(shape), depth);
    }
  }
};

class WkbWriter {
 public:
  WkbWriter(std::string& out, bool extended) : out_(out), extended_(extended) {}

  void geometry(const Shape& shape, bool outermost, bool has_z) {
    out_ += '\x01';
    auto type = static_cast<uint32_t>(shape.kind);
    bool srid = extended_ && outermost && shape.srid != 0;
    if (has_z) type = extended_ ? type | kHasZ : type + kIsoStep;
    append_little<uint32_t>(out_, srid ? type | kHasSrid : type);
    if (srid) append_little<int32_t>(out_, shape.srid);
    switch (shape.kind) {
      case Kind::point:
        coordinate(shape.points.empty() ? nowhere() : shape.points[0], has_z);
        return;
      case Kind::line_string: return line(shape, has_z);
      case Kind::polygon:
        append_little<uint32_t>(out_, static_cast<uint32_t>(shape.parts.size()));
        for (const Shape& ring : shape.parts) line(ring, has_z);
        return;
      default:
        append_little<uint32_t>(out_, static_cast<uint32_t>(shape.parts.size()));
        for (const Shape& member : shape.parts) geometry(member, false, has_z);
    }
  }

 private:
  std::string& out_;
  bool extended_;

  static Coordinate nowhere() {
    double nan = std::numeric_limits<double>::quiet_NaN();
    return {nan, nan, nan};
  }
  // One NaN for all: equal values have equal bytes.
  void ordinate(double value) {
    append_little(out_, std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value);
  }
  void coordinate(const Coordinate& at, bool has_z) {
    ordinate(at.x);
    ordinate(at.y);
    if (has_z) ordinate(at.z);
  }
  void line(const Shape& shape, bool has_z) {
    append_little<uint32_t>(out_, static_cast<uint32_t>(shape.points.size()));
    for (const Coordinate& at : shape.points) coordinate(at, has_z);
  }
};

}  // namespace

void Box::add(const Coordinate& point) {
  x_min = std::min(x_min, point.x);
  y_min = std::min(y_min, point.y);
  x_max = std::max(x_max, point.x);
  y_max = std::max(y_max, point.y);
}

Shape Shape::point(const Coordinate& at, bool has_z, int32_t srid) {
  return {Kind::point, has_z, srid, {at}, {}};
}
Shape Shape::line(std::vector<Coordinate> points, bool has_z, int32_t srid) {
  return {Kind::line_string, has_z, srid, std::move(points), {}};
}
Shape Shape::empty(Kind kind, int32_t srid) { return {kind, false, srid, {}, {}}; }

Shape Shape::rectangle(const Box& box, int32_t srid) {
  Shape made = empty(Kind::polygon, srid);
  made.parts.push_back(line({{box.x_min, box.y_min},
                             {box.x_min, box.y_max},
                             {box.x_max, box.y_max},
                             {box.x_max, box.y_min},
                             {box.x_min, box.y_min}}));
  return made;
}

bool Shape::is_empty() const {
  return points.empty() && std::ranges::all_of(parts, [](const Shape& p) { return p.is_empty(); });
}

size_t Shape::count_points() const {
  size_t count = points.size();
  for (const Shape& part : parts) count += part.count_points();
  return count;
}

int Shape::dimension() const {
  switch (kind) {
    case Kind::point:
    case Kind::multi_point: return 0;
    case Kind::line_string:
    case Kind::multi_line_string: return 1;
    case Kind::polygon:
    case Kind::multi_polygon: return 2;
    case Kind::collection: break;
  }
  int most = -1;
  for (const Shape& part : parts) most = std::max(most, part.dimension());
  return most;
}

int Shape::depth() const {
  int most = 0;
  for (const Shape& part : parts) most = std::max(most, part.depth());
  return kind == Kind::polygon ? 1 : most + 1;
}

Box Shape::box() const {
  Box made;
  each_point([&](const Coordinate& at) { made.add(at); });
  return made;
}

void Shape::each_point(const std::function<void(const Coordinate&)>& visit) const {
  for (const Coordinate& at : points) visit(at);
  for (const Shape& part : parts) part.each_point(visit);
}
void Shape::each_point(const std::function<void(Coordinate&)>& visit) {
  for (Coordinate& at : points) visit(at);
  for (Shape& part : parts) part.each_point(visit);
}

const char* message_name(Kind kind) { return row_of(kind).message; }
const char* type_name(Kind kind) { return row_of(kind).type; }
const char* plain_name(Kind kind) { return row_of(kind).plain; }

std::unexpected<Error> bad_argument(std::string message) {
  return fail(Code::invalid, "INVALID_FUNCTION_ARGUMENT", std::move(message));
}

std::string own_form(const Shape& shape) { return write_wkb(shape, true); }
Result<Shape> read_own_form(std::string_view bytes) { return read_wkb(bytes); }

Kind kind_of(std::string_view bytes) {
  uint8_t type = bytes.size() > 1 ? static_cast<uint8_t>(bytes[1]) : 0;
  return type < 1 || type > 7 ? Kind::collection : static_cast<Kind>(type);
}

int32_t srid_of(std::string_view bytes) {
  if (bytes.size() < 9 || (load_little<uint32_t>(bytes.data() + 1) & kHasSrid) == 0) return 0;
  return load_little<int32_t>(bytes.data() + 5);
}

std::optional<Coordinate> point_of(std::string_view bytes) {
  constexpr size_t kOrdinates = 2 * sizeof(double);
  if (kind_of(bytes) != Kind::point || bytes.size() < 5 + kOrdinates) return std::nullopt;
  size_t at = (load_little<uint32_t>(bytes.data() + 1) & kHasSrid) != 0 ? 9 : 5;
  if (bytes.size() < at + kOrdinates) return std::nullopt;
  Coordinate place{load_little<double>(bytes.data() + at),
                   load_little<double>(bytes.data() + at + sizeof(double))};
  if (std::isnan(place.x) || std::isnan(place.y)) return std::nullopt;
  return place;
}

std::string with_srid(std::string_view bytes, int32_t srid) {
  if (bytes.size() < 5) return std::string(bytes);
  auto type = load_little<uint32_t>(bytes.data() + 1);
  std::string made(1, bytes[0]);
  append_little<uint32_t>(made, srid ? type | kHasSrid : type & ~kHasSrid);
  if (srid) append_little<int32_t>(made, srid);
  return made.append(bytes.substr((type & kHasSrid) != 0 ? 9 : 5));
}

Result<Shape> read_wkb(std::string_view bytes) { return WkbReader(bytes).run(); }

std::string write_wkb(const Shape& shape, bool extended) {
  std::string out;
  WkbWriter(out, extended).geometry(shape, true, shape.has_z);
  return out;
}

}  // namespace aichemy::geo
