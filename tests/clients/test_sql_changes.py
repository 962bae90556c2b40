"""DELETE, UPDATE, MERGE and TRUNCATE through the Trino client; pyiceberg reads what they leave.

Needs: pip trino, pyiceberg[s3fs,pyarrow]==0.12.0.
"""
import threading
import warnings

import pyarrow as pa
import pytest

trino = pytest.importorskip("trino")
warnings.filterwarnings("ignore")

VERSIONS = pytest.mark.parametrize("version", [2, 3])


def connect(platform):
    host, port = platform["sql"]["https"].removeprefix("https://").rstrip("/").split(":")
    return trino.dbapi.connect(
        host=host, port=int(port), http_scheme="https", verify=False, catalog="iceberg", schema="changes",
        auth=trino.auth.BasicAuthentication(platform["sql"]["user"], platform["sql"]["password"]))


class Sql:
    def __init__(self, platform):
        self.connection = connect(platform)

    def __call__(self, sql):
        cursor = self.connection.cursor()
        cursor.execute(sql)
        rows = cursor.fetchall()
        self.update_type, self.update_count = cursor.update_type, cursor.rowcount
        return [tuple(row) for row in rows]

    def count(self, sql):
        """What the statement says it has changed."""
        rows = self(sql)
        assert rows == [(self.update_count,)]
        return self.update_count

    def error(self, sql):
        with pytest.raises(trino.exceptions.TrinoQueryError) as caught:
            self(sql)
        return caught.value


@pytest.fixture
def sql(platform):
    run = Sql(platform)
    run("DROP SCHEMA IF EXISTS iceberg.changes CASCADE")
    run("CREATE SCHEMA iceberg.changes")
    yield run
    run("DROP SCHEMA iceberg.changes CASCADE")


@pytest.fixture
def catalog(platform):
    load_catalog = pytest.importorskip("pyiceberg.catalog").load_catalog
    s3 = platform["s3"]
    properties = dict(platform.get("pyiceberg", {})) or {
        "s3.endpoint": s3["endpoint"], "s3.access-key-id": s3["access_key"],
        "s3.secret-access-key": s3["secret_key"], "s3.region": s3["region"]}
    return load_catalog("aichemy", type="rest", uri=platform["iceberg_rest"]["uri"], **properties)


def people(sql, version=2, extra=""):
    sql(f"""CREATE TABLE t (id bigint NOT NULL, name varchar, region varchar, info row(tags array(varchar), n integer),
        at timestamp(6) with time zone) WITH (partitioning = ARRAY['region'], format_version = {version}{extra})""")
    sql("""INSERT INTO t SELECT n, 'p' || CAST(n AS varchar), element_at(ARRAY['east', 'west', NULL], CAST(n % 3 AS integer) + 1),
        CAST(ROW(ARRAY['x', NULL], n) AS row(tags array(varchar), n integer)), TIMESTAMP '2024-01-01 00:00:00 UTC' + n * INTERVAL '1' HOUR
        FROM UNNEST(sequence(0, 29)) AS s(n)""")


def operation(catalog):
    return catalog.load_table("changes.t").current_snapshot().summary


def ids_by_pyiceberg(catalog):
    return sorted(catalog.load_table("changes.t").scan().to_arrow()["id"].to_pylist())


