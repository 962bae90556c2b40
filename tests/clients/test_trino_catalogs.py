"""The catalogs memory and kafka through the trino Python client."""
import json
import shutil
import uuid

import pytest

from conftest import make_platform, wait_until

trino = pytest.importorskip("trino")
confluent = pytest.importorskip("confluent_kafka")


def connect(ready, catalog):
    host, port = ready["sql"]["http"].removeprefix("http://").rstrip("/").split(":")
    return trino.dbapi.connect(host=host, port=int(port), user="admin", catalog=catalog, schema="default")


def rows(connection, sql):
    return connection.cursor().execute(sql).fetchall()


# ---- memory --------------------------------------------------------------------------------------------------


@pytest.fixture
def memory(platform):
    with connect(platform, "memory") as made:
        yield made


def test_memory_tables(memory):
    rows(memory, "DROP SCHEMA IF EXISTS memory.m CASCADE")
    rows(memory, "CREATE SCHEMA memory.m")
    rows(memory, "CREATE TABLE memory.m.t (a tinyint, b smallint, r real, d decimal(20, 3), s varchar(5), x varbinary, u uuid, "
                 "t time(6), ts timestamp(3), z timestamp(6) with time zone, l array(row(k integer, v varchar)), m map(varchar, double))")
    rows(memory, """INSERT INTO memory.m.t VALUES (TINYINT '1', SMALLINT '2', REAL '1.5', DECIMAL '12.345', 'abc', X'00ff',
        UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59', TIME '01:02:03.123456', TIMESTAMP '2020-02-29 01:02:03.123',
        TIMESTAMP '2020-01-01 00:00:00 UTC', ARRAY[ROW(1, 'x')], MAP(ARRAY['k'], ARRAY[1.5e0]))""")
    rows(memory, "INSERT INTO memory.m.t (a) VALUES (TINYINT '9'), (NULL)")
    (row,) = rows(memory, "SELECT * FROM memory.m.t WHERE a = 1")
    assert row[:4] == [1, 2, 1.5, __import__("decimal").Decimal("12.345")] and row[4] == "abc" and row[5] == b"\x00\xff"
    assert str(row[6]) == "12151fd2-7586-11e9-8f9e-2a86e4085a59" and row[7].isoformat() == "01:02:03.123456"
    assert row[8].isoformat() == "2020-02-29T01:02:03.123000" and tuple(row[10][0]) == (1, "x") and row[11] == {"k": 1.5}
    assert rows(memory, "SELECT count(*), count(a), max(a) FROM memory.m.t") == [[3, 2, 9]]
    rows(memory, "CREATE TABLE memory.m.big AS SELECT * FROM tpch.tiny.lineitem")
    assert rows(memory, "SELECT count(*), sum(quantity) FROM memory.m.big") == rows(memory, "SELECT count(*), sum(quantity) FROM tpch.tiny.lineitem")
    rows(memory, "CREATE VIEW memory.m.v AS SELECT a FROM memory.m.t")
    assert rows(memory, "SELECT count(*) FROM memory.m.v") == [[3]]
    assert rows(memory, "SHOW TABLES FROM memory.m") == [["big"], ["t"], ["v"]]
    with pytest.raises(trino.exceptions.TrinoUserError, match="Schema not empty|SCHEMA_NOT_EMPTY"):
        rows(memory, "DROP SCHEMA memory.m")
    rows(memory, "DROP TABLE memory.m.big")
    with pytest.raises(trino.exceptions.TrinoUserError, match="does not exist"):
        rows(memory, "SELECT * FROM memory.m.big")
    with pytest.raises(trino.exceptions.TrinoQueryError, match="does not keep json"):
        rows(memory, "CREATE TABLE memory.m.j (j json)")
    rows(memory, "DROP SCHEMA memory.m CASCADE")


def test_memory_is_bounded_and_forgets():
    platform = make_platform(["sql.memory_catalog=4MB"])
    try:
        with connect(platform.ready, "memory") as made:
            rows(made, "CREATE TABLE memory.default.kept AS SELECT 1 AS a")
            with pytest.raises(trino.exceptions.TrinoQueryError) as full:
                rows(made, "CREATE TABLE memory.default.big AS SELECT * FROM tpch.sf1.orders")
            assert full.value.error_name == "EXCEEDED_LOCAL_MEMORY_LIMIT"
            assert rows(made, "SHOW TABLES FROM memory.default") == [["kept"]]
            # What was dropped, and what failed, makes room.
            for _ in range(8):
                rows(made, "CREATE TABLE memory.default.some AS SELECT orderkey, comment FROM tpch.tiny.orders")
                rows(made, "DROP TABLE memory.default.some")
        platform.stop()
        platform.start()
        with connect(platform.ready, "memory") as made:
            assert rows(made, "SHOW TABLES FROM memory.default") == []
    finally:
        platform.kill()
        shutil.rmtree(platform.data.parent, ignore_errors=True)


# ---- kafka ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    topic = f"Orders-{uuid.uuid4().hex[:8]}"
    (folder / "orders.json").write_text(json.dumps({
        "tableName": "orders", "schemaName": "shop", "topicName": topic,
        "message": {"dataFormat": "json", "fields": [
            {"name": "id", "mapping": "id", "type": "BIGINT"},
            {"name": "customer", "mapping": "Customer", "type": "VARCHAR"},
            {"name": "items", "mapping": "items", "type": "ARRAY(ROW(sku VARCHAR, n INTEGER))"}]}}))
    platform = make_platform([f"sql.kafka_tables={folder}", "events.default_partitions=3"])
    producer = confluent.Producer({"bootstrap.servers": platform.ready["events"]["bootstrap"], "linger.ms": 20})
    for i in range(3000):
        value = json.dumps({"id": i, "Customer": f"c{i % 7}", "items": [{"sku": "s", "n": i}]})
        producer.produce(topic, value, key=f"k{i}", partition=i % 3, timestamp=1_700_000_000_000 + i * 1000,
                         headers=[("trace", b"t%d" % i)] if i % 1000 == 0 else None)
    producer.produce(topic, "not json", partition=0, timestamp=1_700_003_000_000)
    assert producer.flush(30) == 0
    yield platform, topic.lower()
    platform.kill()
    shutil.rmtree(platform.data.parent, ignore_errors=True)


