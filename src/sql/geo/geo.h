// Trino's geospatial types and functions, 483's semantics: Geometry on a plane, SphericalGeography
// on the Earth as a ball, BingTile.
//
// Parts: shape.h values and their bytes, text.h other forms, planar.h the plane (GEOS), sphere.h
// the ball, bing_tile.h tiles, binding.h and *_functions.cc what the engine calls. The types'
// physical forms are BLOB (docs/formats/geometry.md) and BIGINT; function rows are in
// sql/functions/functions_geo.cc.
//
// Threads: any. Bytes are checked when they come in (WKB, WKT, ...); what the engine holds was
// written by own_form(), and reading it again is as strict.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace duckdb {
class DatabaseInstance;
}

namespace aichemy::geo {

void register_geo_functions(duckdb::DatabaseInstance& database);

// What clients see: WKT of a Geometry or SphericalGeography, the JSON object of a BingTile.
std::string geometry_text(std::string_view own_form);
std::string bing_tile_text(int64_t code);

}  // namespace aichemy::geo
