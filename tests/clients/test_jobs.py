"""The whole flow: events in by Kafka clients, a job, an Iceberg table, SQL; and what happens to bad records."""
import json
import uuid

import pytest
from conftest import ROOT, wait_until

trino = pytest.importorskip("trino")
confluent_kafka = pytest.importorskip("confluent_kafka")
pytest.importorskip("confluent_kafka.admin")


def connect(ready):
    host, port = ready["sql"]["https"].removeprefix("https://").rstrip("/").split(":")
    return trino.dbapi.connect(
        host=host, port=int(port), user=ready["sql"]["user"], http_scheme="https", verify=False, catalog="iceberg",
        auth=trino.auth.BasicAuthentication(ready["sql"]["user"], ready["sql"]["password"]))


def ask(ready, sql):
    cursor = connect(ready).cursor()
    cursor.execute(sql)
    return cursor.fetchall()


def produce(ready, topic, values):
    producer = confluent_kafka.Producer({"bootstrap.servers": ready["events"]["bootstrap"], "linger.ms": 5})
    for value in values:
        producer.produce(topic, value if isinstance(value, bytes) else json.dumps(value).encode())
        producer.poll(0)
    assert producer.flush(30) == 0


def submit(running, script):
    path = running.data.parent / f"{uuid.uuid4().hex}.sql"
    path.write_text(script)
    return running.run("job", "submit", str(path))


@pytest.fixture
def names():
    suffix = uuid.uuid4().hex[:10]
    return f"topic-{suffix}", f"s_{suffix}"


SOURCE = """
CREATE TABLE events (
  id BIGINT NOT NULL, name STRING, price DECIMAL(10, 2), at TIMESTAMP(3), tags ARRAY<STRING>,
  `offset` BIGINT METADATA
) WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
INSERT INTO iceberg.{schema}.target SELECT id, upper(name), price, at, tags, "offset" FROM events WHERE id >= 0;
"""


def make_table(ready, schema):
    ask(ready, f"CREATE SCHEMA {schema}")
    ask(ready, f"CREATE TABLE {schema}.target (id bigint, name varchar, price decimal(10, 2), at timestamp(6), "
               "tags array(varchar), event_offset bigint)")


def test_events_become_rows_and_bad_ones_dead_letters(running, names):
    topic, schema = names
    ready = running.ready
    make_table(ready, schema)
    outcome = submit(running, SOURCE.format(topic=topic, schema=schema))
    assert outcome.returncode == 0, outcome.stderr
    good = [{"id": i, "name": f"n{i}", "price": "1.50", "at": "2024-01-02 03:04:05.678", "tags": ["a", None], "more": {}}
            for i in range(500)]
    bad = [b"not json", b'{"id": "x"}', b'{"name": "no id"}', b'{"id": 1} trailing', b'{"id": 1, "price": "dear"}']
    filtered = [{"id": -1}]
    produce(ready, topic, good + bad + filtered)
    wait_until(lambda: ask(ready, f"SELECT count(*) FROM {schema}.target") == [[500]])
    rows = ask(ready, f"SELECT id, name, price, at, tags, event_offset FROM {schema}.target WHERE id = 7")
    assert str(rows[0][2]) == "1.50"
    assert rows[0][:2] == [7, "N7"] and rows[0][4] == ["a", None] and rows[0][5] == 7
    dead = wait_until(lambda: ask(ready, f'SELECT "offset", from_utf8(value), error FROM {schema}.target_dead_letter '
                                         'ORDER BY "offset"'))
    assert [row[0] for row in dead] == [500, 501, 502, 503, 504]
    assert dead[0][1] == "not json"
    assert "id" in dead[1][2] and "NOT NULL" in dead[2][2] and "price" in dead[4][2]


def test_pause_resume_stop(running, names):
    topic, schema = names
    ready = running.ready
    make_table(ready, schema)
    outcome = submit(running, SOURCE.format(topic=topic, schema=schema))
    assert outcome.returncode == 0, outcome.stderr
    name = f"events -> iceberg.{schema}.target"
    produce(ready, topic, [{"id": 1}])
    wait_until(lambda: ask(ready, f"SELECT count(*) FROM {schema}.target") == [[1]])
    assert "PAUSED" in running.run("job", "pause", name).stdout
    produce(ready, topic, [{"id": 2}])
    assert "RUNNING" in running.run("job", "resume", name).stdout
    wait_until(lambda: ask(ready, f"SELECT count(*) FROM {schema}.target") == [[2]])
    assert "STOPPED" in running.run("job", "stop", name).stdout
    assert running.run("job", "resume", name).returncode == 1


