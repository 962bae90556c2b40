"""pyiceberg against the Iceberg REST catalog: create, write, scan, evolve, delete, views, conflicts.

Needs: pip install 'pyiceberg[s3fs,pyarrow,pyiceberg-core]==0.12.0' aiobotocore==3.10.0 boto3==1.43.117
"""
import datetime
import shutil
import threading
import time
import uuid

import boto3
import botocore.config
import botocore.exceptions
import pyarrow as pa
import pytest
import requests
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.expressions import EqualTo, GreaterThan
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform, TruncateTransform
from pyiceberg.types import (
    IntegerType, ListType, LongType, MapType, NestedField, StringType, StructType, TimestampType,
)
from pyiceberg.view.metadata import SQLViewRepresentation, ViewVersion

from conftest import make_platform

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "section", StringType()),
    NestedField(3, "ts", TimestampType()),
    NestedField(4, "amount", IntegerType()),
    NestedField(5, "info", StructType(NestedField(6, "tags", ListType(7, StringType(), element_required=False)))),
    NestedField(8, "counts", MapType(9, StringType(), 10, IntegerType(), value_required=False)),
)
SPEC = PartitionSpec(
    PartitionField(2, 1000, IdentityTransform(), "section"),
    PartitionField(1, 1001, BucketTransform(4), "id_bucket"),
    PartitionField(3, 1002, DayTransform(), "ts_day"),
    PartitionField(4, 1003, TruncateTransform(2), "amount_2"),
)


def rows(schema, start, count):
    return pa.Table.from_pylist([{
        "id": i,
        "section": ("net", "web", None)[i % 3],
        "ts": datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=9 * i),
        "amount": i,
        "info": {"tags": ["a", None]},
        "counts": {"one": i},
    } for i in range(start, start + count)], schema=schema.as_arrow())


@pytest.fixture
def catalog(platform):
    s3 = platform["s3"]
    properties = dict(platform.get("pyiceberg", {}))
    if not properties:
        properties = {"s3.endpoint": s3["endpoint"], "s3.access-key-id": s3["access_key"],
                      "s3.secret-access-key": s3["secret_key"], "s3.region": s3["region"]}
    return load_catalog("aichemy", type="rest", uri=platform["iceberg_rest"]["uri"], **properties)


@pytest.fixture
def space(catalog):
    name = "ns_" + uuid.uuid4().hex[:12]
    catalog.create_namespace(name, {"owner": "tests"})
    yield name
    for table in catalog.list_tables(name):
        catalog.drop_table(table)
    for view in catalog.list_views(name):
        catalog.drop_view(view)
    catalog.drop_namespace(name)


def ids(table, **scan):
    return sorted(table.scan(**scan).to_arrow()["id"].to_pylist())


def test_namespaces(catalog, space):
    assert (space,) in catalog.list_namespaces()
    assert catalog.namespace_exists(space)
    assert not catalog.namespace_exists("no_such_namespace")
    assert catalog.load_namespace_properties(space)["owner"] == "tests"
    with pytest.raises(NamespaceAlreadyExistsError):
        catalog.create_namespace(space)
    with pytest.raises(NoSuchNamespaceError):
        catalog.load_namespace_properties("no_such_namespace")
    summary = catalog.update_namespace_properties(space, removals={"owner", "absent"}, updates={"a": "ä"})
    assert (summary.updated, summary.removed, summary.missing) == (["a"], ["owner"], ["absent"])
    # Where new tables go is said even when nobody set it: Trino names their folders itself.
    assert catalog.load_namespace_properties(space) == {"a": "ä", "location": f"s3://warehouse/{space}"}
    catalog.update_namespace_properties(space, updates={"location": "s3://warehouse/elsewhere"})
    assert catalog.load_namespace_properties(space)["location"] == "s3://warehouse/elsewhere"
    nested = (space, "inner level")
    catalog.create_namespace(nested)
    assert catalog.list_namespaces(space) == [nested]
    with pytest.raises(NamespaceNotEmptyError):
        catalog.drop_namespace(space)
    catalog.drop_namespace(nested)


