"""Many statements at once: resource groups, limits, killing, abandoned clients, progress; over the protocol itself and
through the trino Python client, against platforms started with the settings that each test needs."""
import json
import shutil
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from conftest import make_platform

trino = pytest.importorskip("trino")

GROUPS = {
    "rootGroups": [{
        "name": "global", "softMemoryLimit": "100%", "hardConcurrencyLimit": 3, "maxQueued": 6, "schedulingPolicy": "weighted_fair",
        "subGroups": [
            {"name": "etl", "hardConcurrencyLimit": 1, "maxQueued": 2, "schedulingWeight": 1},
            {"name": "people", "hardConcurrencyLimit": 2, "maxQueued": 3, "schedulingWeight": 2, "subGroups": [
                {"name": "${USER}", "hardConcurrencyLimit": 1, "maxQueued": 2}]}]}],
    "selectors": [
        {"source": "etl", "group": "global.etl"},
        {"user": "(?<name>[a-z]+)", "group": "global.people.${USER}"}],
}
# Runs until it is stopped.
LONG = "SELECT count(*) FROM tpch.sf100.lineitem a, tpch.sf1.nation b WHERE a.comment LIKE '%x%y%z%' || b.name"


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    folder = tmp_path_factory.mktemp("groups")
    (folder / "groups.json").write_text(json.dumps(GROUPS))
    platform = make_platform([f"sql.resource_groups={folder / 'groups.json'}", "sql.client_timeout=6s", "sql.memory=512MB"])
    yield platform
    platform.kill()
    shutil.rmtree(platform.data.parent, ignore_errors=True)


class Statement:
    """One statement by hand: a page a step."""

    def __init__(self, platform, sql, user="ann", **headers):
        self.headers = {"X-Trino-User": user, **{f"X-Trino-{k.replace('_', '-')}": v for k, v in headers.items()}}
        self.web = requests.Session()
        answer = self.web.post(platform.ready["sql"]["http"] + "/v1/statement", data=sql.encode(), headers=self.headers)
        assert answer.status_code == 200, answer.text
        self.page, self.rows, self.states = answer.json(), [], []
        self.id = self.page["id"]

    def step(self):
        self.page = self.web.get(self.page["nextUri"], headers=self.headers).json()
        self.rows += self.page.get("data", [])
        self.states.append(self.page["stats"]["state"])
        return self.page

    def until(self, state, seconds=20):
        end = time.monotonic() + seconds
        while self.page["stats"]["state"] != state and "nextUri" in self.page and time.monotonic() < end:
            self.step()
        assert self.page["stats"]["state"] == state, self.page
        return self

    def finish(self):
        while "nextUri" in self.page:
            self.step()
        return self

    def cancel(self):
        if "nextUri" in self.page:
            assert self.web.delete(self.page["nextUri"]).status_code == 204

    @property
    def error(self):
        return self.page.get("error", {}).get("errorName")


def connect(platform, **options):
    host, port = platform.ready["sql"]["http"].removeprefix("http://").rstrip("/").split(":")
    return trino.dbapi.connect(host=host, port=int(port), user=options.pop("user", "admin"), **options)


def run(platform, sql, **options):
    cursor = connect(platform, **options).cursor()
    return cursor.execute(sql).fetchall()


def state_of(platform, query):
    return run(platform, f"SELECT state, error_code FROM system.runtime.queries WHERE query_id = '{query}'", user="other")[0]


# ---- resource groups -----------------------------------------------------------------------------------------


def test_groups_queue_and_refuse(limited):
    first = Statement(limited, LONG, user="ann").until("RUNNING")
    waiting = [Statement(limited, "SELECT 1", user="ann") for _ in range(2)]
    for one in waiting:
        assert one.step()["stats"]["state"] == "QUEUED" and one.page["stats"]["queued"] is True
    refused = Statement(limited, "SELECT 1", user="ann").finish()
    assert refused.error == "QUERY_QUEUE_FULL"
    assert refused.page["error"]["message"] == 'Too many queued queries for "global.people.ann"'
    assert refused.page["error"]["errorType"] == "INSUFFICIENT_RESOURCES"
    # Another user's group is free.
    assert Statement(limited, "SELECT 2", user="bob").finish().rows == [[2]]
    shown = run(limited, f"SELECT resource_group_id FROM system.runtime.queries WHERE query_id = '{first.id}'", user="bob")
    assert shown == [[["global", "people", "ann"]]]
    group = requests.get(limited.ready["sql"]["http"] + "/v1/resourceGroupState/global.people.ann",
                         headers={"X-Trino-User": "bob"}).json()
    assert group["numRunningQueries"] == 1 and group["numQueuedQueries"] == 2
    first.cancel()
    for one in waiting:
        assert one.finish().rows == [[1]]
    unmatched = Statement(limited, "SELECT 1", user="UPPER").finish()
    assert unmatched.error == "QUERY_REJECTED"


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "groups.json").write_text('{"rootGroups": [{"name": "g", "hardConcurrencyLimit": 1}], "selectors": []}')
    with pytest.raises(RuntimeError, match="maxQueued must be a whole number"):
        make_platform([f"sql.resource_groups={tmp_path / 'groups.json'}"])


