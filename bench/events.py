#!/usr/bin/env python3
"""Producing events beside Apache Kafka: 1 KiB and 100 B records, acks=all, one and six partitions.

  bench/events.py [--binary build/release/aichemy] [--bootstrap HOST:PORT --pid PID] [--peer kafka.sh]
                  [--records N] [--rate N] [--json FILE]

Both brokers run on this machine, one after the other for each cell, with the same client (bench/events_load.cc,
librdkafka) and one copy of the data. Kafka acknowledges from the page cache; ours syncs first (strict) or does as
Kafka does (relaxed): both are shown. Throughput per core is records per second of the broker's processor time;
p99 is measured at a fixed rate. Without --peer only ours is measured. The limit shown is what the disk writes.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from load_tools import load_tool

ROOT = pathlib.Path(__file__).resolve().parent.parent
CELLS = [(size, partitions) for size in (1024, 100) for partitions in (1, 6)]
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def disk_rate():
    """Sequential bytes a second, synced at the end: the physical limit of every cell."""
    block = os.urandom(1 << 20)
    with tempfile.NamedTemporaryFile(dir=ROOT / "build") as file:
        began = time.perf_counter()
        for _ in range(256):
            file.write(block)
        os.fsync(file.fileno())
        return 256 * len(block) / (time.perf_counter() - began)


class Aichemy:
    def __init__(self, binary):
        self.folder = tempfile.TemporaryDirectory(dir=ROOT / "build")
        ready = pathlib.Path(self.folder.name) / "ready.json"
        self.process = subprocess.Popen(
            [binary, "up", "--data", self.folder.name + "/data", "--ports", "auto", "--ready-file", str(ready)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() > until:
                sys.exit("the platform did not start")
            time.sleep(0.02)
        self.bootstrap = json.loads(ready.read_text())["events"]["bootstrap"]
        self.pid = self.process.pid

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()


class Kafka:
    def __init__(self, script):
        self.script, self.environment = script, dict(os.environ, KAFKA_INSTANCE="bench", KAFKA_PORT="39192")
        out = self.call("start")
        self.bootstrap = out.rsplit("bootstrap ", 1)[1].split()[0]
        info = self.call("info")
        self.pid = int(next(line.split()[1] for line in info.splitlines() if line.startswith("pid ")))

    def call(self, *arguments):
        return subprocess.run([self.script, *arguments], env=self.environment, capture_output=True, text=True,
                              check=True, timeout=300).stdout

    def stop(self):
        self.call("stop")
        self.call("wipe")


def create_topic(bootstrap, name, partitions, config):
    from confluent_kafka.admin import AdminClient, NewTopic
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([NewTopic(name, partitions, 1, config=config)]).values():
        future.result(30)


def run_cell(tool, server, mode, size, partitions, options):
    topic = f"bench-{mode}-{size}-{partitions}-{time.time_ns()}"
    create_topic(server.bootstrap, topic, partitions, {"flush.mode": "relaxed"} if mode == "relaxed" else {})

    def load(records, rate):
        done = subprocess.run([str(tool), server.bootstrap, topic, str(records), str(size), str(rate)],
                              capture_output=True, text=True, check=True, timeout=600)
        return json.loads(done.stdout)

    load(min(300_000, options.records), 0)  # warm: the peer compiles as it runs
    before = cpu_seconds(server.pid)
    flat_out = load(options.records * (4 if size < 1024 else 1), 0)
    spent = max(cpu_seconds(server.pid) - before, 0.01)
    paced = load(options.rate * 5, options.rate)
    return {"records_per_second": flat_out["records"] / flat_out["seconds"],
            "records_per_core_second": flat_out["records"] / spent, "p50_ms": paced["p50"], "p99_ms": paced["p99"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build/release/aichemy"))
    parser.add_argument("--bootstrap")
    parser.add_argument("--pid", type=int)
    parser.add_argument("--peer")
    parser.add_argument("--records", type=int, default=500_000)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--json")
    options = parser.parse_args()
    tool = load_tool("events_load", "rdkafka")
    results = {}
    servers = [("aichemy", None)] + ([("kafka", None)] if options.peer else [])
    for name, _ in servers:
        if name == "kafka":
            server = Kafka(options.peer)
        elif options.bootstrap:
            server = argparse.Namespace(bootstrap=options.bootstrap, pid=options.pid, stop=lambda: None)
        else:
            server = Aichemy(options.binary)
        try:
            for size, partitions in CELLS:
                for mode in (["strict", "relaxed"] if name == "aichemy" else ["kafka"]):
                    results[f"{size}/{partitions}/{mode}"] = run_cell(tool, server, mode, size, partitions, options)
        finally:
            server.stop()
    limit = disk_rate()
    print(f"{'bytes':>6} {'parts':>5} {'mode':>8} {'records/s':>10} {'per core-s':>11} {'p50 ms':>8} {'p99 ms':>8} "
          f"{'x Kafka/core':>12} {'x Kafka p99':>11} {'of disk':>8}")
    for size, partitions in CELLS:
        peer = results.get(f"{size}/{partitions}/kafka")
        for mode in ("strict", "relaxed", "kafka"):
            row = results.get(f"{size}/{partitions}/{mode}")
            if row is None:
                continue
            ratio = row["records_per_core_second"] / peer["records_per_core_second"] if peer else 0
            tail = row["p99_ms"] / peer["p99_ms"] if peer else 0
            print(f"{size:6} {partitions:5} {mode:>8} {row['records_per_second']:10.0f} {row['records_per_core_second']:11.0f} "
                  f"{row['p50_ms']:8.2f} {row['p99_ms']:8.2f} {ratio:12.2f} {tail:11.2f} "
                  f"{row['records_per_second'] * size / limit:8.1%}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"disk_bytes_per_second": limit, "cells": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
