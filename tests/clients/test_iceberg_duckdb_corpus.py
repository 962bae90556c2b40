"""duckdb-iceberg's data sets: each is put into the object store, registered, and read as DuckDB's own extension reads it.

Their paths are relative to a clone, so the store gets them with every path replaced: in the table metadata, in manifest lists and
manifests, and in position delete files. docs/corpora.md says what is left out.
"""
import datetime
import decimal
import gzip
import json
import os
import struct
import uuid
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
import trino
from avro_bytes import avro_file, read_avro
from conftest import ROOT

duckdb = pytest.importorskip("duckdb")
extensions = pytest.importorskip("duckdb_ext")

# A folder with more of them: DUCKDB_ICEBERG=/path/to/duckdb-iceberg/data/persistent
CORPUS = Path(os.environ.get("DUCKDB_ICEBERG", ROOT / "tests/golden/duckdb_iceberg"))
TABLES = sorted({path.parent.parent.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*.metadata.json")})
# What DuckDB 1.4.4 cannot read: the rows by duckdb-iceberg's own tests, or their number.
KNOWN = {
    "equality_delete_cross_partition/warehouse/ns/t": [(0, 999, "p0-k999"), (1, 100, "p1-k100"), (1, 888, "p1-k888")],
    "equality_delete_extra_column/warehouse/ns/t": [(1, "a"), (3, "c")],
    "equality_deletes/warehouse/mydb/mytable_partitioned": [
        (id, name, datetime.date(2025, 1, id)) for id, name in ((1, "a"), (4, "d"), (5, "e"))],
    "iceberg_v1_deprecated/default/legacy_v1": [(1, "alpha", 10), (2, "beta", 20), (3, "alpha", None)],
    "iceberg_v1_repro/repro/merch_v1": [(2, "nba", 20), (3, "mlb", 30), (4, "nhl", 40), (6, "nba", 60)],
    "map_stats/default.db/map_stats": [(datetime.datetime(2026, 1, day), "hello", "world", {"key": "value1"}) for day in (1, 2)],
    "name_mapping/warehouse_1/mydb/t1": 10000,
    "iceberg/lineitem_iceberg": 51793, "iceberg/lineitem_iceberg_no_hint": 51793,
    "iceberg/lineitem_iceberg_gz": 111968, "iceberg/lineitem_iceberg_gz_no_hint": 111968,
}
# What is refused when it is registered or read, and what is said.
REFUSED = {
    "generated_bounds": "s3://fake-bucket/d/0000000000/t.parquet",  # its files exist nowhere
    "timestamptz_ns": "'next-row-id' is missing",
}


def content(path):
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def newest(folder):
    """The metadata of a table's last change."""
    known = [(path, json.loads(content(path))) for path in folder.glob("metadata/*.metadata.json")]
    return max((path for path, json in known if "format-version" in json),
               key=lambda path: (json.loads(content(path))["last-updated-ms"], path.name))


class Moved:
    """A table's files with their paths in the store instead of the old ones."""

    def __init__(self, name, bucket):
        folder, self.root, self.new, self.sizes, self.files = CORPUS / name, bucket, f"{bucket}/{name}", {}, {}
        self.metadata = newest(folder)
        self.old = json.loads(content(self.metadata))["location"]
        manifests = [(path, *read_avro(path.read_bytes())) for path in folder.rglob("*.avro")]
        positional = {self.text(row["data_file"]["file_path"]) for _, head, rows in manifests if "partition-spec" in head
                      for row in rows if row["data_file"].get("content") == 1}
        for path in (CORPUS / name.split("/")[0]).rglob("*.*"):  # some tables have files beside them
            if path.suffix in (".parquet", ".puffin") and not path.name.startswith("."):
                where = self.place(path)
                self.put(where, self.deletes(path) if where in positional and path.suffix == ".parquet" else path.read_bytes())
        # Manifests name their files' sizes, lists those of manifests.
        for path, head, rows in sorted(manifests, key=lambda manifest: "partition-spec" not in manifest[1]):
            codec = head.get("avro.codec", b"null").decode()
            self.put(self.place(path),
                     avro_file(json.loads(head["avro.schema"]), [self.moved(row) for row in rows], codec, more_head=head))
        self.location = self.place(self.metadata)
        self.put(self.location, json.dumps(self.moved(json.loads(content(self.metadata)))).encode())

    def place(self, path):
        return f"{self.root}/{path.relative_to(CORPUS).as_posix()}"

    def put(self, where, data):
        self.files[where], self.sizes[where] = data, len(data)

    def text(self, value):
        for old, new in ((self.old, self.new), (self.old.removeprefix("./"), self.new), ("data/persistent", self.root)):
            if value == old or value.startswith(old + "/"):
                return new + value[len(old):]
        return value

    def moved(self, value):
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.moved(each) for each in value]
        if not isinstance(value, dict):
            return value
        made = {key: self.moved(each) for key, each in value.items()}
        for path, size in (("file_path", "file_size_in_bytes"), ("manifest_path", "manifest_length")):
            if made.get(path) in self.sizes:
                made[size] = self.sizes[made[path]]
        for bounds in ("lower_bounds", "upper_bounds"):
            for bound in made.get(bounds) or []:  # of a position delete file's paths
                if isinstance(bound, dict) and bound["key"] == 2147483546:
                    bound["value"] = self.text(bound["value"].decode()).encode()
        return made

    def deletes(self, path):
        rows = pq.read_table(path)
        paths = pa.array([self.text(each.as_py()) for each in rows["file_path"]], pa.string())
        out = pa.BufferOutputStream()
        pq.write_table(rows.set_column(0, rows.schema.field("file_path"), paths), out)
        return out.getvalue().to_pybytes()


@pytest.fixture(scope="module")
def place(platform):
    at = platform["s3"]
    s3 = boto3.client("s3", endpoint_url=at["endpoint"], aws_access_key_id=at["access_key"],
                      aws_secret_access_key=at["secret_key"], region_name=at["region"])
    space = "d" + uuid.uuid4().hex[:8]
    s3.create_bucket(Bucket=space)
    rest = platform["iceberg_rest"]["uri"] + "/v1/namespaces"
    assert requests.post(rest, json={"namespace": [space]}).ok
    host, port = platform["sql"]["http"].removeprefix("http://").split(":")
    return s3, f"{rest}/{space}/register", space, trino.dbapi.connect(host=host, port=int(port), user="admin", catalog="iceberg", schema=space,
                                                   timezone="UTC")


def plain(value, single=False):
    if isinstance(value, dict):
        return [plain(each, single) for each in value.values()]
    if isinstance(value, (list, tuple)):
        return [plain(each, single) for each in value]
    if isinstance(value, decimal.Decimal):
        return value.normalize() + 0
    if isinstance(value, float) and single:  # a real is printed shorter than the double that it is
        return struct.unpack("f", struct.pack("f", value))[0]
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value
    return value


def duck_rows(name, metadata, tmp_path, monkeypatch):
    folder = Path(next(iter(extensions.__path__))) / "extensions"
    connection = duckdb.connect(config={"extension_directory": str(folder), "autoinstall_known_extensions": "false"})
    for extension in ("avro", "iceberg"):
        connection.execute(f"LOAD {extension}")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/persistent").symlink_to(CORPUS.resolve())
    monkeypatch.chdir(tmp_path)
    connection.execute("SET TimeZone = 'UTC'")
    return connection.execute(f"SELECT * FROM iceberg_scan('data/persistent/{name}/metadata/{metadata}')").fetchall()


@pytest.mark.parametrize("name", TABLES)
def test_every_value_is_there(place, name, tmp_path, monkeypatch):
    s3, register, space, connection = place
    table = name.replace("/", "_").replace(".", "_").replace("=", "_").lower()
    moved = Moved(name, f"s3://{space}")
    for where, data in moved.files.items():
        s3.put_object(Bucket=space, Key=where.removeprefix(f"s3://{space}/"), Body=data)
    answer = requests.post(register, json={"name": table, "metadata-location": moved.location})
    cursor = connection.cursor()
    if name in REFUSED:
        if answer.ok:
            with pytest.raises(trino.exceptions.Error, match=REFUSED[name]):
                cursor.execute(f'SELECT * FROM "{table}"').fetchall()
        else:
            assert REFUSED[name] in answer.json()["error"]["message"]
        return
    assert answer.ok, answer.text
    rows = cursor.execute(f'SELECT * FROM "{table}"').fetchall()
    expected = KNOWN[name] if name in KNOWN else duck_rows(name, moved.metadata.name, tmp_path, monkeypatch)
    if isinstance(expected, int):
        assert len(rows) == expected
        return
    single = ["real" in column.type_code for column in cursor.description]
    ours, theirs = (sorted(repr([plain(*each) for each in zip(row, single)]) for row in side) for side in (rows, expected))
    assert ours == theirs
