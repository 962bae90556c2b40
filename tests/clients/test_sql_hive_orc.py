"""Hive tables of ORC and Avro files, read by SQL: pyarrow writes the ORC files, avro_bytes.py the Avro ones."""
import datetime
import decimal
import io
import random

import pyarrow as pa
import pyarrow.orc as orc
import pytest
from avro_bytes import avro_file
from test_sql_hive import lake, metastore, refused, s3, sql  # noqa: F401 (fixtures)

D = decimal.Decimal
PACKINGS = ["uncompressed", "zlib", "snappy", "lz4", "zstd"]


def put_orc(lake, key, table, **options):
    out = io.BytesIO()
    orc.write_table(table, out, **options)
    lake.put(key, out.getvalue())
    return out.getvalue()


COLUMNS = [("b", "boolean"), ("t", "tinyint"), ("s", "smallint"), ("i", "int"), ("l", "bigint"), ("f", "float"), ("d", "double"),
           ("m", "decimal(9,2)"), ("w", "decimal(38,10)"), ("x", "string"), ("v", "varchar(3)"), ("c", "char(4)"), ("y", "binary"),
           ("day", "date"), ("at", "timestamp"), ("a", "array<int>"), ("k", "map<string,bigint>"),
           ("r", "struct<n:int,x:string,deep:array<struct<p:int>>>")]
DEEP = pa.list_(pa.struct([("p", pa.int32())]))
TYPES = [pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.decimal128(9, 2),
         pa.decimal128(38, 10), pa.string(), pa.string(), pa.string(), pa.binary(), pa.date32(), pa.timestamp("ns"),
         pa.list_(pa.int32()), pa.map_(pa.string(), pa.int64()), pa.struct([("n", pa.int32()), ("x", pa.string()), ("deep", DEEP)])]
EPOCH = datetime.datetime(1970, 1, 1)


def row(n, chance):
    """Runs, patterns and noise, so that every encoding of the writer is met."""
    if n % 11 == 3:
        return [None] * len(COLUMNS)
    wide = D(chance.randrange(-10**37, 10**37)).scaleb(-10)
    moment = EPOCH + datetime.timedelta(milliseconds=chance.choice([chance.randrange(3 * 10**12), -1000 * chance.randrange(10**9)]))
    values = [n % 3 == 0, n % 256 - 128, chance.randrange(-2**15, 2**15), n // 50, chance.choice([n, n * 1000, -2**62, 2**62 + n]),
              n / 4, chance.random(), D(chance.randrange(-10**8, 10**8)).scaleb(-2), wide, f"word {n % 7}" if n < 9000 else f"{chance.random()}",
              "äöü"[: n % 4], "ab", bytes([n % 256, 0, 255]), datetime.date(1970, 1, 1) + datetime.timedelta(days=n - 5000), moment,
              list(range(n % 5)), [(f"k{i}", n + i) for i in range(n % 3)],
              {"n": n, "x": None if n % 2 else "x", "deep": [{"p": i} for i in range(n % 3)]}]
    return [None if chance.random() < 0.05 else v for v in values]


def shown(value):
    """As the client gives the value that pyarrow was given."""
    if isinstance(value, list) and value and isinstance(value[0], tuple) and isinstance(value[0][0], str):
        return dict(value)
    if isinstance(value, list):
        return [shown(v) for v in value]
    if isinstance(value, dict):
        return tuple(shown(v) for v in value.values())
    return value


