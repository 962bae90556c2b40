"""The contract of the command line: ready file, lock, ports, configuration, signals, status."""
import json
import socket
import subprocess
import urllib.request

from conftest import make_platform


def test_ready_file(running):
    ready = running.ready
    assert {"version", "pid", "data", "sql", "s3", "events", "iceberg_rest", "jobs", "metrics"} <= set(ready)
    assert ready["pid"] == running.process.pid
    assert json.loads((running.data / "ready.json").read_text()) == ready


def test_second_process_is_refused(running):
    outcome = subprocess.run([running.program, "up", "--data", str(running.data), "--ports", "auto"],
                             capture_output=True, text=True, timeout=30)
    assert outcome.returncode == 1
    assert str(running.process.pid) in outcome.stderr


def test_bad_configuration_exits_2_and_names_the_place(running, tmp_path):
    config = tmp_path / "aichemy.yaml"
    config.write_text("s3:\n  prot: 1\n")
    outcome = subprocess.run([running.program, "up", "--data", str(tmp_path / "d"), "--config", str(config)],
                             capture_output=True, text=True, timeout=30)
    assert outcome.returncode == 2
    assert "aichemy.yaml:2" in outcome.stderr and "s3.port" in outcome.stderr


def test_taken_port_names_its_key(running, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        outcome = subprocess.run([running.program, "up", "--data", str(tmp_path / "d"), "--ports", "auto",
                                  "--set", f"s3.port={port}"], capture_output=True, text=True, timeout=30)
    assert outcome.returncode == 1
    assert str(port) in outcome.stderr and "s3.port" in outcome.stderr


def test_well_known_passwords_stay_on_loopback(running, tmp_path):
    outcome = subprocess.run([running.program, "up", "--data", str(tmp_path / "d"), "--ports", "auto",
                              "--set", "listen.address=0.0.0.0", "--set", "events.enabled=false",
                              "--set", "hms.enabled=false"],
                             capture_output=True, text=True, timeout=30)
    assert outcome.returncode == 1
    assert "--allow-default-passwords" in outcome.stderr


def test_anonymous_events_stay_on_loopback(running, tmp_path):
    outcome = subprocess.run([running.program, "up", "--data", str(tmp_path / "d"), "--ports", "auto",
                              "--set", "listen.address=0.0.0.0", "--allow-default-passwords"],
                             capture_output=True, text=True, timeout=30)
    assert outcome.returncode == 1
    assert "events.allow_anonymous" in outcome.stderr


def test_the_metastore_stays_on_loopback(running, tmp_path):
    outcome = subprocess.run([running.program, "up", "--data", str(tmp_path / "d"), "--ports", "auto",
                              "--set", "listen.address=0.0.0.0", "--allow-default-passwords",
                              "--set", "events.enabled=false"],
                             capture_output=True, text=True, timeout=30)
    assert outcome.returncode == 1
    assert "hms.allow_anonymous" in outcome.stderr


def test_metrics_and_status(running):
    text = urllib.request.urlopen(running.ready["metrics"]["url"]).read().decode()
    assert "aichemy_http_requests_total" in text and "process_resident_memory_bytes" in text
    outcome = running.run("status")
    assert outcome.returncode == 0 and "4 of 4 drives online" in outcome.stdout
    assert running.run("doctor").returncode == 0


def test_users(running, tmp_path):
    def user(*arguments, **options):
        return subprocess.run([running.program, "user", "--data", str(tmp_path), *arguments], capture_output=True,
                              text=True, timeout=30, **options)
    assert user("add", "ann", input="secret1\n").returncode == 0
    assert user("add", "ann", "--password", "x").returncode == 1
    assert user("passwd", "ann", "--password", "secret2").returncode == 0
    assert user("list").stdout.split() == ["ann"]
    assert user("remove", "ann").returncode == 0
    assert user("passwd", "ann", "--password", "x").returncode == 1


def test_users_of_a_running_platform(running):
    """The platform has its users in memory: the command asks it, and it knows at once."""
    name = "user-of-a-command"
    added = running.run("user", "add", name, "--password", "secret1", "--role", "operator")
    assert added.returncode == 0, added.stderr
    assert running.run("user", "add", name, "--password", "x").returncode == 1
    assert [name, "operator"] in [line.split() for line in running.run("user", "list").stdout.splitlines()]
    as_them = ("--user", name, "--password", "secret1")
    assert running.run("topic", *as_them, "list").returncode == 0
    assert running.run("user", "passwd", name, "--password", "secret2").returncode == 0
    refused = running.run("topic", *as_them, "list")
    assert refused.returncode == 1 and "could not sign in" in refused.stderr
    refused = running.run("user", "--admin", name, "--admin-password", "secret2", "remove", "admin")
    assert refused.returncode == 1 and "needs the role admin" in refused.stderr
    assert running.run("user", "remove", name).returncode == 0
    assert running.run("user", "passwd", name, "--password", "x").returncode == 1


def test_topics_by_command(running):
    made = running.run("topic", "create", "by-command", "--partitions", "3", "--config", "retention.ms=60000")
    assert made.returncode == 0, made.stderr
    again = running.run("topic", "create", "by-command")
    assert again.returncode == 1 and "exists" in again.stderr
    assert running.run("topic", "create", "other", "--config", "retention.ms").returncode == 2
    assert running.run("topic", "create", "other", "--config", "no.such=1").returncode != 0
    listed = running.run("topic", "list", "by-comm").stdout.splitlines()
    assert len(listed) == 2 and listed[1].split()[:4] == ["by-command", "3", "2", "0"]
    assert running.run("topic", "delete", "by-command").returncode == 0
    assert running.run("topic", "delete", "by-command").returncode == 1
    assert running.run("topic", "list", "by-comm").stdout.splitlines() == listed[:1]


def test_sql_command(running):
    outcome = running.run("sql", "-e", "SELECT 1 AS one, 'a' AS text; SELECT 2", "--output", "csv")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout == '"1","a"\n"2"\n'
    outcome = running.run("sql", "-e", "SELECT nothing")
    assert outcome.returncode == 1 and "COLUMN_NOT_FOUND" in outcome.stderr


def test_stop_and_start_keep_everything():
    platform = make_platform()
    platform.run("sql", "-e", "CREATE SCHEMA kept; CREATE TABLE kept.t AS SELECT 42 AS answer")
    assert platform.stop() == 0
    platform.start()
    assert "42" in platform.run("sql", "-e", "SELECT answer FROM kept.t").stdout
    platform.kill()
    platform.start()
    assert "42" in platform.run("sql", "-e", "SELECT answer FROM kept.t").stdout
    platform.kill()
