"""The console in a real Chromium against the real platform: each page, its errors, its accessibility, its recovery."""
import base64
import io
import json
import os
import shutil
import time
import uuid
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import requests

from conftest import ROOT
from test_console_api import Session, send_messages

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

EVIL = "<img src=x onerror=document.title='owned'>"
PICTURES = os.environ.get("CONSOLE_PICTURES")  # a folder: every test leaves its pictures there


class Page:
    """A browser window, and the words a test says to it."""

    def __init__(self, base, dark=False, phone=False):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1360,860", "--no-proxy-server"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        if phone:
            options.add_experimental_option("mobileEmulation", {"deviceMetrics": {"width": 390, "height": 800, "pixelRatio": 2}})
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        if dark:
            media = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.base = base

    def open(self, path):
        self.driver.get(self.base + path)

    def wait(self, what, seconds=20):
        return WebDriverWait(self.driver, seconds, poll_frequency=0.05, ignored_exceptions=(Exception,)).until(lambda _: what())

    def find(self, css):
        return self.wait(lambda: next(e for e in self.driver.find_elements(By.CSS_SELECTOR, css) if e.is_displayed()))

    def labelled(self, text, css="button, a, [role=menuitem]"):
        def found():
            for element in self.driver.find_elements(By.CSS_SELECTOR, css):
                if element.is_displayed() and text in (element.text.strip(), element.get_attribute("aria-label")):
                    return element
        return self.wait(found)

    def click(self, text, css="button, a, [role=menuitem]"):
        self.labelled(text, css).click()

    def sees(self, text, seconds=20):
        self.wait(lambda: text in self.driver.find_element(By.TAG_NAME, "body").text, seconds)

    def sign_in(self, user="admin", password="admin123"):
        self.open("/")
        self.find("input[name=user]").send_keys(user)
        self.find("input[name=password]").send_keys(password)
        self.click("Sign in")

    def type_sql(self, text):
        editor = self.find(".cm-content")
        editor.click()
        editor.send_keys(Keys.CONTROL, "a")
        editor.send_keys(Keys.DELETE)
        # Not key by key: brackets close themselves.
        self.driver.execute_cdp_cmd("Input.insertText", {"text": text})
        return editor

    def run(self, text):
        self.type_sql(text).send_keys(Keys.CONTROL, Keys.ENTER)

    def is_accessible(self):
        axe = (ROOT / "console/node_modules/axe-core/axe.min.js")
        if not axe.exists():
            pytest.skip("axe-core is not there: ./dev build installs it")
        self.driver.execute_script(axe.read_text())
        found = self.driver.execute_async_script("const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then(done, (e) => done({error: String(e)}))")
        assert "error" not in found, found
        serious = [(v["id"], v["help"], [n["target"] for n in v["nodes"]][:4]) for v in found["violations"] if v["impact"] in ("serious", "critical")]
        assert not serious, serious

    def picture(self, name):
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(f"{PICTURES}/{name}.png")

    def complaints(self):
        """What the browser logged: a broken policy, an exception. An answer that says no is none."""
        lines = [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]
        return [line for line in lines if "responded with a status of 4" not in line]

    def close(self):
        self.driver.quit()


@pytest.fixture(scope="module")
def base(platform):
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("chromium and chromedriver are not there")
    if requests.get(platform["console"]["url"]).status_code == 503:
        pytest.fail("the program was built without its console: ./dev build")
    return platform["console"]["url"]


@pytest.fixture(scope="module")
def api(base):
    return Session(base)


@pytest.fixture(scope="module")
def page(base):
    window = Page(base)
    window.sign_in()
    window.sees("Data flow")
    yield window
    window.close()


@pytest.fixture(scope="module")
def world(api, platform):
    """A topic, a table and a bucket with names and contents that want to be markup."""
    suffix = uuid.uuid4().hex[:8]
    topic, schema, bucket = f"ui-{suffix}", f"ui_{suffix}", f"ui-{suffix}"
    api.send("POST", "/topics", {"name": topic, "partitions": 3})
    send_messages(platform, topic, [b'{"id": %d, "name": "row %d"}' % (i, i) for i in range(500)])
    api.send("POST", f"/topics/{topic}/messages", {"key": EVIL, "value": EVIL})
    api.ask(f"CREATE SCHEMA iceberg.{schema}")
    api.ask(f"CREATE TABLE iceberg.{schema}.t (id bigint, \"{EVIL}\" varchar)")
    api.ask(f"INSERT INTO iceberg.{schema}.t VALUES (1, '{EVIL.replace(chr(39), chr(39) * 2)}'), (9223372036854775807, NULL)")
    api.send("POST", "/buckets", {"name": bucket})
    parquet = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"id": range(200), EVIL: ["value " + EVIL] * 200}), parquet)
    for key, data, kind in ((EVIL, EVIL.encode(), "text/plain"), ("t.parquet", parquet.getvalue(), "application/octet-stream")):
        answer = api.request("PUT", f"/buckets/{bucket}/content", params={"key": key}, data=data, headers={"Content-Type": kind})
        assert answer.status_code == 200
    return {"topic": topic, "schema": schema, "bucket": bucket}


