"""CREATE FUNCTION and what goes with it, as the trino client sees it: overloads, paths, views, owners, a pulled plug."""
import shutil

import pytest
import requests

from conftest import make_platform

trino = pytest.importorskip("trino")


class Client:
    """Statements as a user; a session's path goes along as the header of it."""

    def __init__(self, platform):
        self.url = platform["sql"]["http"].rstrip("/")
        self.host, self.port = self.url.removeprefix("http://").split(":")

    def run(self, sql, user="admin", path=None, **session):
        headers = {"X-Trino-Path": path} if path else {}
        connection = trino.dbapi.connect(host=self.host, port=int(self.port), user=user, http_headers=headers, **session)
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()

    def value(self, sql, **session):
        return self.run("SELECT " + sql, **session)[0][0]

    def fails(self, sql, name, text="", **session):
        with pytest.raises(trino.exceptions.TrinoQueryError) as caught:
            self.run(sql, **session)
        error = caught.value
        assert error.error_name == name and text in error.message, (error.error_name, error.message)


@pytest.fixture(scope="module")
def client(platform):
    made = Client(platform)
    made.run("CREATE SCHEMA iceberg.routines")
    made.run("CREATE SCHEMA memory.routines")
    yield made
    made.run("DROP SCHEMA memory.routines CASCADE")
    made.run("DROP SCHEMA iceberg.routines CASCADE")


@pytest.mark.parametrize("catalog", ["iceberg", "memory"])
def test_create_call_replace_drop(client, catalog):
    name = f"{catalog}.routines.answer"
    client.fails(f"SELECT {name}(1)", "FUNCTION_NOT_FOUND", f"Function '{name}' not registered")
    client.run(f"CREATE FUNCTION {name}(x integer) RETURNS bigint COMMENT 'times 42' RETURN x * 42")
    assert client.value(f"{name}(99)") == 4158
    assert client.run(f"SELECT {name}(CAST(x AS integer)) FROM (VALUES 1, 2) t(x) ORDER BY 1") == [[42], [84]]
    client.fails(f"SELECT {name}(2.9)", "FUNCTION_NOT_FOUND",
                 f"Unexpected parameters (decimal(2, 1)) for function {name}. Expected: {name}(integer)")
    client.fails(f"CREATE FUNCTION {name}(x integer) RETURNS bigint RETURN x", "ALREADY_EXISTS",
                 "line 1:1: Function already exists")
    client.run(f"CREATE OR REPLACE FUNCTION {name}(y int) RETURNS bigint RETURN y * 43")
    assert client.value(f"{name}(2)") == 86
    client.fails(f"DROP FUNCTION {name}(bigint)", "NOT_FOUND", "line 1:1: Function not found")
    client.run(f"DROP FUNCTION IF EXISTS {name}(bigint)")
    client.run(f"DROP FUNCTION {name}(y integer)")
    client.fails(f"SELECT {name}(1)", "FUNCTION_NOT_FOUND")


def test_statements_and_overloads(client):
    client.run("CREATE FUNCTION iceberg.routines.kind(x bigint) RETURNS varchar RETURN 'number'")
    client.run("CREATE FUNCTION iceberg.routines.kind(x varchar) RETURNS varchar RETURN 'text'")
    client.run("CREATE FUNCTION iceberg.routines.kind(x bigint, y bigint) RETURNS varchar RETURN 'two'")
    client.run("CREATE FUNCTION iceberg.routines.fib(n bigint) RETURNS bigint NOT DETERMINISTIC RETURNS NULL ON NULL INPUT "
               "BEGIN DECLARE a, b, c bigint DEFAULT 1; IF n < 2 THEN RETURN n; END IF; SET n = n - 2; "
               "WHILE n > 0 DO SET n = n - 1; SET c = a + b; SET a = b; SET b = c; END WHILE; RETURN b; END")
    row = client.run("SELECT routines.kind(1), routines.kind('a'), routines.kind(1, 2), routines.fib(50), routines.fib(NULL)",
                     catalog="iceberg")
    assert row == [["number", "text", "two", 12586269025, None]]
    shown = client.run("SHOW FUNCTIONS FROM iceberg.routines LIKE 'k%'")
    assert shown == [["kind", "varchar", "bigint", "scalar", True, ""], ["kind", "varchar", "bigint, bigint", "scalar", True, ""],
                     ["kind", "varchar", "varchar", "scalar", True, ""]]
    assert client.run("SHOW FUNCTIONS IN iceberg.routines LIKE 'fib'") == [["fib", "bigint", "bigint", "scalar", False, ""]]
    texts = [row[0] for row in client.run("SHOW CREATE FUNCTION iceberg.routines.kind")]
    assert texts[0] == "CREATE FUNCTION iceberg.routines.kind(x bigint)\nRETURNS varchar\nRETURN 'number'"
    assert len(texts) == 3
    # What is shown makes the same routine again.
    fib = client.run("SHOW CREATE FUNCTION iceberg.routines.fib")[0][0]
    client.run("DROP FUNCTION iceberg.routines.fib(bigint)")
    client.run(fib)
    assert client.run("SHOW CREATE FUNCTION iceberg.routines.fib") == [[fib]]
    assert client.value("iceberg.routines.fib(10)") == 55
    client.fails("SHOW CREATE FUNCTION iceberg.routines.none", "NOT_FOUND", "Function not found")
    client.fails("SHOW FUNCTIONS FROM iceberg.nowhere", "SCHEMA_NOT_FOUND")


