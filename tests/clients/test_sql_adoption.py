"""add_files, add_files_from_table and migrate: Hive tables' files become Iceberg's where they lie; pyiceberg reads them."""
import datetime
import decimal
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import load_catalog
from test_sql_hive import FORMATS, Lake, metastore, refused, s3, sql  # noqa: F401: fixtures


@pytest.fixture
def lake(metastore, s3, sql):  # noqa: F811
    return Lake(metastore, s3, sql)


@pytest.fixture
def rest(platform):
    at = platform["s3"]
    return load_catalog("rest", uri=platform["iceberg_rest"]["uri"], **{
        "s3.endpoint": at["endpoint"], "s3.access-key-id": at["access_key"],
        "s3.secret-access-key": at["secret_key"], "s3.region": at["region"]})


def ice(lake, table, columns="*", rest=""):
    return lake.sql(f"SELECT {columns} FROM iceberg.{lake.name}.{table} {rest}")


def execute(lake, table, call):
    return lake.sql(f"ALTER TABLE iceberg.{lake.name}.{table} EXECUTE {call}")


def add(lake, table, folder, *more):
    return execute(lake, table, f"add_files({', '.join([repr(f's3://{lake.name}/{folder}'), repr('PARQUET'), *more])})")


def fails(lake, statement, name, text):
    refused(lake, statement, name, text)


COLUMNS = [("id", "int"), ("name", "string"), ("price", "decimal(10,2)"), ("day", "date"), ("at", "timestamp"),
           ("tags", "array<string>"), ("inner", "struct<a:bigint,b:string>"), ("m", "map<string,int>"), ("small", "smallint")]
ROWS = pa.table({
    "id": pa.array([1, 2, None], pa.int32()), "Name": ["a", None, "zz"],
    "price": pa.array([decimal.Decimal("1.50"), decimal.Decimal("-2.25"), None], pa.decimal128(10, 2)),
    "day": pa.array([datetime.date(2024, 1, 2), None, datetime.date(1969, 12, 31)]),
    "at": pa.array([datetime.datetime(2024, 1, 2, 3, 4, 5), None, datetime.datetime(1960, 1, 1)], pa.timestamp("us")),
    "tags": pa.array([["x", None], [], None], pa.list_(pa.string())),
    "inner": pa.array([{"a": 1, "b": "q"}, {"a": None, "b": None}, None], pa.struct([("a", pa.int64()), ("b", pa.string())])),
    "m": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int32())),
    "small": pa.array([7, None, -7], pa.int16())})


def test_migrate_keeps_the_files_and_every_value(lake, rest):
    lake.create("t", "parquet", COLUMNS, properties={"comment": "old", "numRows": "3", "mine": "yes"}, external=False)
    lake.put_parquet("t/f1.parquet", ROWS)
    lake.put_parquet("t/f2.parquet", ROWS.slice(0, 1))
    before = lake.rows("t", rest="ORDER BY id, name")
    files = lake.keys("t/")
    lake.sql(f"CALL iceberg.system.migrate('{lake.name}', 't')")
    assert ice(lake, "t", rest="ORDER BY id, name") == before and len(before) == 4
    assert [key for key in lake.keys("t/") if "/metadata/" not in key] == files
    fails(lake, f"SELECT * FROM hive.{lake.name}.t", "UNSUPPORTED_TABLE_TYPE", "Cannot query Iceberg table")
    fails(lake, f"CALL iceberg.system.migrate('{lake.name}', 't')", "NOT_SUPPORTED", "The table is already an Iceberg table")
    table = rest.load_table(f"{lake.name}.t")
    assert table.properties["mine"] == "yes" and "numRows" not in table.properties
    got = table.scan().to_arrow().sort_by("id").to_pylist()
    assert [row["name"] for row in got] == ["a", "a", None, "zz"]
    assert got[0]["inner"] == {"a": 1, "b": "q"} and got[0]["tags"] == ["x", None] and got[0]["m"] == [("k", 1)]
    assert got[3]["day"] == datetime.date(1969, 12, 31) and got[2]["price"] == decimal.Decimal("-2.25")
    # The bounds of the footers prune.
    assert len(list(table.scan(row_filter="id = 2").plan_files())) == 1
    assert ice(lake, "t", "count(*)", "WHERE id = 2") == [[1]]
    # And from then on it is a table like any.
    lake.sql(f"INSERT INTO iceberg.{lake.name}.t (id, name) VALUES (9, 'new')")
    lake.sql(f"UPDATE iceberg.{lake.name}.t SET name = 'changed' WHERE id = 1")
    lake.sql(f"ALTER TABLE iceberg.{lake.name}.t RENAME COLUMN name TO called")
    assert ice(lake, "t", "id, called", "ORDER BY id, called") == [
        [1, "changed"], [1, "changed"], [2, None], [9, "new"], [None, "zz"]]
    execute(lake, "t", "optimize")
    assert ice(lake, "t", "count(*), count(called), sum(small)") == [[5, 4, 7]]