def lineage(catalog):
    """id -> (row id, sequence number of the last change) of every row that is left, told from the files as the specification says."""
    from avro_bytes import read_avro
    import pyarrow.parquet as pq
    from pyiceberg.table.deletion_vector import deletion_vectors_from_puffin_file
    from pyiceberg.table.puffin import PuffinFile
    table = catalog.load_table("changes.t")

    def content(path):
        with table.io.new_input(path).open() as file:
            return file.read()

    gone, rows = {}, {}
    _, manifests = read_avro(content(table.current_snapshot().manifest_list))
    for manifest in sorted(manifests, key=lambda manifest: -manifest["content"]):
        next_id = manifest.get("first_row_id")
        for entry in read_avro(content(manifest["manifest_path"]))[1]:
            file = entry["data_file"]
            if entry["status"] == 2:
                continue
            if manifest["content"] == 1:
                for vector in deletion_vectors_from_puffin_file(PuffinFile(content(file["file_path"]))):
                    # Of the blobs of a file the entry names one; another may have been replaced since.
                    if vector.referenced_data_file == file["referenced_data_file"]:
                        gone[vector.referenced_data_file] = set(vector.to_vector().to_pylist())
                continue
            first = file.get("first_row_id")
            if first is None:
                first, next_id = next_id, next_id + file["record_count"]
            sequence = manifest["sequence_number"] if entry["sequence_number"] is None else entry["sequence_number"]
            for position, row in enumerate(pq.read_table(pa.BufferReader(content(file["file_path"]))).to_pylist()):
                if position not in gone.get(file["file_path"], ()):
                    own, changed = row.get("_row_id"), row.get("_last_updated_sequence_number")
                    assert row["id"] not in rows
                    rows[row["id"]] = (first + position if own is None else own, sequence if changed is None else changed)
    return rows


@pytest.mark.parametrize("mode", ["merge-on-read", "copy-on-write"])
def test_rows_keep_their_ids(sql, catalog, mode):
    sql("CREATE TABLE t (id bigint, name varchar) WITH (format_version = 3)")
    with catalog.load_table("changes.t").transaction() as change:
        change.set_properties({f"write.{kind}.mode": mode for kind in ("delete", "update", "merge")})
    sql("INSERT INTO t SELECT n, 'a' FROM UNNEST(sequence(0, 9)) AS s(n)")
    before = lineage(catalog)
    assert sorted(row for row, _ in before.values()) == list(range(10)) and len({at for _, at in before.values()}) == 1
    (first,) = {at for _, at in before.values()}
    sql("UPDATE t SET name = 'b' WHERE id IN (2, 3)")
    after = lineage(catalog)
    assert {id: row for id, (row, _) in after.items()} == {id: row for id, (row, _) in before.items()}
    assert {id: at for id, (_, at) in after.items()} == {id: first + (id in (2, 3)) for id in range(10)}
    # A row that has its id in its file already, one that inherits it, one that goes, one that comes.
    sql("""MERGE INTO t USING (VALUES (3, 'c'), (4, 'c'), (5, 'gone'), (99, 'new')) AS s(id, name) ON t.id = s.id
        WHEN MATCHED AND s.name = 'gone' THEN DELETE WHEN MATCHED THEN UPDATE SET name = s.name
        WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)""")
    merged = lineage(catalog)
    assert set(merged) == (set(range(10)) - {5}) | {99}
    assert {id: row for id, (row, _) in merged.items() if id != 99} == {id: row for id, (row, _) in before.items() if id != 5}
    assert merged[99][0] >= 10 and merged[99][0] not in {row for id, (row, _) in merged.items() if id != 99}
    assert {id: at for id, (_, at) in merged.items()} == {
        id: first + (2 if id in (3, 4, 99) else 1 if id == 2 else 0) for id in merged}
    sql("DELETE FROM t WHERE id = 2")
    assert lineage(catalog) == {id: told for id, told in merged.items() if id != 2}
    assert sql("SELECT id, name FROM t ORDER BY id") == [
        (0, "a"), (1, "a"), (3, "c"), (4, "c"), (6, "a"), (7, "a"), (8, "a"), (9, "a"), (99, "new")]


