"""Kafka clients against the running platform: kafka-python, confluent-kafka (librdkafka) and kcat.

Needs only `platform["events"]["bootstrap"]`. Topics have names of their own, so a run can be repeated.
"""

import shutil
import socket
import struct
import subprocess
import threading
import time
import uuid

import pytest

confluent = pytest.importorskip("confluent_kafka")
kafka = pytest.importorskip("kafka")

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import (  # noqa: E402
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, ResourceType)

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


@pytest.fixture(scope="session")
def bootstrap(platform):
    return platform["events"]["bootstrap"]


@pytest.fixture
def admin(bootstrap):
    return AdminClient({"bootstrap.servers": bootstrap})


def finish(futures):
    return {key: future.result(20) for key, future in futures.items()}


@pytest.fixture
def topic(admin):
    name = f"t-{uuid.uuid4().hex[:12]}"
    finish(admin.create_topics([NewTopic(name, 3, 2)]))
    yield name
    finish(admin.delete_topics([name]))


def consumer(bootstrap, group, **settings):
    return Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                     "enable.auto.commit": False, "session.timeout.ms": 6000, **settings})


def take(source, count, seconds=20):
    records = []
    end = time.time() + seconds
    while len(records) < count and time.time() < end:
        for message in source.consume(count - len(records), 0.5):
            assert message.error() is None, message.error()
            records.append(message)
    return records


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("idempotent", [False, True])
def test_librdkafka_round_trip(bootstrap, topic, codec, idempotent):
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": codec, "acks": "all",
                         "enable.idempotence": idempotent, "linger.ms": 5})
    failures = []
    for i in range(2000):
        producer.produce(topic, key=f"k{i}", value=f"value {i}" * 10, headers={"i": str(i)},
                         on_delivery=lambda error, _: error and failures.append(error))
        producer.poll(0)
    assert producer.flush(20) == 0
    assert failures == []
    source = consumer(bootstrap, f"g-{topic}-{codec}-{idempotent}")
    source.subscribe([topic])
    records = take(source, 2000)
    assert sorted(int(r.key()[1:]) for r in records) == list(range(2000))
    assert records[0].headers()[0][0] == "i"
    source.close()


@pytest.mark.parametrize("codec", CODECS)
def test_kafka_python_round_trip(bootstrap, topic, codec):
    producer = kafka.KafkaProducer(bootstrap_servers=bootstrap, acks="all",
                                   compression_type=None if codec == "none" else codec)
    sent = [producer.send(topic, key=str(i).encode(), value=b"x" * 100, headers=[("h", b"1")]) for i in range(500)]
    producer.flush(20)
    assert len({(f.get(10).partition, f.get(10).offset) for f in sent}) == 500
    source = kafka.KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=f"gp-{topic}", auto_offset_reset="earliest",
                                 consumer_timeout_ms=15000)
    got = []
    for record in source:
        got.append(int(record.key))
        if len(got) == 500:
            break
    assert sorted(got) == list(range(500))
    source.commit()
    source.close()
    producer.close()


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed")
@pytest.mark.parametrize("codec", CODECS)
def test_kcat(bootstrap, topic, codec):
    lines = "".join(f"line {i}\n" for i in range(1000))
    subprocess.run(["kcat", "-b", bootstrap, "-t", topic, "-P", "-z", codec], input=lines.encode(), check=True, timeout=30)
    out = subprocess.run(["kcat", "-b", bootstrap, "-t", topic, "-C", "-e", "-q", "-o", "beginning"], check=True,
                         capture_output=True, timeout=30).stdout.decode()
    assert sorted(out.splitlines()) == sorted(lines.splitlines())


def test_auto_create(bootstrap, admin):
    name = f"auto-{uuid.uuid4().hex[:12]}"
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(name, b"first")
    assert producer.flush(20) == 0
    assert name in admin.list_topics(timeout=10).topics
    finish(admin.delete_topics([name]))


