#!/usr/bin/env python3
"""TPC-H or TPC-DS on Iceberg tables, beside DuckDB itself on the same Parquet files, turn about, with the same answers.

  ./dev bench sql [--suite tpch|tpcds] [--scale 1] [--queries 1,6|all] [--rounds 5] [--trino SCRIPT] [--json FILE]

The tables are written by pyiceberg through the REST catalog; DuckDB (the same version as the engine's, the same number
of threads) reads the very data files, copied to the local file system. Times are those of a whole statement at its
client: ours over HTTP with the trino client, DuckDB's in process. The median of the rounds is compared, and the first run
of each, before anything is warm. Then the time of planning alone: of EXPLAIN.

SCRIPT starts and stops a Trino ("start", "stop", with TRINO_PORT, TRINO_DATA and the addresses of S3 and the REST catalog
in the environment). It runs the same statements on the same tables, in the same rounds.
"""
import argparse
import decimal
import http.client
import json
import math
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import typing
import urllib.parse
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/clients"))
warnings.filterwarnings("ignore")

import boto3  # noqa: E402
import duckdb  # noqa: E402
import trino  # noqa: E402
from conftest import make_platform  # noqa: E402
from load_tools import rest  # noqa: E402
from pyiceberg.catalog import load_catalog  # noqa: E402



class Suite(typing.NamedTuple):
    name: str
    generator: str
    ratio_max: float
    rewrites: dict  # query number -> [(pattern, replacement)]: what makes DuckDB's text Trino's
    equivalents: dict  # the same for DuckDB's own: where the text means something else to Trino


SUITES = {
    "tpch": Suite("TPC-H", "dbgen", 1.3, {
        15: [(r"GROUP BY\s+supplier_no", "GROUP BY l_suppkey")],  # grouping by an alias: only DuckDB allows it
    }, {}),
    "tpcds": Suite("TPC-DS", "dsdgen", 2.0, {
        # A text is no date to Trino: the literals say that they are.
        **{number: [(r"'\d{4}-\d\d-\d\d'", r"DATE \g<0>")] for number in (16, 32, 58, 83, 92, 94, 95)},
        72: [(r"d1\.d_date \+ 5", "d1.d_date + INTERVAL '5' DAY")],  # Trino adds intervals to dates, not numbers
    }, {
        # DuckDB's averages and quotients of decimals are doubles, Trino's are decimals. That shows where they are ranked,
        44: [(r"avg\(ss_net_profit\)", "CAST(round(avg(ss_net_profit), 2) AS DECIMAL(7, 2))")],
        58: [(r"(\w+_item_rev/\(\(.*\)/3\)) \* 100", r"round(\1, 6) * 100")],  # or multiplied after they were rounded
    }),
}


def extension(name):
    import duckdb_ext.extensions as folder
    return next(Path(p) for root in folder.__path__ for p in Path(root).rglob(f"{name}.duckdb_extension"))


def generate(suite, scale):
    """A database with the tables, and {number: (Trino's text, DuckDB's text)}, from DuckDB's own extension."""
    source = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    source.execute(f"LOAD '{extension(suite)}'")
    source.execute(f"CALL {SUITES[suite].generator}(sf={scale})")
    queries = {}
    for number, text in source.execute(f"SELECT query_nr, query FROM {suite}_queries()").fetchall():
        text = text.rstrip().rstrip(";")
        queries[number] = texts(suite, number, text)
    return source, queries


def texts(suite, number, text):
    """Trino's text of a query and DuckDB's."""
    def rewritten(rules):
        out = text
        for pattern, replacement in rules.get(number, []):
            out, changed = re.subn(pattern, replacement, out)
            assert changed, f"Q{number} has no {pattern}"
        return out

    return rewritten(SUITES[suite].rewrites), rewritten(SUITES[suite].equivalents)


def load(ready, suite, source, folder):
    """Writes each table to Iceberg and copies its data files to `folder`; returns bytes of Parquet."""
    store = ready["s3"]
    signing = {"aws_access_key_id": store["access_key"], "aws_secret_access_key": store["secret_key"]}
    catalog = load_catalog("bench", type="rest", uri=ready["iceberg_rest"]["uri"], **{
        "s3.endpoint": store["endpoint"], "s3.region": store["region"],
        "s3.access-key-id": store["access_key"], "s3.secret-access-key": store["secret_key"]})
    catalog.create_namespace_if_not_exists(suite)
    s3 = boto3.client("s3", endpoint_url=store["endpoint"], region_name=store["region"], **signing)
    total = 0
    for name, in source.execute("SHOW TABLES").fetchall():
        rows = source.execute(f"SELECT * FROM {name}").fetch_arrow_table()
        table = catalog.create_table(f"{suite}.{name}", rows.schema)
        table.append(rows)
        (folder / name).mkdir()
        for number, task in enumerate(table.scan().plan_files()):
            bucket, key = task.file.file_path.split("://", 1)[1].split("/", 1)
            path = folder / name / f"{number}.parquet"
            s3.download_file(bucket, key, str(path))
            total += path.stat().st_size
    return total