def test_signing_in_and_out(base):
    page = Page(base)
    page.open("/objects")
    page.find("input[name=user]")
    page.is_accessible()
    page.picture("sign-in")
    page.sign_in(password="wrong")
    page.sees("the user name or the password is wrong")
    page.find("input[name=password]").send_keys(Keys.CONTROL, "a")
    page.find("input[name=password]").send_keys("admin123", Keys.ENTER)
    page.sees("Data flow")
    page.click("Sign out")
    page.find("input[name=user]")
    page.close()


@pytest.mark.parametrize("path, text", [
    ("/overview", "Data flow"), ("/sql", "Run"), ("/queries", "running"), ("/catalog", "Catalog"), ("/objects", "Create bucket"), ("/events", "Create topic"),
    ("/events/groups", "Consumer groups"), ("/events/brokers", "Brokers"), ("/jobs", "New job"), ("/jobs/new", "Start"),
    ("/admin", "S3 access keys"), ("/admin?tab=config", "console.port"), ("/admin?tab=logs", "Log"), ("/admin?tab=rules", "No access rules"), ("/admin?tab=metrics", "process_resident_memory_bytes"),
    ("/events/topics/{topic}", "row 4"), ("/events/topics/{topic}?tab=settings", "retention.ms"), ("/events/topics/{topic}?tab=partitions", "In sync"),
    ("/catalog/iceberg/{schema}/t", "bigint"), ("/catalog/iceberg/{schema}/t?tab=snapshots", "append"), ("/catalog/iceberg/{schema}/t?tab=files", "data file"),
    ("/catalog/iceberg/{schema}/t?tab=ddl", "CREATE TABLE"), ("/objects/{bucket}", "<img"),
])
def test_each_page_opens_and_is_accessible(page, world, path, text):
    path = path.format(**world)
    page.open(path)
    page.sees(text)
    page.is_accessible()
    page.picture("page-" + path.strip("/").split("/ui")[0].replace("/", "-").replace("?tab=", "-"))
    assert page.complaints() == []
    assert "owned" not in page.driver.title


def test_a_statement_its_rows_and_its_error(page, world):
    page.open("/sql")
    page.run(f"SELECT * FROM {world['schema']}.t ORDER BY 1")
    page.sees("2 rows")
    page.sees("9223372036854775807")
    page.sees(EVIL)
    assert "owned" not in page.driver.title and not page.driver.find_elements(By.CSS_SELECTOR, ".results img")
    page.picture("sql-rows")
    page.run("SELECT 1,\n  nope FROM (VALUES 1) t(a)")
    page.sees("Column 'nope' cannot be resolved")
    marked = page.find(".cm-lintRange-error")
    assert marked.text == "nope"
    page.picture("sql-error")
    page.is_accessible()


def test_a_large_result_scrolls(page):
    page.open("/sql")
    page.run("SELECT a * 1000 + b AS n, 'value ' || CAST(b AS varchar) FROM unnest(sequence(0, 999)) x(a) CROSS JOIN unnest(sequence(0, 999)) y(b)")
    page.wait(lambda: page.driver.find_elements(By.CSS_SELECTOR, ".gcell"))
    grid = page.find(".grid")
    before = len(page.driver.find_elements(By.CSS_SELECTOR, ".grow1"))
    assert before < 120, "only rows in sight exist"

    def at_least(rows):
        page.driver.execute_script("arguments[0].scrollTop = arguments[0].scrollHeight", grid)
        return int(grid.get_attribute("aria-rowcount")) > rows
    page.wait(lambda: at_least(50_000), 60)
    assert page.complaints() == []


def test_a_result_is_saved_as_parquet(page, tmp_path):
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.open("/sql")
    page.run("SELECT nationkey, name, DATE '2024-02-29' AS day FROM tpch.tiny.nation ORDER BY 1")
    page.sees("25 rows")
    page.click("Take the result along")
    page.click("Save as Parquet (runs it again)", "[role=menuitem]")
    page.sees("25 rows are in result.parquet.")
    saved = page.wait(lambda: next(tmp_path.glob("result*.parquet")))
    table = pyarrow.parquet.read_table(saved)
    assert table.schema.types == [pyarrow.int64(), pyarrow.string(), pyarrow.date32()]
    assert table.column("name").to_pylist()[:2] == ["ALGERIA", "ARGENTINA"]
    page.run("SHOW CATALOGS")
    page.sees("tpch")
    page.click("Take the result along")
    page.click("Save as Parquet (runs it again)", "[role=menuitem]")
    page.sees("only the rows of a query are written to a Parquet file")
    assert page.complaints() == []


