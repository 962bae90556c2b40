"""EXPLAIN in all its types and formats, and EXPLAIN ANALYZE, through the Trino client."""
import json
import re

import pytest
import trino


@pytest.fixture(scope="module")
def explained(platform):
    host, port = platform["sql"]["http"].removeprefix("http://").split(":")
    connection = trino.dbapi.connect(host=host, port=int(port), user="admin", catalog="tpch", schema="tiny")
    return lambda sql: connection.cursor().execute(sql).fetchall()


QUERY = "SELECT n.name, count(*) AS orders FROM customer c JOIN nation n ON c.nationkey = n.nationkey " \
        "WHERE n.regionkey = 1 GROUP BY n.name ORDER BY 2 DESC LIMIT 3"


def test_text(explained):
    text = explained("EXPLAIN " + QUERY)[0][0]
    assert text.startswith("Trino version: 483\nFragment 0 [SINGLE]\n    Output layout: [name, orders]\n")
    assert "Output[columnNames = [name, orders]]" in text
    assert re.search(r"Layout: \[name:varchar\(25\), orders:bigint\]", text)
    for operator in ("TopN", "Aggregate[", "InnerJoin[criteria = ", "TableScan[table = tpch:tiny:nation", "TableScan[table = tpch:tiny:customer"):
        assert operator in text, text
    assert "Fragment" not in explained("EXPLAIN (TYPE LOGICAL) " + QUERY)[0][0]
    assert "tpch_scan" not in text.lower()


def walk(node):
    yield node
    for child in node["children"]:
        yield from walk(child)


def test_json(explained):
    plan = json.loads(explained("EXPLAIN (TYPE LOGICAL, FORMAT JSON) " + QUERY)[0][0])
    output = plan["0"]
    assert output["name"] == "Output" and output["outputs"][1] == {"type": "bigint", "name": "orders"}
    nodes = list(walk(output))
    assert len({node["id"] for node in nodes}) == len(nodes)
    tables = [node["descriptor"]["table"] for node in nodes if node["name"] == "TableScan"]
    assert sorted(tables) == ["tpch:tiny:customer", "tpch:tiny:nation"]


def test_graphviz(explained):
    text = explained("EXPLAIN (FORMAT GRAPHVIZ) " + QUERY)[0][0]
    assert text.startswith("digraph logical_plan {") and text.count("->") >= 4


def test_io(explained):
    plan = json.loads(explained("EXPLAIN (TYPE IO, FORMAT JSON) " + QUERY)[0][0])
    tables = sorted(row["table"]["schemaTable"]["table"] for row in plan["inputTableColumnInfos"])
    assert tables == ["customer", "nation"]
    assert {row["table"]["catalog"] for row in plan["inputTableColumnInfos"]} == {"tpch"}


def test_validate(explained):
    assert explained("EXPLAIN (TYPE VALIDATE) " + QUERY) == [[True]]
    with pytest.raises(trino.exceptions.TrinoUserError, match="Column 'nothing' cannot be resolved"):
        explained("EXPLAIN (TYPE VALIDATE) SELECT nothing FROM nation")


def test_analyze(explained):
    text = explained("EXPLAIN ANALYZE SELECT count(*) FROM lineitem WHERE quantity > 10")[0][0]
    assert re.search(r"Analysis: [\d.]+(ns|us|ms), Planning: [\d.]+(ns|us|ms), Execution: [\d.]+(us|ms|s)", text)
    assert re.search(r"CPU: [\d.]+(ns|us|ms|s) \([\d.]+%\), Output: 1 row \(", text)
    scanned = re.search(r"TableScan\[table = tpch:tiny:lineitem.*?Output: (\d+) rows", text, re.S)
    assert scanned and int(scanned.group(1)) > 40_000, text


def test_analyze_what_metadata_answers(explained):
    """Rows that the planner knows are not counted by any operator: the plan has no times then."""
    explained("CREATE SCHEMA IF NOT EXISTS iceberg.explained")
    explained("CREATE TABLE IF NOT EXISTS iceberg.explained.t AS SELECT 1 a")
    text = explained("EXPLAIN ANALYZE SELECT count(*) FROM iceberg.explained.t")[0][0]
    assert "Planning: " in text and "Output[columnNames = [_col0]]" in text, text


@pytest.mark.parametrize("sql, error", [
    ("EXPLAIN (TYPE NONSENSE) SELECT 1", "SYNTAX_ERROR"),
    ("EXPLAIN (FORMAT XML) SELECT 1", "SYNTAX_ERROR"),
    ("EXPLAIN (TYPE IO, FORMAT GRAPHVIZ) SELECT 1", "NOT_SUPPORTED"),
    ("EXPLAIN EXPLAIN SELECT 1", "NOT_SUPPORTED"),
    ("EXPLAIN ANALYZE DROP TABLE iceberg.a.b", "NOT_SUPPORTED"),
])
def test_refused(explained, sql, error):
    with pytest.raises(trino.exceptions.TrinoUserError) as caught:
        explained(sql)
    assert caught.value.error_name == error


def test_names_only(explained):
    assert explained("EXPLAIN DROP TABLE iceberg.a.b") == [["DROP TABLE iceberg.a.b"]]
