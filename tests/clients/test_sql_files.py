"""tests/sql/*.test against a running platform, through the Trino protocol.

A file is blocks parted by blank lines; # starts a comment. A block is `query [unordered]`, a statement, `----`, the types, and
a JSON array a row; or `error NAME`, a statement and, after `----`, a text that the message must contain.
"""
import base64
import json
import ssl
import urllib.request
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "sql"


def blocks(path):
    lines, first = [], 0
    for number, line in enumerate(path.read_text().splitlines() + [""], 1):
        if line.startswith("#"):
            continue
        if line.strip():
            first = first or number
            lines.append(line)
        elif lines:
            head, *rest = lines
            split = rest.index("----") if "----" in rest else len(rest)
            yield first, head.split(), "\n".join(rest[:split]), rest[split + 1:]
            lines, first = [], 0


def run(platform, sql):
    """(types, rows) or an error of the protocol."""
    key = base64.b64encode(f"{platform['sql']['user']}:{platform['sql']['password']}".encode()).decode()
    headers = {"X-Trino-User": platform["sql"]["user"], "X-Trino-Catalog": "tpch", "X-Trino-Schema": "tiny",
               "X-Trino-Time-Zone": "UTC", "Authorization": "Basic " + key,
               "X-Trino-Client-Capabilities": "PATH,PARAMETRIC_DATETIME,NUMBER,VARIANT,SESSION_AUTHORIZATION"}
    context = ssl._create_unverified_context()
    request = urllib.request.Request(platform["sql"]["https"].rstrip("/") + "/v1/statement", sql.encode(), headers)
    types, rows = [], []
    while True:
        page = json.load(urllib.request.urlopen(request, context=context))
        if page.get("error"):
            return page["error"]
        types = [column["type"] for column in page.get("columns") or []] or types
        rows += page.get("data") or []
        if "nextUri" not in page:
            return types, rows
        request = urllib.request.Request(page["nextUri"], headers=headers)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.test")), ids=lambda path: path.stem)
def test_file(platform, path):
    wrong = []
    for line, head, sql, expected in blocks(path):
        answer = run(platform, sql)
        where = f"{path.name}:{line}: {sql}\n  "
        if head[0] == "error":
            text = "\n".join(expected)
            if isinstance(answer, tuple) or answer["errorName"] != head[1] or text not in answer["message"]:
                wrong.append(where + f"asked for {head[1]} {text!r}, got {answer!r:.300}")
            continue
        if not isinstance(answer, tuple):
            wrong.append(where + f"{answer['errorName']}: {answer['message']}")
            continue
        types, rows = answer
        asked = [json.loads(row) for row in expected[1:]]
        if "unordered" in head:
            rows, asked = sorted(rows, key=repr), sorted(asked, key=repr)
        if ", ".join(types) != expected[0] or rows != asked:
            wrong.append(where + f"asked for {expected[0]} {asked}, got {', '.join(types)} {rows}")
    assert not wrong, "\n".join(wrong)
