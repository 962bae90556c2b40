"""ALTER TABLE EXECUTE, CALL, ANALYZE and SHOW STATS through the trino client; pyiceberg reads what is left."""
import re

import pytest

from test_sql_ddl import connect, fails, lake, run, schema  # noqa: F401: fixtures

trino = pytest.importorskip("trino")


def files(lake, name):
    return [task.file.file_path for task in lake.load_table(name).scan().plan_files()]


def test_optimize_makes_few_files_of_many(run, schema, lake):
    t = f"{schema}.t"
    run(f"CREATE TABLE {t} (id bigint, p varchar) WITH (partitioning = ARRAY['p'])")
    for i in range(4):
        run(f"INSERT INTO {t} VALUES ({i}, 'a'), ({10 + i}, 'b')")
    assert len(files(lake, "ddl_test.t")) == 8
    got = dict(run(f"ALTER TABLE {t} EXECUTE optimize(file_size_threshold => '10MB') WHERE p = 'a'"))
    assert got == {"rewritten_data_files_count": 4, "removed_delete_files_count": 0, "added_data_files_count": 1}
    assert len(files(lake, "ddl_test.t")) == 5
    assert dict(run(f"ALTER TABLE {t} EXECUTE optimize"))["rewritten_data_files_count"] == 4
    table = lake.load_table("ddl_test.t")
    assert table.current_snapshot().summary.operation.value == "replace"
    assert sorted(table.scan().to_arrow()["id"].to_pylist()) == [0, 1, 2, 3, 10, 11, 12, 13]
    assert dict(run(f"ALTER TABLE {t} EXECUTE optimize"))["rewritten_data_files_count"] == 0
    fails(run, f"ALTER TABLE {t} EXECUTE optimize WHERE id = 1", "NOT_SUPPORTED", "Unexpected FilterNode")
    fails(run, f"ALTER TABLE {t} EXECUTE optimize(file_size_threshold => 'much')", "INVALID_PROCEDURE_ARGUMENT")
    fails(run, f"ALTER TABLE {t} EXECUTE nothing", "PROCEDURE_NOT_FOUND", "Table procedure not registered: NOTHING")
    fails(run, f"ALTER TABLE {t} EXECUTE optimize_manifests WHERE id = 1", "NOT_SUPPORTED", "WHERE not supported")


def test_expire_and_orphans_keep_the_retention(run, schema, lake):
    t = f"{schema}.t"
    run(f"CREATE TABLE {t} (id bigint)")
    for i in range(3):
        run(f"INSERT INTO {t} VALUES {i}")
    fails(run, f"ALTER TABLE {t} EXECUTE expire_snapshots(retention_threshold => '1d')", "INVALID_PROCEDURE_ARGUMENT",
          "Retention specified (1.00d) is shorter than the minimum retention configured in the system (7.00d). "
          "Minimum retention can be changed with iceberg.expire-snapshots.min-retention configuration property or "
          "iceberg.expire_snapshots_min_retention session property")
    fails(run, f"ALTER TABLE {t} EXECUTE remove_orphan_files(retention_threshold => '1d')", "INVALID_PROCEDURE_ARGUMENT",
          "iceberg.remove_orphan_files_min_retention session property")
    run(f"ALTER TABLE {t} EXECUTE expire_snapshots")
    assert len(lake.load_table("ddl_test.t").snapshots()) == 3
    run("SET SESSION iceberg.expire_snapshots_min_retention = '0s'")
    run("SET SESSION iceberg.remove_orphan_files_min_retention = '0s'")
    run(f"ALTER TABLE {t} EXECUTE expire_snapshots(retention_threshold => '0s', retain_last => 2)")
    assert len(lake.load_table("ddl_test.t").snapshots()) == 2
    run(f"ALTER TABLE {t} EXECUTE expire_snapshots(retention_threshold => '0s', clean_expired_metadata => true)")
    assert len(lake.load_table("ddl_test.t").snapshots()) == 1
    got = dict(run(f"ALTER TABLE {t} EXECUTE remove_orphan_files(retention_threshold => '0s')"))
    assert set(got) == {"processed_manifests_count", "active_files_count", "scanned_files_count", "deleted_files_count",
                        "deleted_bytes"}
    assert sorted(run(f"SELECT id FROM {t}")) == [[0], [1], [2]]
    got = dict(run(f"ALTER TABLE {t} EXECUTE optimize_manifests"))
    assert got["rewritten_manifests_count"] >= 2 and got["added_manifests_count"] == 1


