// Encoded polylines, the shapes of the Spatial Framework for Hadoop.
#include <optional>

#include "base/bytes.h"
#include "sql/geo/text.h"

namespace aichemy::geo {
namespace {

constexpr double kPolylineScale = 1e5;
constexpr int kPolylineFirst = 63;  // '?' stands for 0

// A number in groups of five bits, the lowest first; the lowest bit is the sign.
void append_delta(std::string& out, int64_t delta) {
  uint64_t raw = static_cast<uint64_t>(delta) << 1;
  if (delta < 0) raw = ~raw;
  for (; raw >= 0x20; raw >>= 5) out += static_cast<char>((0x20 | (raw & 0x1f)) + kPolylineFirst);
  out += static_cast<char>(raw + kPolylineFirst);
}

std::optional<int64_t> read_delta(std::string_view text, size_t& next) {
  uint64_t raw = 0;
  for (int shift = 0; shift < 60; shift += 5) {
    if (next >= text.size()) return std::nullopt;
    int group = static_cast<unsigned char>(text[next++]) - kPolylineFirst;
    if (group < 0 || group > 0x3f) return std::nullopt;
    raw |= static_cast<uint64_t>(group & 0x1f) << shift;
    if (group < 0x20) return static_cast<int64_t>((raw & 1) != 0 ? ~(raw >> 1) : raw >> 1);
  }
  return std::nullopt;
}

// ---- shapes of the Spatial Framework for Hadoop: an SRID, a kind, then an Esri shape ----

enum EsriShape : int32_t { kNull = 0, kPoint = 1, kPolyline = 3, kPolygon = 5, kMultiPoint = 8 };
constexpr size_t kHadoopHead = 5, kBoxBytes = 32;

std::unexpected<Error> bad_shape() { return bad_argument("Invalid Hadoop shape"); }

class EsriReader {
 public:
  explicit EsriReader(std::string_view bytes) : bytes_(bytes) {}

  std::optional<Shape> run() {
    int32_t type = 0;
    if (!read(type)) return std::nullopt;
    switch (type) {
      case kNull: return Shape::empty(Kind::point);
      case kPoint: return point();
      case kMultiPoint: return multi_point();
      case kPolyline: return polyline();
      case kPolygon: return polygon();
      default: return std::nullopt;
    }
  }

 private:
  std::string_view bytes_;
  size_t next_ = 0;

  template <class T>
  bool read(T& value) {
    if (bytes_.size() - next_ < sizeof(T)) return false;
    value = load_little<T>(bytes_.data() + next_);
    next_ += sizeof(T);
    return true;
  }
  bool count(int32_t& value, size_t bytes) {
    return read(value) && value >= 0 &&
           static_cast<size_t>(value) <= (bytes_.size() - next_) / bytes;
  }
  static bool is_nowhere(double value) {
    return std::isnan(value) || std::abs(value) >= std::numeric_limits<double>::max();
  }

  std::optional<Shape> point() {
    Coordinate at;
    if (!read(at.x) || !read(at.y)) return std::nullopt;
    if (is_nowhere(at.x) || is_nowhere(at.y)) return Shape::empty(Kind::point);
    return Shape::point(at);
  }
  // False: cut off. An empty box has no points behind it.
  bool box(bool& empty) {
    if (bytes_.size() - next_ < kBoxBytes) return false;
    empty = is_nowhere(load_little<double>(bytes_.data() + next_));
    next_ += kBoxBytes;
    return true;
  }
  bool points(std::vector<Coordinate>& to, size_t size) {
    to.resize(size);
    for (Coordinate& at : to) {
      if (!read(at.x) || !read(at.y)) return false;
    }
    return true;
  }

  std::optional<Shape> multi_point() {
    Shape made = Shape::empty(Kind::multi_point);
    bool empty = false;
    int32_t size = 0;
    if (!box(empty)) return std::nullopt;
    if (empty) return made;
    std::vector<Coordinate> all;
    if (!count(size, 16) || !points(all, static_cast<size_t>(size))) return std::nullopt;
    for (const Coordinate& at : all) made.parts.push_back(Shape::point(at));
    return made;
  }

  // The lines of a polyline or the rings of a polygon.
  bool lines(std::vector<Shape>& to) {
    bool empty = false;
    int32_t part_count = 0, point_count = 0;
    if (!box(empty)) return false;
    if (empty) return true;
    if (!count(part_count, 4) || !count(point_count, 1)) return false;
    std::vector<int32_t> starts(static_cast<size_t>(part_count));
    for (int32_t& start : starts) {
      if (!read(start)) return false;
    }
    if (static_cast<size_t>(point_count) > (bytes_.size() - next_) / 16) return false;
    starts.push_back(point_count);
    int32_t before = 0;
    for (size_t i = 0; i + 1 < starts.size(); ++i) {
      int64_t size = int64_t{starts[i + 1]} - starts[i];
      if (starts[i] != before || size < 2 || starts[i + 1] > point_count) return false;
      before = starts[i + 1];
      if (!points(to.emplace_back(Shape::line({})).points, static_cast<size_t>(size))) return false;
    }
    return true;
  }

