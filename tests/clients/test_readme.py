"""The README's examples, in the README's order, as printed; only the addresses are those of the test's platform."""
import re
import subprocess
import sys

import pytest
from conftest import ROOT, wait_until
from test_jobs import ask

README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def here(text, platform):
    """The text with the default addresses replaced by this platform's."""
    ready = platform.ready
    sql = ready["sql"]["https"].removeprefix("https://").rstrip("/").split(":")
    for printed, real in {
        "http://127.0.0.1:9000": ready["s3"]["endpoint"],
        "127.0.0.1:9092": ready["events"]["bootstrap"],
        'host="127.0.0.1", port=8443': f'host="{sql[0]}", port={sql[1]}',
        "http://127.0.0.1:8181": ready["iceberg_rest"]["uri"],
        "build/release/aichemy": platform.program,
    }.items():
        text = text.replace(printed, real)
    return text


@pytest.fixture(scope="module")
def ran(running):
    return run_blocks(running)


def run_blocks(running):
    """Runs every block once; what each printed, by its order in the README."""
    printed = []
    for kind, text in re.findall(r"^```(python|sql|)\n(.*?)^```", README, re.M | re.S):
        text = here(text, running)
        if kind == "python":
            if "trino.dbapi" in text:  # the job needs a moment
                wait_until(lambda: ask(running.ready, "SELECT count(*) FROM web.clicks") == [[1]])
            if not text.rstrip().endswith(")") or "to_arrow" in text:
                text = re.sub(r"^load_catalog(.*)$", r"print(load_catalog\1)", text, flags=re.M)
            outcome = subprocess.run([sys.executable, "-W", "ignore", "-c", text], capture_output=True, text=True,
                                     timeout=120)
        elif kind == "sql":
            printed.append((kind, text, repr(ask(running.ready, text))))
            continue
        elif "job submit" in text:
            folder = running.data.parent
            outcome = subprocess.run(["sh", "-e", "-c", text], cwd=folder, capture_output=True, text=True, timeout=120,
                                     env={"AICHEMY_DATA": str(running.data), "PATH": "/usr/bin:/bin", "HOME": str(folder)})
        else:
            continue  # how to start it, and the list of commands
        assert outcome.returncode == 0, f"{text}\n{outcome.stdout}\n{outcome.stderr}"
        printed.append((kind, text, outcome.stdout))
    return printed


def output(ran, part):
    return next(out for _, text, out in ran if part in text)


def test_every_block_ran(ran):
    assert len(ran) == len(blocks("python")) + len(blocks("sql")) + 1


def test_what_they_print(ran):
    assert "RUNNING" in output(ran, "job submit")
    assert output(ran, "trino.dbapi").strip() == "[['/start', 1]]"
    assert "['a', 1.0]" in output(ran, "REDUCE")
    assert "/start" in output(ran, "load_catalog")


def test_every_command_it_names_is_there(running):
    shown = subprocess.run([running.program, "--help"], capture_output=True, text=True).stdout
    listed = README.split("## Everyday commands")[1].split("```")[1]
    for command in re.findall(r"^aichemy (\w+)", listed, re.M):
        assert re.search(rf"^\s+{command}\b", shown, re.M), command