def test_optimize_keeps_row_ids(sql, catalog):
    sql("CREATE TABLE t (id bigint, name varchar) WITH (format_version = 3, sorted_by = ARRAY['id DESC'])")
    sql("INSERT INTO t SELECT n, 'a' FROM UNNEST(sequence(0, 9)) AS s(n)")
    sql("INSERT INTO t VALUES (10, 'b'), (11, 'b')")
    sql("UPDATE t SET name = 'c' WHERE id IN (3, 11)")
    sql("DELETE FROM t WHERE id = 5")
    before = lineage(catalog)
    assert set(before) == set(range(12)) - {5} and len({at for _, at in before.values()}) == 3
    assert dict(sql("ALTER TABLE t EXECUTE optimize"))["added_data_files_count"] == 1
    assert lineage(catalog) == before
    # Rows come to the rewritten ones; what has its ids in its file and what inherits them become one.
    sql("INSERT INTO t VALUES (12, 'd')")
    ids = {row for row, _ in before.values()}
    with_new = lineage(catalog)
    assert with_new[12][0] not in ids and {id: told for id, told in with_new.items() if id != 12} == before
    sql("ALTER TABLE t EXECUTE optimize")
    assert lineage(catalog) == with_new
    assert sql("SELECT id, name FROM t WHERE id > 9 ORDER BY id") == [(10, "b"), (11, "c"), (12, "d")]


@VERSIONS
def test_delete(sql, catalog, version):
    people(sql, version)
    assert sql.count("DELETE FROM t WHERE id BETWEEN 3 AND 8") == 6
    assert sql.update_type == "DELETE"
    assert sql.count("DELETE FROM t WHERE name IN (SELECT 'p' || CAST(n AS varchar) FROM UNNEST(ARRAY[1, 3, 9]) AS u(n))") == 2
    assert sql.count("DELETE FROM t WHERE id < 9") == 2
    assert sql.count("DELETE FROM t WHERE id < 9") == 0
    kept = list(range(10, 30))
    assert [row[0] for row in sql("SELECT id FROM t ORDER BY 1")] == kept
    assert ids_by_pyiceberg(catalog) == kept
    summary = operation(catalog)
    assert summary["added-dvs" if version == 3 else "added-position-delete-files"] == "2"
    # What a correlated subquery says of a row.
    assert sql.count("DELETE FROM t WHERE id = (SELECT max(u.id) FROM t u WHERE u.region IS NOT DISTINCT FROM t.region)") == 3
    assert sorted(set(range(10, 30)) - set(ids_by_pyiceberg(catalog))) == [27, 28, 29]
    assert sql.count("DELETE FROM t WHERE NOT EXISTS (SELECT 1 FROM UNNEST(ARRAY[10, 11]) u(n) WHERE t.id = n)") == 15
    assert ids_by_pyiceberg(catalog) == [10, 11]


@VERSIONS
def test_delete_of_whole_files_reads_none(sql, catalog, version):
    people(sql, version)
    sql("DELETE FROM t WHERE id = 4")
    assert sql.count("DELETE FROM t WHERE region = 'east'") == 10
    summary = operation(catalog)
    assert summary["deleted-data-files"] == "1" and summary["total-position-deletes"] == "1"
    assert sql.count("DELETE FROM t WHERE region IS NULL AND id < 100") == 10
    assert sql.count("DELETE FROM t") == 9
    assert operation(catalog)["total-data-files"] == "0"
    assert sql("SELECT count(*) FROM t") == [(0,)]
    assert ids_by_pyiceberg(catalog) == []


@VERSIONS
def test_update(sql, catalog, version):
    people(sql, version)
    assert sql.count("UPDATE t SET name = upper(name), info = ROW(ARRAY['new'], info.n + 1) WHERE id % 10 = 0") == 3
    assert sql.update_type == "UPDATE"
    assert sql("SELECT id, name, info.tags, info.n FROM t WHERE id % 10 = 0 ORDER BY 1") == [
        (0, "P0", ["new"], 1), (10, "P10", ["new"], 11), (20, "P20", ["new"], 21)]
    # The partition column: rows move.
    assert sql.count("UPDATE t SET region = CASE WHEN region = 'east' THEN 'west' ELSE 'north' END WHERE id < 6") == 6
    assert sql("SELECT region, count(*) FROM t GROUP BY 1 ORDER BY 1 NULLS LAST") == [
        ("east", 8), ("north", 4), ("west", 10), (None, 8)]
    assert sql.count("UPDATE t SET name = (SELECT max(u.name) FROM t u WHERE u.id < t.id) WHERE id = 3") == 1
    assert sql("SELECT name FROM t WHERE id = 3") == [("p2",)]
    assert sql.count("UPDATE t SET id = id + 100") == 30
    assert ids_by_pyiceberg(catalog) == list(range(100, 130))
    read = {row["id"]: row for row in catalog.load_table("changes.t").scan().to_arrow().to_pylist()}
    assert read[110]["name"] == "P10" and read[110]["info"] == {"tags": ["new"], "n": 11}
    assert read[110]["at"].isoformat() == "2024-01-01T10:00:00+00:00"


