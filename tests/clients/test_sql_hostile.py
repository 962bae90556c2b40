"""Statements that are huge, deep or no SQL at all: each has its right answer or Trino's error in bounded time and memory,
and the platform lives on. Then many clients at once."""
import base64
import json
import resource
import ssl
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import make_platform

DEEP = 10_000
MANY = 100_000
SECONDS_MAX = 10
MEMORY_MAX = 1_500  # MiB, after all of it
OPEN_FILES = 4_096

CONTEXT = ssl._create_unverified_context()
NESTED = {
    "parentheses": "SELECT " + "(" * DEEP + "1" + ")" * DEEP,
    "open parentheses": "SELECT " + "(" * DEEP,
    "queries in parentheses": "(" * DEEP + "SELECT 1" + ")" * DEEP,
    "relations": "SELECT * FROM " + "(" * DEEP + "nation" + ")" * DEEP,
    "NOT": "SELECT " + "NOT " * DEEP + "true",
    "signs": "SELECT " + "- " * DEEP + "1",
    "CASE": "SELECT " + "CASE WHEN true THEN " * DEEP + "1" + " END" * DEEP,
    "subqueries": "SELECT " + "(SELECT " * DEEP + "1" + ")" * DEEP,
    "tables": "SELECT 1 FROM " + "(SELECT * FROM " * DEEP + "nation" + ")" * DEEP,
    "EXISTS": "SELECT " + "EXISTS (SELECT 1 WHERE " * DEEP + "true" + ")" * DEEP,
    "IN queries": "SELECT " + "1 IN (SELECT " * DEEP + "1" + ")" * DEEP,
    "arrays": "SELECT " + "ARRAY[" * DEEP + "1" + "]" * DEEP,
    "rows": "SELECT " + "ROW(" * DEEP + "1" + ")" * DEEP,
    "casts": "SELECT " + "CAST(" * DEEP + "1" + " AS bigint)" * DEEP,
    "calls": "SELECT " + "abs(" * DEEP + "1" + ")" * DEEP,
    "lambdas": "SELECT " + "transform(ARRAY[1], x -> " * DEEP + "1" + ")" * DEEP,
    "subscripts": "SELECT ARRAY[1]" + "[1]" * DEEP,
    "fields": "SELECT a" + ".a" * DEEP,
    "comparisons": "SELECT 1" + " = 1" * DEEP,
    "IS NULL": "SELECT 1" + " IS NULL" * DEEP,
    "time zones": "SELECT current_timestamp" + " AT TIME ZONE 'UTC'" * DEEP,
    "additions": "SELECT " + "+".join(["1"] * DEEP),
    "products": "SELECT " + "*".join(["1"] * DEEP),
    "arrays concatenated": "SELECT " + "||".join(["ARRAY[1]"] * DEEP),
    "unions": " UNION ALL ".join(["SELECT 1"] * DEEP),
    "intersections": " INTERSECT ".join(["SELECT 1"] * DEEP),
    "joins": "SELECT 1 FROM nation" + " CROSS JOIN nation" * DEEP,
    "EXPLAIN": "EXPLAIN " * DEEP + "SELECT 1",
    "blocks": "WITH FUNCTION f() RETURNS bigint " + "BEGIN " * DEEP + "RETURN 1;" + " END;" * DEEP + " SELECT f()",
    "row pattern": "SELECT * FROM nation MATCH_RECOGNIZE (PATTERN (" + "(" * DEEP + "A" + ")" * DEEP + ") DEFINE A AS true)",
    "in EXECUTE IMMEDIATE": "EXECUTE IMMEDIATE 'SELECT " + "(" * DEEP + "1" + ")" * DEEP + "'",
    "common tables": "WITH t0 AS (SELECT 1 x)" + "".join(f", t{i} AS (SELECT * FROM t{i - 1})" for i in range(1, 300))
                     + " SELECT * FROM t299 WHERE " + "NOT " * DEEP + "true",
}
LONG = {
    "text concatenated": ("SELECT length(" + "||".join(["'ab'"] * DEEP) + ")", [[2 * DEEP]]),
    "columns concatenated": ("SELECT length(" + "||".join(["name"] * DEEP) + ") FROM region WHERE regionkey = 2", [[4 * DEEP]]),
    "concat()": ("SELECT length(concat(" + ", ".join(["'ab'"] * DEEP) + "))", [[2 * DEEP]]),
    "OR": ("SELECT count(*) FROM customer WHERE " + " OR ".join(f"custkey = {2 * i}" for i in range(DEEP)), [[750]]),
    "AND": ("SELECT count(*) FROM customer WHERE " + " AND ".join(f"custkey <> {i}" for i in range(1, DEEP)), [[0]]),
    "AND with NULL": ("SELECT count(*) FROM (VALUES 1, NULL, 7) t(x) WHERE "
                      + " AND ".join(f"x <> {i}" for i in range(2, DEEP)), [[1]]),
    "WHEN": ("SELECT CASE 7 " + " ".join(f"WHEN {i} THEN {i}" for i in range(DEEP)) + " END", [[7]]),
    "coalesce": ("SELECT coalesce(" + "NULL, " * DEEP + "1)", [[1]]),
    "numbers in IN": ("SELECT count(*) FROM customer WHERE custkey IN (" + ",".join(map(str, range(1000, MANY))) + ")", [[501]]),
    "numbers in NOT IN": ("SELECT count(*) FROM customer WHERE custkey NOT IN (" + ",".join(map(str, range(1000, MANY)))
                          + ")", [[999]]),
    "NULL in NOT IN": ("SELECT count(*) FROM customer WHERE custkey NOT IN (NULL, " + ",".join(map(str, range(9000))) + ")", [[0]]),
    "texts in IN": ("SELECT count(*) FROM customer WHERE name IN (" + ",".join(f"'Customer#{i:09d}'" for i in range(MANY))
                    + ")", [[1500]]),
    "IN in a join": ("SELECT count(*) FROM nation n LEFT JOIN region r ON n.regionkey = r.regionkey AND n.nationkey IN ("
                     + ",".join(map(str, range(3000))) + ")", [[25]]),
    "IN in EXISTS": ("SELECT count(*) FROM nation n WHERE EXISTS (SELECT 1 FROM region r LEFT JOIN nation m ON m.nationkey IN ("
                     + ",".join(map(str, range(3000))) + ") WHERE r.regionkey = n.regionkey)", [[25]]),
    "IN or IN": ("SELECT count(*) FROM nation WHERE nationkey IN (" + ",".join(map(str, range(3, 3000))) + ") OR name IN ("
                 + ",".join(f"'v{i}'" for i in range(3000)) + ")", [[22]]),
    "IN of a lambda": ("SELECT filter(ARRAY[1, 9999, 70000], x -> x IN (" + ",".join(map(str, range(9000, 12000))) + "))",
                       [[[9999]]]),
    "IN in SELECT": ("SELECT 99999 IN (" + ",".join(map(str, range(MANY))) + ")", [[True]]),
    "VALUES": ("SELECT count(*), sum(x), max(y), min(z), count(n) FROM (VALUES "
               + ",".join(f"({i}, 'it''s {i}', {i}.5, {'NULL' if i % 2 else i})" for i in range(MANY)) + ") t(x, y, z, n)",
               [[MANY, MANY * (MANY - 1) // 2, "it's 99999", "0.5", MANY // 2]]),
    "mixed VALUES": ("SELECT count(*), max(x), max(y) FROM (VALUES "
                     + ",".join(f"({i}, 1e0 * {i})" if i % 3 else f"({i}.25, {i})" for i in range(2000)) + ") t(x, y)",
                     [[2000, "1999.00", 1999.0]]),
    "array": ("SELECT cardinality(a), a[7] FROM (SELECT ARRAY[" + ",".join(map(str, range(MANY))) + "] AS a)", [[MANY, 6]]),
    "10 MB of text": ("SELECT length('" + "x" * 10_000_000 + "')", [[10_000_000]]),
    "10 MB of comments": ("SELECT " + "/* x */ -- y\n" * (10_000_000 // 13) + "1", [[1]]),
    "10 MB of blanks": ("SELECT " + " " * 10_000_000 + "1", [[1]]),
    "joins over one key": ("SELECT count(*), sum(n99.regionkey) FROM nation n0 "
                           + " ".join(f"JOIN nation n{i} ON n{i}.nationkey = n0.nationkey" for i in range(1, 100)), [[25, 50]]),
    "joins in a row": ("SELECT count(*) FROM nation n0 LEFT JOIN nation n1 ON n1.nationkey = n0.nationkey + 20 "
                       + " ".join(f"JOIN nation n{i} ON n{i - 1}.nationkey = n{i}.nationkey" for i in range(2, 150)), [[5]]),
    "joins in WHERE": ("SELECT sum(n7.regionkey) FROM " + ", ".join(f"nation n{i}" for i in range(100)) + " WHERE "
                       + " AND ".join(f"n99.nationkey = n{i}.nationkey" for i in range(99)) + " AND n50.nationkey < 5", [[7]]),
    "outer joins": ("SELECT count(*), count(n99.name) FROM nation n0 "
                    + " ".join(f"LEFT JOIN nation n{i} ON n{i}.nationkey = n0.nationkey + 20" for i in range(1, 100)), [[25, 5]]),
    "common tables in a row": ("WITH t0 AS (SELECT 1 x)" + "".join(f", t{i} AS (SELECT x + 1 AS x FROM t{i - 1})" for i in range(1, 2000))
                               + " SELECT x FROM t1999", [[2000]]),
    "common tables": ("WITH " + ", ".join(f"t{i} AS (SELECT {i} x)" for i in range(2000)) + " SELECT sum(x) FROM ("
                      + " UNION ALL ".join(f"SELECT x FROM t{i}" for i in range(0, 2000, 10)) + ") t", [[199000]]),
    "common tables read twice": ("WITH t0 AS (SELECT 1 x)" + "".join(
        f", t{i} AS (SELECT a.x + b.x AS x FROM t{i - 1} a, t{i - 1} b)" for i in range(1, 20)) + " SELECT x FROM t19", [[2 ** 19]]),
    "common tables read twice in a row": ("WITH t0 AS (SELECT 1 x)" + "".join(
        f", t{i} AS (SELECT a.x FROM t{i - 1} a JOIN t{i - 1} b ON a.x = b.x)" for i in range(1, 200)) + " SELECT x FROM t199", [[1]]),
    "sums of literals": ("SELECT " + " + ".join(["1"] * 700) + ", " + " + ".join(["1.5"] * 700), [[700, "1050.0"]]),
    "sums of columns": ("SELECT " + " + ".join(["nationkey"] * 700) + ", " + " - ".join(["nationkey"] * 102)
                        + " FROM nation WHERE nationkey = 3", [[2100, -300]]),
    "2,000 columns": ("SELECT " + ",".join(f"{i} AS c{i}" for i in range(2000)), [list(range(2000))]),
    "scripts": ('SELECT "日本語", "😀👨‍👩‍👧", "العربية", "Ελλάδα" FROM (VALUES (1, 2, 3, 4)) t("日本語", "😀👨‍👩‍👧", "العربية", "Ελλάδα")',
                [[1, 2, 3, 4]]),
    "text with NUL": ("SELECT length('a\0b'), 'ß' || '𝄞'", [[3, "ß𝄞"]]),
}
WRONG = {
    "bytes": (bytes(range(256)) * 100, "SYNTAX_ERROR"),
    "not UTF-8": (b"SELECT '\xff\xfe\xc3('", "SYNTAX_ERROR"),
    "surrogates": (b"SELECT '\xed\xa0\x80'", "SYNTAX_ERROR"),
    "overlong": (b"SELECT '\xc0\xaf'", "SYNTAX_ERROR"),
    "NUL": (b"SELECT \0 1", "SYNTAX_ERROR"),
    "open string": ("SELECT 'abc", "SYNTAX_ERROR"),
    "open name": ('SELECT "abc', "SYNTAX_ERROR"),
    "open comment": ("SELECT 1 /* abc", "SYNTAX_ERROR"),
    "open escape": ("SELECT U&'\\00", "SYNTAX_ERROR"),
    "bare script": ("SELECT 1 AS 日本語", "SYNTAX_ERROR"),
    "semicolons": (";;;", "SYNTAX_ERROR"),
    "words": ("SELECT " + "a " * 400_000, "SYNTAX_ERROR"),
    "10 MB of parentheses": ("SELECT " + "(" * 10_000_000, "QUERY_TEXT_TOO_LARGE"),
    "10 MB of items": ("SELECT " + "1," * 5_000_000 + "1", "QUERY_TEXT_TOO_LARGE"),
    "many columns": ("SELECT " + "1," * 500_000 + "1", "NOT_SUPPORTED"),
    "many arguments": ("SELECT coalesce(" + "1," * 500_000 + "1)", "NOT_SUPPORTED"),
    "many fields": ("SELECT (" + "1," * 500_000 + "1)", "NOT_SUPPORTED"),
    "many tables": ("SELECT 1 FROM " + ",".join(f"(SELECT 1) t{i}" for i in range(2000)), "STACK_OVERFLOW"),
    "many groups": ("SELECT 1 FROM nation GROUP BY CUBE (" + ",".join(["nationkey"] * 40) + ")", "TOO_MANY_GROUPING_SETS"),
    "10 MB of digits": ("SELECT " + "1" * 10_000_000, "SYNTAX_ERROR"),
    "deep type": ("SELECT CAST(NULL AS " + "array(" * DEEP + "bigint" + ")" * DEEP + ")", "NOT_SUPPORTED"),
    "deep JSON path": ("SELECT json_query('1', 'lax $" + ".a" * DEEP + "')", None),
    "deep JSON": ("SELECT json_parse('" + "[" * DEEP + "]" * DEEP + "')", "INVALID_FUNCTION_ARGUMENT"),
    "deep expression": ("SELECT regexp_like('a', '" + "(" * DEEP + ")" * DEEP + "')", None),
}


class Client:
    """The protocol by hand: what the server answers to any bytes."""

    def __init__(self, ready, scheme="http"):
        self.uri = ready["sql"][scheme].rstrip("/") + "/v1/statement"
        self.headers = {"X-Trino-User": ready["sql"]["user"], "X-Trino-Catalog": "tpch", "X-Trino-Schema": "tiny"}
        if scheme == "https":
            key = base64.b64encode(f"{ready['sql']['user']}:{ready['sql']['password']}".encode()).decode()
            self.headers["Authorization"] = "Basic " + key

    def begin(self, sql):
        return self.ask(urllib.request.Request(self.uri, sql if isinstance(sql, bytes) else sql.encode(), self.headers))

    def ask(self, request):
        return json.load(urllib.request.urlopen(request, context=CONTEXT, timeout=60))

    def finish(self, page):
        rows = []
        while True:
            if page.get("error"):
                return page["error"]
            rows += page.get("data") or []
            if "nextUri" not in page:
                return rows
            page = self.ask(urllib.request.Request(page["nextUri"], headers=self.headers))

    def run(self, sql):
        return self.finish(self.begin(sql))


@pytest.fixture(scope="module")
def server():
    platform = make_platform()
    yield platform
    assert platform.process.poll() is None, platform.log_tail()
    assert memory(platform) < MEMORY_MAX
    assert platform.stop() == 0


@pytest.fixture(scope="module")
def client(server):
    return Client(server.ready)


def memory(platform):
    with open(f"/proc/{platform.process.pid}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def timed(client, sql):
    begin = time.monotonic()
    answer = client.run(sql)
    assert time.monotonic() - begin < SECONDS_MAX
    assert client.run("SELECT 1") == [[1]]
    return answer


@pytest.mark.parametrize("name", NESTED)
def test_nesting_ends(client, name):
    answer = timed(client, NESTED[name])
    assert isinstance(answer, dict), f"answered {answer!r:.100}"
    assert answer["errorName"] in ("STACK_OVERFLOW", "SYNTAX_ERROR"), answer["message"]
    assert answer["errorType"] == "USER_ERROR"
    assert answer["errorLocation"]["lineNumber"] == 1


@pytest.mark.parametrize("name", LONG)
def test_length_works(client, name):
    sql, expected = LONG[name]
    answer = timed(client, sql)
    assert answer == expected, f"{answer!r:.500}"


@pytest.mark.parametrize("name", WRONG)
def test_no_sql(client, name):
    sql, expected = WRONG[name]
    answer = timed(client, sql)
    if expected is None and isinstance(answer, list):
        return
    assert isinstance(answer, dict) and answer["errorName"] == (expected or answer["errorName"]), f"{answer!r:.500}"
    assert answer["errorType"] == "USER_ERROR", answer["errorName"]
    if expected == "SYNTAX_ERROR":
        assert answer["errorLocation"]["columnNumber"] > 0
        assert answer["message"].startswith("line ")


def test_nothing(client):
    for text in (b"", b"  \n\t "):
        with pytest.raises(urllib.error.HTTPError) as refused:
            client.begin(text)
        assert refused.value.code == 400


def test_many_items_are_fast(client):
    begin = time.monotonic()
    assert client.run(LONG["numbers in IN"][0]) == [[501]]
    assert time.monotonic() - begin < 2


def test_200_clients(server):
    client = Client(server.ready, "https")
    asked = [("SELECT {0}", lambda i: [[i]]),
             ("SELECT count(*) FROM nation WHERE nationkey < {0} % 25", lambda i: [[i % 25]]),
             ("SELECT sum(x) FROM UNNEST(sequence(1, {0} + 1)) t(x)", lambda i: [[(i + 1) * (i + 2) // 2]]),
             ("SELECT name FROM region WHERE regionkey = {0} - {0}", lambda i: [["AFRICA"]]),
             ("SELECT {0} / 0", "DIVISION_BY_ZERO"), ("SELEC {0}", "SYNTAX_ERROR")]
    together = threading.Barrier(200, timeout=30)

    def ask(number):
        sql, expected = asked[number % len(asked)]
        together.wait()
        answer = client.run(sql.format(number))
        return answer["errorName"] == expected if isinstance(expected, str) else answer == expected(number)

    with ThreadPoolExecutor(200) as pool:
        assert all(pool.map(ask, range(200)))


def test_1000_queued(client):
    """All begun before any is read to its end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(OPEN_FILES, hard)), hard))
    with ThreadPoolExecutor(16) as pool:
        begun = list(pool.map(lambda i: client.begin(f"SELECT {i}, count(*) FROM nation"), range(1000)))
        answers = list(pool.map(client.finish, begun))
    assert answers == [[[i, 25]] for i in range(1000)]