def test_routines_that_are_refused(client):
    client.fails("CREATE FUNCTION f() RETURNS bigint RETURN 1", "NOT_SUPPORTED",
                 "Catalog and schema must be specified when function schema is not configured")
    client.fails("CREATE FUNCTION s.f() RETURNS bigint RETURN 1", "NOT_SUPPORTED", "unqualified or fully qualified")
    client.fails("CREATE FUNCTION tpch.tiny.f() RETURNS bigint RETURN 1", "NOT_SUPPORTED",
                 "This connector does not support creating functions")
    client.fails("CREATE FUNCTION iceberg.nowhere.f() RETURNS bigint RETURN 1", "SCHEMA_NOT_FOUND")
    client.fails("CREATE FUNCTION nowhere.s.f() RETURNS bigint RETURN 1", "CATALOG_NOT_FOUND")
    client.fails("CREATE FUNCTION iceberg.routines.f() RETURNS bigint RETURN 'a'", "TYPE_MISMATCH")
    client.fails("CREATE FUNCTION iceberg.routines.f(x bigint) RETURNS bigint RETURN y", "COLUMN_NOT_FOUND")
    client.fails("CREATE FUNCTION iceberg.routines.f() RETURNS bigint RETURN (SELECT count(*) FROM tpch.tiny.nation)",
                 "NOT_SUPPORTED", "Queries are not allowed")
    client.fails("CREATE FUNCTION iceberg.routines.f() RETURNS nothing RETURN 1", "TYPE_NOT_FOUND")
    client.fails("CREATE FUNCTION iceberg.routines.f() RETURNS bigint LANGUAGE PYTHON RETURN 1", "NOT_SUPPORTED",
                 "Unsupported function language: PYTHON")
    client.fails("CREATE FUNCTION iceberg.routines.f() RETURNS bigint COMMENT 'a' COMMENT 'b' RETURN 1", "SYNTAX_ERROR")
    client.fails("WITH FUNCTION f() RETURNS bigint SECURITY INVOKER RETURN 1 SELECT f()", "NOT_SUPPORTED",
                 "Security mode not supported for inline functions")


def test_path(client):
    """Unqualified names along the path, what is built in first; SET PATH answers with a header."""
    client.run("CREATE FUNCTION iceberg.routines.mine() RETURNS varchar RETURN 'iceberg'")
    client.run("CREATE FUNCTION memory.routines.mine() RETURNS varchar RETURN 'memory'")
    client.run("CREATE FUNCTION memory.routines.abs(x bigint) RETURNS bigint RETURN -1")
    client.run("CREATE FUNCTION memory.routines.abs(x varchar) RETURNS varchar RETURN 'text'")
    client.fails("SELECT mine()", "FUNCTION_NOT_FOUND", "Function 'mine' not registered")
    both = "iceberg.routines, memory.routines"
    assert client.value("mine()", path=both) == "iceberg"
    assert client.value("mine()", path="memory.routines, iceberg.routines") == "memory"
    assert client.value("mine()", path="routines", catalog="memory") == "memory"
    client.fails("SELECT mine()", "MISSING_CATALOG_NAME", path="routines")
    assert client.run("SELECT abs(-5), abs('a'), system.builtin.abs(-6)", path=both) == [[5, "text", 6]]
    assert client.value("abs(-5)", path=both + ", system.builtin") == -1
    assert client.value("CURRENT_PATH", path=both) == both
    assert ["mine", "varchar", "", "scalar", True, ""] in client.run("SHOW FUNCTIONS", path=both)
    client.fails("SET PATH iceberg.routines", "NOT_SUPPORTED", "SET PATH not supported by client")

    def set_path(sql):
        headers = {"X-Trino-User": "admin", "X-Trino-Client-Capabilities": "PATH"}
        answer = requests.post(client.url + "/v1/statement", data=sql, headers=headers, timeout=30)
        while "nextUri" in answer.json():
            answer = requests.get(answer.json()["nextUri"], headers=headers, timeout=30)
        return answer.headers.get("X-Trino-Set-Path"), answer.json().get("error", {}).get("errorName")

    assert set_path('SET PATH iceberg.Routines, memory."routines"') == ("iceberg.Routines, memory.routines", None)
    assert set_path("SET PATH nowhere.s") == (None, "CATALOG_NOT_FOUND")
    assert set_path("SET PATH s") == (None, "MISSING_CATALOG_NAME")