@VERSIONS
def test_merge(sql, catalog, version):
    people(sql, version)
    assert sql.count("""MERGE INTO t AS target USING (SELECT * FROM (VALUES (1, 'one'), (2, 'two'), (3, 'three'), (100, 'new'), (101, NULL))
        s(id, name)) source ON target.id = source.id
        WHEN MATCHED AND source.name = 'two' THEN DELETE
        WHEN MATCHED AND target.id = 3 THEN UPDATE SET name = source.name || '!', region = 'south'
        WHEN MATCHED THEN UPDATE SET name = source.name
        WHEN NOT MATCHED AND source.name IS NULL THEN INSERT (id, region) VALUES (source.id, 'none')
        WHEN NOT MATCHED THEN INSERT VALUES (source.id, source.name, 'east', NULL, TIMESTAMP '2020-01-01 00:00:00 UTC')""") == 5
    assert sql.update_type == "MERGE"
    assert sql("SELECT id, name, region FROM t WHERE id IN (1, 2, 3, 100, 101) ORDER BY 1") == [
        (1, "one", "west"), (3, "three!", "south"), (100, "new", "east"), (101, None, "none")]
    assert ids_by_pyiceberg(catalog) == [0, 1, *range(3, 30), 100, 101]
    # Only one of both kinds of clauses.
    assert sql.count("MERGE INTO t USING t u ON t.id = u.id AND t.id >= 100 WHEN MATCHED THEN DELETE") == 2
    assert sql.count("MERGE INTO t USING (VALUES 1, 50) s(id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)") == 1
    assert sql.count("MERGE INTO t USING (VALUES 1) s(id) ON false WHEN MATCHED THEN DELETE") == 0
    error = sql.error("MERGE INTO t USING (VALUES 1, 1) s(id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = 'x'")
    assert error.error_name == "MERGE_TARGET_ROW_MULTIPLE_MATCHES"
    assert sql("SELECT name FROM t WHERE id = 1") == [("one",)]


@VERSIONS
@pytest.mark.parametrize("mode", ["merge-on-read", "copy-on-write"])
def test_merge_keeps_what_it_does_not_name(sql, catalog, version, mode):
    """Columns that no clause names are read afterwards, of the rows that change: of several files and partitions, of
    files older than a column, beside rows that were deleted before, and of every type's shape."""
    people(sql, version)
    with catalog.load_table("changes.t").transaction() as change:
        change.set_properties({"write.merge.mode": mode})
    sql("ALTER TABLE t ADD COLUMN price decimal(12, 2)")
    sql("""INSERT INTO t SELECT n, 'q' || CAST(n AS varchar), 'east', NULL, NULL, CAST(n AS decimal(12, 2)) / 4
        FROM UNNEST(sequence(30, 5000)) AS s(n)""")
    sql("DELETE FROM t WHERE id % 10 = 0")
    before = {row[0]: row for row in sql("SELECT * FROM t")}
    assert sql.count("""MERGE INTO t USING (SELECT n AS id FROM UNNEST(sequence(0, 5009)) AS s(n) WHERE n % 7 < 3) s ON t.id = s.id
        WHEN MATCHED AND s.id % 7 = 0 THEN DELETE
        WHEN MATCHED AND s.id % 7 = 1 THEN UPDATE SET name = upper(name)
        WHEN MATCHED THEN UPDATE SET name = NULL
        WHEN NOT MATCHED THEN INSERT (id, region, price) VALUES (s.id, 'new', 1.5)""") == sum(n % 7 < 3 for n in range(5010))
    expected = {}
    for n in range(5010):
        row, kind = before.get(n), n % 7
        if row is None and kind < 3:
            expected[n] = (n, None, "new", None, None, type(before[31][5])("1.50"))
        elif row is not None and kind != 0:
            name = {1: row[1].upper(), 2: None}.get(kind, row[1])
            expected[n] = (n, name, *row[2:])
    assert {row[0]: row for row in sql("SELECT * FROM t")} == expected
    assert ids_by_pyiceberg(catalog) == sorted(expected)
    # Once more: of the files that the first one wrote.
    assert sql.count("MERGE INTO t USING (VALUES 1, 8, 31, 4993) s(id) ON t.id = s.id "
                     "WHEN MATCHED THEN UPDATE SET region = 'south'") == 4
    for n in (1, 8, 31, 4993):
        expected[n] = (*expected[n][:2], "south", *expected[n][3:])
    assert {row[0]: row for row in sql("SELECT * FROM t")} == expected


