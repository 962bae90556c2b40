#!/usr/bin/env python3
"""Names and tables: the Hive Metastore's port, planning over many files, commits, changes of rows.

  ./dev bench tables [--only NAME,...] [--peer HOST:PORT] [--tables 10000] [--seconds 3] [--json FILE]

NAME: get_table, partitions, memory, manifests, planning, insert, commits, merge, deletes. --peer is a running Hive
Metastore, which gets the same load by the same program (bench/hms_load.cc). Each figure is printed with its bar. Load
and platform share this machine's processors, so the rates are what is left to the platform beside its clients.
"""
import argparse
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/clients"))
warnings.filterwarnings("ignore")

import duckdb  # noqa: E402
import pyarrow as pa  # noqa: E402
import trino  # noqa: E402
from conftest import make_platform  # noqa: E402
from pyiceberg.catalog import load_catalog  # noqa: E402
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat  # noqa: E402
from pyiceberg.typedef import Record  # noqa: E402

from load_tools import load_tool  # noqa: E402
from sql import generate  # noqa: E402

# name -> (bar, unit, whether more is better)
BARS = {
    "get_table": (20_000, "/s", True),
    "partitions": (200_000, "/s", True),
    "add_partitions": (0.5, "s", False),
    "memory": (200, "MB", False),
    "listing": (2000, "ms", False),
    "manifests": (500_000, "/s", True),
    "planning_warm": (150, "ms", False),
    "planning_cold": (1000, "ms", False),
    "insert": (10, "ms", False),
    "commits": (50, "/s", True),
    "merge": (2, "times DuckDB", False),
    "deletes": (20, "% slower", False),
}
FILES, MANIFESTS = 100_000, 20


