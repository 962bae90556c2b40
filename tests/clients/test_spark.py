"""Apache Spark 3.5 against the Iceberg REST catalog and the Hive Metastore; our SQL and pyiceberg read what it leaves.

Needs what ./dev test --engines installs: pip pyspark==3.5.9, Iceberg's jars from Maven, Java 17. Skipped without.
"""
import uuid

import pyarrow
import pytest
from engines.readers import SparkEngine, objects_below, others, ours, pyiceberg
from engines.values import COLUMNS, UUID, declared, literals, rows

CATALOGS = pytest.mark.parametrize("catalog", ["rest", "hms"])


@pytest.fixture
def engines(spark):
    return {name: SparkEngine(spark, name) for name in ("rest", "hms")}


@pytest.fixture
def space(engines, platform):
    name = "spark_" + uuid.uuid4().hex[:10]
    engines["rest"](f"CREATE NAMESPACE rest.{name}")
    yield name
    for table in engines["rest"](f"SHOW TABLES IN rest.{name}"):
        engines["rest"](f"DROP TABLE rest.{name}.{table[1]} PURGE")
    engines["hms"](f"DROP NAMESPACE hms.{name}")
    assert [key for key in objects_below(platform, name + "/") if not key.startswith(f"{name}/v-")] == []


def everyone_reads(platform, engines, table, want, what="*"):
    for name, reader in {**{f"Spark, {name}": engine for name, engine in engines.items()}, **others(platform)}.items():
        assert reader.rows(table, what) == want, name


# pyiceberg 0.12 reads a null array of rows as an empty one, whoever wrote it.
WITHOUT_LI = ", ".join(["id"] + [column.name for column in COLUMNS if column.name != "li"])


@CATALOGS
def test_every_type_is_read_by_everyone(engines, space, platform, catalog):
    engine, table = engines[catalog], f"{space}.t"
    engine(f"CREATE TABLE {catalog}.{table} (id int, {declared(COLUMNS, 'spark')}) USING iceberg")
    engine(f"INSERT INTO {catalog}.{table} VALUES {literals(COLUMNS, 'spark')}")
    for reader in (engines["rest"], engines["hms"], ours(platform)):
        assert reader.rows(table) == rows(COLUMNS)
    everyone_reads(platform, engines, table, rows([column for column in COLUMNS if column.name != "li"]), WITHOUT_LI)


@CATALOGS
def test_reads_what_others_wrote(engines, space, platform, catalog):
    sql, columns = ours(platform), COLUMNS + [UUID]
    sql(f"CREATE TABLE iceberg.{space}.t (id integer, {declared(columns, 'trino')})")
    sql(f"INSERT INTO iceberg.{space}.t VALUES {literals(columns, 'trino')}")
    assert engines[catalog].rows(f"{space}.t") == rows(columns)
    table = pyiceberg(platform, catalog).catalog.create_table(
        f"{space}.p", pyarrow.schema([("id", pyarrow.int32()), ("tags", pyarrow.list_(pyarrow.string()))]))
    table.append(pyarrow.table({"id": pyarrow.array([1, 2], pyarrow.int32()), "tags": [["a", None], None]}))
    engines[catalog](f"DELETE FROM {catalog}.{space}.p WHERE id = 2")
    everyone_reads(platform, engines, f"{space}.p", [(1, ["a", None])])


@CATALOGS
@pytest.mark.parametrize("mode", ["copy-on-write", "merge-on-read"])
def test_rows_and_schema_change(engines, space, platform, catalog, mode):
    engine, sql, table = engines[catalog], ours(platform), f"{space}.t"
    modes = ", ".join(f"'write.{change}.mode' = '{mode}'" for change in ("delete", "update", "merge"))
    engine(f"CREATE TABLE {catalog}.{table} (id bigint, region string, amount decimal(10,2), at timestamp, info struct<a:int>) USING iceberg "
           f"PARTITIONED BY (region) TBLPROPERTIES ('format-version' = '2', {modes})")
    engine(f"INSERT INTO {catalog}.{table} SELECT id, if(id % 2 = 0, 'east', null), id * 1.5BD, timestamp_seconds(id), struct(int(id)) FROM range(8)")
    engine(f"DELETE FROM {catalog}.{table} WHERE id IN (2, 3)")
    engine(f"UPDATE {catalog}.{table} SET amount = amount + 100, region = 'north' WHERE id = 4")
    engine(f"MERGE INTO {catalog}.{table} t USING (SELECT * FROM VALUES (5L, 'x'), (6L, 'y'), (9L, 'z') AS s(id, r)) s ON t.id = s.id "
           "WHEN MATCHED AND s.id = 5 THEN DELETE WHEN MATCHED THEN UPDATE SET region = s.r WHEN NOT MATCHED THEN INSERT (id, region) VALUES (s.id, s.r)")
    deletes = sql(f'SELECT count(*) FROM iceberg.{space}."t$files" WHERE content = 1')[0][0]
    assert (deletes > 0) == (mode == "merge-on-read")
    for change in ("ADD COLUMN extra array<int>", "ADD COLUMN info.b string", "RENAME COLUMN amount TO price", "ALTER COLUMN price TYPE decimal(20,2)",
                   "DROP COLUMN at", "DROP COLUMN info.a", "ADD PARTITION FIELD bucket(4, id)", "DROP PARTITION FIELD region", "ALTER COLUMN extra AFTER id",
                   "WRITE ORDERED BY id"):
        engine(f"ALTER TABLE {catalog}.{table} {change}")
    engine(f"INSERT INTO {catalog}.{table} VALUES (20, array(1, null), 'west', 9.99, struct('s'))")
    sql(f"DELETE FROM iceberg.{table} WHERE id = 1")
    sql(f"UPDATE iceberg.{table} SET region = 'ours' WHERE id = 7")
    engine(f"UPDATE {catalog}.{table} SET price = 0 WHERE id = 20")
    # id, extra, region, price, info
    want = engine.rows(table)
    assert [(row[0], row[1], row[2], str(row[3]), row[4]) for row in want] == [
        (0, None, "east", "0.00", (None,)), (20, [1, None], "west", "0.00", ("s",)), (4, None, "north", "106.00", (None,)),
        (6, None, "y", "9.00", (None,)), (7, None, "ours", "10.50", (None,)), (9, None, "z", "None", None)]
    everyone_reads(platform, engines, table, want)


