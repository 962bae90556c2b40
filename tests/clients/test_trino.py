"""The trino Python client, its SQLAlchemy dialect and the JDBC driver, unmodified, against a running platform.

Needs: pip trino[sqlalchemy]; for JDBC a JDK and Maven (the driver's jar is fetched once by `mvn dependency:get`).
"""
import os
import shutil
import subprocess
import time
import warnings

import pytest

trino = pytest.importorskip("trino")
warnings.filterwarnings("ignore")

JDBC = "io.trino:trino-jdbc:476"


def address(platform):
    host, port = platform["sql"]["https"].removeprefix("https://").rstrip("/").split(":")
    return host, int(port)


@pytest.fixture
def connection(platform):
    host, port = address(platform)
    made = trino.dbapi.connect(
        host=host, port=port, http_scheme="https", verify=False, catalog="iceberg",
        auth=trino.auth.BasicAuthentication(platform["sql"]["user"], platform["sql"]["password"]))
    yield made
    made.close()


def rows(connection, sql, parameters=None):
    cursor = connection.cursor()
    cursor.execute(sql, parameters)
    return cursor.fetchall()


@pytest.fixture
def schema(connection):
    rows(connection, "DROP SCHEMA IF EXISTS iceberg.py_test CASCADE")
    rows(connection, "CREATE SCHEMA iceberg.py_test")
    yield "iceberg.py_test"
    rows(connection, "DROP SCHEMA iceberg.py_test CASCADE")


def test_readme_snippet(platform):
    host, port = address(platform)
    from trino.auth import BasicAuthentication
    from trino.dbapi import connect
    conn = connect(host=host, port=port, user="admin", auth=BasicAuthentication("admin", "admin123"),
                   http_scheme="https", verify=False, catalog="iceberg", schema="default")
    cursor = conn.cursor()
    cursor.execute("SELECT 1")
    assert cursor.fetchall() == [[1]]


def test_wrong_password(platform):
    host, port = address(platform)
    conn = trino.dbapi.connect(host=host, port=port, http_scheme="https", verify=False,
                               auth=trino.auth.BasicAuthentication("admin", "wrong"))
    with pytest.raises(Exception, match="401"):
        conn.cursor().execute("SELECT 1")


def test_types(connection):
    got = rows(connection, """SELECT true, TINYINT '1', 2147483647, 9223372036854775807, 1.5e0, DECIMAL '1.10', 'x',
        X'00ff', DATE '2020-02-29', TIMESTAMP '2020-01-01 01:02:03.123', ARRAY[1, NULL], MAP(ARRAY['a'], ARRAY[1]),
        ROW(1, 'b'), NULL, nan()""")[0]
    assert got[0] is True and got[1] == 1 and got[3] == 9223372036854775807 and got[4] == 1.5
    assert str(got[5]) == "1.10" and got[6] == "x" and got[7] == b"\x00\xff"
    assert got[8].isoformat() == "2020-02-29" and got[9].isoformat() == "2020-01-01T01:02:03.123000"
    assert got[10] == [1, None] and got[11] == {"a": 1} and tuple(got[12]) == (1, "b") and got[13] is None and got[14] != got[14]


def test_create_insert_select(connection, schema):
    rows(connection, f"CREATE TABLE {schema}.t (id bigint NOT NULL, name varchar COMMENT 'c', d date) WITH (partitioning = ARRAY['d'])")
    cursor = connection.cursor()
    cursor.execute(f"INSERT INTO {schema}.t VALUES (1, 'a', DATE '2020-01-01'), (2, 'b', NULL)")
    cursor.fetchall()
    assert cursor.rowcount == 2
    assert rows(connection, f"SELECT id, name FROM {schema}.t ORDER BY id") == [[1, "a"], [2, "b"]]
    assert rows(connection, f"SELECT count(*) FROM {schema}.t WHERE d = DATE '2020-01-01'") == [[1]]
    rows(connection, f"CREATE TABLE {schema}.c AS SELECT id + 1 AS id, name FROM {schema}.t")
    assert rows(connection, f"SELECT sum(id) FROM {schema}.c") == [[5]]
    rows(connection, f"CREATE VIEW {schema}.v AS SELECT name FROM {schema}.t WHERE id = 2")
    assert rows(connection, f"SELECT * FROM {schema}.v") == [["b"]]
    assert rows(connection, f"SHOW TABLES FROM {schema}") == [["c"], ["t"], ["v"]]
    with pytest.raises(trino.exceptions.TrinoUserError, match="NULL value not allowed for NOT NULL column: id"):
        rows(connection, f"INSERT INTO {schema}.t (name) VALUES ('x')")


def test_decimals_with_column_bounds(connection, schema):
    """Arithmetic that the columns' bounds prove safe is exact at the bounds, and what they do not prove still overflows."""
    rows(connection, f"CREATE TABLE {schema}.d (a decimal(38,4), b decimal(18,2), c decimal(38,4))")
    rows(connection, f"INSERT INTO {schema}.d VALUES (DECIMAL '-99999999999999.9999', DECIMAL '9999999999999999.99', "
                     "DECIMAL '9999999999999999999999999999999999.9999'), (DECIMAL '7', DECIMAL '-0.01', DECIMAL '-1')")
    assert [[str(v) for v in row] for row in rows(connection, f"SELECT a * b, a + b, a - b, b * (1 - b) FROM {schema}.d ORDER BY a")] == [
        ["-999999999999999998000000000000.000001", "9899999999999999.9901", "-10099999999999999.9899",
         "-99999999999999989800000000000000.0101"],
        ["-0.070000", "6.9900", "7.0100", "-0.0101"]]
    for overflowing in ("a * c", "c + c", "c - b * 1000000 * 100 - c * 2", "c * b"):
        with pytest.raises(trino.exceptions.TrinoUserError, match="Decimal overflow"):
            rows(connection, f"SELECT {overflowing} FROM {schema}.d")


