// Well-known text. Written as JTS writes it, which is how Trino shows geometries.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>

#include "sql/geo/text.h"

namespace aichemy::geo {
namespace {

struct TagRow {
  std::string_view tag;
  Kind kind;
};
constexpr TagRow kTags[] = {
    {"POINT", Kind::point},
    {"LINESTRING", Kind::line_string},
    {"LINEARRING", Kind::line_string},
    {"POLYGON", Kind::polygon},
    {"MULTIPOINT", Kind::multi_point},
    {"MULTILINESTRING", Kind::multi_line_string},
    {"MULTIPOLYGON", Kind::multi_polygon},
    {"GEOMETRYCOLLECTION", Kind::collection},
};

class WktReader {
 public:
  explicit WktReader(std::string_view text) : text_(text) {}

  std::optional<Shape> run() {
    auto shape = geometry(1);
    blank();
    if (next_ != text_.size()) return std::nullopt;
    return shape;
  }

 private:
  std::string_view text_;
  size_t next_ = 0;
  int ordinates_ = 0;  // 2 or 3 of the geometry being read; 0: the first point says

  void blank() {
    while (next_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[next_]))) ++next_;
  }
  bool mark(char c) {
    blank();
    if (next_ >= text_.size() || text_[next_] != c) return false;
    ++next_;
    return true;
  }
  std::string word() {
    blank();
    std::string made;
    while (next_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[next_])))
      made += static_cast<char>(std::toupper(static_cast<unsigned char>(text_[next_++])));
    return made;
  }
  bool is_empty_word() {
    size_t before = next_;
    if (word() == "EMPTY") return true;
    next_ = before;
    return false;
  }

  bool number(double& value) {
    blank();
    const char *begin = text_.data() + next_, *end = text_.data() + text_.size();
    if (begin < end && *begin == '+') ++begin;
    auto [stop, error] = std::from_chars(begin, end, value);
    if (error == std::errc::result_out_of_range) return false;
    if (error != std::errc() || stop == begin) return false;
    next_ = static_cast<size_t>(stop - text_.data());
    return true;
  }
  bool more() {  // another number of the same coordinate
    blank();
    return next_ < text_.size() && text_[next_] != ',' && text_[next_] != ')';
  }

  bool coordinate(Coordinate& at) {
    if (!number(at.x) || !number(at.y)) return false;
    if (ordinates_ == 0) ordinates_ = more() ? 3 : 2;
    return ordinates_ == 2 || number(at.z);
  }

  bool line(std::vector<Coordinate>& points) {
    if (is_empty_word()) return true;
    if (!mark('(')) return false;
    do {
      if (!coordinate(points.emplace_back())) return false;
    } while (mark(','));
    return mark(')') && points.size() != 1;
  }

  bool polygon(Shape& shape) {
    if (is_empty_word()) return true;
    if (!mark('(')) return false;
    do {
      Shape ring = Shape::line({});
      if (!line(ring.points)) return false;
      size_t size = ring.points.size();
      if (size > 0 && (size < 3 || !ring.points.front().same_place(ring.points.back())))
        return false;
      shape.parts.push_back(std::move(ring));
    } while (mark(','));
    if (!mark(')')) return false;
    if (shape.parts.size() == 1 && shape.parts[0].points.empty()) shape.parts.clear();
    return std::ranges::none_of(shape.parts, [](const Shape& r) { return r.points.empty(); });
  }

  // MULTIPOINT (1 2, 3 4) is as good as MULTIPOINT ((1 2), (3 4)).
  bool member_point(Shape& shape) {
    if (is_empty_word()) return true;
    bool wrapped = mark('(');
    return coordinate(shape.points.emplace_back()) && (!wrapped || mark(')'));
  }

  bool members(Shape& shape, int depth) {
    if (is_empty_word()) return true;
    if (!mark('(')) return false;
    do {
      if (shape.is(Kind::collection)) {
        int before = std::exchange(ordinates_, 0);
        auto member = geometry(depth + 1);
        ordinates_ = before;
        if (!member) return false;
        shape.parts.push_back(std::move(*member));
        continue;
      }
      Shape& member = shape.parts.emplace_back();
      member.kind = static_cast<Kind>(static_cast<int>(shape.kind) - 3);
      bool read = member.is(Kind::point)         ? member_point(member)
                  : member.is(Kind::line_string) ? line(member.points)
                                                 : polygon(member);
      if (!read) return false;
    } while (mark(','));
    return mark(')');
  }

  std::optional<Shape> geometry(int depth) {
    if (depth > kDepthMax) return std::nullopt;
    std::string tag = word();
    bool z = false;
    const TagRow* row = find(tag);
    if (!row && tag.ends_with('Z')) {
      z = true;
      tag.pop_back();
      row = find(tag);
    }
    if (!row) return std::nullopt;
    size_t before = next_;
    std::string dimensions = z ? "Z" : word();
    if (dimensions == "Z")
      z = true;
    else
      next_ = before;  // EMPTY, a parenthesis, or M coordinates, which nothing below reads
    Shape shape = Shape::empty(row->kind);
    ordinates_ = z ? 3 : 0;
    bool read = true;
    switch (shape.kind) {
      case Kind::point:
        if (is_empty_word()) break;
        read = mark('(') && coordinate(shape.points.emplace_back()) && mark(')');
        break;
      case Kind::line_string: read = line(shape.points); break;
      case Kind::polygon: read = polygon(shape); break;
      default: read = members(shape, depth);
    }
    if (!read) return std::nullopt;
    shape.has_z = ordinates_ == 3;
    for (const Shape& part : shape.parts) shape.has_z = shape.has_z || part.has_z;
    return shape;
  }

  static const TagRow* find(std::string_view tag) {
    const auto* row = std::ranges::find(kTags, tag, &TagRow::tag);
    return row == std::end(kTags) ? nullptr : row;
  }
};

