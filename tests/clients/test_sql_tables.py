"""Hidden columns, metadata tables, time travel, materialized views and what a scan opens, through the Trino client.

Needs: pip trino, pyiceberg[s3fs,pyarrow]==0.12.0.
"""
import time
import urllib.request
import warnings

import pytest

from test_sql_changes import Sql, catalog  # noqa: F401  (a fixture)

trino = pytest.importorskip("trino")
warnings.filterwarnings("ignore")

METADATA = {
    "properties": "key varchar, value varchar",
    "history": "made_current_at timestamp(3) with time zone, snapshot_id bigint, parent_id bigint, is_current_ancestor boolean",
    "metadata_log_entries": "timestamp timestamp(3) with time zone, file varchar, latest_snapshot_id bigint, latest_schema_id integer, "
                            "latest_sequence_number bigint",
    "snapshots": "committed_at timestamp(3) with time zone, snapshot_id bigint, parent_id bigint, operation varchar, manifest_list varchar, "
                 "summary map(varchar, varchar)",
    "refs": "name varchar, type varchar, snapshot_id bigint, max_reference_age_in_ms bigint, min_snapshots_to_keep integer, "
            "max_snapshot_age_in_ms bigint",
    "partitions": "partition row(region varchar, at_day date), record_count bigint, file_count bigint, total_size bigint, data row(id "
                  "row(min bigint, max bigint, null_count bigint, nan_count bigint), at row(min timestamp(6), max timestamp(6), null_count "
                  "bigint, nan_count bigint))",
}


@pytest.fixture
def sql(platform):
    run = Sql(platform)
    run("DROP SCHEMA IF EXISTS iceberg.changes CASCADE")
    run("CREATE SCHEMA iceberg.changes")
    yield run
    run("DROP SCHEMA iceberg.changes CASCADE")


def visits(sql):
    sql("CREATE TABLE t (id bigint, region varchar, at timestamp(6)) WITH (partitioning = ARRAY['region', 'day(at)'])")
    sql("INSERT INTO t VALUES (1, 'east', TIMESTAMP '2024-01-01 10:00:00'), (2, 'west', TIMESTAMP '2024-01-02 00:00:00.5')")
    sql("INSERT INTO t VALUES (3, 'east', TIMESTAMP '2024-01-01 11:00:00'), (4, NULL, NULL)")
    sql("DELETE FROM t WHERE id = 3")


def test_metadata_tables_have_trinos_columns(sql):
    visits(sql)
    for name, columns in METADATA.items():
        described = ", ".join(f"{row[0]} {row[1]}" for row in sql(f'DESCRIBE "t${name}"'))
        assert described == columns, name
    assert [row[0] for row in sql('DESCRIBE "t$files"')] == [
        "content", "file_path", "file_format", "spec_id", "partition", "record_count", "file_size_in_bytes", "column_sizes",
        "value_counts", "null_value_counts", "nan_value_counts", "lower_bounds", "upper_bounds", "key_metadata", "split_offsets",
        "equality_ids", "sort_order_id", "readable_metrics"]
    assert sql.error('SELECT * FROM "t$nothing"').error_name == "TABLE_NOT_FOUND"
    assert sql.error('INSERT INTO "t$properties" VALUES (\'a\', \'b\')').error_name == "NOT_SUPPORTED"
    assert sql.error('DELETE FROM "t$files"').error_name == "NOT_SUPPORTED"


def test_metadata_tables_say_what_is_there(sql, catalog):
    visits(sql)
    table = catalog.load_table("changes.t")
    snapshots = sql('SELECT snapshot_id, parent_id, operation, summary[\'total-records\'], manifest_list FROM "t$snapshots" ORDER BY committed_at')
    assert [(row[0], row[1]) for row in snapshots] == [(s.snapshot_id, s.parent_snapshot_id) for s in table.snapshots()]
    assert snapshots[-1][4] == table.current_snapshot().manifest_list
    assert sql('SELECT count(*), count_if(is_current_ancestor) FROM "t$history"') == [(len(snapshots), len(snapshots))]
    assert sql('SELECT name, type, snapshot_id FROM "t$refs"') == [("main", "BRANCH", snapshots[-1][0])]
    assert sql('SELECT file FROM "t$metadata_log_entries" ORDER BY timestamp DESC, latest_sequence_number DESC LIMIT 1') == [(table.metadata_location,)]
    files = {row["file_path"]: row for row in table.inspect.files().to_pylist()}
    got = sql('SELECT file_path, content, record_count, file_size_in_bytes, lower_bounds[1], partition.region FROM "t$files"')
    assert {row[0] for row in got} == set(files)
    for path, content, rows, size, lower, region in got:
        assert (content, rows, size) == (files[path]["content"], files[path]["record_count"], files[path]["file_size_in_bytes"])
        assert content != 0 or lower in ("1", "2", "4")
    assert sql('SELECT sum(added_data_files_count) FROM "t$manifests"')[0][0] >= 1
    assert sql('SELECT count(*) FROM "t$all_manifests"')[0][0] >= sql('SELECT count(*) FROM "t$manifests"')[0][0]
    assert sql('SELECT count(*) FROM "t$entries" WHERE status < 2') == [(len(files),)]
    assert sql('SELECT count(DISTINCT data_file.file_path) FROM "t$all_entries"')[0][0] >= len(files)
    assert sql('SELECT partition.region, partition.at_day, record_count, data.id.max FROM "t$partitions" ORDER BY 1 NULLS LAST')[-1][2:] == (1, 4)
    assert dict(sql('SELECT key, value FROM "t$properties"'))["write.parquet.compression-codec"]
    assert sql("""SELECT json_extract_scalar(readable_metrics, '$.id.value_count') FROM "t$files" WHERE content = 0 LIMIT 1""")[0][0] is not None


