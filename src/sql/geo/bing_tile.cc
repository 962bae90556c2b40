#include "sql/geo/bing_tile.h"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

#include "sql/geo/planar.h"
#include "sql/geo/sphere.h"

namespace aichemy::geo {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kLatitudeMax = 85.05112878, kLongitudeMax = 180;
constexpr int64_t kTilePixels = 256, kTilesMax = 1'000'000;
constexpr double kRadiusMaxKm = 1000;

int64_t map_pixels(int zoom) { return kTilePixels << zoom; }
double radians(double degrees) { return degrees / 180 * kPi; }
double degrees(double radians) { return radians * 180 / kPi; }

Status require_zoom(int32_t zoom) {
  if (zoom <= 0) return bad_argument("Zoom level must be > 0");
  if (zoom > BingTile::kZoomMax)
    return bad_argument(fmt::format("Zoom level must be <= {}", BingTile::kZoomMax));
  return {};
}
Status require_place(double latitude, double longitude) {
  if (!(std::abs(latitude) <= kLatitudeMax))
    return bad_argument("Latitude must be between -85.05112878 and 85.05112878");
  if (!(std::abs(longitude) <= kLongitudeMax))
    return bad_argument("Longitude must be between -180.0 and 180.0");
  return {};
}

int32_t tile_of(double share, int64_t pixels) {
  double at = std::clamp(share * static_cast<double>(pixels), 0.0, static_cast<double>(pixels - 1));
  return static_cast<int32_t>(static_cast<int64_t>(at) / kTilePixels);
}
int32_t x_of(double longitude, int zoom) {
  return tile_of((longitude + 180) / 360, map_pixels(zoom));
}
int32_t y_of(double latitude, int zoom) {
  double sine = std::sin(latitude * kPi / 180);
  return tile_of(0.5 - std::log((1 + sine) / (1 - sine)) / (4 * kPi), map_pixels(zoom));
}
BingTile tile_at(double latitude, double longitude, int zoom) {
  return {x_of(longitude, zoom), y_of(latitude, zoom), zoom};
}

// The upper left corner; x and y may be one past the last tile.
Coordinate corner(int64_t x, int64_t y, int zoom) {
  int64_t size = map_pixels(zoom);
  auto share = [&](int64_t tile) {
    return static_cast<double>(std::clamp<int64_t>(tile * kTilePixels, 0, size)) /
           static_cast<double>(size);
  };
  double up = 0.5 - share(y);
  return {360 * (share(x) - 0.5), 90 - 360 * std::atan(std::exp(-up * 2 * kPi)) / kPi};
}

// The latitude that lies radius to the north (or south) of one.
double shifted_latitude(double latitude, double radius_km, bool north) {
  double phi = radians(latitude), angle = radius_km / kEarthRadiusKm;
  double moved = std::asin(std::sin(phi) * std::cos(angle) +
                           std::cos(phi) * std::sin(angle) * std::cos(north ? 0 : kPi));
  return std::clamp(degrees(moved), -kLatitudeMax, kLatitudeMax);
}
double shifted_longitude(double latitude, double longitude, double radius_km, double bearing) {
  double phi = radians(latitude), angle = radius_km / kEarthRadiusKm;
  double moved = degrees(radians(longitude) +
                         std::atan2(std::sin(radians(bearing)) * std::sin(angle) * std::cos(phi),
                                    std::cos(angle) - std::sin(phi) * std::sin(phi)));
  if (moved > kLongitudeMax) return -kLongitudeMax + (moved - kLongitudeMax);
  if (moved < -kLongitudeMax) return kLongitudeMax + (moved + kLongitudeMax);
  return moved;
}

// The tiles of one quarter of a circle: rows from the outermost one towards the centre, of which
// each column takes those from the first that reaches into the circle on.
class Circle {
 public:
  Circle(double latitude, double longitude, double radius_km, int zoom)
      : latitude_(latitude), longitude_(longitude), radius_km_(radius_km), zoom_(zoom) {}

  void column(int32_t x, bool east, int32_t y_from, int32_t y_until, std::vector<int64_t>& to) {
    int32_t step = y_from < y_until ? 1 : -1;
    bool inside = false;
    for (int32_t y = y_from; y != y_until; y += step) {
      // The corner nearest to the centre.
      Coordinate near = corner(east ? x : x + 1, step > 0 ? y + 1 : y, zoom_);
      auto km = great_circle_km(latitude_, longitude_, near.y, near.x);
      inside = inside || (km && *km <= radius_km_);
      if (inside) to.push_back(BingTile{x, y, zoom_}.code());
    }
  }

