"""Makes the Iceberg files of this folder with pyiceberg, and what pyiceberg itself reads from them.

    pip install 'pyiceberg[pyarrow,pyiceberg-core,sql-sqlite]==0.12.0'
    python generate.py OUTPUT_FOLDER

OUTPUT/<bucket>/<key> is the object s3://<bucket>/<key>; expected.json holds the answers, transforms.json values
and their transforms.
"""
import datetime
import decimal
import json
import os
import random
import sys
import uuid

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import (
    And, EqualTo, GreaterThan, GreaterThanOrEqual, In, IsNull, LessThan, Not, NotEqualTo, NotNull, Or, StartsWith,
)
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import (
    BucketTransform, DayTransform, HourTransform, IdentityTransform, MonthTransform, TruncateTransform, YearTransform,
)
from pyiceberg.types import (
    BinaryType, BooleanType, DateType, DecimalType, DoubleType, FloatType, IntegerType, ListType, LongType, MapType,
    NestedField, StringType, StructType, TimestampType, TimestamptzType, TimeType, UUIDType, FixedType,
)

ROOT = os.path.abspath(sys.argv[1])


class LocalS3(PyArrowFileIO):
    """Objects as files under ROOT; the locations stay s3://."""

    @staticmethod
    def _local(location):
        return location.replace("s3://", ROOT + "/")

    def new_input(self, location):
        file = super().new_input(self._local(location))
        file._location = location
        return file

    def new_output(self, location):
        os.makedirs(os.path.dirname(self._local(location)), exist_ok=True)
        file = super().new_output(self._local(location))
        file._location = location
        return file

    def delete(self, location):
        os.remove(self._local(location if isinstance(location, str) else location.location))


SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "section", StringType()),
    NestedField(3, "price", DecimalType(9, 2)),
    NestedField(4, "ts", TimestampType()),
    NestedField(5, "day", DateType()),
    NestedField(6, "ratio", DoubleType()),
    NestedField(7, "flag", BooleanType()),
    NestedField(8, "info", StructType(
        NestedField(9, "name", StringType()),
        NestedField(10, "tags", ListType(11, StringType(), element_required=False)))),
    NestedField(12, "counts", MapType(13, StringType(), 14, IntegerType(), value_required=False)),
)


def rows(schema, start, count, section):
    return pa.Table.from_pylist([{
        "id": i, "section": section if i % 7 else None, "price": decimal.Decimal(i) / 4,
        "ts": datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=7 * i),
        "day": datetime.date(1969, 12, 20) + datetime.timedelta(days=i),
        "ratio": float("nan") if i % 11 == 0 else i / 8, "flag": i % 2 == 0,
        "info": {"name": f"a rather long name number {i}", "tags": ["x", None]},
        "counts": {"one": 1},
    } for i in range(start, start + count)], schema=schema.as_arrow())


FILTERS = {
    "all": None,
    "id = 3": EqualTo("id", 3),
    "id > 25": GreaterThan("id", 25),
    "id in (1, 21)": In("id", [1, 21]),
    "section = 'net'": EqualTo("section", "net"),
    "section is null": IsNull("section"),
    "section is not null": NotNull("section"),
    "section like 'ne%'": StartsWith("section", "ne"),
    "ts < 2024-01-03": LessThan("ts", "2024-01-03T00:00:00"),
    "day >= 1970-01-10": GreaterThanOrEqual("day", "1970-01-10"),
    "price < 2.5 or id > 30": Or(LessThan("price", decimal.Decimal("2.50")), GreaterThan("id", 30)),
    "not (id > 10)": Not(GreaterThan("id", 10)),
    "id > 5 and section <> 'net'": And(GreaterThan("id", 5), NotEqualTo("section", "net")),
}


def describe(table):
    plans = {}
    for name, condition in FILTERS.items():
        scan = table.scan(row_filter=condition) if condition is not None else table.scan()
        plans[name] = sorted(task.file.file_path for task in scan.plan_files())
    return {
        "metadata": table.metadata_location,
        "plans": plans,
        "files": {task.file.file_path: {"records": task.file.record_count, "size": task.file.file_size_in_bytes}
                  for task in table.scan().plan_files()},
    }