def test_create_append_scan(catalog, space):
    table = catalog.create_table((space, "t"), SCHEMA)
    assert catalog.table_exists((space, "t"))
    assert ids(table) == []
    table.append(rows(table.schema(), 0, 10))
    table.append(rows(table.schema(), 10, 10))
    table = catalog.load_table((space, "t"))
    assert ids(table) == list(range(20))
    assert ids(table, row_filter=GreaterThan("id", 14)) == [15, 16, 17, 18, 19]
    first = table.history()[0].snapshot_id
    assert ids(table, snapshot_id=first) == list(range(10))
    assert table.metadata.current_snapshot().summary["total-records"] == "20"
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table((space, "t"), SCHEMA)
    with pytest.raises(NoSuchTableError):
        catalog.load_table((space, "nothing"))


def test_partitions(catalog, space):
    table = catalog.create_table((space, "parted"), SCHEMA, partition_spec=SPEC)
    table.append(rows(table.schema(), 0, 30))
    table = catalog.load_table((space, "parted"))
    assert ids(table) == list(range(30))
    assert ids(table, row_filter=EqualTo("section", "net")) == list(range(0, 30, 3))
    for task in table.scan(row_filter=EqualTo("section", "net")).plan_files():
        assert task.file.partition[0] == "net"


def test_evolve(catalog, space):
    table = catalog.create_table((space, "evolving"), SCHEMA)
    table.append(rows(table.schema(), 0, 3))
    with table.update_schema() as update:
        update.add_column("extra", IntegerType(), doc="added later")
        update.rename_column("amount", "share")
        update.delete_column("counts")
    with table.update_spec() as update:
        update.add_field("section", IdentityTransform(), "by_section")
    with table.transaction() as transaction:
        transaction.set_properties({"one": "1"})
        transaction.set_properties({"two": "2"})
    table = catalog.load_table((space, "evolving"))
    assert [field.name for field in table.schema().fields] == ["id", "section", "ts", "share", "info", "extra"]
    assert table.properties["two"] == "2"
    more = rows(SCHEMA, 3, 3).drop_columns(["counts"]).rename_columns(["id", "section", "ts", "share", "info"])
    more = more.append_column("extra", pa.array([7, 8, 9], pa.int32()))
    table.append(more)
    answer = catalog.load_table((space, "evolving")).scan().to_arrow().sort_by("id")
    assert answer["extra"].to_pylist() == [None, None, None, 7, 8, 9]
    assert answer["share"].to_pylist() == [0, 1, 2, 3, 4, 5]


def test_delete_and_overwrite(catalog, space):
    table = catalog.create_table((space, "deletes"), SCHEMA, partition_spec=SPEC)
    table.append(rows(table.schema(), 0, 12))
    table.delete(EqualTo("id", 5))
    table.delete(EqualTo("section", "web"))
    assert ids(catalog.load_table((space, "deletes"))) == [i for i in range(12) if i % 3 != 1 and i != 5]
    table.overwrite(rows(table.schema(), 100, 2))
    assert ids(catalog.load_table((space, "deletes"))) == [100, 101]


def test_staged_create(catalog, space):
    with catalog.create_table_transaction((space, "staged"), SCHEMA, partition_spec=SPEC) as transaction:
        assert not catalog.table_exists((space, "staged"))
        with transaction.update_snapshot().fast_append():
            pass
        transaction.set_properties({"made": "in one step"})
    assert catalog.load_table((space, "staged")).properties["made"] == "in one step"


def test_rename_register_drop(catalog, space):
    table = catalog.create_table((space, "first"), SCHEMA)
    table.append(rows(table.schema(), 0, 4))
    catalog.rename_table((space, "first"), (space, "second"))
    assert not catalog.table_exists((space, "first"))
    table = catalog.load_table((space, "second"))
    assert ids(table) == [0, 1, 2, 3]
    location = table.metadata_location
    catalog.drop_table((space, "second"))
    assert not catalog.table_exists((space, "second"))
    assert ids(catalog.register_table((space, "third"), location)) == [0, 1, 2, 3]
    catalog.purge_table((space, "third"))
    with pytest.raises(NoSuchTableError):
        catalog.load_table((space, "third"))


def one_view(space):
    version = ViewVersion(
        version_id=1, schema_id=1, timestamp_ms=1_700_000_000_000, summary={"engine-name": "pyiceberg"},
        representations=[SQLViewRepresentation(type="sql", sql="SELECT 1 AS id", dialect="trino")],
        default_namespace=[space])
    return Schema(NestedField(1, "id", LongType()), schema_id=1), version


