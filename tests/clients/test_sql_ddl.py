"""ALTER, COMMENT, CREATE OR REPLACE, branches: through the trino client, read back by pyiceberg."""
import pytest

from test_trino import address

trino = pytest.importorskip("trino")
catalog_module = pytest.importorskip("pyiceberg.catalog")


def connect(platform, user=None, **more):
    host, port = address(platform)
    return trino.dbapi.connect(
        host=host, port=port, http_scheme="https", verify=False, catalog="iceberg",
        auth=trino.auth.BasicAuthentication(user or platform["sql"]["user"], platform["sql"]["password"]), **more)


@pytest.fixture
def run(platform):
    connection = connect(platform)

    def statement(sql):
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()

    yield statement
    connection.close()


@pytest.fixture
def schema(run):
    run("DROP SCHEMA IF EXISTS iceberg.ddl_test CASCADE")
    run("CREATE SCHEMA iceberg.ddl_test")
    yield "iceberg.ddl_test"
    run("DROP SCHEMA IF EXISTS iceberg.ddl_test CASCADE")


@pytest.fixture
def lake(platform):
    s3 = platform["s3"]
    return catalog_module.load_catalog(
        "rest", uri=platform["iceberg_rest"]["uri"],
        **{"s3.endpoint": s3["endpoint"], "s3.access-key-id": s3["access_key"],
           "s3.secret-access-key": s3["secret_key"], "s3.region": "us-east-1"})


def fails(run, sql, name, text=""):
    with pytest.raises(trino.exceptions.TrinoQueryError) as caught:
        run(sql)
    error = caught.value
    assert error.error_name == name and text in error.message, (error.error_name, error.message)


def columns(run, table):
    return [tuple(row[:2]) for row in run(f"DESCRIBE {table}")]


def test_columns_come_and_go_by_field_id(run, schema, lake):
    t = f"{schema}.t"
    run(f"CREATE TABLE {t} (id integer NOT NULL, name varchar, r row(a integer, b varchar), l array(row(x integer)))")
    run(f"INSERT INTO {t} VALUES (1, 'one', row(10, 'b'), ARRAY[row(5)])")
    run(f"ALTER TABLE {t} ADD COLUMN extra double COMMENT 'more'")
    run(f"ALTER TABLE {t} ADD COLUMN lead bigint FIRST")
    run(f"ALTER TABLE {t} ADD COLUMN mid date AFTER id")
    run(f"ALTER TABLE {t} ADD COLUMN IF NOT EXISTS mid date")
    run(f"ALTER TABLE {t} ADD COLUMN r.c bigint")
    run(f"ALTER TABLE {t} ADD COLUMN l.element.y varchar")
    run(f"ALTER TABLE {t} RENAME COLUMN name TO label")
    run(f"ALTER TABLE {t} RENAME COLUMN r.a TO first")
    run(f"ALTER TABLE {t} ALTER COLUMN id SET DATA TYPE bigint")
    run(f"ALTER TABLE {t} ALTER COLUMN r.first SET DATA TYPE bigint")
    run(f"ALTER TABLE {t} ALTER COLUMN id DROP NOT NULL")
    assert columns(run, t) == [
        ("lead", "bigint"), ("id", "bigint"), ("mid", "date"), ("label", "varchar"),
        ("r", "row(first bigint, b varchar, c bigint)"), ("l", "array(row(x integer, y varchar))"), ("extra", "double")]
    run(f"INSERT INTO {t} VALUES (7, 20000000000, DATE '2020-01-01', 'two', row(30000000000, 'q', 3), ARRAY[row(6, 'y')], 1.5)")
    rows = run(f"SELECT lead, id, mid, label, r.first, r.c, l[1].y, extra FROM {t} ORDER BY id")
    assert [list(map(str, row)) for row in rows] == [
        ["None", "1", "None", "one", "10", "None", "None", "None"],
        ["7", "20000000000", "2020-01-01", "two", "30000000000", "3", "y", "1.5"]]
    seen = lake.load_table("ddl_test.t").scan().to_arrow().sort_by("id").to_pylist()
    assert seen[0]["label"] == "one" and seen[0]["r"] == {"first": 10, "b": "b", "c": None}
    assert seen[1]["id"] == 20000000000 and seen[0]["lead"] is None and seen[0]["l"] == [{"x": 5, "y": None}]
    run(f"ALTER TABLE {t} DROP COLUMN label")
    run(f"ALTER TABLE {t} DROP COLUMN IF EXISTS label")
    run(f"ALTER TABLE {t} DROP COLUMN r.b")
    run(f"ALTER TABLE {t} ADD COLUMN label varchar")
    # A column of the old name is a new one: what was dropped does not come back.
    assert run(f"SELECT label FROM {t}") == [[None], [None]]
    assert "b" not in lake.load_table("ddl_test.t").scan().to_arrow().to_pylist()[0]["r"]


