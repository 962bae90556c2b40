// Text forms of shapes: WKT, extended WKT, GeoJSON, KML, encoded polylines; and the shapes of the
// Spatial Framework for Hadoop. Readers give invalid ("INVALID_FUNCTION_ARGUMENT") with Trino's
// message and never recurse deeper than kDepthMax.
#pragma once

#include <string>
#include <string_view>

#include "sql/geo/shape.h"

namespace aichemy::geo {

// 4, 0.5, 100000000000000000000: the shortest digits that read back, never an exponent.
void append_ordinate(std::string& out, double value);

std::string write_wkt(const Shape& shape);
// Only the extended form may begin with SRID=<number>;
Result<Shape> read_wkt(std::string_view text);
Result<Shape> read_ewkt(std::string_view text);
std::string write_ewkt(const Shape& shape);

Result<Shape> read_geojson(std::string_view text);
std::string write_geojson(const Shape& shape);

Result<Shape> read_polyline(std::string_view text);
std::string write_polyline(const Shape& shape);  // of the points, whatever the kind

Result<Shape> read_hadoop_shape(std::string_view bytes);

Result<Shape> read_kml(std::string_view text);

}  // namespace aichemy::geo