def plain(value):
    """Rows as tuples without names."""
    if isinstance(value, tuple):
        return tuple(plain(v) for v in value)
    return [plain(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("packing", PACKINGS)
def test_all_types_by_compression(lake, packing):
    chance = random.Random(7)
    rows = [row(n, chance) for n in range(12_000)]
    table = pa.table([pa.array([r[i] for r in rows], TYPES[i]) for i in range(len(COLUMNS))], names=[n for n, _ in COLUMNS])
    body = put_orc(lake, f"all_{packing}/f.orc", table, compression=packing, stripe_size=100_000, compression_block_size=65_536,
                   dictionary_key_size_threshold=0.8)
    assert orc.ORCFile(io.BytesIO(body)).nstripes > 1
    lake.create(f"all_{packing}", "orc", COLUMNS)
    order = lambda r: repr(r)  # noqa: E731
    for number, (name, kind) in enumerate(COLUMNS):
        got = [plain(r[0]) for r in lake.rows(f"all_{packing}", name)]
        wanted = [shown(r[number]) for r in rows]
        if kind == "map<string,bigint>":
            wanted = [{} if w == [] else w for w in wanted]
        if kind == "char(4)":
            wanted = [None if w is None else w.ljust(4) for w in wanted]
        if kind.startswith("float"):
            wanted = [None if w is None else float(w) for w in wanted]
        assert sorted(got, key=order) == sorted(wanted, key=order), name
    assert lake.rows(f"all_{packing}", "count(*), count(l), sum(i), min(day)") == [
        [12_000, sum(r[4] is not None for r in rows), sum(r[3] or 0 for r in rows), min(r[13] for r in rows if r[13])]]
    assert lake.rows(f"all_{packing}", "count(*)", "WHERE r[1] = 40 AND cardinality(a) = 0")[0][0] == sum(
        r[17] is not None and r[17]["n"] == 40 and r[15] == [] for r in rows)


def test_columns_by_name_and_place(lake):
    lake.create("named", "orc", [("a", "bigint"), ("late", "string"), ("B", "string"), ("n", "struct<y:int,x:int,z:int>")])
    put_orc(lake, "named/1", pa.table({"b": ["one"], "other": [5], "A": pa.array([1]), "N": [{"x": 3, "Y": 4}]}))
    put_orc(lake, "named/2", pa.table({"a": pa.array([2], pa.int8())}))
    got = lake.rows("named", "a, late, b, n[1], n[2], n[3]", "ORDER BY a")
    assert got == [[1, None, "one", 4, 3, None], [2, None, None, None, None, None]]
    lake.create("placed", "orc", [("a", "bigint"), ("b", "string"), ("c", "int")])
    put_orc(lake, "placed/1", pa.table({"_col0": [1], "_col1": ["x"]}))
    assert lake.rows("placed") == [[1, "x", None]]


def test_types_that_grow(lake):
    files = pa.table({"i": pa.array([1, None, -3], pa.int8()), "f": pa.array([0.5, None, 2], pa.float32()),
                      "m": pa.array([D("1.25"), None, D("-1.25")], pa.decimal128(5, 2)), "n": pa.array([7, 8, 9], pa.int32()),
                      "l": pa.array([[1], None, [2, 3]], pa.list_(pa.int16())), "v": ["länger", "b  ", "c"]})
    put_orc(lake, "grown/f", files)
    lake.create("grown", "orc", [("i", "bigint"), ("f", "double"), ("m", "decimal(20,1)"), ("n", "string"), ("l", "array<bigint>"),
                                 ("v", "varchar(2)")])
    assert lake.rows("grown") == [[1, 0.5, D("1.3"), "7", [1], "lä"], [None, None, None, "8", None, "b "],
                                  [-3, 2.0, D("-1.3"), "9", [2, 3], "c"]]
    lake.create("shrunk", "orc", [("n", "tinyint")])
    put_orc(lake, "shrunk/f", pa.table({"n": [1, 300]}))
    refused(lake, "SELECT n FROM {s}.shrunk", "HIVE_BAD_DATA", "shrunk/f")
    lake.create("wrong", "orc", [("v", "bigint"), ("t", "timestamp")])
    put_orc(lake, "wrong/f", pa.table({"v": ["x"], "t": pa.array([0], pa.timestamp("us", "UTC"))}))
    refused(lake, "SELECT v FROM {s}.wrong", "HIVE_BAD_DATA", "Cannot read SQL type 'bigint' from ORC stream 'v' of type STRING")
    refused(lake, "SELECT t FROM {s}.wrong", "HIVE_BAD_DATA", "of type TIMESTAMP_INSTANT")


def test_timestamps_are_rounded(lake):
    """Whole seconds before 1970: pyarrow writes negative nanoseconds, which the format has not."""
    nanos = {0: 0, 1_499_999: 1, 1_500_000: 2, 10**18 + 999_500_000: 10**12 + 1000, -10**9: -1000, -10**18: -10**12}
    put_orc(lake, "times/f", pa.table({"n": list(range(len(nanos))), "at": pa.array(list(nanos), pa.timestamp("ns"))}))
    lake.create("times", "orc", [("n", "bigint"), ("at", "timestamp")])
    got = lake.rows("times", "date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00.000', at)", "ORDER BY n")
    assert [r[0] for r in got] == list(nanos.values())


def test_partitions_of_two_formats(lake):
    columns = [("id", "bigint"), ("v", "varchar(2)")]
    lake.create("mixed", "orc", columns, keys=[("day", "date")])
    lake.partition("mixed", "orc", columns, ["2024-01-01"], "mixed/o")
    lake.partition("mixed", "parquet", columns, ["2024-01-02"], "mixed/p")
    lake.partition("mixed", "avro", columns, ["2024-01-03"], "mixed/a")
    put_orc(lake, "mixed/o/f", pa.table({"id": [1], "v": ["abc"]}))
    lake.put_parquet("mixed/p/f", pa.table({"id": [2], "v": ["abc"]}))
    lake.put("mixed/a/f", avro_file({"type": "record", "name": "r", "fields": [{"name": "id", "type": "long"}, {"name": "v", "type": "string"}]},
                                    [{"id": 3, "v": "abc"}]))
    days = [datetime.date(2024, 1, n) for n in (1, 2, 3)]
    assert lake.rows("mixed", "*", "ORDER BY id") == [[n, "ab", days[n - 1]] for n in (1, 2, 3)]
    assert lake.rows("mixed", 'id, "$partition", "$path"', "WHERE day = DATE '2024-01-01'") == [
        [1, "day=2024-01-01", f"s3://{lake.name}/mixed/o/f"]]
    assert lake.rows("mixed", "count(*), max(day)") == [[3, days[2]]]
    refused(lake, "INSERT INTO {s}.mixed VALUES (1, 'x', DATE '2024-01-02')", "NOT_SUPPORTED", "another storage format than its table: PARQUET")


def test_stripes_that_cannot_match(lake):
    rows = 200_000
    put_orc(lake, "skipped/f", pa.table({"id": list(range(rows)), "pad": [str(n * 7919 % 1000) for n in range(rows)]}), stripe_size=65_536)
    lake.create("skipped", "orc", [("id", "bigint"), ("pad", "string")])
    assert lake.rows("skipped", "count(*), min(pad)", f"WHERE id >= {rows - 10}") == [
        [10, min(str(n * 7919 % 1000) for n in range(rows - 10, rows))]]
    assert lake.rows("skipped", "count(*)", "WHERE id IN (5, 150000)") == [[2]]
    assert lake.rows("skipped", "count(*)", "WHERE id IS NULL OR id < 0") == [[0]]
    assert lake.rows("skipped", "count(*), sum(id)") == [[rows, rows * (rows - 1) // 2]]


def test_damaged_orc(lake):
    table = pa.table({"id": list(range(20_000)), "x": [f"v{n % 100}" for n in range(20_000)]})
    out = io.BytesIO()
    orc.write_table(table, out, compression="zlib")
    body = out.getvalue()
    lake.create("hurt", "orc", [("id", "bigint"), ("x", "string")])
    chance = random.Random(3)
    cut = [body[:n] for n in (1, 3, 20, len(body) // 2)] + [b"ORC" + bytes(100)]
    for damaged in cut:
        lake.put("hurt/f", damaged)
        refused(lake, "SELECT count(x), sum(id) FROM {s}.hurt", "HIVE_BAD_DATA", f"s3://{lake.name}/hurt/f")
    for _ in range(40):
        changed = bytearray(body)
        for _ in range(4):
            changed[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        lake.put("hurt/f", bytes(changed))
        try:
            lake.rows("hurt", "count(x), sum(id)")
        except Exception as error:  # some of the bits are not looked at
            assert error.error_name in ("HIVE_BAD_DATA", "NOT_SUPPORTED", "NUMERIC_VALUE_OUT_OF_RANGE"), error
    lake.put("hurt/f", body)
    assert lake.rows("hurt", "count(x), sum(id)") == [[20_000, sum(range(20_000))]]


AVRO = {"type": "record", "name": "r", "namespace": "n.s", "fields": [
    {"name": "b", "type": ["null", "boolean"]}, {"name": "i", "type": ["int", "null"]}, {"name": "l", "type": "long"},
    {"name": "f", "type": "float"}, {"name": "d", "type": ["null", "double"]}, {"name": "x", "type": ["null", "string"]},
    {"name": "y", "type": "bytes"}, {"name": "m", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    {"name": "g", "type": {"type": "fixed", "name": "g", "size": 5, "logicalType": "decimal", "precision": 11, "scale": 1}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "us", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
    {"name": "e", "type": {"type": "enum", "name": "e", "symbols": ["ONE", "TWO"]}},
    {"name": "unread", "type": {"type": "array", "items": ["null", "string"]}},
    {"name": "a", "type": ["null", {"type": "array", "items": ["null", "int"]}]},
    {"name": "k", "type": {"type": "map", "values": "long"}},
    {"name": "R", "type": ["null", {"type": "record", "name": "inner", "fields": [{"name": "n", "type": "int"},
                                                                                 {"name": "X", "type": ["null", "string"]}]}]}]}
AVRO_COLUMNS = [("b", "boolean"), ("i", "int"), ("l", "bigint"), ("f", "float"), ("d", "double"), ("x", "varchar(3)"), ("y", "binary"),
                ("m", "decimal(9,2)"), ("g", "decimal(12,2)"), ("day", "date"), ("at", "timestamp"), ("us", "timestamp"), ("e", "string"),
                ("gone", "string"), ("a", "array<int>"), ("k", "map<string,bigint>"), ("r", "struct<x:string,n:int,more:int>")]


def avro_row(n):
    null = n % 7 == 1
    return {"b": None if null else n % 2 == 0, "i": None if null else n - 500, "l": n << 33, "f": n / 2, "d": None if null else n / 3,
            "x": None if null else f"äb{n}", "y": bytes([n % 256]), "m": (n - 500).to_bytes(4, "big", signed=True),
            "g": (500 - n).to_bytes(5, "big", signed=True), "day": n - 500, "at": (n - 500) * 1001, "us": None if null else n * 1000,
            "e": ["ONE", "TWO"][n % 2], "unread": [None, "u"] * (n % 3), "a": None if null else [n, None], "k": {"p": n} if n % 2 else {},
            "R": None if null else {"n": n, "X": "x"}}


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard"])
def test_avro(lake, codec):
    lake.create(f"avro_{codec}", "avro", AVRO_COLUMNS)
    lake.put(f"avro_{codec}/f.avro", avro_file(AVRO, [avro_row(n) for n in range(1000)], codec))
    got = lake.rows(f"avro_{codec}", "*", "ORDER BY l")
    for n in range(1000):
        null = n % 7 == 1
        wanted = [n % 2 == 0, n - 500, n << 33, n / 2, n / 3, f"äb{n}"[:3], bytes([n % 256]), D(n - 500).scaleb(-2), D(500 - n).scaleb(-1),
                  datetime.date(1970, 1, 1) + datetime.timedelta(days=n - 500), EPOCH + datetime.timedelta(milliseconds=(n - 500) * 1001),
                  EPOCH + datetime.timedelta(milliseconds=n), ["ONE", "TWO"][n % 2], None, [n, None], {"p": n} if n % 2 else {}, ("x", n, None)]
        if null:
            for column in (0, 1, 4, 5, 11, 14, 16):
                wanted[column] = None
        assert got[n] == wanted, n
    assert lake.rows(f"avro_{codec}", "count(*), sum(l)") == [[1000, sum(n << 33 for n in range(1000))]]


def test_avro_defaults_and_refusals(lake):
    schema = '{"type":"record","name":"r","fields":[{"name":"id","type":"long"},{"name":"now","aliases":["Old"],"type":"string"},' \
             '{"name":"more","type":"int","default":7},{"name":"maybe","type":["null","int"],"default":null}]}'
    lake.create("literal", "avro", [("id", "bigint"), ("now", "string"), ("more", "int"), ("maybe", "int")],
                properties={"avro.schema.literal": schema})
    record = {"type": "record", "name": "r", "fields": [{"name": "old", "type": "string"}, {"name": "id", "type": "int"}]}
    lake.put("literal/f", avro_file(record, [{"id": 1, "old": "x"}]))
    assert lake.rows("literal") == [[1, "x", 7, None]]
    lake.create("url", "avro", [("id", "bigint")], properties={"avro.schema.url": "s3://a/b"})
    refused(lake, "SELECT * FROM {s}.url", "NOT_SUPPORTED", "avro.schema.url")
    lake.create("other", "avro", [("old", "bigint")])
    lake.put("other/f", avro_file(record, [{"id": 1, "old": "x"}]))
    refused(lake, "SELECT * FROM {s}.other", "HIVE_BAD_DATA", "column old of type bigint cannot be read from Avro's string")
    body = avro_file(record, [{"id": n, "old": "x" * 50} for n in range(1000)])
    lake.create("torn", "avro", [("id", "bigint"), ("old", "string")])
    for damaged in (body[:3], body[:100], body[:-1], body[:-20], body[:-16] + bytes(16)):
        lake.put("torn/f", damaged)
        refused(lake, "SELECT count(old) FROM {s}.torn", "HIVE_BAD_DATA", f"s3://{lake.name}/torn/f")


def test_avro_in_ranges(lake):
    record = {"type": "record", "name": "r", "fields": [{"name": "id", "type": "long"}, {"name": "pad", "type": "string"}]}
    pad = "p" * 20_000
    lake.create("ranges", "avro", [("id", "bigint"), ("pad", "string")])
    lake.put("ranges/f", avro_file(record, [{"id": n, "pad": pad} for n in range(4000)], block_rows=7))
    assert lake.rows("ranges", "count(*), sum(id), min(length(pad))") == [[4000, 4000 * 3999 // 2, 20_000]]
