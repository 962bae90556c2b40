"""Every SQL block of docs/sql, page by page in the page's order, in a schema of its own.

After a statement the page may write what it answers: `-- [1, "a"]`, a JSON array a row, or `-- error NAME`. Statements end
with a semicolon at the end of a line; the lines inside a routine's body are indented.
"""
import json
import re

import pytest
import trino
from conftest import ROOT

PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "```sql" in path.read_text())

# Up to a semicolon that ends a line, the next of which is not indented; then its answers.
STATEMENT = re.compile(r"(.+?);\n(?! )((?:-- (?:\[|error )[^\n]*\n)*)", re.S)


def statements(page):
    """(statement, rows or the error's name or None)."""
    for block in re.findall(r"^```sql\n(.*?)^```", page, re.M | re.S):
        assert not STATEMENT.sub("", block), "what is left of a block is no statement"
        for sql, answer in STATEMENT.findall(block):
            answers = [line.removeprefix("-- ") for line in answer.splitlines()]
            if answers and answers[0].startswith("error "):
                yield sql, answers[0].split()[1]
            else:
                yield sql, [json.loads(row) for row in answers] or None


def plain(value):
    """As JSON would have it: the client makes tuples of rows and keeps decimals as text."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value.hex() if isinstance(value, bytes) else value


def connect(ready):
    host, port = ready["sql"]["https"].removeprefix("https://").rstrip("/").split(":")
    login = trino.auth.BasicAuthentication(ready["sql"]["user"], ready["sql"]["password"])
    return trino.dbapi.connect(host=host, port=int(port), user=ready["sql"]["user"], auth=login, http_scheme="https",
                               verify=False, legacy_primitive_types=True, timezone="UTC")


def run(connection, sql):
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        return [plain(row) for row in cursor.fetchall()]
    except trino.exceptions.TrinoQueryError as error:
        return f"{error.error_name} {error.message}"


def test_pages_show_sql():
    assert len(PAGES) >= 10


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_page(platform, path):
    walk(platform, path)


def walk(ready, path):
    """Every statement of a page, on the platform that wrote this ready file."""
    connection = connect(ready)
    for setup in (f"CREATE SCHEMA IF NOT EXISTS iceberg.docs_{path.stem}", f"USE iceberg.docs_{path.stem}"):
        run(connection, setup)
    wrong = []
    for sql, expected in statements(path.read_text()):
        answer = run(connection, sql)
        if isinstance(expected, str):
            right = isinstance(answer, str) and answer.split()[0] == expected
        else:
            right = not isinstance(answer, str) and (expected is None or answer == expected)
        if not right:
            wrong.append(f"{sql}\n  expected {expected}\n  got {answer!r:.600}")
    assert not wrong, "\n".join(wrong)