def test_cancel(page):
    page.open("/sql")
    page.run("SELECT count(*) FROM unnest(sequence(1, 10000)) a(x) CROSS JOIN unnest(sequence(1, 10000)) b(y) CROSS JOIN unnest(sequence(1, 10000)) c(z) WHERE x * y + z = -1")
    page.click("Cancel")
    page.sees("cancelled")
    page.run("SELECT 'again' AS word")
    page.sees("1 row")


SLOW = ("SELECT count(*) FROM unnest(sequence(1, 10000)) a(x) CROSS JOIN unnest(sequence(1, 10000)) b(y) "
        "CROSS JOIN unnest(sequence(1, 10000)) c(z) WHERE x * y + z = -2")


def test_statements_of_all_clients(page, platform):
    """What the Trino client runs is seen here, and ended here; its own address of a query leads here too."""
    trino = platform["sql"]["http"]
    headers = {"X-Trino-User": "ann", "X-Trino-Source": "elsewhere"}
    first = requests.post(trino + "/v1/statement", data=SLOW, headers=headers).json()
    done = requests.post(trino + "/v1/statement", data="SELECT name FROM tpch.tiny.nation WHERE name = 'PERU'", headers=headers).json()
    for one in (first, done):
        for _ in range(2):
            one["nextUri"] = requests.get(one["nextUri"]).json().get("nextUri")
            if not one["nextUri"]:
                break
    page.open("/queries")
    page.find("input[aria-label='Find a statement']").send_keys(first["id"])
    page.sees("elsewhere")
    page.click(f"Stop {first['id']}")
    page.sees("ended in the console by admin")
    page.picture("queries")
    sent_on = requests.get(done["infoUri"], allow_redirects=False)
    assert sent_on.status_code == 303 and sent_on.headers["Location"].endswith("/queries/" + done["id"])
    page.driver.get(sent_on.headers["Location"])
    page.sees("finished")
    assert "PERU" in page.find("pre[aria-label=Statement]").text
    assert "Planning" in page.find(".phases").get_attribute("aria-label")
    page.click("Show the plan")
    page.find(".plan .fnode")
    page.is_accessible()
    page.picture("query")
    assert "tpch.tiny.nation" in page.find(".plan").text
    page.open("/queries/20200101_000000_00000_nobody")
    page.sees("not there any more")


def test_explain_as_a_graph(page):
    page.open("/sql")
    page.type_sql("SELECT r.name, count(*) AS nations FROM tpch.tiny.nation n JOIN tpch.tiny.region r ON n.regionkey = r.regionkey GROUP BY 1")
    page.click("Explain")
    page.find(".plan .fnode")
    assert any("InnerJoin" in node.text for node in page.driver.find_elements(By.CSS_SELECTOR, ".plan .fnode"))
    assert "%" not in page.find(".plan").text, "nothing was measured"
    page.click("Explain analyze")
    page.wait(lambda: "%" in page.find(".plan").text)
    page.is_accessible()
    page.picture("sql-plan")
    node = next(n for n in page.driver.find_elements(By.CSS_SELECTOR, ".plan .fnode") if "Aggregate" in n.text)
    node.send_keys(Keys.ENTER)
    page.sees("Rows given on")
    page.is_accessible()
    page.picture("sql-plan-step")
    page.click("Close")
    page.click("Text")
    page.sees("Trino version")
    page.click("Graph")
    # What changes rows is not run without asking.
    page.type_sql("DELETE FROM nowhere.at.all")
    page.click("Explain analyze")
    page.sees("Run it to explain it?")
    page.click("Cancel", ".dialog button")
    page.type_sql("SELECT nope FROM tpch.tiny.nation")
    page.click("Explain")
    assert page.find(".cm-lintRange-error").text == "nope"
    assert page.complaints() == []


def test_a_statement_is_kept_and_shared(page, base):
    name = f"kept {uuid.uuid4().hex[:8]}"
    page.open("/sql")
    page.type_sql(f"SELECT '{EVIL}' AS word")
    page.click("Keep")
    field = page.find(".dialog input")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(name)
    page.find(".dialog input[type=checkbox]").click()
    page.is_accessible()
    page.find(".dialog button[type=submit]").click()
    page.sees("Kept.")
    other = Page(base)
    other.sign_in("user1", "user123")
    other.sees("Data flow")
    other.open("/sql")
    other.click("Kept")
    other.sees(name)
    other.sees(EVIL)
    assert not other.driver.find_elements(By.CSS_SELECTOR, ".kept img")
    assert not other.driver.find_elements(By.CSS_SELECTOR, ".kept [aria-label^=Remove]"), "another's: to read only"
    other.find(".kept button").click()
    other.wait(lambda: EVIL in other.find(".cm-content").text)
    other.close()
    page.click("Kept")
    page.sees(name)
    page.is_accessible()
    page.picture("sql-kept")
    page.click(f"Remove {name}")
    page.click("Remove", ".dialog button")
    page.wait(lambda: name not in page.find(".drawer").text)
    assert page.complaints() == []


