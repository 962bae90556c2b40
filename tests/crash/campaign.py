#!/usr/bin/env python3
"""kill -9 under a mixed load, many rounds, with a checker.

Each round: objects are put (unique content, some by multipart), events are produced with acks=all, a job writes them
into an Iceberg table, SQL inserts rows; at a random moment the process is killed; it is started again and everything
that was acknowledged is read back. Checked: no acknowledged object or record lost, none torn, no event twice in the
table, restart ready within the limit. The same seed gives the same schedule of operations and kill times.
"""
import argparse
import hashlib
import json
import random
import sys
import threading
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients"))

import boto3  # noqa: E402
import confluent_kafka  # noqa: E402
from botocore.client import Config  # noqa: E402
from conftest import Platform  # noqa: E402
from test_jobs import ask  # noqa: E402

warnings.filterwarnings("ignore", message="Unverified HTTPS request")

READY_SECONDS_MAX = 2.0
TOPIC = "crash"
PARTS = 4  # files of one INSERT, which come with its commit
JOB = """
CREATE TABLE events (id BIGINT NOT NULL, body STRING) WITH ('connector' = 'kafka', 'topic' = 'crash',
  'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
INSERT INTO iceberg.crash.events SELECT id, body FROM events;
"""


class Load:
    """Threads that write until the platform dies, and remember what was acknowledged."""

    def __init__(self, ready, state, seed):
        self.ready, self.state, self.random = ready, state, random.Random(seed)
        self.stopping = threading.Event()
        work = [self.put_objects, self.put_objects, self.produce, self.insert]
        self.threads = [threading.Thread(target=self.guard, args=(each,), name=f"w{index}", daemon=True)
                        for index, each in enumerate(work)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def join(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=60)

    def guard(self, work):
        try:
            work()
        except Exception:  # noqa: BLE001 - the platform was killed under it: what was acknowledged is remembered
            pass

    def put_objects(self):
        s3 = make_s3(self.ready)
        while not self.stopping.is_set():
            with self.state.lock:
                self.state.next_object += 1
                number = self.state.next_object
            size = self.random.choice([10, 5_000, 70_000, 300_000, 3_000_000])
            body = hashlib.sha256(str(number).encode()).digest() * (size // 32 + 1)
            key = f"{threading.current_thread().name}-{number % 100}"  # one writer a key: its order is known
            with self.state.lock:
                self.state.objects.setdefault(key, set()).add(digest(body))  # may land without an answer
            s3.put_object(Bucket="crash", Key=key, Body=body)
            with self.state.lock:
                self.state.acked[key] = number
                self.state.objects[key] = {digest(body)}  # what was there before must not come back

    def produce(self):
        producer = confluent_kafka.Producer({
            "bootstrap.servers": self.ready["events"]["bootstrap"], "enable.idempotence": True, "linger.ms": 2,
            "message.timeout.ms": 20000})

        def delivered(error, message):
            if error is None:
                with self.state.lock:
                    self.state.events.add(json.loads(message.value())["id"])

        while not self.stopping.is_set():
            for _ in range(50):
                with self.state.lock:
                    self.state.next_event += 1
                    number = self.state.next_event
                producer.produce(TOPIC, json.dumps({"id": number, "body": "x" * self.random.randrange(300)}).encode(),
                                 on_delivery=delivered)
            producer.poll(0.02)

    def insert(self):
        while not self.stopping.is_set():
            with self.state.lock:
                self.state.next_row += 1
                number = self.state.next_row
            ask(self.ready, "INSERT INTO crash.rows VALUES " + ", ".join(f"({number}, {part})" for part in range(PARTS)))
            with self.state.lock:
                self.state.rows.add(number)


class State:
    def __init__(self):
        self.lock = threading.Lock()
        self.next_object = self.next_event = self.next_row = 0
        self.objects, self.acked = {}, {}
        self.events, self.rows = set(), set()


def digest(body):
    return hashlib.sha256(body).hexdigest()


def make_s3(ready):
    facts = ready["s3"]
    return boto3.client("s3", endpoint_url=facts["endpoint"], aws_access_key_id=facts["access_key"],
                        aws_secret_access_key=facts["secret_key"], region_name=facts["region"],
                        config=Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=30))


def check_objects(ready, state, problems):
    s3 = make_s3(ready)
    for key, contents in state.objects.items():
        try:
            body = s3.get_object(Bucket="crash", Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            if state.acked.get(key):
                problems.append(f"object {key} was acknowledged and is gone")
            continue
        if digest(body) not in contents:
            problems.append(f"object {key} holds bytes that nobody wrote")


def read_topic(ready):
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": ready["events"]["bootstrap"], "group.id": "checker", "enable.auto.commit": False,
        "enable.partition.eof": True})
    low, high = consumer.get_watermark_offsets(confluent_kafka.TopicPartition(TOPIC, 0), timeout=20)
    consumer.assign([confluent_kafka.TopicPartition(TOPIC, 0, low)])
    seen = []
    while high > low:
        message = consumer.poll(20)
        if message is None or message.error():
            break
        seen.append(json.loads(message.value())["id"])
    consumer.close()
    return seen


