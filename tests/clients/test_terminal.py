"""`aichemy sql` on a pseudo terminal, as a person uses it."""

import pytest

from pseudo_terminal import Terminal


@pytest.fixture
def terminal(running, tmp_path):
    made = Terminal([running.program, "sql", "--data", str(running.data), "--catalog", "tpch", "--schema", "tiny"],
                    HOME=str(tmp_path), PAGER="cat")
    made.read_until("aichemy> ")
    yield made
    made.close()


def test_statements_over_lines_and_their_history(terminal, tmp_path):
    terminal.send("SELECT name\rFROM nation\rWHERE nationkey = 7;\r")
    terminal.read_until(r"GERMANY[\s\S]*\(1 rows in \d+ ms\)[\s\S]*aichemy> ")
    terminal.send("\x1b[A")  # the whole statement, as one line
    terminal.read_until("SELECT name FROM nation WHERE nationkey = 7;")
    terminal.send("\r")
    terminal.read_until(r"GERMANY[\s\S]*aichemy> ")
    terminal.send("\\q\r")
    assert terminal.process.wait(timeout=20) == 0
    assert "SELECT" in (tmp_path / ".aichemy_history").read_text()


def test_commands(terminal):
    terminal.send("\\d nation\r")
    terminal.read_until(r"nationkey[\s\S]*varchar\(25\)[\s\S]*aichemy> ")
    terminal.send("\\d\r")
    terminal.read_until(r"lineitem[\s\S]*aichemy> ")
    terminal.send("\\dn\r")
    terminal.read_until(r"sf1000[\s\S]*aichemy> ")
    terminal.send("\\timing\r")
    terminal.read_until(r"timing is off[\s\S]*aichemy> ")
    terminal.send("\\x\r")
    terminal.read_until(r"output is vertical[\s\S]*aichemy> ")
    terminal.send("SELECT 1 AS one;\r")
    terminal.read_until(r"-\[ row 1 \]-\s+one \| 1\s+\(1 rows\)\s+aichemy> ")
    terminal.send("\\o csv_header\r")
    terminal.read_until(r"output is csv_header[\s\S]*aichemy> ")
    terminal.send("SELECT 'a\"b' AS x;\r")
    terminal.read_until('"x"\\s+"a""b"')
    terminal.send("\\?\r")
    terminal.read_until("TAB completes")


def test_completion(terminal):
    terminal.send("SELECT * FROM suppl\t")
    terminal.read_until(r"suppl[\s\S]*?ier")  # only what is new is drawn
    terminal.send(" WHERE nationk\t")
    terminal.read_until(r"nationk[\s\S]*?ey")
    terminal.send(" = 1 LIMIT 1;\r")
    terminal.read_until(r"\(1 rows in \d+ ms\)[\s\S]*aichemy> ")
    terminal.send("SEL\t")
    terminal.read_until(r"SEL[\s\S]*?ECT")


def test_ctrl_c(terminal):
    terminal.send("SELECT count(*) FROM tpch.sf100.lineitem WHERE comment LIKE '%x%y%z%';\r")
    terminal.read_until(r"RUNNING \d+%")
    terminal.send("\x03")
    terminal.read_until(r"cancelled[\s\S]*aichemy> ", 20)
    terminal.send("SELECT unfinished\r")
    terminal.read_until("-> ")
    terminal.send("\x03")
    terminal.read_until(r"\^C[\s\S]*aichemy> ")
    terminal.send("SELECT 6 * 7;\r")
    terminal.read_until(r"42[\s\S]*aichemy> ")


@pytest.mark.parametrize("output,expected", [
    ("csv", '"1","a|b"\n"",""\n'), ("csv_header", '"n","t"\n"1","a|b"\n"",""\n'), ("tsv_header", "n\tt\n1\ta|b\n\t\n"),
    ("json", '{"n":1,"t":"a|b"}\n{"n":null,"t":null}\n'),
    ("markdown", "| n    | t    |\n|-----:|------|\n|    1 | a\\|b |\n| NULL | NULL |\n"),
    ("vertical", "-[ row 1 ]-\nn | 1\nt | a|b\n-[ row 2 ]-\nn | NULL\nt | NULL\n"),
])
def test_outputs(running, output, expected):
    got = running.run("sql", "-e", "SELECT * FROM (VALUES (1, 'a|b'), (NULL, NULL)) x(n, t)", "--output", output)
    assert got.returncode == 0, got.stderr
    assert got.stdout == expected


def test_an_unknown_output(running):
    got = running.run("sql", "-e", "SELECT 1", "--output", "nope")
    assert got.returncode == 2 and "vertical" in got.stderr