def test_parts_of_arrays_are_no_fields(run, schema):
    t = f"{schema}.parts"
    run(f"CREATE TABLE {t} AS SELECT CAST(ARRAY[ARRAY[ROW(1, 2)]] AS array(array(row(a integer, b integer)))) AS l")
    nowhere = "Field path [element, element] does not point to row field"
    fails(run, f"ALTER TABLE {t} DROP COLUMN l.element.element", "COLUMN_NOT_FOUND", nowhere)
    fails(run, f"ALTER TABLE {t} RENAME COLUMN l.element.element TO x", "COLUMN_NOT_FOUND", "does not point to row field")
    fails(run, f"ALTER TABLE {t} DROP COLUMN l.a", "NOT_SUPPORTED", "ARRAY type should be denoted by 'element' in the path; found 'a'")
    fails(run, f"ALTER TABLE {t} DROP COLUMN l.element.element.c", "NOT_SUPPORTED", "Cannot resolve field 'c' within row(a integer, b integer)")
    run(f"ALTER TABLE {t} DROP COLUMN l.element.element.b")
    assert run(f"SELECT l[1][1].a FROM {t}") == [[1]]
    twice = "Field name 'x' specified more than once"
    fails(run, f'CREATE TABLE {schema}.twice (r array(row(x integer, "X" integer)))', "DUPLICATE_COLUMN_NAME", twice)
    fails(run, f'CREATE TABLE {schema}.twice AS SELECT CAST(NULL AS row(x integer, "X" integer)) r', "DUPLICATE_COLUMN_NAME", twice)
    fails(run, f'ALTER TABLE {t} ADD COLUMN r row(x integer, "X" integer)', "DUPLICATE_COLUMN_NAME", twice)
    run(f"DROP TABLE {t}")


def test_columns_refused_in_trino_words(run, schema):
    t = f"{schema}.t"
    run(f"CREATE TABLE {t} (id bigint, p varchar, r row(a integer)) WITH (partitioning = ARRAY['p'])")
    fails(run, f"ALTER TABLE {t} ADD COLUMN id bigint", "COLUMN_ALREADY_EXISTS", "line 1:1: Column 'id' already exists")
    fails(run, f"ALTER TABLE {t} ADD COLUMN n bigint NOT NULL", "NOT_SUPPORTED", "adding not null columns")
    fails(run, f"ALTER TABLE {t} ADD COLUMN n nothing", "TYPE_NOT_FOUND", "Unknown type 'nothing' for column 'n'")
    fails(run, f"ALTER TABLE {t} DROP COLUMN p", "NOT_SUPPORTED", "Cannot drop partition field: p")
    fails(run, f"ALTER TABLE {t} DROP COLUMN x", "COLUMN_NOT_FOUND", "Column 'x' does not exist")
    fails(run, f"ALTER TABLE {t} DROP COLUMN r.a", "NOT_SUPPORTED", "Cannot drop the only field in a row type")
    fails(run, f"ALTER TABLE {t} RENAME COLUMN id TO p", "COLUMN_ALREADY_EXISTS", "Column 'p' already exists")
    fails(run, f"ALTER TABLE {t} ALTER COLUMN id SET DATA TYPE integer", "ICEBERG_COMMIT_ERROR",
          "Failed to set column type: Cannot change column type: id: long -> int")
    fails(run, f"ALTER TABLE {t} ALTER COLUMN id DROP NOT NULL", "NOT_SUPPORTED", "Column is already nullable")
    fails(run, f"ALTER TABLE {schema}.none ADD COLUMN a bigint", "TABLE_NOT_FOUND",
          "Table 'iceberg.ddl_test.none' does not exist")
    run(f"ALTER TABLE IF EXISTS {schema}.none ADD COLUMN a bigint")
    fails(run, f"ALTER TABLE {t} SET DATA", "SYNTAX_ERROR")
    fails(run, "ALTER TABLE tpch.tiny.nation ADD COLUMN a bigint", "NOT_SUPPORTED", "adding columns")
    run(f"ALTER TABLE {t} SET PROPERTIES partitioning = ARRAY[]")
    fails(run, f"ALTER TABLE {t} DROP COLUMN p", "NOT_SUPPORTED", "Cannot drop column which is used by an old partition spec: p")