def test_the_audit_trail(page, world):
    page.open("/admin?tab=audit")
    page.sees("create topic")
    page.find("input[aria-label='Search']").send_keys("/buckets/")
    page.wait(lambda: "create topic" not in page.find(".page").text)
    page.sees("upload object")
    assert EVIL.split(" ")[0] in page.find(".table").text and "owned" not in page.driver.title
    page.is_accessible()
    page.picture("admin-audit")
    assert page.complaints() == []


def test_a_chart(page):
    page.open("/sql")
    page.run("SELECT * FROM (VALUES ('a', 3), ('b', 5), ('c', 4)) t(name, amount)")
    page.sees("3 rows")
    page.click("Chart")
    page.find(".uplot canvas")
    page.picture("sql-chart")
    assert page.complaints() == []


def test_messages_searched_opened_and_sent(page, world):
    page.open(f"/events/topics/{world['topic']}")
    page.sees("row 4")
    page.find("input[aria-label='Search messages']").send_keys("row 123")
    page.sees("1 found")
    assert page.find(".msg mark").text == "row 123"
    assert "search=row" in page.driver.current_url, "the address keeps what the page shows"
    page.find(".msg").click()
    page.sees('"id": 123')
    page.is_accessible()
    page.picture("message")
    page.click("Close")
    page.open(f"/events/topics/{world['topic']}?search=img")
    page.sees(EVIL)
    assert not page.driver.find_elements(By.CSS_SELECTOR, ".msgs img") and "owned" not in page.driver.title
    page.open(f"/events/topics/{world['topic']}?from=live")
    page.sees("Waiting for messages")
    page.sees("live")
    page.click("Send")
    page.find(".dialog textarea").send_keys("sent by hand")
    page.find(".dialog button[type=submit]").click()
    page.sees("Sent to partition")
    page.wait(lambda: page.find(".msg").text.endswith("sent by hand"))


def test_a_message_is_sent_again_as_it_was(page, api):
    """Its key, its headers and a value that is no text or is not on the page whole stay what they were."""
    topic = f"again-{uuid.uuid4().hex[:8]}"
    api.send("POST", "/topics", {"name": topic, "partitions": 1, "config": {"max.message.bytes": "5000000"}})
    headers = [{"key": "bytes", "value": "/wAB", "encoding": "base64"}, {"key": "none", "value": None, "encoding": "text"}, {"key": "word", "value": "a: b", "encoding": "text"}]
    sent = [{"key": "text key", "value": "AP/+", "value_encoding": "base64", "headers": headers},
            {"key": None, "value": "long " * 400_000, "headers": headers[2:]}, {"key": "gone", "value": None, "headers": []}]
    for one in sent:
        api.send("POST", f"/topics/{topic}/messages", one)
    for place in range(3):
        page.open(f"/events/topics/{topic}?from=earliest")
        page.wait(lambda: len(page.driver.find_elements(By.CSS_SELECTOR, ".msg")) >= 3)
        page.driver.find_elements(By.CSS_SELECTOR, ".msg")[place].click()
        page.click("Send again", ".drawer button")
        if place == 0:
            page.find("input[aria-label='Value of header 3']")
            page.is_accessible()
            page.picture("send-again")
        page.click("Send", ".dialog button")
        page.sees("Sent to partition 0")
        before = api.get(f"/topics/{topic}/partitions/0/messages/{place}")
        after = page.wait(lambda: api.get(f"/topics/{topic}/partitions/0/messages/{3 + place}"))
        for kept in ("key", "key_encoding", "value", "value_encoding", "value_bytes", "headers"):
            assert before.get(kept) == after.get(kept), kept
    assert page.complaints() == []