def test_truncate(sql, catalog):
    people(sql)
    sql("DELETE FROM t WHERE id = 3")
    sql("TRUNCATE TABLE t")
    assert sql.update_type == "TRUNCATE TABLE"
    assert sql("SELECT count(*) FROM t") == [(0,)]
    assert ids_by_pyiceberg(catalog) == []


def test_copy_on_write(sql, catalog):
    people(sql)
    table = catalog.load_table("changes.t")
    with table.transaction() as change:
        change.set_properties({"write.delete.mode": "copy-on-write", "write.update.mode": "copy-on-write",
                               "write.merge.mode": "copy-on-write"})
    assert sql.count("DELETE FROM t WHERE id < 4") == 4
    summary = operation(catalog)
    assert summary["total-delete-files"] == "0" and summary["total-records"] == "26"
    assert sql.count("UPDATE t SET name = 'u' WHERE id = 4") == 1
    assert sql.count("MERGE INTO t USING (VALUES (5, 'm'), (6, NULL), (70, 'i')) s(id, name) ON t.id = s.id "
                     "WHEN MATCHED AND s.name IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET name = s.name "
                     "WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)") == 3
    assert operation(catalog)["total-delete-files"] == "0"
    assert ids_by_pyiceberg(catalog) == [4, 5, *range(7, 30), 70]
    read = {row["id"]: row for row in catalog.load_table("changes.t").scan().to_arrow().to_pylist()}
    assert read[4]["name"] == "u" and read[5]["name"] == "m" and read[7]["info"] == {"tags": ["x", None], "n": 7}


def test_branches(sql, catalog):
    sql("CREATE TABLE t AS SELECT n, n % 2 AS m FROM UNNEST(sequence(1, 6)) u(n)")
    table = catalog.load_table("changes.t")
    with table.manage_snapshots() as change:
        change.create_branch(table.current_snapshot().snapshot_id, "side")
        change.create_tag(table.current_snapshot().snapshot_id, "fixed")
    assert sql.count("INSERT INTO t @ side VALUES (7, 1), (8, 0)") == 2
    assert sql.count("DELETE FROM t @ side WHERE n = 1") == 1
    assert sql.count("UPDATE t @ side SET m = 9 WHERE n = 7") == 1
    assert sql.count("MERGE INTO t @ side AS x USING (VALUES 2, 20) s(n) ON x.n = s.n WHEN MATCHED THEN DELETE "
                     "WHEN NOT MATCHED THEN INSERT VALUES (s.n, 5)") == 2
    assert sql("SELECT n, m FROM t FOR VERSION AS OF 'side' ORDER BY n") == [(3, 1), (4, 0), (5, 1), (6, 0), (7, 9), (8, 0), (20, 5)]
    assert sql("SELECT count(*) FROM t") == [(6,)]
    for statement in ("INSERT INTO t @ nothing VALUES (1, 1)", "DELETE FROM t @ nothing", "UPDATE t @ fixed SET n = 1",
                      "INSERT INTO t @ fixed VALUES (1, 1)"):
        assert sql.error(statement).error_name == "BRANCH_NOT_FOUND", statement


