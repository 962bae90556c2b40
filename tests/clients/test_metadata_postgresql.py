"""The platform with its names in a real PostgreSQL: tables through pyiceberg and SQL, kill -9, a server that crashes."""
import shutil
import sys
import time
from pathlib import Path

import pyarrow
import pytest
import trino
from pyiceberg.catalog import load_catalog

from conftest import make_platform
import test_docs_sql
import test_readme
from test_console_api import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from postgresql import PostgreSQL  # noqa: E402


@pytest.fixture(scope="module")
def server():
    with PostgreSQL() as running:
        yield running


@pytest.fixture(scope="module")
def stored(server):
    platform = make_platform([f"metadata={server.uri}"])
    yield platform
    platform.stop()
    shutil.rmtree(platform.data.parent, ignore_errors=True)


def catalog_of(platform):
    store = platform.ready["s3"]
    return load_catalog("test", type="rest", uri=platform.ready["iceberg_rest"]["uri"], **{
        "s3.endpoint": store["endpoint"], "s3.region": store["region"],
        "s3.access-key-id": store["access_key"], "s3.secret-access-key": store["secret_key"]})


def sql(platform, text):
    host, port = platform.ready["sql"]["http"].removeprefix("http://").split(":")
    return trino.dbapi.connect(host=host, port=int(port), user="admin", catalog="iceberg",
                               max_attempts=1).cursor().execute(text).fetchall()


def test_tables_survive_kill(stored, server):
    catalog = catalog_of(stored)
    catalog.create_namespace("kept")
    rows = pyarrow.table({"id": [1, 2, 3], "name": ["a", "ä", None]})
    catalog.create_table("kept.t", rows.schema).append(rows)
    sql(stored, "INSERT INTO kept.t VALUES (4, 'sql')")
    assert server.query("SELECT count(*) FROM aichemy.relations") == "1"
    assert not (stored.data / "meta/meta.db").exists()
    stored.kill()
    stored.start()
    assert sorted(catalog_of(stored).load_table("kept.t").scan().to_arrow()["id"].to_pylist()) == [1, 2, 3, 4]
    assert sql(stored, "SELECT count(*), max(name) FROM kept.t") == [[4, "ä"]]


def test_two_platforms_need_two_schemas(stored, server):
    with pytest.raises(RuntimeError, match="another aichemy uses this metadata store"):
        make_platform([f"metadata={server.uri}"])
    second = make_platform([f"metadata={server.uri}", "metadata_schema=second"])
    try:
        assert catalog_of(second).list_namespaces() == []
    finally:
        second.stop()
        shutil.rmtree(second.data.parent, ignore_errors=True)


def test_server_crashes_and_returns(stored, server):
    sql(stored, "CREATE SCHEMA IF NOT EXISTS crash")
    sql(stored, "CREATE TABLE crash.t (id bigint)")
    acknowledged = 0
    for round_ in range(2):
        sql(stored, f"INSERT INTO crash.t VALUES ({acknowledged})")
        acknowledged += 1
        server.stop("immediate")
        began = time.monotonic()
        with pytest.raises(trino.exceptions.TrinoQueryError) as caught:
            sql(stored, "INSERT INTO crash.t VALUES (-1)")
        assert "metadata store" in caught.value.message and time.monotonic() - began < 15
        server.start()
        assert sql(stored, "SELECT id FROM crash.t ORDER BY id") == [[n] for n in range(acknowledged)]
    sql(stored, f"INSERT INTO crash.t VALUES ({acknowledged})")
    assert sql(stored, "SELECT count(*) FROM crash.t") == [[acknowledged + 1]]


def test_the_console_keeps_its_statements_and_its_trail(stored):
    session = Session(stored.ready["console"]["url"])
    kept = session.send("POST", "/saved-queries", {"name": "ü", "sql": "SELECT '%_\\'", "shared": True})
    session.send("PUT", f"/saved-queries/{kept['id']}", {"name": "ü", "sql": "SELECT 2", "version": 1})
    session.refused("POST", "/saved-queries", 409, "name_taken", {"name": "ü", "sql": "SELECT 1"})
    stored.kill()
    stored.start()
    session.base = stored.ready["console"]["url"]
    assert [(one["name"], one["sql"], one["version"]) for one in session.get("/saved-queries")["queries"]] == [("ü", "SELECT 2", 2)]
    operations = [line["operation"] for line in session.get("/admin/audit", search="aved")["lines"]]
    assert operations == ["saveQuery", "changeSavedQuery", "saveQuery"]
    session.refused("DELETE", "/saved-queries/nobody-s", 404, "no_such_saved_query")
    assert session.get("/admin/audit", limit=1)["lines"][0]["outcome"] == "no_such_saved_query"


def test_the_readme(stored):
    printed = test_readme.run_blocks(stored)
    test_readme.test_every_block_ran(printed)
    test_readme.test_what_they_print(printed)


@pytest.mark.parametrize("path", test_docs_sql.PAGES, ids=lambda path: path.stem)
def test_the_pages_about_sql(stored, path):
    test_docs_sql.walk(stored.ready, path)