def test_routines_in_routines_and_views(client):
    client.run("CREATE FUNCTION iceberg.routines.twice(x bigint) RETURNS bigint RETURN x * 2")
    client.run("CREATE FUNCTION iceberg.routines.thrice(x bigint) RETURNS bigint RETURN twice(x) + x", path="iceberg.routines")
    # The body's names go along the path of the session that made it, not of the one that calls.
    assert client.value("iceberg.routines.thrice(5)") == 15
    client.run("CREATE VIEW iceberg.routines.v AS SELECT twice(nationkey) AS x FROM tpch.tiny.nation", path="iceberg.routines")
    assert client.value("max(x) FROM iceberg.routines.v") == 48
    assert client.run("WITH FUNCTION one(x bigint) RETURNS bigint RETURN iceberg.routines.twice(x) + 1 SELECT one(3)") == [[7]]
    client.run("CREATE OR REPLACE FUNCTION iceberg.routines.twice(x bigint) RETURNS bigint RETURN iceberg.routines.thrice(x)",
               path="iceberg.routines")
    client.fails("SELECT iceberg.routines.twice(1)", "NOT_SUPPORTED", "Recursive language functions are not supported")
    client.run("DROP FUNCTION iceberg.routines.twice(bigint)")
    client.fails("SELECT iceberg.routines.thrice(5)", "FUNCTION_NOT_FOUND", "Function 'twice' not registered")
    client.fails("SELECT * FROM iceberg.routines.v", "INVALID_VIEW", "twice")


def test_schemas_with_routines(client):
    client.run("CREATE SCHEMA iceberg.moved")
    client.run("CREATE FUNCTION iceberg.moved.f() RETURNS bigint RETURN 1")
    client.fails("DROP SCHEMA iceberg.moved", "SCHEMA_NOT_EMPTY")
    client.run("ALTER SCHEMA iceberg.moved RENAME TO there")
    assert client.value("iceberg.there.f()") == 1
    client.run("DROP SCHEMA iceberg.there CASCADE")
    client.run("CREATE SCHEMA iceberg.there")
    client.fails("SELECT iceberg.there.f()", "FUNCTION_NOT_FOUND")
    client.run("DROP SCHEMA iceberg.there")


def test_who_may():
    platform = make_platform(["sql.grants=true", "sql.function_schema=iceberg.s"])
    try:
        client = Client(platform.ready)
        client.run("CREATE SCHEMA iceberg.s")
        client.fails("CREATE FUNCTION f() RETURNS bigint RETURN 1", "PERMISSION_DENIED",
                     "Access Denied: Cannot create function iceberg.s.f", user="alice")
        client.run("GRANT CREATE ON SCHEMA iceberg.s TO USER alice")
        client.run("CREATE FUNCTION f() RETURNS bigint RETURN 1", user="alice")
        assert client.value("f()", user="bob") == 1  # along the path of sessions that have none
        client.fails("DROP FUNCTION f()", "PERMISSION_DENIED", "Cannot drop function iceberg.s.f", user="bob")
        client.fails("CREATE OR REPLACE FUNCTION f() RETURNS bigint RETURN 2", "PERMISSION_DENIED", user="bob")
        client.run("CREATE OR REPLACE FUNCTION f() RETURNS bigint SECURITY INVOKER RETURN 2", user="alice")
        client.run("DROP FUNCTION f()")
        assert platform.stop() == 0
    finally:
        if platform.process.poll() is None:
            platform.kill()
        shutil.rmtree(platform.data.parent, ignore_errors=True)


def test_a_pulled_plug(own_platform):
    client = Client(own_platform.ready)
    client.run("CREATE SCHEMA iceberg.s")
    client.run("CREATE FUNCTION iceberg.s.stays(x varchar) RETURNS varchar COMMENT 'it''s' SECURITY INVOKER RETURN x || '!'")
    client.run("CREATE FUNCTION iceberg.s.goes() RETURNS bigint RETURN 1")
    client.run("CREATE OR REPLACE FUNCTION iceberg.s.goes() RETURNS bigint RETURN 2")
    client.run("CREATE FUNCTION memory.default.light() RETURNS bigint RETURN 1")
    client.run("DROP FUNCTION iceberg.s.goes()")
    shown = client.run("SHOW CREATE FUNCTION iceberg.s.stays")
    own_platform.kill()
    own_platform.start()
    client = Client(own_platform.ready)
    assert client.value("iceberg.s.stays('a')") == "a!"
    assert client.run("SHOW CREATE FUNCTION iceberg.s.stays") == shown
    client.fails("SELECT iceberg.s.goes()", "FUNCTION_NOT_FOUND")
    client.fails("SELECT memory.default.light()", "FUNCTION_NOT_FOUND")


def test_an_argument_is_taken_once(client):
    client.run("CREATE FUNCTION memory.routines.same(x double) RETURNS boolean RETURN x = x")
    assert client.value("count(*) FROM tpch.tiny.orders WHERE NOT memory.routines.same(random())") == 0
    assert client.value("transform(ARRAY[1e0], x -> memory.routines.same(x))") == [True]
    assert client.value("memory.routines.same(sum(x)) FROM (VALUES 1e0) t(x)") is True
