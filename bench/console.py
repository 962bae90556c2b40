#!/usr/bin/env python3
"""The console over much: how long Chromium takes to answer a person, and what open consoles cost the server.

  ./dev bench console [--only NAME,...] [--scale 1] [--json FILE]

NAME: topics (10,000), objects (100,000 in one folder), tables (10,000), message (10 MB), rows (a result of 1,000,000),
search (1,000,000 messages), memory (20 consoles), cold (a first load). Each figure is printed with its bar. An
interaction is a key or a click in a real Chromium, from its event to the next picture, as the browser itself measures
it (Event Timing, in steps of 8 ms, nothing below 16); the worst of each page is shown, and beside it the middle of clicks
on an empty page: browser and platform share this machine's processors with whatever else runs. --scale makes the
numbers smaller, for a look at the bench itself.
"""
import argparse
import json
import os
import shutil
import sys
import threading
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/clients"))
warnings.filterwarnings("ignore")

import confluent_kafka  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

from conftest import make_platform  # noqa: E402
from test_console import Page  # noqa: E402
from test_console_api import Session  # noqa: E402

# name -> (bar, unit)
BARS = {
    "topics": (100, "ms"),
    "topics_shown": (1000, "ms"),
    "objects": (100, "ms"),
    "objects_shown": (1000, "ms"),
    "tables": (100, "ms"),
    "tables_shown": (1000, "ms"),
    "message": (100, "ms"),
    "message_shown": (1000, "ms"),
    "rows": (100, "ms"),
    "search": (1.0, "s"),
    "memory": (30, "MB"),
    "cold": (500, "ms"),
}

# Slowest interaction since the last look. Events below 16 ms are not told: 0 stands for them.
WATCH = """
window.slowest = {took: 0, what: ''};
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    if (one.duration > window.slowest.took) window.slowest = {took: one.duration, what: one.name};
  }
}).observe({type: 'event', durationThreshold: 16, buffered: true});
"""
# When the figures of the overview are there, from the moment the page was asked for.
SHOWN = """
new MutationObserver((_, self) => {
  if (!window.shownAfter && document.querySelector('.tiles')) { window.shownAfter = performance.now(); self.disconnect(); }
}).observe(document, {childList: true, subtree: true});
"""


class Bench:
    def __init__(self, options):
        self.scale, self.figures, self.idle = options.scale, {}, None

    def begin(self):
        self.idle = None
        self.platform = make_platform()
        self.base = self.platform.ready["console"]["url"]
        self.api = Session(self.base)

    def count(self, full):
        return max(100, int(full * self.scale))

    def tell(self, name, value, about=""):
        bar, unit = BARS[name]
        self.figures[name] = {"value": value, "bar": bar, "unit": unit}
        verdict = "ok  " if value <= bar else "OVER"
        idle = f"; an empty page: {self.idle:.0f} ms" if self.idle is not None and unit == "ms" else ""
        print(f"{verdict}  {name:<14} {value:>9.1f} {unit:<3} (bar {bar:g} {unit})  {about}{idle}", flush=True)

    def window(self):
        page = Page(self.base)
        page.sign_in()
        page.sees("Data flow")
        page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        # What the machine allows just now: clicks where nothing happens, on a page that shows next to nothing.
        page.open("/nowhere")
        page.sees("There is no such page")
        took = []
        for _ in range(5):
            page.find(".empty").click()
            took.append(slowest(page)[0])
        self.idle = sorted(took)[2]
        self.figures.setdefault("idle", []).append(self.idle)
        return page


def shown_after(page, path, css):
    """From asking for the page until the first row is there."""
    began = time.perf_counter()
    page.open(path)
    page.wait(lambda: page.driver.find_elements(By.CSS_SELECTOR, css), 120)
    return (time.perf_counter() - began) * 1000


def settle(page):
    """Two pictures: what the last event caused has been drawn, and its duration been told."""
    page.driver.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))")


def slowest(page):
    settle(page)
    found = page.driver.execute_script("const found = window.slowest; window.slowest = {took: 0, what: ''}; return found")
    return found["took"], found["what"]


def use_list(page, css, field=None, text="777"):
    """The middle of three rounds: others may use the machine."""
    return sorted(use_list_once(page, css, field, text) for _ in range(3))[1]


def use_list_once(page, css, field, text):
    """The slowest of what a person does with a long list: type into its search, empty it, page down and up, jump to the end."""
    page.driver.execute_script("window.slowest = {took: 0, what: ''}")
    worst = (0, "")
    if field:
        box = page.find(field)
        for key in [*text, *[Keys.BACKSPACE] * len(text)]:
            box.send_keys(key)
            worst = max(worst, slowest(page))
    area = page.find(css)
    area.click()
    if page.driver.find_elements(By.CSS_SELECTOR, ".drawer"):
        page.click("Close")
    page.driver.execute_script("arguments[0].focus()", page.find(css))
    for key in [Keys.PAGE_DOWN] * 5 + [Keys.END, Keys.HOME] + [Keys.ARROW_DOWN] * 3:
        page.find(css).send_keys(key)
        worst = max(worst, slowest(page))
    return worst


