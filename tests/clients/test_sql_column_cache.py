"""Tables that are read often are read from memory: the rows must be those of the files, whatever happens meanwhile."""
import re
import shutil
import threading
import urllib.request

import pytest
import trino

from conftest import make_platform, wait_until


def metric(ready, name):
    text = urllib.request.urlopen(ready["metrics"]["url"], timeout=10).read().decode()
    return int(re.search(rf"^aichemy_sql_column_cache_{name} (\d+)$", text, re.MULTILINE).group(1))


class Client:
    def __init__(self, platform):
        self.ready = platform.ready
        host, port = self.ready["sql"]["http"].removeprefix("http://").split(":")
        self.cursor = trino.dbapi.connect(host=host, port=int(port), user="admin", catalog="iceberg", schema="kept").cursor()

    def run(self, sql):
        return self.cursor.execute(sql).fetchall()

    def until_served(self, sql):
        """Reads it until the answer comes from memory; every answer is the same."""
        first = sorted(map(repr, self.run(sql)))  # a NaN equals itself

        def served():
            before = metric(self.ready, "served_total")
            answer = self.run(sql)
            assert sorted(map(repr, answer)) == first
            return answer if metric(self.ready, "served_total") > before else None

        return wait_until(served, f"{sql}: was never answered from memory")


@pytest.fixture(scope="module")
def client():
    platform = make_platform()
    made = Client(platform)
    made.run("CREATE SCHEMA iceberg.kept")
    yield made
    assert platform.stop() == 0
    shutil.rmtree(platform.data.parent, ignore_errors=True)


def test_every_type_is_as_in_the_files(client):
    client.run("""CREATE TABLE types AS SELECT * FROM (VALUES
        (true, 1, BIGINT '-9223372036854775808', REAL '1.5', DOUBLE 'NaN', CAST('12345678901234567890.12' AS decimal(38, 2)),
         'ä', X'00ff', DATE '0001-01-01', TIME '12:34:56.123456', TIMESTAMP '2024-01-01 00:00:00.123456',
         TIMESTAMP '2024-06-01 12:00:00.000000 UTC', UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59',
         ARRAY[CAST(ROW(1, 'a') AS row(x integer, y varchar)), NULL], MAP(ARRAY['k'], ARRAY[ARRAY[1.5]]), CAST(ROW(1, NULL) AS row(x integer, y varchar))),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL))
        AS t (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)""")
    assert len(client.until_served("SELECT * FROM types")) == 2
    assert client.run("SELECT p.x, n[1].y, cardinality(o['k']), length(h) FROM types WHERE a") == [[1, "a", 1, 2]]


def test_changes_are_seen_at_once(client):
    client.run("CREATE TABLE changing (id bigint, v varchar) WITH (format_version = 2)")
    client.run("INSERT INTO changing SELECT n, CAST(n AS varchar) FROM UNNEST(sequence(1, 1000)) AS s(n)")
    look = "SELECT count(v), sum(id) FROM changing"
    assert client.until_served(look) == [[1000, 500500]]
    version = client.run('SELECT snapshot_id FROM "changing$snapshots" ORDER BY committed_at DESC LIMIT 1')[0][0]
    for change, expected in [("INSERT INTO changing VALUES (1001, 'x')", [1001, 501501]),
                             ("DELETE FROM changing WHERE id <= 10", [991, 501446]),
                             ("UPDATE changing SET id = 0 WHERE id = 1001", [991, 500445]),
                             ("ALTER TABLE changing EXECUTE optimize", [991, 500445])]:
        client.run(change)
        assert client.until_served(look) == [expected], change
    for _ in range(3):
        assert client.run(f"SELECT count(v), sum(id) FROM changing FOR VERSION AS OF {version}") == [[1000, 500500]]
        assert client.run(look) == [[991, 500445]]
    client.run("TRUNCATE TABLE changing")
    assert client.run(look) == [[0, None]]