def test_unregistered_names_come_back(platform, catalog, space):
    table = catalog.create_table((space, "t"), SCHEMA, partition_spec=SPEC)
    table.append(rows(table.schema(), 0, 10))
    catalog.create_view((space, "v"), *one_view(space))
    base = f"{platform['iceberg_rest']['uri']}/v1/namespaces/{space}"
    place = table.metadata_location
    told = requests.post(f"{base}/tables/t/unregister", json={}, timeout=10)
    assert told.status_code == 200, told.text
    assert told.json()["metadata-location"] == place
    assert told.json()["metadata"]["table-uuid"] == str(table.metadata.table_uuid)
    assert not catalog.table_exists((space, "t"))
    again = requests.post(f"{base}/tables/t/unregister", json={}, timeout=10)
    assert (again.status_code, again.json()["error"]["type"]) == (404, "NoSuchTableException")
    back = catalog.register_table((space, "t2"), told.json()["metadata-location"])
    assert len(back.scan().to_arrow()) == 10
    view = requests.get(f"{base}/views/v", timeout=10).json()
    place = view["metadata-location"]
    other = {"name": "v2", "metadata-location": place}
    registered = requests.post(f"{base}/register-view", json=other, timeout=10)
    assert registered.status_code == 200, registered.text
    assert registered.json() == view and catalog.view_exists((space, "v2"))
    taken = requests.post(f"{base}/register-view", json=other, timeout=10)
    assert (taken.status_code, taken.json()["error"]["type"]) == (409, "AlreadyExistsException")
    for body, status in (({"name": "v3"}, 400), ({"name": "v3", "metadata-location": place + "x"}, 404)):
        assert requests.post(f"{base}/register-view", json=body, timeout=10).status_code == status
    for name in ("v", "v2"):
        catalog.drop_view((space, name))


def test_branches_and_tags(catalog, space):
    table = catalog.create_table((space, "refs"), SCHEMA)
    table.append(rows(table.schema(), 0, 2))
    first = table.current_snapshot().snapshot_id
    table.manage_snapshots().create_tag(first, "v1").create_branch(first, "dev").commit()
    table.append(rows(table.schema(), 2, 2))
    table = catalog.load_table((space, "refs"))
    assert table.snapshot_by_name("v1").snapshot_id == first
    assert ids(table, snapshot_id=first) == [0, 1]
    assert ids(table) == [0, 1, 2, 3]


def test_a_stale_writer_gets_a_conflict(catalog, space):
    catalog.create_table((space, "raced"), SCHEMA)
    one = catalog.load_table((space, "raced"))
    two = catalog.load_table((space, "raced"))
    with one.update_schema() as update:
        update.add_column("a", IntegerType())
    with pytest.raises(CommitFailedException):
        with two.update_schema() as update:
            update.add_column("b", IntegerType())


def test_parallel_appends_are_all_there(catalog, space):
    catalog.create_table((space, "busy"), SCHEMA, properties={"commit.retry.num-retries": "50"})
    writers, appends = 4, 5

    def write(writer):
        table = catalog.load_table((space, "busy"))
        for i in range(appends):
            start = (writer * appends + i) * 10
            for _ in range(200):
                try:
                    table.append(rows(table.schema(), start, 10))
                    break
                except CommitFailedException:
                    table.refresh()
            else:
                raise AssertionError("no commit in 200 attempts")

    failures = []

    def guarded(writer):
        try:
            write(writer)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert ids(catalog.load_table((space, "busy"))) == list(range(writers * appends * 10))


def test_odd_names(catalog, space):
    for name in ("with space", "ünï", "a/b", "q?x=1&y", "100%", "dot.ted"):
        table = catalog.create_table((space, name), SCHEMA)
        table.append(rows(table.schema(), 0, 1))
        assert ids(catalog.load_table((space, name))) == [0]
        assert (space, name) in catalog.list_tables(space)


def test_views(catalog, space):
    assert catalog.list_views(space) == []
    catalog.create_view((space, "v"), *one_view(space))
    assert catalog.view_exists((space, "v"))
    assert catalog.list_views(space) == [(space, "v")]
    view = catalog.load_view((space, "v"))
    assert view.current_version().representations[0].root.sql == "SELECT 1 AS id"
    with pytest.raises(NoSuchTableError):
        catalog.load_table((space, "v"))
    catalog.drop_view((space, "v"))
    assert not catalog.view_exists((space, "v"))