def test_group_rebalances_and_keeps_offsets(bootstrap, topic):
    producer = Producer({"bootstrap.servers": bootstrap})
    for i in range(300):
        producer.produce(topic, str(i), partition=i % 3)
    producer.flush(20)
    group = f"g-{topic}"
    first = consumer(bootstrap, group)
    first.subscribe([topic])
    assert len(take(first, 300)) == 300
    first.commit(asynchronous=False)
    assert len(first.assignment()) == 3
    second = consumer(bootstrap, group)
    second.subscribe([topic])
    end = time.time() + 30
    while time.time() < end and not (second.assignment() and len(first.assignment()) < 3):
        first.consume(1, 0.2)
        second.consume(1, 0.2)
    assert sorted(p.partition for p in first.assignment() + second.assignment()) == [0, 1, 2]
    second.close()
    end = time.time() + 30
    while time.time() < end and len(first.assignment()) < 3:
        first.consume(1, 0.2)
    assert len(first.assignment()) == 3
    first.close()
    third = consumer(bootstrap, group)
    third.subscribe([topic])
    assert take(third, 1, seconds=3) == []  # everything was committed
    third.close()


def test_static_member_restarts_without_a_rebalance(bootstrap, topic):
    group = f"g-{topic}"
    rebalances = []
    other = consumer(bootstrap, group, **{"group.instance.id": "one", "session.timeout.ms": 30000})
    other.subscribe([topic], on_assign=lambda _, parts: rebalances.append(parts))
    end = time.time() + 20
    while not rebalances and time.time() < end:
        other.consume(1, 0.2)
    restarting = consumer(bootstrap, group, **{"group.instance.id": "two", "session.timeout.ms": 30000})
    restarting.subscribe([topic])
    end = time.time() + 20
    while time.time() < end and not (len(rebalances) == 2 and restarting.assignment()):
        other.consume(1, 0.2)
        restarting.consume(1, 0.2)
    mine = sorted(p.partition for p in restarting.assignment())
    restarting.close()  # a static member does not leave
    again = consumer(bootstrap, group, **{"group.instance.id": "two", "session.timeout.ms": 30000})
    again.subscribe([topic])
    end = time.time() + 20
    while time.time() < end and not again.assignment():
        other.consume(1, 0.2)
        again.consume(1, 0.2)
    assert sorted(p.partition for p in again.assignment()) == mine
    assert len(rebalances) == 2
    again.close()
    other.close()


def test_offsets_for_times_and_watermarks(bootstrap, topic):
    producer = Producer({"bootstrap.servers": bootstrap})
    for i in range(100):
        producer.produce(topic, str(i), partition=0, timestamp=1_700_000_000_000 + i * 1000)
    producer.flush(20)
    source = consumer(bootstrap, f"g-{topic}")
    assert source.get_watermark_offsets(TopicPartition(topic, 0), timeout=10) == (0, 100)
    found = source.offsets_for_times([TopicPartition(topic, 0, 1_700_000_000_000 + 41_500)], timeout=10)
    assert found[0].offset == 42
    beyond = source.offsets_for_times([TopicPartition(topic, 0, 1_800_000_000_000)], timeout=10)
    assert beyond[0].offset in (-1, 100)
    source.close()


def test_admin(bootstrap, admin, topic):
    finish(admin.create_partitions([NewPartitions(topic, 5)]))
    described = admin.list_topics(topic, timeout=10).topics[topic]
    assert len(described.partitions) == 5
    assert all(len(p.replicas) == 2 and len(p.isrs) == 2 for p in described.partitions.values())
    resource = ConfigResource(ResourceType.TOPIC, topic)
    resource.add_incremental_config(ConfigEntry("retention.ms", "123456", incremental_operation=AlterConfigOpType.SET))
    finish(admin.incremental_alter_configs([resource]))
    config = list(finish(admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)])).values())[0]
    assert config["retention.ms"].value == "123456"
    assert config["flush.mode"].value == "strict"
    with pytest.raises(KafkaException) as error:
        finish(admin.create_topics([NewTopic(topic, 1, 1)]))
    assert error.value.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
    with pytest.raises(KafkaException) as error:
        finish(admin.create_topics([NewTopic(topic + "x", 1, 3)]))
    assert error.value.args[0].code() == KafkaError.INVALID_REPLICATION_FACTOR
    assert len(admin.describe_cluster().result(10).nodes) == 2