def test_migrate_partitions(lake, rest):
    columns, keys = [("id", "bigint")], [("ds", "date"), ("k", "string")]
    lake.create("p", "parquet", columns, keys=keys)
    for i, values in enumerate((["2024-01-01", "a"], ["2024-01-02", "b=/ c"], ["__HIVE_DEFAULT_PARTITION__", "n"])):
        lake.partition("p", "parquet", columns, values, f"elsewhere/{i}")
        lake.put_parquet(f"elsewhere/{i}/f.parquet", pa.table({"id": [i]}))
    before = lake.rows("p", rest="ORDER BY id")
    lake.sql(f"CALL iceberg.system.migrate(schema_name => '{lake.name}', table_name => 'p', recursive_directory => 'true')")
    assert ice(lake, "p", rest="ORDER BY id") == before
    table = rest.load_table(f"{lake.name}.p")
    assert [field.name for field in table.spec().fields] == ["ds", "k"]
    assert sorted(table.scan().to_arrow().to_pylist(), key=lambda row: row["id"]) == [
        {"id": 0, "ds": datetime.date(2024, 1, 1), "k": "a"}, {"id": 1, "ds": datetime.date(2024, 1, 2), "k": "b=/ c"},
        {"id": 2, "ds": None, "k": "n"}]
    assert len(list(table.scan(row_filter="k = 'a'").plan_files())) == 1
    lake.sql(f"INSERT INTO iceberg.{lake.name}.p VALUES (7, DATE '2024-01-01', 'a')")
    assert ice(lake, "p", "id", "WHERE ds = DATE '2024-01-01' ORDER BY id") == [[0], [7]]


def test_migrate_refuses_what_it_cannot_take(lake):
    call = f"CALL iceberg.system.migrate('{lake.name}', "
    for kind, name in (("orc", "ORC"), ("csv", "CSV"), ("text", "TEXTFILE")):
        lake.create(kind, kind, [("a", "string")])
        lake.put(f"{kind}/f", "x")
        fails(lake, f"{call}'{kind}')", "NOT_SUPPORTED", f"Unsupported storage format: {name}")
    lake.create("delta", "parquet", [("a", "string")], properties={"spark.sql.sources.provider": "delta"})
    fails(lake, f"{call}'delta')", "NOT_SUPPORTED", "The procedure doesn't support migrating Delta Lake tables")
    lake.create("deep", "parquet", [("a", "bigint")])
    lake.put_parquet("deep/sub/f.parquet", pa.table({"a": [1]}))
    lake.put_parquet("deep/_hidden/f.parquet", pa.table({"a": [2]}))
    fails(lake, f"{call}'deep')", "NOT_SUPPORTED",
          "Recursive directory must not exist when recursive_directory argument is 'fail'")
    fails(lake, f"{call}'deep', 'maybe')", "INVALID_PROCEDURE_ARGUMENT", "Invalid recursive_directory: maybe")
    fails(lake, f"{call}'none')", "TABLE_NOT_FOUND", "not found")
    lake.create("wrong", "parquet", [("a", "bigint")])
    lake.put_parquet("wrong/f.parquet", pa.table({"a": ["text"]}))
    fails(lake, f"{call}'wrong')", "TYPE_MISMATCH", "Target 'a' column is 'long' type, but got source 'VARCHAR' type")
    lake.put("wrong/f.parquet", "no footer at all, but bytes enough")
    fails(lake, f"{call}'wrong')", "ICEBERG_COMMIT_ERROR", "Failed to read file footer")
    assert lake.keys("wrong/") == ["wrong/f.parquet"]  # nothing is left behind
    lake.sql(f"{call}'deep', 'true')")
    assert ice(lake, "deep") == [[1]]


