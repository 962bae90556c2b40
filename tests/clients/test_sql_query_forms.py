"""Shapes of whole queries: recursion, windows, groupings, JSON_TABLE plans, lambdas beside other tables; what they answer, and how
they are refused."""
import pytest

trino = pytest.importorskip("trino")


@pytest.fixture(scope="module")
def cursor(platform):
    from urllib.parse import urlsplit
    address = urlsplit(platform["sql"]["http"])
    connection = trino.dbapi.connect(host=address.hostname, port=address.port, user="forms", catalog="tpch", schema="tiny")
    yield connection.cursor()
    connection.close()


T = "(VALUES (1, 10), (2, 20), (2, 30)) t(x, y)"
STEPS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION {} SELECT {} FROM r {}) SELECT {} FROM r"

ANSWERS = [
    # recursion: ten steps after the base, unless the session says otherwise; duplicates go at the end
    (STEPS.format("ALL", "n + 1", "WHERE n < 11", "count(*)"), [[11]]),
    (STEPS.format("DISTINCT", "1", "WHERE n < 1", "count(*)"), [[1]]),
    ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT 2) SELECT sum(n) FROM r", [[3]]),
    ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL (SELECT n + 1 FROM r WHERE n < 3)), s(m) AS (SELECT n FROM r) "
     "SELECT count(*) FROM s a, s b, r", [[27]]),
    # keys that are written otherwise each time, and queries as keys
    ("SELECT m[1], c FROM (SELECT map(ARRAY[1], ARRAY[x]) m, count(*) c FROM " + T + " GROUP BY 1) ORDER BY 1", [[1, 1], [2, 2]]),
    ("SELECT x, count(*) FROM " + T + " GROUP BY x, (SELECT max(x) FROM " + T + ") ORDER BY 1", [[1, 1], [2, 2]]),
    ("SELECT json_exists(s, 'lax $[1]') FROM (VALUES '[1]') t(s) GROUP BY s", [[False]]),
    # aggregates over nothing and over NaN
    ("SELECT count_if(x > 5) FROM " + T + " WHERE x > 5", [[0]]),
    ("SELECT max(d), max_by(x, d), min(d) FROM (VALUES (1, nan()), (2, 3e0), (3, 2e0)) t(x, d)", [[3.0, 2, 2.0]]),
    ("SELECT is_nan(max(d)), max_by(x, d) FROM (VALUES (1, nan())) t(x, d)", [[True, 1]]),
    # lambdas that read columns of other tables
    ("SELECT x, v FROM (VALUES 1, 2) t(x) CROSS JOIN UNNEST(filter(ARRAY[1, 2, 3], e -> e > t.x)) u(v) ORDER BY 1, 2",
     [[1, 2], [1, 3], [2, 3]]),
    ("SELECT x, v FROM (VALUES 2, 3) t(x) LEFT JOIN UNNEST(filter(ARRAY[1, 2, 3], e -> e > t.x)) u(v) ON true ORDER BY 1",
     [[2, 3], [3, None]]),
    ("SELECT x, f FROM (VALUES 1, 2) t(x) CROSS JOIN LATERAL (SELECT cardinality(filter(ARRAY[1, 2, 3], e -> e > x))) u(f) "
     "ORDER BY 1", [[1, 2], [2, 1]]),
    # frames
    ("SELECT sum(y) OVER (ORDER BY y ROWS BETWEEN DECIMAL '1' PRECEDING AND CURRENT ROW) FROM " + T + " ORDER BY 1",
     [[10], [30], [50]]),
    ("SELECT sum(y) OVER (w ROWS 1 PRECEDING) FROM " + T + " WINDOW w AS (ORDER BY y) ORDER BY 1", [[10], [30], [50]]),
    ("SELECT grouping(x), grouping(x, y), count(*) FROM " + T + " GROUP BY GROUPING SETS ((x), (x, y)) ORDER BY 1, 2, 3 LIMIT 1",
     [[0, 0, 1]]),
    # row patterns: any number
    ("SELECT n FROM " + T + " MATCH_RECOGNIZE (ORDER BY y MEASURES count(*) AS n PATTERN (A{,}) DEFINE A AS true)", [[3]]),
    # JSON_TABLE with a plan
    ("SELECT * FROM JSON_TABLE('[[], [1]]', 'lax $' AS r COLUMNS(NESTED PATH 'lax $[*]' AS n COLUMNS (v varchar PATH 'lax $[0]')) "
     "PLAN (r INNER n)) ORDER BY 1", [["1"], [None]]),
]


@pytest.mark.parametrize("sql,rows", ANSWERS)
def test_answers(cursor, sql, rows):
    assert cursor.execute(sql).fetchall() == rows


