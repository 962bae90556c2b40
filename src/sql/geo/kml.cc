// Geometries of KML 2.2: Point, LineString, Polygon and MultiGeometry. Of XML what those need:
// elements, comments and instructions; document types are refused, other elements passed over.
#include <algorithm>
#include <charconv>
#include <optional>

#include "sql/geo/text.h"

namespace aichemy::geo {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

struct Token {
  enum class Kind : uint8_t { open, close, text, end, broken } kind = Kind::broken;
  std::string_view value;  // the name without prefix, or the text
  bool empty = false;      // <name/>
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Token next() {
    while (next_ < text_.size()) {
      std::string_view rest = text_.substr(next_);
      if (rest.starts_with("<!--")) {
        if (!skip("-->")) return {};
      } else if (rest.starts_with("<?")) {
        if (!skip("?>")) return {};
      } else if (rest.starts_with("<")) {
        return tag();
      } else {
        size_t stop = std::min(rest.find('<'), rest.size());
        next_ += stop;
        std::string_view text = rest.substr(0, stop);
        if (text.find_first_not_of(kBlanks) != std::string_view::npos)
          return {Token::Kind::text, text};
      }
    }
    return {Token::Kind::end, {}};
  }

 private:
  std::string_view text_;
  size_t next_ = 0;

  bool skip(std::string_view until) {
    size_t stop = text_.find(until, next_);
    if (stop == std::string_view::npos) return false;
    next_ = stop + until.size();
    return true;
  }
  Token tag() {
    size_t begin = next_ + 1, stop = begin;
    for (char quote = 0; stop < text_.size() && (quote || text_[stop] != '>'); ++stop) {
      char c = text_[stop];
      if (quote ? c == quote : c == '"' || c == '\'') quote = quote ? 0 : c;
    }
    if (stop == text_.size()) return {};
    std::string_view inner = text_.substr(begin, stop - begin);
    next_ = stop + 1;
    bool close = inner.starts_with('/'), empty = !close && inner.ends_with('/');
    if (close) inner.remove_prefix(1);
    if (empty) inner.remove_suffix(1);
    std::string_view name = inner.substr(0, std::min(inner.find_first_of(kBlanks), inner.size()));
    name.remove_prefix(std::min(name.find(':') + 1, name.size()));
    if (name.empty() || name.starts_with('!')) return {};
    return {close ? Token::Kind::close : Token::Kind::open, name, empty};
  }
};

class Reader {
 public:
  explicit Reader(std::string_view text) : scanner_(text) {}

  std::optional<Shape> run() {
    Token first = scanner_.next();
    if (first.kind != Token::Kind::open) return std::nullopt;
    auto shape = geometry(first, 1);
    if (scanner_.next().kind != Token::Kind::end) return std::nullopt;
    return shape;
  }

 private:
  Scanner scanner_;

  // Runs fn(child) for each child element, up to the end of the open one; fn reads the child whole.
  template <class Fn>
  bool children(const Token& open, Fn fn) {
    if (open.empty) return true;
    while (true) {
      Token token = scanner_.next();
      if (token.kind == Token::Kind::close) return token.value == open.value;
      if (token.kind != Token::Kind::open || !fn(token)) return false;
    }
  }
  bool pass(const Token& open, int depth) {
    if (open.empty) return true;
    if (depth > kDepthMax) return false;
    while (true) {
      Token token = scanner_.next();
      if (token.kind == Token::Kind::close) return token.value == open.value;
      if (token.kind == Token::Kind::text) continue;
      if (token.kind != Token::Kind::open || !pass(token, depth + 1)) return false;
    }
  }

  // 1,2 3,4,5: tuples apart by blanks.
  bool coordinates(const Token& open, Shape& shape) {
    if (open.empty) return true;
    Token token = scanner_.next();
    if (token.kind == Token::Kind::text) {
      std::string_view rest = token.value;
      while (true) {
        rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
        if (rest.empty()) break;
        if (!tuple(rest, shape)) return false;
      }
      token = scanner_.next();
    }
    return token.kind == Token::Kind::close && token.value == open.value;
  }
  static bool tuple(std::string_view& rest, Shape& shape) {
    Coordinate& at = shape.points.emplace_back();
    double* const ordinates[] = {&at.x, &at.y, &at.z};
    size_t count = 0;
    while (count < 3) {
      auto [stop, error] =
          std::from_chars(rest.data(), rest.data() + rest.size(), *ordinates[count]);
      if (error != std::errc()) return false;
      rest.remove_prefix(static_cast<size_t>(stop - rest.data()));
      ++count;
      if (!rest.starts_with(',')) break;
      rest.remove_prefix(1);
    }
    shape.has_z = shape.has_z || count == 3;
    return count >= 2 && (rest.empty() || kBlanks.find(rest[0]) != std::string_view::npos);
  }

  bool line(const Token& open, Shape& shape) {
    return children(open, [&](const Token& child) {
      return child.value == "coordinates" ? coordinates(child, shape) : pass(child, 1);
    });
  }
  bool ring(const Token& open, Shape& polygon) {
    return children(open, [&](const Token& child) {
      if (child.value != "LinearRing") return pass(child, 1);
      Shape made = Shape::line({});
      if (!line(child, made)) return false;
      size_t size = made.points.size();
      if (size < 3 || !made.points.front().same_place(made.points.back())) return false;
      polygon.has_z = polygon.has_z || made.has_z;
      polygon.parts.push_back(std::move(made));
      return true;
    });
  }
  bool polygon(const Token& open, Shape& shape) {
    bool shell = false;
    return children(open, [&](const Token& child) {
      bool outer = child.value == "outerBoundaryIs";
      if (!outer && child.value != "innerBoundaryIs") return pass(child, 1);
      if (outer == shell) return false;  // two shells, or a hole before the shell
      shell = true;
      return ring(child, shape);
    });
  }
  bool many(const Token& open, Shape& shape, int depth) {
    bool read = children(open, [&](const Token& child) {
      auto member = geometry(child, depth + 1);
      if (!member) return false;
      shape.has_z = shape.has_z || member->has_z;
      shape.parts.push_back(std::move(*member));
      return true;
    });
    bool alike = read && !shape.parts.empty() && !shape.parts[0].is_multi() &&
                 std::ranges::all_of(shape.parts, [&](const Shape& part) {
                   return part.kind == shape.parts[0].kind;
                 });
    if (alike) shape.kind = static_cast<Kind>(static_cast<int>(shape.parts[0].kind) + 3);
    return read;
  }

  std::optional<Shape> geometry(const Token& open, int depth) {
    if (depth > kDepthMax) return std::nullopt;
    Shape shape;
    bool read = false;
    if (open.value == "Point") {
      shape.kind = Kind::point;
      read = line(open, shape) && shape.points.size() <= 1;
    } else if (open.value == "LineString") {
      shape.kind = Kind::line_string;
      read = line(open, shape) && shape.points.size() != 1;
    } else if (open.value == "Polygon") {
      shape.kind = Kind::polygon;
      read = polygon(open, shape);
    } else if (open.value == "MultiGeometry") {
      read = many(open, shape, depth);
    }
    return read ? std::optional(std::move(shape)) : std::nullopt;
  }
};

}  // namespace

Result<Shape> read_kml(std::string_view text) {
  auto shape = Reader(text).run();
  if (!shape) return bad_argument("Invalid KML: " + std::string(text));
  return std::move(*shape);
}

}  // namespace aichemy::geo
