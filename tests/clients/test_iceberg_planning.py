"""Scans that the REST catalog plans: pyiceberg's own client of it, and the answers themselves.

Needs: pip install 'pyiceberg[s3fs,pyarrow,pyiceberg-core]==0.12.0'
"""
import datetime
import uuid
from decimal import Decimal

import pyarrow as pa
import pytest
import requests
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import (
    AlwaysFalse, And, EqualTo, GreaterThan, GreaterThanOrEqual, In, IsNull, LessThan, Not, NotEqualTo, NotIn, NotNull,
    NotStartsWith, Or, StartsWith,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import DateType, DecimalType, DoubleType, LongType, NestedField, StringType, TimestampType

SCHEMA = Schema(
    NestedField(1, "id", LongType()),
    NestedField(2, "section", StringType()),
    NestedField(3, "at", TimestampType()),
    NestedField(4, "price", DecimalType(12, 2)),
    NestedField(5, "weight", DoubleType()),
    NestedField(6, "day", DateType()),
)
SPEC = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "section"),
                     PartitionField(3, 1001, DayTransform(), "at_day"))
START = datetime.datetime(2024, 1, 1)
FILTERS = [
    EqualTo("section", "net"), NotEqualTo("section", "net"), IsNull("price"), NotNull("price"),
    In("section", ["net", "web"]), NotIn("section", ["net", "web"]), StartsWith("section", "n"), NotStartsWith("section", "n"),
    GreaterThan("id", 25), Not(GreaterThan("id", 25)), And(GreaterThanOrEqual("id", 10), LessThan("id", 12)),
    Or(EqualTo("id", 1), EqualTo("id", 29)), EqualTo("at", "2024-01-02T00:00:00"), LessThan("at", "2024-01-03T00:00:00"),
    EqualTo("price", "3.50"), GreaterThan("weight", 2.5), EqualTo("day", "2024-01-05"), AlwaysFalse(),
]


def load(platform, mode):
    s3 = platform["s3"]
    return load_catalog(mode, type="rest", uri=platform["iceberg_rest"]["uri"], **{
        "s3.endpoint": s3["endpoint"], "s3.access-key-id": s3["access_key"], "s3.secret-access-key": s3["secret_key"],
        "s3.region": s3["region"], "scan-planning-mode": mode})


@pytest.fixture(scope="module")
def tables(platform, running):
    """One table, planned by the client and by the catalog; some of its rows are deleted by position."""
    ours, theirs = load(platform, "server"), load(platform, "client")
    space = "plan_" + uuid.uuid4().hex[:12]
    ours.create_namespace(space)
    table = ours.create_table((space, "t"), SCHEMA, partition_spec=SPEC)
    for start in (0, 10, 20):
        table.append(pa.Table.from_pylist([{
            "id": i, "section": ("net", "web", "mail")[i % 3], "at": START + datetime.timedelta(hours=6 * i),
            "price": None if i % 7 == 6 else Decimal(i) / 2,
            "weight": i / 4, "day": (START + datetime.timedelta(days=i)).date(),
        } for i in range(start, start + 10)], schema=SCHEMA.as_arrow()))
    answer = running.run("sql", "-e", f"DELETE FROM iceberg.{space}.t WHERE id IN (1, 12, 14)")
    assert answer.returncode == 0, answer.stderr
    yield ours.load_table((space, "t")), theirs.load_table((space, "t")), \
        f"{platform['iceberg_rest']['uri']}/v1/namespaces/{space}/tables/t"
    ours.drop_table((space, "t"))
    ours.drop_namespace(space)


@pytest.mark.parametrize("row_filter", FILTERS, ids=str)
def test_the_same_rows_of_the_same_files(tables, row_filter):
    ours, theirs, _ = tables
    assert ours.catalog.supports_server_side_planning() and not theirs.catalog.supports_server_side_planning()
    a, b = ours.scan(row_filter=row_filter), theirs.scan(row_filter=row_filter)
    assert sorted(a.to_arrow()["id"].to_pylist()) == sorted(b.to_arrow()["id"].to_pylist())
    files = [{task.file.file_path: sorted(d.file_path for d in task.delete_files) for task in scan.plan_files()} for scan in (a, b)]
    assert files[0].items() <= files[1].items() or isinstance(row_filter, NotStartsWith), "no file more, the same deletes"