@CATALOGS
def test_maintenance_branches_and_replacing(engines, space, platform, catalog):
    engine, sql, table = engines[catalog], ours(platform), f"{catalog}.{space}.t"
    engine(f"CREATE TABLE {table} (id bigint, s string) USING iceberg PARTITIONED BY (truncate(1, s)) TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')")
    for i in range(3):
        engine(f"INSERT INTO {table} VALUES ({i}, 'a{i}'), ({i + 10}, 'b')")
    engine(f"DELETE FROM {table} WHERE id = 12")
    engine(f"ALTER TABLE {table} CREATE TAG before")
    engine(f"ALTER TABLE {table} CREATE BRANCH audit")
    engine(f"INSERT INTO {table}.branch_audit VALUES (99, 'c')")
    assert engine(f"SELECT count(*) FROM {table}") == [(5,)]
    engine(f"CALL {catalog}.system.fast_forward('{space}.t', 'main', 'audit')")
    assert sql(f"SELECT count(*) FROM iceberg.{space}.t FOR VERSION AS OF 'before'") == [(5,)]
    engine(f"ALTER TABLE {table} DROP BRANCH audit")
    engine(f"ALTER TABLE {table} DROP TAG before")
    engine(f"CALL {catalog}.system.rewrite_data_files(table => '{space}.t', options => map('rewrite-all', 'true'))")
    engine(f"CALL {catalog}.system.rewrite_position_delete_files('{space}.t')")
    engine(f"CALL {catalog}.system.rewrite_manifests('{space}.t')")
    engine(f"CALL {catalog}.system.expire_snapshots(table => '{space}.t', older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1)")
    assert engine(f"SELECT count(*) FROM {table}.snapshots") == [(1,)]
    everyone_reads(platform, engines, f"{space}.t", [(0, "a0"), (1, "a1"), (10, "b"), (11, "b"), (2, "a2"), (99, "c")])
    engine(f"CREATE TABLE {catalog}.{space}.c USING iceberg AS SELECT * FROM {table}")
    engine(f"CREATE OR REPLACE TABLE {catalog}.{space}.c USING iceberg PARTITIONED BY (id) AS SELECT id FROM {table} WHERE id < 3")
    engine(f"INSERT OVERWRITE {catalog}.{space}.c VALUES (5)")
    engine(f"ALTER TABLE {catalog}.{space}.c RENAME TO {space}.d")
    everyone_reads(platform, engines, f"{space}.d", [(5,)])


def test_version_3_deletes_and_lineage(engines, space, platform):
    engine, sql, table = engines["rest"], ours(platform), f"{space}.t"
    engine(f"CREATE TABLE rest.{table} (id bigint, s string) USING iceberg TBLPROPERTIES ('format-version' = '3', 'write.delete.mode' = 'merge-on-read', "
           "'write.update.mode' = 'merge-on-read')")
    engine(f"INSERT INTO rest.{table} SELECT id, 's' FROM range(6)")
    engine(f"DELETE FROM rest.{table} WHERE id = 3")
    engine(f"UPDATE rest.{table} SET s = 'u' WHERE id = 4")
    sql(f"DELETE FROM iceberg.{table} WHERE id = 5")
    sql(f"UPDATE iceberg.{table} SET s = 'o' WHERE id = 0")
    want = [(0, "o"), (1, "s"), (2, "s"), (4, "u")]
    assert engine.rows(table) == want == sql.rows(table) == engines["hms"].rows(table)
    # Spark's UPDATE keeps a row's id, ours deletes and inserts: both are the format's.
    assert engine(f"SELECT id, _row_id FROM rest.{table} WHERE id > 0 ORDER BY id") == [(1, 1), (2, 2), (4, 4)]


def test_views_and_nested_namespaces_through_rest(engines, space):
    engine = engines["rest"]
    engine(f"CREATE TABLE rest.{space}.t (id bigint) USING iceberg")
    engine(f"INSERT INTO rest.{space}.t VALUES (1), (2)")
    engine(f"CREATE VIEW rest.{space}.v (x COMMENT 'c') COMMENT 'vc' AS SELECT id FROM rest.{space}.t")
    engine(f"CREATE OR REPLACE VIEW rest.{space}.v AS SELECT id + 1 AS y FROM rest.{space}.t")
    engine(f"ALTER VIEW rest.{space}.v RENAME TO rest.{space}.w")
    assert engine(f"SELECT y FROM rest.{space}.w ORDER BY 1") == [(2,), (3,)]
    assert [row[1] for row in engine(f"SHOW VIEWS IN rest.{space}")] == ["w"]
    engine(f"DROP VIEW rest.{space}.w")  # leaves its metadata files, as Iceberg's own catalogs do
    engine(f"CREATE NAMESPACE rest.{space}.inner")
    engine(f"CREATE TABLE rest.{space}.inner.t USING iceberg AS SELECT 1 AS id")
    assert engine.rows(f"{space}.inner.t") == [(1,)]
    engine(f"DROP TABLE rest.{space}.inner.t PURGE")
    engine(f"DROP NAMESPACE rest.{space}.inner")
