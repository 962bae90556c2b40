#include "sql/geo/sphere.h"

#include <numbers>

namespace aichemy::geo {
namespace {

constexpr double kPi = std::numbers::pi, kTurn = 2 * kPi;
constexpr double kEarthRadiusMeters = kEarthRadiusKm * 1000;

double radians(double degrees) { return degrees / 180 * kPi; }
// Into (-pi, pi]: what is turned when the course changes by this.
double turn(double angle) { return std::fmod(angle + 3 * kPi, kTurn) - kPi; }

Status require_place(double latitude, double longitude) {
  if (!(std::abs(latitude) <= 90)) return bad_argument("Latitude must be between -90 and 90");
  if (!(std::abs(longitude) <= 180)) return bad_argument("Longitude must be between -180 and 180");
  return {};
}

// A vertex with what each of its two edges needs of it.
struct Vertex {
  double phi, lambda, sine, cosine, half_tangent;
  explicit Vertex(const Coordinate& at)
      : phi(radians(at.y)),
        lambda(radians(at.x)),
        sine(std::sin(phi)),
        cosine(std::cos(phi)),
        half_tangent(std::tan(phi / 2)) {}
};

struct Courses {
  double begin, end;  // bearings at both ends of an edge
};
Courses courses(const Vertex& a, const Vertex& b) {
  double sine = std::sin(b.lambda - a.lambda), cosine = std::cos(b.lambda - a.lambda);
  double begin = std::atan2(sine * b.cosine, a.cosine * b.sine - a.sine * b.cosine * cosine);
  double end = std::atan2(-sine * a.cosine, a.sine * b.cosine - a.cosine * b.sine * cosine);
  return {std::fmod(begin + kTurn, kTurn), std::fmod(end + kPi, kTurn)};
}

// The spherical excess of a ring: the sum over its edges of the excess of the triangle or lune
// between the edge and the equator. A ring around a pole turns by nothing on its way round (not by
// a full turn), and its excess is then measured from the equator, half a sphere too far.
Result<double> excess(const std::vector<Coordinate>& ring) {
  size_t count = ring.size();
  if (count > 0 && ring.front().same_place(ring.back())) --count;
  if (count < 3) return bad_argument("Polygon is not valid: a loop contains less then 3 vertices.");
  double sum = 0, turned = 0, first = 0, arrived = 0;
  Vertex before(ring[count - 1]);
  for (size_t i = 0; i < count; ++i) {
    Vertex next(ring[i]);
    if (next.phi == before.phi && next.lambda == before.lambda)
      return bad_argument("Polygon is not valid: it has two identical consecutive vertices");
    sum += 2 * std::atan2(std::tan((next.lambda - before.lambda) / 2) *
                              (before.half_tangent + next.half_tangent),
                          1 + before.half_tangent * next.half_tangent);
    Courses edge = courses(before, next);
    if (i == 0)
      first = edge.begin;
    else
      turned += turn(edge.begin - arrived);
    turned += turn(edge.end - edge.begin);
    arrived = edge.end;
    before = next;
  }
  turned += turn(first - arrived);
  if (std::abs(turned) < kPi / 4) sum = std::abs(sum) - kTurn;
  return std::abs(sum);
}

}  // namespace

Result<double> great_circle_km(double latitude_a, double longitude_a, double latitude_b,
                               double longitude_b) {
  RETURN_IF_ERROR(require_place(latitude_a, longitude_a));
  RETURN_IF_ERROR(require_place(latitude_b, longitude_b));
  double phi_a = radians(latitude_a), phi_b = radians(latitude_b);
  double delta = radians(longitude_a) - radians(longitude_b);
  double sin_a = std::sin(phi_a), cos_a = std::cos(phi_a);
  double sin_b = std::sin(phi_b), cos_b = std::cos(phi_b), cos_delta = std::cos(delta);
  double across = cos_b * std::sin(delta), along = cos_a * sin_b - sin_a * cos_b * cos_delta;
  double towards = sin_a * sin_b + cos_a * cos_b * cos_delta;
  return std::atan2(std::sqrt(across * across + along * along), towards) * kEarthRadiusKm;
}

Status require_spherical(const Shape& shape) {
  if (!shape.is_empty()) {
    Box box = shape.box();
    RETURN_IF_ERROR(require_place(box.y_min, 0));
    RETURN_IF_ERROR(require_place(box.y_max, 0));
    RETURN_IF_ERROR(require_place(0, box.x_min));
    RETURN_IF_ERROR(require_place(0, box.x_max));
    bool unknown = false;  // a box does not notice what is no number
    shape.each_point(
        [&](const Coordinate& at) { unknown = unknown || std::isnan(at.x) || std::isnan(at.y); });
    if (unknown) return bad_argument("Latitude must be between -90 and 90");
  }
  if (shape.has_z) return bad_argument("Cannot convert 3D geometry to a spherical geography");
  return {};
}

Result<double> spherical_length(const Shape& shape) {
  double sum = 0;
  for (size_t i = 1; i < shape.points.size(); ++i) {
    const Coordinate &a = shape.points[i - 1], &b = shape.points[i];
    ASSIGN_OR_RETURN(double km, great_circle_km(a.y, a.x, b.y, b.x));
    sum += km * 1000;
  }
  for (const Shape& part : shape.parts) {
    ASSIGN_OR_RETURN(double meters, spherical_length(part));
    sum += meters;
  }
  return sum;
}

Result<double> spherical_area(const Shape& shape) {
  double sum = 0;
  if (shape.is(Kind::polygon)) {
    for (size_t i = 0; i < shape.parts.size(); ++i) {
      ASSIGN_OR_RETURN(double ring, excess(shape.parts[i].points));
      sum += i == 0 ? ring : -ring;
    }
    return std::abs(sum) * kEarthRadiusMeters * kEarthRadiusMeters;
  }
  for (const Shape& part : shape.parts) {
    ASSIGN_OR_RETURN(double area, spherical_area(part));
    sum += area;
  }
  return sum;
}

}  // namespace aichemy::geo