def test_columns_are_told_apart_by_the_schema(client):
    client.run("CREATE TABLE shape AS SELECT 1 AS a, 2 AS b, 3 AS c")
    assert client.until_served("SELECT b, c FROM shape") == [[2, 3]]
    client.run("ALTER TABLE shape DROP COLUMN a")
    assert client.until_served("SELECT b, c FROM shape") == [[2, 3]]
    client.run("ALTER TABLE shape RENAME COLUMN b TO d")
    client.run("ALTER TABLE shape ADD COLUMN b integer")
    assert client.until_served("SELECT b, c, d FROM shape") == [[None, 3, 2]]
    client.run("DROP TABLE shape")
    client.run("CREATE TABLE shape AS SELECT 10 AS d, 20 AS c, 30 AS b")
    assert client.until_served("SELECT b, c, d FROM shape") == [[30, 20, 10]]


def test_one_file_under_two_names_goes_two_ways(client):
    client.run("CREATE TABLE first AS SELECT 1 AS a, 2 AS b, 3 AS c")
    location = client.run('SELECT file FROM "first$metadata_log_entries" ORDER BY timestamp DESC LIMIT 1')[0][0]
    folder, file = location.rsplit("/metadata/", 1)
    client.run(f"CALL iceberg.system.register_table('kept', 'second', '{folder}', '{file}')")
    client.run("ALTER TABLE first DROP COLUMN a")
    client.run("ALTER TABLE second DROP COLUMN b")
    assert client.until_served("SELECT * FROM first") == [[2, 3]]
    assert client.until_served("SELECT * FROM second") == [[1, 3]]
    client.run("ALTER TABLE first DROP COLUMN b")
    client.run("ALTER TABLE first ADD COLUMN b varchar")
    assert client.until_served("SELECT * FROM first") == [[3, None]]
    client.run("CALL iceberg.system.unregister_table('kept', 'second')")


def test_hidden_columns_and_changes_read_the_files(client):
    client.run("CREATE TABLE hidden AS SELECT n FROM UNNEST(sequence(1, 10)) AS s(n)")
    client.until_served("SELECT sum(n) FROM hidden")
    assert client.run('SELECT count(DISTINCT "$path"), sum(n) FROM hidden') == [[1, 55]]
    client.run("MERGE INTO hidden t USING (VALUES 5, 50) AS s(n) ON t.n = s.n WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.n)")
    assert client.run("SELECT sum(n) FROM hidden") == [[100]]


def test_plans_name_the_table(client):
    client.run("CREATE TABLE planned AS SELECT n, n % 3 AS k FROM UNNEST(sequence(1, 1000)) AS s(n)")
    client.until_served("SELECT k, count(n) FROM planned GROUP BY k")
    for explain in ("EXPLAIN", "EXPLAIN ANALYZE"):
        plan = client.run(f"{explain} SELECT k, count(n) FROM planned GROUP BY k")[0][0]
        assert "iceberg:kept:planned" in plan and "columns_" not in plan, plan


def test_readers_beside_a_writer_see_whole_commits(client):
    client.run("CREATE TABLE pairs (id bigint, amount bigint)")
    client.run("INSERT INTO pairs VALUES (0, 5), (0, -5)")
    problems, done = [], threading.Event()

    def read():
        mine = Client(type("Platform", (), {"ready": client.ready}))
        while not done.is_set():
            total, rows = mine.run("SELECT sum(amount), count(*) FROM pairs")[0]
            if total != 0 or rows % 2:
                problems.append((total, rows))
            if mine.run("SELECT count(*) FROM pairs a JOIN pairs b ON a.id = b.id AND a.amount = -b.amount")[0][0] % 2:
                problems.append("join")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for i in range(1, 21):
            client.run(f"INSERT INTO pairs VALUES ({i}, {i}), ({i}, -{i})")
            for _ in range(4):
                client.run("SELECT sum(amount) FROM pairs")
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert problems == []
    assert client.until_served("SELECT sum(amount), count(amount) FROM pairs") == [[0, 42]]


def test_without_a_cache_files_are_read():
    platform = make_platform(("sql.column_cache=0",))
    try:
        plain = Client(platform)
        plain.run("CREATE SCHEMA iceberg.kept")
        plain.run("CREATE TABLE t AS SELECT 1 AS a")
        for _ in range(5):
            assert plain.run("SELECT a FROM t") == [[1]]
        text = urllib.request.urlopen(plain.ready["metrics"]["url"], timeout=10).read().decode()
        assert "column_cache" not in text
    finally:
        assert platform.stop() == 0
        shutil.rmtree(platform.data.parent, ignore_errors=True)
