"""Tables with a sort order: what INSERT, CREATE TABLE AS, UPDATE, MERGE and optimize write, read by pyiceberg.

Needs: pip trino, pyiceberg[s3fs,pyarrow]==0.12.0.
"""
import warnings

import pyarrow.parquet as pq
import pytest

from test_sql_changes import Sql, catalog, sql  # noqa: F401: fixtures

pytest.importorskip("trino")
warnings.filterwarnings("ignore")

ROWS = "SELECT CASE WHEN n % 100 > 0 THEN (n * 7919) % 10007 END a, 'x' || CAST(n % 13 AS varchar) b, n % 3 p FROM UNNEST(sequence(1, {})) AS s(n)"


def files_of(catalog, name="changes.t"):
    """Of every data file: its sort order id and its rows, in the file's order."""
    table = catalog.load_table(name)
    for task in table.scan().plan_files():
        with table.io.new_input(task.file.file_path).open() as file:
            yield task.file.sort_order_id, pq.ParquetFile(file).read().to_pylist()


def nulls(value, first):
    return (value is not None) == first, value if value is not None else 0


def a_desc_b(row):
    """a DESC NULLS LAST, b: a key that ascends."""
    return row["a"] is None, -(row["a"] or 0), row["b"]


def check(catalog, key=a_desc_b):
    order = catalog.load_table("changes.t").sort_order().order_id
    found = list(files_of(catalog))
    for sort_order_id, rows in found:
        assert sort_order_id == order != 0
        assert rows == sorted(rows, key=key)
    return found


@pytest.mark.parametrize("parted", ["", "partitioning = ARRAY['p'], "])
def test_everything_that_writes_sorts(sql, catalog, parted):
    with_order = f"WITH ({parted}sorted_by = ARRAY['a DESC NULLS LAST', 'b'])"
    sql(f"CREATE TABLE t (a bigint, b varchar, p bigint) {with_order}")
    assert "sorted_by = ARRAY['a DESC NULLS LAST','b ASC NULLS FIRST']" in sql("SHOW CREATE TABLE t")[0][0].replace("', '", "','")
    sql("INSERT INTO t " + ROWS.format(10_000))
    assert sum(len(rows) for _, rows in check(catalog)) == 10_000
    sql("UPDATE t SET b = reverse(b), a = -a WHERE a % 5 = 0")
    sql("MERGE INTO t USING (VALUES (BIGINT '7', 'new'), (20007, 'far')) AS s(a, b) ON t.a = s.a "
        "WHEN MATCHED THEN UPDATE SET b = s.b, a = 30000 + t.p WHEN NOT MATCHED THEN INSERT (a, b, p) VALUES (s.a, s.b, 1)")
    files = len(check(catalog))
    sql("ALTER TABLE t EXECUTE optimize")
    assert len(check(catalog)) < files
    before = sql("SELECT count(*), sum(a), max(b) FROM t")
    sql(f"CREATE OR REPLACE TABLE t {with_order} AS SELECT * FROM t")
    check(catalog)
    assert sql("SELECT count(*), sum(a), max(b) FROM t") == before == [(before[0][0], *before[0][1:])]


def test_large_writes_sort(sql, catalog):
    """More rows than the engine has in one batch or one row group, by several threads."""
    rows = "SELECT CAST(x * 1000 + y AS bigint) i FROM UNNEST(sequence(0, 499)) u(x) CROSS JOIN UNNEST(sequence(0, 999)) v(y)"
    made = f"CREATE TABLE t WITH (sorted_by = ARRAY['a DESC NULLS LAST', 'b']) AS SELECT (i * 7919) % 1000003 a, 'b' b, i % 3 p FROM ({rows})"
    sql(made)
    assert sum(len(rows) for _, rows in check(catalog)) == 500_000


def test_the_session_can_leave_it(sql, catalog):
    sql("CREATE TABLE t (a bigint, b varchar, p bigint) WITH (sorted_by = ARRAY['a'])")
    sql("SET SESSION iceberg.sorted_writing_enabled = false")
    sql("INSERT INTO t VALUES (3, 'x', 1), (1, 'y', 1), (2, 'z', 1)")
    sql("UPDATE t SET b = 'u' WHERE a > 1")
    assert {order for order, _ in files_of(catalog)} == {None}
    sql("SET SESSION iceberg.sorted_writing_enabled = true")
    sql("ALTER TABLE t EXECUTE optimize")
    ((order, rows),) = files_of(catalog)
    assert order == 1 and [row["a"] for row in rows] == [1, 2, 3]


def test_orders_of_other_clients(sql, catalog):
    """Transforms, fields inside rows, directions and nulls, as the specification has them."""
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table.sorting import NullOrder, SortDirection, SortField, SortOrder
    from pyiceberg.transforms import DayTransform, IdentityTransform, TruncateTransform
    from pyiceberg.types import LongType, NestedField, StringType, StructType, TimestampType
    schema = Schema(
        NestedField(1, "id", LongType()), NestedField(2, "at", TimestampType()), NestedField(3, "name", StringType()),
        NestedField(4, "part", StructType(NestedField(5, "n", LongType()))))
    order = SortOrder(
        SortField(source_id=2, transform=DayTransform(), direction=SortDirection.DESC, null_order=NullOrder.NULLS_FIRST),
        SortField(source_id=3, transform=TruncateTransform(1), direction=SortDirection.ASC, null_order=NullOrder.NULLS_LAST),
        SortField(source_id=5, transform=IdentityTransform(), direction=SortDirection.ASC, null_order=NullOrder.NULLS_FIRST))
    catalog.create_table("changes.t", schema, partition_spec=PartitionSpec(), sort_order=order)
    sql("""INSERT INTO t SELECT n, CASE WHEN n % 7 > 0 THEN TIMESTAMP '1969-12-25 00:00:00' + n * INTERVAL '1' HOUR END,
        CASE WHEN n % 11 > 0 THEN chr(CAST(97 + n % 5 AS integer)) || CAST(n AS varchar) END,
        CASE WHEN n % 13 > 0 THEN CAST(ROW((n * 31) % 101) AS row(n bigint)) END FROM UNNEST(sequence(1, 500)) AS s(n)""")

    def key(row):
        part = row["part"]["n"] if row["part"] else None
        return (*nulls(row["at"] and -row["at"].date().toordinal(), True), row["name"] is None, (row["name"] or "")[:1],
                *nulls(part, True))

    check(catalog, key)
    assert sql("SELECT count(*), count(at), count(name), count(part) FROM t") == [(500, 429, 455, 462)]
