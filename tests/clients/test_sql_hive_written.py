"""Hive tables of ORC and Avro files, written by SQL: pyarrow reads the ORC files, avro_bytes.py the Avro ones."""
import datetime
import decimal
import io
import random

import pyarrow as pa
import pyarrow.orc as orc
import pytest
from avro_bytes import read_avro
from test_sql_hive import lake, metastore, refused, s3, sql  # noqa: F401 (fixtures)
from test_sql_hive_orc import COLUMNS, EPOCH, TYPES, put_orc, row

trino = pytest.importorskip("trino")
NAMES = [name for name, _ in COLUMNS]


def bodies(lake, prefix):
    return [lake.s3.get_object(Bucket=lake.name, Key=key)["Body"].read() for key in lake.keys(prefix)]


@pytest.fixture(scope="module")
def source(lake):
    """A table of all types, as pyarrow wrote it."""
    chance = random.Random(11)
    rows = [row(n, chance) for n in range(6000)]
    table = pa.table([pa.array([r[i] for r in rows], TYPES[i]) for i in range(len(COLUMNS))], names=NAMES)
    table = table.append_column("id", pa.array(range(6000)))
    put_orc(lake, "source/f.orc", table)
    lake.create("source", "orc", [*COLUMNS, ("id", "bigint")])
    return table


def same_rows(lake, table):
    for name in NAMES:
        assert lake.sql(f"SELECT count(*) FROM hive.{lake.name}.source a JOIN hive.{lake.name}.{table} b USING (id) "
                        f"WHERE a.{name} IS DISTINCT FROM b.{name}") == [[0]], name
    assert lake.rows(table, "count(*), sum(id)") == [[6000, 17_997_000]]


@pytest.mark.parametrize("packing", ["", "NONE", "ZLIB", "SNAPPY", "LZ4", "ZSTD"])
def test_orc(lake, source, packing):
    table = "orc_" + packing.lower()
    codec = f", extra_properties = MAP(ARRAY['orc.compress'], ARRAY['{packing}'])" if packing else ""
    lake.sql(f"CREATE TABLE hive.{lake.name}.{table} WITH (format = 'ORC'{codec}) AS SELECT * FROM hive.{lake.name}.source")
    same_rows(lake, table)
    (body,) = bodies(lake, f"db/{table}/")
    file = orc.ORCFile(io.BytesIO(body))
    assert file.nrows == 6000 and file.compression == {"": "ZLIB", "NONE": "UNCOMPRESSED"}.get(packing, packing)
    read = file.read().sort_by("id")
    for name, kind in COLUMNS:
        want, got = source[name].to_pylist(), read[name].to_pylist()
        if kind == "char(4)":
            want, got = [[w and w.rstrip() for w in values] for values in (want, got)]
        assert got == want, name


def test_avro(lake, source):
    for codec in ("", "null", "deflate", "snappy", "zstandard"):
        table = "avro_" + codec
        given = f", extra_properties = MAP(ARRAY['avro.output.codec'], ARRAY['{codec}'])" if codec else ""
        lake.sql(f"CREATE TABLE hive.{lake.name}.{table} WITH (format = 'AVRO'{given}) AS SELECT * FROM hive.{lake.name}.source")
        same_rows(lake, table)
        (body,) = bodies(lake, f"db/{table}/")
        if codec == "snappy":
            continue
        head, rows = read_avro(body)
        assert head["avro.codec"].decode() == (codec or "deflate")
        rows.sort(key=lambda r: r["id"])
        for want, got in zip(source.to_pylist(), rows, strict=True):
            if want["m"] is not None:
                want["m"] = int(want["m"].scaleb(2))
                got["m"] = int.from_bytes(got["m"], "big", signed=True)
            if want["w"] is not None:
                want["w"] = int(decimal.Context(prec=60).scaleb(want["w"], 10))
                got["w"] = int.from_bytes(got["w"], "big", signed=True)
            want["day"] = want["day"] and (want["day"] - EPOCH.date()).days
            want["at"] = want["at"] if want["at"] is None else (want["at"] - EPOCH) // datetime.timedelta(milliseconds=1)
            want["k"] = None if want["k"] is None else dict(want["k"])
            want["c"] = want["c"] and want["c"].rstrip()
            got["c"] = got["c"] and got["c"].rstrip()
            assert got == want


@pytest.mark.parametrize("kind", ["ORC", "AVRO"])
def test_partitions_and_buckets(lake, kind):
    table = f"parts_{kind.lower()}"
    lake.sql(f"CREATE TABLE hive.{lake.name}.{table} (id bigint, v varchar(2), p varchar) WITH (format = '{kind}', "
             "partitioned_by = ARRAY['p'], bucketed_by = ARRAY['id'], bucket_count = 4, sorted_by = ARRAY['id'])")
    lake.sql(f"INSERT INTO hive.{lake.name}.{table} SELECT n, 'ab', CAST(n % 3 AS varchar) FROM UNNEST(sequence(1, 600)) t(n)")
    assert lake.rows(table, 'p, count(*), count(DISTINCT "$path"), count(DISTINCT "$bucket")', "GROUP BY 1 ORDER BY 1") == [
        [str(p), 200, 4, 4] for p in range(3)]
    assert lake.rows(table, '"$bucket", v, p', "WHERE id = 6") == [[2, "ab", "0"]]
    shown = lake.sql(f"SHOW CREATE TABLE hive.{lake.name}.{table}")[0][0]
    assert f"format = '{kind}'" in shown
    # A failed insert leaves no file, in no partition.
    before = lake.keys(f"db/{table}/")
    refused(lake, f"INSERT INTO {{s}}.{table} SELECT n / (n - 900), 'x', 'new' FROM UNNEST(sequence(1, 1000)) t(n)", "DIVISION_BY_ZERO", "")
    assert lake.keys(f"db/{table}/") == before
    lake.sql(f"INSERT INTO hive.{lake.name}.{table} SELECT * FROM hive.{lake.name}.{table} WHERE false")
    assert lake.keys(f"db/{table}/") == before


