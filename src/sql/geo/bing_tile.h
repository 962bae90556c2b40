// Bing tiles: squares of the Mercator map, 2^zoom by 2^zoom from the upper left corner, zoom 1 to
// 23. A BingTile column holds code(): x << 28 | y << 5 | zoom, as Trino does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/geo/shape.h"

namespace aichemy::geo {

struct BingTile {
  static constexpr int kZoomMax = 23;

  int32_t x = 0, y = 0, zoom = 1;

  int64_t code() const { return (int64_t{x} << 28) | (int64_t{y} << 5) | zoom; }
  static BingTile of_code(int64_t code);
  static Result<BingTile> of(int32_t x, int32_t y, int32_t zoom);
  static Result<BingTile> of_quad_key(std::string_view key);
  static Result<BingTile> at(double latitude, double longitude, int32_t zoom);

  std::string quad_key() const;
  std::string json() const;  // {"x":1,"y":2,"zoom":3}
  Box box() const;           // degrees
};

// The tile of a place and its neighbours on the map.
Result<std::vector<int64_t>> tiles_around(double latitude, double longitude, int32_t zoom);
// The tiles that cover a circle.
Result<std::vector<int64_t>> tiles_around(double latitude, double longitude, int32_t zoom,
                                          double radius_km);
// The tiles that a geometry (in its own form) touches.
Result<std::vector<int64_t>> tiles_of(std::string_view geometry, int32_t zoom);

}  // namespace aichemy::geo