def topics(bench):
    count = bench.count(10_000)
    admin = AdminClient({"bootstrap.servers": bench.platform.ready["events"]["bootstrap"], "socket.timeout.ms": 300_000})
    for first in range(0, count, 100):
        made = admin.create_topics([NewTopic(f"topic-{i:06}", 1) for i in range(first, min(first + 100, count))], request_timeout=300, operation_timeout=300)
        for one in made.values():
            one.result()
    page = bench.window()
    bench.tell("topics_shown", shown_after(page, "/events", ".topic-row a"), f"{count:,} topics")
    page.wait(lambda: f"{count:,}" in page.find(".page").text, 60)
    took, what = use_list(page, ".vlist", "input[aria-label='Search topics']")
    bench.tell("topics", took, what)
    page.close()


def objects(bench):
    count = bench.count(100_000)
    bench.api.send("POST", "/buckets", {"name": "many"})

    def put(part, parts):
        session = Session(bench.base)
        for i in range(part, count, parts):
            session.request("PUT", "/buckets/many/content", params={"key": f"folder/object-{i:06}.txt"}, data=b"x").raise_for_status()
    threads = [threading.Thread(target=put, args=(part, 8)) for part in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    page = bench.window()
    bench.tell("objects_shown", shown_after(page, "/objects/many?prefix=folder/", ".vlist .vrow, .table a"), f"{count:,} objects in a folder")
    took, what = use_list(page, ".vlist" if page.driver.find_elements(By.CSS_SELECTOR, ".vlist") else ".page")
    bench.tell("objects", took, what)
    page.close()


def tables(bench):
    count = bench.count(10_000)
    bench.api.ask("CREATE SCHEMA iceberg.many")

    def make(part, parts):
        session = Session(bench.base)
        for i in range(part, count, parts):
            session.ask(f"CREATE TABLE iceberg.many.table_{i:06} (id bigint, name varchar)")
    threads = [threading.Thread(target=make, args=(part, 4)) for part in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    page = bench.window()
    bench.tell("tables_shown", shown_after(page, "/catalog", ".vlist .vrow"), f"{count:,} tables")
    took, what = use_list(page, ".vlist", "input[aria-label='Search tables']")
    page.open("/sql")
    page.find(".cm-content").click()
    page.driver.execute_script("window.slowest = {took: 0, what: ''}")
    for key in "SELECT * FROM many.table_0":
        page.find(".cm-content").send_keys(key)
        took, what = max((took, what), slowest(page))
    bench.tell("tables", took, f"{what}; also completion in the editor")
    page.close()


def message(bench):
    size = int(10e6 * min(1, bench.scale))
    admin = AdminClient({"bootstrap.servers": bench.platform.ready["events"]["bootstrap"]})
    admin.create_topics([NewTopic("large", 1, config={"max.message.bytes": "20000000"})])["large"].result()
    row = json.dumps({"id": 1, "text": "some words " * 20})
    value = "[" + ",".join([row] * (size // (len(row) + 1))) + "]"
    producer = confluent_kafka.Producer({"bootstrap.servers": bench.platform.ready["events"]["bootstrap"], "message.max.bytes": 20_000_000})
    producer.produce("large", b"small")
    producer.produce("large", value.encode())
    if producer.flush(60):
        sys.exit("the message was not taken")
    page = bench.window()
    page.open("/events/topics/large")
    page.wait(lambda: len(page.driver.find_elements(By.CSS_SELECTOR, ".msg")) == 2)
    rows = page.driver.find_elements(By.CSS_SELECTOR, ".msg")
    row, small = sorted(rows, key=lambda one: "small" in one.text)
    small.click()
    page.wait(lambda: page.find(".drawer pre").text == "small")
    least, _ = slowest(page)
    page.click("Close")
    page.wait(lambda: not page.driver.find_elements(By.CSS_SELECTOR, ".drawer"))
    settle(page)
    page.driver.execute_script("window.slowest = {took: 0, what: ''}")
    began = time.perf_counter()
    row.click()
    page.wait(lambda: page.driver.execute_script("return (document.querySelector('.drawer pre')?.textContent ?? '').length") > 100_000, 60)
    bench.tell("message_shown", (time.perf_counter() - began) * 1000, f"{len(value):,} bytes")
    worst = slowest(page)
    for key in (Keys.TAB, Keys.PAGE_DOWN, Keys.END):
        page.driver.switch_to.active_element.send_keys(key)
        worst = max(worst, slowest(page))
    bench.tell("message", worst[0], f"{worst[1]}; one of 5 bytes: {least:.0f} ms")
    page.close()


def rows(bench):
    count = bench.count(1_000_000)
    page = bench.window()
    page.open("/sql")
    page.run(f"SELECT n, 'value ' || CAST(n AS varchar) AS name, n * 0.5 AS half FROM (SELECT a * 1000 + b AS n FROM unnest(sequence(0, {count // 1000 - 1})) x(a) CROSS JOIN unnest(sequence(0, 999)) y(b))")
    page.wait(lambda: page.driver.find_elements(By.CSS_SELECTOR, ".gcell"))
    grid = page.find(".grid")

    def whole():
        page.driver.execute_script("arguments[0].scrollTop = arguments[0].scrollHeight", grid)
        return int(grid.get_attribute("aria-rowcount")) > count // 1000 * 1000
    page.wait(whole, 600)
    page.driver.execute_script("arguments[0].scrollTop = 0; arguments[0].focus(); window.slowest = {took: 0, what: ''}", grid)
    worst = (0, "")
    for key in [Keys.PAGE_DOWN] * 5 + [Keys.ARROW_DOWN, Keys.ARROW_RIGHT] * 3:
        grid.send_keys(key)
        worst = max(worst, slowest(page))
    for place in (0.25, 0.5, 1, 0):
        page.driver.execute_script("arguments[0].scrollTop = arguments[0].scrollHeight * arguments[1]", grid, place)
        ActionChains(page.driver).move_to_element(grid).click().perform()  # the row in the middle
        worst = max(worst, slowest(page))
    head = page.driver.find_elements(By.CSS_SELECTOR, ".gcol")[1]
    began = time.perf_counter()
    head.click()
    page.wait(lambda: "↑" in head.text, 120)
    sorted_ = time.perf_counter() - began
    worst = max(worst, slowest(page))
    bench.tell("rows", worst[0], f"{worst[1]}; {count:,} rows; they are in the order of another column after {sorted_:.1f} s")
    page.close()


def search(bench):
    count = bench.count(1_000_000)
    bench.api.send("POST", "/topics", {"name": "searched", "partitions": 3})
    producer = confluent_kafka.Producer({"bootstrap.servers": bench.platform.ready["events"]["bootstrap"], "linger.ms": 20, "compression.type": "lz4",
                                         "queue.buffering.max.messages": 2_000_000})
    for i in range(count):
        producer.produce("searched", b'{"id": %07d, "name": "somebody", "city": "somewhere", "note": "what a message of a hundred bytes says"}' % i, partition=i % 3)
        if i % 10_000 == 0:
            producer.poll(0)
    if producer.flush(120):
        sys.exit("the messages were not taken")

    def once():
        began, cursor, scanned = time.perf_counter(), None, 0
        while True:
            more = {"cursor": cursor} if cursor else {}
            answer = bench.api.get("/topics/searched/messages", search="nowhere to be found", **more)
            scanned += answer["scanned"]
            cursor = answer.get("cursor")
            if not cursor:
                assert scanned == count, scanned
                return time.perf_counter() - began
    bench.tell("search", sorted(once() for _ in range(5))[2], f"{count:,} messages, LZ4, the middle of five")


def resident_mb(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Rss:")).split()[1]) / 1024


def memory(bench):
    pid = bench.platform.process.pid

    def open_one():
        session = Session(bench.base)
        for path in ("/overview", "/topics", "/buckets", "/catalog", "/queries", "/sql/words"):
            session.get(path)
        stream = session.request("GET", "/overview/live", stream=True)
        lines = stream.iter_lines()
        next(lines)
        return session, stream, lines
    held = [open_one()]
    before = resident_mb(pid)
    held += [open_one() for _ in range(20)]
    for _ in range(5):  # five seconds of news for each
        for _, _, lines in held:
            for line in lines:
                if line.startswith(b"data:"):
                    break
    bench.tell("memory", max(0.0, resident_mb(pid) - before), "resident, 20 more open overviews")
    for _, stream, _ in held:
        stream.close()


def cold(bench):
    took = []
    for _ in range(5):
        page = Page(bench.base)
        page.sign_in()
        page.sees("Data flow")
        page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SHOWN})
        page.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        page.open("/overview")
        took.append(page.wait(lambda: page.driver.execute_script("return window.shownAfter")))
        page.close()
    bench.tell("cold", sorted(took)[2], f"until the overview's figures are there; five times: {', '.join(f'{one:.0f}' for one in took)}")


RUNS = [topics, objects, tables, message, rows, search, memory, cold]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help=", ".join(run.__name__ for run in RUNS))
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--json")
    options = parser.parse_args()
    chosen = [name for name in options.only.split(",") if name]
    unknown = set(chosen) - {run.__name__ for run in RUNS}
    if unknown:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        sys.exit("chromium and chromedriver are not there: ./dev test installs them")
    bench = Bench(options)
    for run in RUNS:
        if chosen and run.__name__ not in chosen:
            continue
        bench.begin()
        try:
            run(bench)
        finally:
            bench.platform.stop()
            shutil.rmtree(bench.platform.data.parent, ignore_errors=True)
    if options.json:
        Path(options.json).write_text(json.dumps(bench.figures, indent=1))
    sys.exit(any(one["value"] > one["bar"] for name, one in bench.figures.items() if name != "idle"))


if __name__ == "__main__":
    main()
