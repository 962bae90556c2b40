"""The whole platform when the machine fails it: drives lost under load, a full disk, a crowd, a plug pulled on 1 GB."""
import errno
import hashlib
import json
import os
import resource
import shutil
import socket
import subprocess
import threading
import time
import urllib.request

import boto3
import confluent_kafka
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from conftest import make_platform, wait_until
from test_jobs import ask

BUCKET = "faults"
HEAL_SECONDS_MAX = 60


def client(ready, retries=1):
    s3 = ready["s3"]
    return boto3.client("s3", endpoint_url=s3["endpoint"], region_name=s3["region"], aws_access_key_id=s3["access_key"],
                        aws_secret_access_key=s3["secret_key"], config=Config(retries={"max_attempts": retries}))


def status(ready):
    with urllib.request.urlopen(ready["metrics"]["url"].replace("/metrics", "/status"), timeout=10) as answer:
        return json.load(answer)


def drives(ready):
    return status(ready)["object_store"]["drives"]


def body_of(key, size=200_000):
    seed = hashlib.sha256(key.encode()).digest()
    return (seed * (size // len(seed) + 1))[:size]


class Writers:
    """Threads that put objects and read them back until stopped; every failure is kept."""

    def __init__(self, ready, threads=4):
        self.ready, self.keys, self.failures, self.stopping = ready, [], [], threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(i,), daemon=True) for i in range(threads)]
        for thread in self.threads:
            thread.start()

    def write(self, number):
        s3 = client(self.ready)
        count = 0
        while not self.stopping.is_set():
            key = f"{number}/{count}"
            size = 1000 if count % 2 else 200_000  # in the metadata, and in shards
            try:
                s3.put_object(Bucket=BUCKET, Key=key, Body=body_of(key, size))
                if s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() != body_of(key, size):
                    self.failures.append(f"{key}: other bytes")
                self.keys.append((key, size))
            except Exception as failed:  # noqa: BLE001 any failure fails the test, with its text
                self.failures.append(f"{key}: {failed!r}")
            count += 1

    def wait_for_more(self, count):
        wanted = len(self.keys) + count
        wait_until(lambda: len(self.keys) >= wanted or self.failures, "writes do not go on", 60)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)


def pull(drive):
    """Gone in one step, as a drive goes; deleted in place, its files would be made anew meanwhile."""
    aside = drive.parent.parent / f"pulled-{drive.name}"
    drive.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def test_two_drives_lost_under_load_and_replaced(own_platform):
    ready = own_platform.ready
    s3 = client(ready)
    s3.create_bucket(Bucket=BUCKET)
    writers = Writers(ready)
    writers.wait_for_more(30)
    lost = [own_platform.data / "drives" / name for name in ("1", "3")]
    for drive in lost:
        pull(drive)
    writers.wait_for_more(30)
    wait_until(lambda: sum(not d["online"] for d in drives(ready)) == 2, "status does not name the lost drives", 30)
    shown = own_platform.run("status").stdout
    assert "2 of 4 drives online" in shown and shown.count("OFFLINE") == 2, shown
    writers.wait_for_more(30)
    for drive in lost:
        drive.mkdir(exist_ok=True)
    writers.wait_for_more(30)
    writers.stop()
    assert not writers.failures, writers.failures[:5]
    wait_until(lambda: all(d["online"] and not d["healing_objects"] for d in drives(ready)), "the replaced drives do not heal",
               HEAL_SECONDS_MAX)
    # Healed means: the other two may go now.
    for name in ("0", "2"):
        pull(own_platform.data / "drives" / name)
    for key, size in writers.keys:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body_of(key, size), key


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 600 MB, empty. It needs the right to mount."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a file system of its own cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_disk(small_disk):
    platform = make_platform(parent=small_disk)
    try:
        ready = platform.ready
        s3 = client(ready)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="before", Body=body_of("before"))
        ask(ready, "CREATE SCHEMA faults")
        ask(ready, "CREATE TABLE faults.t AS SELECT 1 AS a")
        producer = confluent_kafka.Producer({"bootstrap.servers": ready["events"]["bootstrap"], "linger.ms": 0,
                                             "message.timeout.ms": 4000})
        produce(producer, "first")
        filler = small_disk / "filler"
        fill(filler)
        with pytest.raises(ClientError) as refused:
            for number in range(200):
                s3.put_object(Bucket=BUCKET, Key=f"more-{number}", Body=body_of("more", 1_000_000))
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (503, 507), refused.value.response
        fill(filler)
        assert any(produce(producer, "x" * 500_000) for _ in range(40)), "a full disk acknowledged 20 MB of events"
        assert s3.get_object(Bucket=BUCKET, Key="before")["Body"].read() == body_of("before")
        assert ask(ready, "SELECT a FROM faults.t") == [[1]]
        filler.unlink()
        wait_until(lambda: produce(producer, "again") is None, "events do not come back", 30)
        s3.put_object(Bucket=BUCKET, Key="after", Body=body_of("after"))
        ask(ready, "INSERT INTO faults.t SELECT 2")
        assert sorted(ask(ready, "SELECT a FROM faults.t")) == [[1], [2]]
        platform.kill()
        platform.start()
        assert sorted(ask(platform.ready, "SELECT a FROM faults.t")) == [[1], [2]]
        assert client(platform.ready).get_object(Bucket=BUCKET, Key="after")["Body"].read() == body_of("after")
    finally:
        platform.kill()


