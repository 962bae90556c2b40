"""Roles, grants and access rules, as several users of the trino client."""
import json
import shutil

import pytest

from conftest import make_platform

trino = pytest.importorskip("trino")


class Users:
    """Statements as this or that user, over the plain port that this machine may use."""

    def __init__(self, platform):
        self.host, self.port = platform["sql"]["http"].removeprefix("http://").rstrip("/").split(":")

    def run(self, user, sql, **session):
        connection = trino.dbapi.connect(host=self.host, port=int(self.port), user=user, catalog="iceberg", **session)
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()

    def denied(self, user, sql, text, **session):
        with pytest.raises(trino.exceptions.TrinoQueryError) as caught:
            self.run(user, sql, **session)
        error = caught.value
        assert error.error_name == "PERMISSION_DENIED" and text in error.message, (error.error_name, error.message)


def started(settings):
    platform = make_platform(settings)
    return platform, Users(platform.ready)


def stopped(platform):
    assert platform.stop() == 0
    shutil.rmtree(platform.data.parent, ignore_errors=True)


@pytest.fixture(scope="module")
def granted():
    platform, users = started(["sql.grants=true"])
    users.platform = platform
    users.run("admin", "CREATE SCHEMA iceberg.s")
    yield users
    stopped(platform)


def test_owners_and_grants(granted):
    run, denied = granted.run, granted.denied
    denied("alice", "CREATE TABLE iceberg.s.t (x bigint)", "Access Denied: Cannot create table iceberg.s.t")
    run("admin", "GRANT CREATE ON SCHEMA iceberg.s TO USER alice")
    run("alice", "CREATE TABLE iceberg.s.t (x bigint)")
    run("alice", "INSERT INTO iceberg.s.t VALUES 1")
    denied("bob", "SELECT * FROM iceberg.s.t", "Access Denied: Cannot select from table iceberg.s.t")
    denied("bob", "INSERT INTO iceberg.s.t VALUES 2", "Cannot insert into table iceberg.s.t")
    denied("bob", "DROP TABLE iceberg.s.t", "Cannot drop table iceberg.s.t")
    denied("bob", "ALTER TABLE iceberg.s.t ADD COLUMN y bigint", "Cannot add a column to table iceberg.s.t")
    denied("bob", "GRANT SELECT ON iceberg.s.t TO USER bob", "Cannot grant privilege SELECT on table iceberg.s.t")
    assert run("bob", "SHOW TABLES FROM iceberg.s") == []
    run("alice", "GRANT SELECT ON iceberg.s.t TO USER bob WITH GRANT OPTION")
    assert run("bob", "SELECT * FROM iceberg.s.t") == [[1]]
    run("bob", "GRANT SELECT ON iceberg.s.t TO carol")
    assert run("carol", "SELECT count(*) FROM iceberg.s.t") == [[1]]
    assert run("carol", "SHOW TABLES FROM iceberg.s") == [["t"]]
    grants = run("alice", "SHOW GRANTS ON TABLE iceberg.s.t")
    assert ["alice", "USER", "bob", "USER", "iceberg", "s", "t", "SELECT", "YES", None] in grants
    table = run("alice", "SELECT grantee, privilege_type FROM iceberg.information_schema.table_privileges ORDER BY 1")
    assert table == [["bob", "SELECT"], ["carol", "SELECT"]]
    run("alice", "DENY SELECT ON iceberg.s.t TO USER carol")
    denied("carol", "SELECT count(*) FROM iceberg.s.t", "Cannot select from table iceberg.s.t")
    run("alice", "REVOKE SELECT ON iceberg.s.t FROM bob")
    denied("bob", "SELECT * FROM iceberg.s.t", "Cannot select from table")
    run("alice", "ALTER TABLE iceberg.s.t RENAME TO u")
    run("alice", "DROP TABLE iceberg.s.u")
    run("alice", "CREATE TABLE iceberg.s.u (x bigint)")
    # What was granted on the old one does not hold for the new one.
    assert run("alice", "SHOW GRANTS ON TABLE iceberg.s.u") == []