class Bench:
    def __init__(self, options):
        self.options, self.figures, self.platform = options, {}, None

    def say(self, name, value, note=""):
        bar, unit, more = BARS[name]
        holds = value >= bar if more else value <= bar
        shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"
        self.figures[name] = {"value": value, "unit": unit, "bar": bar, "holds": holds, "note": note}
        print(f"  {name:15} {shown:>9} {unit:13} bar {bar:>9,}   {'holds' if holds else 'short'}   {note}", flush=True)

    def hms(self, *arguments, to=None):
        host, port = to or self.platform.ready["metastore"]["thrift"].removeprefix("thrift://").split(":")
        command = [load_tool("hms_load"), host, port, *arguments]
        done = subprocess.run([str(each) for each in command], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        return json.loads(done.stdout)

    def cursor(self):
        host, port = self.platform.ready["sql"]["http"].removeprefix("http://").split(":")
        return trino.dbapi.connect(host=host, port=int(port), user="admin", catalog="iceberg").cursor()

    def run(self, text):
        return self.cursor().execute(text).fetchall()

    def catalog(self):
        store = self.platform.ready["s3"]
        return load_catalog("bench", type="rest", uri=self.platform.ready["iceberg_rest"]["uri"], **{
            "s3.endpoint": store["endpoint"], "s3.region": store["region"],
            "s3.access-key-id": store["access_key"], "s3.secret-access-key": store["secret_key"]})

    def resident_megabytes(self):
        status = Path(f"/proc/{self.platform.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def milliseconds(run):
    began = time.perf_counter()
    answer = run()
    return (time.perf_counter() - began) * 1000, answer


def get_table(bench):
    def rate(to=None):
        bench.hms("make", "bench_get", 1000, 8, to=to)
        bench.hms("get", "bench_get", 1000, 8, 1, to=to)
        return bench.hms("get", "bench_get", 1000, 8, bench.options.seconds, to=to)["per_second"]

    ours, note = rate(), "get_table, 8 connections, 1,000 tables of 20 columns"
    if bench.options.peer:
        theirs = rate(bench.options.peer.split(":"))
        note += f"; the peer {theirs:,.0f}/s, ratio {ours / theirs:.1f}"
    bench.say("get_table", ours, note)


def partitions(bench):
    def both(to=None):
        added = bench.hms("add", "bench_parts", 10_000, to=to)["seconds"]
        bench.hms("partitions", "bench_parts", 10_000, 8, 1, to=to)
        return added, bench.hms("partitions", "bench_parts", 10_000, 8, bench.options.seconds, to=to)["per_second"]

    (added, rate), notes = both(), ["10,000 in one call", "get_partitions_by_names, 1,000 a call, 8 connections, 20 columns each"]
    if bench.options.peer:
        their_added, their_rate = both(bench.options.peer.split(":"))
        notes[0] += f"; the peer {their_added:.2f} s, ratio {their_added / added:.1f}"
        notes[1] += f"; the peer {their_rate:,.0f}/s, ratio {rate / their_rate:.1f}"
    bench.say("add_partitions", added, notes[0])
    bench.say("partitions", rate, notes[1])


def memory(bench):
    bench.run("SELECT 1")
    before = bench.resident_megabytes()
    tables = bench.options.tables
    took = bench.hms("make", "bench_many", tables, 8)["seconds"]
    bench.hms("get", "bench_many", tables, 8, bench.options.seconds)
    listed = "SELECT count(*) FROM hive.information_schema.tables WHERE table_schema LIKE 'bench%'"
    times = [milliseconds(lambda: bench.run(listed)) for _ in range(5)]
    assert all(answer == [[tables]] for _, answer in times), times
    bench.say("listing", statistics.median(took for took, _ in times), f"count(*) of information_schema.tables, {tables:,} tables")
    bench.say("memory", bench.resident_megabytes() - before,
              f"{tables:,} tables made through the Metastore ({tables / took:,.0f}/s) and read; the bar is for 100,000")


def manifests(bench):
    build = ROOT / "build/release"
    subprocess.run(["cmake", "-DAICHEMY_BENCH=ON", build], check=True, capture_output=True)
    subprocess.run(["ninja", "-C", build, "aichemy_tables_bench"], check=True, capture_output=True)
    (program,) = build.rglob("aichemy_tables_bench")
    done = subprocess.run([program, "--benchmark_format=json"], check=True, capture_output=True, text=True)
    rates = {each["name"]: each["items_per_second"] for each in json.loads(done.stdout)["benchmarks"]}
    bench.say("manifests", rates["decode/deflate"],
              f"entries of 10 columns, deflate, one thread; {rates['decode/plain']:,.0f}/s when not compressed")


def many_files(bench):
    """A table of FILES files in MANIFESTS manifests. One file, in the middle of `id`, is there; planning must leave out
    the others, or the question fails."""
    catalog = bench.catalog()
    catalog.create_namespace_if_not_exists("bench")
    schema = pa.schema([("id", pa.int64()), ("name", pa.string())])
    table = catalog.create_table("bench.files", schema)
    per_file, per_manifest = 1000, FILES // MANIFESTS
    wanted = FILES // 2
    table.append(pa.table({"id": list(range(wanted * per_file, (wanted + 1) * per_file)), "name": ["x"] * per_file}, schema))
    for manifest in range(MANIFESTS):
        with table.transaction() as change, change.update_snapshot().fast_append() as append:
            for number in range(manifest * per_manifest, (manifest + 1) * per_manifest):
                if number == wanted:
                    continue
                low, high = struct.pack("<q", number * per_file), struct.pack("<q", (number + 1) * per_file - 1)
                append.append_data_file(DataFile.from_args(
                    content=DataFileContent.DATA, file_path=f"{table.location()}/data/absent-{number}.parquet",
                    file_format=FileFormat.PARQUET, partition=Record(), record_count=per_file, file_size_in_bytes=100_000,
                    column_sizes={1: 8000, 2: 2000}, value_counts={1: per_file, 2: per_file}, null_value_counts={1: 0, 2: 0},
                    nan_value_counts={}, lower_bounds={1: low, 2: b"x"}, upper_bounds={1: high, 2: b"x"}))
        table = catalog.load_table("bench.files")
    return f"SELECT count(*), min(id) FROM bench.files WHERE id = {wanted * per_file + 7}", [[1, wanted * per_file + 7]]


def planning(bench):
    question, expected = many_files(bench)
    bench.platform.stop()
    bench.platform.start()
    bench.run("SELECT 1")
    cold, answer = milliseconds(lambda: bench.run(question))
    assert answer == expected, answer
    warm = statistics.median(milliseconds(lambda: bench.run(question))[0] for _ in range(9))
    note = f"the whole statement, {FILES:,} files in {MANIFESTS} manifests, one file wanted"
    bench.say("planning_warm", warm, note)
    bench.say("planning_cold", cold, note + ", just started")


def insert(bench):
    bench.run("CREATE SCHEMA IF NOT EXISTS bench")
    bench.run("CREATE TABLE bench.one (id BIGINT, name VARCHAR)")
    cursor = bench.cursor()
    took = [milliseconds(lambda: cursor.execute(f"INSERT INTO bench.one VALUES ({i}, 'x')").fetchall())[0] for i in range(60)]
    assert bench.run("SELECT count(*) FROM bench.one") == [[60]]
    bench.say("insert", statistics.median(took[10:]), f"p50 of the whole INSERT statement, p90 {sorted(took[10:])[45]:.1f} ms")


def commits(bench):
    bench.run("CREATE SCHEMA IF NOT EXISTS bench")
    bench.run("CREATE TABLE bench.busy (id BIGINT, name VARCHAR)")
    host, port = bench.platform.ready["sql"]["http"].removeprefix("http://").split(":")
    command = [load_tool("sql_load"), host, port, 8, bench.options.seconds, "INSERT INTO iceberg.bench.busy VALUES (1, 'x')"]
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    load = json.loads(done.stdout)
    bench.say("commits", load["per_second"], f"one-row INSERTs of 8 clients into one table, p99 {load['p99_ms']:.0f} ms")


def lineitem(bench, name):
    """The table ours and in DuckDB's own file; answers DuckDB's connection."""
    source, _ = generate("tpch", bench.options.scale)
    rows = source.execute("SELECT * FROM lineitem").fetch_arrow_table()
    source.close()
    catalog = bench.catalog()
    catalog.create_namespace_if_not_exists("bench")
    catalog.create_table(f"bench.{name}", rows.schema).append(rows)
    folder = Path(tempfile.mkdtemp(prefix="aichemy-bench-"))
    engine = duckdb.connect(str(folder / "peer.db"), config={"threads": os.cpu_count()})
    engine.execute("CREATE TABLE lineitem AS SELECT * FROM rows")
    engine.execute("CHECKPOINT")
    return engine, folder


def merge(bench):
    engine, folder = lineitem(bench, "merged")
    chosen = "SELECT l_orderkey AS k, l_linenumber AS n, l_quantity + {} AS q FROM {} WHERE l_orderkey % 100 = {}"
    change = ("MERGE INTO {} AS t USING ({}) AS s ON t.l_orderkey = s.k AND t.l_linenumber = s.n "
              "WHEN MATCHED THEN UPDATE SET l_quantity = s.q")
    ours, theirs = [], []
    for turn in (1, 2, 3):
        texts = [change.format(table, chosen.format(turn, table, turn)) for table in ("lineitem", "bench.merged")]
        theirs.append(milliseconds(lambda: engine.execute(texts[0]).fetchall())[0])
        ours.append(milliseconds(lambda: bench.run(texts[1]))[0])
    total = "SELECT count(*), sum(l_quantity) FROM "
    assert list(engine.execute(total + "lineitem").fetchone()) == bench.run(total + "bench.merged")[0]
    engine.close()
    shutil.rmtree(folder)
    mine, his = statistics.median(ours), statistics.median(theirs)
    bench.say("merge", mine / his, f"1 % of lineitem at scale {bench.options.scale:g}: {mine:.0f} ms, DuckDB {his:.0f} ms")


def deletes(bench):
    engine, folder = lineitem(bench, "thinned")
    engine.close()
    shutil.rmtree(folder)
    question = "SELECT count(*), sum(l_extendedprice), sum(l_quantity), max(l_shipdate), max(l_comment) FROM bench.thinned"

    def scan():
        bench.run(question)
        return statistics.median(milliseconds(lambda: bench.run(question))[0] for _ in range(7))

    before = scan()
    bench.run("DELETE FROM bench.thinned WHERE l_orderkey % 100 = 7")
    ((found,),) = bench.run("""SELECT count(*) FROM bench."thinned$files" WHERE content <> 0""")
    assert found > 0, "nothing was deleted by merge-on-read"
    after = scan()
    bench.say("deletes", (after / before - 1) * 100, f"1 % of rows deleted: a full scan takes {before:.0f} ms before, {after:.0f} ms after")


RUNS = [get_table, partitions, manifests, planning, insert, commits, merge, deletes, memory]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help=", ".join(run.__name__ for run in RUNS))
    parser.add_argument("--peer", help="HOST:PORT of a running Hive Metastore")
    parser.add_argument("--tables", type=int, default=10_000)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    chosen = [name for name in options.only.split(",") if name]
    unknown = set(chosen) - {run.__name__ for run in RUNS}
    if unknown:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    bench = Bench(options)
    for run in RUNS:
        if chosen and run.__name__ not in chosen:
            continue
        bench.platform = make_platform()
        try:
            run(bench)
        finally:
            bench.platform.stop()
            shutil.rmtree(bench.platform.data.parent, ignore_errors=True)
    if options.json:
        Path(options.json).write_text(json.dumps(bench.figures, indent=1))


if __name__ == "__main__":
    main()
