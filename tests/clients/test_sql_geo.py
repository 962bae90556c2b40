"""Geometries, spherical geographies and Bing tiles as the trino client sees them, and where they are refused."""
import pytest

trino = pytest.importorskip("trino")

SQUARE = "ST_GeometryFromText('POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))')"


@pytest.fixture(scope="module")
def run(platform):
    host, port = platform["sql"]["http"].removeprefix("http://").rstrip("/").split(":")

    def rows(sql):
        cursor = trino.dbapi.connect(host=host, port=int(port), user="admin").cursor()
        cursor.execute(sql)
        rows.types = [column.type_code for column in cursor.description or []]
        return cursor.fetchall()

    return rows


def fails(run, sql, name, text=""):
    with pytest.raises(trino.exceptions.TrinoQueryError) as caught:
        run(sql)
    error = caught.value
    assert error.error_name == name and text in error.message, (error.error_name, error.message)


def test_values_and_their_types(run):
    rows = run("SELECT ST_Point(1, 2.5), to_spherical_geography(ST_Point(-71, 42)), bing_tile('213'), ARRAY[ST_Point(0, 0), NULL]")
    assert rows == [["POINT (1 2.5)", "POINT (-71 42)", {"x": 3, "y": 5, "zoom": 3}, ["POINT (0 0)", None]]]
    assert run.types == ["Geometry", "SphericalGeography", "BingTile", "array(Geometry)"]


def test_forms_come_back(run):
    texts = ["POINT EMPTY", "LINESTRING (0 0, 1 2)", "MULTIPOINT ((1 2), (3 4))", "POLYGON ((0 0, 1 0, 1 1, 0 0))",
             "MULTILINESTRING ((1 1, 5 1), (2 4, 4 4))", "MULTIPOLYGON (((1 1, 3 1, 3 3, 1 1)))",
             "GEOMETRYCOLLECTION (POINT (1 2), POLYGON ((0 0, 1 0, 1 1, 0 0)))"]
    values = ", ".join(f"'{text}'" for text in texts)
    for way in ("ST_GeomFromBinary(ST_AsBinary(g))", "ST_GeomFromBinary(ST_AsEWKB(g))", "ST_GeomFromEWKT(ST_AsEWKT(g))",
                "to_geometry(from_geojson_geometry(to_geojson_geometry(g)))"):
        rows = run(f"SELECT ST_AsText({way}) FROM (SELECT n, ST_GeometryFromText(w) AS g FROM UNNEST(ARRAY[{values}]) WITH ORDINALITY t(w, n)) ORDER BY n")
        assert [text for [text] in rows] == texts, way


def test_a_spatial_join_finds_each_pair(run):
    rows = run("""
        SELECT r.name, count(p.x) FROM
          (VALUES ('low', ST_GeometryFromText('POLYGON ((-0.5 -0.5, 9.5 -0.5, 9.5 9.5, -0.5 9.5, -0.5 -0.5))')),
                  ('hole', ST_GeometryFromText('POLYGON ((20 20, 30 20, 30 30, 20 30, 20 20), (22 22, 28 22, 28 28, 22 28, 22 22))')),
                  ('none', ST_GeometryFromText('POLYGON EMPTY'))) r(name, g)
          LEFT JOIN (SELECT x, ST_Point(x, y) AS g FROM UNNEST(sequence(0, 49)) a(x), UNNEST(sequence(0, 49)) b(y)) p
            ON ST_Intersects(r.g, p.g)
        GROUP BY r.name ORDER BY r.name""")
    # Of 11 by 11 points the 5 by 5 inside of the hole are not met; those on its border are.
    assert rows == [["hole", 121 - 25], ["low", 100], ["none", 0]]


def test_aggregates_over_many_rows(run):
    rows = run("""
        SELECT k, ST_Area(geometry_union_agg(g)), ST_Area(convex_hull_agg(g)), ST_NumGeometries(geometry_collect_agg(g))
        FROM (SELECT x % 3 AS k, ST_Envelope(ST_Buffer(ST_Point(x, 0), 0.5)) AS g FROM UNNEST(sequence(1, 9000)) t(x)) GROUP BY k ORDER BY k""")
    assert rows == [[k, 3000.0, 8998.0, 3000] for k in range(3)]


def test_tables_refuse_them(run):
    run("CREATE SCHEMA IF NOT EXISTS iceberg.geo")
    run("CREATE SCHEMA IF NOT EXISTS hive.geo")
    for type_name in ("Geometry", "SphericalGeography", "BingTile", "array(Geometry)"):
        fails(run, f"CREATE TABLE iceberg.geo.refused (g {type_name})", "NOT_SUPPORTED")
        fails(run, f"CREATE TABLE hive.geo.refused (g {type_name})", "NOT_SUPPORTED")
    fails(run, "CREATE TABLE iceberg.geo.refused AS SELECT ST_Point(1, 2) AS g", "NOT_SUPPORTED")
    run("CREATE TABLE iceberg.geo.kept AS SELECT ST_AsText(ST_Point(1, 2)) AS w, ST_AsEWKB(ST_Point(3, 4, 4326)) AS b")
    assert run("SELECT ST_GeometryFromText(w), ST_AsEWKT(ST_GeomFromBinary(b)) FROM iceberg.geo.kept") == [["POINT (1 2)", "SRID=4326;POINT (3 4)"]]


def test_the_memory_catalog_keeps_them(run):
    run("CREATE SCHEMA IF NOT EXISTS memory.geo")
    run("CREATE TABLE memory.geo.places (id bigint, g Geometry, s SphericalGeography, t BingTile, a array(Geometry))")
    run("INSERT INTO memory.geo.places VALUES (1, ST_Point(1, 2), to_spherical_geography(ST_Point(3, 4)), bing_tile('213'), ARRAY[ST_Point(5, 6)]), (2, NULL, NULL, NULL, NULL)")
    rows = run("SELECT * FROM memory.geo.places ORDER BY id")
    assert rows == [[1, "POINT (1 2)", "POINT (3 4)", {"x": 3, "y": 5, "zoom": 3}, ["POINT (5 6)"]], [2, None, None, None, None]]
    assert run("SELECT id FROM memory.geo.places WHERE g = ST_Point(1, 2)") == [[1]]
    assert [row[1] for row in run("DESCRIBE memory.geo.places")] == ["bigint", "Geometry", "SphericalGeography", "BingTile", "array(Geometry)"]


def test_hostile_input(run):
    fails(run, "SELECT ST_GeometryFromText('POINT (1)')", "INVALID_FUNCTION_ARGUMENT", "Invalid WKT: POINT (1)")
    for wkb in ("01", "0101000000", "0102000000ffffffff", "010700000001000000" * 5000, "00000000"):
        fails(run, f"SELECT ST_GeomFromBinary(X'{wkb}')", "INVALID_FUNCTION_ARGUMENT", "Invalid WKB")
    fails(run, "SELECT ST_GeometryFromText(array_join(repeat('GEOMETRYCOLLECTION (', 10000), ''))", "INVALID_FUNCTION_ARGUMENT", "Invalid WKT")
    nested = f"reduce(sequence(1, 200), {SQUARE}, (g, i) -> ST_Collect(ARRAY[g, ST_Point(i, i)]), g -> g)"
    fails(run, f"SELECT ST_Area({nested})", "INVALID_FUNCTION_ARGUMENT", "nested too deep")
    fails(run, "SELECT bing_tiles_around(1, 1, 23, 1000)", "INVALID_FUNCTION_ARGUMENT", "exceeds the limit of 1M")