def test_topics_are_tables(events):
    platform, topic = events
    with connect(platform.ready, "kafka") as kafka:
        assert [topic] in rows(kafka, "SHOW TABLES FROM kafka.default") and rows(kafka, "SHOW TABLES FROM kafka.shop") == [["orders"]]
        assert [r[0] for r in rows(kafka, f'DESCRIBE "{topic}"')] == [
            "_partition_id", "_partition_offset", "_message_corrupt", "_message", "_headers", "_message_length", "_key_corrupt",
            "_key", "_key_length", "_timestamp"]
        assert rows(kafka, f'SELECT count(*), count(DISTINCT _key), min(_partition_offset), max(_partition_id) FROM "{topic}"') == [[3001, 3000, 0, 2]]
        (row,) = rows(kafka, f"SELECT _partition_id, _message, _key, _headers, _timestamp, _message_length FROM \"{topic}\" WHERE _key = 'k1000'")
        assert row[0] == 1 and json.loads(row[1])["id"] == 1000 and row[2] == "k1000" and row[3] == {"trace": [b"t1000"]}
        assert row[4].isoformat() == "2023-11-14T22:30:00" and row[5] == len(row[1])


def test_predicates_reach_the_log(events):
    """The answers are right, and only what is asked for is read."""
    platform, topic = events
    with connect(platform.ready, "kafka") as kafka:
        for condition, expected in {
            "_partition_id = 1 AND _partition_offset BETWEEN 10 AND 19": 10,
            "_partition_id IN (0, 2) AND _partition_offset < 5": 10,
            "_partition_offset >= 990": 31,
            "_timestamp >= TIMESTAMP '2023-11-14 23:00:00'": 3000 - 2800 + 1,
            "_timestamp < TIMESTAMP '2023-11-14 22:13:30'": 10,
            "_partition_id > 7": 0,
        }.items():
            cursor = kafka.cursor()
            got = cursor.execute(f'SELECT count(*) FROM "{topic}" WHERE {condition}').fetchall()
            assert got == [[expected]], condition


def test_declared_columns(events):
    platform, _ = events
    with connect(platform.ready, "kafka") as kafka:
        assert [r[0] for r in rows(kafka, "DESCRIBE kafka.shop.orders")] == ["id", "customer", "items"]
        assert rows(kafka, "SELECT count(*), count(id), sum(id), count_if(_message_corrupt) FROM kafka.shop.orders") == [[3001, 3000, 4498500, 1]]
        (row,) = rows(kafka, "SELECT * FROM kafka.shop.orders WHERE id = 8")
        assert row[:2] == [8, "c1"] and tuple(row[2][0]) == ("s", 8)
        assert rows(kafka, "SELECT customer, count(*) FROM kafka.shop.orders WHERE id IS NOT NULL GROUP BY 1 ORDER BY 1 LIMIT 1") == [["c0", 429]]
        with pytest.raises(trino.exceptions.TrinoQueryError) as refused:
            rows(kafka, "INSERT INTO kafka.shop.orders VALUES (1, 'x', NULL)")
        assert refused.value.error_name == "NOT_SUPPORTED"


def logged(connection, mark):
    """The query log's rows of statements with this mark, once there are some."""
    text = (f"SELECT user, state, query, error_code, output_rows, source, ended >= created FROM kafka.system.queries "
            f"WHERE query LIKE '%{mark}%' AND query NOT LIKE '%query_log%' AND query NOT LIKE '%system.queries%' ORDER BY created")
    return wait_until(lambda: rows(connection, text), f"{mark} in the query log")


def test_every_query_is_logged():
    platform = make_platform()
    try:
        with connect(platform.ready, "kafka") as kafka:
            assert rows(kafka, "SELECT 1 AS first_mark UNION ALL SELECT 2") and rows(kafka, "SHOW TABLES FROM kafka.system") == [["queries"]]
            with pytest.raises(trino.exceptions.TrinoUserError):
                rows(kafka, "SELECT first_mark FROM nowhere.a.b -- <img src=x>")
            user = kafka._client_session.user
            wait_until(lambda: len(logged(kafka, "first_mark")) == 2, "both")
            ended, failed = logged(kafka, "first_mark")
            assert ended == [user, "FINISHED", "SELECT 1 AS first_mark UNION ALL SELECT 2", None, 2, ended[5], True]
            assert failed[1] == "FAILED" and failed[3] == "CATALOG_NOT_FOUND"
            assert rows(kafka, "SELECT 3 AS last_mark") == [[3]]
        assert platform.stop() == 0
        platform.start()
        with connect(platform.ready, "kafka") as kafka:
            assert len(logged(kafka, "first_mark")) == 2, "it lasts"
            assert len(logged(kafka, "last_mark")) == 1, "and ends with the last one"
            consumer = confluent.Consumer({"bootstrap.servers": platform.ready["events"]["bootstrap"], "group.id": "log",
                                           "auto.offset.reset": "earliest"})
            consumer.subscribe(["__query_log"])
            message = wait_until(lambda: consumer.poll(1.0), "a record")
            consumer.close()
            assert json.loads(message.value())["query_id"] == message.key().decode()
    finally:
        platform.kill()
        shutil.rmtree(platform.data.parent, ignore_errors=True)
