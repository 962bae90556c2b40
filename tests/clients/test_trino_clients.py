"""Trino's clients of other languages, unmodified: Go, JavaScript, the JDBC driver's metadata, the command line.

What each walks stands in tests/clients/{go,node,jdbc}; how they are fetched in client_files.py.
"""
import json
import subprocess

import pytest

from client_files import go_program, java_class, maven_file, needs, node_folder
from pseudo_terminal import Terminal



def passed(done):
    assert done.returncode == 0 and "FAIL" not in done.stdout, done.stdout + done.stderr


@needs("go")
def test_go_client(platform):
    sql = platform["sql"]
    host = sql["https"].removeprefix("https://").rstrip("/")
    dsn = f"https://{sql['user']}:{sql['password']}@{host}?catalog=iceberg&custom_client=insecure&source=go-test"
    passed(subprocess.run([str(go_program()), dsn], capture_output=True, text=True, timeout=180))


@needs("node", "npm")
def test_javascript_client(platform):
    sql = platform["sql"]
    passed(subprocess.run(["node", "trino.js", sql["https"], sql["user"], sql["password"]], cwd=node_folder(),
                          capture_output=True, text=True, timeout=180))


@needs("javac", "mvn")
def test_jdbc_metadata(platform, tmp_path):
    """Every method of DatabaseMetaData answers; those that the driver itself does not have say so."""
    driver = maven_file("io.trino:trino-jdbc:484")
    java_class("TrinoMetadata", tmp_path)
    sql = platform["sql"]
    host = sql["https"].removeprefix("https://").rstrip("/")
    done = subprocess.run(["java", "-cp", f"{tmp_path}:{driver}", "TrinoMetadata", f"jdbc:trino://{host}/tpch",
                           sql["user"], sql["password"]], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    refused = [line for line in lines if " ! " in line and "NotSupported" not in line.split(" ! ")[1]
               and "NotImplemented" not in line.split(" ! ")[1]]
    assert not refused, "\n".join(refused)
    assert len(lines) > 200 and any("nation" in line for line in lines), done.stdout[:2000]


# ---- Python ----------------------------------------------------------------------------------------------------


def python(platform, **options):
    import trino
    host, port = platform["sql"]["http"].removeprefix("http://").rstrip("/").split(":")
    return trino.dbapi.connect(host=host, port=int(port), user="admin", catalog="iceberg", **options)


def test_python_prepared_statements(platform):
    """Parameters by EXECUTE IMMEDIATE, and the old way by PREPARE and a header."""
    import datetime
    import decimal
    import uuid
    values = (1, 1.5, "it's", True, None, b"\x00\xff", decimal.Decimal("1.50"), datetime.date(2020, 2, 29),
              datetime.datetime(2020, 1, 2, 3, 4, 5, 123456), datetime.time(1, 2, 3), uuid.UUID(int=7), [1, 2], {"a": 1})
    for legacy in (False, True):
        cursor = python(platform, legacy_prepared_statements=legacy).cursor()
        cursor.execute("SELECT " + ", ".join("?" * len(values)), values)
        (row,) = cursor.fetchall()
        assert tuple(row) == values, (legacy, row)
        cursor.execute("SELECT name FROM tpch.tiny.nation WHERE nationkey IN (?, ?) ORDER BY 1", (7, 8))
        assert cursor.fetchall() == [["GERMANY"], ["INDIA"]]


def test_python_transactions(platform):
    import trino
    with python(platform, isolation_level=trino.transaction.IsolationLevel.READ_COMMITTED) as connection:
        cursor = connection.cursor()
        assert cursor.execute("SELECT 1").fetchall() == [[1]]
        assert cursor.execute("SELECT count(*) FROM tpch.tiny.region").fetchall() == [[5]]
        connection.commit()
        cursor = connection.cursor()  # a cursor belongs to the transaction it was made in
        assert cursor.execute("SELECT 2").fetchall() == [[2]]
        connection.rollback()
    cursor = python(platform).cursor()
    cursor.execute("SELECT 3")
    assert cursor.description[0][0] == "_col0" and cursor.stats["state"] in ("RUNNING", "FINISHED") and cursor.query_id


def test_sqlalchemy_tables(platform):
    import sqlalchemy as sa
    host = platform["sql"]["http"].removeprefix("http://").rstrip("/")
    engine = sa.create_engine(f"trino://admin@{host}/memory/default")
    made = sa.MetaData()
    table = sa.Table("sa_t", made, sa.Column("id", sa.BigInteger), sa.Column("name", sa.String(20)), sa.Column("d", sa.Date),
                     sa.Column("x", sa.Numeric(10, 2)), schema="default")
    made.drop_all(engine)
    made.create_all(engine)
    with engine.connect() as link:
        link.execute(table.insert(), [{"id": i, "name": f"n{i}", "x": i} for i in range(3)])
        assert link.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 3
        assert link.execute(sa.select(table.c.name).where(table.c.id == 2)).scalar() == "n2"
        got = sa.inspect(link)
        assert [str(c["type"]) for c in got.get_columns("sa_t", "default")] == ["BIGINT", "VARCHAR(20)", "DATE", "DECIMAL(10, 2)"]
        assert got.has_table("sa_t", "default")
        assert link.execute(sa.text("SELECT current_catalog, current_schema")).one() == ("memory", "default")
    made.drop_all(engine)


# ---- the command line ----------------------------------------------------------------------------------------


def cli(platform, *arguments):
    return ["java", "-jar", str(maven_file("io.trino:trino-cli:476:jar:executable")), "--server", platform["sql"]["http"],
            "--user", "admin", *arguments]


def batch(platform, statement, output):
    done = subprocess.run(cli(platform, "--execute", statement, "--output-format", output), capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs("java", "mvn")
def test_cli_batch(platform):
    statement = "SELECT nationkey AS n, name, CAST(NULL AS varchar) AS x FROM tpch.tiny.nation WHERE nationkey < 2 ORDER BY 1"
    assert batch(platform, statement, "CSV") == '"0","ALGERIA",""\n"1","ARGENTINA",""\n'
    assert batch(platform, statement, "TSV_HEADER") == "n\tname\tx\n0\tALGERIA\t\n1\tARGENTINA\t\n"
    rows = [json.loads(line) for line in batch(platform, statement, "JSON").splitlines()]
    assert rows == [{"n": 0, "name": "ALGERIA", "x": None}, {"n": 1, "name": "ARGENTINA", "x": None}]
    assert "ALGERIA" in batch(platform, statement, "ALIGNED")
    assert "-[ RECORD 1 ]" in batch(platform, statement, "VERTICAL")
    failed = subprocess.run(cli(platform, "--execute", "SELECT nope"), capture_output=True, text=True, timeout=120)
    assert failed.returncode == 1 and "Column 'nope' cannot be resolved" in failed.stderr
    many = batch(platform, "SELECT count(*) FROM tpch.sf1.orders; SELECT orderkey FROM tpch.sf1.orders LIMIT 200000", "CSV")
    assert len(many.splitlines()) == 200_001


@pytest.fixture
def terminal(platform, tmp_path):
    made = Terminal(cli(platform, "--progress", "--pager", "", "--history-file", str(tmp_path / "history")), HOME=str(tmp_path))
    yield made
    made.close()


@needs("java", "mvn")
def test_cli_interactive(terminal):
    terminal.read_until("trino> ")
    terminal.send("USE tpch.tiny;\r")
    terminal.read_until("trino:tiny> ")
    terminal.send("SELECT name FROM nation\rWHERE nationkey = 7;\r")
    terminal.read_until(r"GERMANY[\s\S]*\(1 row\)[\s\S]*Query \S+, FINISHED, 1 node[\s\S]*trino:tiny> ")
    # A long one: the bar moves, ^C stops it, the prompt comes back.
    terminal.send("SELECT count(DISTINCT comment) FROM tpch.sf100.lineitem;\r")
    terminal.read_until(r"RUNNING, 1 node[\s\S]*(\d+)%")
    for attempt in range(60):  # the client does not listen between two looks at the query
        terminal.send("\x03")
        try:
            terminal.read_until("trino:tiny> ", 0.5)
            break
        except AssertionError:
            assert attempt < 59
    for attempt in range(12):  # the last ^C may come to the prompt and take the line away
        terminal.send("SELECT 6 * 7;\r")
        try:
            terminal.read_until("42[\\s\\S]*trino:tiny> ", 5)
            break
        except AssertionError:
            assert attempt < 11
    terminal.send("quit\r")
    assert terminal.process.wait(timeout=30) == 0