def test_roles(granted):
    run, denied = granted.run, granted.denied
    denied("alice", "CREATE ROLE readers", "Access Denied: Cannot create role readers")
    run("admin", "CREATE ROLE readers")
    run("admin", "CREATE ROLE everyone WITH ADMIN USER alice")
    assert run("admin", "SHOW ROLES") == [["admin"], ["everyone"], ["readers"]]
    run("admin", "CREATE TABLE iceberg.s.r AS SELECT 7 AS x")
    run("admin", "GRANT SELECT, INSERT ON TABLE iceberg.s.r TO ROLE readers")
    run("admin", "GRANT readers TO ROLE everyone")
    denied("dave", "SELECT * FROM iceberg.s.r", "Cannot select from table iceberg.s.r")
    run("alice", "GRANT everyone TO USER dave")
    assert run("dave", "SELECT * FROM iceberg.s.r") == [[7]]
    assert run("dave", "SHOW CURRENT ROLES") == [["everyone"], ["readers"]]
    assert run("dave", "SHOW ROLE GRANTS") == [["everyone"]]
    assert run("dave", "SELECT role_name FROM iceberg.information_schema.applicable_roles ORDER BY 1") == [["everyone"], ["readers"]]
    denied("dave", "SELECT * FROM iceberg.s.r", "Cannot select from table", roles={"system": "NONE"})
    assert run("dave", "SELECT * FROM iceberg.s.r", roles={"system": "ROLE{readers}"}) == [[7]]
    denied("dave", "SET ROLE admin", "Cannot set role admin")
    for sql, name in (("SET ROLE nobody", "ROLE_NOT_FOUND"), ("CREATE ROLE readers", "ROLE_ALREADY_EXISTS"),
                      ("GRANT everyone TO ROLE readers", "INVALID_ARGUMENTS"), ("DROP ROLE nobody", "ROLE_NOT_FOUND"),
                      ("GRANT FLY ON iceberg.s.r TO dave", "INVALID_PRIVILEGE"),
                      ("CREATE ROLE x IN iceberg", "NOT_SUPPORTED")):
        with pytest.raises(trino.exceptions.TrinoQueryError) as caught:
            run("admin", sql)
        assert caught.value.error_name == name, sql
    run("admin", "REVOKE everyone FROM USER dave")
    denied("dave", "SELECT * FROM iceberg.s.r", "Cannot select from table")
    run("admin", "DROP ROLE IF EXISTS nobody")


def test_views_run_as_their_owner_or_invoker(granted):
    run, denied = granted.run, granted.denied
    run("admin", "CREATE TABLE iceberg.s.base AS SELECT 1 AS x")
    run("admin", "GRANT CREATE ON SCHEMA iceberg.s TO USER erin")
    run("admin", "GRANT SELECT ON iceberg.s.base TO USER erin")
    run("erin", "CREATE VIEW iceberg.s.own AS SELECT * FROM iceberg.s.base")
    run("erin", "CREATE VIEW iceberg.s.mine SECURITY INVOKER AS SELECT * FROM iceberg.s.base")
    for view in ("own", "mine"):
        run("admin", f"GRANT SELECT ON iceberg.s.{view} TO USER frank")
    denied("frank", "SELECT * FROM iceberg.s.mine", "Cannot select from table iceberg.s.base")
    # Erin may read the table, but not hand that on.
    denied("frank", "SELECT * FROM iceberg.s.own", "View owner 'erin' cannot create view that selects from iceberg.s.base")
    run("admin", "GRANT SELECT ON iceberg.s.base TO USER erin WITH GRANT OPTION")
    assert run("frank", "SELECT * FROM iceberg.s.own") == [[1]]


def test_changes_of_rows(granted):
    run, denied = granted.run, granted.denied
    run("admin", "CREATE TABLE iceberg.s.rows AS SELECT 1 AS x, 2 AS y")
    for sql, text in (("DELETE FROM iceberg.s.rows", "Cannot delete from table iceberg.s.rows"),
                      ("TRUNCATE TABLE iceberg.s.rows", "Cannot truncate table iceberg.s.rows"),
                      ("UPDATE iceberg.s.rows SET y = 3", "Cannot update columns [y] in table iceberg.s.rows"),
                      ("MERGE INTO iceberg.s.rows r USING (VALUES 1) t(x) ON r.x = t.x WHEN MATCHED THEN DELETE",
                       "Cannot delete from table iceberg.s.rows"),
                      ("ALTER TABLE iceberg.s.rows EXECUTE optimize", "Cannot execute table procedure optimize on iceberg.s.rows"),
                      ("CREATE MATERIALIZED VIEW iceberg.s.kept_rows AS SELECT 1 AS x", "Cannot create view iceberg.s.kept_rows")):
        denied("hal", sql, text)
    run("admin", "GRANT DELETE, UPDATE ON iceberg.s.rows TO hal")
    denied("hal", "DELETE FROM iceberg.s.rows WHERE x = 1", "Cannot select from table iceberg.s.rows")
    run("hal", "UPDATE iceberg.s.rows SET y = 3")
    assert run("admin", "SELECT * FROM iceberg.s.rows") == [[1, 3]]
    run("admin", "GRANT SELECT ON iceberg.s.rows TO hal")
    run("hal", "DELETE FROM iceberg.s.rows WHERE x = 1")
    assert run("admin", "SELECT * FROM iceberg.s.rows") == []