# ---- limits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name,kind", [("query_max_run_time", "run"), ("query_max_execution_time", "execution")])
def test_limits_of_time(limited, name, kind):
    began = time.monotonic()
    late = Statement(limited, LONG, user="carl", Session=f"{name}=500ms").finish()
    assert late.error == "EXCEEDED_TIME_LIMIT" and time.monotonic() - began < 5
    assert late.page["error"]["message"] == f"Query exceeded the maximum {kind} time limit of 500.00ms"


def test_too_much_memory_fails_the_statement_only(limited):
    """Half a gigabyte for all; what cannot be spilled fails, and the platform lives."""
    hungry = Statement(limited, "SELECT cardinality(array_agg(l.comment || p.comment)) FROM tpch.sf10.lineitem l, "
                                "tpch.tiny.part p WHERE p.partkey < 10", user="dora").finish()
    assert hungry.error == "EXCEEDED_LOCAL_MEMORY_LIMIT", hungry.page.get("error")
    assert Statement(limited, "SELECT 1", user="dora").finish().rows == [[1]]


def test_a_sort_larger_than_memory_spills(limited):
    got = Statement(limited, "SELECT count(*), min(c) FROM (SELECT comment AS c, row_number() OVER (ORDER BY comment, orderkey) AS n "
                             "FROM tpch.sf1.lineitem) WHERE n > 5000000", user="emil").finish()
    assert got.error is None and got.rows[0][0] == 1001215, got.page.get("error")


def test_too_much_spilled_fails_the_statement_only():
    platform = make_platform(["sql.memory=128MB", "sql.spill=16MB"])
    try:
        big = Statement(platform, "SELECT count(*) FROM (SELECT comment, row_number() OVER (ORDER BY comment) AS n "
                                  "FROM tpch.sf1.lineitem) WHERE n % 2 = 0", user="dora").finish()
        assert big.error == "EXCEEDED_SPILL_LIMIT", big.page.get("error")
        assert "sql.spill" in big.page["error"]["message"]
        assert Statement(platform, "SELECT 1", user="dora").finish().rows == [[1]]
    finally:
        platform.kill()
        shutil.rmtree(platform.data.parent, ignore_errors=True)


# ---- killing and abandoning ----------------------------------------------------------------------------------


def test_kill_by_procedure_by_delete_and_by_web(limited):
    http, headers = limited.ready["sql"]["http"], {"X-Trino-User": "admin"}
    ways = {
        "procedure": lambda q: run(limited, f"CALL system.runtime.kill_query(query_id => '{q}', message => 'enough')", user="admin"),
        "delete": lambda q: requests.delete(f"{http}/v1/query/{q}", headers=headers).raise_for_status(),
        "put": lambda q: requests.put(f"{http}/v1/query/{q}/killed", data="enough", headers=headers).raise_for_status(),
        "ui": lambda q: requests.put(f"{http}/ui/api/query/{q}/killed", data="enough", headers=headers).raise_for_status(),
        "preempted": lambda q: requests.put(f"{http}/v1/query/{q}/preempted", data="enough", headers=headers).raise_for_status(),
    }
    expected = {"delete": ("USER_CANCELED", "Query was canceled"),
                "preempted": ("ADMINISTRATIVELY_PREEMPTED", "Query preempted. Message: enough")}
    for way, kill in ways.items():
        victim = Statement(limited, LONG, user="frida").until("RUNNING")
        kill(victim.id)
        victim.finish()
        name, message = expected.get(way, ("ADMINISTRATIVELY_KILLED", "Query killed. Message: enough"))
        assert (victim.error, victim.page["error"]["message"]) == (name, message), way
    with pytest.raises(trino.exceptions.TrinoUserError, match="Target query not found: 20000101_000000_00000_aaaaa"):
        run(limited, "CALL system.runtime.kill_query('20000101_000000_00000_aaaaa', 'x')", user="admin")


