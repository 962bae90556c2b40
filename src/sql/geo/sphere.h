// Measures on the Earth as a ball: great circles between (longitude, latitude) points in degrees.
#pragma once

#include "sql/geo/shape.h"

namespace aichemy::geo {

inline constexpr double kEarthRadiusKm = 6371.01;

// Kilometers. Refused: what is no latitude or longitude.
Result<double> great_circle_km(double latitude_a, double longitude_a, double latitude_b,
                               double longitude_b);
// Refused: coordinates out of range, Z.
Status require_spherical(const Shape& shape);
// Meters, square meters; none when empty.
Result<double> spherical_length(const Shape& shape);
Result<double> spherical_area(const Shape& shape);

}  // namespace aichemy::geo