def test_messages_are_decoded(page, api, platform, tmp_path):
    golden = json.loads((ROOT / "tests/golden/messages/decoders.json").read_text())
    topic = f"ui-coded-{uuid.uuid4().hex[:8]}"
    api.send("POST", "/topics", {"name": topic, "partitions": 1})
    avro, order, other = (bytes.fromhex(golden[name]) for name in ("avro_order", "protobuf_order", "protobuf_other"))
    for value in (b"\0\0\0\0\x07" + avro, b"\0\0\0\0\x08\0" + order, b"\0\0\0\0\x09\0", other, EVIL.encode()):
        api.send("POST", f"/topics/{topic}/messages", {"value": base64.b64encode(value).decode(), "encoding": "base64"})
    page.open(f"/events/topics/{topic}?tab=decoders")
    page.sees("No decoders yet")

    def add(number, name=None, text=None):
        page.click("Add a decoder")
        if name:
            Select(page.find(".dialog select")).select_by_visible_text("Protobuf")
            page.driver.find_element(By.CSS_SELECTOR, ".dialog input[type=file]").send_keys(str(tmp_path / "shop.desc"))
            page.wait(lambda: Select(page.driver.find_elements(By.CSS_SELECTOR, ".dialog select")[1]).select_by_visible_text(name) or True)
        else:
            page.driver.execute_script("arguments[0].focus()", page.find(".dialog textarea"))
            page.driver.execute_cdp_cmd("Input.insertText", {"text": text})
        page.find(".dialog input[type=number]").send_keys(number)
        page.is_accessible()
        if text == "no schema":
            page.sees("not usable")
            return page.click("Cancel", ".dialog button")
        page.find(".dialog button[type=submit]").click()
        page.wait(lambda: not page.driver.find_elements(By.CSS_SELECTOR, ".dialog"))

    (tmp_path / "shop.desc").write_bytes(base64.b64decode(golden["descriptors"]))
    add("7", text="no schema")
    add("7", text=json.dumps(golden["avro_schema"]))
    add("8", name="shop.Order")
    add("", name="shop.Other")
    page.sees("shop.Other")
    page.is_accessible()
    page.picture("topic-decoders")
    page.open(f"/events/topics/{topic}?from=earliest")
    page.wait(lambda: '"item":"tëa"' in page.find(".msgs").text and '{"word":"hello"}' in page.find(".msgs").text)
    page.picture("topic-decoded")
    rows = page.driver.find_elements(By.CSS_SELECTOR, ".msg")
    for row, wanted in ((0, '"at": "1969-12-31T23:59:59.999999Z"'), (1, '"high": 18446744073709551615'), (2, "This is not read as Protobuf shop.Other"), (4, EVIL)):
        rows[row].click()
        page.wait(lambda: wanted in page.find(".drawer").text)
        page.is_accessible()
        assert "owned" not in page.driver.title and not page.driver.find_elements(By.CSS_SELECTOR, ".drawer img")
        if row == 1:
            page.picture("message-decoded")
            Select(page.find(".drawer select")).select_by_visible_text("Hexadecimal")
            page.sees("00 00 00 00 08 00")
        if row == 2:
            Select(page.find(".drawer select")).select_by_visible_text("Protobuf without a schema")
            page.sees("This is not read as Protobuf: 0 is no number of a field")
        page.click("Close")
    rows[3].click()
    Select(page.find(".drawer select")).select_by_visible_text("Protobuf without a schema")
    page.sees('1: "hello"')
    page.sees("Protobuf without a schema: numbers of fields, kinds guessed")
    page.open(f"/events/topics/{topic}?tab=decoders")
    page.click("Remove Avro schema 7")
    page.click("Remove", ".dialog button")
    page.wait(lambda: "Avro" not in page.find(".table").text)
    api.send("DELETE", f"/topics/{topic}")
    assert page.complaints() == []


def test_a_topic_is_made_and_deleted(page):
    name = f"made-{uuid.uuid4().hex[:8]}"
    page.open("/events")
    page.click("Create topic")
    page.find(".dialog input").send_keys(name)
    page.is_accessible()
    page.find(".dialog button[type=submit]").click()
    page.sees("No messages here")
    assert page.driver.current_url.endswith(name)
    page.click("More")
    page.click("Delete the topic", "[role=menuitem]")
    page.find(".dialog input").send_keys(name)
    page.click("Delete", ".dialog button")
    page.wait(lambda: page.driver.current_url.endswith("/events"))


def test_an_upload_and_its_preview(page, world, tmp_path):
    path = tmp_path / "hello.txt"
    path.write_text("hello from a file")
    page.open(f"/objects/{world['bucket']}")
    page.sees("<img")
    page.driver.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(path))
    page.sees("hello.txt")
    page.click("hello.txt")
    page.sees("hello from a file")
    page.is_accessible()
    page.picture("object")