 private:
  double latitude_, longitude_, radius_km_;
  int zoom_;
};

// A point or a rectangle along the axes touches every tile of its box.
bool fills_box(const Shape& shape, const Box& box) {
  if (shape.is(Kind::point)) return true;
  if (!shape.is(Kind::polygon) || shape.parts.size() != 1) return false;
  const auto& ring = shape.parts[0].points;
  if (ring.size() != 5) return false;
  bool seen[4] = {};
  for (size_t i = 0; i < 4; ++i) {
    bool right = ring[i].x == box.x_max, top = ring[i].y == box.y_max;
    if ((!right && ring[i].x != box.x_min) || (!top && ring[i].y != box.y_min)) return false;
    seen[(right ? 1 : 0) + (top ? 2 : 0)] = true;
  }
  return std::ranges::all_of(seen, [](bool one) { return one; });
}

// From large tiles to small ones: what lies within the geometry is not looked at again.
class Cover {
 public:
  Cover(Planar geometry, int zoom) : geometry_(std::move(geometry)), zoom_(zoom) {}

  Status add(const BingTile& tile) {
    ASSIGN_OR_RETURN(Planar square, Planar::read(own_form(Shape::rectangle(tile.box()))));
    ASSIGN_OR_RETURN(bool apart, geometry_.test(Predicate::disjoint, square));
    if (apart) return {};
    if (tile.zoom == zoom_) {
      codes.push_back(tile.code());
      return {};
    }
    ASSIGN_OR_RETURN(bool whole, geometry_.test(Predicate::contains, square));
    if (whole) {
      int32_t count = 1 << (zoom_ - tile.zoom);
      for (int32_t x = count * tile.x; x < count * (tile.x + 1); ++x) {
        for (int32_t y = count * tile.y; y < count * (tile.y + 1); ++y)
          codes.push_back(BingTile{x, y, zoom_}.code());
      }
      return {};
    }
    for (int32_t x = 2 * tile.x; x < 2 * tile.x + 2; ++x) {
      for (int32_t y = 2 * tile.y; y < 2 * tile.y + 2; ++y)
        RETURN_IF_ERROR(add({x, y, tile.zoom + 1}));
    }
    return {};
  }

  std::vector<int64_t> codes;

 private:
  Planar geometry_;
  int zoom_;
};

Status require_tiles(int64_t tiles, const Shape& shape, const Box& box, bool filled, int zoom) {
  if (filled && tiles > kTilesMax) {
    return bad_argument(fmt::format(
        "The number of tiles covering input rectangle exceeds the limit of 1M. Number of tiles: "
        "{}. Rectangle: xMin={:.2f}, yMin={:.2f}, xMax={:.2f}, yMax={:.2f}. Zoom level: {}.",
        tiles, box.x_min, box.y_min, box.x_max, box.y_max, zoom));
  }
  if (filled) return {};
  if (tiles > std::numeric_limits<int32_t>::max()) {
    return bad_argument("The zoom level is too high to compute a set of covering Bing tiles.");
  }
  constexpr double kComplexityMax = 25'000'000;
  if (static_cast<double>(tiles) * static_cast<double>(shape.count_points()) > kComplexityMax) {
    return bad_argument(
        "The zoom level is too high or the geometry is too complex to compute a set of covering "
        "Bing tiles. Please use a lower zoom level or convert the geometry to its bounding box "
        "using the ST_Envelope function.");
  }
  return {};
}

}  // namespace

BingTile BingTile::of_code(int64_t code) {
  return {static_cast<int32_t>(code >> 28), static_cast<int32_t>((code >> 5) & 0x7fffff),
          static_cast<int32_t>(code & 31)};
}

Result<BingTile> BingTile::of(int32_t x, int32_t y, int32_t zoom) {
  RETURN_IF_ERROR(require_zoom(zoom));
  int32_t count = 1 << zoom;
  if (x < 0 || x >= count || y < 0 || y >= count) {
    return bad_argument(
        fmt::format("XY coordinates for a Bing tile at zoom level {} must be within [0, {}) range",
                    zoom, count));
  }
  return BingTile{x, y, zoom};
}

Result<BingTile> BingTile::of_quad_key(std::string_view key) {
  if (key.empty()) return bad_argument("QuadKey must not be empty string");
  if (key.size() > kZoomMax)
    return bad_argument(fmt::format("QuadKey must be {} characters or less", kZoomMax));
  BingTile tile{0, 0, static_cast<int32_t>(key.size())};
  for (char c : key) {
    if (c < '0' || c > '3')
      return bad_argument("Invalid QuadKey digit sequence: " + std::string(key));
    tile.x = tile.x * 2 + (c - '0') % 2;
    tile.y = tile.y * 2 + (c - '0') / 2;
  }
  return tile;
}

Result<BingTile> BingTile::at(double latitude, double longitude, int32_t zoom) {
  RETURN_IF_ERROR(require_place(latitude, longitude));
  RETURN_IF_ERROR(require_zoom(zoom));
  return tile_at(latitude, longitude, zoom);
}

std::string BingTile::quad_key() const {
  std::string key;
  for (int bit = zoom - 1; bit >= 0; --bit)
    key += static_cast<char>('0' + ((x >> bit) & 1) + 2 * ((y >> bit) & 1));
  return key;
}

std::string BingTile::json() const {
  return fmt::format(R"({{"x":{},"y":{},"zoom":{}}})", x, y, zoom);
}

Box BingTile::box() const {
  Box made;
  made.add(corner(x, y, zoom));
  made.add(corner(int64_t{x} + 1, int64_t{y} + 1, zoom));
  return made;
}

