"""Columns of every type that engines share, their literals in two dialects, and one plain form of what each engine gives back."""
import datetime
import decimal
import uuid
from decimal import Decimal
from typing import NamedTuple

UTC = datetime.timezone.utc


class Column(NamedTuple):
    name: str
    trino: str  # its type in Trino's SQL and in ours
    spark: str
    values: tuple  # (literal of Trino, literal of Spark or None: the same, plain value)


def at(*parts, zone=None):
    return datetime.datetime(*parts, tzinfo=zone)


UUIDS = ("f79c3e09-677c-4bbd-a479-3f349cb785e7", "00000000-0000-0000-0000-000000000001")

COLUMNS = [
    Column("i", "integer", "int", (("INTEGER '-2147483648'", "int('-2147483648')", -2147483648), ("7", None, 7))),
    Column("big", "bigint", "bigint", (("9223372036854775807", "9223372036854775807L", 2**63 - 1), ("BIGINT '-1'", "-1L", -1))),
    Column("flag", "boolean", "boolean", (("true", None, True), ("false", None, False))),
    Column("r", "real", "float", (("REAL '1.5'", "float(1.5)", 1.5), ("REAL '-0.25'", "float(-0.25)", -0.25))),
    Column("d", "double", "double", (("nan()", "double('NaN')", "NaN"), ("1.7976931348623157E308", None, 1.7976931348623157e308))),
    Column("d9", "decimal(9,2)", "decimal(9,2)", (("DECIMAL '-1234567.89'", "-1234567.89BD", Decimal("-1234567.89")),
                                                  ("DECIMAL '0.01'", "0.01BD", Decimal("0.01")))),
    Column("d18", "decimal(18,4)", "decimal(18,4)", (("DECIMAL '12345678901234.5678'", "12345678901234.5678BD", Decimal("12345678901234.5678")),
                                                     ("DECIMAL '-0.0001'", "-0.0001BD", Decimal("-0.0001")))),
    Column("d38", "decimal(38,10)", "decimal(38,10)", (
        ("DECIMAL '-9999999999999999999999999999.9999999999'", "-9999999999999999999999999999.9999999999BD",
         Decimal("-9999999999999999999999999999.9999999999")),
        ("DECIMAL '0.0000000001'", "0.0000000001BD", Decimal("0.0000000001")))),
    Column("s", "varchar", "string", (("'Grüße, 世界'", None, "Grüße, 世界"), ("''", None, ""))),
    Column("bin", "varbinary", "binary", (("X'00FF10'", None, b"\x00\xff\x10"), ("X''", None, b""))),
    Column("day", "date", "date", (("DATE '1582-10-15'", None, datetime.date(1582, 10, 15)), ("DATE '2024-02-29'", None, datetime.date(2024, 2, 29)))),
    Column("ts", "timestamp(6)", "timestamp_ntz", (
        ("TIMESTAMP '1969-12-31 23:59:59.999999'", "TIMESTAMP_NTZ '1969-12-31 23:59:59.999999'", at(1969, 12, 31, 23, 59, 59, 999999)),
        ("TIMESTAMP '2024-03-31 02:30:00.000001'", "TIMESTAMP_NTZ '2024-03-31 02:30:00.000001'", at(2024, 3, 31, 2, 30, 0, 1)))),
    Column("tz", "timestamp(6) with time zone", "timestamp", (
        ("TIMESTAMP '2024-01-01 01:30:00.000001 +05:30'", "TIMESTAMP '2024-01-01 01:30:00.000001+05:30'", at(2023, 12, 31, 20, 0, 0, 1, zone=UTC)),
        ("TIMESTAMP '1969-12-31 23:59:59.999999 UTC'", "TIMESTAMP '1969-12-31 23:59:59.999999Z'", at(1969, 12, 31, 23, 59, 59, 999999, zone=UTC)))),
    Column("st", "row(a integer, b row(c varchar, d decimal(5,1)))", "struct<a:int,b:struct<c:string,d:decimal(5,1)>>", (
        ("ROW(1, ROW('x', DECIMAL '9999.9'))", "struct(1, struct('x', 9999.9BD))", (1, ("x", Decimal("9999.9")))),
        ("ROW(NULL, NULL)", "named_struct('a', int(null), 'b', CAST(null AS struct<c:string,d:decimal(5,1)>))", (None, None)))),
    Column("li", "array(row(x integer, y array(timestamp(6))))", "array<struct<x:int,y:array<timestamp_ntz>>>", (
        ("ARRAY[ROW(1, ARRAY[TIMESTAMP '2024-01-01 00:00:00.000000', NULL]), NULL, ROW(2, ARRAY[])]",
         "array(struct(1, array(TIMESTAMP_NTZ '2024-01-01 00:00:00', null)), null, struct(2, CAST(array() AS array<timestamp_ntz>)))",
         [(1, [at(2024, 1, 1), None]), None, (2, [])]),
        ("ARRAY[]", "CAST(array() AS array<struct<x:int,y:array<timestamp_ntz>>>)", []))),
    Column("ma", "map(varchar, array(bigint))", "map<string,array<bigint>>", (
        ("MAP(ARRAY['k', 'l'], ARRAY[ARRAY[1, NULL], NULL])", "map('k', array(1L, null), 'l', null)", {"k": [1, None], "l": None}),
        ("MAP()", "CAST(map() AS map<string,array<bigint>>)", {}))),
]
# What Spark's SQL cannot declare: it reads the first as a string, and not the second.
UUID = Column("u", "uuid", "string", tuple((f"UUID '{u}'", f"'{u}'", u) for u in UUIDS))
TIME = Column("t", "time(6)", "", (("TIME '23:59:59.999999'", "", datetime.time(23, 59, 59, 999999)), ("TIME '00:00:00.000000'", "", datetime.time())))