NAMES = [
    ("SELECT CAST(ROW(1) AS ROW(a int)).a", ["_col0"]),
    ("SELECT t.r.a FROM (SELECT CAST(ROW(1) AS ROW(a int))) t(r)", ["a"]),
    ("SELECT ROW(1, 2).* AS (x, \"y\")", ["X", "y"]),
    ("SELECT * FROM JSON_TABLE('[1]', 'lax $[0]' COLUMNS(a int PATH 'lax $', \"b\" int PATH 'lax $'))", ["A", "b"]),
]


@pytest.mark.parametrize("sql,names", NAMES)
def test_names(cursor, sql, names):
    cursor.execute(sql).fetchall()
    assert [column[0] for column in cursor.description] == names


def table(plan, root="lax $' AS r", columns="a FOR ORDINALITY, NESTED PATH 'lax $[*]' AS n COLUMNS (b FOR ORDINALITY)"):
    return f"SELECT * FROM JSON_TABLE('[1]', '{root} COLUMNS({columns}) {plan})"


REFUSED = [
    (STEPS.format("ALL", "n + 1", "WHERE n < 12", "count(*)"), "NOT_SUPPORTED", "Recursion depth limit exceeded (10)"),
    (STEPS.format("DISTINCT", "n % 3", "", "count(*)"), "NOT_SUPPORTED", "Recursion depth limit exceeded (10)"),
    ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL TABLE r) SELECT * FROM r", "INVALID_RECURSIVE_REFERENCE",
     "line 1:44: recursive reference outside of FROM clause of the step relation of recursion"),
    ("WITH RECURSIVE r(n) AS (SELECT 1 FROM r UNION ALL SELECT n FROM r) SELECT * FROM r", "INVALID_RECURSIVE_REFERENCE",
     "line 1:39: WITH table name is referenced in the base relation of recursion"),
    ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT a.n FROM r a, r b) SELECT * FROM r", "INVALID_RECURSIVE_REFERENCE",
     "line 1:65: multiple recursive references in the step relation of recursion"),
    ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n FROM nation LEFT JOIN r ON true) SELECT * FROM r",
     "INVALID_RECURSIVE_REFERENCE", "line 1:75: recursive reference in right source of LEFT join"),
    ("WITH RECURSIVE r(n) AS (SELECT 1 INTERSECT SELECT n FROM r) SELECT * FROM r", "INVALID_RECURSIVE_REFERENCE",
     "line 1:58: recursive reference not allowed in this context"),
    ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n FROM r LIMIT 1) SELECT * FROM r", "INVALID_LIMIT_CLAUSE",
     "line 1:60: immediate FETCH FIRST / LIMIT clause in recursive query"),
    ("WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r", "MISSING_COLUMN_ALIASES",
     "line 1:16: missing column aliases in recursive WITH query"),
    # PLAN: every path once, on its level
    (table("PLAN (r)"), "INVALID_PLAN", "Paths not included: N"),
    (table("PLAN (q OUTER n)"), "INVALID_PLAN", "Paths not included: R"),
    (table("PLAN (r UNION n)"), "INVALID_PLAN", "must either be a single path name"),
    (table("PLAN (r OUTER (n CROSS m))"), "INVALID_PLAN", "includes unavailable JSON path names: M"),
    (table("PLAN (r OUTER (n CROSS n))"), "INVALID_PLAN", "Duplicate reference to JSON path name in sibling plan: N"),
    (table("PLAN (r)", root="lax $'"), "MISSING_PATH_NAME", "All JSON paths must be named when specific plan is given"),
    (table("PLAN DEFAULT (OUTER)", columns="NESTED PATH 'lax $' COLUMNS (b FOR ORDINALITY)"), "MISSING_PATH_NAME",
     "All nested JSON paths must be named when default plan is given"),
    (table("", columns="r FOR ORDINALITY"), "DUPLICATE_COLUMN_OR_PATH_NAME", "must be unique"),
    # windows
    ("SELECT lag(x) OVER () FROM " + T, "MISSING_ORDER_BY", "line 1:21: lag function requires an ORDER BY window clause"),
    ("SELECT rank() OVER (ORDER BY x ROWS 1 PRECEDING) FROM " + T, "INVALID_WINDOW_FRAME",
     "line 1:32: Cannot specify window frame for rank function"),
    ("SELECT sum(x) OVER (ROWS 1 FOLLOWING) FROM " + T, "INVALID_WINDOW_FRAME",
     "line 1:21: Window frame starting from FOLLOWING cannot end with CURRENT ROW"),
    ("SELECT sum(x) OVER (RANGE 1 PRECEDING) FROM " + T, "MISSING_ORDER_BY",
     "line 1:21: Window frame of type RANGE PRECEDING or FOLLOWING requires ORDER BY"),
    ("SELECT sum(x) OVER (ORDER BY x, y RANGE 1 PRECEDING) FROM " + T, "INVALID_ORDER_BY", "single sort item in ORDER BY (actual: 2)"),
    ("SELECT sum(x) OVER (ORDER BY x RANGE 'a' PRECEDING) FROM " + T, "TYPE_MISMATCH",
     "Window frame RANGE value type (varchar(1)) not compatible with sort item type (integer)"),
    ("SELECT count(*) OVER (ORDER BY s RANGE 1 PRECEDING) FROM (VALUES 'a') t(s)", "TYPE_MISMATCH",
     "requires that sort item type be numeric, datetime or interval (actual: varchar(1))"),
    ("SELECT sum(sum(x) OVER ()) OVER () FROM " + T, "NESTED_WINDOW", "inside window function arguments"),
    ("SELECT sum(x) OVER (ORDER BY rank() OVER (ORDER BY x)) FROM " + T, "NESTED_WINDOW", "inside window specification"),
    ("SELECT 1 FROM " + T + " HAVING rank() OVER (ORDER BY 1) > 1", "NESTED_WINDOW", "HAVING clause cannot contain window functions"),
    ("SELECT 1 FROM " + T + " WINDOW w AS (), W AS ()", "DUPLICATE_WINDOW_NAME", "WINDOW name 'W' specified more than once"),
    ("SELECT 1 FROM " + T + " WINDOW w AS (v)", "INVALID_WINDOW_REFERENCE", "Cannot resolve WINDOW name v"),
    ("SELECT sum(x) OVER (w PARTITION BY y) FROM " + T + " WINDOW w AS (ORDER BY x)", "INVALID_PARTITION_BY",
     "WINDOW specification with named WINDOW reference cannot specify PARTITION BY"),
    ("SELECT count(x) IGNORE NULLS OVER () FROM " + T, "NULL_TREATMENT_NOT_ALLOWED",
     "Cannot specify null treatment clause for count function"),
    # groupings
    ("SELECT grouping(x) FROM " + T, "MISSING_GROUP_BY", "A GROUPING() operation can only be used with"),
    ("SELECT grouping(y) FROM " + T + " GROUP BY x", "INVALID_ARGUMENTS", "Mismatch due to y."),
    ("SELECT 1 FROM " + T + " GROUP BY CUBE (x + 1)", "INVALID_COLUMN_REFERENCE", "GROUP BY expression must be a column reference"),
    ("SELECT sum(sum(x)) FROM " + T, "NESTED_AGGREGATION", "Cannot nest aggregations inside aggregation"),
    ("SELECT max(x) AS x FROM " + T + " GROUP BY y ORDER BY max(x)", "COLUMN_NOT_FOUND",
     "Invalid reference to output projection attribute from ORDER BY aggregation"),
    ("SELECT array_agg(DISTINCT x ORDER BY y) FROM " + T, "EXPRESSION_NOT_IN_DISTINCT",
     "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments"),
    ("SELECT count(DISTINCT x) FROM (SELECT approx_set(1) x)", "TYPE_MISMATCH",
     "DISTINCT can only be applied to comparable types (actual: HyperLogLog)"),
    # what the grammar knows and nothing does
    ("SELECT INTERVAL '1' YEAR(1)", "NOT_SUPPORTED", "line 1:21: Only INTERVAL literals with default precision are supported"),
    ("SELECT INTERVAL '1' DAY TO SECOND(2)", "NOT_SUPPORTED", "line 1:21: Only INTERVAL literals with default precision"),
    ("PREPARE p FROM EXECUTE q", "NOT_SUPPORTED", "Invalid statement type for prepared statement: EXECUTE"),
    ("EXPLAIN VERBOSE SELECT 1", "SYNTAX_ERROR", "line 1:9: mismatched input 'VERBOSE'"),
    ("SELECT 12223222232535343423232435343", "SYNTAX_ERROR", "line 1:8: Invalid numeric literal: 12223222232535343423232435343"),
    # joins
    ("SELECT * FROM (VALUES ARRAY[1]) a(x) RIGHT JOIN UNNEST(x) ON true", "INVALID_COLUMN_REFERENCE",
     "LATERAL reference not allowed in RIGHT JOIN"),
    ("SELECT * FROM (VALUES ARRAY[1]) a(x) LEFT JOIN UNNEST(x) ON false", "NOT_SUPPORTED",
     "LEFT JOIN involving UNNEST is only supported with condition ON TRUE"),
    ("SELECT x FROM " + T + " FETCH FIRST 1 ROW WITH TIES", "MISSING_ORDER_BY", "FETCH FIRST WITH TIES clause requires ORDER BY"),
]


@pytest.mark.parametrize("sql,name,message", REFUSED)
def test_refused(cursor, sql, name, message):
    with pytest.raises(trino.exceptions.TrinoQueryError) as failure:
        cursor.execute(sql).fetchall()
    assert failure.value.error_name == name, failure.value.message
    assert message in failure.value.message


def test_depth_of_recursion_is_the_sessions(cursor):
    cursor.execute("SET SESSION max_recursion_depth = 50").fetchall()
    assert cursor.execute(STEPS.format("ALL", "n + 1", "WHERE n < 51", "count(*)")).fetchall() == [[51]]
    cursor.execute("RESET SESSION max_recursion_depth").fetchall()
