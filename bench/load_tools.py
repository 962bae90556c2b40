"""What several benches need: the load generators, which are C++ (bench/*_load.cc) and built when they are asked for; the
server's processor time."""
import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def load_tool(name, *libraries):
    """The program of bench/NAME.cc, newer than its sources."""
    tool = ROOT / f"build/bench/{name}"
    sources = [ROOT / f"bench/{name}.cc", ROOT / "bench/load_socket.h"]
    if not tool.exists() or tool.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        tool.parent.mkdir(parents=True, exist_ok=True)
        command = ["clang++-19", "-O2", "-std=c++23", "-o", tool, sources[0], *(f"-l{library}" for library in libraries), "-lpthread"]
        subprocess.run(command, check=True)
    return tool


def processor_seconds(platform):
    """Of all threads of the server since it began."""
    fields = Path(f"/proc/{platform.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rest(platform):
    """Until the server has nothing to do: what is read twice it loads into memory beside the statements."""
    before = None
    while before != (before := processor_seconds(platform)):
        time.sleep(0.3)