def test_rename_and_owners(run, schema):
    run(f"CREATE TABLE {schema}.a (x bigint)")
    run(f"CREATE VIEW {schema}.v AS SELECT 1 AS one")
    run(f"INSERT INTO {schema}.a VALUES (1)")
    run(f"ALTER TABLE {schema}.a RENAME TO b")
    assert run(f"SELECT * FROM {schema}.b") == [[1]]
    run(f"ALTER VIEW {schema}.v RENAME TO {schema}.w")
    assert run(f"SELECT * FROM {schema}.w") == [[1]]
    fails(run, f"ALTER TABLE {schema}.w RENAME TO c", "TABLE_NOT_FOUND", "Did you mean ALTER VIEW")
    fails(run, f"ALTER TABLE {schema}.b RENAME TO {schema}.w", "TABLE_ALREADY_EXISTS", "already exists")
    fails(run, f"ALTER TABLE {schema}.b RENAME TO tpch.tiny.c", "NOT_SUPPORTED", "Table rename across catalogs is not supported")
    run("CREATE SCHEMA iceberg.ddl_other")
    run(f"ALTER TABLE {schema}.b RENAME TO iceberg.ddl_other.b")
    run("ALTER SCHEMA iceberg.ddl_other RENAME TO ddl_moved")
    assert run("SELECT * FROM iceberg.ddl_moved.b") == [[1]]
    fails(run, "ALTER SCHEMA iceberg.ddl_moved RENAME TO ddl_test", "SCHEMA_ALREADY_EXISTS", "already exists")
    run("ALTER SCHEMA iceberg.ddl_moved SET AUTHORIZATION USER bob")
    run("ALTER TABLE iceberg.ddl_moved.b SET AUTHORIZATION bob")
    run(f"ALTER VIEW {schema}.w SET AUTHORIZATION bob")
    run("DROP SCHEMA iceberg.ddl_moved CASCADE")


def test_comments(run, schema):
    run(f"CREATE TABLE {schema}.t (x bigint)")
    run(f"CREATE VIEW {schema}.v COMMENT 'old' AS SELECT 1 AS one, 2 AS two")
    run(f"COMMENT ON TABLE {schema}.t IS 'a table'")
    run(f"COMMENT ON COLUMN {schema}.t.x IS 'a number'")
    run(f"COMMENT ON VIEW {schema}.v IS 'a view'")
    run(f"COMMENT ON COLUMN {schema}.v.two IS 'two'")
    assert run(f"DESCRIBE {schema}.t")[0][3] == "a number"
    assert [row[3] for row in run(f"DESCRIBE {schema}.v")] == ["", "two"]
    comments = dict(run("SELECT table_name, comment FROM system.metadata.table_comments "
                        "WHERE catalog_name = 'iceberg' AND schema_name = 'ddl_test'"))
    assert comments == {"t": "a table", "v": "a view"}
    run(f"COMMENT ON TABLE {schema}.t IS NULL")
    assert "COMMENT" not in run(f"SHOW CREATE TABLE {schema}.t")[0][0].replace("COMMENT 'a number'", "")
    assert run(f"SELECT * FROM {schema}.v") == [[1, 2]]
    fails(run, f"COMMENT ON COLUMN {schema}.t.y IS 'no'", "COLUMN_NOT_FOUND", "Column does not exist: y")


def test_view_refresh(run, schema):
    run(f"CREATE TABLE {schema}.t (x integer)")
    run(f"CREATE VIEW {schema}.v AS SELECT * FROM {schema}.t")
    run(f"ALTER TABLE {schema}.t ALTER COLUMN x SET DATA TYPE bigint")
    fails(run, f"SELECT * FROM {schema}.v", "INVALID_VIEW")
    run(f"ALTER VIEW {schema}.v REFRESH")
    assert columns(run, f"{schema}.v") == [("x", "bigint")]


