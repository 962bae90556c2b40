#!/usr/bin/env python3
"""Start, idle memory, size, SELECT 1, events through a job into Iceberg, produced to visible. Figures beside their bars.

  ./dev bench flow [--json FILE] [--events N]
"""
import argparse
import http.client
import json
import os
import shutil
import statistics
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/clients"))
warnings.filterwarnings("ignore")

import confluent_kafka  # noqa: E402
from conftest import make_platform  # noqa: E402
from test_jobs import ask  # noqa: E402

TOPIC = "bench"
JOB = """
CREATE TABLE events (id BIGINT, user_id BIGINT, kind STRING, page STRING, referrer STRING, amount DOUBLE, at STRING,
  agent STRING, sent DOUBLE) WITH ('connector' = 'kafka', 'topic' = 'bench', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset');
INSERT INTO iceberg.bench.events SELECT id, user_id, kind, page, referrer, amount, at, agent, sent FROM events;
"""


def resident_mib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def event(number):
    return json.dumps({"id": number, "user_id": number % 9973, "kind": "view", "page": f"/product/{number % 5000}",
                       "referrer": "https://example.org/search?q=lakehouse", "amount": number * 0.01,
                       "at": "2026-01-02 03:04:05.678", "agent": "Mozilla/5.0 (X11; Linux x86_64) bench/1.0 " + "x" * 60,
                       "sent": time.time()}).encode()


def select_one(ready, rounds=500):
    """p50 of a whole statement (POST and its pages) on one kept plain connection."""
    host, port = ready["sql"]["http"].removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port))
    headers = {"X-Trino-User": "admin"}
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        connection.request("POST", "/v1/statement", b"SELECT 1", headers)
        page = json.loads(connection.getresponse().read())
        while "nextUri" in page:
            connection.request("GET", page["nextUri"].split(f":{port}", 1)[1], headers=headers)
            page = json.loads(connection.getresponse().read())
        assert "error" not in page, page
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), sorted(times)[int(len(times) * 0.99)]


def prepare_flow(platform):
    ready = platform.ready
    ask(ready, "CREATE SCHEMA bench")
    ask(ready, "CREATE TABLE bench.events (id bigint, user_id bigint, kind varchar, page varchar, referrer varchar, "
               "amount double, at varchar, agent varchar, sent double)")
    script = platform.data.parent / "job.sql"
    script.write_text(JOB)
    return script


def flow(platform, events):
    """Events wait in the topic; then the job starts: its own rate, from start to the last row visible."""
    script = prepare_flow(platform)
    producer = confluent_kafka.Producer({"bootstrap.servers": platform.ready["events"]["bootstrap"], "linger.ms": 50,
                                         "batch.size": 1 << 20, "queue.buffering.max.messages": 2_000_000})
    size = 0
    for number in range(events):
        body = event(number)
        size += len(body)
        producer.produce(TOPIC, body)
        if number % 10_000 == 0:
            producer.poll(0)
    assert producer.flush(120) == 0
    began = time.monotonic()
    outcome = platform.run("job", "submit", str(script))
    assert outcome.returncode == 0, outcome.stderr
    while ask(platform.ready, "SELECT count(*) FROM bench.events")[0][0] < events:
        time.sleep(0.05)
        assert time.monotonic() - began < 300, "the job does not finish"
    return events / (time.monotonic() - began), size / events


def freshness(platform, rounds=20):
    """From produce() to visible in SQL, a steady trickle."""
    producer = confluent_kafka.Producer({"bootstrap.servers": platform.ready["events"]["bootstrap"], "linger.ms": 0})
    times = []
    for number in range(rounds):
        marker = 10_000_000 + number
        began = time.monotonic()
        producer.produce(TOPIC, event(marker))
        producer.flush(10)
        while not ask(platform.ready, f"SELECT 1 FROM bench.events WHERE id = {marker}"):
            assert time.monotonic() - began < 30
        times.append(time.monotonic() - began)
    return statistics.median(times), sorted(times)[int(len(times) * 0.95)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    rows = []

    def row(name, value, unit, bar, good):
        rows.append({"name": name, "value": round(value, 2), "unit": unit, "bar": bar, "holds": good})
        print(f"{name:44} {value:12.2f} {unit:10} bar {bar:>10} {'holds' if good else 'FALLS SHORT'}", flush=True)

    began = time.monotonic()
    platform = make_platform()
    first = time.monotonic() - began
    platform.stop()
    began = time.monotonic()
    platform.start()
    again = time.monotonic() - began
    time.sleep(2)
    row("first start to ready", first, "s", "1", first <= 1)
    row("start to ready", again, "s", "1", again <= 1)
    memory = resident_mib(platform.process.pid)
    row("idle memory", memory, "MiB", "150", memory <= 150)
    program = Path(platform.program)
    size = (program.stat().st_size + (program.parent / "libduckdb.so").stat().st_size) / (1 << 20)
    row("program and libduckdb", size, "MiB", "200", size <= 200)
    p50, p99 = select_one(platform.ready)
    row("SELECT 1, p50", p50, "ms", "2", p50 <= 2)
    row("SELECT 1, p99", p99, "ms", "-", True)
    rate, event_bytes = flow(platform, options.events)
    row(f"JSON events of {event_bytes:.0f} B into Iceberg", rate, "events/s", "200000", rate >= 200_000)
    median, p95 = freshness(platform)
    row("produced to visible in SQL, p50", median, "s", "-", True)
    row("produced to visible in SQL, p95", p95, "s", "2", p95 <= 2)
    row("memory after the load", resident_mib(platform.process.pid), "MiB", "-", True)
    platform.stop()
    shutil.rmtree(platform.data.parent, ignore_errors=True)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