def test_tags_and_tables_in_files(page, world, api):
    bucket = world["bucket"]
    pixel = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082")
    for key, data in (("t.csv", b'name,"a, b"\r\n"x ""y""",2\r\n'), ("dot.png", pixel)):
        assert api.request("PUT", f"/buckets/{bucket}/content", params={"key": key}, data=data).status_code == 200
    page.open(f"/objects/{bucket}?key=t.parquet")
    page.sees("200 rows in 1 row group")
    page.sees("value <img")
    assert not page.driver.find_elements(By.CSS_SELECTOR, ".preview-rows img") and "owned" not in page.driver.title
    page.click("Change the tags")
    page.find("input[aria-label='Tag 1']").send_keys("project")
    page.find("input[aria-label='Value of tag 1']").send_keys("lake house")
    page.is_accessible()
    page.click("Save", ".dialog button")
    page.sees("project: lake house")
    page.is_accessible()
    page.picture("object-parquet")
    page.open(f"/objects/{bucket}?key=t.csv")
    page.wait(lambda: [cell.text for cell in page.driver.find_elements(By.CSS_SELECTOR, ".preview-rows td")] == ['x "y"', "2"])
    assert [cell.text for cell in page.driver.find_elements(By.CSS_SELECTOR, ".preview-rows th")] == ["name", "a, b"]
    page.open(f"/objects/{bucket}?key=dot.png")
    page.wait(lambda: page.driver.execute_script("return document.querySelector('.preview img')?.naturalWidth") == 1)
    page.is_accessible()
    assert page.complaints() == []


def test_from_a_topic_to_a_chart_by_mouse(page):
    """The tour of docs/console.md, whose pictures this makes: only clicks, and what is typed into fields."""
    page.open("/overview")
    page.click("Events")
    page.click("Create topic")
    page.find(".dialog input").send_keys("shop_orders")
    page.picture("tour-1-topic")
    page.find(".dialog button[type=submit]").click()
    page.sees("Make this a table")
    for number, (what, amount) in enumerate((("tea", 3), ("coffee", 5), ("cake", 4))):
        page.click("Send")
        value = page.find(".dialog textarea")
        value.click()
        value.send_keys(json.dumps({"id": number, "item": what, "amount": amount}))
        if number == 2:
            page.picture("tour-2-message")
        page.click("Send", ".dialog button")
        page.wait(lambda: not page.driver.find_elements(By.CSS_SELECTOR, ".dialog"))
    page.sees("coffee")
    page.picture("tour-3-messages")
    page.click("Make this a table")
    page.wait(lambda: "INSERT INTO iceberg.events" in page.find(".cm-content").text)
    page.picture("tour-4-job")
    page.click("Start")
    page.sees("running")
    page.click("Catalog")
    page.click("events.shop_orders")
    page.sees("1 file", 30)  # what the job wrote
    page.picture("tour-5-table")
    page.click("Query")
    page.sees("3 rows")
    page.picture("tour-6-rows")
    page.click("Chart")
    page.find(".uplot canvas")
    page.picture("tour-7-chart")
    assert page.complaints() == []


def test_a_topic_becomes_a_table(page, world, api):
    page.open(f"/jobs/new?topic={world['topic']}")
    page.wait(lambda: "INSERT INTO iceberg.events" in page.find(".cm-content").text)
    page.picture("new-job")
    page.click("Start")
    page.sees("running")
    page.open("/overview")
    page.sees("live")
    page.sees("records aside", 30)
    page.picture("overview")
    page.is_accessible()
    # The record that is no JSON was put aside; it is sent again, and comes back.
    page.open("/jobs")
    page.wait(lambda: next(a for a in page.driver.find_elements(By.CSS_SELECTOR, ".table a") if world["schema"] in a.text)).click()
    page.sees("Records put aside")
    # Its operators: all records were read, of which those that are no JSON went aside: one, and
    # what another test sent by hand.
    read = api.get(f"/topics/{world['topic']}")["topic"]["messages"]
    def boxes():
        return [" ".join(box.text.split()) for box in page.driver.find_elements(By.CSS_SELECTOR, ".jobgraph .fnode")]
    page.wait(lambda: len(boxes()) == 4)
    source, statement, sink, aside = boxes()
    assert f"source {world['topic']} {read} in · 500 out · " in source and source.endswith("0 behind"), source
    assert statement == "statement SELECT 500 in · 500 out" and aside.endswith(f" {read - 500} in"), (statement, aside)
    assert sink.startswith("sink events.") and "500 in · " in sink and " files" in sink, sink
    page.sees("besides")
    api.send("POST", f"/topics/{world['topic']}/messages", {"value": '{"id": 500, "name": "row 500"}'})
    page.wait(lambda: any("/s" in label.text for label in page.driver.find_elements(By.CSS_SELECTOR, ".jobgraph .react-flow__edge-text")))
    page.wait(lambda: f"{read + 1} in" in boxes()[0])
    place = page.find(".linklike").text
    page.is_accessible()
    page.picture("job")
    page.find("input[aria-label^=Pick]").click()
    page.click("Send 1 again")
    page.click("Send", ".dialog button")
    page.sees("1 record sent again.")
    page.wait(lambda: page.find(".linklike").text != place)
    assert page.complaints() == []