def test_add_files(lake, rest):
    lake.sql(f"CREATE TABLE iceberg.{lake.name}.a (id bigint NOT NULL, name varchar)")
    lake.put_parquet("in/f1.parquet", pa.table({"ID": [1, 2], "NAME": ["x", None]}))
    lake.put_parquet("in/f2.parquet", pa.table({"id": pa.array([3], pa.int32())}))
    lake.put("in/_SUCCESS", "")
    assert add(lake, "a", "in") == [["added_data_files", 2]]
    assert ice(lake, "a", rest="ORDER BY id") == [[1, "x"], [2, None], [3, None]]
    table = rest.load_table(f"{lake.name}.a")
    assert sorted((row["id"], row["name"]) for row in table.scan().to_arrow().to_pylist()) == [(1, "x"), (2, None), (3, None)]
    assert "schema.name-mapping.default" in table.properties
    where = f"s3://{lake.name}/in"
    of_a = f"ALTER TABLE iceberg.{lake.name}.a EXECUTE "
    fails(lake, f"{of_a}add_files('{where}/f1.parquet', 'PARQUET')", "ICEBERG_COMMIT_ERROR",
          f"Failed to add files: File already exists: {where}/f1.parquet")
    lake.put_parquet("nulls/f.parquet", pa.table({"id": pa.array([None], pa.int64())}))
    fails(lake, f"{of_a}add_files('s3://{lake.name}/nulls', 'PARQUET')", "CONSTRAINT_VIOLATION",
          "NULL value not allowed for NOT NULL column: id")
    lake.put_parquet("other/f.parquet", pa.table({"x": [1]}))
    fails(lake, f"{of_a}add_files('s3://{lake.name}/other', 'PARQUET')", "CONSTRAINT_VIOLATION", "id")
    fails(lake, f"{of_a}add_files('s3://{lake.name}/nowhere', 'PARQUET')", "NOT_FOUND", "Location not found")
    for name in ("ORC", "AVRO", "TEXTFILE"):
        fails(lake, f"{of_a}add_files('{where}', '{name}')", "NOT_SUPPORTED",
              f"The procedure does not support storage format: {name}")
    fails(lake, f"{of_a}add_files('{where}')", "INVALID_ARGUMENTS", "Required procedure argument 'FORMAT' is missing")
    # Files with another table's field ids would be read by those.
    out = io.BytesIO()
    pq.write_table(pa.table([pa.array([1]), pa.array(["x"])], schema=pa.schema([
        pa.field("id", pa.int64(), metadata={"PARQUET:field_id": "2"}),
        pa.field("name", pa.string(), metadata={"PARQUET:field_id": "1"})])), out)
    lake.put("ids/f.parquet", out.getvalue())
    fails(lake, f"{of_a}add_files('s3://{lake.name}/ids', 'PARQUET')", "NOT_SUPPORTED", "has the field id of another table")
    lake.put_parquet("in/sub/f.parquet", pa.table({"id": [4]}))
    fails(lake, f"{of_a}add_files('{where}', 'PARQUET')", "NOT_SUPPORTED", "Recursive directory must not exist")
    assert add(lake, "a", "in/sub") == [["added_data_files", 1]]
    lake.put_parquet("in2/f.parquet", pa.table({"id": [5]}))
    lake.put_parquet("in2/sub/f.parquet", pa.table({"id": [6]}))
    assert add(lake, "a", "in2", "'false'") == [["added_data_files", 1]]
    assert ice(lake, "a", "id", "ORDER BY id") == [[1], [2], [3], [4], [5]]


