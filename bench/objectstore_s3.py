#!/usr/bin/env python3
"""PUT and GET rates of the S3 front beside MinIO: 4 KiB, 64 KiB, 1 MiB, 64 MiB; 16 clients.

  bench/objectstore_s3.py [--binary build/release/aichemy] [--endpoint URL] [--peer minio.sh | --peer-endpoint URL]
                          [--seconds 5] [--clients 16] [--json FILE]

Without --endpoint the platform is started on a fresh directory. The load generator (bench/s3_load.cc) is compiled on
first use. Both servers run on this machine, one after the other for each cell, with the same four directories' disk.
Prints the ratio, and as limit what one core can do: MD5 of the body (the ETag) at its measured speed, times the cores.
"""
import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse

from load_tools import load_tool

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZES = [4 << 10, 64 << 10, 1 << 20, 64 << 20]


def start_platform(binary, directory):
    ready = directory / "ready.json"
    process = subprocess.Popen([binary, "up", "--data", str(directory / "data"), "--ports", "auto", "--ready-file", str(ready)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit("the platform did not start")
        time.sleep(0.02)
    return process, json.loads(ready.read_text())["s3"]["endpoint"]


def run_cell(tool, endpoint, operation, size, options):
    url = urllib.parse.urlparse(endpoint)
    done = subprocess.run([str(tool), url.hostname, str(url.port), "admin", "password123", "bench", operation, str(size),
                           str(options.clients), str(options.seconds)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def md5_rate():
    block = bytes(8 << 20)
    began = time.perf_counter()
    for _ in range(8):
        hashlib.md5(block)
    return 64 * (1 << 20) / (time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build/release/aichemy"))
    parser.add_argument("--endpoint")
    parser.add_argument("--peer", help="the script that starts MinIO")
    parser.add_argument("--peer-endpoint", help="a MinIO that runs already")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--json")
    options = parser.parse_args()
    tool = load_tool("s3_load", "crypto")
    process = None
    with tempfile.TemporaryDirectory(prefix="aichemy-bench-") as directory:
        endpoint = options.endpoint
        if not endpoint:
            process, endpoint = start_platform(options.binary, pathlib.Path(directory))
        peer = options.peer_endpoint
        if options.peer:
            subprocess.run([options.peer, "start"], check=True, stdout=subprocess.DEVNULL)
            peer = peer or "http://127.0.0.1:" + os.environ.get("MINIO_PORT", "19000")
        limit = md5_rate() * (os.cpu_count() or 1)
        rows = []
        print(f"{'':14}{'ours/s':>10}{'MB/s':>9}{'p99 ms':>9}{'peer/s':>10}{'MB/s':>9}{'p99 ms':>9}{'ratio':>8}{'of limit':>10}")
        try:
            for size in SIZES:
                for operation in ("put", "get"):
                    theirs = run_cell(tool, peer, operation, size, options) if peer else None
                    ours = run_cell(tool, endpoint, operation, size, options)
                    ratio = ours["per_second"] / theirs["per_second"] if theirs and theirs["per_second"] else None
                    share = ours["mb_per_second"] * 1e6 / limit if operation == "put" else None
                    rows.append({"operation": operation, "bytes": size, "ours": ours, "peer": theirs, "ratio": ratio,
                                 "share_of_md5_limit": share})
                    line = f"{operation} {size >> 10:>6} KiB  {ours['per_second']:>9.0f} {ours['mb_per_second']:>8.0f} {ours['p99_ms']:>8.1f}"
                    if theirs:
                        line += f" {theirs['per_second']:>9.0f} {theirs['mb_per_second']:>8.0f} {theirs['p99_ms']:>8.1f} {ratio:>7.2f}"
                    if share is not None:
                        line += f" {share:>8.0%}"
                    print(line, flush=True)
        finally:
            if options.peer:
                subprocess.run([options.peer, "stop"], check=False, stdout=subprocess.DEVNULL)
            if process:
                process.terminate()
                process.wait(20)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"clients": options.clients, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
