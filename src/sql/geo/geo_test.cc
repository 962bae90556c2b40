#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"
#include "sql/geo/bing_tile.h"
#include "sql/geo/geo.h"
#include "sql/geo/planar.h"
#include "sql/geo/sphere.h"
#include "sql/geo/text.h"

namespace aichemy::geo {
namespace {

std::string form(std::string_view wkt) {
  auto shape = read_wkt(wkt);
  EXPECT_TRUE(shape.has_value()) << wkt;
  return shape ? own_form(*shape) : "";
}

constexpr const char* kTexts[] = {
    "POINT EMPTY",
    "POINT (1 2)",
    "POINT Z (1 2 3)",
    "LINESTRING EMPTY",
    "LINESTRING (0 0, 1 2, 3 4)",
    "POLYGON EMPTY",
    "POLYGON ((0 0, 3 0, 3 3, 0 3, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))",
    "MULTIPOINT EMPTY",
    "MULTIPOINT ((1 2), EMPTY)",
    "MULTILINESTRING ((1 1, 5 1), (2 4, 4 4))",
    "MULTIPOLYGON (((1 1, 3 1, 3 3, 1 3, 1 1)), ((2 4, 6 4, 6 6, 2 6, 2 4)))",
    "GEOMETRYCOLLECTION EMPTY",
    "GEOMETRYCOLLECTION (POINT (1 2), GEOMETRYCOLLECTION (LINESTRING (0 0, 1 1)))",
    "GEOMETRYCOLLECTION Z (POINT Z (1 2 3))",
};

TEST(Geometry, TextsAndBytesComeBack) {
  for (const char* text : kTexts) {
    std::string bytes = form(text);
    EXPECT_EQ(geometry_text(bytes), text);
    auto shape = read_own_form(bytes);
    ASSERT_TRUE(shape.has_value()) << text;
    EXPECT_EQ(own_form(*shape), bytes) << text;
    auto iso = read_wkb(write_wkb(*shape, false));
    ASSERT_TRUE(iso.has_value()) << text;
    EXPECT_EQ(write_wkt(*iso), text);
    auto json = read_geojson(write_geojson(*shape));
    ASSERT_TRUE(json.has_value()) << text;
    auto planar = Planar::read(bytes);
    ASSERT_TRUE(planar.has_value()) << text;
    EXPECT_EQ(planar->is_empty(), shape->is_empty()) << text;
  }
}

TEST(Geometry, SpellingsOfText) {
  EXPECT_EQ(geometry_text(form(" point(1 2.50) ")), "POINT (1 2.5)");
  EXPECT_EQ(geometry_text(form("PointZ(1 2 3)")), "POINT Z (1 2 3)");
  EXPECT_EQ(geometry_text(form("POINT (1 2 3)")), "POINT Z (1 2 3)");
  EXPECT_EQ(geometry_text(form("MULTIPOINT (1 2, 3 4)")), "MULTIPOINT ((1 2), (3 4))");
  EXPECT_EQ(geometry_text(form("LINEARRING (0 0, 1 0, 1 1, 0 0)")),
            "LINESTRING (0 0, 1 0, 1 1, 0 0)");
  EXPECT_EQ(geometry_text(form("POINT (1e20 -1.5E-7)")),
            "POINT (100000000000000000000 -0.00000015)");
}

TEST(Geometry, BrokenText) {
  for (const char* text :
       {"", "xyz", "POINT", "POINT (1)", "POINT (1 2", "POINT (1 2) x", "POINT (1 2 3 4)",
        "POINT M (1 2 3)", "POINT (1e400 2)", "LINESTRING (1 1)", "POLYGON ((1 1, 2 2))",
        "POLYGON ((0 0, 1 0, 1 1, 0 1))", "POLYGON (EMPTY, (0 0, 1 0, 1 1, 0 0))",
        "MULTIPOINT (1 2, (3)", "GEOMETRYCOLLECTION (POINT (1 2),)"}) {
    auto shape = read_wkt(text);
    ASSERT_FALSE(shape.has_value()) << text;
    EXPECT_EQ(shape.error().message, std::string("Invalid WKT: ") + text);
  }
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "GEOMETRYCOLLECTION(";
  EXPECT_FALSE(read_wkt(deep).has_value());
  EXPECT_TRUE(read_ewkt("srid=4326;POINT (1 2)").has_value());
  for (const char* text :
       {"SRID=;POINT (1 2)", "SRID=1POINT (1 2)", "SRID=99999999999;POINT (1 2)"})
    EXPECT_FALSE(read_ewkt(text).has_value()) << text;
}

TEST(Geometry, BrokenBytes) {
  // Every prefix of every shape, counts that nothing could hold, and a tower of collections.
  for (const char* text : kTexts) {
    std::string bytes = form(text);
    for (size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(read_wkb(std::string_view(bytes).substr(0, size)).has_value()) << text << size;
    EXPECT_FALSE(read_wkb(bytes + "x").has_value());
    EXPECT_EQ(geometry_text(bytes + "x"), "<invalid geometry>");
  }
  for (char kind = 2; kind <= 7; ++kind) {
    std::string bytes = {'\x01', kind, 0, 0, 0, '\xff', '\xff', '\xff', '\xff'};
    EXPECT_FALSE(read_wkb(bytes).has_value());
  }
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += std::string("\x01\x07\0\0\0\x01\0\0\0", 9);
  EXPECT_FALSE(read_wkb(deep + form("POINT (1 2)")).has_value());
  EXPECT_EQ(read_wkb("\xde\xad\xbe\xef").error().message, "Invalid WKB");
  // A member of another kind, M coordinates, no such kind.
  std::string member("\x01\x04\0\0\0\x01\0\0\0", 9);
  EXPECT_FALSE(read_wkb(member + form("LINESTRING (0 0, 1 1)")).has_value());
  EXPECT_FALSE(read_wkb(std::string("\x01\x01\0\0\x40", 5) + std::string(24, '\0')).has_value());
  EXPECT_FALSE(read_wkb(std::string("\x01\xd1\x07\0\0", 5) + std::string(24, '\0')).has_value());
  EXPECT_FALSE(read_wkb(std::string("\x01\x09\0\0\0", 5) + std::string(16, '\0')).has_value());
}

TEST(Geometry, BigEndianAndSrid) {
  auto big = from_hex("00000000013ff00000000000004000000000000000");
  ASSERT_TRUE(big.has_value());
  auto shape = read_wkb(*big);
  ASSERT_TRUE(shape.has_value());
  EXPECT_EQ(write_wkt(*shape), "POINT (1 2)");
  std::string bytes = with_srid(own_form(*shape), 4326);
  EXPECT_EQ(srid_of(bytes), 4326);
  EXPECT_EQ(kind_of(bytes), Kind::point);
  EXPECT_EQ(write_ewkt(*read_own_form(bytes)), "SRID=4326;POINT (1 2)");
  EXPECT_EQ(with_srid(bytes, 0), own_form(*shape));
}

TEST(Geometry, GeoJson) {
  auto text = [](std::string_view json) {
    auto shape = read_geojson(json);
    return shape ? write_wkt(*shape) : shape.error().message;
  };
  EXPECT_EQ(text(R"({"type":"Point","coordinates":[0,0],"mykey":"myvalue"})"), "POINT (0 0)");
  EXPECT_EQ(text(R"({"type":"Point"})"), "POINT EMPTY");
  EXPECT_EQ(text(R"({"type":"LineString","coordinates":null})"), "LINESTRING EMPTY");
  EXPECT_EQ(text(R"({"type":"FeatureCollection","features":[]})"), "GEOMETRYCOLLECTION EMPTY");
  EXPECT_EQ(text(R"({"type":"Feature","geometry":{"type":"Point","coordinates":[1,2,3]}})"),
            "POINT Z (1 2 3)");
  EXPECT_EQ(text(R"({"type":"Feature","geometry":[]})"),
            "Invalid GeoJSON: Could not parse Feature from GeoJson string.");
  EXPECT_EQ(text(R"({"coordinates":[]})"),
            "Invalid GeoJSON: Could not parse Geometry from Json string.  No 'type' property "
            "found.");
  EXPECT_EQ(text(R"({"type":"Polygon","coordinates":[[[0,0],[1,1],[2,2]]]})"),
            "Invalid GeoJSON: Could not parse Polygon from GeoJson string.");
  EXPECT_TRUE(text("{").starts_with("Invalid GeoJSON: "));
  std::string deep;
  for (int i = 0; i < 500; ++i) deep += R"({"type":"GeometryCollection","geometries":[)";
  for (int i = 0; i < 500; ++i) deep += "]}";
  EXPECT_EQ(text(deep), "Invalid GeoJSON: nested too deep");
  EXPECT_EQ(write_geojson(*read_wkt("POINT (0.5 12345678.25)")),
            R"({"type":"Point","coordinates":[0.5,1.234567825E7]})");
}

TEST(Geometry, PolylinesAndHadoopShapes) {
  auto line = read_polyline("_p~iF~ps|U_ulLnnqC_mqNvxq`@");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(write_polyline(*line), "_p~iF~ps|U_ulLnnqC_mqNvxq`@");
  for (const char* text : {"A", "_p~iF", "_p~iF~ps|U", "~~~~~~~~~~~~~~~~~~~~~~~~", "\x01\x02"})
    EXPECT_FALSE(read_polyline(text).has_value()) << text;

  auto text = [](std::string_view hex) {
    auto shape = read_hadoop_shape(*from_hex(hex));
    return shape ? write_wkt(*shape) : shape.error().message;
  };
  std::string no_box = "000000000000f87f000000000000f87f000000000000f87f000000000000f87f";
  EXPECT_EQ(text("000000000101000000ffffffffffffefffffffffffffffefff"), "POINT EMPTY");
  EXPECT_EQ(text("000000000605000000" + no_box + "0000000000000000"), "MULTIPOLYGON EMPTY");
  EXPECT_EQ(
      text("000000000408000000000000000000f03f000000000000004000000000000008400000000000001040"
           "02000000000000000000f03f000000000000004000000000000008400000000000001040"),
      "MULTIPOINT ((1 2), (3 4))");
  EXPECT_EQ(text("1234"), "Hadoop shape input is too short");
  // A part that begins at the least number there is.
  EXPECT_EQ(text("000000000005000000" + std::string(64, '0') + "010000000500000000000080" +
                 std::string(160, '0')),
            "Invalid Hadoop shape");
  EXPECT_EQ(text("000000000701000000ffffffffffffefffffffffffffffefff"),
            "Invalid Hadoop shape type: 7");
  EXPECT_EQ(text("00000000ff01000000ffffffffffffefffffffffffffffefff"),
            "Invalid Hadoop shape type: -1");
  EXPECT_EQ(text("000000000501000000000000000000f03f0000000000000040"), "Invalid Hadoop shape");
  EXPECT_EQ(text("000000000101000000ffffffffffffefffffffffffffffef"), "Invalid Hadoop shape");
}

TEST(Geometry, Kml) {
  auto text = [](std::string_view kml) {
    auto shape = read_kml(kml);
    return shape ? write_wkt(*shape) : "broken";
  };
  EXPECT_EQ(text("<?xml version=\"1.0\"?><!-- x --><Point id='>'><altitudeMode>absolute"
                 "</altitudeMode><coordinates> 1.5,-2\n</coordinates></Point>"),
            "POINT (1.5 -2)");
  EXPECT_EQ(text("<kml:LineString xmlns:kml=\"k\"><kml:coordinates>0,0,1 1,1,2</kml:coordinates>"
                 "</kml:LineString>"),
            "LINESTRING Z (0 0 1, 1 1 2)");
  EXPECT_EQ(text("<Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 9,0 9,9 0,0</coordinates>"
                 "</LinearRing></outerBoundaryIs><innerBoundaryIs><LinearRing><coordinates>"
                 "5,1 6,1 6,2 5,1</coordinates></LinearRing></innerBoundaryIs></Polygon>"),
            "POLYGON ((0 0, 9 0, 9 9, 0 0), (5 1, 6 1, 6 2, 5 1))");
  std::string point = "<Point><coordinates>1,2</coordinates></Point>";
  EXPECT_EQ(text("<MultiGeometry>" + point + point + "</MultiGeometry>"),
            "MULTIPOINT ((1 2), (1 2))");
  EXPECT_EQ(text("<MultiGeometry>" + point + "<Polygon/></MultiGeometry>"),
            "GEOMETRYCOLLECTION (POINT (1 2), POLYGON EMPTY)");
  for (std::string_view kml :
       {"", "x", "<Point>", "<Point></Line>", "<Placemark/>",
        "<Point><coordinates>1</coordinates></Point>",
        "<Point><coordinates>1,2,3,4</coordinates></Point>", "<!DOCTYPE kml><Point/>",
        "<Point/><Point/>", "<LineString><coordinates>1,2</coordinates></LineString>",
        "<Polygon><innerBoundaryIs/></Polygon>", "</>", "<>", "</", "<Point></>"})
    EXPECT_EQ(text(kml), "broken") << kml;
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<MultiGeometry>";
  EXPECT_EQ(text(deep), "broken");
}

TEST(Sphere, AreasOfKnownPolygons) {
  struct Row {
    const char* wkt;
    double square_meters;
  };
  for (const Row& row :
       {Row{"POLYGON ((-135 85, -45 85, 45 85, 135 85, -135 85))", 619.00E9},
        Row{"POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))", 123.64E8},
        Row{"POLYGON ((90 0, 0 0, 0 90, 90 0))", 637.58E11},
        Row{"POLYGON ((90 0, 0 0, 0 90, 90 0), (89 1, 1 1, 1 89, 89 1))", 348.04E10}}) {
    auto area = spherical_area(*read_wkt(row.wkt));
    ASSERT_TRUE(area.has_value()) << row.wkt;
    EXPECT_NEAR(*area / row.square_meters, 1, 1e-4) << row.wkt;
  }
  EXPECT_EQ(spherical_area(*read_wkt("POLYGON ((0 0, 0 1, 1 1, 1 1, 1 0, 0 0))")).error().message,
            "Polygon is not valid: it has two identical consecutive vertices");
  auto km = great_circle_km(36.12, -86.67, 33.94, -118.40);
  EXPECT_NEAR(*km * 1000, 2886448.9734367016, 1e-6);
  EXPECT_FALSE(great_circle_km(90.1, 0, 0, 0).has_value());
  EXPECT_FALSE(great_circle_km(0, 0, 0, std::nan("")).has_value());
}

TEST(BingTiles, KeysCodesAndCovers) {
  auto tile = BingTile::of_quad_key("123030123010121");
  ASSERT_TRUE(tile.has_value());
  EXPECT_EQ(tile->json(), R"({"x":21845,"y":13506,"zoom":15})");
  EXPECT_EQ(BingTile::of_code(tile->code()).quad_key(), "123030123010121");
  EXPECT_EQ(BingTile::of(2, 7, 3)->quad_key(), "232");
  EXPECT_FALSE(BingTile::of(8, 0, 3).has_value());
  EXPECT_FALSE(BingTile::of(0, 0, 24).has_value());
  EXPECT_FALSE(BingTile::of_quad_key("0124").has_value());
  EXPECT_EQ(BingTile::at(30.12, 60, 15)->quad_key(), "123030123010121");
  EXPECT_FALSE(BingTile::at(86, 0, 3).has_value());
  // A triangle at a fine zoom: the tiles found from large to small are those found one by one.
  std::string triangle = form("POLYGON ((10 10, 10.4 10, 10 10.3, 10 10))");
  auto tiles = tiles_of(triangle, 13);
  ASSERT_TRUE(tiles.has_value());
  auto planar = Planar::read(triangle);
  size_t touched = 0;
  auto all = tiles_of(form("POLYGON ((10 10, 10 10.3, 10.4 10.3, 10.4 10, 10 10))"), 13);
  for (int64_t code : *all) {
    auto square = Planar::read(own_form(Shape::rectangle(BingTile::of_code(code).box())));
    if (*planar->test(Predicate::intersects, *square)) ++touched;
  }
  EXPECT_EQ(tiles->size(), touched);
  EXPECT_LT(tiles->size(), all->size());
  EXPECT_FALSE(tiles_of(form("POLYGON ((0 0, 0 80, 80 80, 80 0, 0 0))"), 20).has_value());
  EXPECT_FALSE(tiles_of(form("POINT (0 89)"), 3).has_value());
  EXPECT_EQ(tiles_around(-85, 179.99, 20, 1)->empty(), false);
  EXPECT_FALSE(tiles_around(1, 1, 18, 1001).has_value());
}

TEST(Planar, OverlaysNameWhatIsInvalid) {
  auto bow = Planar::read(form("POLYGON ((0 0, 2 2, 0 2, 2 0, 0 0))"));
  auto half = Planar::read(form("POLYGON ((0 0, 1 0, 1 2, 0 2, 0 0))"));
  auto cut = bow->overlay(Overlay::intersection, *half);
  ASSERT_FALSE(cut.has_value());
  EXPECT_TRUE(cut.error().is("INVALID_FUNCTION_ARGUMENT"));
  EXPECT_EQ(cut.error().message, "Invalid input geometry: Self-intersection at or near (1.0 1.0)");
  auto same = half->overlay(Overlay::intersection, *half);
  EXPECT_EQ(geometry_text(*same), "POLYGON ((0 0, 0 2, 1 2, 1 0, 0 0))");
  // The index of repeated tests answers as the first test did.
  auto point = Planar::read(form("POINT (0.5 0.5)")), far = Planar::read(form("POINT (9 9)"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(*half->test(Predicate::contains, *point));
    EXPECT_FALSE(*half->test(Predicate::contains, *far));
    EXPECT_TRUE(*half->test(Predicate::disjoint, *far));
  }
}

}  // namespace
}  // namespace aichemy::geo
