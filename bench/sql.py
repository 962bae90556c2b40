#!/usr/bin/env python3
"""TPC-H on Iceberg tables, beside DuckDB itself on the same Parquet files, turn about, with the same answers.

  ./dev bench sql [--scale 1] [--queries 1,6|all] [--rounds 5] [--json FILE]

The tables are written by pyiceberg through the REST catalog; DuckDB (the same version as the engine's, the same number
of threads) reads the very data files, copied to the local file system. Times are those of a whole statement at its
client: ours over HTTP with the trino client, DuckDB's in process. The median of the rounds is compared.
"""
import argparse
import decimal
import json
import math
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/clients"))
warnings.filterwarnings("ignore")

import boto3  # noqa: E402
import duckdb  # noqa: E402
import trino  # noqa: E402
from conftest import make_platform  # noqa: E402
from pyiceberg.catalog import load_catalog  # noqa: E402

RATIO_MAX = 1.3
TABLES = "region nation supplier customer part partsupp orders lineitem".split()


def extension(name):
    import duckdb_ext.extensions as folder
    return next(Path(p) for root in folder.__path__ for p in Path(root).rglob(f"{name}.duckdb_extension"))


def generate(scale):
    """The tables and the query texts, from DuckDB's own extension."""
    source = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    source.execute(f"LOAD '{extension('tpch')}'")
    source.execute(f"CALL dbgen(sf={scale})")
    queries = dict(source.execute("SELECT query_nr, query FROM tpch_queries()").fetchall())
    # Q15 groups by an alias, which only DuckDB allows.
    queries[15] = re.sub(r"GROUP BY\s+supplier_no", "GROUP BY l_suppkey", queries[15])
    return source, {number: text.rstrip().rstrip(";") for number, text in queries.items()}


def load(ready, source, folder):
    """Writes each table to Iceberg and copies its data files to `folder`; returns bytes of Parquet."""
    store = ready["s3"]
    signing = {"aws_access_key_id": store["access_key"], "aws_secret_access_key": store["secret_key"]}
    catalog = load_catalog("bench", type="rest", uri=ready["iceberg_rest"]["uri"], **{
        "s3.endpoint": store["endpoint"], "s3.region": store["region"],
        "s3.access-key-id": store["access_key"], "s3.secret-access-key": store["secret_key"]})
    catalog.create_namespace_if_not_exists("tpch")
    s3 = boto3.client("s3", endpoint_url=store["endpoint"], region_name=store["region"], **signing)
    total = 0
    for name in TABLES:
        rows = source.execute(f"SELECT * FROM {name}").fetch_arrow_table()
        table = catalog.create_table(f"tpch.{name}", rows.schema)
        table.append(rows)
        for number, task in enumerate(table.scan().plan_files()):
            bucket, key = task.file.file_path.split("://", 1)[1].split("/", 1)
            path = folder / f"{name}-{number}.parquet"
            s3.download_file(bucket, key, str(path))
            total += path.stat().st_size
    return total


def peer(folder):
    engine = duckdb.connect(config={"threads": os.cpu_count()})
    for name in TABLES:
        engine.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder}/{name}-*.parquet')")
    return engine


def timed(run):
    began = time.perf_counter()
    rows = run()
    return time.perf_counter() - began, rows


def same(a, b):
    """The same rows in any order; a decimal of ours may be DuckDB's double (averages), so numbers are compared as such."""
    def is_number(value):
        return isinstance(value, (float, decimal.Decimal))

    def order(row):
        return [str(v) for v in row if not is_number(v)], [float(v) for v in row if is_number(v)]

    def equal(x, y):
        return math.isclose(x, y, rel_tol=1e-4, abs_tol=0.01) if is_number(x) or is_number(y) else str(x) == str(y)

    return len(a) == len(b) and all(
        len(x) == len(y) and all(map(equal, x, y)) for x, y in zip(sorted(a, key=order), sorted(b, key=order)))


def measure(ready, engine, queries, chosen, rounds):
    host, port = ready["sql"]["http"].removeprefix("http://").split(":")
    client = trino.dbapi.connect(host=host, port=int(port), user="admin", catalog="iceberg", schema="tpch").cursor()
    figures = []
    for number in chosen:
        ours, theirs, error = [], [], ""
        try:
            for _ in range(rounds):
                seconds, expected = timed(lambda: engine.execute(queries[number]).fetchall())
                theirs.append(seconds)
                seconds, answer = timed(lambda: client.execute(queries[number]).fetchall())
                ours.append(seconds)
            if not same(answer, expected):
                error = "WRONG ANSWER"
        except trino.exceptions.TrinoQueryError as failed:
            error = f"{failed.error_name}: {failed.message}"[:70]
        if error:
            print(f"  Q{number:<3} {error}")
            figures.append({"query": number, "error": error})
            continue
        row = {"query": number, "ours_s": statistics.median(ours), "duckdb_s": statistics.median(theirs)}
        row["ratio"] = row["ours_s"] / row["duckdb_s"]
        figures.append(row)
        print(f"  Q{number:<3} {row['ours_s'] * 1000:8.1f} ms   DuckDB {row['duckdb_s'] * 1000:8.1f} ms   ratio {row['ratio']:.2f}"
              f"{'' if row['ratio'] <= RATIO_MAX else '   above ' + str(RATIO_MAX)}", flush=True)
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--queries", default="1,6")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    parser.add_argument("--keep", action="store_true", help="wait at the end, with the platform running, for a look by hand")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="aichemy-bench-"))
    platform = make_platform()
    try:
        source, queries = generate(options.scale)
        total = load(platform.ready, source, folder)
        source.close()
        chosen = sorted(queries) if options.queries == "all" else [int(q) for q in options.queries.split(",")]
        print(f"TPC-H at scale {options.scale:g}: {total / 1e6:.0f} MB of Parquet, median of {options.rounds} rounds")
        figures = measure(platform.ready, peer(folder), queries, chosen, options.rounds)
        good = [f for f in figures if "ratio" in f]
        if len(good) > 2:
            ratio = sum(f["ours_s"] for f in good) / sum(f["duckdb_s"] for f in good)
            print(f"  total of the {len(good)} that ran: ratio {ratio:.2f}; {len(figures) - len(good)} did not run or were wrong")
        if options.keep:
            input(f"{platform.ready['sql']['http']}, data files in {folder}; Enter ends it: ")
        if options.json:
            Path(options.json).write_text(json.dumps(figures, indent=1))
    finally:
        platform.stop()
        shutil.rmtree(platform.data.parent, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
