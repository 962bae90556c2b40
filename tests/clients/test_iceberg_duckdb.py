"""DuckDB's iceberg extension against the REST catalog: it commits through /v1/transactions/commit and deletes by
position delete files, which our SQL must honour.

Needs: pip install duckdb==1.4.4 duckdb-ext-{httpfs,avro,iceberg}==1.4.4.20260205 (skipped without)
"""
import uuid
from pathlib import Path

import pytest

duckdb = pytest.importorskip("duckdb")
extensions = pytest.importorskip("duckdb_ext")


@pytest.fixture
def connection(platform):
    folder = Path(next(iter(extensions.__path__))) / "extensions"
    connection = duckdb.connect(config={"extension_directory": str(folder),
                                        "autoinstall_known_extensions": "false"})
    for name in ("httpfs", "avro", "iceberg"):
        connection.execute(f"LOAD {name}")
    s3 = platform["s3"]
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{s3['access_key']}', SECRET '{s3['secret_key']}', "
        f"ENDPOINT '{s3['endpoint'].removeprefix('http://')}', USE_SSL false, URL_STYLE 'path', "
        f"REGION '{s3['region']}')")
    connection.execute(f"ATTACH '' AS ice (TYPE iceberg, ENDPOINT '{platform['iceberg_rest']['uri']}', "
                       "AUTHORIZATION_TYPE 'none')")
    return connection


def test_create_insert_delete(connection, running):
    schema = "duck_" + uuid.uuid4().hex[:12]
    connection.execute(f"CREATE SCHEMA ice.{schema}")
    connection.execute(f"CREATE TABLE ice.{schema}.t (id BIGINT, name VARCHAR)")
    connection.execute(f"INSERT INTO ice.{schema}.t VALUES (1, 'a'), (2, 'b')")
    connection.execute(f"INSERT INTO ice.{schema}.t SELECT range, 'x' FROM range(100)")
    connection.execute(f"DELETE FROM ice.{schema}.t WHERE id = 5")
    assert connection.execute(f"SELECT count(*), sum(id) FROM ice.{schema}.t").fetchall() == [(101, 4948)]
    ours = running.run("sql", "-e", f"SELECT count(*), sum(id) FROM iceberg.{schema}.t",
                       "--server", running.ready["sql"]["http"])
    assert "101" in ours.stdout and "4948" in ours.stdout, ours.stdout + ours.stderr
    connection.execute(f"DROP TABLE ice.{schema}.t")
    connection.execute(f"DROP SCHEMA ice.{schema}")