Result<std::vector<int64_t>> tiles_around(double latitude, double longitude, int32_t zoom) {
  ASSIGN_OR_RETURN(BingTile centre, BingTile::at(latitude, longitude, zoom));
  std::vector<int64_t> codes;
  int32_t count = 1 << zoom;
  for (int32_t x = centre.x - 1; x <= centre.x + 1; ++x) {
    for (int32_t y = centre.y - 1; y <= centre.y + 1; ++y) {
      if (x >= 0 && x < count && y >= 0 && y < count) codes.push_back(BingTile{x, y, zoom}.code());
    }
  }
  return codes;
}

Result<std::vector<int64_t>> tiles_around(double latitude, double longitude, int32_t zoom,
                                          double radius_km) {
  ASSIGN_OR_RETURN(BingTile centre, BingTile::at(latitude, longitude, zoom));
  if (!(radius_km >= 0)) return bad_argument("Radius must be >= 0");
  if (radius_km > kRadiusMaxKm) return bad_argument("Radius must be <= 1,000 km");
  int32_t last = (1 << zoom) - 1;
  int32_t top = y_of(shifted_latitude(latitude, radius_km, true), zoom);
  int32_t bottom = y_of(shifted_latitude(latitude, radius_km, false), zoom);
  int32_t left = x_of(shifted_longitude(latitude, longitude, radius_km, 270), zoom);
  int32_t right = x_of(shifted_longitude(latitude, longitude, radius_km, 90), zoom);
  // A circle over the date line goes on at the other end of the map.
  int64_t columns = right < left ? int64_t{right} + last - left + 2 : int64_t{right} - left + 1;
  int64_t tiles = columns * (int64_t{bottom} - top + 1);
  if (tiles > kTilesMax) {
    return bad_argument(fmt::format(
        "The number of tiles covering input rectangle exceeds the limit of 1M. Number of tiles: "
        "{}. Radius: {:.1f} km. Zoom level: {}.",
        tiles, radius_km, zoom));
  }
  std::vector<int64_t> codes;
  // The row and the column of the centre whole, then what of the four corners is inside.
  for (int64_t i = 0; i < columns; ++i) {
    auto x = static_cast<int32_t>((left + i) % (int64_t{last} + 1));
    codes.push_back(BingTile{x, centre.y, zoom}.code());
  }
  for (int32_t y = top; y <= bottom; ++y) {
    if (y != centre.y) codes.push_back(BingTile{centre.x, y, zoom}.code());
  }
  Circle circle(latitude, longitude, radius_km, zoom);
  for (int32_t x = right; x != centre.x; x = x == 0 ? last : x - 1) {
    circle.column(x, true, top, centre.y, codes);
    circle.column(x, true, bottom, centre.y, codes);
  }
  for (int32_t x = left; x != centre.x; x = x == last ? 0 : x + 1) {
    circle.column(x, false, top, centre.y, codes);
    circle.column(x, false, bottom, centre.y, codes);
  }
  return codes;
}

Result<std::vector<int64_t>> tiles_of(std::string_view geometry, int32_t zoom) {
  RETURN_IF_ERROR(require_zoom(zoom));
  ASSIGN_OR_RETURN(Shape shape, read_own_form(geometry));
  if (shape.is_empty()) return std::vector<int64_t>{};
  Box box = shape.box();
  if (!(box.y_min >= -kLatitudeMax && box.y_max <= kLatitudeMax))
    return bad_argument("Latitude span for the geometry must be in [-85.05, 85.05] range");
  if (!(box.x_min >= -kLongitudeMax && box.x_max <= kLongitudeMax))
    return bad_argument("Longitude span for the geometry must be in [-180.00, 180.00] range");
  BingTile first = tile_at(box.y_max, box.x_min, zoom), last = tile_at(box.y_min, box.x_max, zoom);
  // A tile whose left or upper border is all that touches is left out.
  Coordinate touched = corner(last.x, last.y, zoom);
  if (touched.x == box.x_max) --last.x;
  if (touched.y == box.y_min) --last.y;
  int64_t tiles = (int64_t{last.x} - first.x + 1) * (int64_t{last.y} - first.y + 1);
  bool filled = fills_box(shape, box);
  RETURN_IF_ERROR(require_tiles(tiles, shape, box, filled, zoom));
  constexpr int kCoarseZoom = 10;
  int step = filled || zoom <= kCoarseZoom ? 0 : zoom - kCoarseZoom;
  ASSIGN_OR_RETURN(Planar planar, Planar::read(geometry));
  Cover cover(std::move(planar), zoom);
  for (int32_t x = first.x >> step; x <= last.x >> step; ++x) {
    for (int32_t y = first.y >> step; y <= last.y >> step; ++y) {
      BingTile tile{x, y, zoom - step};
      if (filled)
        cover.codes.push_back(tile.code());
      else
        RETURN_IF_ERROR(cover.add(tile));
    }
  }
  return std::move(cover.codes);
}

}  // namespace aichemy::geo
