"""A small dbt project over the platform: seed, table, view, incremental (merge), snapshot, tests, docs.

dbt-trino lives in an environment of its own (tests/clients/dbt/requirements.txt), made when its list changes.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

trino = pytest.importorskip("trino")

PROJECT = Path(__file__).resolve().parent / "dbt"
VENV = Path(__file__).resolve().parents[2] / "build/venv-dbt"


@pytest.fixture(scope="module")
def program():
    wanted, stamp = (PROJECT / "requirements.txt").read_text(), VENV / ".complete"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([VENV / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", PROJECT / "requirements.txt"],
                       check=True, timeout=560)
        stamp.write_text(wanted)
    return VENV / "bin/dbt"


@pytest.fixture
def dbt(program, platform, tmp_path):
    shutil.copytree(PROJECT, tmp_path / "dbt")
    host, port = platform["sql"]["http"].removeprefix("http://").rstrip("/").split(":")

    def run(*arguments):
        environment = dict(os.environ, DBT_HOST=host, DBT_PORT=port, DBT_PROFILES_DIR=str(tmp_path / "dbt"), NO_COLOR="1")
        done = subprocess.run([str(program), "--no-use-colors", *arguments], cwd=tmp_path / "dbt", env=environment,
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        return done.stdout

    yield run


def test_dbt_project(dbt, platform):
    host, port = platform["sql"]["http"].removeprefix("http://").rstrip("/").split(":")
    cursor = trino.dbapi.connect(host=host, port=int(port), user="admin", catalog="iceberg", schema="dbt_shop").cursor()
    cursor.execute("DROP SCHEMA IF EXISTS iceberg.dbt_shop CASCADE").fetchall()
    dbt("debug")
    dbt("seed")
    assert cursor.execute("SELECT count(*) FROM customers").fetchall() == [[3]]
    dbt("run")
    assert cursor.execute("SELECT count(DISTINCT name), sum(orders) FROM per_customer").fetchall()[0][0] == 3
    dbt("snapshot")
    dbt("run", "--vars", "{round: 2}")  # everything again; latest merges
    assert cursor.execute("SELECT id, round FROM latest ORDER BY id").fetchall() == [[1, 1], [2, 2], [3, 2]]
    dbt("snapshot")
    assert cursor.execute("SELECT id, count(*), count(dbt_valid_to) FROM customers_history GROUP BY id ORDER BY id").fetchall() == [
        [1, 1, 0], [2, 2, 1], [3, 2, 1]]
    assert "PASS=4" in dbt("test")
    dbt("run", "--full-refresh")
    dbt("docs", "generate")
    cursor.execute("DROP SCHEMA iceberg.dbt_shop CASCADE").fetchall()
