"""The load generators, which are C++ (bench/*_load.cc): built when they are asked for."""
import subprocess
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