def test_metadata_tables_of_many_files(sql, catalog):
    """So many rows that they do not become text in a statement: cells of every type keep their values."""
    columns = {"id": "bigint", "d": "date", "at": "timestamp(6) with time zone", "ts": "timestamp(6)", "price": "decimal(9, 2)",
               "ok": "boolean", "tod": "time(6)", "name": "varchar"}
    sql(f"""CREATE TABLE t ({", ".join(f"{name} {type}" for name, type in columns.items())}, more varchar)
        WITH (partitioning = ARRAY[{", ".join(f"'{name}'" for name in columns)}])""")
    sql("""INSERT INTO t SELECT n, DATE '1969-11-30' + n * INTERVAL '1' DAY, TIMESTAMP '1969-12-31 21:00:00.25 UTC' + n * INTERVAL '1' HOUR,
        TIMESTAMP '2024-01-01 00:00:00.5' + n * INTERVAL '1' MINUTE, CAST(n - 50 AS decimal(9, 2)) / 4, n % 2 = 0,
        TIME '00:00:01.5' + n * INTERVAL '1' SECOND, CASE WHEN n % 7 > 0 THEN 'it''s "' || CAST(n AS varchar) || '"' END, 'x'
        FROM UNNEST(sequence(1, 150)) AS s(n)""")
    parts = ", ".join(f"partition.{name}" for name in columns)
    assert sql(f'SELECT {parts} FROM "t$files" ORDER BY 1') == sql(f"SELECT {', '.join(columns)} FROM t ORDER BY 1")
    assert sql('SELECT count(*) FROM "t$files"') == [(150,)]
    assert sql('SELECT count(*) FROM "t$files" WHERE partition.name IS NULL') == [(21,)]
    told = {row["file_path"]: row for row in catalog.load_table("changes.t").inspect.files().to_pylist()}
    files = sql('SELECT * FROM "t$files"')
    assert len(files) == len(told) == 150
    names = [row[0] for row in sql('DESCRIBE "t$files"')]
    for row in (dict(zip(names, row)) for row in files):
        one = told[row["file_path"]]
        for name in ("content", "file_format", "spec_id", "record_count", "file_size_in_bytes", "split_offsets", "sort_order_id"):
            assert (row[name] or None) == (getattr(one[name], "value", one[name]) or None), name
        for name in ("column_sizes", "value_counts", "null_value_counts"):
            assert row[name] == dict(one[name]), name
        assert row["lower_bounds"][9] == row["upper_bounds"][9] == "x"
        assert '"more":{"column_size":' in row["readable_metrics"] and '"lower_bound":"x"' in row["readable_metrics"]
    entries = sql('SELECT data_file, readable_metrics, status FROM "t$entries"')
    assert sorted(tuple(row[0]) + row[1:] for row in entries) == sorted(row + (1,) for row in files)
    assert len(sql('SELECT * FROM "t$partitions"')) == 150


def test_hidden_columns(sql):
    visits(sql)
    paths = {row[0] for row in sql('SELECT file_path FROM "t$files" WHERE content = 0')}
    rows = sql('SELECT id, "$path", "$partition", "$file_modified_time" FROM t ORDER BY id')
    assert {row[1] for row in rows} == paths
    assert rows[0][2] == "region=east/at_day=2024-01-01"
    assert all(abs(row[3].timestamp() - time.time()) < 600 for row in rows)
    assert sql(f"""SELECT count(*) FROM t WHERE "$path" = '{rows[0][1]}'""") == [(1,)]


