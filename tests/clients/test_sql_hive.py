"""The catalog `hive`: tables made through the Metastore and read by SQL, and the other way round."""
import datetime
import decimal
import gzip
import io
import threading
import uuid

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hive_metastore.ttypes import FieldSchema, Partition, SerDeInfo, StorageDescriptor, Table
from pyiceberg.catalog import load_catalog

trino = pytest.importorskip("trino")

QL = "org.apache.hadoop.hive.ql.io."
TEXT = ("org.apache.hadoop.mapred.TextInputFormat", QL + "HiveIgnoreKeyTextOutputFormat")
FORMATS = {
    "parquet": (QL + "parquet.serde.ParquetHiveSerDe", QL + "parquet.MapredParquetInputFormat",
                QL + "parquet.MapredParquetOutputFormat"),
    "text": ("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", *TEXT),
    "csv": ("org.apache.hadoop.hive.serde2.OpenCSVSerde", *TEXT),
    "json": ("org.apache.hive.hcatalog.data.JsonSerDe", *TEXT),
    "json4": ("org.apache.hadoop.hive.serde2.JsonSerDe", *TEXT),
    "orc": (QL + "orc.OrcSerde", QL + "orc.OrcInputFormat", QL + "orc.OrcOutputFormat"),
    "avro": ("org.apache.hadoop.hive.serde2.avro.AvroSerDe", QL + "avro.AvroContainerInputFormat",
             QL + "avro.AvroContainerOutputFormat"),
    "rcbinary": ("org.apache.hadoop.hive.serde2.columnar.LazyBinaryColumnarSerDe", QL + "RCFileInputFormat",
                 QL + "RCFileOutputFormat"),
}


@pytest.fixture(scope="module")
def s3(platform):
    at = platform["s3"]
    return boto3.client("s3", endpoint_url=at["endpoint"], aws_access_key_id=at["access_key"],
                        aws_secret_access_key=at["secret_key"], region_name=at["region"])


@pytest.fixture(scope="module")
def metastore(platform):
    at = platform["s3"]
    return load_catalog("hms", type="hive", uri=platform["metastore"]["thrift"], **{
        "s3.endpoint": at["endpoint"], "s3.access-key-id": at["access_key"],
        "s3.secret-access-key": at["secret_key"], "s3.region": at["region"]})


@pytest.fixture(scope="module")
def sql(platform):
    host, port = platform["sql"]["http"].removeprefix("http://").rstrip("/").split(":")
    with trino.dbapi.connect(host=host, port=int(port), user="admin", catalog="hive", schema="default") as connection:
        def run(text):
            return [list(row) for row in connection.cursor().execute(text).fetchall()]
        yield run


class Lake:
    """A schema with a bucket of its own."""

    def __init__(self, metastore, s3, sql):
        self.metastore, self.s3, self.sql = metastore, s3, sql
        self.name = "h" + uuid.uuid4().hex[:8]
        s3.create_bucket(Bucket=self.name)
        sql(f"CREATE SCHEMA hive.{self.name} WITH (location = 's3://{self.name}/db')")

    def storage(self, kind, columns, location, parameters=None):
        serde, reads, writes = FORMATS[kind]
        return StorageDescriptor(cols=[FieldSchema(n, t, None) for n, t in columns], location=location, inputFormat=reads,
                                 outputFormat=writes, serdeInfo=SerDeInfo(None, serde, parameters or {}), numBuckets=0,
                                 bucketCols=[], sortCols=[], parameters={}, compressed=False)

    def create(self, table, kind, columns, keys=(), parameters=None, properties=None, external=True):
        made = Table(tableName=table, dbName=self.name, owner="o", tableType="EXTERNAL_TABLE" if external else "MANAGED_TABLE",
                     sd=self.storage(kind, columns, f"s3://{self.name}/{table}", parameters),
                     partitionKeys=[FieldSchema(n, t, None) for n, t in keys],
                     parameters=dict(properties or {}, **({"EXTERNAL": "TRUE"} if external else {})))
        with self.metastore._client as client:
            client.create_table(made)

    def partition(self, table, kind, columns, values, folder, parameters=None):
        with self.metastore._client as client:
            client.add_partition(Partition(values=values, dbName=self.name, tableName=table, parameters={},
                                           sd=self.storage(kind, columns, f"s3://{self.name}/{folder}", parameters)))

    def put(self, key, body):
        self.s3.put_object(Bucket=self.name, Key=key, Body=body if isinstance(body, bytes) else body.encode())

    def put_parquet(self, key, table, **options):
        out = io.BytesIO()
        pq.write_table(table, out, **options)
        self.put(key, out.getvalue())

    def keys(self, prefix=""):
        return [o["Key"] for o in self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])]

    def parquet(self, key):
        return pq.read_table(io.BytesIO(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read())).to_pylist()

    def text(self, prefix):
        return "".join(self.s3.get_object(Bucket=self.name, Key=k)["Body"].read().decode() for k in self.keys(prefix))

    def table(self, name):
        with self.metastore._client as client:
            return client.get_table(dbname=self.name, tbl_name=name)

    def partition_names(self, name):
        with self.metastore._client as client:
            return client.get_partition_names(self.name, name, -1)

    def rows(self, table, columns="*", rest=""):
        return self.sql(f"SELECT {columns} FROM hive.{self.name}.{table} {rest}")