@pytest.mark.parametrize("query, message", [
    ("SELECT count(*) FROM events", "an aggregate"),
    ("SELECT id FROM events GROUP BY id", "GROUP BY"),
    ("SELECT DISTINCT id FROM events", "DISTINCT"),
    ("SELECT id FROM events ORDER BY id", "ORDER BY"),
    ("SELECT id FROM events LIMIT 1", "LIMIT"),
    ("SELECT e.id FROM events e JOIN events f ON e.id = f.id", "more than its one source"),
    ("SELECT nothing FROM events", "nothing"),
    ("SELECT name FROM events", "bigint"),
])
def test_what_a_job_cannot_do_is_refused_by_name(running, names, query, message):
    topic, schema = names
    ask(running.ready, f"CREATE SCHEMA {schema}")
    ask(running.ready, f"CREATE TABLE {schema}.target (id bigint)")
    script = SOURCE.format(topic=topic, schema=schema).split("INSERT")[0] + f"INSERT INTO iceberg.{schema}.target {query};"
    outcome = submit(running, script)
    assert outcome.returncode != 0
    assert message in outcome.stderr


def test_a_topic_made_anew_is_read_from_its_beginning(running, names):
    topic, schema = names
    ask(running.ready, f"CREATE SCHEMA {schema}")
    ask(running.ready, f"CREATE TABLE {schema}.target (id bigint)")
    produce(running.ready, topic, [{"id": number} for number in range(20)])
    script = f"""CREATE TABLE events (id BIGINT) WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = 'json',
      'scan.startup.mode' = 'earliest-offset');
    INSERT INTO iceberg.{schema}.target SELECT id FROM events;"""
    assert submit(running, script).returncode == 0
    count = f"SELECT count(*), max(id) FROM {schema}.target"
    wait_until(lambda: ask(running.ready, count) == [[20, 19]])
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": running.ready["events"]["bootstrap"]})
    admin.delete_topics([topic])[topic].result(10)
    produce(running.ready, topic, [{"id": 100 + number} for number in range(5)])  # fewer than had been read
    wait_until(lambda: ask(running.ready, count) == [[25, 104]])


def test_exactly_once_across_kill(own_platform, names):
    topic, schema = names
    make_table(own_platform.ready, schema)
    outcome = submit(own_platform, SOURCE.format(topic=topic, schema=schema))
    assert outcome.returncode == 0, outcome.stderr
    sent = 0
    for _ in range(4):
        produce(own_platform.ready, topic, [{"id": sent + i} for i in range(2000)])
        sent += 2000
        own_platform.kill()
        own_platform.start()
    ready = own_platform.ready
    wait_until(lambda: ask(ready, f"SELECT count(*) FROM {schema}.target")[0][0] >= sent)
    assert ask(ready, f"SELECT count(*), count(DISTINCT id), min(id), max(id) FROM {schema}.target") == [
        [sent, sent, 0, sent - 1]]


def test_tour(own_platform):
    sample = own_platform.data.parent / "packages.txt"
    sample.write_text("".join(
        f"Package: p{i}\nVersion: {i}\nSection: {'net' if i % 3 else 'python'}\nArchitecture: amd64\nMaintainer: M{i % 5}\n"
        f"Installed-Size: {i}\nSize: {i * 10}\nDepends: p{(i * 7) % 300} (>= 1), p0 | p1\nDescription: package {i}\n\n"
        for i in range(300)))
    for _ in range(2):
        outcome = own_platform.run("tour", "--data", str(own_platform.data), "--sample", str(sample))
        assert outcome.returncode == 0, outcome.stderr
        assert "300 packages became events" in outcome.stdout
        assert "p0  301" in outcome.stdout


def test_tour_of_the_sample_in_the_repository(own_platform):
    sample = ROOT / "tests/data/packages.txt"
    outcome = own_platform.run("tour", "--data", str(own_platform.data), "--sample", str(sample))
    assert outcome.returncode == 0, outcome.stderr
    assert "560 packages became events" in outcome.stdout and "libc6  186" in outcome.stdout