def test_an_abandoned_statement_ends(limited):
    """client_timeout is six seconds; soon after everything is free."""
    left = Statement(limited, LONG, user="gina").until("RUNNING")
    waiting = Statement(limited, "SELECT 1", user="gina")
    began = time.monotonic()
    until = began + 20
    while time.monotonic() < until:  # the one that waits keeps asking, and gets its turn
        if waiting.step()["stats"]["state"] == "FINISHED":
            break
    assert waiting.rows == [[1]] and 5 < time.monotonic() - began < 12
    assert state_of(limited, left.id) == ["FAILED", "ABANDONED_QUERY"]


def test_statistics_move(limited):
    """What a progress bar shows."""
    one = Statement(limited, "SELECT max(comment) FROM tpch.sf10.lineitem", user="hugo")
    seen = []
    while "nextUri" in one.page and len(seen) < 400:
        seen.append(one.step()["stats"])
        if len({s.get("progressPercentage") for s in seen}) > 3:
            break
    one.cancel()
    percent = [s["progressPercentage"] for s in seen if "progressPercentage" in s]
    assert percent == sorted(percent) and len(set(percent)) >= 3, percent
    assert seen[-1]["totalSplits"] > 1 and seen[-1]["processedRows"] > 0
    assert seen[-1]["rootStage"]["totalSplits"] == seen[-1]["totalSplits"]


# ---- memory of one statement ---------------------------------------------------------------------------------


MANY_GROUPS = "SELECT count(*) FROM (SELECT orderkey, comment, count(*) c FROM tpch.sf1.orders GROUP BY 1, 2)"


def error_of(platform, sql, **properties):
    session = ",".join(f"{name}={value}" for name, value in properties.items())
    page = Statement(platform, sql, Session=session).finish().page
    return (page["error"]["errorName"], page["error"]["message"]) if "error" in page else None


def test_memory_of_one_query(plain):
    """A limit that a query reaches ends it and no other."""
    name, message = error_of(plain, MANY_GROUPS, query_max_memory_per_node="20MB")
    assert name == "EXCEEDED_LOCAL_MEMORY_LIMIT" and message.startswith("Query exceeded per-node memory limit of 20MB [")
    assert error_of(plain, MANY_GROUPS, query_max_memory="20MB") == (
        "EXCEEDED_GLOBAL_MEMORY_LIMIT", "Query exceeded distributed user memory limit of 20MB")
    assert error_of(plain, MANY_GROUPS, query_max_memory="1GB", query_max_total_memory="20MB") == (
        "EXCEEDED_GLOBAL_MEMORY_LIMIT", "Query exceeded distributed total memory limit of 20MB")
    assert error_of(plain, "SELECT count(*) FROM tpch.tiny.nation", query_max_memory="20MB") is None
    assert error_of(plain, MANY_GROUPS, query_max_memory="1GB") is None
    sort = "SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY comment, orderkey) r FROM tpch.sf1.orders) WHERE r > 5"
    assert error_of(plain, sort, query_max_memory="100MB")[0] == "EXCEEDED_GLOBAL_MEMORY_LIMIT"
    assert error_of(plain, sort, query_max_memory="100MB", spill_enabled="true") is None
    assert error_of(plain, MANY_GROUPS, query_max_memory="0B")[0] == "EXCEEDED_GLOBAL_MEMORY_LIMIT"
    # Others beside it go on.
    with ThreadPoolExecutor(4) as pool:
        small = [pool.submit(error_of, plain, MANY_GROUPS, query_max_memory="20MB") for _ in range(3)]
        assert error_of(plain, MANY_GROUPS) is None
        assert {s.result()[0] for s in small} == {"EXCEEDED_GLOBAL_MEMORY_LIMIT"}


def test_memory_of_one_write(plain):
    assert Statement(plain, "CREATE SCHEMA IF NOT EXISTS iceberg.bounded").finish().page["stats"]["state"] == "FINISHED"
    table = "CREATE TABLE iceberg.bounded.t AS SELECT orderkey, comment, count(*) c FROM tpch.sf1.orders GROUP BY 1, 2"
    assert error_of(plain, table, query_max_memory="20MB")[0] == "EXCEEDED_GLOBAL_MEMORY_LIMIT"
    assert error_of(plain, "SELECT * FROM iceberg.bounded.t")[0] == "TABLE_NOT_FOUND"
    assert error_of(plain, "CREATE TABLE iceberg.bounded.t AS SELECT 1 a", query_max_memory="100MB") is None
    assert error_of(plain, "UPDATE iceberg.bounded.t SET a = 2", query_max_memory="100MB") is None
    assert Statement(plain, "SELECT a FROM iceberg.bounded.t", Session="query_max_memory=50MB").finish().rows == [[2]]


