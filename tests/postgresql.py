"""A throw-away PostgreSQL server from Debian's package: on a socket in its own folder, no port.

Used by ./dev test (unit tests with AICHEMY_TEST_POSTGRESQL) and by the client tests. As root the server runs as the
package's user, since it refuses root.
"""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

USER = "postgres"


def programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql-15")
    return found[-1]


class PostgreSQL:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="aichemy-pg-"))
        self.data, self.log = self.folder / "data", self.folder / "log"
        self.uri = f"postgresql:///postgres?host={self.folder}&user={USER}"
        self.process = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER, USER)
        self._command("initdb", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale", "C.UTF-8", "-D", str(self.data))

    def _as_user(self, program, *arguments):
        command = [str(programs() / program), *arguments]
        return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *command] if os.geteuid() == 0 else command

    def _command(self, program, *arguments):
        outcome = subprocess.run(self._as_user(program, *arguments), capture_output=True, text=True, cwd=self.folder)
        if outcome.returncode != 0:
            raise RuntimeError(f"{program} failed: {outcome.stdout}{outcome.stderr}")
        return outcome.stdout

    def start(self):
        """Returns once connections are accepted."""
        self._command("pg_ctl", "start", "-w", "-t", "60", "-D", str(self.data), "-l", str(self.log),
                      "-o", f"-k {self.folder} -c listen_addresses=''")
        return self

    def stop(self, mode="fast"):
        """fast ends sessions and syncs; immediate is a crash: the next start recovers from the log."""
        self._command("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self.data))

    def query(self, sql):
        return self._command("psql", "-X", "-A", "-t", "-d", self.uri, "-c", sql).strip()


    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)