  std::optional<Shape> polyline() {
    Shape made = Shape::empty(Kind::multi_line_string);
    if (!lines(made.parts)) return std::nullopt;
    if (made.parts.empty()) return Shape::empty(Kind::line_string);
    if (made.parts.size() == 1) return made.parts[0];
    return made;
  }

  static bool turns_left(const Shape& ring) {
    double sum = 0;
    for (size_t i = 0; i + 1 < ring.points.size(); ++i) {
      const Coordinate &a = ring.points[i], &b = ring.points[i + 1];
      sum += (b.x - a.x) * (b.y + a.y);
    }
    return sum < 0;
  }

  // A ring that turns as the first one begins a polygon, one that turns the other way is a hole.
  std::optional<Shape> polygon() {
    std::vector<Shape> rings;
    if (!lines(rings)) return std::nullopt;
    if (rings.empty()) return Shape::empty(Kind::polygon);
    Shape made = Shape::empty(Kind::multi_polygon);
    bool shell = turns_left(rings[0]);
    for (Shape& ring : rings) {
      size_t size = ring.points.size();
      if (size < 3 || !ring.points.front().same_place(ring.points.back())) return std::nullopt;
      if (made.parts.empty() || turns_left(ring) == shell)
        made.parts.push_back(Shape::empty(Kind::polygon));
      made.parts.back().parts.push_back(std::move(ring));
    }
    if (made.parts.size() == 1) return made.parts[0];
    return made;
  }
};

}  // namespace

std::string write_polyline(const Shape& shape) {
  std::string out;
  int64_t x = 0, y = 0;
  auto whole = [](double value) {
    double scaled = std::floor(value * kPolylineScale + 0.5);
    return std::abs(scaled) < 4e18 ? static_cast<int64_t>(scaled) : 0;
  };
  shape.each_point([&](const Coordinate& at) {
    int64_t next_x = whole(at.x), next_y = whole(at.y);
    append_delta(out, next_y - y);
    append_delta(out, next_x - x);
    x = next_x;
    y = next_y;
  });
  return out;
}

Result<Shape> read_polyline(std::string_view text) {
  Shape line = Shape::line({});
  int64_t x = 0, y = 0;
  for (size_t next = 0; next < text.size();) {
    auto delta_y = read_delta(text, next);
    auto delta_x = delta_y ? read_delta(text, next) : std::nullopt;
    if (!delta_x) return bad_argument("Invalid encoded polyline: " + std::string(text));
    // Wraps like the sums of any hostile input.
    y = static_cast<int64_t>(static_cast<uint64_t>(y) + static_cast<uint64_t>(*delta_y));
    x = static_cast<int64_t>(static_cast<uint64_t>(x) + static_cast<uint64_t>(*delta_x));
    line.points.push_back({static_cast<double>(x) * 1e-5, static_cast<double>(y) * 1e-5});
  }
  if (line.points.size() == 1)
    return bad_argument("Invalid encoded polyline: " + std::string(text));
  return line;
}

Result<Shape> read_hadoop_shape(std::string_view bytes) {
  if (bytes.size() <= kHadoopHead) return bad_argument("Hadoop shape input is too short");
  // The kind that the framework noted: 0 as the shape says, then the seven without collections.
  constexpr Kind kNoted[] = {Kind::collection,   Kind::point,       Kind::line_string,
                             Kind::polygon,      Kind::multi_point, Kind::multi_line_string,
                             Kind::multi_polygon};
  auto noted = static_cast<int8_t>(bytes[4]);
  if (noted < 0 || noted > 6)
    return bad_argument("Invalid Hadoop shape type: " + std::to_string(noted));
  auto shape = EsriReader(bytes.substr(kHadoopHead)).run();
  if (!shape) return bad_shape();
  Kind wanted = kNoted[noted];
  if (noted == 0 || shape->is(wanted)) return std::move(*shape);
  if (static_cast<int>(wanted) == static_cast<int>(shape->kind) + 3) {
    Shape many = Shape::empty(wanted);
    if (!shape->is_empty()) many.parts.push_back(std::move(*shape));
    return many;
  }
  if (shape->is_empty()) return Shape::empty(wanted);
  return bad_shape();
}

}  // namespace aichemy::geo