def test_set_properties(run, schema, lake):
    t = f"{schema}.t"
    run(f"CREATE TABLE {t} (id bigint, ts timestamp(6), s varchar)")
    run(f"INSERT INTO {t} VALUES (1, TIMESTAMP '2020-01-01 00:00:00', 'a')")
    run(f"ALTER TABLE {t} SET PROPERTIES partitioning = ARRAY['month(ts)', 'bucket(id, 4)'], sorted_by = ARRAY['s DESC'], "
        "format = 'PARQUET', max_commit_retry = 7, extra_properties = MAP(ARRAY['a.b'], ARRAY['c'])")
    run(f"INSERT INTO {t} VALUES (2, TIMESTAMP '2021-05-01 00:00:00', 'b')")
    table = lake.load_table("ddl_test.t")
    assert [str(f.transform) for f in table.spec().fields] == ["month", "bucket[4]"]
    assert table.properties["commit.retry.num-retries"] == "7" and table.properties["a.b"] == "c"
    assert sorted(table.scan().to_arrow()["id"].to_pylist()) == [1, 2]
    assert sorted(run(f"SELECT id, s FROM {t}")) == [[1, "a"], [2, "b"]]
    run(f"ALTER TABLE {t} SET PROPERTIES max_commit_retry = DEFAULT, sorted_by = ARRAY[], format_version = 3")
    table = lake.load_table("ddl_test.t")
    assert "commit.retry.num-retries" not in table.properties and table.format_version == 3
    run(f"INSERT INTO {t} VALUES (3, TIMESTAMP '2021-05-01 00:00:00', 'c')")
    assert run(f"SELECT count(*) FROM {t}") == [[3]]
    fails(run, f"ALTER TABLE {t} SET PROPERTIES location = 's3://x/y'", "NOT_SUPPORTED", "cannot be updated: location")
    fails(run, f"ALTER TABLE {t} SET PROPERTIES nothing = 1", "INVALID_TABLE_PROPERTY", "does not exist")
    fails(run, f"ALTER TABLE {t} SET PROPERTIES format_version = 2", "ICEBERG_COMMIT_ERROR", "Cannot downgrade v3 table to v2")


def test_create_or_replace_keeps_history(run, schema, lake):
    t = f"{schema}.t"
    run(f"CREATE TABLE {t} (a bigint, b varchar) WITH (partitioning = ARRAY['b'])")
    run(f"INSERT INTO {t} VALUES (1, 'x')")
    before = lake.load_table("ddl_test.t")
    run(f"CREATE OR REPLACE TABLE {t} AS SELECT 2 AS a, DATE '2020-01-01' AS d")
    assert [list(map(str, row)) for row in run(f"SELECT * FROM {t}")] == [["2", "2020-01-01"]]
    after = lake.load_table("ddl_test.t")
    assert after.metadata.table_uuid == before.metadata.table_uuid and len(after.metadata.snapshots) == 2
    old = before.current_snapshot().snapshot_id
    assert after.scan(snapshot_id=old).to_arrow().to_pylist() == [{"a": 1, "b": "x"}]
    run(f"CREATE OR REPLACE TABLE {t} (z varchar)")
    assert run(f"SELECT * FROM {t}") == [] and columns(run, t) == [("z", "varchar")]
    run(f"CREATE OR REPLACE TABLE {schema}.fresh AS SELECT 1 AS one")
    assert run(f"SELECT * FROM {schema}.fresh") == [[1]]
    fails(run, f"CREATE OR REPLACE TABLE IF NOT EXISTS {t} (a bigint)", "SYNTAX_ERROR")


def test_like_including_properties(run, schema, lake):
    run(f"CREATE TABLE {schema}.a (x bigint NOT NULL COMMENT 'c', p varchar) WITH (partitioning = ARRAY['p'], format_version = 1)")
    run(f"CREATE TABLE {schema}.b (LIKE {schema}.a INCLUDING PROPERTIES, y bigint)")
    table = lake.load_table("ddl_test.b")
    assert table.format_version == 1 and [f.name for f in table.spec().fields] == ["p"]
    assert table.location() != lake.load_table("ddl_test.a").location()
    assert columns(run, f"{schema}.b") == [("x", "bigint"), ("p", "varchar"), ("y", "bigint")]
    fails(run, f"CREATE TABLE {schema}.c (x bigint, LIKE {schema}.a)", "DUPLICATE_COLUMN_NAME", "specified more than once")