def test_grants_outlive_a_restart(granted):
    granted.run("admin", "CREATE TABLE iceberg.s.kept AS SELECT 1 AS x")
    granted.run("admin", "GRANT SELECT ON iceberg.s.kept TO gina")
    granted.platform.kill()
    granted.platform.start()
    granted.__init__(granted.platform.ready)
    assert granted.run("gina", "SELECT * FROM iceberg.s.kept") == [[1]]


RULES = {
    "catalogs": [{"user": "admin", "allow": "all"}, {"user": "viewer", "catalog": "iceberg", "allow": "read-only"},
                 {"catalog": "tpch", "allow": "read-only"}, {"user": "alice|bob|dora|emil|fred", "catalog": "iceberg", "allow": "all"},
                 {"catalog": "system", "allow": "none"}],
    "schemas": [{"user": "admin", "owner": True}],
    "tables": [
        {"user": "admin", "privileges": ["SELECT", "INSERT", "DELETE", "UPDATE", "OWNERSHIP", "GRANT_SELECT"]},
        {"user": "alice", "catalog": "iceberg", "schema": "s", "table": "people", "privileges": ["SELECT"],
         "columns": [{"name": "secret", "allow": False}, {"name": "phone", "mask": "'***' || substr(phone, 4)"}],
         "filter": "owner = current_user"},
        {"user": "dora", "catalog": "iceberg", "schema": "s", "table": "notes",
         "privileges": ["SELECT", "INSERT", "DELETE", "UPDATE"], "filter": "owner = current_user"},
        {"user": "fred", "catalog": "iceberg", "schema": "s", "table": "notes", "privileges": ["SELECT", "OWNERSHIP"],
         "filter": "owner = current_user"},
        {"user": "emil", "catalog": "iceberg", "schema": "s", "table": "notes",
         "privileges": ["SELECT", "INSERT", "DELETE", "UPDATE"], "columns": [{"name": "note", "mask": "'?'"}]},
        {"user": "viewer|bob", "catalog": "iceberg", "schema": "s", "privileges": ["SELECT", "INSERT"]},
        {"catalog": "tpch", "privileges": ["SELECT"]}],
    "functions": [{"user": "admin", "privileges": ["EXECUTE", "OWNERSHIP"]},
                  {"user": "bob", "catalog": "iceberg", "schema": "s", "function": "twice", "privileges": ["EXECUTE"]}],
    "queries": [{"user": "banned", "allow": []}, {"allow": ["execute", "view"]}],
    "system_session_properties": [{"user": "admin", "allow": True}, {"property": "query_.*", "allow": True}],
    "impersonation": [{"original_user": "admin", "new_user": "alice"}],
}