def test_a_job_is_seen_before_it_runs(page, world, api):
    api.ask(f"CREATE TABLE IF NOT EXISTS iceberg.{world['schema']}.seen (id bigint, name varchar)")
    page.open(f"/jobs/new?topic={world['topic']}")
    page.wait(lambda: "INSERT INTO iceberg.events" in page.find(".cm-content").text)
    page.sees("would be put aside")  # the record that is no JSON
    page.wait(lambda: len(page.driver.find_elements(By.CSS_SELECTOR, ".preview-rows tbody tr")) > 20)
    source = (f"CREATE TABLE s (id BIGINT, name STRING) WITH ('connector' = 'kafka', 'topic' = '{world['topic']}', 'format' = 'json', "
              "'scan.startup.mode' = 'earliest-offset');\n")
    page.type_sql(f"{source}INSERT INTO iceberg.{world['schema']}.seen SELECT id, upper(name) AS loud FROM s WHERE id > 480")
    page.sees("ROW 499")
    page.sees("loud")
    page.is_accessible()
    page.picture("job-preview")
    page.type_sql(f"{source}INSERT INTO iceberg.{world['schema']}.nowhere SELECT id FROM s")
    page.sees("It cannot be started")
    page.type_sql(f"{source}INSERT INTO iceberg.{world['schema']}.seen SELECT id, count(*) FROM s GROUP BY id")
    page.wait(lambda: "GROUP BY" in page.find("section[aria-label=Preview]").text)  # what such a job cannot do
    assert api.ask(f"SELECT count(*) FROM iceberg.{world['schema']}.seen") == [[0]]
    assert [line for line in page.complaints() if "jobs/preview - Failed to load resource: the server responded with a status of 501" not in line] == []