def plan(url, status=200, **body):
    answer = requests.post(url + "/plan", json=body, timeout=30)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_what_an_answer_tells_of_a_file(tables):
    table, _, url = tables
    answer = plan(url, **{"filter": {"type": "eq", "term": "id", "value": 15}, "stats-fields": ["id", "day"]})
    assert answer["status"] == "completed" and answer["plan-tasks"] == []
    [task] = answer["file-scan-tasks"]
    file = task["data-file"]
    assert file["content"] == "data" and file["file-format"] == "parquet" and file["spec-id"] == 0
    assert file["partition"] == ["net", "2024-01-04"], "values in the order of the spec"
    assert file["record-count"] == 2
    assert file["lower-bounds"] == {"keys": [1, 6], "values": [12, "2024-01-13"]}
    assert file["upper-bounds"] == {"keys": [1, 6], "values": [15, "2024-01-16"]}
    assert file["null-value-counts"] == {"keys": [1, 6], "values": [0, 0]}
    [reference] = task["delete-file-references"]
    deleted = answer["delete-files"][reference]
    assert deleted["content"] == "position-deletes" and deleted["partition"] == file["partition"]
    again = requests.get(f"{url}/plan/{answer['plan-id']}", timeout=30)
    assert again.status_code == 200 and again.json() == answer
    assert requests.delete(f"{url}/plan/{answer['plan-id']}", timeout=30).status_code == 204
    gone = requests.get(f"{url}/plan/{answer['plan-id']}", timeout=30)
    assert (gone.status_code, gone.json()["error"]["type"]) == (404, "NoSuchPlanIdException")


def test_a_partition_without_a_value(platform, running):
    """Told as null; pyiceberg 0.12 takes no plans with one."""
    space = "plan_" + uuid.uuid4().hex[:12]
    for statement in (f"CREATE SCHEMA iceberg.{space}",
                      f"CREATE TABLE iceberg.{space}.t (id bigint, part varchar) WITH (partitioning = ARRAY['part'])",
                      f"INSERT INTO iceberg.{space}.t VALUES (1, NULL), (2, 'a')"):
        answer = running.run("sql", "-e", statement)
        assert answer.returncode == 0, answer.stderr
    url = f"{platform['iceberg_rest']['uri']}/v1/namespaces/{space}/tables/t"

    def partitions(**row_filter):
        return sorted((task["data-file"]["partition"] for task in plan(url, **row_filter)["file-scan-tasks"]), key=str)

    assert partitions() == [["a"], [None]]
    assert partitions(filter={"type": "is-null", "term": "part"}) == [[None]]
    assert partitions(filter={"type": "not-eq", "term": "part", "value": "a"}) == [[None]], "readers differ about nulls"
    assert running.run("sql", "-e", f"DROP SCHEMA iceberg.{space} CASCADE").returncode == 0


def test_an_earlier_snapshot(tables):
    table, _, url = tables
    first = table.history()[0].snapshot_id
    files = plan(url, **{"snapshot-id": first, "use-snapshot-schema": True})["file-scan-tasks"]
    assert sum(task["data-file"]["record-count"] for task in files) == 10
    assert all("delete-file-references" not in task for task in files)
    assert "lower-bounds" not in files[0]["data-file"], "nobody asked for them"


def test_what_was_appended_since(tables, running):
    table, _, url = tables
    snapshots = table.refresh().snapshots()
    appends = [s.snapshot_id for s in snapshots if s.summary.operation.value == "append"]
    first, last = appends[0], snapshots[-1].snapshot_id
    assert len(appends) == 3 and last not in appends, "the rows deleted last are no append"

    def paths(**body):
        tasks = plan(url, **body)["file-scan-tasks"]
        assert all("delete-file-references" not in task for task in tasks), "files as they came"
        return {task["data-file"]["file-path"] for task in tasks}

    of = [{task.file.file_path for task in table.scan(snapshot_id=snapshot).plan_files()} for snapshot in appends]
    assert paths(**{"end-snapshot-id": last}) == of[2]
    assert paths(**{"start-snapshot-id": first, "end-snapshot-id": last}) == of[2] - of[0] != set()
    assert paths(**{"start-snapshot-id": first, "end-snapshot-id": appends[1]}) == of[1] - of[0]
    assert paths(**{"start-snapshot-id": appends[2], "end-snapshot-id": last}) == set()
    assert paths(**{"start-snapshot-id": last, "end-snapshot-id": last}) == set()
    few = paths(**{"start-snapshot-id": first, "end-snapshot-id": last, "filter": {"type": "gt", "term": "id", "value": 25}})
    assert set() != few < of[2] - of[0]
    wrong = plan(url, 400, **{"start-snapshot-id": last, "end-snapshot-id": first})
    assert "is not a parent ancestor" in wrong["error"]["message"]
    # Manifests rewritten since hide nothing.
    space = url.split("/")[-3]
    answer = running.run("sql", "-e", f"ALTER TABLE iceberg.{space}.t EXECUTE optimize_manifests")
    assert answer.returncode == 0, answer.stderr
    now = table.refresh().current_snapshot().snapshot_id
    assert paths(**{"start-snapshot-id": first, "end-snapshot-id": now}) == of[2] - of[0]