@pytest.fixture(scope="module")
def ruled(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "rules.json"
    path.write_text(json.dumps(RULES))
    platform, users = started([f"sql.access_rules={path}"])
    users.platform = platform
    users.run("admin", "CREATE SCHEMA iceberg.s")
    users.run("admin", "CREATE TABLE iceberg.s.people AS SELECT * FROM (VALUES ('alice', '123456', 1), ('bob', '222222', 2)) "
                       "t(owner, phone, secret)")
    yield users
    stopped(platform)


def test_rules_on_catalogs_and_tables(ruled):
    run, denied = ruled.run, ruled.denied
    assert run("bob", "SELECT count(*) FROM iceberg.s.people") == [[2]]
    run("bob", "INSERT INTO iceberg.s.people VALUES ('carl', '333333', 3)")
    denied("viewer", "INSERT INTO iceberg.s.people VALUES ('x', 'y', 4)", "Cannot insert into table iceberg.s.people")
    assert run("viewer", "SELECT count(*) FROM iceberg.s.people") == [[3]]
    denied("bob", "DROP TABLE iceberg.s.people", "Access Denied: Cannot drop table iceberg.s.people")
    denied("bob", "CREATE SCHEMA iceberg.mine", "Cannot create schema iceberg.mine")
    denied("stranger", "SELECT * FROM iceberg.s.people", "Cannot select from table iceberg.s.people")
    assert run("stranger", "SHOW CATALOGS") == [["tpch"]]
    assert run("stranger", "SELECT count(*) FROM tpch.tiny.nation") == [[25]]
    denied("banned", "SELECT 1", "Access Denied: Cannot execute query")
    denied("bob", "SELECT * FROM system.runtime.nodes", "Access Denied: Cannot")


def test_masks_and_filters(ruled):
    run, denied = ruled.run, ruled.denied
    assert run("alice", "SELECT owner, phone FROM iceberg.s.people") == [["alice", "***456"]]
    assert run("alice", "SELECT count(*) FROM iceberg.s.people") == [[1]]
    assert run("alice", "SELECT p.phone FROM iceberg.s.people p WHERE p.phone LIKE '***%'") == [["***456"]]
    denied("alice", "SELECT secret FROM iceberg.s.people", "Cannot select from table iceberg.s.people")
    denied("alice", "SELECT * FROM iceberg.s.people", "Cannot select from table iceberg.s.people")
    # Nor is she told that it is there, or of its values.
    assert [row[0] for row in run("alice", "SHOW COLUMNS FROM iceberg.s.people")] == ["owner", "phone"]
    assert run("alice", "SELECT column_name, ordinal_position FROM iceberg.information_schema.columns WHERE table_name = 'people'") == [
        ["owner", 1], ["phone", 2]]
    assert len(run("admin", "DESCRIBE iceberg.s.people")) == 3
    denied("alice", "SHOW STATS FOR iceberg.s.people", "Cannot select from table iceberg.s.people")
    assert run("admin", "SHOW STATS FOR iceberg.s.people")[0][0] == "owner"
    denied("alice", "SELECT 1 FROM iceberg.s.people WHERE secret = 1", "Cannot select from table")
    denied("alice", "INSERT INTO iceberg.s.people VALUES ('x', 'y', 4)", "Cannot insert into table")


def test_changes_through_row_filters(ruled):
    """Rows that a filter hides are not there for DELETE and UPDATE; rows that it would hide cannot be written."""
    run, denied = ruled.run, ruled.denied
    run("admin", "CREATE TABLE iceberg.s.notes AS SELECT * FROM (VALUES ('dora', 'a', 1), ('dora', 'b', 2), ('bob', 'c', 3), "
                 "(NULL, 'd', 4)) t(owner, note, n)")
    assert {tuple(row[1:]) for row in run("dora", "SHOW STATS FOR iceberg.s.notes")} == {(None,) * 6}, "she sees some rows only"

    with pytest.raises(trino.exceptions.TrinoUserError, match="ALTER TABLE EXECUTE is not supported for table with row filter"):
        run("fred", "ALTER TABLE iceberg.s.notes EXECUTE optimize")

    def everything():
        return run("admin", "SELECT owner, note, n FROM iceberg.s.notes ORDER BY n")

    run("dora", "INSERT INTO iceberg.s.notes (n, owner) VALUES (5, 'dora')")
    denied("dora", "INSERT INTO iceberg.s.notes VALUES ('dora', 'e', 6), ('bob', 'f', 7)",
           "Access Denied: Cannot insert row that does not match a row filter")
    denied("dora", "INSERT INTO iceberg.s.notes (n) VALUES 8", "Cannot insert row that does not match a row filter")
    assert run("dora", "UPDATE iceberg.s.notes SET note = 'x' WHERE n < 4") == [[2]]
    denied("dora", "UPDATE iceberg.s.notes SET owner = 'bob' WHERE n = 2",
           "Access Denied: Cannot update row that does not match a row filter")
    denied("dora", "UPDATE iceberg.s.notes SET owner = NULL", "Cannot update row that does not match a row filter")
    # Not of rows that the filter hides: no error of theirs shows that they are there.
    assert run("dora", "UPDATE iceberg.s.notes SET note = CAST(1 / (n - 3) AS varchar) WHERE n = 3") == [[0]]
    assert everything() == [["dora", "x", 1], ["dora", "x", 2], ["bob", "c", 3], [None, "d", 4], ["dora", None, 5]]
    assert run("dora", "DELETE FROM iceberg.s.notes WHERE n > 1") == [[2]]
    assert run("dora", "DELETE FROM iceberg.s.notes") == [[1]]
    assert everything() == [["bob", "c", 3], [None, "d", 4]]
    for user, sql, message in (
            ("dora", "MERGE INTO iceberg.s.notes t USING (VALUES 1) s(x) ON t.n = s.x WHEN MATCHED THEN DELETE",
             "line 1:1: Cannot merge into a table with row filters"),
            ("emil", "DELETE FROM iceberg.s.notes", "line 1:1: Delete from table with column mask"),
            ("emil", "UPDATE iceberg.s.notes SET n = 1", "line 1:1: Updating a table with column masks is not supported"),
            ("emil", "INSERT INTO iceberg.s.notes VALUES ('a', 'b', 1)",
             "line 1:1: Insert into table with column masks is not supported")):
        with pytest.raises(trino.exceptions.TrinoQueryError) as caught:
            run(user, sql)
        assert (caught.value.error_name, caught.value.message) == ("NOT_SUPPORTED", message)


def test_functions_that_may_be_executed(ruled):
    run, denied = ruled.run, ruled.denied
    run("admin", "CREATE FUNCTION iceberg.s.twice(x bigint) RETURNS bigint RETURN x * 2")
    run("admin", "CREATE FUNCTION iceberg.s.thrice(x bigint) RETURNS bigint RETURN x * 3")
    assert run("admin", "SELECT iceberg.s.thrice(2)") == [[6]]
    assert run("bob", "SELECT iceberg.s.twice(2), abs(-1)") == [[4, 1]]
    denied("bob", "SELECT iceberg.s.thrice(2)", "Access Denied: Cannot execute function iceberg.s.thrice")
    denied("dora", "SELECT iceberg.s.twice(2)", "Access Denied: Cannot execute function iceberg.s.twice")


def test_session_properties_and_impersonation(ruled):
    run, denied = ruled.run, ruled.denied
    run("bob", "SET SESSION query_max_run_time = '1h'")
    denied("bob", "SET SESSION join_distribution_type = 'BROADCAST'",
           "Cannot set system session property join_distribution_type")
    run("admin", "SET SESSION AUTHORIZATION alice")
    denied("bob", "SET SESSION AUTHORIZATION alice", "User bob cannot impersonate user alice")


def test_rules_for_groups(tmp_path):
    rules, groups = tmp_path / "rules.json", tmp_path / "groups.txt"
    rules.write_text(json.dumps({"catalogs": [{"group": "analysts", "catalog": "tpch", "allow": "read-only"},
                                              {"group": ".*", "catalog": "system", "allow": "all"}]}))
    groups.write_text("analysts:alice\nothers:bob,carol\n")
    platform, users = started([f"sql.access_rules={rules}", f"sql.groups={groups}"])
    assert users.run("alice", "SELECT count(*) FROM tpch.tiny.region") == [[5]]
    assert users.run("alice", "SELECT current_groups()") == [[["analysts"]]]
    assert users.run("zoe", "SELECT current_groups()") == [[[]]]
    assert users.run("bob", "SHOW CATALOGS") == [["system"]]
    users.denied("bob", "SELECT count(*) FROM tpch.tiny.region", "Access Denied: Cannot")
    stopped(platform)
    groups.write_text("nobody\n")
    for settings in ([f"sql.access_rules={rules}", f"sql.groups={groups}"], [f"sql.groups={groups}"]):
        with pytest.raises(RuntimeError, match="did not start"):
            started(settings)


def test_broken_rules_stop_the_start(tmp_path):
    path = tmp_path / "rules.json"
    for text, why in (("{", "not a JSON object"), ('{"tables": [{"privilege": []}]}', "tables[0]: there is no 'privilege'"),
                      ('{"tabels": []}', "there is no such section"), ('{"tables": [{"user": "("}]}', "is not a pattern")):
        path.write_text(text)
        with pytest.raises(RuntimeError, match="did not start"):
            started([f"sql.access_rules={path}"])
