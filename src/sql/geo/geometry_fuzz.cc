#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sql/geo/bing_tile.h"
#include "sql/geo/planar.h"
#include "sql/geo/text.h"

namespace geo = aichemy::geo;

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

// What a reader took is written and read again as the same bytes, and the library takes it.
void check(const geo::Shape& shape) {
  std::string form = geo::own_form(shape);
  auto again = geo::read_own_form(form);
  require(again.has_value());
  require(geo::own_form(*again) == form);
  require(!geo::write_wkt(*again).empty() && !geo::write_geojson(*again).empty());
  if (again->count_points() > 100) return;  // the plane's own time is not what is tested here
  auto planar = geo::Planar::read(form);
  if (!planar) return;
  (void)planar->measure(geo::Measure::area);
  (void)planar->invalid_reason();
}

}  // namespace

// The first byte picks the reader.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > (1u << 16)) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto shape = [&]() -> aichemy::Result<geo::Shape> {
    switch (data[0] % 7) {
      case 0: return geo::read_wkb(rest);
      case 1: return geo::read_wkt(rest);
      case 2: return geo::read_ewkt(rest);
      case 3: return geo::read_geojson(rest);
      case 4: return geo::read_polyline(rest);
      case 5: return geo::read_kml(rest);
      default: return geo::read_hadoop_shape(rest);
    }
  }();
  if (shape) check(*shape);
  (void)geo::BingTile::of_quad_key(rest);
  return 0;
}
