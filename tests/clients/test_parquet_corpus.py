"""apache/parquet-testing's files as Hive tables: every value is the one that pyarrow reads. docs/corpora.md says what is left out."""
import datetime
import decimal
import math
import os
import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trino
from conftest import ROOT
from test_sql_hive import Lake, metastore, s3, sql  # noqa: F401: fixtures

# A folder with more of them: PARQUET_TESTING=/path/to/parquet-testing/data
CORPUS = Path(os.environ.get("PARQUET_TESTING", ROOT / "tests/golden/parquet_testing"))
PLAIN = {pa.bool_(): "boolean", pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "int", pa.int64(): "bigint",
         pa.uint8(): "smallint", pa.uint16(): "int", pa.uint32(): "bigint", pa.float32(): "float", pa.float64(): "double",
         pa.string(): "string", pa.large_string(): "string", pa.binary(): "binary", pa.date32(): "date"}

# What is not read, and says so.
REFUSED = {
    "hadoop_lz4_compressed": "Unsupported compression codec \"LZ4\"",
    "hadoop_lz4_compressed_larger": "Unsupported compression codec \"LZ4\"",
    "non_hadoop_lz4_compressed": "Unsupported compression codec \"LZ4\"",
    "map_no_value": "MAP_KEY_VALUE requires two children",
    "repeated_no_annotation": "not found",
    "repeated_primitive_no_list": "not found",
}


def hive_type(of):
    """None: Hive has no such type."""
    if of in PLAIN:
        return PLAIN[of]
    if pa.types.is_decimal(of):
        return f"decimal({of.precision},{of.scale})" if of.precision <= 38 else None
    if pa.types.is_timestamp(of):
        return "timestamp" if of.tz is None else None
    if pa.types.is_dictionary(of):
        return hive_type(of.value_type)
    if pa.types.is_fixed_size_binary(of):
        return "binary"
    if pa.types.is_map(of):
        inner = [hive_type(of.key_type), hive_type(of.item_type)]
        return f"map<{inner[0]},{inner[1]}>" if all(inner) else None
    if pa.types.is_struct(of):
        inner = [(field.name.lower(), hive_type(field.type)) for field in of]
        return f"struct<{','.join(f'{n}:{t}' for n, t in inner)}>" if inner and all(t for _, t in inner) else None
    if pa.types.is_list(of):
        inner = hive_type(of.value_type)
        return inner and f"array<{inner}>"
    return None


def plain(value, of):
    """Both sides' values in one form."""
    if value is None:
        return None
    if pa.types.is_map(of):
        pairs = value.items() if isinstance(value, dict) else value
        return sorted((repr(plain(k, of.key_type)), plain(v, of.item_type)) for k, v in pairs)
    if pa.types.is_struct(of):
        values = value.values() if isinstance(value, dict) else value
        return [plain(v, field.type) for v, field in zip(values, of)]
    if pa.types.is_list(of):
        return [plain(item, of.value_type) for item in value]
    if isinstance(value, float):
        if math.isnan(value):
            return "nan"
        return struct.unpack("f", struct.pack("f", value))[0] if of == pa.float32() else value
    if isinstance(value, datetime.datetime):  # Hive's timestamps have three digits here
        return (value + datetime.timedelta(microseconds=500)).replace(microsecond=0), (value.microsecond + 500) // 1000 % 1000
    if isinstance(value, decimal.Decimal):
        return value.normalize() + 0
    return value


def readable(path):
    """The file as pyarrow reads it, or why it is no table of Hive's."""
    try:
        table = pq.read_table(path)
    except Exception as problem:  # noqa: BLE001: whatever pyarrow says
        return None, f"pyarrow: {str(problem).splitlines()[0]}"
    names = [name.lower() for name in table.column_names]
    if len(set(names)) != len(names):
        return None, "column names that differ in case only"
    try:
        table.to_pylist()
    except (ValueError, OverflowError):
        return None, "instants that Python has no value for"
    for field in table.schema:
        if hive_type(field.type) is None:
            return None, f"no type of Hive for {field.type}"
    return table, ""


@pytest.fixture(scope="module")
def lake(metastore, s3, sql):  # noqa: F811
    return Lake(metastore, s3, sql)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.parquet")), ids=lambda path: path.stem)
def test_every_value_is_there(lake, path):
    table, why = readable(path)
    if table is None:
        pytest.skip(why)
    name = "c_" + "".join(c if c.isalnum() else "_" for c in path.stem.lower())
    lake.create(name, "parquet", [(field.name.lower(), hive_type(field.type)) for field in table.schema])
    lake.put(f"{name}/f.parquet", path.read_bytes())
    if path.stem in REFUSED:
        with pytest.raises(trino.exceptions.TrinoQueryError, match=REFUSED[path.stem]):
            lake.rows(name)
        return
    types = [field.type for field in table.schema]
    expected = [[plain(row[i], of) for i, of in enumerate(types)]
                for row in zip(*(column.to_pylist() for column in table.columns))]
    got = [[plain(row[i], of) for i, of in enumerate(types)] for row in lake.rows(name)]
    assert sorted(map(repr, got)) == sorted(map(repr, expected))