def declared(columns, dialect):
    return ", ".join(f"{column.name} {getattr(column, dialect)}" for column in columns)


def literals(columns, dialect):
    """VALUES of the rows of rows(); the last is all null."""
    def literal(column, index):
        trino, spark, _ = column.values[index]
        return f"CAST({trino if dialect == 'trino' else spark or trino} AS {getattr(column, dialect)})"
    lines = [", ".join(["%d" % (i + 1)] + [literal(column, i) for column in columns]) for i in range(2)]
    return ", ".join(f"({line})" for line in lines + [", ".join(["3"] + ["NULL"] * len(columns))])


def rows(columns):
    return [tuple([i + 1] + [plain(column.values[i][2]) for column in columns]) for i in range(2)] + [tuple([3] + [None] * len(columns))]


def plain(value):
    """Bytes as bytes, zones as UTC, ids as text, rows as tuples, maps as sorted pairs, a NaN that equals itself."""
    if isinstance(value, dict):
        return "map", tuple(sorted((plain(key), plain(item)) for key, item in value.items()))
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, float) and value != value:
        return "NaN"
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return value.astimezone(UTC)
    if isinstance(value, decimal.Decimal):
        return value
    return value


def from_spark(value, kind):
    """Spark's own instants come as local times of this process: they get their zone here, by the column's type."""
    name = kind.typeName()
    if value is None:
        return None
    if name == "timestamp":
        return value.astimezone(UTC)
    if name == "struct":
        return tuple(from_spark(item, field.dataType) for item, field in zip(value, kind.fields))
    if name == "array":
        return [from_spark(item, kind.elementType) for item in value]
    if name == "map":
        return {from_spark(key, kind.keyType): from_spark(item, kind.valueType) for key, item in value.items()}
    return value


def from_arrow(value, kind):
    """Arrow's structs are dictionaries and its maps lists of pairs."""
    import pyarrow
    if value is None:
        return None
    if pyarrow.types.is_struct(kind):
        return tuple(from_arrow(value[field.name], field.type) for field in kind)
    if pyarrow.types.is_map(kind):
        return {from_arrow(key, kind.key_type): from_arrow(item, kind.item_type) for key, item in value}
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        return [from_arrow(item, kind.value_type) for item in value]
    return value
