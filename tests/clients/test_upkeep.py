"""Upkeep in the background: small files become few while others write, and a plug that is pulled loses nothing."""
import json
import shutil
import threading
import urllib.request

import boto3
import pytest
from conftest import make_platform
from test_jobs import SOURCE, ask, connect, make_table, produce, submit, wait_until

FAST = ["upkeep.interval=20ms", "upkeep.bytes_per_second=1GB"]
ON = "WITH (extra_properties = MAP(ARRAY['aichemy.upkeep.enabled'], ARRAY['true']))"


@pytest.fixture
def busy():
    """A platform whose upkeep looks at its tables all the time."""
    platform = make_platform(FAST)
    yield platform
    if platform.process.poll() is None:
        platform.kill()
    shutil.rmtree(platform.data.parent, ignore_errors=True)


def status(ready):
    with urllib.request.urlopen(ready["metrics"]["url"].replace("/metrics", "/status"), timeout=10) as answer:
        return json.load(answer)["upkeep"]


def files(ready, table):
    schema, name = table.split(".")
    return ask(ready, f'SELECT count(*) FROM {schema}."{name}$files"')[0][0]


def test_small_files_become_few(busy):
    ready = busy.ready
    ask(ready, "CREATE SCHEMA u")
    ask(ready, f"CREATE TABLE u.t (id bigint, name varchar) {ON}")
    ask(ready, "CREATE TABLE u.left_alone (id bigint)")
    for i in range(8):
        ask(ready, f"INSERT INTO u.t VALUES ({i}, 'n{i}')")
        ask(ready, f"INSERT INTO u.left_alone VALUES ({i})")
    ask(ready, "CREATE MATERIALIZED VIEW u.kept AS SELECT count(*) AS n FROM u.t")
    ask(ready, "REFRESH MATERIALIZED VIEW u.kept")
    wait_until(lambda: files(ready, "u.t") < 5)
    assert ask(ready, "SELECT count(*), sum(id), min(name), max(name) FROM u.t") == [[8, 28, "n0", "n7"]]
    assert files(ready, "u.left_alone") == 8
    # The same rows in other files: what was computed from them is still so.
    assert ask(ready, "SELECT freshness FROM system.metadata.materialized_views WHERE name = 'kept'") == [["FRESH"]]
    wait_until(lambda: status(ready)["tables"] == 1)
    assert "upkeep: 1 tables, " in busy.run("status").stdout
    with urllib.request.urlopen(ready["metrics"]["url"], timeout=10) as answer:
        text = answer.read().decode()
    assert "aichemy_upkeep_tables 1" in text and "aichemy_upkeep_files_rewritten_total" in text
    ask(ready, "ALTER TABLE u.t SET PROPERTIES extra_properties = MAP(ARRAY['aichemy.upkeep.enabled'], ARRAY['false'])")
    before = files(ready, "u.t")
    for i in range(6):
        ask(ready, f"INSERT INTO u.t VALUES ({i}, 'late')")
    passes = status(ready)["passes"]
    wait_until(lambda: status(ready)["passes"] > passes + 3)
    assert files(ready, "u.t") == before + 6
    assert busy.stop() == 0


def test_what_jobs_write_is_looked_after_without_being_told(busy):
    ready = busy.ready
    make_table(ready, "jobs_u")
    assert submit(busy, SOURCE.format(topic="upkeep", schema="jobs_u")).returncode == 0
    sent = 0

    def rewritten():
        nonlocal sent
        produce(ready, "upkeep", [{"id": sent}])
        sent += 1
        wait_until(lambda: ask(ready, "SELECT count(*) FROM jobs_u.target") == [[sent]])
        return status(ready)["rewritten_files"] > 0

    wait_until(rewritten, 60)
    assert ask(ready, "SELECT count(*), count(DISTINCT id) FROM jobs_u.target") == [[sent, sent]]


def test_writers_win(busy):
    """Statements that change the very rows that upkeep rewrites: none of them fails, nothing is lost or doubled."""
    ready = busy.ready
    ask(ready, "CREATE SCHEMA u")
    ask(ready, f"CREATE TABLE u.t (id bigint, n bigint) {ON}")
    for i in range(6):
        ask(ready, f"INSERT INTO u.t SELECT {i} * 100 + x, 0 FROM UNNEST(sequence(0, 99)) AS s(x)")
    failures = []

    def change(worker):
        try:
            for i in range(12):
                ask(ready, f"UPDATE u.t SET n = n + 1 WHERE id % 3 = {worker}")
                ask(ready, f"INSERT INTO u.t VALUES ({10_000 + worker * 100 + i}, -1)")
        except Exception as failure:  # noqa: BLE001: shown below
            failures.append(failure)

    threads = [threading.Thread(target=change, args=(worker,)) for worker in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    wait_until(lambda: status(ready)["rewritten_files"] > 0)
    rows = ask(ready, "SELECT id % 3, count(*), min(n), max(n) FROM u.t WHERE id < 10000 GROUP BY 1 ORDER BY 1")
    assert rows == [[0, 200, 12, 12], [1, 200, 12, 12], [2, 200, 0, 0]]
    assert ask(ready, "SELECT count(*), count(DISTINCT id) FROM u.t WHERE id >= 10000") == [[24, 24]]


def objects(ready, location):
    s3 = ready["s3"]
    client = boto3.client("s3", endpoint_url=s3["endpoint"], aws_access_key_id=s3["access_key"],
                          aws_secret_access_key=s3["secret_key"], region_name=s3["region"])
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {f"s3://{bucket}/{item['Key']}" for page in pages for item in page.get("Contents", [])}


def test_a_plug_pulled_in_between_leaves_orphans_at_most(busy):
    ask(busy.ready, "CREATE SCHEMA u")
    ask(busy.ready, f"CREATE TABLE u.t (id bigint, text varchar) {ON}")
    acknowledged = 0
    for round_ in range(6):
        ready = busy.ready
        before = status(ready)["rewritten_files"]
        while status(ready)["rewritten_files"] == before or acknowledged % 7 != round_:
            ask(ready, f"INSERT INTO u.t SELECT {acknowledged}, CAST(x AS varchar) FROM UNNEST(sequence(1, 500)) AS s(x)")
            acknowledged += 1
        busy.kill()  # upkeep has been running and mostly is
        busy.start()
        got = ask(busy.ready, "SELECT count(*), count(DISTINCT id), count(DISTINCT (id, text)) FROM u.t")
        assert got == [[acknowledged * 500, acknowledged, acknowledged * 500]]
    ready = busy.ready
    ask(ready, "ALTER TABLE u.t SET PROPERTIES extra_properties = MAP(ARRAY['aichemy.upkeep.enabled'], ARRAY['false'])")
    passes = status(ready)["passes"]
    wait_until(lambda: status(ready)["passes"] > passes + 1)  # what was under way is over
    cursor = connect(ready).cursor()
    for statement in ("SET SESSION iceberg.expire_snapshots_min_retention = '0s'",
                      "SET SESSION iceberg.remove_orphan_files_min_retention = '0s'",
                      "ALTER TABLE u.t EXECUTE expire_snapshots(retention_threshold => '0s')",
                      "ALTER TABLE u.t EXECUTE remove_orphan_files(retention_threshold => '0s')"):
        cursor.execute(statement)
        cursor.fetchall()
    named = {row[0] for row in ask(ready, 'SELECT file_path FROM u."t$files"')}
    location = next(iter(named)).rpartition("/")[0] + "/"
    assert objects(ready, location) == named
    assert ask(ready, "SELECT count(*) FROM u.t") == [[acknowledged * 500]]