def test_time_travel(sql, catalog):
    visits(sql)
    (first,), (second,), _ = sql('SELECT snapshot_id FROM "t$snapshots" ORDER BY committed_at')
    assert sql(f"SELECT count(*) FROM t FOR VERSION AS OF {first}") == [(2,)]
    assert sql(f"SELECT count(*) FROM t FOR VERSION AS OF {second}") == [(4,)]
    assert sql("SELECT count(*) FROM t") == [(3,)]
    with catalog.load_table("changes.t").manage_snapshots() as change:
        change.create_tag(first, "beginning")
        change.create_branch(second, "side")
    assert sql("SELECT count(*) FROM t FOR VERSION AS OF 'beginning'") == [(2,)]
    assert sql("SELECT count(*) FROM t FOR VERSION AS OF 'si' || 'de'") == [(4,)]
    (at,), = sql(f'SELECT committed_at FROM "t$snapshots" WHERE snapshot_id = {second}')
    text = at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
    assert sql(f"SELECT count(*) FROM t FOR TIMESTAMP AS OF TIMESTAMP '{text}'") == [(4,)]
    assert sql("SELECT count(*) FROM t FOR TIMESTAMP AS OF current_timestamp") == [(3,)]
    for clause, text in [("VERSION AS OF 42", "Iceberg snapshot ID does not exists: 42"),
                         ("VERSION AS OF 'none'", "Cannot find snapshot with reference name: none"),
                         ("TIMESTAMP AS OF TIMESTAMP '2001-01-01 00:00:00 UTC'", "No version history table"),
                         ("TIMESTAMP AS OF TIMESTAMP '2201-01-01 00:00:00 UTC'", "is not in the past")]:
        error = sql.error("SELECT * FROM t FOR " + clause)
        assert error.error_name == "INVALID_ARGUMENTS" and text in error.message
    assert sql.error("SELECT * FROM t FOR VERSION AS OF 1.5").error_name == "NOT_SUPPORTED"
    assert sql.error("SELECT * FROM t FOR TIMESTAMP AS OF 5").error_name == "TYPE_MISMATCH"
    sql("CREATE VIEW v AS SELECT * FROM t")
    sql("CREATE MATERIALIZED VIEW mv AS SELECT * FROM t")
    for statement in ("SELECT * FROM tpch.tiny.nation FOR VERSION AS OF 1", f"SELECT * FROM v FOR VERSION AS OF {first}",
                      f"SELECT * FROM mv FOR VERSION AS OF {first}", "WITH q AS (SELECT 1) SELECT * FROM q FOR VERSION AS OF 1"):
        assert sql.error(statement).error_name == "NOT_SUPPORTED", statement


def files_opened(platform):
    text = urllib.request.urlopen(platform["metrics"]["url"]).read().decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("aichemy_sql_files_opened_total"))


def test_scans_open_only_what_they_need(platform, sql):
    sql("CREATE TABLE t (id bigint, at timestamp(6), name varchar)")
    for n in range(6):
        sql(f"INSERT INTO t SELECT {n} * 100 + i, TIMESTAMP '2024-01-01 00:00:00' + {n} * INTERVAL '1' DAY, 'n{n}' FROM UNNEST(sequence(0, 99)) s(i)")
    sql("CREATE TABLE small AS SELECT BIGINT '250' AS id")

    def opened(statement, expected):
        before = files_opened(platform)
        assert sql(statement) == expected, statement
        return files_opened(platform) - before

    assert opened("SELECT count(name) FROM t", [(600,)]) == 6
    assert opened("SELECT count(name) FROM t WHERE id = 250", [(1,)]) == 1
    assert opened("SELECT count(name) FROM t WHERE at >= TIMESTAMP '2024-01-05 00:00:00'", [(200,)]) == 2
    # What the join's other side holds: its file, and one of the table's.
    assert opened("SELECT count(t.name) FROM t JOIN small ON t.id = small.id", [(1,)]) == 2
    # A condition of a subquery on an outer row says nothing of other rows.
    assert opened("SELECT count(*) FROM t WHERE NOT EXISTS (SELECT 1 FROM small WHERE t.id = 250)", [(599,)]) >= 6


def rows_of(sql, view="mv"):
    return sql(f"SELECT * FROM {view} ORDER BY 1")


def freshness(sql, view="mv"):
    return sql(f"SELECT freshness FROM system.metadata.materialized_views WHERE catalog_name = 'iceberg' AND schema_name = 'changes' AND name = '{view}'")[0][0]