def test_add_files_to_partitions(lake, rest):
    lake.sql(f"CREATE TABLE iceberg.{lake.name}.pt (id bigint, part varchar, n integer) WITH (partitioning = ARRAY['part', 'n'])")
    of = f"ALTER TABLE iceberg.{lake.name}.pt EXECUTE "
    lake.put_parquet("src/part=a%20b/n=5/f.parquet", pa.table({"id": [1]}))
    lake.put_parquet("src/part=c/n=__HIVE_DEFAULT_PARTITION__/f.parquet", pa.table({"id": [2]}))
    assert execute(lake, "pt", f"add_files('s3://{lake.name}/src', 'PARQUET', 'true')") == [["added_data_files", 2]]
    assert ice(lake, "pt", rest="ORDER BY id") == [[1, "a b", 5], [2, "c", None]]
    assert sorted(map(str, rest.load_table(f"{lake.name}.pt").scan(row_filter="n = 5").to_arrow().to_pylist())) == [
        "{'id': 1, 'part': 'a b', 'n': 5}"]
    lake.put_parquet("flat/f.parquet", pa.table({"id": [1]}))
    fails(lake, f"{of}add_files('s3://{lake.name}/flat', 'PARQUET')", "ICEBERG_COMMIT_ERROR",
          "Failed to add files: Invalid partition location, expected path with partitions defined as 'part=value/n=value':")
    lake.put_parquet("turned/n=1/part=x/f.parquet", pa.table({"id": [1]}))
    fails(lake, f"{of}add_files('s3://{lake.name}/turned/n=1/part=x', 'PARQUET')", "ICEBERG_COMMIT_ERROR",
          "Failed to add files: Invalid partition location, expected partition key 'part' but was 'n':")


def test_add_files_from_table(lake):
    columns = [("id", "bigint"), ("name", "string")]
    lake.create("plain", "parquet", columns)
    lake.put_parquet("plain/f.parquet", pa.table({"id": [1], "name": ["x"]}))
    lake.sql(f"CREATE TABLE iceberg.{lake.name}.target (id bigint, name varchar, more integer)")
    assert execute(lake, "target", f"add_files_from_table('{lake.name}', 'plain')") == [["added_data_files", 1]]
    assert ice(lake, "target") == [[1, "x", None]] and lake.rows("plain") == [[1, "x"]]
    of = f"ALTER TABLE iceberg.{lake.name}.target EXECUTE add_files_from_table('{lake.name}', "
    fails(lake, f"{of}'target')", "NOT_SUPPORTED", "Adding files from non-Hive tables is unsupported")
    fails(lake, f"{of}'plain', map(ARRAY['a'], ARRAY['b']))", "NOT_SUPPORTED",
          "Partition filter is not supported for non-partitioned tables")
    lake.create("typed", "parquet", [("id", "string")])
    fails(lake, f"{of}'typed')", "TYPE_MISMATCH", "Target 'id' column is 'long' type, but got source 'string' type")
    lake.create("stranger", "parquet", [("x", "string")])
    fails(lake, f"{of}'stranger')", "COLUMN_NOT_FOUND",
          "All columns in the source table do not exist in the target table")
    lake.create("lines", "text", columns)
    fails(lake, f"{of}'lines')", "NOT_SUPPORTED", "The procedure does not support storage format: TEXTFILE")

    lake.create("parts", "parquet", columns, keys=[("k", "string"), ("n", "int")])
    for k, n in (("a", 1), ("a", 2), ("b", 1)):
        lake.partition("parts", "parquet", columns, [k, str(n)], f"parts/k={k}/n={n}")
        lake.put_parquet(f"parts/k={k}/n={n}/f.parquet", pa.table({"id": [n], "name": [k]}))
    fails(lake, f"{of}'parts')", "INVALID_PROCEDURE_ARGUMENT",
          "Numbers of partition columns should be equivalent. target: 0, source: 2")
    lake.sql(f"CREATE TABLE iceberg.{lake.name}.parted (id bigint, name varchar, n integer, k varchar) "
             "WITH (partitioning = ARRAY['n', 'k'])")
    of = f"ALTER TABLE iceberg.{lake.name}.parted EXECUTE add_files_from_table('{lake.name}', 'parts'"
    fails(lake, f"{of})", "INVALID_PROCEDURE_ARGUMENT", "partition_filter argument must be provided for partitioned tables")
    fails(lake, f"{of}, map(ARRAY['k'], ARRAY['a']))", "ICEBERG_COMMIT_ERROR",
          "partition value count must match partition column count")
    fails(lake, f"{of}, map(ARRAY['k', 'n'], ARRAY['z', '9']))", "ICEBERG_COMMIT_ERROR", "Invalid partition: k=z/n=9")
    assert lake.sql(f"{of}, map(ARRAY['k', 'n'], ARRAY['a', '2']))") == [["added_data_files", 1]]
    assert ice(lake, "parted") == [[2, "a", 2, "a"]]
