"""Spooled results: the trino Python client with each encoding, and the protocol's details by hand."""
import base64
import json
import shutil
import time

import pytest
import requests
import zstandard

from conftest import make_platform

trino = pytest.importorskip("trino")

MANY = "SELECT orderkey, custkey, totalprice, orderdate, comment FROM tpch.sf1.orders WHERE orderkey <= 800000"


@pytest.fixture(scope="module")
def spooling():
    # A little memory: most segments go to the object store.
    platform = make_platform(["sql.spooling_memory=1MB", "sql.spooling_ttl=60s"])
    yield platform
    platform.kill()
    shutil.rmtree(platform.data.parent, ignore_errors=True)


def connect(platform, **options):
    host, port = platform.ready["sql"]["http"].removeprefix("http://").rstrip("/").split(":")
    return trino.dbapi.connect(host=host, port=int(port), user="admin", **options)


def spooled_bytes(platform):
    text = requests.get(platform.ready["metrics"]["url"]).text
    return next(int(float(line.split()[1])) for line in text.splitlines() if line.startswith("aichemy_trino_spooled_bytes "))


def pages(platform, sql, encoding):
    headers = {"X-Trino-User": "admin", "X-Trino-Query-Data-Encoding": encoding}
    answer = requests.post(platform.ready["sql"]["http"] + "/v1/statement", data=sql, headers=headers)
    page = answer.json()
    while "nextUri" in page:
        answer = requests.get(page["nextUri"], headers=headers)
        page = answer.json()
        if "data" in page:
            assert answer.headers["X-Trino-Query-Data-Encoding"] == encoding.split(",")[0]
        yield page


@pytest.mark.parametrize("encoding", [None, "json", "json+zstd", "json+lz4"])
def test_python_client(spooling, encoding):
    rows = connect(spooling, encoding=encoding).cursor().execute(MANY).fetchall()
    assert len(rows) == 200_000 and len({row[0] for row in rows}) == 200_000
    assert rows[0][3].year in range(1992, 1999) and isinstance(rows[0][2], float)


def test_everything_is_given_back(spooling):
    before = spooled_bytes(spooling)
    list(connect(spooling).cursor().execute(MANY).fetchall())
    end = time.monotonic() + 10
    while spooled_bytes(spooling) > before and time.monotonic() < end:
        time.sleep(0.05)
    assert spooled_bytes(spooling) <= before  # acknowledged as they were read


def test_small_results_are_inline(spooling):
    page = next(p for p in pages(spooling, "SELECT * FROM (VALUES (1, 'a'), (2, NULL)) t(x, y)", "json+zstd") if "data" in p)
    assert page["data"]["encoding"] == "json+zstd"
    (segment,) = page["data"]["segments"]
    assert segment["type"] == "inline" and segment["metadata"]["rowsCount"] == 2 and segment["metadata"]["rowOffset"] == 0
    assert json.loads(base64.b64decode(segment["data"])) == [[1, "a"], [2, None]]
    assert "uncompressedSize" not in segment["metadata"]


def test_segments(spooling):
    segments = [s for p in pages(spooling, MANY, "json+zstd,json") for s in p.get("data", {}).get("segments", [])]
    assert len(segments) >= 2 and all(s["type"] == "spooled" for s in segments)
    offset = 0
    for segment in segments:
        facts = segment["metadata"]
        assert facts["rowOffset"] == offset
        offset += facts["rowsCount"]
        answer = requests.get(segment["uri"])  # the name is the credential
        assert answer.status_code == 200 and len(answer.content) == facts["segmentSize"]
        raw = zstandard.ZstdDecompressor().decompress(answer.content)
        assert len(raw) == facts["uncompressedSize"] and len(json.loads(raw)) == facts["rowsCount"]
        assert requests.get(segment["ackUri"]).status_code == 200
        assert requests.get(segment["uri"]).status_code == 404, "acknowledged: gone"
    assert offset == 200_000


def test_unknown_encodings_are_declined(spooling):
    page = list(pages_plain(spooling, "SELECT 1", "arrow"))[-1]
    assert page["data"] == [[1]]


def pages_plain(platform, sql, encoding):
    headers = {"X-Trino-User": "admin", "X-Trino-Query-Data-Encoding": encoding}
    page = requests.post(platform.ready["sql"]["http"] + "/v1/statement", data=sql, headers=headers).json()
    while "nextUri" in page:
        page = requests.get(page["nextUri"], headers=headers).json()
        yield page


def test_a_cancelled_statement_leaves_nothing(spooling):
    before = spooled_bytes(spooling)
    cursor = connect(spooling).cursor()
    cursor.execute("SELECT * FROM tpch.sf10.lineitem")
    cursor.fetchone()
    cursor.cancel()
    end = time.monotonic() + 10
    while spooled_bytes(spooling) > before and time.monotonic() < end:
        time.sleep(0.05)
    assert spooled_bytes(spooling) <= before