def test_rollback_register_unregister(run, schema, lake):
    t = f"{schema}.t"
    run(f"CREATE TABLE {t} (id bigint)")
    run(f"INSERT INTO {t} VALUES 1")
    first = lake.load_table("ddl_test.t").current_snapshot().snapshot_id
    run(f"INSERT INTO {t} VALUES 2")
    run(f"ALTER TABLE {t} EXECUTE rollback_to_snapshot({first})")
    assert run(f"SELECT * FROM {t}") == [[1]]
    run(f"INSERT INTO {t} VALUES 3")
    run(f"CALL iceberg.system.rollback_to_snapshot('ddl_test', 't', {first})")
    assert run(f"SELECT * FROM {t}") == [[1]]
    fails(run, f"CALL iceberg.system.rollback_to_snapshot('ddl_test', 't', 17)", "ICEBERG_INVALID_SNAPSHOT_ID")
    location = lake.load_table("ddl_test.t").location()
    run("CALL iceberg.system.unregister_table(schema_name => 'ddl_test', table_name => 't')")
    fails(run, f"SELECT * FROM {t}", "TABLE_NOT_FOUND")
    run(f"CALL iceberg.system.register_table('ddl_test', 'again', '{location}')")
    assert run(f"SELECT * FROM {schema}.again") == [[1]]
    fails(run, "CALL iceberg.system.unregister_table('ddl_test')", "INVALID_ARGUMENTS",
          "line 1:1: Required procedure argument 'TABLE_NAME' is missing")
    fails(run, "CALL iceberg.system.nothing()", "PROCEDURE_NOT_FOUND", "Procedure not registered: system.nothing")
    fails(run, "CALL iceberg.system.unregister_table('a', table_name => 'b')", "INVALID_ARGUMENTS", "cannot be mixed")
    fails(run, "CALL system.runtime.kill_query('20200101_000000_00000_aaaaa', 'why')", "NOT_FOUND",
          "Target query not found: 20200101_000000_00000_aaaaa")


def test_analyze_and_show_stats(run, schema, lake):
    t = f"{schema}.nation"
    run(f"CREATE TABLE {t} AS SELECT * FROM tpch.tiny.nation")
    stats = {row[0]: row[1:] for row in run(f"SHOW STATS FOR {t}")}
    assert stats["nationkey"] == [None, None, 0.0, None, "0", "24"] and stats[None][3] == 25.0
    assert run(f"ANALYZE {t}") == [[25]]
    stats = {row[0]: row[1:] for row in run(f"SHOW STATS FOR {t}")}
    assert stats["nationkey"] == [None, 25.0, 0.0, None, "0", "24"]
    assert stats["regionkey"][1] == 5.0 and stats["name"][1] == 25.0 and stats["name"][4] is None
    table = lake.load_table("ddl_test.nation")
    [statistics] = table.metadata.statistics
    assert {blob.type for blob in statistics.blob_metadata} == {"apache-datasketches-theta-v1"}
    assert sorted(int(blob.properties["ndv"]) for blob in statistics.blob_metadata) == [5, 25, 25, 25]
    raw = table.io.new_input(statistics.statistics_path).open().read()
    assert len(raw) == statistics.file_size_in_bytes and raw[:4] == b"PFA1" == raw[-4:]
    assert run(f"SHOW STATS FOR (SELECT regionkey FROM {t})")[0][:3] == ["regionkey", None, 5.0]
    run(f"ALTER TABLE {t} EXECUTE drop_extended_stats")
    assert {row[2] for row in run(f"SHOW STATS FOR {t}")} == {None}
    run(f"ANALYZE {t} WITH (columns = ARRAY['name'])")
    assert {row[0]: row[2] for row in run(f"SHOW STATS FOR {t}")}["name"] == 25.0
    fails(run, f"ANALYZE {t} WITH (columns = ARRAY['none'])", "INVALID_ANALYZE_PROPERTY", "Invalid columns specified")
    fails(run, "ANALYZE tpch.tiny.nation", "NOT_SUPPORTED", "analyze")
    run(f"CREATE TABLE {schema}.empty (x bigint)")
    assert run(f"SHOW STATS FOR {schema}.empty") == [["x", 0.0, 0.0, 1.0, None, None, None], [None, None, None, None, 0.0, None, None]]


def test_many_distinct_values_are_estimated(run, schema):
    t = f"{schema}.t"
    run(f"CREATE TABLE {t} AS SELECT orderkey, CAST(totalprice AS decimal(12, 2)) AS price, orderdate, comment FROM tpch.tiny.orders")
    run(f"ANALYZE {t}")
    truth = run(f"SELECT count(DISTINCT orderkey), count(DISTINCT price), count(DISTINCT orderdate), count(DISTINCT comment) FROM {t}")[0]
    seen = [row[2] for row in run(f"SHOW STATS FOR {t}")][:4]
    for true, estimate in zip(truth, seen):
        assert abs(estimate - true) <= 0.06 * true, (true, estimate)