def test_memory_of_one_query_over_other_sources(plain):
    """The database of a limited statement reads what that of all statements reads."""
    assert error_of(plain, "CREATE SCHEMA IF NOT EXISTS hive.bounded") is None
    for form in ("PARQUET", "TEXTFILE", "CSV", "JSON"):
        made = f"CREATE TABLE IF NOT EXISTS hive.bounded.{form} (a varchar) WITH (format = '{form}')"
        assert error_of(plain, made) is None
        read = Statement(plain, f"SELECT count(*), max(a) FROM hive.bounded.{form}", Session="query_max_memory=50MB").finish()
        assert read.rows == [[0, None]]
    assert error_of(plain, "SELECT count(*) FROM kafka.system.queries", query_max_memory="50MB") is None


def test_memory_that_others_hold(plain):
    """Limits are reserved: together they are never more than there is."""
    held = [Statement(plain, LONG, Session="query_max_memory=900MB").until("RUNNING") for _ in range(2)]
    try:
        name, message = error_of(plain, "SELECT 1", query_max_memory="900MB")
        assert name == "CLUSTER_OUT_OF_MEMORY" and "out of memory" in message
        assert error_of(plain, "SELECT 1") is None
    finally:
        for one in held:
            one.cancel()
    end = time.monotonic() + 10
    while error_of(plain, "SELECT 1", query_max_memory="900MB") is not None and time.monotonic() < end:
        pass
    assert error_of(plain, "SELECT 1", query_max_memory="900MB") is None


# ---- together ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain():
    platform = make_platform(["sql.running_max=16", "sql.queued_max=1000"])
    yield platform
    platform.kill()
    shutil.rmtree(platform.data.parent, ignore_errors=True)


def test_small_beside_large(plain):
    """SELECT 1 while a scan takes every core."""
    large = Statement(plain, LONG).until("RUNNING")
    keeper = threading.Event()

    def heartbeat():
        while not keeper.is_set() and "nextUri" in large.page:
            large.step()

    thread = threading.Thread(target=heartbeat)
    thread.start()
    try:
        took = []
        for _ in range(40):
            began = time.perf_counter()
            assert Statement(plain, "SELECT 1").finish().rows == [[1]]
            took.append(time.perf_counter() - began)
        assert statistics.median(took) < 0.05, sorted(took)
    finally:
        keeper.set()
        large.cancel()
        thread.join()


def test_two_hundred_clients(plain):
    """Mixed statements over 200 connections."""
    statements = ["SELECT 1", "SELECT count(*) FROM tpch.tiny.lineitem", "SHOW CATALOGS", "SELECT nope",
                  "SELECT orderkey, comment FROM tpch.tiny.orders LIMIT 3000"]

    def client(number):
        outcomes = []
        for i in range(5):
            statement = statements[(number + i) % len(statements)]
            outcomes.append((statement, Statement(plain, statement).finish()))
        return outcomes

    with ThreadPoolExecutor(200) as pool:
        for outcomes in pool.map(client, range(200)):
            for statement, done in outcomes:
                if statement == "SELECT nope":
                    assert done.error == "COLUMN_NOT_FOUND"
                else:
                    assert done.error is None and done.page["stats"]["state"] == "FINISHED", done.page
                if "LIMIT 3000" in statement:
                    assert len(done.rows) == 3000


def test_a_thousand_queued(plain):
    blockers = [Statement(plain, LONG).until("RUNNING", 60) for _ in range(16)]
    with ThreadPoolExecutor(32) as pool:
        waiting = list(pool.map(lambda _: Statement(plain, "SELECT 1"), range(1000)))
        assert Statement(plain, "SELECT 1").finish().error == "QUERY_QUEUE_FULL"
        for one in blockers:
            one.cancel()
        done = list(pool.map(lambda one: one.finish(), waiting))
    assert all(one.rows == [[1]] for one in done)


def resident(platform):
    status = open(f"/proc/{platform.process.pid}/status").read()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


@pytest.mark.parametrize("encoding", [None, "json+zstd"])
def test_a_slow_client_costs_little(plain, encoding):
    """Ten gigabytes of rows to a client that takes a page now and then."""
    headers = {"Query_Data_Encoding": encoding} if encoding else {}
    before = resident(plain)
    slow = Statement(plain, "SELECT * FROM tpch.sf10.lineitem", **headers)
    for _ in range(8):
        slow.step()
        time.sleep(0.3)
    grown = resident(plain) - before
    slow.cancel()
    assert grown < 700 << 20, f"{grown >> 20} MB"
