"""The console's API: who may do what, what is refused and in which words, and that answers are what the document says."""
import json
import re
import shutil
import subprocess
import threading
import time
import uuid
from pathlib import Path

import pytest
import requests

from conftest import ROOT, make_platform

DOCUMENT = json.loads((ROOT / "docs/api/openapi.json").read_text())


class Session:
    """Somebody who is signed in."""

    def __init__(self, base, user="admin", password="admin123"):
        self.base, self.http = base, requests.Session()
        self.http.trust_env = False
        answer = self.http.post(f"{base}/api/v1/session", json={"user": user, "password": password})
        assert answer.status_code == 204, answer.text
        self.me = self.http.get(f"{base}/api/v1/session").json()
        self.http.headers["X-CSRF-Token"] = self.me["csrf"]

    def request(self, method, path, **options):
        return self.http.request(method, f"{self.base}/api/v1{path}", **options)

    def get(self, path, **query):
        answer = self.request("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method, path, body=None, status=(200, 204), **query):
        answer = self.request(method, path, json=body, params=query)
        assert answer.status_code in status, answer.text
        return answer.json() if answer.content else None

    def refused(self, method, path, status, code, body=None, **query):
        answer = self.request(method, path, json=body, params=query)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), problem
        assert answer.headers["Content-Type"] == "application/problem+json"
        check(problem, {"$ref": "#/components/schemas/Problem"})
        return problem

    def ask(self, sql, **where):
        query = self.send("POST", "/queries", {"sql": sql, **where})["id"]
        rows, page = [], 0
        while True:
            answer = self.get(f"/queries/{query}/pages/{page}")
            rows += answer["rows"]
            if answer["done"]:
                return rows
            page += 1


def check(value, schema, where="answer"):
    """A value against the document, as far as the document goes."""
    if "$ref" in schema:
        return check(value, DOCUMENT["components"]["schemas"][schema["$ref"].split("/")[-1]], where)
    kind = schema.get("type")
    if kind == "array":
        assert isinstance(value, list), where
        for i, item in enumerate(value):
            check(item, schema["items"], f"{where}[{i}]")
    elif kind == "object" and "properties" in schema:
        assert isinstance(value, dict), where
        assert not set(value) - set(schema["properties"]), f"{where}: {set(value) - set(schema['properties'])}"
        for name, field in schema["properties"].items():
            if value.get(name) is None:
                assert name not in schema["required"], f"{where}.{name} is missing"
            else:
                check(value[name], field, f"{where}.{name}")
    elif kind:
        types = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict}
        assert isinstance(value, types[kind]) and (kind == "boolean" or not isinstance(value, bool)), f"{where}: {value!r}"


@pytest.fixture(scope="module")
def base(platform):
    return platform["console"]["url"]


@pytest.fixture(scope="module")
def admin(base):
    return Session(base)


@pytest.fixture
def topic(admin):
    name = f"console-{uuid.uuid4().hex[:8]}"
    admin.send("POST", "/topics", {"name": name, "partitions": 3})
    yield name
    admin.request("DELETE", f"/topics/{name}")


def send_messages(platform, topic, values, keys=None, headers=None):
    confluent_kafka = pytest.importorskip("confluent_kafka")
    producer = confluent_kafka.Producer({"bootstrap.servers": platform["events"]["bootstrap"], "linger.ms": 20, "compression.type": "lz4",
                                         "queue.buffering.max.messages": 2_000_000})
    for i, value in enumerate(values):
        while True:
            try:
                producer.produce(topic, value, key=keys[i] if keys else None, headers=headers, partition=i % 3)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    assert producer.flush(60) == 0


# ---- Who may.


def test_the_document_is_the_program_s(running):
    printed = subprocess.run([running.program, "console-api"], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == DOCUMENT


def test_nothing_answers_without_a_session(base):
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] == "signIn":
                continue
            url = base + re.sub(r"\{\w+\}", "x", path)
            answer = requests.request(method, url, json={})
            assert (answer.status_code, answer.json()["code"]) == (401, "session"), (method, path)
    assert requests.get(f"{base}/api/v1/nothing").status_code == 401
    assert requests.get(f"{base}/health").text == "ok\n"


def test_a_wrong_password_and_too_many(own_platform):
    base = own_platform.ready["console"]["url"]
    for _ in range(5):
        answer = requests.post(f"{base}/api/v1/session", json={"user": "user1", "password": "no"})
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
        assert "Set-Cookie" not in answer.headers
    answer = requests.post(f"{base}/api/v1/session", json={"user": "user1", "password": "user123"})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert Session(base).me["user"] == "admin"  # others are not kept out