@pytest.mark.parametrize("method, path, body, status, kind", [
    ("GET", "/v1/namespaces/none", None, 404, "NoSuchNamespaceException"),
    ("GET", "/v1/namespaces/none/tables/t", None, 404, "NoSuchTableException"),
    ("GET", "/v1/nothing", None, 404, "NotFoundException"),
    ("PUT", "/v1/namespaces", None, 405, "BadRequestException"),
    ("POST", "/v1/namespaces", "{", 400, "BadRequestException"),
    ("POST", "/v1/namespaces", "[]", 400, "BadRequestException"),
    ("POST", "/v1/namespaces", "{}", 400, "BadRequestException"),
    ("POST", "/v1/namespaces", '{"namespace": ["a\\u0000b"]}', 400, "BadRequestException"),
    ("POST", "/v1/transactions/commit", "{}", 400, "BadRequestException"),
    ("POST", "/v1/namespaces/a/tables/t", '{"updates": [{"action": "fly"}]}', 400, "BadRequestException"),
    ("POST", "/v1/namespaces/a/tables/t", '{"requirements": [{"type": "no"}]}', 400, "BadRequestException"),
])
def test_bad_requests(platform, method, path, body, status, kind):
    answer = requests.request(method, platform["iceberg_rest"]["uri"] + path, data=body, timeout=10)
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == kind
    assert answer.json()["error"]["code"] == status


def test_load_is_conditional_and_vends_credentials(platform, catalog, space):
    catalog.create_table((space, "t"), SCHEMA)
    url = f"{platform['iceberg_rest']['uri']}/v1/namespaces/{space}/tables/t"
    plain = requests.get(url, timeout=10)
    assert "s3.secret-access-key" not in plain.json()["config"]
    assert requests.get(url, headers={"If-None-Match": plain.headers["ETag"]}, timeout=10).status_code == 304
    vended = requests.get(url, headers={"X-Iceberg-Access-Delegation": "vended-credentials"}, timeout=10).json()
    assert vended["config"]["s3.secret-access-key"]
    assert vended["storage-credentials"][0]["prefix"] == vended["metadata"]["location"] + "/"
    assert requests.get(url + "/credentials", timeout=10).json()["storage-credentials"][0]["config"]["s3.secret-access-key"]
    assert requests.head(url, timeout=10).status_code == 204
    assert requests.head(url + "x", timeout=10).status_code == 404


def refused(code, call, *args, **options):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*args, **options)
    assert caught.value.response["Error"]["Code"] in (code, {"AccessDenied": "403"}.get(code)), caught.value


@pytest.fixture(scope="module")
def guarded():
    """A platform whose catalog asks who comes, and one who may."""
    made = make_platform(["listen.address=0.0.0.0", "events.enabled=false", "hms.enabled=false"], options=["--allow-default-passwords"])
    ready = made.ready
    catalog = load_catalog("guarded", type="rest", uri=ready["iceberg_rest"]["uri"], credential="admin:admin123",
                           **{"header.X-Iceberg-Access-Delegation": "vended-credentials"})
    catalog.create_namespace("kept")
    yield ready, catalog
    made.kill()
    shutil.rmtree(made.data.parent, ignore_errors=True)