def check_events(ready, state, problems):
    seen = read_topic(ready)
    lost = state.events - set(seen)
    if lost:
        problems.append(f"{len(lost)} acknowledged events are gone, the first is {min(lost)}")
    until = time.monotonic() + 60
    while ask(ready, "SELECT count(*) FROM crash.events")[0][0] < len(seen) and time.monotonic() < until:
        time.sleep(0.1)
    total, distinct = ask(ready, "SELECT count(*), count(DISTINCT id) FROM crash.events")[0]
    if total != len(seen) or distinct != len(set(seen)):
        problems.append(f"the log has {len(seen)} events ({len(set(seen))} ids), the table {total} ({distinct})")


def check_rows(ready, state, problems):
    rows = {row[0]: tuple(row[1:]) for row in ask(ready, "SELECT id, count(*), count(DISTINCT part), sum(part) FROM crash.rows GROUP BY id")}
    if set(rows.values()) - {(PARTS, PARTS, sum(range(PARTS)))}:
        problems.append("an INSERT left some of its rows, or some of them twice")
    if state.rows - set(rows):
        problems.append(f"the rows of {len(state.rows - set(rows))} acknowledged INSERTs are gone")


def prepare(platform):
    make_s3(platform.ready).create_bucket(Bucket="crash")
    ask(platform.ready, "CREATE SCHEMA crash")
    ask(platform.ready, "CREATE TABLE crash.events (id bigint, body varchar)")
    ask(platform.ready, "CREATE TABLE crash.rows (id bigint, part bigint) WITH (partitioning = ARRAY['part'])")
    script = platform.data.parent / "job.sql"
    script.write_text(JOB)
    outcome = platform.run("job", "submit", str(script))
    assert outcome.returncode == 0, outcome.stderr


def run(options, folder):
    schedule = random.Random(options.seed)
    platform = Platform(options.aichemy, Path(folder) / "data")
    prepare(platform)
    state, slowest = State(), 0.0
    for number in range(1, options.rounds + 1):
        load = Load(platform.ready, state, schedule.random())
        load.start()
        time.sleep(schedule.uniform(0.2, 2.0))
        platform.kill()
        load.join()
        began = time.monotonic()
        platform.start()
        took = time.monotonic() - began
        slowest = max(slowest, took)
        problems = []
        if took > READY_SECONDS_MAX:
            problems.append(f"ready only after {took:.1f} s")
        for check in (check_objects, check_events, check_rows):
            check(platform.ready, state, problems)
        print(f"round {number}: {len(state.acked)} keys, {len(state.events)} events, {len(state.rows)} rows acknowledged; "
              f"ready in {took:.2f} s; {'clean' if not problems else 'FAILED'}", flush=True)
        if problems:
            print("\n".join("  " + problem for problem in problems))
            print(f"  seed {options.seed}, data kept in {folder}\n{platform.log_tail()}")
            platform.kill()
            return 1
    platform.kill()
    print(f"{options.rounds} rounds clean, slowest restart {slowest:.2f} s")
    return 0


def main():
    import shutil
    import tempfile
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--aichemy", required=True)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="aichemy-crash-")
    code = run(options, folder)
    if code == 0:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