def peer(folder):
    engine = duckdb.connect(config={"threads": os.cpu_count()})
    for table in folder.iterdir():
        engine.execute(f"CREATE VIEW {table.name} AS SELECT * FROM read_parquet('{table}/*.parquet')")
    return engine


class Rival:
    """A Trino on the same tables, for as long as the bench runs."""

    def __init__(self, script, ready, suite):
        store, self.script = ready["s3"], script
        self.data = tempfile.mkdtemp(prefix="aichemy-bench-trino-")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.environment = os.environ | {
            "TRINO_PORT": str(port), "TRINO_DATA": self.data, "TRINO_ICEBERG_REST_URI": ready["iceberg_rest"]["uri"],
            "TRINO_S3_ENDPOINT": store["endpoint"], "TRINO_S3_REGION": store["region"],
            "TRINO_S3_ACCESS_KEY": store["access_key"], "TRINO_S3_SECRET_KEY": store["secret_key"]}
        self.run("start")
        self.client = trino.dbapi.connect(host="127.0.0.1", port=port, user="bench", catalog="iceberg", schema=suite).cursor()

    def run(self, command):
        subprocess.run(["bash", self.script, command], env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        self.run("stop")
        shutil.rmtree(self.data, ignore_errors=True)


def timed(run):
    began = time.perf_counter()
    rows = run()
    return time.perf_counter() - began, rows


def close(x, y):
    """Trino's decimals round where DuckDB has doubles (averages, quotients): one unit of the last digit may differ."""
    decimals = [v for v in (x, y) if isinstance(v, decimal.Decimal)]
    if len(decimals) == 2:
        return x == y
    unit = max([10.0 ** v.as_tuple().exponent for v in decimals], default=0)
    return math.isclose(x, y, rel_tol=1e-9, abs_tol=unit)


def same(a, b):
    """The same rows in any order."""
    def is_number(value):
        return isinstance(value, (float, decimal.Decimal))

    def order(row):
        return [str(v) for v in row if not is_number(v)], [float(v) for v in row if is_number(v)]

    def equal(x, y):
        return close(x, y) if is_number(x) and is_number(y) else str(x) == str(y)

    return len(a) == len(b) and all(
        len(x) == len(y) and all(map(equal, x, y)) for x, y in zip(sorted(a, key=order), sorted(b, key=order)))


def same_unlimited(client, engine, ours, theirs):
    """Where the order leaves ties, LIMIT takes any of them: then the whole answers are compared."""
    limit = r"\s+LIMIT\s+\d+\s*$"
    if not re.search(limit, ours, re.IGNORECASE):
        return False
    whole = [re.sub(limit, "", text, flags=re.IGNORECASE) for text in (ours, theirs)]
    return same(client.execute(whole[0]).fetchall(), engine.execute(whole[1]).fetchall())


class Figures:
    """What one query took: its first run, then the timed ones, by engine."""

    def __init__(self, number, texts):
        self.number, (self.text, self.peer_text) = number, texts
        self.first, self.error = {}, ""
        self.seconds = {"ours": [], "duckdb": [], "trino": []}

    def run(self, engines, warm):
        for name, (client, text) in engines.items():
            try:
                seconds, answer = timed(lambda: client.execute(getattr(self, text)).fetchall())
            except trino.exceptions.TrinoQueryError:
                if name == "trino":
                    continue  # it does not take every text; ours then has nothing beside it
                raise
            if warm:
                self.seconds[name].append(seconds)
            else:
                self.first[name] = seconds
            yield name, answer

    def row(self):
        if self.error:
            return {"query": self.number, "error": self.error}
        row = {"query": self.number} | {f"{name}_s": statistics.median(all) for name, all in self.seconds.items() if all}
        return row | {"ratio": row["ours_s"] / row["duckdb_s"], "first_s": self.first["ours"],
                      "first_ratio": self.first["ours"] / self.first["duckdb"]}


def measure(ready, suite, engine, queries, chosen, rounds, rival):
    """Round after round of all queries. The first is not timed with the others: tables are read from their files then, and
    what is read again is kept in memory (docs/decisions/0149)."""
    host, port = ready["sql"]["http"].removeprefix("http://").split(":")
    client = trino.dbapi.connect(host=host, port=int(port), user="admin", catalog="iceberg", schema=suite).cursor()
    engines = {"duckdb": (engine, "peer_text"), "ours": (client, "text")}
    if rival:
        engines["trino"] = (rival.client, "text")
    figures = [Figures(number, queries[number]) for number in chosen]
    for round in range(rounds + 1):
        for query in figures:
            try:
                answers = dict(query.run(engines, warm=round > 0)) if not query.error else None
            except trino.exceptions.TrinoQueryError as failed:
                query.error = f"{failed.error_name}: {failed.message}"[:110]
                continue
            if answers and not same(answers["ours"], answers["duckdb"]) and \
                    not same_unlimited(client, engine, query.text, query.peer_text):
                query.error = "WRONG ANSWER"
    rows = [query.row() for query in figures]
    for row in rows:
        print(line(row, SUITES[suite].ratio_max), flush=True)
    return rows


def line(row, ratio_max):
    if "error" in row:
        return f"  Q{row['query']:<3} {row['error']}"
    above = "" if row["ratio"] <= ratio_max else f"   above {ratio_max}"
    beside = f"   Trino {row['trino_s'] * 1000:8.1f} ms, {row['trino_s'] / row['ours_s']:.1f} times ours" if "trino_s" in row else ""
    return (f"  Q{row['query']:<3} {row['ours_s'] * 1000:8.1f} ms   DuckDB {row['duckdb_s'] * 1000:8.1f} ms   ratio {row['ratio']:.2f}"
            f"{above}   first run {row['first_s'] * 1000:8.1f} ms, ratio {row['first_ratio']:.2f}{beside}")


PLANNING_MS_MAX = 10  # of every query
PLANNING_ROUNDS = 15


class BareClient:
    """The protocol over one kept connection and nothing else: a client library takes a millisecond of its own."""

    def __init__(self, ready, suite):
        self.link = http.client.HTTPConnection(ready["sql"]["http"].removeprefix("http://"))
        self.headers = {"X-Trino-User": "admin", "X-Trino-Catalog": "iceberg", "X-Trino-Schema": suite}

    def run(self, text):
        page = self.ask("POST", "/v1/statement", text.encode())
        while "nextUri" in page:
            page = self.ask("GET", urllib.parse.urlsplit(page["nextUri"]).path)
        assert "error" not in page, page["error"]

    def ask(self, method, path, body=None):
        self.link.request(method, path, body, self.headers)
        return json.loads(self.link.getresponse().read())


def planning(ready, suite, queries, figures):
    """What EXPLAIN takes at a bare client, after one that warms it: from the text to the plan, and that as text."""
    client = BareClient(ready, suite)
    for row in figures:
        if "ratio" not in row:
            continue
        text = "EXPLAIN " + queries[row["query"]][0]
        took = [timed(lambda: client.run(text))[0] for _ in range(PLANNING_ROUNDS + 1)]
        row["planning_s"] = statistics.median(took[1:])
    planned = sorted((f["planning_s"] * 1000, f["query"]) for f in figures if "planning_s" in f)
    if planned:
        slowest = ", ".join(f"Q{number} {ms:.1f}" for ms, number in reversed(planned[-5:]))
        above = sum(ms > PLANNING_MS_MAX for ms, _ in planned)
        print(f"  planning: median {statistics.median(ms for ms, _ in planned):.1f} ms; the slowest {slowest}"
              f"{f'   {above} above {PLANNING_MS_MAX}' if above else ''}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", choices=list(SUITES), default="tpch")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--queries", default="1,6")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--trino", metavar="SCRIPT", help="a script that starts and stops a Trino, to run beside")
    parser.add_argument("--json")
    parser.add_argument("--keep", action="store_true", help="wait at the end, with the platform running, for a look by hand")
    options = parser.parse_args()
    suite = options.suite
    folder = Path(tempfile.mkdtemp(prefix="aichemy-bench-"))
    platform, rival = make_platform(), None
    try:
        source, queries = generate(suite, options.scale)
        total = load(platform.ready, suite, source, folder)
        source.close()
        chosen = sorted(queries) if options.queries == "all" else [int(q) for q in options.queries.split(",")]
        print(f"{SUITES[suite].name} at scale {options.scale:g}: {total / 1e6:.0f} MB of Parquet, "
              f"median of {options.rounds} rounds after the first")
        if options.trino:
            rival = Rival(options.trino, platform.ready, suite)
        figures = measure(platform.ready, suite, peer(folder), queries, chosen, options.rounds, rival)
        if rival:
            rival.stop()  # a JVM at rest still takes a tenth of a core
            rival = None
        rest(platform)
        planning(platform.ready, suite, queries, figures)
        good = [f for f in figures if "ratio" in f]
        if len(good) > 2:
            ratio = sum(f["ours_s"] for f in good) / sum(f["duckdb_s"] for f in good)
            first = sum(f["first_s"] for f in good) / sum(f["first_s"] / f["first_ratio"] for f in good)
            print(f"  total of the {len(good)} that ran: ratio {ratio:.2f}, first runs {first:.2f}; "
                  f"{len(figures) - len(good)} did not run or were wrong")
            if options.trino:
                both = [f for f in good if "trino_s" in f]
                print(f"  Trino's total of {len(both)}: {sum(f['trino_s'] for f in both) / sum(f['ours_s'] for f in both):.1f} times ours")
        if options.keep:
            input(f"{platform.ready['sql']['http']}, data files in {folder}; Enter ends it: ")
        if options.json:
            Path(options.json).write_text(json.dumps(figures, indent=1))
    finally:
        if rival:
            rival.stop()
        platform.stop()
        shutil.rmtree(platform.data.parent, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