class WktWriter {
 public:
  explicit WktWriter(std::string& out) : out_(out) {}

  void geometry(const Shape& shape) {
    for (const TagRow& row : kTags) {
      if (row.kind != shape.kind) continue;
      out_ += row.tag;
      break;
    }
    out_ += shape.has_z && !shape.is_empty() ? " Z " : " ";
    body(shape, shape.has_z);
  }

 private:
  std::string& out_;

  void coordinate(const Coordinate& at, bool has_z) {
    append_ordinate(out_, at.x);
    out_ += ' ';
    append_ordinate(out_, at.y);
    if (!has_z) return;
    out_ += ' ';
    append_ordinate(out_, at.z);
  }

  void body(const Shape& shape, bool has_z) {
    if (shape.points.empty() && shape.parts.empty()) {
      out_ += "EMPTY";
      return;
    }
    out_ += '(';
    bool first = true;
    for (const Coordinate& at : shape.points) {
      if (!std::exchange(first, false)) out_ += ", ";
      coordinate(at, has_z);
    }
    for (const Shape& part : shape.parts) {
      if (!std::exchange(first, false)) out_ += ", ";
      if (shape.is(Kind::collection))
        geometry(part);
      else
        body(part, has_z);
    }
    out_ += ')';
  }
};

}  // namespace

void append_ordinate(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-Inf" : "Inf";
    return;
  }
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  std::string_view made(text, static_cast<size_t>(end - text));
  size_t e = made.find('e');
  int exponent = 0;
  std::from_chars(text + e + (made[e + 1] == '+' ? 2 : 1), end, exponent);
  if (made.front() == '-') out += '-';
  std::string digits;
  for (char c : made.substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  auto count = static_cast<int>(digits.size());
  if (exponent < 0) {
    out += "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  } else if (exponent >= count - 1) {
    out += digits + std::string(static_cast<size_t>(exponent - count + 1), '0');
  } else {
    auto whole = static_cast<size_t>(exponent) + 1;
    out += digits.substr(0, whole) + "." + digits.substr(whole);
  }
}

std::string write_wkt(const Shape& shape) {
  std::string out;
  WktWriter(out).geometry(shape);
  return out;
}

std::string write_ewkt(const Shape& shape) {
  return (shape.srid ? "SRID=" + std::to_string(shape.srid) + ";" : std::string()) +
         write_wkt(shape);
}

Result<Shape> read_wkt(std::string_view text) {
  auto shape = WktReader(text).run();
  if (!shape) return bad_argument("Invalid WKT: " + std::string(text));
  return std::move(*shape);
}

Result<Shape> read_ewkt(std::string_view text) {
  auto broken = [&] { return bad_argument("Invalid EWKT: " + std::string(text)); };
  std::string_view rest = text;
  int32_t srid = 0;
  std::string_view prefix = "SRID=";
  bool has_prefix = rest.size() > prefix.size() &&
                    std::ranges::equal(rest.substr(0, prefix.size()), prefix, [](char a, char b) {
                      return std::toupper(static_cast<unsigned char>(a)) == b;
                    });
  if (has_prefix) {
    const char *begin = rest.data() + prefix.size(), *end = rest.data() + rest.size();
    auto [stop, error] = std::from_chars(begin, end, srid);
    if (error != std::errc() || stop == end || *stop != ';') return broken();
    rest.remove_prefix(static_cast<size_t>(stop - rest.data()) + 1);
  }
  auto shape = WktReader(rest).run();
  if (!shape) return broken();
  shape->srid = srid;
  return std::move(*shape);
}

}  // namespace aichemy::geo