def test_materialized_view(sql, catalog):
    sql("CREATE TABLE t (region varchar, n integer)")
    sql("INSERT INTO t VALUES ('east', 1), ('east', 2), ('west', 5)")
    sql("CREATE MATERIALIZED VIEW mv GRACE PERIOD INTERVAL '0' SECOND COMMENT 'sums' WITH (format = 'PARQUET') AS SELECT region, sum(n) AS total FROM t GROUP BY region")
    assert sql.update_type == "CREATE MATERIALIZED VIEW"
    assert rows_of(sql) == [("east", 3), ("west", 5)] and freshness(sql) == "STALE"
    assert sql.count("REFRESH MATERIALIZED VIEW mv") == 2 and sql.update_type == "REFRESH MATERIALIZED VIEW"
    assert freshness(sql) == "FRESH" and rows_of(sql) == [("east", 3), ("west", 5)]
    assert sql.count("REFRESH MATERIALIZED VIEW mv") == 0
    storage = catalog.load_table("changes.mv$materialized_view_storage")
    assert sorted(storage.scan().to_arrow()["total"].to_pylist()) == [3, 5]
    assert storage.current_snapshot().summary["dependsOnTables"].startswith("changes.t=")
    # Beyond the grace period the query runs.
    sql("INSERT INTO t VALUES ('north', 7)")
    assert freshness(sql) == "STALE" and rows_of(sql) == [("east", 3), ("north", 7), ("west", 5)]
    assert sql.count("REFRESH MATERIALIZED VIEW mv") == 3
    assert len(catalog.load_table("changes.mv$materialized_view_storage").scan().to_arrow()) == 3
    assert "mv" in [row[0] for row in sql("SHOW TABLES FROM iceberg.changes")]
    assert not [row for row in sql("SHOW TABLES FROM iceberg.changes") if "storage" in row[0]]
    assert [tuple(row[:2]) for row in sql("DESCRIBE mv")] == [("region", "varchar"), ("total", "bigint")]
    assert sql("SELECT column_name FROM information_schema.columns WHERE table_schema = 'changes' AND table_name = 'mv' ORDER BY 1") == [("region",), ("total",)]
    (text,), = sql("SHOW CREATE MATERIALIZED VIEW mv")
    assert text.startswith("CREATE MATERIALIZED VIEW iceberg.changes.mv\nGRACE PERIOD INTERVAL '0' SECOND\nCOMMENT 'sums'\nWITH (\n") and \
        text.endswith("AS\nSELECT region, sum(n) AS total FROM t GROUP BY region")
    sql("ALTER MATERIALIZED VIEW mv RENAME TO renamed")
    assert len(rows_of(sql, "renamed")) == 3 and freshness(sql, "renamed") == "FRESH"
    assert sql.error("SELECT * FROM mv").error_name == "TABLE_NOT_FOUND"
    sql("DROP MATERIALIZED VIEW renamed")
    sql("DROP MATERIALIZED VIEW IF EXISTS renamed")
    assert sql.error("DROP MATERIALIZED VIEW renamed").error_name == "TABLE_NOT_FOUND"
    assert [row[0] for row in sql("SHOW TABLES FROM iceberg.changes")] == ["t"]


def test_materialized_view_without_grace_period_shows_what_is_kept(sql):
    sql("CREATE TABLE t AS SELECT 1 AS n")
    sql("CREATE MATERIALIZED VIEW mv AS SELECT n, CAST('a' AS char(3)) AS c FROM t")
    sql("CREATE MATERIALIZED VIEW IF NOT EXISTS mv AS SELECT 2 AS other")
    assert sql.error("CREATE MATERIALIZED VIEW mv AS SELECT 1 AS n").error_name == "ALREADY_EXISTS"
    assert sql.error("CREATE MATERIALIZED VIEW t AS SELECT 1 AS n").error_name == "TABLE_ALREADY_EXISTS"
    sql("REFRESH MATERIALIZED VIEW mv")
    sql("INSERT INTO t VALUES 2")
    assert rows_of(sql) == [(1, "a  ")]
    sql("CREATE OR REPLACE MATERIALIZED VIEW mv WHEN STALE FAIL AS SELECT n FROM t")
    assert sql.error("SELECT * FROM mv").error_name == "VIEW_IS_STALE"
    sql("REFRESH MATERIALIZED VIEW mv")
    assert rows_of(sql) == [(1,), (2,)]
    sql("CREATE MATERIALIZED VIEW nations AS SELECT name FROM tpch.tiny.nation")
    assert sql.count("REFRESH MATERIALIZED VIEW nations") == 25 and freshness(sql, "nations") == "UNKNOWN"
    for statement in ("DELETE FROM mv", "UPDATE mv SET n = 1", "MERGE INTO mv USING t ON true WHEN MATCHED THEN DELETE",
                      "INSERT INTO mv VALUES 1"):
        assert sql.error(statement).error_name == "NOT_SUPPORTED"
    assert sql.error("CREATE MATERIALIZED VIEW tpch.tiny.v AS SELECT 1 AS n").error_name == "NOT_SUPPORTED"