def test_credentials_are_for_one_table(guarded):
    """What is handed out for a table opens its own place, and nothing beside it."""
    platform, catalog = guarded
    space = "kept"
    mine = catalog.create_table((space, "mine"), SCHEMA)
    others = catalog.create_table((space, "mine2"), SCHEMA)
    others.append(rows(others.schema(), 0, 3))
    given = mine.io.properties
    until = int(given["s3.session-token-expires-at-ms"]) / 1000
    assert 3600 < until - time.time() <= 12 * 3600

    def client(**changed):
        keys = {"aws_access_key_id": given["s3.access-key-id"], "aws_secret_access_key": given["s3.secret-access-key"],
                "aws_session_token": given["s3.session-token"], **changed}
        return boto3.client("s3", endpoint_url=given["s3.endpoint"], region_name=given["s3.region"],
                            config=botocore.config.Config(signature_version="s3v4", s3={"addressing_style": "path"}), **keys)

    s3 = client()
    bucket, place = mine.location().removeprefix("s3://").split("/", 1)
    beside = others.location().removeprefix("s3://").split("/", 1)[1]
    file = next(iter(others.inspect.files()["file_path"].to_pylist())).removeprefix(f"s3://{bucket}/")
    s3.put_object(Bucket=bucket, Key=place + "/data/a", Body=b"a")
    s3.copy_object(Bucket=bucket, Key=place + "/data/b", CopySource={"Bucket": bucket, "Key": place + "/data/a"})
    assert s3.get_object(Bucket=bucket, Key=place + "/data/b")["Body"].read() == b"a"
    assert {o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix=place + "/data/")["Contents"]} == {place + "/data/a", place + "/data/b"}
    s3.head_bucket(Bucket=bucket)
    for call, options in ((s3.get_object, {"Key": file}), (s3.head_object, {"Key": file}), (s3.delete_object, {"Key": file}),
                          (s3.put_object, {"Key": beside + "/data/x", "Body": b""}), (s3.list_objects_v2, {}), (s3.list_objects, {"Prefix": place}),
                          (s3.list_objects_v2, {"Prefix": beside + "/"}), (s3.list_multipart_uploads, {"Prefix": ""}),
                          (s3.get_object_tagging, {"Key": file}), (s3.create_multipart_upload, {"Key": file}),
                          (s3.copy_object, {"Key": place + "/data/c", "CopySource": {"Bucket": bucket, "Key": file}}),
                          (s3.delete_bucket, {}), (s3.get_bucket_versioning, {})):
        refused("AccessDenied", call, Bucket=bucket, **options)
    refused("AccessDenied", s3.list_buckets)
    refused("AccessDenied", s3.head_bucket, Bucket="aichemy-exports")
    removed = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": place + "/data/b"}, {"Key": file}]})
    assert [o["Key"] for o in removed["Deleted"]] == [place + "/data/b"]
    assert [(o["Key"], o["Code"]) for o in removed["Errors"]] == [(file, "AccessDenied")]
    assert others.scan().to_arrow().num_rows == 3
    link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": place + "/data/a"})
    assert requests.get(link, timeout=10).content == b"a"
    assert requests.get(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": file}), timeout=10).status_code == 403
    # A token belongs to its key, and cannot be made up.
    key = {"Bucket": bucket, "Key": place + "/data/a"}
    refused("InvalidToken", client(aws_session_token="made.up").get_object, **key)
    refused("InvalidAccessKeyId", client(aws_access_key_id=platform["s3"]["access_key"], aws_secret_access_key=platform["s3"]["secret_key"]).get_object, **key)
    refused("InvalidAccessKeyId", client(aws_session_token=None).get_object, **key)


def test_a_client_with_nothing_but_vended_credentials(guarded):
    _, catalog = guarded
    table = catalog.create_table(("kept", "t"), SCHEMA)
    table.append(rows(table.schema(), 0, 10))
    table.delete(GreaterThan("id", 6))
    again = catalog.load_table(("kept", "t"))
    assert again.io.properties["s3.session-token"] and "admin" not in again.io.properties["s3.access-key-id"]
    assert sorted(again.scan().to_arrow()["id"].to_pylist()) == list(range(7))


def test_config_with_an_empty_warehouse(platform):
    answer = requests.get(platform["iceberg_rest"]["uri"] + "/v1/config?warehouse=", timeout=10).json()
    assert "POST /v1/{prefix}/transactions/commit" in answer["endpoints"]
    assert answer["overrides"] == {}


def test_kill_9_loses_no_acknowledged_append(own_platform):
    def table():
        uri = own_platform.ready["iceberg_rest"]["uri"]
        return load_catalog("killed", type="rest", uri=uri)

    table().create_namespace("k")
    table().create_table("k.t", pa.schema([("id", pa.int64())]))
    acknowledged, tried = [], 0
    for _ in range(3):
        stop = threading.Event()

        def write(target, stop=stop):
            nonlocal tried
            while not stop.is_set():
                tried += 1
                number = tried
                try:
                    target.append(pa.table({"id": pa.array([number], pa.int64())}))
                except Exception:  # noqa: BLE001: the platform is being killed
                    return
                acknowledged.append(number)

        before = len(acknowledged)
        writer = threading.Thread(target=write, args=(table().load_table("k.t"),), daemon=True)
        writer.start()
        until = time.monotonic() + 20
        while len(acknowledged) < before + 3 and time.monotonic() < until:
            time.sleep(0.01)
        own_platform.kill()
        stop.set()
        own_platform.start()
        writer.join(timeout=60)
        found = table().load_table("k.t").scan().to_arrow()["id"].to_pylist()
        assert len(found) == len(set(found))
        assert set(acknowledged) <= set(found)
    assert len(acknowledged) >= 9


def test_web_pages_are_refused(platform):
    uri = platform["iceberg_rest"]["uri"]
    for headers in ({"Origin": "https://example.org"}, {"Host": "rebound.example.org"}):
        answer = requests.get(uri + "/v1/config", headers=headers, timeout=10)
        assert answer.status_code == 403
        assert answer.json()["error"]["type"] == "ForbiddenException"
    assert requests.get(uri + "/v1/config", timeout=10).status_code == 200


def test_a_repeated_change_is_made_once(platform, space):
    uri = platform["iceberg_rest"]["uri"]
    lifetime = requests.get(uri + "/v1/config", timeout=10).json()["idempotency-key-lifetime"]
    assert lifetime == "PT30M"
    body = {"name": "once", "schema": {"type": "struct", "fields": [
        {"id": 1, "name": "id", "type": "long", "required": False}]}}
    url, headers = f"{uri}/v1/namespaces/{space}/tables", {"Idempotency-Key": str(uuid.uuid4())}
    first = requests.post(url, json=body, headers=headers, timeout=10)
    assert first.status_code == 200, first.text
    again = requests.post(url, json=body, headers=headers, timeout=10)
    assert (again.status_code, again.json()) == (200, first.json())
    assert requests.post(url, json=body, timeout=10).status_code == 409
    body["name"] = "other"
    assert requests.post(url, json=body, headers=headers, timeout=10).status_code == 400
    gone, key = f"{url}/once", {"Idempotency-Key": str(uuid.uuid4())}
    assert requests.delete(gone, headers=key, timeout=10).status_code == 204
    assert requests.delete(gone, headers=key, timeout=10).status_code == 204
    assert requests.delete(gone, timeout=10).status_code == 404


def test_requests_are_signed_below_the_table_only(platform, catalog, space):
    uri, endpoint = platform["iceberg_rest"]["uri"], platform["s3"]["endpoint"]
    table = catalog.create_table(f"{space}.signed", SCHEMA)
    url = f"{uri}/v1/namespaces/{space}/tables/signed"
    config = requests.get(url, headers={"X-Iceberg-Access-Delegation": "remote-signing"}, timeout=10).json()["config"]
    assert config["s3.remote-signing-enabled"] == "true" and "s3.secret-access-key" not in config
    place = table.location().removeprefix("s3://")

    def sign(method, where, **headers):
        return requests.post(f"{uri}/{config['s3.signer.endpoint']}", timeout=10, json={
            "region": "us-east-1", "method": method, "uri": f"{endpoint}/{where}", "headers": headers})

    answer = sign("PUT", place + "/data/x.txt")
    assert answer.status_code == 200, answer.text
    headers = {name: values[0] for name, values in answer.json()["headers"].items()}
    put = requests.put(answer.json()["uri"], data=b"hello", headers=headers, timeout=10)
    assert put.status_code == 200, put.text
    headers = {name: values[0] for name, values in sign("GET", place + "/data/x.txt").json()["headers"].items()}
    assert requests.get(f"{endpoint}/{place}/data/x.txt", headers=headers, timeout=10).content == b"hello"
    for where in ("warehouse/other/x", place + "/../x", "warehouse?list-type=2", place + "x/data"):
        assert sign("GET", where).status_code == 403, where
    for source, status in ((f"/{place}/data/x.txt", 200), (f"{place}/data/x.txt", 200), ("/warehouse/other/x", 403), ("", 403)):
        assert sign("PUT", place + "/data/y.txt", **{"x-amz-copy-source": [source]}).status_code == status, source


def test_version_3_tables_hand_out_row_ids(platform, catalog, space, running):
    table = catalog.create_table(f"{space}.v3", Schema(NestedField(1, "id", LongType(), required=False)),
                                 properties={"format-version": "3"})
    assert table.metadata.format_version == 3
    for values in ("(1), (2), (3)", "(4)"):
        answer = running.run("sql", "-e", f"INSERT INTO iceberg.{space}.v3 VALUES {values}")
        assert answer.returncode == 0, answer.stderr
    metadata = requests.get(f"{platform['iceberg_rest']['uri']}/v1/namespaces/{space}/tables/v3",
                            timeout=10).json()["metadata"]
    assert metadata["next-row-id"] == 4
    assert [(item["first-row-id"], item["added-rows"]) for item in metadata["snapshots"]] == [(0, 3), (3, 1)]
    answer = running.run("sql", "-e", f"SELECT sum(id) FROM iceberg.{space}.v3")
    assert "10" in answer.stdout, answer.stderr
    read = catalog.load_table(f"{space}.v3")
    assert sorted(read.scan().to_arrow()["id"].to_pylist()) == [1, 2, 3, 4]