@pytest.fixture(scope="module")
def lake(metastore, s3, sql):
    return Lake(metastore, s3, sql)


def refused(lake, text, name, words):
    with pytest.raises(trino.exceptions.TrinoQueryError) as error:
        lake.sql(text.replace("{s}", f"hive.{lake.name}"))
    assert error.value.error_name == name, error.value
    assert words in error.value.message


# ---- reading -------------------------------------------------------------------------------------------------


def test_parquet_by_name(lake):
    lake.create("p", "parquet", [("id", "bigint"), ("name", "varchar(3)"), ("d", "decimal(5,2)"), ("ts", "timestamp"),
                                 ("tags", "array<string>"), ("m", "map<string,int>"), ("r", "struct<a:int,b:string>"), ("extra", "int")])
    when = datetime.datetime(2024, 2, 29, 1, 2, 3, 123500)
    # Other order, other case, a wider and a narrower type, no `extra`; a second file with what is missing in the first.
    lake.put_parquet("p/one.parquet", pa.table({
        "Name": ["abcd", None], "ID": pa.array([1, 2], pa.int32()), "d": pa.array([decimal.Decimal("1.25"), None], pa.decimal128(5, 2)),
        "ts": pa.array([when, None], pa.timestamp("us")), "tags": [["x", None], None],
        "m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())), "r": [{"B": "b", "a": 7, "z": 1}, None]}))
    lake.put_parquet("p/two.parquet", pa.table({"id": [3], "extra": pa.array([9], pa.int32())}))
    for hidden in ("p/_SUCCESS", "p/.crc", "p/sub/three.parquet"):
        lake.put(hidden, "not Parquet")
    assert lake.rows("p", "id, name, d, ts, tags, m, extra", "ORDER BY id") == [
        [1, "abc", decimal.Decimal("1.25"), when.replace(microsecond=124000), ["x", None], {"k": 1}, None],
        [2, None, None, None, None, None, None], [3, None, None, None, None, None, 9]]
    assert lake.rows("p", "r.a, r.b", "WHERE id = 1") == [[7, "b"]]
    assert lake.rows("p", "count(*)") == [[3]]
    assert lake.rows("p", '"$path", "$file_size" > 0', "WHERE id = 3") == [[f"s3://{lake.name}/p/two.parquet", True]]
    assert lake.sql(f"DESCRIBE hive.{lake.name}.p")[1][:2] == ["name", "varchar(3)"]
    assert lake.sql(f"SHOW TABLES FROM hive.{lake.name} LIKE 'p'") == [["p"]]
    assert lake.sql(f"SELECT data_type FROM hive.information_schema.columns WHERE table_schema = '{lake.name}' "
                    "AND table_name = 'p' AND column_name = 'r'") == [["row(a integer, b varchar)"]]
    # A file that is replaced under its name is read anew.
    lake.put_parquet("p/two.parquet", pa.table({"id": [4, 5]}))
    assert lake.rows("p", "sum(id)") == [[12]]


def test_field_ids_do_not_count(lake):
    lake.create("ids", "parquet", [("a", "int"), ("b", "int")])
    schema = pa.schema([pa.field("b", pa.int32(), metadata={b"PARQUET:field_id": b"1"}),
                        pa.field("a", pa.int32(), metadata={b"PARQUET:field_id": b"2"})])
    lake.put_parquet("ids/f", pa.table({"b": pa.array([20], pa.int32()), "a": pa.array([10], pa.int32())}, schema=schema))
    assert lake.rows("ids") == [[10, 20]]


def test_bad_parquet_names_the_file(lake):
    lake.create("bad", "parquet", [("id", "bigint")])
    out = io.BytesIO()
    pq.write_table(pa.table({"id": list(range(1000))}), out)
    lake.put("bad/cut.parquet", out.getvalue()[:-100])
    with pytest.raises(trino.exceptions.TrinoQueryError, match="bad/cut.parquet"):
        lake.rows("bad")
    lake.create("typed", "parquet", [("id", "int")])
    lake.put_parquet("typed/f.parquet", pa.table({"id": ["x"]}))
    refused(lake, "SELECT * FROM {s}.typed", "HIVE_BAD_DATA", "typed/f.parquet")


def test_text(lake):
    columns = [("i", "int"), ("s", "string"), ("d", "double"), ("b", "boolean"), ("day", "date"), ("at", "timestamp"), ("n", "decimal(6,2)"),
               ("raw", "binary"), ("l", "array<int>"), ("m", "map<string,int>"), ("r", "struct<x:int,y:array<string>>")]
    lake.create("t", "text", columns)
    one = "\x01".join(["7", "héllo", "1.5", "TRUE", "2024-02-29", "2024-01-01 10:11:12.5", "12.345", "aGk=", "1\x022\x02\\N", "a\x031\x02b\x032",
                       "5\x02p\x03q"])
    lake.put("t/f1", one + "\nx\x01\\N\x01oops\x01maybe\x012024-13-01\x01no\x0199999\x01\x01\x01\x01\n")
    lake.put("t/f2.gz", gzip.compress(b"9\x01z\r\n") + gzip.compress(b"10"))
    rows = {row[0]: row for row in lake.rows("t", "i, s, d, b, day, at, n, raw, l, m")}
    assert rows[7] == [7, "héllo", 1.5, True, datetime.date(2024, 2, 29), datetime.datetime(2024, 1, 1, 10, 11, 12, 500000),
                       decimal.Decimal("12.35"), b"hi", [1, 2, None], {"a": 1, "b": 2}]
    assert rows[None][:7] == [None] * 7 and rows[None][7:] == [b"", [], {}]
    assert rows[9][:3] == [9, "z", None] and rows[10][1] is None and len(rows) == 4
    assert lake.rows("t", "r.x, r.y", "WHERE i = 7") == [[5, ["p", "q"]]]
    assert lake.rows("t", "count(*)") == [[4]]
    lake.put("t/f3.gz", gzip.compress(b"1\n" * 100000)[:-20])
    refused(lake, "SELECT count(i) FROM {s}.t", "HIVE_BAD_DATA", "t/f3.gz")


def test_text_delimiters(lake):
    lake.create("d", "text", [("a", "string"), ("b", "string"), ("c", "int")],
                parameters={"field.delim": "|", "escape.delim": "\\", "serialization.null.format": "nil"},
                properties={"skip.header.line.count": "1", "skip.footer.line.count": "1"})
    lake.put("d/f", "a|b|c\nx\\|y|nil|3\nlast|one|4\nfooter\n")
    assert lake.rows("d") == [["x|y", None, 3], ["last", "one", 4]]
    shown = lake.sql(f"SHOW CREATE TABLE hive.{lake.name}.d")[0][0]
    for part in ("format = 'TEXTFILE'", f"external_location = 's3://{lake.name}/d'", "textfile_field_separator = '|'", "null_format = 'nil'"):
        assert part in shown


def test_big_text_is_read_in_pieces(lake):
    lake.create("big", "text", [("i", "bigint"), ("s", "string")])
    lines = "".join(f"{i}\x01{'x' * 90}\n" for i in range(400_000))  # more than one piece of 32 MB
    assert len(lines) > 33 << 20
    lake.put("big/f", lines)
    assert lake.rows("big", "count(*), sum(i), min(length(s)), count(DISTINCT i)") == [[400_000, sum(range(400_000)), 90, 400_000]]


def test_csv(lake):
    lake.create("c", "csv", [("a", "string"), ("b", "string")], parameters={"separatorChar": ";", "quoteChar": "'"})
    lake.put("c/f.csv", "'x;y';plain\n'it''s';''\nonly\n'back\\'slash';'\\\\'\n")
    assert lake.rows("c") == [["x;y", "plain"], ["it's", ""], ["only", None], ["back'slash", "\\"]]
    lake.create("c2", "csv", [("a", "int")])
    refused(lake, "SELECT * FROM {s}.c2", "NOT_SUPPORTED", "Hive CSV storage format only supports VARCHAR (unbounded). Unsupported columns: a integer")


@pytest.mark.parametrize("kind", ["json", "json4"])
def test_json(lake, kind):
    lake.create(kind, kind, [("id", "bigint"), ("name", "string"), ("n", "decimal(20,2)"), ("l", "array<struct<k:int>>"), ("m", "map<int,string>"),
                             ("day", "date")])
    lake.put(kind + "/f.json", '{"ID": 1, "name": "a\\u00e9", "n": 123456789012345678.91, "l": [{"K": 1}, null], "m": {"5": "x"}, "day": "2024-01-02"}\n'
                               '\n{"id": "2", "name": null, "other": {}}\n')
    assert lake.rows(kind, "id, name, n, day", "ORDER BY id") == [
        [1, "aé", decimal.Decimal("123456789012345678.91"), datetime.date(2024, 1, 2)], [2, None, None, None]]
    assert lake.rows(kind, "l[1].k, cardinality(l), m[5]", "WHERE id = 1") == [[1, 2, "x"]]
    lake.put(kind + "/g.json", '{"id": "seven"}\n')
    refused(lake, f"SELECT id FROM {{s}}.{kind}", "HIVE_BAD_DATA", "g.json")
    lake.put(kind + "/g.json", '{"id": 7\n')
    refused(lake, f"SELECT id FROM {{s}}.{kind}", "HIVE_BAD_DATA", "g.json")


def test_partitions(lake):
    columns = [("id", "bigint")]
    lake.create("parts", "parquet", columns + [("late", "string")], keys=[("ds", "date"), ("k", "string")])
    # The metastore says what the values are; where the files lie says nothing.
    lake.partition("parts", "parquet", columns, ["2024-01-01", "a/b"], "elsewhere/ds=1999-01-01/k=zz")
    lake.partition("parts", "parquet", columns, ["2024-01-02", "__HIVE_DEFAULT_PARTITION__"], "parts/x")
    lake.partition("parts", "text", columns + [("late", "string")], ["2024-01-03", "t"], "parts/text")
    lake.put_parquet("elsewhere/ds=1999-01-01/k=zz/f", pa.table({"id": [1], "k": ["not this"]}))
    lake.put_parquet("parts/x/f", pa.table({"id": [2], "late": ["l"]}))
    lake.put("parts/text/f", "3\x01text\n")
    lake.put_parquet("parts/ds=2024-02-02/k=q/f", pa.table({"id": [99]}))  # nobody's
    day = datetime.date
    assert lake.rows("parts", "id, late, ds, k", "ORDER BY id") == [
        [1, None, day(2024, 1, 1), "a/b"], [2, "l", day(2024, 1, 2), None], [3, "text", day(2024, 1, 3), "t"]]
    assert lake.rows("parts", '"$partition"', "WHERE id = 1") == [["ds=2024-01-01/k=a%2Fb"]]
    assert lake.rows('"parts$partitions"', "*", "ORDER BY ds") == [
        [day(2024, 1, 1), "a/b"], [day(2024, 1, 2), None], [day(2024, 1, 3), "t"]]
    # Pruned: the broken file of another partition is not looked at.
    lake.put("parts/x/broken", "no Parquet")
    assert lake.rows("parts", "id", "WHERE ds = DATE '2024-01-01'") == [[1]]
    assert lake.rows("parts", "id", "WHERE ds > DATE '2024-01-02' AND k IN ('t', 'u')") == [[3]]
    with pytest.raises(trino.exceptions.TrinoQueryError, match="parts/x/broken"):
        lake.rows("parts", "id", "WHERE k IS NULL")
    lake.s3.delete_object(Bucket=lake.name, Key="parts/x/broken")
    assert lake.rows("parts", "id", "WHERE k IS NULL") == [[2]]


def test_keys_of_floating_numbers(lake):
    """0.1 is another number as a real, zeros are equal whatever their sign, and NaN is neither more nor less."""
    for kind, literal in (("float", "REAL"), ("double", "DOUBLE")):
        table = f"by_{kind}"
        lake.create(table, "parquet", [("id", "bigint")], keys=[("k", kind)])
        for number, value in enumerate(("0.1", "-0.0", "NaN", "7.5")):
            lake.partition(table, "parquet", [("id", "bigint")], [value], f"{table}/{number}")
            lake.put_parquet(f"{table}/{number}/f", pa.table({"id": [number]}))
        assert lake.rows(table, "id", f"WHERE k = {literal} '0.1'") == [[0]]
        assert lake.rows(table, "id", f"WHERE k = {literal} '0.0'") == [[1]]
        assert lake.rows(table, "id", f"WHERE k < {literal} '0.1'") == [[1]]
        refused(lake, f"DELETE FROM {{s}}.{table} WHERE k > {literal} '1'", "NOT_SUPPORTED", "")
        assert len(lake.rows(table)) == 4


def test_what_is_not_read(lake, metastore):
    lake.create("o", "rcbinary", [("id", "bigint")])
    lake.put("o/f", "RCF")
    assert lake.sql(f"DESCRIBE hive.{lake.name}.o") == [["id", "bigint", "", ""]]
    refused(lake, "SELECT * FROM {s}.o", "HIVE_UNSUPPORTED_FORMAT", "RCBINARY")
    metastore.create_table(f"{lake.name}.ice", pa.schema([("id", pa.int64())]))
    refused(lake, "SELECT * FROM {s}.ice", "UNSUPPORTED_TABLE_TYPE", f"Cannot query Iceberg table '{lake.name}.ice'")
    assert ["ice"] in lake.sql(f"SHOW TABLES FROM hive.{lake.name}")
    with lake.metastore._client as client:
        client.create_table(Table(tableName="hv", dbName=lake.name, tableType="VIRTUAL_VIEW", viewOriginalText="select 1", parameters={},
                                  viewExpandedText="select 1", sd=lake.storage("text", [("a", "int")], ""), partitionKeys=[]))
    refused(lake, "SELECT * FROM {s}.hv", "NOT_SUPPORTED", "Hive views are not supported")
    refused(lake, "CREATE TABLE {s}.no (a int) WITH (format = 'RCTEXT')", "NOT_SUPPORTED", "RCTEXT")
    refused(lake, "CREATE TABLE {s}.no (a int) WITH (colour = 'red')", "INVALID_TABLE_PROPERTY", "'colour' does not exist")
    refused(lake, "CREATE TABLE {s}.no (a time)", "NOT_SUPPORTED", "Unsupported Hive type: time(3)")
    assert lake.sql(f"SELECT count(*) FROM hive.information_schema.tables WHERE table_schema = '{lake.name}'")[0][0] > 3


def test_odd_definitions(lake):
    with lake.metastore._client as client:
        client.create_table(Table(tableName="short_view", dbName=lake.name, tableType="VIRTUAL_VIEW", partitionKeys=[],
                                  viewOriginalText="/* Presto View: */", viewExpandedText="", sd=lake.storage("text", [("a", "int")], ""),
                                  parameters={"presto_view": "true"}))
    refused(lake, "SELECT * FROM {s}.short_view", "HIVE_INVALID_VIEW_DATA", "short_view")
    lake.create("rest", "text", [("a", "string"), ("b", "string")], parameters={"serialization.last.column.takes.rest": "true"})
    refused(lake, "SELECT * FROM {s}.rest", "NOT_SUPPORTED", "takes the rest")


def test_views(lake):
    lake.sql(f"CREATE VIEW hive.{lake.name}.v AS SELECT 1 AS one, 'x' AS two")
    assert lake.rows("v") == [[1, "x"]]
    table = lake.table("v")
    assert table.tableType == "VIRTUAL_VIEW" and table.parameters["presto_view"] == "true"
    lake.sql(f"CREATE OR REPLACE VIEW hive.{lake.name}.v AS SELECT 2 AS one")
    assert lake.rows("v") == [[2]]
    lake.sql(f"DROP VIEW hive.{lake.name}.v")


# ---- writing -------------------------------------------------------------------------------------------------


def test_create_insert_read_by_others(lake):
    lake.sql(f"CREATE TABLE hive.{lake.name}.w (id bigint, name varchar, tags array(varchar), r row(a integer, b varchar)) COMMENT 'mine'")
    lake.sql(f"INSERT INTO hive.{lake.name}.w VALUES (1, 'a', ARRAY['x'], ROW(1, 'b')), (2, NULL, NULL, NULL)")
    table = lake.table("w")
    assert table.tableType == "MANAGED_TABLE" and table.sd.location == f"s3://{lake.name}/db/w"
    assert table.sd.serdeInfo.serializationLib.endswith("ParquetHiveSerDe") and table.parameters["comment"] == "mine"
    assert [(c.name, c.type) for c in table.sd.cols] == [("id", "bigint"), ("name", "string"), ("tags", "array<string>"), ("r", "struct<a:int,b:string>")]
    (key,) = lake.keys("db/w/")
    assert sorted(lake.parquet(key), key=lambda r: r["id"]) == [
        {"id": 1, "name": "a", "tags": ["x"], "r": {"a": 1, "b": "b"}}, {"id": 2, "name": None, "tags": None, "r": None}]
    lake.sql(f"INSERT INTO hive.{lake.name}.w SELECT 3, 'c', NULL, NULL WHERE 1 = 0")
    assert len(lake.keys("db/w/")) == 1
    lake.sql(f"CREATE TABLE hive.{lake.name}.w2 AS SELECT * FROM hive.{lake.name}.w")
    assert lake.rows("w2", "count(*), max(name)") == [[2, "a"]]
    # A failed insert leaves nothing.
    with pytest.raises(trino.exceptions.TrinoQueryError):
        lake.sql(f"INSERT INTO hive.{lake.name}.w SELECT orderkey / (orderkey - orderkey), 'x', NULL, NULL FROM tpch.tiny.orders")
    assert len(lake.keys("db/w/")) == 1
    lake.sql(f"TRUNCATE TABLE hive.{lake.name}.w")
    assert lake.rows("w", "count(*)") == [[0]]
    lake.sql(f"DROP TABLE hive.{lake.name}.w")
    assert lake.keys("db/w/") == []
    refused(lake, "SELECT * FROM {s}.w", "TABLE_NOT_FOUND", "does not exist")


@pytest.mark.parametrize("format", ["PARQUET", "TEXTFILE", "JSON"])
def test_round_trip(lake, format):
    name = "rt_" + format.lower()
    lake.sql(f"CREATE TABLE hive.{lake.name}.{name} (b boolean, t tinyint, s smallint, i integer, l bigint, f real, d double, n decimal(20, 3), "
             "v varchar, v3 varchar(3), c char(4), x varbinary, day date, at timestamp(3), a array(integer), m map(varchar, double), "
             f"r row(p integer, q array(varchar))) WITH (format = '{format}')")
    row = ("true, TINYINT '1', SMALLINT '2', 3, 4, REAL '1.5', 2.5e10, DECIMAL '12345678901234567.125', 'it''s \"q\" é', 'abc', CHAR 'ab', X'00ff', "
           "DATE '2024-02-29', TIMESTAMP '2024-01-01 01:02:03.004', ARRAY[1, NULL, 3], MAP(ARRAY['k'], ARRAY[1.5e0]), ROW(1, ARRAY['x', 'y'])")
    nulls = ", ".join(["NULL"] * 17)
    lake.sql(f"INSERT INTO hive.{lake.name}.{name} VALUES ({row}), ({nulls})")
    fields = lake.sql(f"SELECT * FROM (VALUES ({row}))")[0]
    fields[10] = "ab  "
    got = lake.rows(name, "*", "WHERE i = 3")[0]
    assert got[:-1] == fields[:-1] and tuple(got[-1]) == tuple(fields[-1])
    assert lake.rows(name, "*", "WHERE i IS NULL") == [[None] * 17]


def test_csv_and_separators(lake):
    lake.sql(f"CREATE TABLE hive.{lake.name}.wc (a varchar, b varchar) WITH (format = 'CSV', csv_separator = ';')")
    lake.sql(f"INSERT INTO hive.{lake.name}.wc VALUES ('x;y', 'say \"hi\"'), ('', 'z')")
    assert sorted(lake.rows("wc")) == [["", "z"], ["x;y", 'say "hi"']]
    assert '"x;y";"say \\"hi\\""\n' in lake.text("db/wc/")
    lake.sql(f"CREATE TABLE hive.{lake.name}.wt (a varchar, b integer) WITH (format = 'TEXTFILE', textfile_field_separator = '|', null_format = 'NIL')")
    lake.sql(f"INSERT INTO hive.{lake.name}.wt VALUES ('x', NULL)")
    assert lake.text("db/wt/") == "x|NIL\n" and lake.rows("wt") == [["x", None]]
    refused(lake, "CREATE TABLE {s}.no (a integer) WITH (format = 'CSV')", "NOT_SUPPORTED", "Unsupported columns: a integer")


def test_partitioned_writes(lake):
    s = f"hive.{lake.name}"
    lake.sql(f"CREATE TABLE {s}.wp (id bigint, ds date, k varchar) WITH (partitioned_by = ARRAY['ds', 'k'])")
    lake.sql(f"INSERT INTO {s}.wp VALUES (1, DATE '2024-01-01', 'a=b/c'), (2, DATE '2024-01-01', NULL), (3, DATE '2024-01-02', 'é')")
    assert lake.partition_names("wp") == ["ds=2024-01-01/k=__HIVE_DEFAULT_PARTITION__", "ds=2024-01-01/k=a%3Db%2Fc", "ds=2024-01-02/k=é"]
    keys = lake.keys("db/wp/")
    assert len(keys) == 3 and all(k.startswith("db/wp/ds=2024-0") for k in keys)
    assert lake.parquet([k for k in keys if "2024-01-02" in k][0]) == [{"id": 3}]
    lake.sql(f"INSERT INTO {s}.wp SELECT orderkey, DATE '2024-01-01', 'a=b/c' FROM tpch.tiny.orders")
    assert lake.rows("wp", "count(*)", "WHERE k = 'a=b/c'") == [[15001]]
    assert lake.rows("wp", "id, ds, k", "WHERE id < 0 OR ds = DATE '2024-01-02'") == [[3, datetime.date(2024, 1, 2), "é"]]
    shown = lake.sql(f"SHOW CREATE TABLE {s}.wp")[0][0]
    assert "partitioned_by = ARRAY['ds','k']" in shown.replace("', '", "','")
    refused(lake, "DELETE FROM {s}.wp WHERE id = 1", "NOT_SUPPORTED", "Modifying Hive table rows is only supported for transactional tables")
    refused(lake, "UPDATE {s}.wp SET id = 1", "NOT_SUPPORTED", "Modifying Hive table rows is only supported for transactional tables")
    refused(lake, "CREATE TABLE {s}.no (k varchar, a int) WITH (partitioned_by = ARRAY['k'])", "HIVE_COLUMN_ORDER_MISMATCH", "Partition keys must be the last columns")
    lake.sql(f"DELETE FROM {s}.wp WHERE ds = DATE '2024-01-01' AND k = 'a=b/c'")
    assert lake.rows("wp", "id", "ORDER BY id") == [[2], [3]]
    assert len(lake.keys("db/wp/")) == 2
    lake.sql(f"DELETE FROM {s}.wp WHERE k IS NULL")
    assert lake.partition_names("wp") == ["ds=2024-01-02/k=é"]
    lake.sql(f"CREATE TABLE {s}.wp2 WITH (partitioned_by = ARRAY['orderstatus'], format = 'TEXTFILE') AS SELECT orderkey, orderstatus FROM tpch.tiny.orders")
    assert lake.partition_names("wp2") == ["orderstatus=F", "orderstatus=O", "orderstatus=P"]
    assert lake.rows("wp2", "orderstatus, count(*)", "GROUP BY 1 ORDER BY 1") == lake.sql(
        "SELECT orderstatus, count(*) FROM tpch.tiny.orders GROUP BY 1 ORDER BY 1")
    assert not [k for k in lake.keys("db/") if "/." in k]


def test_nobody_sees_half_an_insert(lake, platform):
    s = f"hive.{lake.name}"
    lake.sql(f"CREATE TABLE {s}.vis (a bigint, k varchar) WITH (partitioned_by = ARRAY['k'])")
    host, port = platform["sql"]["http"].removeprefix("http://").rstrip("/").split(":")
    seen, done = set(), threading.Event()

    def watch():
        with trino.dbapi.connect(host=host, port=int(port), user="admin") as connection:
            while not done.is_set():
                seen.add(connection.cursor().execute(f"SELECT count(*) FROM {s}.vis").fetchall()[0][0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(4):  # new partitions, then ones that are there
        lake.sql(f"INSERT INTO {s}.vis SELECT orderkey, CAST(orderkey % 20 AS varchar) FROM tpch.tiny.orders")
    done.set()
    watcher.join()
    assert seen <= {n * 15000 for n in range(5)}
    assert lake.rows("vis", "count(*), count(DISTINCT k)") == [[60000, 20]]


def test_external_tables_keep_their_files(lake):
    lake.put_parquet("ext/f.parquet", pa.table({"id": [1, 2]}))
    lake.sql(f"CREATE TABLE hive.{lake.name}.ext (id bigint) WITH (external_location = 's3://{lake.name}/ext')")
    assert lake.rows("ext", "sum(id)") == [[3]]
    refused(lake, "TRUNCATE TABLE {s}.ext", "NOT_SUPPORTED", "Cannot truncate non-managed Hive table")
    refused(lake, "DELETE FROM {s}.ext", "NOT_SUPPORTED", "Cannot delete from non-managed Hive table")
    lake.sql(f"DROP TABLE hive.{lake.name}.ext")
    assert lake.keys("ext/") == ["ext/f.parquet"]


def test_alter(lake):
    s = f"hive.{lake.name}"
    lake.sql(f"CREATE TABLE {s}.al (a integer, b varchar, k varchar) WITH (partitioned_by = ARRAY['k'])")
    lake.sql(f"INSERT INTO {s}.al VALUES (1, 'x', 'k')")
    lake.sql(f"ALTER TABLE {s}.al ADD COLUMN c double")
    lake.sql(f"INSERT INTO {s}.al VALUES (2, 'y', 1.5, 'k')")
    assert lake.rows("al", "*", "ORDER BY a") == [[1, "x", None, "k"], [2, "y", 1.5, "k"]]
    lake.sql(f"ALTER TABLE {s}.al DROP COLUMN c")
    lake.sql(f"COMMENT ON TABLE {s}.al IS 'said'")
    lake.sql(f"COMMENT ON COLUMN {s}.al.a IS 'of a'")
    assert lake.sql(f"DESCRIBE {s}.al") == [["a", "integer", "", "of a"], ["b", "varchar", "", ""], ["k", "varchar", "", ""]]
    refused(lake, "ALTER TABLE {s}.al DROP COLUMN k", "NOT_SUPPORTED", "Cannot drop partition column")
    refused(lake, "ALTER TABLE {s}.al RENAME COLUMN k TO l", "NOT_SUPPORTED", "Renaming partition columns is not supported")
    lake.sql(f"ALTER TABLE {s}.al RENAME COLUMN b TO bb")
    assert lake.rows("al", "a, bb", "ORDER BY a") == [[1, None], [2, None]]  # columns are found by name
    lake.sql(f"ALTER TABLE {s}.al RENAME TO {s}.al2")
    assert lake.rows("al2", "count(*)") == [[2]]
    lake.sql(f"DROP TABLE {s}.al2")


def test_procedures(lake):
    s = f"hive.{lake.name}"
    lake.sql(f"CREATE TABLE {s}.pr (id bigint, k varchar) WITH (partitioned_by = ARRAY['k'])")
    call = lambda name, *rest: lake.sql(f"CALL hive.system.{name}('{lake.name}', 'pr', {', '.join(rest)})")
    call("create_empty_partition", "ARRAY['k']", "ARRAY['e']")
    assert lake.partition_names("pr") == ["k=e"]
    lake.put_parquet("db/pr/k=s/f.parquet", pa.table({"id": [5]}))
    lake.put_parquet("other/f.parquet", pa.table({"id": [6]}))
    call("register_partition", "ARRAY['k']", "ARRAY['o']", f"'s3://{lake.name}/other'")
    call("sync_partition_metadata", "'ADD'")
    assert lake.partition_names("pr") == ["k=e", "k=o", "k=s"]
    assert lake.rows("pr", "*", "ORDER BY id") == [[5, "s"], [6, "o"]]
    call("unregister_partition", "ARRAY['k']", "ARRAY['o']")
    assert lake.keys("other/") == ["other/f.parquet"]
    call("sync_partition_metadata", "'FULL'")
    assert lake.partition_names("pr") == ["k=s"]
    refused(lake, f"CALL hive.system.sync_partition_metadata('{lake.name}', 'pr', 'SOME')", "INVALID_PROCEDURE_ARGUMENT", "Invalid partition metadata sync mode")


def test_partitions_with_separators_of_their_own(lake):
    columns = [("a", "string"), ("b", "string")]
    lake.create("own", "text", columns, keys=[("p", "int")], parameters={"field.delim": "|"})
    lake.partition("own", "text", columns, ["1"], "own/p=1", parameters={"field.delim": ","})
    refused(lake, "INSERT INTO {s}.own VALUES ('x', 'y', 1)", "NOT_SUPPORTED", "other SerDe properties")
    lake.sql(f"INSERT INTO hive.{lake.name}.own VALUES ('x', 'y', 2)")
    assert lake.rows("own") == [["x", "y", 2]]


def test_schemas_with_iceberg_tables_stay(lake, metastore):
    lake.sql("CREATE SCHEMA hive.mixed")
    metastore.create_table("mixed.ice", pa.schema([("id", pa.int64())]))
    refused(lake, "DROP SCHEMA hive.mixed CASCADE", "NOT_SUPPORTED", "Iceberg tables or views")
    metastore.drop_table("mixed.ice")
    lake.sql("DROP SCHEMA hive.mixed CASCADE")


def test_schemas(lake):
    lake.sql("CREATE SCHEMA IF NOT EXISTS hive.short")
    lake.sql("CREATE TABLE hive.short.t AS SELECT 1 AS a")
    refused(lake, "DROP SCHEMA hive.short", "SCHEMA_NOT_EMPTY", "Cannot drop non-empty schema 'short'")
    lake.sql("DROP SCHEMA hive.short CASCADE")
    assert ["short"] not in lake.sql("SHOW SCHEMAS FROM hive")