def test_a_table_s_tabs(page, world, api):
    """What a snapshot changed, branches, statistics, partitions, maintenance: each by mouse."""
    name = f"iceberg.{world['schema']}.tabs"
    api.ask(f"CREATE TABLE {name} (id bigint, kind varchar) WITH (partitioning = ARRAY['kind'])")
    api.ask(f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b'), (3, NULL)")
    api.ask(f"DELETE FROM {name} WHERE id = 2")
    api.ask(f"INSERT INTO {name} VALUES (4, 'added row')")
    here = f"/catalog/iceberg/{world['schema']}/tabs"

    def rows():
        return [[cell.text for cell in row.find_elements(By.CSS_SELECTOR, "td")] for row in page.driver.find_elements(By.CSS_SELECTOR, "main .table tbody tr")]
    page.open(here + "?tab=snapshots")
    page.wait(lambda: len(rows()) >= 3)
    page.click("Changes")
    page.sees("Rows added")
    page.sees("added row")
    page.sees("Files")
    page.is_accessible()
    page.picture("snapshot-changes")
    page.click("Close")
    page.wait(lambda: not page.driver.find_elements(By.CSS_SELECTOR, ".drawer"))
    page.driver.find_elements(By.XPATH, "//main//button[.='Changes']")[1].click()
    page.sees("Rows removed")
    page.click("Close")
    page.open(here + "?tab=branches")
    page.click("Create branch")
    page.find(".dialog input").send_keys("try_out")
    page.click("Create", ".dialog button")
    page.wait(lambda: any(row[0] == "try_out" and row[1] == "branch" for row in rows()))
    api.ask(f"INSERT INTO {name} @ try_out VALUES (5, 'on the branch')")
    assert api.ask(f"SELECT count(*) FROM {name}") == [[3]]
    page.is_accessible()
    page.picture("branches")
    page.click("Bring main here")
    page.click("Bring main here", ".dialog button")
    page.wait(lambda: api.ask(f"SELECT count(*) FROM {name}") == [[4]])
    page.click("Drop")
    page.click("Drop", ".dialog button")
    page.wait(lambda: not any(row and row[0] == "try_out" for row in rows()))
    page.open(here + "?tab=partitions")
    page.wait(lambda: sorted(row[0] for row in rows()) == ["kind=a", "kind=added row", "kind=null", "kind=on the branch"])
    page.open(here + "?tab=stats")
    page.wait(lambda: [row[0] for row in rows()] == ["id", "kind"])
    page.is_accessible()
    page.open(here + "?tab=sample")
    page.wait(lambda: len(rows()) == 4)
    page.open(here + "?tab=upkeep")
    for one in ("Measure columns", "Rewrite small files", "Rewrite manifests"):
        page.click(f"Run: {one}")
        page.wait(lambda: any(row[0].startswith(one) and "done" in row[0] for row in rows()))
    page.click("Run: Expire snapshots")
    page.sees("no way back")
    page.click("Run", ".dialog button")
    page.wait(lambda: any(row[0].startswith("Expire snapshots") and "done" in row[0] for row in rows()))
    page.is_accessible()
    page.picture("maintenance")
    assert page.complaints() == []


def test_what_went_wrong_leads_to_the_log(own_platform):
    api = Session(own_platform.ready["console"]["url"])
    api.send("POST", "/topics", {"name": "one"})
    lost = own_platform.data / "broker/1"
    shutil.rmtree(lost)
    lost.write_text("no directory")
    api.request("POST", "/topics", json={"name": "another"})
    api.request("POST", "/topics/one/messages", json={"value": "x"})
    window = Page(own_platform.ready["console"]["url"])
    window.sign_in()
    window.sees("Broker 2 has lost its directory")
    window.sees("in the log in the last hour")
    next(a for a in window.driver.find_elements(By.CSS_SELECTOR, "main a") if "in the log" in a.text).click()
    window.sees("an event directory is gone")
    assert "level=error" in window.driver.current_url
    window.close()


def test_each_service_s_port_opens_its_page(page, platform):
    """One sign-in for all ports: the cookie is the host's."""
    for name, title in (("objects", "Objects"), ("events", "Events")):
        page.driver.get(platform["console"][name] + "/")
        page.wait(lambda: page.find("h1").text == title)
        assert page.driver.current_url == f"{platform['console'][name]}/{name}"


def test_names_that_begin_with(page, world, api):
    for name in ("alpha.txt", "alpine.txt", "beta.txt", "deep/alp.txt"):
        api.request("PUT", f"/buckets/{world['bucket']}/content", params={"key": f"names/{name}"}, data=b"x").raise_for_status()

    def names():
        return [link.text for link in page.driver.find_elements(By.CSS_SELECTOR, ".object-row a")]
    page.open(f"/objects/{world['bucket']}?prefix=names/")
    page.wait(lambda: names() == ["deep/", "alpha.txt", "alpine.txt", "beta.txt"])
    page.find("input[aria-label='Names that begin with']").send_keys("alp")
    page.wait(lambda: names() == ["alpha.txt", "alpine.txt"])
    assert "q=alp" in page.driver.current_url
    page.is_accessible()


def test_the_palette(page, world):
    page.open("/overview")
    page.sees("Data flow")
    page.driver.switch_to.active_element.send_keys(Keys.CONTROL, "k")
    page.find(".palette input").send_keys(world["topic"])
    page.wait(lambda: page.find(".palette li[aria-selected=true]").text.startswith(world["topic"]))
    page.is_accessible()
    page.picture("palette")
    page.find(".palette input").send_keys(Keys.ENTER)
    page.wait(lambda: page.driver.current_url.endswith(world["topic"]))


def test_a_viewer_sees_no_buttons_that_change(base, world):
    page = Page(base)
    page.sign_in("user1", "user123")
    page.sees("Data flow")
    page.open("/events")
    page.sees(world["topic"])
    assert not page.driver.find_elements(By.XPATH, "//button[contains(., 'Create topic')]")
    page.open("/admin")
    page.sees("process_resident_memory_bytes")
    page.close()


@pytest.mark.parametrize("look", ["dark", "phone"])
def test_other_looks(base, world, look):
    page = Page(base, dark=look == "dark", phone=look == "phone")
    page.sign_in()
    page.sees("Data flow")
    for name, path, text in (("overview", "/overview", "Data flow"), ("sql", "/sql?sql=SELECT%201&run=1", "1 row"),
                             ("topic", f"/events/topics/{world['topic']}", "row 4"), ("table", f"/catalog/iceberg/{world['schema']}/t", "bigint"),
                             ("objects", f"/objects/{world['bucket']}", "<img"), ("admin", "/admin", "S3 access keys"), ("audit", "/admin?tab=audit", "create topic"),
                             ("plan", "/sql?sql=EXPLAIN%20ANALYZE%20SELECT%20count(*)%20FROM%20tpch.tiny.nation%20WHERE%20regionkey%20%3D%201&run=1", "operators"),
                             ("preview", f"/objects/{world['bucket']}?key=t.parquet", "200 rows in 1 row group")):
        page.open(path)
        page.sees(text)
        page.is_accessible()
        page.picture(f"{look}-{name}")
        wide = page.driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is wider than the window by {wide}"
    page.close()


def test_the_platform_goes_and_comes_back():
    """On fixed ports, as people have it: the same address answers again."""
    from conftest import make_platform
    running = make_platform()
    port = int(running.ready["console"]["url"].rsplit(":", 1)[1])
    page = Page(running.ready["console"]["url"])
    try:
        page.sign_in()
        page.sees("live")
        running.kill()
        page.sees("The platform does not answer")
        running.settings = [f"console.port={port}"]
        running.start()
        page.wait(lambda: not page.driver.find_elements(By.CSS_SELECTOR, "[data-testid=away]"))
        page.sees("live")
        page.click("Events")
        page.sees("No topics yet")
    finally:
        page.close()
        running.stop()
        shutil.rmtree(running.data.parent, ignore_errors=True)