def produce(producer, value):
    """None when acknowledged, else the error."""
    outcome = []
    producer.produce("faults", value, on_delivery=lambda error, _: outcome.append(error))
    producer.flush(10)
    return outcome[0] if outcome else "no answer"


def fill(path):
    """Writes until nothing more fits."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for size in (1 << 20, 4096):
        try:
            while os.write(file, bytes(size)):
                pass
        except OSError as full:
            assert full.errno == errno.ENOSPC
    os.close(file)


def test_two_thousand_idle_connections(own_platform):
    ready = own_platform.ready
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    fronts = [ready["s3"]["endpoint"], ready["sql"]["http"], "kafka://" + ready["events"]["bootstrap"],
              ready["iceberg_rest"]["uri"], ready["metrics"]["url"]]
    addresses = [front.split("://")[1].split("/")[0].rsplit(":", 1) for front in fronts]
    before = resident_bytes(own_platform.process.pid)
    crowd = []
    try:
        for number in range(2000):
            host, port = addresses[number % len(addresses)]
            crowd.append(socket.create_connection((host, int(port)), timeout=10))
            if number % 3 == 0:
                crowd[-1].send(b"G")  # a request that never goes on
        assert ask(ready, "SELECT 1") == [[1]]
        s3 = client(ready)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="k", Body=b"1")
        producer = confluent_kafka.Producer({"bootstrap.servers": ready["events"]["bootstrap"]})
        assert produce(producer, "x") is None
        grown = resident_bytes(own_platform.process.pid) - before
        assert grown < 200 << 20, f"2,000 idle connections took {grown >> 20} MiB"
    finally:
        for connection in crowd:
            connection.close()
    assert ask(ready, "SELECT 1") == [[1]]


def resident_bytes(pid):
    pages = int(open(f"/proc/{pid}/statm").read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_ready_within_two_seconds_with_a_gigabyte(own_platform):
    ready = own_platform.ready
    s3 = client(ready)
    s3.create_bucket(Bucket=BUCKET)
    block = os.urandom(16 << 20)
    for number in range(32):
        s3.put_object(Bucket=BUCKET, Key=f"big/{number}", Body=block)
    for number in range(2000):
        s3.put_object(Bucket=BUCKET, Key=f"small/{number}", Body=b"x" * 2000)
    producer = confluent_kafka.Producer({"bootstrap.servers": ready["events"]["bootstrap"], "linger.ms": 20,
                                         "queue.buffering.max.kbytes": 1 << 20, "batch.size": 1 << 20})
    value = os.urandom(100_000)
    for number in range(5000):
        producer.produce("faults", value)
        if number % 100 == 0:
            producer.poll(0)
    assert producer.flush(120) == 0
    own_platform.kill()
    began = time.monotonic()
    own_platform.start()
    seconds = time.monotonic() - began
    assert client(own_platform.ready).get_object(Bucket=BUCKET, Key="big/31")["Body"].read() == block
    assert seconds < 2.0, f"ready after {seconds:.2f} s"
