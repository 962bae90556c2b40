#include "sql/geo/planar.h"

#include <geos_c.h>

#include <cmath>

#include "sql/geo/shape.h"
#include "sql/types/json_node.h"

namespace aichemy::geo {
namespace {

// The library's state of one thread; its last error is text that the failed call left.
class Context {
 public:
  Context() : handle_(GEOS_init_r()) {
    GEOSContext_setErrorMessageHandler_r(
        handle_, [](const char* message, void* to) { *static_cast<std::string*>(to) = message; },
        &error_);
    reader_ = GEOSWKBReader_create_r(handle_);
    writer_ = GEOSWKBWriter_create_r(handle_);
    GEOSWKBWriter_setByteOrder_r(handle_, writer_, GEOS_WKB_NDR);
    GEOSWKBWriter_setFlavor_r(handle_, writer_, GEOS_WKB_EXTENDED);
    GEOSWKBWriter_setIncludeSRID_r(handle_, writer_, 1);
    GEOSWKBWriter_setOutputDimension_r(handle_, writer_, 3);
  }
  ~Context() {
    GEOSWKBReader_destroy_r(handle_, reader_);
    GEOSWKBWriter_destroy_r(handle_, writer_);
    GEOS_finish_r(handle_);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  GEOSContextHandle_t handle() const { return handle_; }
  GEOSWKBReader* reader() const { return reader_; }
  GEOSWKBWriter* writer() const { return writer_; }
  const std::string& error() const { return error_; }

 private:
  GEOSContextHandle_t handle_;
  GEOSWKBReader* reader_ = nullptr;
  GEOSWKBWriter* writer_ = nullptr;
  std::string error_;
};

Context& context() {
  thread_local Context made;
  return made;
}
GEOSContextHandle_t lib() { return context().handle(); }

struct Destroy {
  void operator()(GEOSGeometry* geometry) const { GEOSGeom_destroy_r(lib(), geometry); }
  void operator()(const GEOSPreparedGeometry* geometry) const {
    GEOSPreparedGeom_destroy_r(lib(), geometry);
  }
  void operator()(GEOSCoordSequence* sequence) const { GEOSCoordSeq_destroy_r(lib(), sequence); }
  void operator()(unsigned char* bytes) const { GEOSFree_r(lib(), bytes); }
  void operator()(char* text) const { GEOSFree_r(lib(), text); }
};
using Geometry = std::unique_ptr<GEOSGeometry, Destroy>;
using Prepared = std::unique_ptr<const GEOSPreparedGeometry, Destroy>;

std::unexpected<Error> failed() {
  constexpr std::string_view kArgument = "IllegalArgumentException: ";
  const std::string& error = context().error();
  if (error.starts_with(kArgument)) return bad_argument(error.substr(kArgument.size()));
  return fail(Code::internal, "GENERIC_INTERNAL_ERROR", error);
}

Result<Geometry> parse(std::string_view own_form) {
  Geometry made(GEOSWKBReader_read_r(lib(), context().reader(),
                                     reinterpret_cast<const unsigned char*>(own_form.data()),
                                     own_form.size()));
  if (!made) return failed();
  return made;
}

// Through our own reader and writer: one shape has one own form.
Result<std::string> written(Geometry geometry, int srid) {
  if (!geometry) return failed();
  GEOSSetSRID_r(lib(), geometry.get(), srid);
  size_t size = 0;
  std::unique_ptr<unsigned char, Destroy> bytes(
      GEOSWKBWriter_write_r(lib(), context().writer(), geometry.get(), &size));
  if (!bytes) return failed();
  ASSIGN_OR_RETURN(Shape shape, read_wkb({reinterpret_cast<const char*>(bytes.get()), size}));
  bool z = false;
  shape.each_point([&](const Coordinate& at) { z = z || !std::isnan(at.z); });
  shape.has_z = z;
  return own_form(shape);
}

Result<bool> answer(char raw) {
  if (raw == 2) return failed();
  return raw == 1;
}

Result<std::optional<std::string>> reason_of(const GEOSGeometry* geometry) {
  char* raw_reason = nullptr;
  GEOSGeometry* raw_place = nullptr;
  char valid = GEOSisValidDetail_r(lib(), geometry, 0, &raw_reason, &raw_place);
  std::unique_ptr<char, Destroy> reason(raw_reason);
  Geometry place(raw_place);
  if (valid == 1) return std::nullopt;
  if (valid == 2) return failed();
  std::string text = reason ? reason.get() : "Topology Validation Error";
  if (text == "Too few points in geometry component")
    text = "Too few distinct points in geometry component";
  double x = 0, y = 0;
  if (place && GEOSGeomGetX_r(lib(), place.get(), &x) == 1 &&
      GEOSGeomGetY_r(lib(), place.get(), &y) == 1)
    text += " at or near (" + sql::java_double(x) + " " + sql::java_double(y) + ")";
  return text;
}

// Overlays fail on input that is not valid: then the error says of which geometry and why.
std::unexpected<Error> overlay_failed(const std::vector<const GEOSGeometry*>& inputs) {
  std::string error = context().error(), reasons;
  size_t invalid = 0;
  constexpr size_t kNamed = 3;
  for (const GEOSGeometry* input : inputs) {
    auto reason = reason_of(input);
    if (!reason || !*reason) continue;
    if (++invalid <= kNamed) reasons += (reasons.empty() ? "" : "; ") + **reason;
  }
  if (invalid == 0) return fail(Code::internal, "GENERIC_INTERNAL_ERROR", error);
  if (invalid > kNamed)
    reasons += " (and " + std::to_string(invalid - kNamed) + " more invalid inputs)";
  return bad_argument("Invalid input geometry: " + reasons);
}

Result<Geometry> collected(const std::vector<std::string_view>& geometries,
                           std::vector<const GEOSGeometry*>& inputs, int& srid) {
  std::vector<Geometry> owned;
  for (std::string_view bytes : geometries) {
    int one = srid_of(bytes);
    if (srid != 0 && one != 0 && one != srid)
      return bad_argument("SRID mismatch: " + std::to_string(srid) + " vs " + std::to_string(one));
    if (srid == 0) srid = one;
    ASSIGN_OR_RETURN(Geometry geometry, parse(bytes));
    owned.push_back(std::move(geometry));
  }
  std::vector<GEOSGeometry*> raw;
  for (Geometry& geometry : owned) raw.push_back(geometry.release());
  inputs.assign(raw.begin(), raw.end());
  // The collection owns its members, also when it cannot be made.
  Geometry all(GEOSGeom_createCollection_r(lib(), GEOS_GEOMETRYCOLLECTION, raw.data(),
                                           static_cast<unsigned>(raw.size())));
  if (!all) return failed();
  return all;
}

// The corners of a smallest rectangle need not be in JTS's order; its area is what counts.
GEOSGeometry* made_of(const GEOSGeometry* from, Making what, double argument) {
  switch (what) {
    case Making::boundary: return GEOSBoundary_r(lib(), from);
    case Making::centroid: return GEOSGetCentroid_r(lib(), from);
    case Making::convex_hull: return GEOSConvexHull_r(lib(), from);
    case Making::line_merge: return GEOSLineMerge_r(lib(), from);
    case Making::point_on_surface: return GEOSPointOnSurface_r(lib(), from);
    case Making::oriented_envelope: return GEOSMinimumRotatedRectangle_r(lib(), from);
    case Making::union_of_itself: return GEOSUnaryUnion_r(lib(), from);
    case Making::simplify: return GEOSTopologyPreserveSimplify_r(lib(), from, argument);
    case Making::reduce_precision: return GEOSGeom_setPrecision_r(lib(), from, argument, 0);
    case Making::voronoi: return GEOSVoronoiDiagram_r(lib(), from, nullptr, argument, 0);
    case Making::interpolated_point: return GEOSInterpolate_r(lib(), from, argument);
    case Making::minimum_bounding_circle:
      return GEOSMinimumBoundingCircle_r(lib(), from, nullptr, nullptr);
    case Making::buffer: {
      constexpr int kQuadrantSegments = 8;
      return GEOSBuffer_r(lib(), from, argument, kQuadrantSegments);
    }
    case Making::normalize: {
      Geometry copy(GEOSGeom_clone_r(lib(), from));
      if (!copy || GEOSNormalize_r(lib(), copy.get()) != 0) return nullptr;
      return copy.release();
    }
  }
  return nullptr;
}

}  // namespace

struct Planar::Held {
  Geometry geometry;
  Prepared prepared;
  int tests = 0;
  int srid = 0;