def test_parameters_and_errors(connection):
    assert rows(connection, "SELECT ? + 1, ?", (41, "it's")) == [[42, "it's"]]
    with pytest.raises(trino.exceptions.TrinoUserError) as caught:
        rows(connection, "SELECT * FROM iceberg.information_schema.nope")
    assert caught.value.error_name == "TABLE_NOT_FOUND" and caught.value.error_code == 46


def test_many_pages(connection):
    got = rows(connection, "SELECT n, 'some text to fill a page ' || CAST(n AS varchar) FROM "
                           "UNNEST(sequence(0, 9999)) t(n), UNNEST(sequence(1, 20)) u(m)")
    assert len(got) == 200_000


def test_similarity_query(connection, schema):
    """Cosine similarity as the README has it."""
    rows(connection, f"CREATE TABLE {schema}.docs (id bigint, embedding array(double))")
    rows(connection, f"INSERT INTO {schema}.docs VALUES (1, ARRAY[1e0, 0e0]), (2, ARRAY[1e0, 1e0]), (3, ARRAY[0e0, 1e0])")
    dot = "REDUCE(TRANSFORM(SEQUENCE(1, CARDINALITY({0})), i -> {0}[i] * {1}[i]), 0e0, (s, x) -> s + x, s -> s)"
    cosine = f"{dot.format('d.embedding', 'q.v')} / (SQRT({dot.format('d.embedding', 'd.embedding')}) * SQRT({dot.format('q.v', 'q.v')}))"
    got = rows(connection, f"WITH q AS (SELECT ARRAY[1e0, 0.1e0] AS v) SELECT d.id, {cosine} AS similarity "
                           f"FROM {schema}.docs d CROSS JOIN q ORDER BY similarity DESC LIMIT 2")
    assert [row[0] for row in got] == [1, 2] and 0.99 < got[0][1] <= 1.0


def test_cancel(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT a.n + b.n FROM UNNEST(sequence(0, 9999)) a(n), UNNEST(sequence(0, 9999)) b(n)")
    cursor.fetchone()
    started = time.time()
    cursor.cancel()
    assert time.time() - started < 5


def test_transaction(platform):
    host, port = address(platform)
    with trino.dbapi.connect(host=host, port=port, http_scheme="https", verify=False, catalog="iceberg",
                             auth=trino.auth.BasicAuthentication("admin", "admin123"),
                             isolation_level=trino.transaction.IsolationLevel.REPEATABLE_READ) as conn:
        assert rows(conn, "SELECT 1") == [[1]]


def test_sqlalchemy(platform, connection, schema):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    host, port = address(platform)
    engine = sqlalchemy.create_engine(f"trino://admin:admin123@{host}:{port}/iceberg",
                                      connect_args={"http_scheme": "https", "verify": False})
    rows(connection, f"CREATE TABLE {schema}.t (id bigint, name varchar)")
    with engine.connect() as link:
        link.execute(sqlalchemy.text(f"INSERT INTO {schema}.t VALUES (1, 'a')"))
        assert link.execute(sqlalchemy.text(f"SELECT name FROM {schema}.t WHERE id = :id"), {"id": 1}).fetchall() == [("a",)]
        inspector = sqlalchemy.inspect(link)
        assert "py_test" in inspector.get_schema_names()
        assert inspector.get_table_names(schema="py_test") == ["t"]
        assert [c["name"] for c in inspector.get_columns("t", schema="py_test")] == ["id", "name"]
        assert inspector.has_table("t", schema="py_test") and not inspector.has_table("u", schema="py_test")


@pytest.mark.skipif(not shutil.which("javac"), reason="no JDK")
def test_jdbc(platform, tmp_path):
    jar = os.path.expanduser("~/.m2/repository/" + "io/trino/trino-jdbc/{0}/trino-jdbc-{0}.jar".format(JDBC.split(":")[2]))
    if not os.path.exists(jar):
        if not shutil.which("mvn"):
            pytest.skip("no Maven to fetch the driver")
        subprocess.run(["mvn", "-q", "dependency:get", "-Dtransitive=false", "-Dartifact=" + JDBC], check=True, timeout=300)
    source = os.path.join(os.path.dirname(__file__), "jdbc", "TrinoJdbc.java")
    subprocess.run(["javac", "-d", str(tmp_path), source], check=True, timeout=120)
    host, port = address(platform)
    done = subprocess.run(["java", "-cp", f"{tmp_path}:{jar}", "TrinoJdbc", f"jdbc:trino://{host}:{port}/iceberg",
                           platform["sql"]["user"], platform["sql"]["password"]], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_described_parameters(platform):
    host, port = platform["sql"]["http"].removeprefix("http://").rstrip("/").split(":")
    sql = ("SELECT ?, CAST(? AS bigint), name || ? FROM tpch.tiny.nation WHERE nationkey = ? AND name < ? "
           "AND regionkey IN (?, 2) AND comment LIKE ? OFFSET ? LIMIT ?")
    connection = trino.dbapi.connect(host=host, port=int(port), user="admin")
    cursor = connection.cursor()
    cursor.execute(f"PREPARE q FROM {sql}")
    cursor.fetchall()
    cursor.execute("DESCRIBE INPUT q")
    assert cursor.fetchall() == [
        [0, "unknown"], [1, "unknown"], [2, "varchar"], [3, "bigint"], [4, "varchar(25)"], [5, "bigint"], [6, "varchar"],
        [7, "bigint"], [8, "bigint"]]
