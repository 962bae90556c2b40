#!/usr/bin/env python3
"""How many small statements, how fast a large result, how quick the metadata of many tables.

  ./dev bench sql_rates [--seconds 5] [--tables 10000] [--json FILE]

SELECT 1 over 1, 8 and 32 kept connections (bench/sql_load.cc, on this machine, sharing its processors); one million rows
of ten columns of an Iceberg table, as pages and as segments, with the processor time the server spent on them;
information_schema.columns over many tables.
"""
import argparse
import json
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/clients"))
warnings.filterwarnings("ignore")

import requests  # noqa: E402
import trino  # noqa: E402
from conftest import make_platform  # noqa: E402

from load_tools import load_tool, processor_seconds, rest  # noqa: E402

LIMITS = {"p50_ms": 1.0, "per_second": 3000, "server_seconds": 0.5, "columns_ms": 300}
ROWS = ("SELECT orderkey, partkey, suppkey, linenumber, quantity, extendedprice, discount, returnflag, shipdate, shipmode "
        "FROM iceberg.rates.lineitem")


def address(platform):
    return platform.ready["sql"]["http"].removeprefix("http://").rstrip("/").split(":")


def small(platform, clients, seconds, statement="SELECT 1"):
    command = [load_tool("sql_load"), *address(platform), str(clients), str(seconds), statement]
    return json.loads(subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout)


def connect(platform, **options):
    host, port = address(platform)
    return trino.dbapi.connect(host=host, port=int(port), user="admin", **options)


def large(platform, encoding):
    """To a client that only takes the bytes: what decodes them is not ours to measure."""
    headers = {"X-Trino-User": "admin", **({"X-Trino-Query-Data-Encoding": encoding} if encoding else {})}
    web = requests.Session()
    before, began, size = processor_seconds(platform), time.perf_counter(), 0
    page = web.post(platform.ready["sql"]["http"] + "/v1/statement", data=ROWS, headers=headers).json()
    while "nextUri" in page:
        answer = web.get(page["nextUri"], headers=headers)
        page = answer.json()
        if not encoding:
            size += len(answer.content)
            continue
        for segment in page.get("data", {}).get("segments", []):
            size += len(web.get(segment["uri"]).content)
            web.get(segment["ackUri"])
    assert "error" not in page, page
    return {"encoding": encoding or "pages", "seconds": time.perf_counter() - began,
            "server_seconds": processor_seconds(platform) - before, "megabytes": size / 1e6}


def columns(platform, tables):
    cursor = connect(platform, catalog="iceberg").cursor()
    cursor.execute("CREATE SCHEMA IF NOT EXISTS iceberg.many").fetchall()
    web, url = requests.Session(), platform.ready["iceberg_rest"]["uri"]
    fields = [{"id": i, "name": f"c{i}", "type": "long", "required": False} for i in range(1, 6)]
    for number in range(tables):
        body = {"name": f"t{number}", "schema": {"type": "struct", "schema-id": 0, "fields": fields}}
        answer = web.post(f"{url}/v1/namespaces/many/tables", json=body)
        assert answer.status_code == 200, answer.text
    took = []
    for _ in range(5):
        began = time.perf_counter()
        (got,) = cursor.execute("SELECT count(*) FROM iceberg.information_schema.columns WHERE table_schema = 'many'").fetchall()
        took.append((time.perf_counter() - began) * 1000)
        assert got[0] == 5 * tables, got
    return {"tables": tables, "first_ms": took[0], "columns_ms": sorted(took)[2]}


def mark(name, value):
    limit = LIMITS[name]
    fine = value >= limit if name == "per_second" else value <= limit
    return "" if fine else f"   beyond {limit:g}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--tables", type=int, default=10_000)
    parser.add_argument("--json")
    options = parser.parse_args()
    platform = make_platform()
    try:
        figures = {"small": [], "large": []}
        small(platform, 4, 1)
        for clients in (1, 8, 32):
            row = small(platform, clients, options.seconds)
            figures["small"].append(row)
            print(f"  SELECT 1, {clients:2} connections  {row['per_second']:6.0f}/s   p50 {row['p50_ms']:.2f} ms  p99 {row['p99_ms']:.2f} ms"
                  + (mark("p50_ms", row["p50_ms"]) if clients == 1 else mark("per_second", row["per_second"])), flush=True)
        cursor = connect(platform).cursor()
        cursor.execute("CREATE SCHEMA iceberg.rates").fetchall()
        cursor.execute("CREATE TABLE iceberg.rates.lineitem AS SELECT * FROM tpch.sf1.lineitem LIMIT 1000000").fetchall()
        for _ in range(2):
            large(platform, "json")
        rest(platform)
        for encoding in (None, "json", "json+lz4", "json+zstd"):
            row = large(platform, encoding)
            figures["large"].append(row)
            print(f"  1,000,000 x 10, {row['encoding']:9}  {row['seconds']:.2f} s, server {row['server_seconds']:.2f} s of processor, "
                  f"{row['megabytes']:.0f} MB" + mark("server_seconds", row["server_seconds"]), flush=True)
        if options.tables:
            row = columns(platform, options.tables)
            figures["columns"] = row
            print(f"  information_schema.columns of {row['tables']} tables  {row['columns_ms']:.0f} ms (first {row['first_ms']:.0f})"
                  + mark("columns_ms", row["columns_ms"]))
        if options.json:
            Path(options.json).write_text(json.dumps(figures, indent=1))
    finally:
        platform.stop()
        shutil.rmtree(platform.data.parent, ignore_errors=True)


if __name__ == "__main__":
    main()