def test_delete_records_and_groups(bootstrap, admin, topic):
    producer = Producer({"bootstrap.servers": bootstrap})
    for i in range(10):
        producer.produce(topic, str(i), partition=1)
    producer.flush(20)
    finish(admin.delete_records([TopicPartition(topic, 1, 4)]))
    group = f"g-{topic}"
    source = consumer(bootstrap, group)
    assert source.get_watermark_offsets(TopicPartition(topic, 1), timeout=10) == (4, 10)
    source.commit(offsets=[TopicPartition(topic, 1, 7)], asynchronous=False)
    assert source.committed([TopicPartition(topic, 1)], timeout=10)[0].offset == 7
    source.close()
    listed = admin.list_consumer_groups().result(10)
    assert group in [g.group_id for g in listed.valid]
    finish(admin.delete_consumer_groups([group]))
    assert group not in [g.group_id for g in admin.list_consumer_groups().result(10).valid]


def test_long_poll_wakes_at_once(bootstrap, topic):
    source = consumer(bootstrap, f"g-{topic}", **{"fetch.wait.max.ms": 5000})
    source.assign([TopicPartition(topic, 0, 0)])
    assert source.consume(1, 1.0) == []
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
    times = []
    for _ in range(20):
        start = time.time()
        producer.produce(topic, b"now", partition=0)
        producer.flush(10)
        assert source.consume(1, 10)[0].error() is None
        times.append(time.time() - start)
    assert sorted(times)[10] < 0.25
    source.close()


def raw(bootstrap):
    host, port = bootstrap.split(",")[0].rsplit(":", 1)
    return socket.create_connection((host, int(port)), 10)


@pytest.mark.parametrize("frame", [
    b"GET / HTTP/1.1\r\n\r\n", struct.pack(">i", -1), struct.pack(">i", 0), struct.pack(">i", 2**31 - 1) + b"x" * 100,
    struct.pack(">ihhih", 10, 999, 0, 1, -1), struct.pack(">ihhih", 10, 3, 99, 1, -1),
    struct.pack(">ihhihi", 14, 3, 1, 1, -1, 2**30),
])
def test_broken_frames_close_the_connection(bootstrap, frame):
    with raw(bootstrap) as client:
        client.sendall(frame)
        assert client.recv(10) == b""


def test_unknown_api_versions_version_gets_a_version_0_answer(bootstrap):
    with raw(bootstrap) as client:
        client.sendall(struct.pack(">ihhih", 10, 18, 77, 5, -1))
        size, correlation, error, count = struct.unpack(">iihi", client.recv(14))
        assert (correlation, error) == (5, 35) and count > 20


def test_idle_and_half_closed_connections_do_no_harm(bootstrap):
    idle = [raw(bootstrap) for _ in range(200)]
    for client in idle[:100]:
        client.shutdown(socket.SHUT_WR)
    for client in idle[:100]:
        assert client.recv(1) == b""
    with raw(bootstrap) as client:
        client.sendall(struct.pack(">ihhih", 10, 18, 0, 5, -1))
        assert len(client.recv(4)) == 4
    for client in idle:
        client.close()


def test_many_producers_share_commits(bootstrap, topic):
    def run(n):
        producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "enable.idempotence": True})
        for i in range(50):
            producer.produce(topic, f"{n}-{i}", partition=0)
            producer.flush(20)
    threads = [threading.Thread(target=run, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source = consumer(bootstrap, f"g-{topic}")
    source.assign([TopicPartition(topic, 0, 0)])
    values = [r.value().decode() for r in take(source, 800)]
    assert sorted(values) == sorted(f"{n}-{i}" for n in range(16) for i in range(50))
    for n in range(16):
        mine = [v for v in values if v.startswith(f"{n}-")]
        assert mine == [f"{n}-{i}" for i in range(50)]
    source.close()