def test_deletes_of_version_2_in_a_table_of_version_3(platform, sql, catalog):
    requests = pytest.importorskip("requests")
    sql("CREATE TABLE t AS SELECT n, n % 2 AS m FROM UNNEST(sequence(1, 20)) u(n)")
    sql("DELETE FROM t WHERE n = 3")
    answer = requests.post(platform["iceberg_rest"]["uri"].rstrip("/") + "/v1/namespaces/changes/tables/t", timeout=10, json={
        "requirements": [], "updates": [{"action": "upgrade-format-version", "format-version": 3}]})
    assert answer.status_code == 200
    assert sql.count("DELETE FROM t WHERE n = 5") == 1
    assert sql.count("UPDATE t SET m = 9 WHERE n = 7") == 1
    assert sql.count("DELETE FROM t WHERE n = 8") == 1
    assert sql("SELECT DISTINCT file_format FROM \"t$files\" WHERE content = 1") == [("PUFFIN",)]
    kept = sorted(set(range(1, 21)) - {3, 5, 8})
    assert [row[0] for row in sql("SELECT n FROM t ORDER BY 1")] == kept
    assert sorted(catalog.load_table("changes.t").scan().to_arrow()["n"].to_pylist()) == kept


def test_refusals(sql):
    people(sql)
    sql("CREATE VIEW v AS SELECT * FROM t")
    for statement, name, text in [
            ("DELETE FROM v", "NOT_SUPPORTED", "Deleting from views is not supported"),
            ("UPDATE v SET id = 1", "NOT_SUPPORTED", "Updating views is not supported"),
            ("MERGE INTO v USING t ON true WHEN MATCHED THEN DELETE", "NOT_SUPPORTED", "Merging into views is not supported"),
            ("DELETE FROM tpch.tiny.nation", "NOT_SUPPORTED", "This connector does not support modifying table rows"),
            ("DELETE FROM iceberg.information_schema.tables", "NOT_SUPPORTED", "This connector does not support modifying table rows"),
            ("TRUNCATE TABLE tpch.tiny.nation", "NOT_SUPPORTED", "This connector does not support truncating tables"),
            ("DELETE FROM nothing", "TABLE_NOT_FOUND", "Table 'iceberg.changes.nothing' does not exist"),
            ("DELETE FROM t WHERE nothing = 1", "COLUMN_NOT_FOUND", "Column 'nothing' cannot be resolved"),
            ("DELETE FROM t WHERE id", "TYPE_MISMATCH", "WHERE clause must evaluate to a boolean: actual type bigint"),
            ("UPDATE t SET nothing = 1", "COLUMN_NOT_FOUND", "line 1:14: The UPDATE SET target column nothing doesn't exist"),
            ("UPDATE t SET id = 'x'", "TYPE_MISMATCH",
             "UPDATE table column types don't match SET expressions: Table: [bigint], Expressions: [varchar(1)]"),
            ("UPDATE t SET id = NULL WHERE id = 1", "CONSTRAINT_VIOLATION", "NULL value not allowed for NOT NULL column: id"),
            ("MERGE INTO t USING (VALUES 99) s(id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT (name) VALUES ('x')",
             "CONSTRAINT_VIOLATION", "NULL value not allowed for NOT NULL column: id"),
            ("MERGE INTO t USING (VALUES 99) s(id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT (nothing) VALUES ('x')",
             "COLUMN_NOT_FOUND", "Merge column name does not exist in target table: nothing"),
            ("MERGE INTO t USING (VALUES 99) s(id) ON t.id + s.id WHEN MATCHED THEN DELETE",
             "TYPE_MISMATCH", "The MERGE predicate must evaluate to a boolean: actual type bigint"),
    ]:
        error = sql.error(statement)
        assert error.error_name == name and text in error.message, (statement, error)
    assert sql("SELECT count(*) FROM t") == [(30,)]