def test_branches(run, schema, lake):
    t = f"{schema}.t"
    run(f"CREATE TABLE {t} (x bigint)")
    run(f"INSERT INTO {t} VALUES 1")
    run(f"CREATE BRANCH audit IN TABLE {t}")
    run(f"CREATE BRANCH IF NOT EXISTS audit IN TABLE {t}")
    fails(run, f"CREATE BRANCH audit IN TABLE {t}", "BRANCH_ALREADY_EXISTS", "Branch 'audit' already exists")
    run(f"INSERT INTO {t} VALUES 2")
    assert sorted(run(f"SHOW BRANCHES FROM TABLE {t}")) == [["audit"], ["main"]]
    assert lake.load_table("ddl_test.t").scan().use_ref("audit").to_arrow()["x"].to_pylist() == [1]
    run(f"ALTER BRANCH audit IN TABLE {t} FAST FORWARD TO main")
    assert sorted(lake.load_table("ddl_test.t").scan().use_ref("audit").to_arrow()["x"].to_pylist()) == [1, 2]
    run(f"CREATE BRANCH second IN TABLE {t} FROM audit")
    run(f"DROP BRANCH second IN TABLE {t}")
    run(f"DROP BRANCH IF EXISTS second IN TABLE {t}")
    fails(run, f"DROP BRANCH second IN TABLE {t}", "BRANCH_NOT_FOUND", "Branch 'second' does not exist")
    fails(run, f"ALTER BRANCH nope IN TABLE {t} FAST FORWARD TO main", "BRANCH_NOT_FOUND", "Branch 'nope' does not exist")


def test_defaults_of_version_3(run, schema, lake):
    t = f"{schema}.t"
    run(f"CREATE TABLE {t} (id bigint) WITH (format_version = 3)")
    run(f"INSERT INTO {t} VALUES 1")
    run(f"ALTER TABLE {t} ADD COLUMN status varchar DEFAULT 'new'")
    run(f"ALTER TABLE {t} ADD COLUMN d date DEFAULT DATE '2020-02-03'")
    assert [list(map(str, row)) for row in run(f"SELECT * FROM {t}")] == [["1", "new", "2020-02-03"]]
    run(f"ALTER TABLE {t} ALTER COLUMN status SET DEFAULT 'open'")
    run(f"INSERT INTO {t} (id) VALUES 2")
    assert run(f"SELECT status FROM {t} ORDER BY id") == [["new"], ["open"]]
    run(f"ALTER TABLE {t} ALTER COLUMN status DROP DEFAULT")
    run(f"INSERT INTO {t} (id) VALUES 3")
    assert run(f"SELECT status FROM {t} ORDER BY id") == [["new"], ["open"], [None]]
    run(f"CREATE TABLE {schema}.two (id bigint)")
    fails(run, f"ALTER TABLE {schema}.two ADD COLUMN a bigint DEFAULT 1", "NOT_SUPPORTED", "format version < 3")


def test_properties_are_listed(run, schema):
    """What system.metadata lists is what WITH takes."""
    listed = run("SELECT property_name, type FROM system.metadata.table_properties WHERE catalog_name = 'iceberg'")
    names = [name for name, _ in listed]
    assert ["format", "varchar"] in listed and ["partitioning", "array(varchar)"] in listed
    assert run("SELECT count(*) FROM system.metadata.materialized_view_properties") == [[len(names)]]
    assert run("SELECT catalog_name, property_name FROM system.metadata.schema_properties ORDER BY 1") == [
        ["hive", "location"], ["iceberg", "location"]]
    assert run("SELECT property_name, type FROM system.metadata.analyze_properties") == [["columns", "array(varchar)"]]
    assert run("SELECT DISTINCT catalog_name, split_part(property_name, '_projection', 1) FROM system.metadata.column_properties") == [
        ["hive", "partition"]]
    run(f"CREATE TABLE {schema}.t (x integer) WITH (partitioning = ARRAY['x'], sorted_by = ARRAY['x'], format = 'PARQUET')")
    with pytest.raises(trino.exceptions.TrinoUserError, match="does not exist"):
        run(f"CREATE TABLE {schema}.u (x integer) WITH (not_{names[0]} = 'a')")


def test_session_properties(run):
    shown = {row[0]: row for row in run("SHOW SESSION")}
    assert list(shown) == sorted(shown)
    assert shown["filter_conjunction_independence_factor"][1:4] == ["0.75", "0.75", "double"]
    run("SET SESSION join_partitioned_build_min_row_count = 10")
    run("SET SESSION spatial_join = false")
    with pytest.raises(trino.exceptions.TrinoUserError, match="INVALID_SESSION_PROPERTY"):
        run("SET SESSION retry_max_delay = 'long'")