def make_tables(catalog):
    answers = {}
    specs = {
        "plain": PartitionSpec(),
        "parted": PartitionSpec(
            PartitionField(2, 1000, IdentityTransform(), "section"),
            PartitionField(1, 1001, BucketTransform(4), "id_bucket")),
        "dated": PartitionSpec(
            PartitionField(4, 1000, DayTransform(), "ts_day"),
            PartitionField(5, 1001, MonthTransform(), "day_month"),
            PartitionField(3, 1002, TruncateTransform(100), "price_trunc")),
    }
    for name, spec in specs.items():
        table = catalog.create_table(("golden", name), SCHEMA, partition_spec=spec,
                                     properties={"format-version": "2"})
        for start, count, section in ((0, 10, "net"), (10, 10, "web"), (20, 5, "libs")):
            table.append(rows(table.schema(), start, count, section))
        if name == "plain":
            table.delete(EqualTo("id", 4))
            with table.update_schema() as update:
                update.add_column("extra", IntegerType(), doc="added later")
                update.rename_column("flag", "is_even")
        answers[name] = describe(catalog.load_table(("golden", name)))
    return answers


def make_transforms():
    random.seed(7)
    ints = [0, 1, -1, 34, 2**31 - 1, -2**31] + [random.randint(-10**6, 10**6) for _ in range(20)]
    longs = ints + [2**63 - 1, -2**63]
    words = ["", "iceberg", "Grüße", "日本語テキスト", "a" * 40, "\U0001f600 smile"]
    days = [0, -1, 17486, 365, -365, 20000, -20000]
    micros = [0, -1, 1510871468000000, -3600000001, 86399999999, 1700000000123456]
    decimals = [0, 1, -1, 1420, -1420, 10**8, -10**8, 999999999]
    blobs = [b"", b"\x00\x01\x02\x03", b"\xff" * 20]
    uuids = [uuid.UUID("f79c3e09-677c-4bbd-a479-3f349cb785e7"), uuid.UUID(int=0)]
    calendar = [YearTransform(), MonthTransform(), DayTransform()]
    cases = []

    def add(kind, type_, values, transforms, encode=lambda v: v, decode=lambda v: v):
        for transform in transforms:
            call = transform.transform(type_)
            for value in values:
                cases.append({"type": kind, "transform": str(transform), "value": encode(value),
                              "result": decode(call(value))})

    add("int", IntegerType(), ints, [BucketTransform(16), IdentityTransform()])
    # The least integer is left out: its truncation is not an integer.
    add("int", IntegerType(), [i for i in ints if i != -2**31], [TruncateTransform(10)])
    add("long", LongType(), longs, [BucketTransform(100), IdentityTransform()])
    add("long", LongType(), ints, [TruncateTransform(7)])
    add("string", StringType(), words, [BucketTransform(100), TruncateTransform(3)])
    add("date", DateType(), days, calendar + [BucketTransform(7)])
    add("time", TimeType(), [m for m in micros if m >= 0 and m < 86400000000], [BucketTransform(7)])
    add("timestamp", TimestampType(), micros, calendar + [HourTransform(), BucketTransform(7)])
    add("timestamptz", TimestamptzType(), micros, calendar + [HourTransform(), BucketTransform(7)])
    scaled = [decimal.Decimal(d).scaleb(-2) for d in decimals]
    add("decimal(9, 2)", DecimalType(9, 2), scaled, [BucketTransform(100)], str)
    add("decimal(9, 2)", DecimalType(9, 2), scaled, [TruncateTransform(50)], str, str)
    add("binary", BinaryType(), blobs, [BucketTransform(128)], bytes.hex)
    add("binary", BinaryType(), blobs, [TruncateTransform(2)], bytes.hex, bytes.hex)
    add("fixed[4]", FixedType(4), [b"\x00\x01\x02\x03"], [BucketTransform(128)], bytes.hex)
    add("uuid", UUIDType(), uuids, [BucketTransform(1000)], str)
    return cases


def main():
    os.makedirs(ROOT, exist_ok=True)
    catalog = SqlCatalog("golden", uri="sqlite://", warehouse="s3://golden",
                         **{"py-io-impl": "__main__.LocalS3"})
    catalog.create_namespace("golden")
    with open(os.path.join(ROOT, "expected.json"), "w") as file:
        json.dump(make_tables(catalog), file, indent=1, sort_keys=True)
    with open(os.path.join(ROOT, "transforms.json"), "w") as file:
        json.dump(make_transforms(), file, indent=0)


main()