def test_explain(sql):
    people(sql)
    for statement in ("DELETE FROM t WHERE id = 1", "UPDATE t SET name = 'x'", "MERGE INTO t USING t u ON t.id = u.id WHEN MATCHED THEN DELETE"):
        (plan,), = sql("EXPLAIN " + statement)
        assert f"MergeWriter[table = iceberg:changes:t, operation = {statement.split()[0]}]" in plan
        assert sql("EXPLAIN (TYPE VALIDATE) " + statement) == [(True,)]
    assert sql("SELECT count(*) FROM t") == [(30,)]
    (plan,), = sql("EXPLAIN ANALYZE DELETE FROM t WHERE id = 1")
    assert "Output: 1 row " in plan and sql("SELECT count(*) FROM t") == [(29,)]


@VERSIONS
def test_writers_beside_each_other_lose_nothing(platform, sql, catalog, version):
    """Counters that eight clients raise: each acknowledged update counts once."""
    sql(f"CREATE TABLE t (id bigint, n bigint) WITH (format_version = {version})")
    sql("INSERT INTO t VALUES (0, 0), (1, 0)")
    done, refused = [], []

    def raise_counter(client):
        run = Sql(platform)
        for turn in range(4):
            try:
                done.append(run.count(f"UPDATE t SET n = n + 1 WHERE id = {(client + turn) % 2}"))
            except trino.exceptions.TrinoQueryError as error:
                refused.append(error.error_name)

    clients = [threading.Thread(target=raise_counter, args=(client,)) for client in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert set(refused) <= {"TRANSACTION_CONFLICT"} and set(done) == {1}
    (total, rows), = sql("SELECT sum(n), count(*) FROM t")
    assert (total, rows) == (len(done), 2), refused
    assert sum(catalog.load_table("changes.t").scan().to_arrow()["n"].to_pylist()) == len(done)


@VERSIONS
def test_insert_beside_delete_is_serializable(platform, sql, version):
    """Pairs that one client inserts only while there are fewer than ten, and another deletes."""
    sql(f"CREATE TABLE t (id bigint, n bigint) WITH (format_version = {version})")
    run = [Sql(platform) for _ in range(3)]

    def insert_if_none(client):
        for n in range(3):
            run[client](f"MERGE INTO t USING (VALUES {n}) s(id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, {client})")

    clients = [threading.Thread(target=insert_if_none, args=(client,)) for client in range(3)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert sql("SELECT id, count(*) FROM t GROUP BY 1 ORDER BY 1") == [(0, 1), (1, 1), (2, 1)]


def test_kill_in_the_middle(own_platform):
    """A platform that dies while rows change has the old rows or the new ones, and takes changes again."""
    sql = Sql(own_platform.ready)
    sql("CREATE SCHEMA iceberg.changes")
    sql("CREATE TABLE t AS SELECT orderkey AS id, comment FROM tpch.tiny.orders")
    (before,), = sql("SELECT count(*) FROM t")
    runner = threading.Thread(target=lambda: try_statement(sql, "UPDATE t SET comment = comment || '#new', id = id"))
    runner.start()
    wait_for_files(own_platform)
    own_platform.kill()
    runner.join()
    own_platform.start()
    sql = Sql(own_platform.ready)
    assert sql("SELECT count(*) FROM t") == [(before,)]
    (changed,), = sql("SELECT count_if(comment LIKE '%#new') FROM t")
    assert changed in (0, before)
    assert sql.count("DELETE FROM t WHERE id % 2 = 0") + sql("SELECT count(*) FROM t")[0][0] == before
    assert sql.count("UPDATE t SET comment = 'x'") == sql("SELECT count(*) FROM t")[0][0]


def try_statement(sql, statement):
    try:
        sql(statement)
    except Exception:  # the server is gone
        pass


def wait_for_files(platform):
    """Until the statement has reached the engine."""
    other = Sql(platform.ready)
    while True:
        state = other("SELECT state FROM system.runtime.queries WHERE query LIKE 'UPDATE t SET comment%'")
        if state:
            return
