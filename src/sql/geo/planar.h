// Plane geometry, by the library GEOS through its C interface (the only file that sees it is
// planar.cc). Values go in and out in their own form (shape.h); the SRID of the first argument, or
// of the second when the first has none, is the result's.
//
// Errors: invalid ("INVALID_FUNCTION_ARGUMENT") for invalid input geometries, internal otherwise.
// Threads: each has its own context of the library; a Planar stays on the thread that made it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace aichemy::geo {

enum class Predicate : uint8_t {
  contains,
  crosses,
  disjoint,
  equals,
  intersects,
  overlaps,
  touches,
  within,
};
enum class Overlay : uint8_t { difference, intersection, symmetric_difference, union_ };
enum class Making : uint8_t {  // one geometry of another
  boundary,
  centroid,
  convex_hull,
  line_merge,
  normalize,
  point_on_surface,
  minimum_bounding_circle,
  oriented_envelope,
  union_of_itself,
  buffer,              // distance
  simplify,            // tolerance
  reduce_precision,    // grid size
  voronoi,             // tolerance
  interpolated_point,  // distance along the line
};
enum class Measure : uint8_t { area, length };

// A geometry in the library's form, from its own form. It may hold an index for repeated tests.
class Planar {
 public:
  static Result<Planar> read(std::string_view own_form);
  Planar(Planar&&) noexcept;
  Planar& operator=(Planar&&) noexcept;
  ~Planar();

  bool is_empty() const;
  Result<double> measure(Measure what) const;
  Result<std::string> make(Making what, double argument = 0) const;
  Result<bool> is_simple() const;
  // "Self-intersection at or near (1.0 1.0)"; none when valid.
  Result<std::optional<std::string>> invalid_reason() const;

  // Cheaper from the second test on of the same geometry on the left.
  Result<bool> test(Predicate what, const Planar& other);
  Result<bool> relate(const Planar& other, const std::string& pattern) const;
  Result<double> distance(const Planar& other) const;
  // The places nearest to each other, as points in their own form; both not empty.
  Result<std::pair<std::string, std::string>> nearest(const Planar& other) const;
  // The length along this line up to the place nearest to the point.
  Result<double> locate(const Planar& point) const;
  Result<std::string> overlay(Overlay what, const Planar& other) const;

 private:
  struct Held;
  explicit Planar(std::unique_ptr<Held> held);
  std::unique_ptr<Held> held_;
  friend class Library;
};

// Of all of them at once; an empty list is an empty collection.
Result<std::string> union_of(const std::vector<std::string_view>& geometries);
Result<std::string> polygonize(const std::vector<std::string_view>& lines);

// The library's version: 3.11.1-CAPI-1.17.1.
std::string planar_library_version();

}  // namespace aichemy::geo