def test_newer_forms_of_expressions(tables):
    _, _, url = tables

    def files(row_filter, **more):
        return len(plan(url, **{"filter": row_filter}, **more)["file-scan-tasks"])

    every, one = files(True), files({"type": "eq", "term": "id", "value": 13})
    column, literal = {"type": "reference", "name": "id"}, {"type": "literal", "value": 13, "data-type": "long"}
    assert 0 < one < every
    assert files(False) == 0
    assert files({"type": "eq", "left": column, "right": literal}) == one
    assert files({"type": "eq", "left": {"type": "reference", "id": 1}, "right": 13}) == one
    assert files({"type": "in", "child": column, "values": {"type": "literals", "values": [13], "data-type": "long"}}) == one
    assert files({"type": "eq", "term": "ID", "value": 13}, **{"case-sensitive": False}) == one
    assert files({"type": "not", "child": {"type": "not-eq", "term": "id", "value": 13}}) == one
    # What is no plain column says nothing about files.
    assert files({"type": "eq", "term": {"type": "transform", "transform": "bucket[4]", "term": "id"}, "value": 1}) == every


@pytest.mark.parametrize("body, status, kind", [
    ({"filter": {"type": "eq", "term": "none", "value": 1}}, 400, "BadRequestException"),
    ({"filter": {"type": "eq", "term": "ID", "value": 1}}, 400, "BadRequestException"),
    ({"filter": {"type": "eq", "term": "id", "value": "one"}}, 400, "BadRequestException"),
    ({"filter": {"type": "eq", "value": 1}}, 400, "BadRequestException"),
    ({"filter": {"type": "like", "term": "id", "value": 1}}, 400, "BadRequestException"),
    ({"filter": {"type": "in", "term": "id"}}, 400, "BadRequestException"),
    ({"filter": []}, 400, "BadRequestException"),
    ({"select": ["none"]}, 400, "BadRequestException"),
    ({"stats-fields": ["none"]}, 400, "BadRequestException"),
    ({"snapshot-id": 1}, 404, "NotFoundException"),
    ({"start-snapshot-id": 1, "end-snapshot-id": 2}, 404, "NotFoundException"),
    ({"start-snapshot-id": 1}, 400, "BadRequestException"),
    ({"snapshot-id": 1, "end-snapshot-id": 2}, 400, "BadRequestException"),
])
def test_plans_that_cannot_be(tables, body, status, kind):
    answer = plan(tables[2], status, **body)
    assert answer["error"]["type"] == kind


def test_filters_of_many_levels(tables):
    deep = {"type": "eq", "term": "id", "value": 13}
    files = len(plan(tables[2], filter=deep)["file-scan-tasks"])
    for _ in range(150):
        deep = {"type": "not", "child": deep}
    assert len(plan(tables[2], filter=deep)["file-scan-tasks"]) == files
    for _ in range(100):
        deep = {"type": "not", "child": deep}
    plan(tables[2], 400, filter=deep)


@pytest.mark.parametrize("task", ["", "x", "x:1", ":", "00000000-0000-0000-0000-000000000000:2000"])
def test_tasks_that_are_not_there(tables, task):
    answer = requests.post(tables[2] + "/tasks", json={"plan-task": task}, timeout=30)
    expected = (404, "NoSuchPlanTaskException") if task else (400, "BadRequestException")
    assert (answer.status_code, answer.json()["error"]["type"]) == expected


def test_many_files_come_in_pieces(platform, running):
    catalog = load(platform, "server")
    space = "plan_" + uuid.uuid4().hex[:12]
    catalog.create_namespace(space)
    for statement in (f"CREATE TABLE iceberg.{space}.many (id bigint, part bigint) WITH (partitioning = ARRAY['part'])",
                      f"INSERT INTO iceberg.{space}.many SELECT n, n FROM UNNEST(sequence(1, 2100)) AS t(n)"):
        answer = running.run("sql", "-e", statement)
        assert answer.returncode == 0, answer.stderr
    url = f"{platform['iceberg_rest']['uri']}/v1/namespaces/{space}/tables/many"
    first = plan(url)
    assert len(first["file-scan-tasks"]) == 2000 and len(first["plan-tasks"]) == 1
    rest = requests.post(url + "/tasks", json={"plan-task": first["plan-tasks"][0]}, timeout=30).json()
    paths = {task["data-file"]["file-path"] for answer in (first, rest) for task in answer["file-scan-tasks"]}
    assert len(rest["file-scan-tasks"]) == 100 and len(paths) == 2100 and rest["plan-tasks"] == []
    assert len(list(catalog.load_table((space, "many")).scan().plan_files())) == 2100
    catalog.drop_table((space, "many"))
    catalog.drop_namespace(space)
