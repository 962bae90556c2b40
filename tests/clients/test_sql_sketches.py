"""Digests, histograms and colors over the protocol."""
import base64
import struct

import pytest

trino = pytest.importorskip("trino")


@pytest.fixture(scope="module")
def run(platform):
    host, port = platform["sql"]["http"].removeprefix("http://").rstrip("/").split(":")

    def one(sql):
        cursor = trino.dbapi.connect(host=host, port=int(port), user="admin", catalog="memory", schema="default").cursor()
        cursor.execute(sql)
        rows = cursor.fetchall()
        return [column[1] for column in cursor.description or []], rows

    return one


def failed(run, sql):
    with pytest.raises(trino.exceptions.TrinoQueryError) as caught:
        run(sql)
    return caught.value.error_name, caught.value.message


def test_quantile_digests(run):
    types, rows = run("SELECT qdigest_agg(x) FROM (VALUES BIGINT '5', 6, 6) t(x)")
    assert types == ["qdigest(bigint)"]
    digest = base64.b64decode(rows[0][0])
    head = struct.unpack_from("<bddqqqi", digest)
    assert head == (0, 0.01, 0.0, 0, 5, 6, 3)
    assert struct.unpack_from("<Bdq", digest, 45 + 17) == (0, 2.0, 6 - 2**63)
    # Bytes kept as varbinary, as another Trino would have kept them, are digests again.
    assert run(f"SELECT value_at_quantile(CAST(X'{digest.hex()}' AS qdigest(bigint)), 0.9)") == (["bigint"], [[6]])
    assert run("SELECT CAST(CAST(qdigest_agg(x) AS varbinary) AS qdigest(double)) FROM (VALUES 1e0) t(x)")[0] == ["qdigest(double)"]
    for kind in ("bigint", "real", "double"):
        values = f"(SELECT qdigest_agg(CAST(x AS {kind})) q FROM UNNEST(sequence(-500, 500)) t(x))"
        types, rows = run(f"SELECT value_at_quantile(q, 0.5), values_at_quantiles(q, ARRAY[0, 0.1, 1]) FROM {values}")
        assert types == [kind, f"array({kind})"]
        middle, (least, tenth, most) = rows[0]
        assert abs(middle) <= 10 and least == -500 and -405 <= tenth <= -385 and most == 500
        (rank, outside), = run(f"SELECT quantile_at_value(q, 250), quantile_at_value(q, 501) FROM {values}")[1]
        assert abs(rank - 0.75) < 0.011 and outside is None
    merged = "(SELECT merge(q) m FROM (SELECT qdigest_agg(x, 2, 0.001) q FROM UNNEST(sequence(1, 1000)) t(x) GROUP BY x % 7))"
    assert abs(run(f"SELECT value_at_quantile(m, 0.5) FROM {merged}")[1][0][0] - 500) <= 2
    assert run("SELECT qdigest_agg(x) FROM (VALUES CAST(NULL AS bigint)) t(x)")[1] == [[None]]
    assert failed(run, "SELECT qdigest_agg(x, 0) FROM (VALUES 1) t(x)") == (
        "INVALID_FUNCTION_ARGUMENT", "Percentile weight must be > 0, was 0")
    assert failed(run, "SELECT qdigest_agg(x, 1, 1.5) FROM (VALUES 1) t(x)")[1].startswith("Percentile accuracy must be exclusively")
    assert failed(run, "SELECT value_at_quantile(CAST(X'00' AS qdigest(bigint)), 0.5)")[0] == "INVALID_FUNCTION_ARGUMENT"
    assert failed(run, "SELECT CAST(X'00' AS qdigest(varchar))")[0] == "TYPE_NOT_FOUND"
    assert failed(run, "SELECT CAST(qdigest_agg(x) AS qdigest(double)) FROM (VALUES 1) t(x)")[0] == "TYPE_MISMATCH"


def test_set_digests(run):
    sets = "(SELECT make_set_digest(x) a, make_set_digest(y) b FROM (VALUES (1, 1), (2, 3), (3, 5)) t(x, y))"
    types, rows = run(f"SELECT cardinality(a), intersection_cardinality(a, b), jaccard_index(a, b), hash_counts(a), a FROM {sets}")
    assert types == ["bigint", "bigint", "double", "map(bigint, smallint)", "SetDigest"]
    assert rows[0][:2] == [3, 2] and len(rows[0][3]) == 3 and base64.b64decode(rows[0][4])[0] == 1
    again = base64.b64decode(rows[0][4]).hex()
    assert run(f"SELECT cardinality(CAST(X'{again}' AS SetDigest))")[1] == [[3]]
    many = ("SELECT cardinality(merge_set_digest(d)) FROM (SELECT make_set_digest(x) d FROM UNNEST(sequence(1, 10000)) t(x) "
            "GROUP BY x % 3)")
    assert abs(run(many)[1][0][0] - 10000) < 700  # beyond 8192 hashes an estimate
    assert failed(run, "SELECT cardinality(CAST(X'02' AS SetDigest))")[0] == "INVALID_FUNCTION_ARGUMENT"


def test_histograms_and_colors(run):
    assert run("SELECT numeric_histogram(3, x) FROM (VALUES 1, 2, 10, 1, 50) t(x)")[1] == [[{4 / 3: 3.0, 10.0: 1.0, 50.0: 1.0}]]
    assert failed(run, "SELECT numeric_histogram(1, x) FROM (VALUES 1) t(x)")[1] == (
        "numeric_histogram bucket count must be greater than one")
    types, rows = run("SELECT color('red'), color('#f0c'), rgb(1, 2, 3), color(-1, 42, 52, rgb(255, 0, 0), rgb(255, 255, 0))")
    assert types == ["color"] * 4 and rows == [["red", "#ff00cc", "#010203", "#ff0000"]]
    assert run("SELECT render('hello', color('#0f0')), render(true)")[1] == [
        ["\x1b[38;5;46mhello\x1b[0m", "\x1b[38;5;2m\u2713\x1b[0m"]]
    assert run("SELECT bar(0.6, 5, color('#f0f'), color('#00f'))")[1] == [
        ["\x1b[38;5;201m\u2588\x1b[38;5;165m\u2588\x1b[38;5;129m\u2588\x1b[0m  "]]
    assert failed(run, "SELECT color('nope')") == ("INVALID_FUNCTION_ARGUMENT", "Invalid color: 'nope'")
    assert failed(run, "SELECT rgb(256, 0, 0)")[1] == "red must be between 0 and 255"
    assert failed(run, "SELECT c FROM (VALUES rgb(1, 2, 3)) t(c) ORDER BY c")[0] == "TYPE_MISMATCH"


def test_parts_of_bytes(run):
    types, rows = run("SELECT substr(X'0102030405', 2), substr(X'0102030405', -2), substr(X'0102030405', 2, 3), substr(X'01', 0)")
    assert types == ["varbinary"] * 4
    assert rows == [[b"\x02\x03\x04\x05", b"\x04\x05", b"\x02\x03\x04", b""]]