  const GEOSGeometry* get() const { return geometry.get(); }
};

Planar::Planar(std::unique_ptr<Held> held) : held_(std::move(held)) {}
Planar::Planar(Planar&&) noexcept = default;
Planar& Planar::operator=(Planar&&) noexcept = default;
Planar::~Planar() = default;

Result<Planar> Planar::read(std::string_view own_form) {
  auto held = std::make_unique<Held>();
  ASSIGN_OR_RETURN(held->geometry, parse(own_form));
  held->srid = srid_of(own_form);
  return Planar(std::move(held));
}

bool Planar::is_empty() const { return GEOSisEmpty_r(lib(), held_->get()) == 1; }

Result<double> Planar::measure(Measure what) const {
  double value = 0;
  int done = what == Measure::area ? GEOSArea_r(lib(), held_->get(), &value)
                                   : GEOSLength_r(lib(), held_->get(), &value);
  if (done != 1) return failed();
  return value;
}

Result<std::string> Planar::make(Making what, double argument) const {
  Geometry made(made_of(held_->get(), what, argument));
  if (!made && what == Making::union_of_itself) return overlay_failed({held_->get()});
  return written(std::move(made), held_->srid);
}

Result<bool> Planar::is_simple() const { return answer(GEOSisSimple_r(lib(), held_->get())); }

Result<std::optional<std::string>> Planar::invalid_reason() const {
  return reason_of(held_->get());
}

Result<bool> Planar::test(Predicate what, const Planar& other) {
  const GEOSGeometry *a = held_->get(), *b = other.held_->get();
  if (what == Predicate::equals) return answer(GEOSEquals_r(lib(), a, b));
  // An index costs about as much as one test without it.
  if (++held_->tests < 2) {
    switch (what) {
      case Predicate::contains: return answer(GEOSContains_r(lib(), a, b));
      case Predicate::crosses: return answer(GEOSCrosses_r(lib(), a, b));
      case Predicate::disjoint: return answer(GEOSDisjoint_r(lib(), a, b));
      case Predicate::intersects: return answer(GEOSIntersects_r(lib(), a, b));
      case Predicate::overlaps: return answer(GEOSOverlaps_r(lib(), a, b));
      case Predicate::touches: return answer(GEOSTouches_r(lib(), a, b));
      case Predicate::within:
      case Predicate::equals: return answer(GEOSWithin_r(lib(), a, b));
    }
  }
  if (!held_->prepared) {
    held_->prepared.reset(GEOSPrepare_r(lib(), a));
    if (!held_->prepared) return failed();
  }
  const GEOSPreparedGeometry* index = held_->prepared.get();
  switch (what) {
    case Predicate::contains: return answer(GEOSPreparedContains_r(lib(), index, b));
    case Predicate::crosses: return answer(GEOSPreparedCrosses_r(lib(), index, b));
    case Predicate::disjoint: return answer(GEOSPreparedDisjoint_r(lib(), index, b));
    case Predicate::intersects: return answer(GEOSPreparedIntersects_r(lib(), index, b));
    case Predicate::overlaps: return answer(GEOSPreparedOverlaps_r(lib(), index, b));
    case Predicate::touches: return answer(GEOSPreparedTouches_r(lib(), index, b));
    default: return answer(GEOSPreparedWithin_r(lib(), index, b));
  }
}

Result<bool> Planar::relate(const Planar& other, const std::string& pattern) const {
  return answer(GEOSRelatePattern_r(lib(), held_->get(), other.held_->get(), pattern.c_str()));
}

Result<double> Planar::distance(const Planar& other) const {
  double value = 0;
  if (GEOSDistance_r(lib(), held_->get(), other.held_->get(), &value) != 1) return failed();
  return value;
}

Result<std::pair<std::string, std::string>> Planar::nearest(const Planar& other) const {
  std::unique_ptr<GEOSCoordSequence, Destroy> places(
      GEOSNearestPoints_r(lib(), held_->get(), other.held_->get()));
  if (!places) return failed();
  Coordinate at[2];
  for (unsigned i = 0; i < 2; ++i) {
    if (GEOSCoordSeq_getXY_r(lib(), places.get(), i, &at[i].x, &at[i].y) != 1) return failed();
  }
  return std::pair(own_form(Shape::point(at[0], false, held_->srid)),
                   own_form(Shape::point(at[1], false, other.held_->srid)));
}

Result<double> Planar::locate(const Planar& point) const {
  double value = GEOSProject_r(lib(), held_->get(), point.held_->get());
  if (value < 0) return failed();
  return value;
}

Result<std::string> Planar::overlay(Overlay what, const Planar& other) const {
  const GEOSGeometry *a = held_->get(), *b = other.held_->get();
  Geometry made;
  switch (what) {
    case Overlay::difference: made.reset(GEOSDifference_r(lib(), a, b)); break;
    case Overlay::intersection: made.reset(GEOSIntersection_r(lib(), a, b)); break;
    case Overlay::symmetric_difference: made.reset(GEOSSymDifference_r(lib(), a, b)); break;
    case Overlay::union_: made.reset(GEOSUnion_r(lib(), a, b)); break;
  }
  if (!made) return overlay_failed({a, b});
  return written(std::move(made), held_->srid ? held_->srid : other.held_->srid);
}

Result<std::string> union_of(const std::vector<std::string_view>& geometries) {
  std::vector<const GEOSGeometry*> inputs;
  int srid = 0;
  ASSIGN_OR_RETURN(Geometry all, collected(geometries, inputs, srid));
  Geometry made(GEOSUnaryUnion_r(lib(), all.get()));
  if (!made) return overlay_failed(inputs);
  return written(std::move(made), srid);
}

Result<std::string> polygonize(const std::vector<std::string_view>& lines) {
  std::vector<const GEOSGeometry*> inputs;
  int srid = 0;
  ASSIGN_OR_RETURN(Geometry all, collected(lines, inputs, srid));
  Geometry made(GEOSPolygonize_r(lib(), inputs.data(), static_cast<unsigned>(inputs.size())));
  return written(std::move(made), srid);
}

std::string planar_library_version() { return GEOSversion(); }

}  // namespace aichemy::geo