def test_nested_rows(lake):
    value = ("ARRAY[CAST(ROW(1, ARRAY[MAP(ARRAY['a', 'b'], ARRAY[CAST(ROW(DATE '2024-01-01', NULL) AS ROW(d date, x double)), NULL])]) "
             "AS ROW(n integer, l array(map(varchar, ROW(d date, x double))))), NULL]")
    for kind in ("ORC", "AVRO"):
        table = f"deep_{kind.lower()}"
        lake.sql(f"CREATE TABLE hive.{lake.name}.{table} WITH (format = '{kind}') AS SELECT * FROM (VALUES (1, {value}), (2, NULL), "
                 f"(3, ARRAY[]), (4, reverse({value}))) t(id, v)")
        got = lake.rows(table, "id, v", "ORDER BY id")
        deep = (1, [{"a": (datetime.date(2024, 1, 1), None), "b": None}])
        assert got == [[1, [deep, None]], [2, None], [3, []], [4, [None, deep]]]
    (body,) = bodies(lake, "db/deep_orc/")
    assert orc.ORCFile(io.BytesIO(body)).read().sort_by("id")["v"].to_pylist()[3][0] is None


def test_stripes_and_statistics(lake):
    """Many stripes; a conjunct passes over those that cannot match, and nothing is lost."""
    lake.sql(f"CREATE TABLE hive.{lake.name}.big WITH (format = 'ORC', extra_properties = MAP(ARRAY['orc.compress'], ARRAY['NONE'])) AS "
             "SELECT orderkey, partkey, comment, shipdate FROM tpch.sf1.lineitem WHERE orderkey < 3000000")
    count, total = lake.sql("SELECT count(*), sum(partkey) FROM tpch.sf1.lineitem WHERE orderkey < 3000000")[0]
    assert lake.rows("big", "count(*), sum(partkey), count(DISTINCT comment) > 1000") == [[count, total, True]]
    (body,) = bodies(lake, "db/big/")
    file = orc.ORCFile(io.BytesIO(body))
    assert file.nrows == count and file.nstripes > 1
    one = file.read_stripe(1, columns=["orderkey", "shipdate"])
    assert one.num_rows > 0
    low, high = min(one["orderkey"].to_pylist()), max(one["orderkey"].to_pylist())
    assert lake.rows("big", "count(*) > 0", f"WHERE orderkey BETWEEN {low} AND {high}") == [[True]]


def test_schema_of_the_table(lake):
    """avro.schema.literal says how records are written."""
    schema = ('{"type": "record", "name": "r", "fields": [{"name": "extra", "type": ["string", "null"]}, '
              '{"name": "V", "type": ["string", "null"]}, {"name": "id", "type": "long"}]}')
    lake.create("lit", "avro", [("id", "bigint"), ("v", "string")], properties={"avro.schema.literal": schema})
    lake.sql(f"INSERT INTO hive.{lake.name}.lit VALUES (1, 'one'), (2, NULL)")
    (body,) = bodies(lake, "lit/")
    assert sorted(read_avro(body)[1], key=lambda r: r["id"]) == [{"extra": None, "V": "one", "id": 1}, {"extra": None, "V": None, "id": 2}]
    assert lake.rows("lit", "*", "ORDER BY id") == [[1, "one"], [2, None]]
    refused(lake, "INSERT INTO {s}.lit VALUES (NULL, 'x')", "NOT_SUPPORTED", "has no null for column id")
    assert len(lake.keys("lit/")) == 1
    narrow = schema.replace('"name": "id", "type": "long"', '"name": "id", "type": "int"')
    lake.create("nar", "avro", [("id", "bigint"), ("v", "string")], properties={"avro.schema.literal": narrow})
    refused(lake, "INSERT INTO {s}.nar VALUES (1, 'x')", "NOT_SUPPORTED", "cannot be written with the table's Avro schema")
    assert not lake.keys("nar/")


def test_refusals(lake):
    refused(lake, "CREATE TABLE {s}.no (m map(bigint, varchar)) WITH (format = 'AVRO')", "NOT_SUPPORTED", "non-varchar map type")
    refused(lake, "CREATE TABLE {s}.no (\"a-b\" bigint) WITH (format = 'AVRO')", "NOT_SUPPORTED", "no name that Avro takes")
    refused(lake, "CREATE TABLE {s}.no WITH (format = 'ORC', extra_properties = MAP(ARRAY['orc.compress'], ARRAY['LZO'])) AS SELECT 1 x",
            "NOT_SUPPORTED", "orc.compress = 'LZO'")
    refused(lake, "CREATE TABLE {s}.no WITH (format = 'ORC') AS SELECT TIMESTAMP '1969-12-31 23:59:59.500' t", "NOT_SUPPORTED",
            "the last second before 1970")
    assert not lake.keys("db/no/")
    refused(lake, "SELECT * FROM {s}.no", "TABLE_NOT_FOUND", "no")
    lake.sql(f"CREATE TABLE hive.{lake.name}.old WITH (format = 'ORC') AS SELECT TIMESTAMP '1969-12-31 23:59:58.500' t, "
             "TIMESTAMP '1969-12-31 23:59:59.000' u")
    assert lake.rows("old") == [[datetime.datetime(1969, 12, 31, 23, 59, 58, 500000), datetime.datetime(1969, 12, 31, 23, 59, 59)]]