def test_the_cookie_is_for_our_pages_only(base):
    answer = requests.post(f"{base}/api/v1/session", json={"user": "admin", "password": "admin123"})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    answer = requests.post(f"{base}/api/v1/session", json={"user": "admin", "password": "admin123"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


def test_changes_need_the_token_of_the_session(base, admin):
    other = Session(base)
    for token in ("", "x", admin.me["csrf"]):
        answer = other.request("POST", "/topics", json={"name": "never"}, headers={"X-CSRF-Token": token})
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    other.http.headers.pop("X-CSRF-Token")
    assert other.request("DELETE", "/session").status_code == 403
    other.http.headers["X-CSRF-Token"] = other.me["csrf"]
    cookie = other.http.cookies.copy()
    assert other.request("DELETE", "/session").status_code == 204
    assert requests.get(f"{base}/api/v1/session", cookies=cookie).status_code == 401, "a session that ended opens nothing"


def test_roles(base, admin):
    viewer = Session(base, "user1", "user123")
    assert viewer.me["role"] == "viewer"
    viewer.get("/topics")
    viewer.refused("POST", "/topics", 403, "role", {"name": "never"})
    viewer.refused("GET", "/admin/users", 403, "role")
    viewer.refused("GET", "/admin/logs", 403, "role")
    assert viewer.ask("SELECT 1") == [[1]]
    viewer.refused("POST", "/queries", 403, "read_only", {"sql": "CREATE SCHEMA iceberg.never"})
    viewer.refused("POST", "/queries", 403, "read_only", {"sql": "EXPLAIN ANALYZE INSERT INTO a SELECT 1"})
    name = f"op-{uuid.uuid4().hex[:6]}"
    admin.refused("PUT", f"/admin/users/{name}", 400, "password", {"role": "operator"})
    admin.send("PUT", f"/admin/users/{name}", {"role": "operator", "password": "first-secret"})
    operator = Session(base, name, "first-secret")
    operator.send("POST", "/topics", {"name": f"{name}-topic"})
    operator.send("DELETE", f"/topics/{name}-topic")
    operator.refused("GET", "/admin/config", 403, "role")
    admin.send("PUT", f"/admin/users/{name}", {"password": "second-secret"})
    assert operator.request("GET", "/session").status_code == 401, "a new password ends every session"
    admin.send("DELETE", f"/admin/users/{name}")
    admin.refused("DELETE", "/admin/users/admin", 409, "own_user")
    admin.refused("PUT", "/admin/users/admin", 409, "own_role", {"role": "viewer"})


def test_sessions_outlive_a_restart(own_platform):
    session = Session(own_platform.ready["console"]["url"])
    own_platform.kill()
    own_platform.start()
    session.base = own_platform.ready["console"]["url"]
    assert session.get("/session")["user"] == "admin"
    session.send("POST", "/topics", {"name": "after-restart"})


# ---- What is refused.


def test_requests_are_checked_against_the_document(admin):
    admin.refused("POST", "/topics", 400, "request", {})
    admin.refused("POST", "/topics", 400, "request", {"name": 5})
    admin.refused("POST", "/topics", 400, "request", {"name": "a", "surprise": 1})
    admin.refused("POST", "/topics", 400, "request", {"name": "a", "config": {"retention.ms": 5}})
    admin.refused("GET", "/topics", 400, "request", limit="many")
    admin.refused("GET", "/topics", 400, "request", surprise="1")
    admin.refused("GET", "/buckets/x/object", 400, "request")
    admin.refused("GET", "/nowhere", 404, "path")
    admin.refused("PATCH", "/session", 405, "method")
    answer = admin.request("POST", "/topics", data="{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and answer.json()["code"] == "json"
    answer = admin.request("POST", "/topics", data="name=a")
    assert answer.status_code == 400


def test_every_list_is_what_the_document_says(admin, topic):
    for path, methods in DOCUMENT["paths"].items():
        operation = methods.get("get")
        if not operation or "{" in path or path.endswith("/live"):
            continue
        content = operation["responses"]["200"].get("content")
        if content:
            check(admin.get(path.removeprefix("/api/v1")), content["application/json"]["schema"], path)


# ---- The files of the application.


def test_pages_carry_their_policy(base):
    answer = requests.get(f"{base}/sql")
    assert answer.status_code == 200, "the console was not built into this program: ./dev build"
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    nonce = re.search(r"'nonce-([^']+)'", policy).group(1)
    assert f'content="{nonce}"' in answer.text and "__NONCE__" not in answer.text and "__HOME__" not in answer.text
    assert nonce not in requests.get(f"{base}/sql").headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY" and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert requests.get(f"{base}/assets/none.js").status_code == 404
    assert requests.post(f"{base}/sql").status_code == 405


def test_a_page_names_what_it_needs_to_those_who_are_signed_in(base, admin):
    def named(path, get=requests.get):
        return re.findall(r'<link rel="(?:module)?preload"[^>]*href="([^"]+)"', get(base + path).text)
    assert named("/overview") == ["/api/v1/session"]
    for path, chunk, first in (("/", "overview", "/api/v1/overview"), ("/overview", "overview", "/api/v1/overview"), ("/objects/some/where", "objects", "/api/v1/buckets"), ("/sql", "sql", None)):
        links = named(path, admin.http.get)
        assert any(f"/assets/{chunk}-" in link for link in links) and (first is None or first in links), links
        for link in links:
            assert admin.http.get(base + link).status_code == 200, link
    assert named("/nowhere", admin.http.get) == ["/api/v1/session"]


def test_each_port_opens_on_its_page(platform):
    for name, home in (("url", "/overview"), ("objects", "/objects"), ("events", "/events")):
        assert f'content="{home}"' in requests.get(platform["console"][name]).text


def test_the_first_load_is_small(base):
    page = requests.get(f"{base}/").text
    wanted = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)
    assert wanted
    total = 0
    for path in wanted:
        answer = requests.get(base + path, headers={"Accept-Encoding": "gzip"}, stream=True)
        body = answer.raw.read(decode_content=False)
        assert answer.headers["Content-Encoding"] == "gzip" and "immutable" in answer.headers["Cache-Control"]
        total += len(body)
    assert total <= 400 * 1024, f"{total} bytes, compressed"
    assert requests.get(base + wanted[0], headers={"Accept-Encoding": "identity"}).status_code == 406
    etag = answer.headers["ETag"]
    assert requests.get(base + wanted[-1], headers={"If-None-Match": etag}).status_code == 304


# ---- Statements.


def test_pages_of_a_result(admin):
    query = admin.send("POST", "/queries", {"sql": "SELECT n, lpad('x', 100, '-') FROM unnest(sequence(1, 9000)) t(n) ORDER BY n"})["id"]
    first = admin.get(f"/queries/{query}/pages/0")
    check(first, {"$ref": "#/components/schemas/QueryPage"})
    assert [column["type"] for column in first["columns"]] == ["bigint", "varchar"]
    assert admin.get(f"/queries/{query}/pages/0") == first, "a repeated request gets the same page"
    admin.refused("GET", f"/queries/{query}/pages/7", 409, "page")
    rows, page, answer = first["rows"], 0, first
    while not answer["done"]:
        page += 1
        answer = admin.get(f"/queries/{query}/pages/{page}")
        rows += answer["rows"]
    assert page > 0 and [row[0] for row in rows] == list(range(1, 9001))


def test_an_error_has_a_position(admin):
    query = admin.send("POST", "/queries", {"sql": "SELECT 1,\n  nope FROM (VALUES 1) t(a)"})["id"]
    problem = admin.refused("GET", f"/queries/{query}/pages/0", 400, "COLUMN_NOT_FOUND")
    assert (problem["line"], problem["column"]) == (2, 3)


def test_a_statement_is_cancelled(admin, base):
    query = admin.send("POST", "/queries", {"sql": "SELECT count(*) FROM unnest(sequence(1, 10000)) a(x) CROSS JOIN unnest(sequence(1, 10000)) b(y) "
                                                   "CROSS JOIN unnest(sequence(1, 10000)) c(z) WHERE x * y + z = -1"})["id"]
    answers = []
    reader = threading.Thread(target=lambda: answers.append(Session.request(admin, "GET", f"/queries/{query}/pages/0")))
    reader.start()
    until = time.monotonic() + 20
    while not any(row["id"] == query and row["state"] == "RUNNING" for row in Session(base).get("/queries")["queries"]):
        assert time.monotonic() < until and reader.is_alive()
    began = time.monotonic()
    Session(base).send("DELETE", f"/queries/{query}")
    reader.join(20)
    assert answers and time.monotonic() - began < 5
    assert answers[0].json()["code"] == "USER_CANCELED"
    admin.refused("GET", f"/queries/{query}/pages/0", 404, "no_such_query")


def test_statements_are_their_author_s(base, admin):
    viewer = Session(base, "user1", "user123")
    query = admin.send("POST", "/queries", {"sql": "SELECT 'secret'"})["id"]
    viewer.refused("GET", f"/queries/{query}/pages/0", 404, "no_such_query")
    viewer.send("DELETE", f"/queries/{query}")
    assert admin.get(f"/queries/{query}/pages/0")["rows"] == [["secret"]]
    assert all(row["user"] == "user1" for row in viewer.get("/queries")["queries"])


def test_explain_comes_with_its_operators(admin, base):
    def plan_of(session, sql):
        query = session.send("POST", "/queries", {"sql": sql})["id"]
        page = session.get(f"/queries/{query}/pages/0")
        check(page, {"$ref": "#/components/schemas/QueryPage"})
        return page
    sql = "SELECT r.name, count(*) FROM tpch.tiny.nation n JOIN tpch.tiny.region r ON n.regionkey = r.regionkey GROUP BY 1"
    page = plan_of(admin, f"EXPLAIN {sql}")
    steps = page["plan"]
    assert len(page["rows"]) == 1 and "Aggregate" in page["rows"][0][0]
    assert [step["id"] for step in steps] == list(range(len(steps))) and steps[0]["name"] == "Output"
    assert all("parent" not in step if step["id"] == 0 else step["parent"] < step["id"] for step in steps)
    names = [step["name"] for step in steps]
    assert "InnerJoin" in names and "Aggregate" in names
    assert not any("seconds" in step for step in steps)
    steps = plan_of(admin, f"EXPLAIN ANALYZE {sql}")["plan"]
    measured = [step for step in steps if "seconds" in step]
    assert measured and all(step["seconds"] >= 0 and step["rows"] >= 0 for step in measured)
    assert next(step for step in steps if step["name"] == "Aggregate")["rows"] == 5
    assert "plan" not in plan_of(admin, "SELECT 1") and "plan" not in plan_of(admin, "EXPLAIN (TYPE VALIDATE) SELECT 1")
    assert plan_of(Session(base, "user1", "user123"), "EXPLAIN ANALYZE SELECT 1")["plan"]


# ---- Statements that are kept.


def test_kept_statements(base, admin):
    viewer = Session(base, "user1", "user123")
    mark = uuid.uuid4().hex[:8]

    def seen_by(session):
        answer = session.get("/saved-queries")
        check(answer, {"$ref": "#/components/schemas/SavedQueryList"})
        return {one["name"]: one for one in answer["queries"] if mark in one["name"]}
    text = "SELECT '<img src=x onerror=alert(1)>' AS \"ü\""
    own = admin.send("POST", "/saved-queries", {"name": f"own {mark}", "sql": text, "schema": "s"})
    check(own, {"$ref": "#/components/schemas/SavedQuery"})
    shared = admin.send("POST", "/saved-queries", {"name": f"shared {mark}", "sql": "SELECT 1", "shared": True})
    mine = viewer.send("POST", "/saved-queries", {"name": f"own {mark}", "sql": "SELECT 2"})
    assert seen_by(admin)[f"own {mark}"]["sql"] == text
    assert seen_by(viewer) == {mine["name"]: mine, shared["name"]: shared}
    viewer.refused("POST", "/saved-queries", 403, "role", {"name": f"x {mark}", "sql": "SELECT 2", "shared": True})
    viewer.refused("PUT", f"/saved-queries/{shared['id']}", 403, "not_yours", {"name": "x", "sql": "SELECT 2", "version": 1})
    viewer.refused("DELETE", f"/saved-queries/{own['id']}", 404, "no_such_saved_query")
    viewer.refused("DELETE", f"/saved-queries/{shared['id']}", 403, "not_yours")
    admin.refused("POST", "/saved-queries", 409, "name_taken", {"name": f"own {mark}", "sql": "SELECT 1"})
    admin.refused("POST", "/saved-queries", 400, "name", {"name": "a\nb", "sql": "SELECT 1"})
    admin.refused("POST", "/saved-queries", 400, "sql", {"name": "a", "sql": "x" * 100_001})
    admin.refused("POST", "/saved-queries", 400, "request", {"name": "a"})
    changed = admin.send("PUT", f"/saved-queries/{shared['id']}", {"name": shared["name"], "sql": "SELECT 3", "shared": True, "version": 1})
    assert changed["version"] == 2 and seen_by(viewer)[shared["name"]]["sql"] == "SELECT 3"
    admin.refused("PUT", f"/saved-queries/{shared['id']}", 409, "changed_meanwhile", {"name": shared["name"], "sql": "SELECT 4", "version": 1})
    for one in (own, shared):
        admin.send("DELETE", f"/saved-queries/{one['id']}")
    viewer.send("DELETE", f"/saved-queries/{mine['id']}")
    assert not seen_by(admin) and not seen_by(viewer)


def test_what_is_kept_outlives_a_crash(own_platform):
    session = Session(own_platform.ready["console"]["url"])
    session.send("POST", "/saved-queries", {"name": "kept", "sql": "SELECT 1"})
    own_platform.kill()
    own_platform.start()
    session.base = own_platform.ready["console"]["url"]
    assert [one["name"] for one in session.get("/saved-queries")["queries"]] == ["kept"]
    assert "saveQuery" in [line["operation"] for line in session.get("/admin/audit")["lines"]]


# ---- Who changed what.


def test_the_audit_trail(base, admin):
    mark = uuid.uuid4().hex[:8]
    name, user = f"audit-{mark}", f"audit{mark}"
    viewer = Session(base, "user1", "user123")
    admin.send("POST", "/topics", {"name": name, "partitions": 1})
    admin.send("POST", f"/topics/{name}/messages", {"key": "private key", "value": "private value"})
    viewer.refused("DELETE", f"/topics/{name}", 403, "role")
    admin.send("PUT", f"/admin/users/{user}", {"role": "viewer", "password": "very-secret"})
    assert requests.post(f"{base}/api/v1/session", json={"user": user, "password": "wrong-secret"}).status_code == 401
    admin.ask(f"SELECT '{mark}'")
    admin.ask(f"CREATE SCHEMA iceberg.audit_{mark}")
    admin.ask(f"DROP SCHEMA iceberg.audit_{mark}")
    admin.send("DELETE", f"/topics/{name}")
    admin.send("DELETE", f"/admin/users/{user}")
    page = admin.get("/admin/audit", search=mark)
    check(page, {"$ref": "#/components/schemas/AuditPage"})
    lines = page["lines"][::-1]
    assert [(line["user"], line["operation"], line["outcome"]) for line in lines] == [
        ("admin", "createTopic", ""), ("admin", "produceMessage", ""), ("user1", "deleteTopic", "role"), ("admin", "changeUser", ""),
        (user, "signIn", "bad_credentials"), ("admin", "startQuery", ""), ("admin", "startQuery", ""), ("admin", "deleteTopic", ""), ("admin", "removeUser", "")]
    assert lines[0]["target"] == "/topics" and json.loads(lines[0]["detail"])["name"] == name
    assert lines[7]["target"] == f"/topics/{name}" and f"audit_{mark}" in lines[5]["detail"]
    everything = json.dumps(admin.get("/admin/audit", limit=1000))
    assert "secret" not in everything.replace('\\"secret\\"', "") and "private" not in everything
    assert [line["number"] for line in lines] == sorted(line["number"] for line in lines)
    first = admin.get("/admin/audit", search=mark, limit=4)
    rest = admin.get("/admin/audit", search=mark, before=first["next_before"])
    assert first["lines"] + rest["lines"] == page["lines"] and "next_before" not in rest
    assert [line["operation"] for line in admin.get("/admin/audit", search=mark, user="user1")["lines"]] == ["deleteTopic"]
    viewer.refused("GET", "/admin/audit", 403, "role")
    admin.refused("GET", "/admin/audit", 400, "request", before="x")


# ---- Objects: tags and a look inside.


def test_tags_of_an_object(base, admin):
    bucket = f"tags-{uuid.uuid4().hex[:8]}"
    admin.send("POST", "/buckets", {"name": bucket})
    assert admin.request("PUT", f"/buckets/{bucket}/content", params={"key": "a/b"}, data=b"x").status_code == 200
    assert admin.get(f"/buckets/{bucket}/object", key="a/b")["tags"] == {}
    admin.send("PUT", f"/buckets/{bucket}/tags", {"key": "a/b", "tags": {"project": "ü", "empty": ""}})
    detail = admin.get(f"/buckets/{bucket}/object", key="a/b")
    check(detail, {"$ref": "#/components/schemas/ObjectDetail"})
    assert detail["tags"] == {"project": "ü", "empty": ""} and "x-amz-tagging" not in detail["metadata"]
    admin.refused("PUT", f"/buckets/{bucket}/tags", 400, "tag_value", {"key": "a/b", "tags": {"a": "<b>"}})
    admin.refused("PUT", f"/buckets/{bucket}/tags", 400, "too_many_tags", {"key": "a/b", "tags": {str(i): "" for i in range(11)}})
    admin.refused("PUT", f"/buckets/{bucket}/tags", 400, "request", {"key": "a/b", "tags": {"a": 1}})
    admin.refused("PUT", f"/buckets/{bucket}/tags", 404, "no_such_key", {"key": "none", "tags": {}})
    Session(base, "user1", "user123").refused("PUT", f"/buckets/{bucket}/tags", 403, "role", {"key": "a/b", "tags": {}})
    admin.send("PUT", f"/buckets/{bucket}/tags", {"key": "a/b", "tags": {}})
    assert admin.get(f"/buckets/{bucket}/object", key="a/b")["tags"] == {}


def test_a_look_into_parquet(admin, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet
    bucket, key = f"look-{uuid.uuid4().hex[:8]}", "day=1/it's [a]*?.parquet"
    admin.send("POST", "/buckets", {"name": bucket})

    def put(name, table, **options):
        pyarrow.parquet.write_table(table, tmp_path / "t.parquet", **options)
        assert admin.request("PUT", f"/buckets/{bucket}/content", params={"key": name}, data=(tmp_path / "t.parquet").read_bytes()).status_code == 200
    put(key, pyarrow.table({"n": pyarrow.array(range(1000), pyarrow.int64()), "<b>": [None] + ["x" * 1000] * 999, "l": [[1, 2]] * 1000, "raw": [b"\x00\xff"] * 1000}), row_group_size=400)
    answer = admin.get(f"/buckets/{bucket}/preview", key=key)
    check(answer, {"$ref": "#/components/schemas/ParquetPreview"})
    assert (answer["rows"], answer["row_groups"], answer["no_rows"]) == (1000, 3, "")
    assert [(c["name"], c["type"]) for c in answer["columns"]] == [("n", "BIGINT"), ("<b>", "VARCHAR"), ("l", "BIGINT[]"), ("raw", "BLOB")]
    assert len(answer["first_rows"]) == 50
    assert answer["first_rows"][0] == ["0", None, "[1, 2]", "\\x00\\xFF"] and answer["first_rows"][1][1] == "x" * 300
    put("numbered.parquet", pyarrow.table({"File_Row_Number": [7, 8]}))
    assert admin.get(f"/buckets/{bucket}/preview", key="numbered.parquet")["first_rows"] == [["7"], ["8"]]
    put("empty.parquet", pyarrow.table({"n": pyarrow.array([], pyarrow.int64())}))
    assert admin.get(f"/buckets/{bucket}/preview", key="empty.parquet")["first_rows"] == []
    put("wide.parquet", pyarrow.table({f"c{i}": [i] for i in range(301)}))
    answer = admin.get(f"/buckets/{bucket}/preview", key="wide.parquet")
    assert len(answer["columns"]) == 301 and answer["first_rows"] == [] and "301 columns" in answer["no_rows"]
    assert admin.request("PUT", f"/buckets/{bucket}/content", params={"key": "no.parquet"}, data=b"PAR1 not really PAR1").status_code == 200
    admin.refused("GET", f"/buckets/{bucket}/preview", 400, "not_parquet", key="no.parquet")
    admin.refused("GET", f"/buckets/{bucket}/preview", 404, "no_such_key", key="none")


# ---- Jobs: what was put aside, and back.


def test_letters_are_sent_again(base, admin, platform, topic):
    schema = f"letters_{uuid.uuid4().hex[:8]}"
    admin.ask(f"CREATE SCHEMA iceberg.{schema}")
    admin.ask(f"CREATE TABLE iceberg.{schema}.t (id bigint)")
    script = f"""CREATE TABLE source (id BIGINT) WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
INSERT INTO iceberg.{schema}.t SELECT id FROM source;"""
    admin.send("POST", "/jobs", {"text": script})
    job = next(row["id"] for row in admin.get("/jobs")["jobs"] if row["table"] == f"{schema}.t")
    assert admin.get(f"/jobs/{job}/letters") == {"letters": [], "total": 0}
    send_messages(platform, topic, [b"not json", b'{"id": 1}', b"\xff"], keys=[b"k'0", None, None], headers=[("h", b"v")])

    def letters(count):
        until = time.monotonic() + 30
        while True:
            answer = admin.get(f"/jobs/{job}/letters")
            if answer["total"] == count:
                check(answer, {"$ref": "#/components/schemas/DeadLetterList"})
                return sorted(answer["letters"], key=lambda one: (one["partition"], one["offset"]))
            assert time.monotonic() < until, answer
            time.sleep(0.05)
    first, last = letters(2)
    assert (first["key"], first["value"], first["partition"], first["offset"]) == ("k'0", "not json", 0, 0)
    assert (last["value"], last["value_encoding"], last["partition"]) == ("/w==", "base64", 2) and "JSON" in first["error"]
    place = {name: first[name] for name in ("topic", "partition", "offset")}
    viewer = Session(base, "user1", "user123")
    assert viewer.get(f"/jobs/{job}/letters")["total"] == 2
    viewer.refused("POST", f"/jobs/{job}/letters/replay", 403, "role", {"letters": [place]})
    admin.refused("POST", f"/jobs/{job}/letters/replay", 400, "request", {"letters": []})
    admin.refused("POST", f"/jobs/{job}/letters/replay", 404, "no_such_letter", {"letters": [{**place, "offset": 99}]})
    admin.refused("POST", "/jobs/none/letters/replay", 404, "no_such_job", {"letters": [place]})
    admin.send("POST", f"/jobs/{job}/pause")
    assert admin.send("POST", f"/jobs/{job}/letters/replay", {"letters": [place]}) == {"sent": 1}
    assert [one["value"] for one in letters(1)] == ["/w=="], "it is in the topic now, and no letter any more"
    again = admin.get(f"/topics/{topic}/partitions/0/messages/1")
    assert (again["key"], again["value"], again["timestamp_millis"]) == ("k'0", "not json", first["timestamp_millis"])
    assert [(one["key"], one["value"]) for one in again["headers"]] == [("h", "v")]
    admin.send("POST", f"/jobs/{job}/resume")
    assert [(one["partition"], one["offset"]) for one in letters(2)] == [(0, 1), (2, 0)], "it still does not fit"
    admin.send("POST", f"/jobs/{job}/stop")


# ---- Catalog.


def test_a_table_its_snapshots_and_the_way_back(admin):
    schema = f"c_{uuid.uuid4().hex[:8]}"
    admin.ask(f"CREATE SCHEMA iceberg.{schema}")
    admin.ask(f"CREATE TABLE iceberg.{schema}.t (a bigint, b varchar)")
    admin.ask(f"INSERT INTO iceberg.{schema}.t VALUES (1, 'x')")
    first = admin.get(f"/catalog/iceberg/{schema}/t")
    check(first, {"$ref": "#/components/schemas/TableDetail"})
    assert first["rows"] == 1 and "CREATE TABLE" in first["ddl"] and [c["name"] for c in first["columns"]] == ["a", "b"]
    admin.ask(f"INSERT INTO iceberg.{schema}.t VALUES (2, 'y'), (3, 'z')")
    assert admin.get(f"/catalog/iceberg/{schema}/t")["rows"] == 3
    files = admin.get(f"/catalog/iceberg/{schema}/t/files")
    assert files["total"] == 2 and sum(file["rows"] for file in files["files"]) == 3
    old = first["snapshots"][0]["id"]
    admin.send("POST", f"/catalog/iceberg/{schema}/t/rollback", {"snapshot_id": old})
    assert admin.ask(f"SELECT count(*) FROM iceberg.{schema}.t") == [[1]]
    admin.refused("POST", f"/catalog/iceberg/{schema}/t/rollback", 404, "no_such_snapshot", {"snapshot_id": "12"})
    admin.refused("GET", f"/catalog/iceberg/{schema}/none", 404, "no_such_table")
    admin.refused("GET", "/catalog/nowhere/a", 404, "no_such_catalog")


# ---- Objects.


def test_objects_up_down_and_shared(admin):
    bucket = f"console-{uuid.uuid4().hex[:8]}"
    admin.send("POST", "/buckets", {"name": bucket})
    admin.refused("POST", "/buckets", 400, "invalid_bucket_name", {"name": "No"})
    key = "a folder/<img src=x onerror=alert(1)> ü.txt"
    body = b"hello\n" * 50_000
    answer = admin.request("PUT", f"/buckets/{bucket}/content", params={"key": key}, data=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200 and answer.json()["size"] == len(body)
    assert admin.get(f"/buckets/{bucket}/objects") == {"folders": ["a folder/"], "objects": []}
    assert admin.get(f"/buckets/{bucket}/objects", prefix="a folder/")["objects"][0]["key"] == key
    check(admin.get(f"/buckets/{bucket}/object", key=key), {"$ref": "#/components/schemas/ObjectDetail"})
    got = admin.request("GET", f"/buckets/{bucket}/content", params={"key": key, "inline": "true"})
    assert got.content == body
    assert got.headers["Content-Type"] == "application/octet-stream" and got.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert len(admin.request("GET", f"/buckets/{bucket}/content", params={"key": key, "bytes": 10}).content) == 10
    link = admin.send("POST", f"/buckets/{bucket}/link", {"key": key, "seconds": 60})["url"]
    assert requests.get(link).content == body
    assert requests.get(link.replace("X-Amz-Expires=60", "X-Amz-Expires=600")).status_code == 403
    admin.refused("POST", f"/buckets/{bucket}/link", 400, "request", {"key": key, "seconds": 700_000})
    admin.refused("GET", f"/buckets/{bucket}/object", 404, "no_such_key", key="none")
    admin.refused("DELETE", f"/buckets/{bucket}", 409, "bucket_not_empty")
    assert admin.send("POST", f"/buckets/{bucket}/remove", {"keys": ["a folder/"]}) == {"removed": 1}
    admin.send("DELETE", f"/buckets/{bucket}")


def test_an_upload_in_parts_goes_on_where_it_stopped(admin):
    bucket = f"console-{uuid.uuid4().hex[:8]}"
    admin.send("POST", "/buckets", {"name": bucket})
    upload = admin.send("POST", f"/buckets/{bucket}/uploads", key="big", content_type="text/plain")["upload_id"]
    one, two = b"a" * (5 << 20), b"b" * 1000
    put = lambda number, data: admin.request("PUT", f"/buckets/{bucket}/uploads/{upload}/{number}", params={"key": "big"}, data=data).json()
    first = put(1, one)
    assert admin.get(f"/buckets/{bucket}/uploads/{upload}", key="big")["parts"] == [first]
    admin.send("POST", f"/buckets/{bucket}/uploads/{upload}", {"parts": [first, put(2, two)]}, key="big")
    assert admin.request("GET", f"/buckets/{bucket}/content", params={"key": "big"}).content == one + two
    assert admin.get(f"/buckets/{bucket}/object", key="big")["content_type"] == "text/plain"


# ---- Events.


def test_topics(admin, topic):
    detail = admin.get(f"/topics/{topic}")
    check(detail, {"$ref": "#/components/schemas/TopicDetail"})
    assert len(detail["partitions"]) == 3 and detail["topic"]["healthy"]
    admin.refused("POST", "/topics", 409, "topic_exists", {"name": topic})
    admin.refused("POST", "/topics", 400, "topic_name", {"name": "a/b"})
    admin.send("PATCH", f"/topics/{topic}", {"config": {"retention.ms": "60000"}, "partitions": 4})
    detail = admin.get(f"/topics/{topic}")
    settings = {row["name"]: row for row in detail["settings"]}
    assert settings["retention.ms"]["value"] == "60000" and settings["retention.ms"]["is_set"]
    assert len(detail["partitions"]) == 4
    admin.send("PATCH", f"/topics/{topic}", {"config": {"retention.ms": None}})
    assert not {row["name"]: row for row in admin.get(f"/topics/{topic}")["settings"]}["retention.ms"]["is_set"]
    admin.refused("PATCH", f"/topics/{topic}", 400, "config", {"config": {"retention.ms": "soon"}})
    admin.refused("GET", "/topics/none", 404, "no_such_topic")
    admin.refused("DELETE", "/topics/none", 404, "no_such_topic")


def all_messages(admin, topic, **query):
    out, cursor = [], None
    for _ in range(1000):
        page = admin.get(f"/topics/{topic}/messages", **query, **({"cursor": cursor} if cursor else {}))
        out += page["messages"]
        cursor = page.get("cursor")
        if not cursor:
            return out
    raise AssertionError("the cursor never ended")


def test_messages_from_both_ends(admin, platform, topic):
    send_messages(platform, topic, [f"message {i}".encode() for i in range(2000)])
    assert admin.get(f"/topics/{topic}/messages", limit=7)["messages"][0]["value"].startswith("message 1")
    for start in ("latest", "earliest"):
        every = all_messages(admin, topic, **{"from": start, "limit": 300})
        assert sorted(int(m["value"].split()[1]) for m in every) == list(range(2000)), start
    one = all_messages(admin, topic, **{"from": "offset", "value": 600, "partition": 1})
    assert [m["offset"] for m in one] == list(range(600, 667)) and {m["partition"] for m in one} == {1}
    assert all_messages(admin, topic, **{"from": "timestamp", "value": int(time.time() * 1000) + 60_000}) == []
    admin.refused("GET", f"/topics/{topic}/messages", 400, "request", **{"from": "somewhere"})
    admin.refused("GET", f"/topics/{topic}/messages", 400, "cursor", cursor="x1")
    admin.refused("GET", f"/topics/{topic}/messages", 404, "no_such_partition", partition=9)
    admin.send("POST", f"/topics/{topic}/purge")
    assert all_messages(admin, topic) == []


def test_a_search_finds_a_substring(admin, platform, topic):
    values = [b"hay %d" % i for i in range(30_000)]
    values[12_345] = b"a needle here"
    send_messages(platform, topic, values, headers=[("trace", b"abc-7")])
    found = all_messages(admin, topic, search="needle")
    assert [m["value"] for m in found] == ["a needle here"]
    assert all_messages(admin, topic, search="needle", **{"in": "key"}) == []
    assert admin.get(f"/topics/{topic}/messages", search="abc-7", **{"in": "headers"})["messages"][0]["headers"] == [
        {"key": "trace", "value": "abc-7", "encoding": "text"}]


def test_a_message_is_shown_as_it_is(admin, platform, topic):
    sent = admin.send("POST", f"/topics/{topic}/messages", {"key": "<b>k</b>", "value": "v", "headers": [{"key": "h", "value": "1", "encoding": "text"}]})
    page = all_messages(admin, topic)
    assert [(m["partition"], m["offset"], m["key"], m["value"]) for m in page] == [(sent["partition"], sent["offset"], "<b>k</b>", "v")]
    send_messages(platform, topic, [b"\xff\x00\x01", b"", ("ü" * 40_000).encode()])
    by_size = {m["value_bytes"]: m for m in all_messages(admin, topic)}
    assert by_size[3]["value_encoding"] == "base64" and by_size[3]["value"] == "/wAB"
    assert by_size[0]["value"] == ""
    large = by_size[80_000]
    assert large["truncated"] and len(large["value"].encode()) <= 4096 and set(large["value"]) == {"ü"}
    whole = admin.get(f"/topics/{topic}/partitions/{large['partition']}/messages/{large['offset']}")
    assert whole["value"] == "ü" * 40_000 and not whole["truncated"]
    admin.refused("GET", f"/topics/{topic}/partitions/0/messages/99999", 400, "offset_out_of_range")
    admin.send("POST", f"/topics/{topic}/messages", {"value": None, "key": "gone"})
    assert any(m.get("value") is None and m["key"] == "gone" for m in all_messages(admin, topic))
    admin.refused("POST", f"/topics/{topic}/messages", 404, "no_such_partition", {"value": "x", "partition": 77})


def test_a_message_is_sent_byte_for_byte(admin, topic):
    """Key and value each in their own encoding, headers with bytes and with none."""
    headers = [{"key": "trace", "value": "/wAB", "encoding": "base64"}, {"key": "trace", "value": None, "encoding": "text"}, {"key": "kind", "value": "ä", "encoding": "text"}]
    sent = admin.send("POST", f"/topics/{topic}/messages", {"key": "plain", "key_encoding": "text", "value": "AP/+", "value_encoding": "base64", "headers": headers})
    found = admin.get(f"/topics/{topic}/partitions/{sent['partition']}/messages/{sent['offset']}")
    assert (found["key"], found["key_encoding"], found["value"], found["value_encoding"]) == ("plain", "text", "AP/+", "base64")
    assert [{**one, "value": one.get("value")} for one in found["headers"]] == headers
    sent = admin.send("POST", f"/topics/{topic}/messages", {"key": "//8=", "value": "dGV4dA==", "encoding": "base64"})
    found = admin.get(f"/topics/{topic}/partitions/{sent['partition']}/messages/{sent['offset']}")
    assert (found["key"], found["key_encoding"], found["value"]) == ("//8=", "base64", "text")
    admin.refused("POST", f"/topics/{topic}/messages", 400, "request", {"value": "x", "value_encoding": "hex"})
    admin.refused("POST", f"/topics/{topic}/messages", 400, "request", {"value": "?", "value_encoding": "base64"})


def test_messages_as_they_arrive(admin, base, topic):
    lines = []
    opened = threading.Event()

    def read():
        with admin.http.get(f"{base}/api/v1/topics/{topic}/live", params={"search": "yes"}, stream=True, timeout=30) as stream:
            assert stream.headers["Content-Type"] == "text/event-stream"
            for line in stream.iter_lines(chunk_size=1):
                if line.startswith(b": connected"):
                    opened.set()
                if line.startswith(b"data: "):
                    lines.append(json.loads(line[6:]))
                    return

    reader = threading.Thread(target=read)
    reader.start()
    assert opened.wait(10)
    other = Session(base)
    other.send("POST", f"/topics/{topic}/messages", {"value": "no"})
    other.send("POST", f"/topics/{topic}/messages", {"value": "yes, this"})
    reader.join(10)
    assert [message["value"] for message in lines[0]] == ["yes, this"]


def test_groups_and_their_places(admin, platform, topic):
    confluent_kafka = pytest.importorskip("confluent_kafka")
    send_messages(platform, topic, [b"x"] * 30)
    group = f"group-{uuid.uuid4().hex[:8]}"
    consumer = confluent_kafka.Consumer({"bootstrap.servers": platform["events"]["bootstrap"], "group.id": group, "auto.offset.reset": "earliest",
                                         "enable.auto.commit": False})
    consumer.subscribe([topic])
    got = 0
    until = time.monotonic() + 30
    while got < 30 and time.monotonic() < until:
        got += len(consumer.consume(30, 0.5))
    consumer.commit(asynchronous=False)
    detail = admin.get(f"/groups/{group}")
    check(detail, {"$ref": "#/components/schemas/GroupDetail"})
    assert detail["group"]["lag"] == 0 and detail["group"]["members"] == 1
    admin.refused("POST", f"/groups/{group}/offsets", 409, "group_not_empty", {"topic": topic, "to": "earliest"})
    admin.refused("DELETE", f"/groups/{group}", 409, "group_not_empty")
    consumer.close()
    admin.send("POST", f"/groups/{group}/offsets", {"topic": topic, "to": "earliest"})
    assert admin.get(f"/groups/{group}")["group"]["lag"] == 30
    admin.send("POST", f"/groups/{group}/offsets", {"topic": topic, "to": "offset", "value": 4, "partition": 0})
    assert admin.get(f"/groups/{group}")["group"]["lag"] == 26
    assert admin.get(f"/topics/{topic}")["groups"][0]["group"] == group
    admin.send("DELETE", f"/groups/{group}")
    admin.refused("GET", f"/groups/{group}", 404, "group_not_found")


# ---- Jobs, admin.


def test_a_job_from_script_to_stop(admin, platform, topic):
    schema = f"j_{uuid.uuid4().hex[:8]}"
    admin.ask(f"CREATE SCHEMA iceberg.{schema}")
    admin.ask(f"CREATE TABLE iceberg.{schema}.t (id bigint)")
    script = (f"CREATE TABLE s (id BIGINT NOT NULL) WITH ('connector'='kafka','topic'='{topic}','format'='json','scan.startup.mode'='earliest-offset');"
              f"INSERT INTO iceberg.{schema}.t SELECT id FROM s;")
    admin.send("POST", "/jobs", {"text": script})
    job = next(job for job in admin.get("/jobs")["jobs"] if job["table"] == f"{schema}.t")
    assert job["topics"] == [topic]
    send_messages(platform, topic, [b'{"id": 1}', b'{"id": 2}', b"broken"])
    until = time.monotonic() + 30
    while admin.get(f"/jobs/{job['id']}")["job"]["dead_records"] < 1 or admin.ask(f"SELECT count(*) FROM iceberg.{schema}.t") != [[2]]:
        assert time.monotonic() < until
    detail = admin.get(f"/jobs/{job['id']}")
    check(detail, {"$ref": "#/components/schemas/JobDetail"})
    assert detail["insert"].startswith("INSERT INTO")
    assert admin.ask(f"SELECT count(*) FROM iceberg.{detail['job']['dead_table']}") == [[1]]
    overview = admin.get("/overview")
    check(overview, {"$ref": "#/components/schemas/Overview"})
    assert any(table["name"] == f"{schema}.t" and table["rows"] == 2 for table in overview["tables"])
    assert any("put" in trouble["text"] for trouble in overview["troubles"])
    for action, state in (("pause", "PAUSED"), ("resume", "RUNNING"), ("stop", "STOPPED")):
        admin.send("POST", f"/jobs/{job['id']}/{action}")
        assert admin.get(f"/jobs/{job['id']}")["job"]["state"] == state
    admin.refused("POST", "/jobs", 501, "statement", {"text": "CREATE TABEL"})
    admin.refused("GET", "/jobs/none", 404, "no_such_job")


def test_a_job_is_looked_at_before_it_is_started(admin, base, platform, topic):
    schema = f"p_{uuid.uuid4().hex[:8]}"
    admin.ask(f"CREATE SCHEMA iceberg.{schema}")
    source = f"CREATE TABLE s (id BIGINT, name STRING) WITH ('connector'='kafka','topic'='{topic}','format'='json','scan.startup.mode'='latest-offset');"
    script = f"{source} INSERT INTO iceberg.{schema}.t SELECT id * 2 AS twice, upper(name) FROM s WHERE id > 1"
    empty = admin.send("POST", "/jobs/preview", {"text": script})
    check(empty, {"$ref": "#/components/schemas/JobPreview"})
    assert (empty["records"], empty["rows"], empty["columns"][0]) == (0, [], {"name": "twice", "type": "bigint"})
    assert f"{schema}.t" in empty["problem"], "the table it writes is not there"
    admin.ask(f"CREATE TABLE iceberg.{schema}.t (twice bigint, name varchar)")
    send_messages(platform, topic, [b'{"id": %d, "name": "n%d"}' % (i, i) for i in range(1, 6)] + [b"broken"])
    seen = admin.send("POST", "/jobs/preview", {"text": script})
    assert seen["problem"] == "" and (seen["records"], seen["total"]) == (6, 4)
    assert sorted(seen["rows"]) == [[4, "N2"], [6, "N3"], [8, "N4"], [10, "N5"]]
    assert [one["topic"] for one in seen["misfits"]] == [topic] and seen["misfits"][0]["error"] and seen["put_aside"] == 1
    send_messages(platform, topic, [b'{"id": 9, "name": "x"}'] * 900)
    newest = admin.send("POST", "/jobs/preview", {"text": script})
    assert newest["records"] <= 200 and newest["total"] == newest["records"], "the newest only"
    # Nothing has come of it.
    assert admin.ask(f"SELECT count(*) FROM iceberg.{schema}.t") == [[0]]
    assert not [job for job in admin.get("/jobs")["jobs"] if job["table"] == f"{schema}.t"]
    admin.refused("POST", "/jobs/preview", 501, "query", {"text": f"{source} INSERT INTO iceberg.{schema}.t SELECT count(*), 'x' FROM s"})
    admin.refused("POST", "/jobs/preview", 400, "query", {"text": source})
    assert admin.request("POST", "/jobs/preview", json={"text": f"{source} INSERT INTO iceberg.{schema}.t SELECT nothing FROM s"}).status_code == 400


def test_configuration_log_and_keys(admin):
    keys = {key["name"]: key for key in admin.get("/admin/config")["keys"]}
    assert keys["console.port"]["fallback"] == "3000" and keys["console.port"]["value"] == "0"
    key = f"key{uuid.uuid4().hex[:8]}"
    admin.send("POST", "/admin/access-keys", {"id": key, "secret": "a-long-enough-secret"})
    listed = admin.get("/admin/users")
    assert {"id": key, "user": "admin"} in listed["access_keys"] and "secret" not in json.dumps(listed)
    admin.send("DELETE", f"/admin/access-keys/{key}")
    admin.refused("DELETE", f"/admin/access-keys/{key}", 404, "no_such_access_key")
    assert "process_resident_memory_bytes" in admin.get("/admin/metrics")["text"]
    admin.get("/admin/logs", level="warn", search="x")


# ---- Decoders.


def test_decoders_of_a_topic(admin, base, topic):
    avro = {"format": "avro", "schema_id": 7, "definition": '"string"'}
    path = f"/topics/{topic}/decoders"
    added = admin.send("POST", path, avro)
    check(added, {"$ref": "#/components/schemas/Decoder"})
    admin.refused("POST", path, 409, "schema_id_taken", avro)
    for change, code in (({"format": "thrift"}, "format"), ({"schema_id": -1}, "schema_id"), ({"schema_id": 2**31}, "schema_id"), ({"definition": "{"}, "definition"),
                         ({"definition": '"a\0"'}, "definition"), ({"format": "protobuf", "message_type": "a b"}, "message_type")):
        admin.refused("POST", path, 400, code, {**avro, **change})
    admin.refused("POST", "/topics/nowhere/decoders", 404, "no_such_topic", avro)
    admin.refused("GET", "/topics/nowhere/decoders", 404, "no_such_topic")
    viewer = Session(base, "user1", "user123")
    viewer.refused("POST", path, 403, "role", avro)
    viewer.refused("DELETE", f"{path}/{added['id']}", 403, "role")
    answer = viewer.get(path)
    check(answer, {"$ref": "#/components/schemas/DecoderList"})
    assert answer["decoders"] == [added]
    line = next(row for row in admin.get("/admin/audit", search=path)["lines"] if row["operation"] == "addDecoder" and not row["outcome"])
    assert "string" not in line["detail"]
    admin.send("DELETE", f"{path}/{added['id']}")
    admin.refused("DELETE", f"{path}/{added['id']}", 404, "no_such_decoder")
    # They go with their topic.
    admin.send("POST", path, avro)
    admin.send("DELETE", f"/topics/{topic}")
    admin.send("POST", "/topics", {"name": topic, "partitions": 1})
    assert admin.get(path)["decoders"] == []


# ---- Results as Parquet.


def saved(who, sql, **where):
    query = who.send("POST", "/queries", {"sql": sql, "format": "parquet", **where})["id"]
    page = who.get(f"/queries/{query}/pages/0")
    check(page, {"$ref": "#/components/schemas/QueryPage"})
    assert page["done"] and page["rows"] == []
    answer = who.request("GET", f"/queries/{query}/file")
    assert answer.status_code == 200 and answer.headers["Content-Disposition"].startswith("attachment")
    return query, page["update_count"], answer.content


def test_a_result_as_parquet(admin, base):
    import datetime
    import decimal
    import io
    parquet, pa = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    viewer = Session(base, "user1", "user123")
    columns = {
        "b": ("true", pa.bool_(), True), "t": ("tinyint '-8'", pa.int8(), -8), "i": ("7", pa.int32(), 7), "l": ("9223372036854775807", pa.int64(), 2**63 - 1),
        "r": ("real '0.5'", pa.float32(), 0.5), "d": ("1e300", pa.float64(), 1e300), "n": ("DECIMAL '12345678901234567890.12'", pa.decimal128(22, 2), decimal.Decimal("12345678901234567890.12")),
        "s": ("'ü'", pa.string(), "ü"), "c": ("CAST('a' AS char(3))", pa.string(), "a"), "x": ("X'00ff'", pa.binary(), b"\0\xff"),
        "day": ("DATE '2024-02-29'", pa.date32(), datetime.date(2024, 2, 29)), "clock": ("TIME '01:02:03.123'", pa.time64("us"), datetime.time(1, 2, 3, 123000)),
        "at": ("TIMESTAMP '2024-02-29 01:02:03.123456'", pa.timestamp("us"), datetime.datetime(2024, 2, 29, 1, 2, 3, 123456)),
        "at9": ("TIMESTAMP '2024-02-29 01:02:03.123456789'", pa.timestamp("ns"), None), "at12": ("TIMESTAMP '2024-02-29 01:02:03.123456789012'", pa.string(), "2024-02-29 01:02:03.123456789012"),
        "zoned": ("TIMESTAMP '2024-02-29 01:00:00 Europe/Paris'", pa.timestamp("us", "UTC"), datetime.datetime(2024, 2, 29, 0, 0, tzinfo=datetime.timezone.utc)),
        "pause": ("INTERVAL '1' DAY", pa.string(), "1 00:00:00.000"), "j": ("JSON '{\"a\": 1}'", pa.string(), '{"a":1}'), "nothing": ("NULL", pa.string(), None),
        "ip": ("IPADDRESS '10.0.0.1'", pa.string(), "10.0.0.1"), "list": ("ARRAY[1, NULL]", None, [1, None]), "map": ("MAP(ARRAY['k'], ARRAY[1])", None, [("k", 1)]),
        "row": ("CAST(ROW(1, ROW('x')) AS ROW(a bigint, B ROW(c varchar)))", None, {"a": 1, "b": {"c": "x"}}),
    }
    sql = "SELECT " + ", ".join(f'{value} AS "{name}"' for name, (value, _, _) in columns.items())
    query, rows, data = saved(viewer, sql)
    table = parquet.read_table(io.BytesIO(data))
    assert rows == 1 and table.column_names == list(columns)
    for name, (_, kind, value) in columns.items():
        if kind is not None:
            assert table.schema.field(name).type == kind, name
        if value is not None or name == "nothing":
            assert table.column(name)[0].as_py() == value, name
    assert str(table.column("at9").cast("int64")[0]).endswith("123456789")
    viewer.refused("GET", f"/queries/{query}/file", 404, "no_such_query")  # fetched: gone
    # Names that clash or are missing, no rows, many rows.
    _, rows, data = saved(admin, "SELECT 1 AS a, 2 AS \"A\", 3, ROW(1, 2) AS r WHERE false")
    table = parquet.read_table(io.BytesIO(data))
    assert (rows, table.num_rows, table.column_names) == (0, 0, ["a", "A_2", "_col2", "r"])
    _, rows, data = saved(admin, "SELECT a * 1000 + b AS n FROM unnest(sequence(0, 999)) x(a) CROSS JOIN unnest(sequence(0, 999)) y(b)")
    assert rows == 1_000_000 and sum(parquet.read_table(io.BytesIO(data)).column("n").to_pylist()) == 499_999_500_000


def test_what_is_not_saved_as_parquet(admin, base):
    viewer = Session(base, "user1", "user123")
    viewer.refused("POST", "/queries", 403, "read_only", {"sql": "DROP TABLE x", "format": "parquet"})
    admin.refused("POST", "/queries", 400, "request", {"sql": "SELECT 1", "format": "orc"})
    for sql, status, code in (("SHOW CATALOGS", 400, "NOT_SUPPORTED"), ("SELECT nope", 400, "COLUMN_NOT_FOUND"), ("SELECT 1 / (n - n) FROM (VALUES 1) t(n)", 400, "DIVISION_BY_ZERO")):
        query = admin.send("POST", "/queries", {"sql": sql, "format": "parquet"})["id"]
        answer = admin.request("GET", f"/queries/{query}/pages/0")
        assert (answer.status_code in (status, 501), answer.json()["code"]) == (True, code), answer.text
        admin.refused("GET", f"/queries/{query}/file", 404, "no_file")
        admin.send("DELETE", f"/queries/{query}")
    mine = [admin.send("POST", "/queries", {"sql": "SELECT 1", "format": "parquet"})["id"] for _ in range(3)]
    admin.refused("POST", "/queries", 429, "too_many_files", {"sql": "SELECT 1", "format": "parquet"})
    admin.get(f"/queries/{mine[0]}/pages/0")
    viewer.refused("GET", f"/queries/{mine[0]}/file", 404, "no_such_query")
    assert len(admin.get("/buckets/aichemy-exports/objects", prefix=f"console/{mine[0]}/")["objects"]) == 1
    for query in mine:
        admin.send("DELETE", f"/queries/{query}")
    left = admin.get("/buckets/aichemy-exports/objects", prefix="console/")
    assert not left.get("objects") and not left.get("folders"), left
    plain = admin.send("POST", "/queries", {"sql": "SELECT 1"})["id"]
    admin.get(f"/queries/{plain}/pages/0")
    admin.refused("GET", f"/queries/{plain}/file", 404, "no_file")
    admin.send("DELETE", f"/queries/{plain}")


def test_the_catalog_shows_what_the_rules_of_sql_let_see(tmp_path):
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({
        "catalogs": [{"user": "admin", "allow": "all"}, {"user": "reader", "catalog": "iceberg", "allow": "all"}],
        "schemas": [{"user": "admin", "owner": True}],
        "tables": [{"user": "admin", "privileges": ["SELECT", "INSERT", "DELETE", "UPDATE", "OWNERSHIP"]},
                   {"user": "reader", "catalog": "iceberg", "schema": "shown", "table": "open", "privileges": ["SELECT"],
                    "columns": [{"name": "secret", "allow": False}]}]}))
    platform = make_platform([f"sql.access_rules={rules}"])
    try:
        admin = Session(platform.ready["console"]["url"])
        for name in ("shown", "hidden"):
            admin.ask(f"CREATE SCHEMA iceberg.{name}")
            admin.ask(f"CREATE TABLE iceberg.{name}.closed AS SELECT 1 AS a")
        admin.ask("CREATE TABLE iceberg.shown.open AS SELECT 1 AS a, 2 AS secret")
        first = admin.get("/catalog/iceberg/shown/open")
        admin.ask("INSERT INTO iceberg.shown.open VALUES (3, 4)")
        admin.send("PUT", "/admin/users/reader", {"password": "a-password", "role": "operator"})
        reader = Session(platform.ready["console"]["url"], "reader", "a-password")
        assert [(one["catalog"], one["name"]) for one in reader.get("/catalog")["schemas"]] == [("iceberg", "shown")]
        assert [one["name"] for one in reader.get("/catalog/iceberg/shown")["relations"]] == ["open"]
        columns = [one["name"] for one in reader.get("/catalog/iceberg/shown/open")["columns"]]
        assert columns == [row[0] for row in reader.ask("SHOW COLUMNS FROM iceberg.shown.open")]
        assert reader.get("/catalog/iceberg/shown/open/files")["total"] == 2
        for path in ("/catalog/iceberg/shown/closed", "/catalog/iceberg/hidden/closed", "/catalog/iceberg/hidden/closed/files"):
            assert reader.request("GET", path).status_code == 403, path
        back = {"snapshot_id": first["snapshots"][0]["id"]}
        reader.refused("POST", "/catalog/iceberg/shown/open/rollback", 403, "PERMISSION_DENIED", back)
        assert admin.ask("SELECT count(*) FROM iceberg.shown.open") == [[2]]
        newest = admin.get("/catalog/iceberg/shown/open")["snapshots"][0]["id"]
        admin.send("POST", "/catalog/iceberg/shown/open/rollback", back)
        assert admin.ask("SELECT count(*) FROM iceberg.shown.open") == [[1]]
        admin.send("POST", "/catalog/iceberg/shown/open/rollback", {"snapshot_id": newest})  # and forward again
        assert admin.ask("SELECT count(*) FROM iceberg.shown.open") == [[2]]
        assert [(one["key"], one["text"]) for one in admin.get("/admin/access-rules")["files"]] == [("sql.access_rules", rules.read_text())]
        reader.refused("GET", "/admin/access-rules", 403, "role")
    finally:
        platform.stop()
        shutil.rmtree(platform.data.parent, ignore_errors=True)


def test_viewers_may_ask_for_statistics_and_branches(admin, base):
    schema, reader = f"v_{uuid.uuid4().hex[:8]}", f"reader{uuid.uuid4().hex[:6]}"
    admin.ask(f"CREATE SCHEMA iceberg.{schema}")
    admin.ask(f"CREATE TABLE iceberg.{schema}.t AS SELECT 1 AS a")
    admin.send("PUT", f"/admin/users/{reader}", {"password": "a-password", "role": "viewer"})
    viewer = Session(base, reader, "a-password")
    assert [row[0] for row in viewer.ask(f"SHOW STATS FOR iceberg.{schema}.t")] == ["a", None]
    assert viewer.ask(f"SHOW BRANCHES FROM TABLE iceberg.{schema}.t") == [["main"]]
    viewer.refused("POST", "/queries", 403, "read_only", {"sql": f"CREATE BRANCH b IN TABLE iceberg.{schema}.t"})
    admin.send("DELETE", f"/admin/users/{reader}")


def test_finished_statements_are_in_nobody_s_way(admin):
    for i in range(210):  # more than are kept at once
        assert admin.ask(f"SELECT {i}") == [[i]]
