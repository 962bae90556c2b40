#!/usr/bin/env python3
"""Checks the conventions that a tool can check. Prints path:line: message, exits 1 when there is any.

Layers: every #include of src/ against src/layers.txt, modules and third parties. Headers: #pragma once, and other
modules include only what a module lists as PUBLIC. Sizes: line 100 columns, function 70 lines, file 600 (tests and
files marked as tables 1,500), folder 40 files. Words: banned names, sleeps in tests.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

# Include prefix -> library of layers.txt. Longest match wins; what is not here is the standard library or POSIX.
THIRD_PARTY = {
    "fmt/": "fmt", "simdjson": "simdjson", "xxhash": "xxhash", "isa-l": "isal", "openssl/": "openssl",
    "zstd": "zstd", "lz4": "lz4", "snappy": "snappy", "zlib": "zlib", "sqlite3": "sqlite", "libpq-fe.h": "postgresql", "crypt.h": "crypt",
    "rocksdb/": "rocksdb", "unicode/": "icu", "oniguruma": "onig", "libstemmer": "stemmer", "geos_c.h": "geos", "yaml-cpp/": "yaml", "CLI/": "cli11",
    "editline/": "editline", "histedit": "editline", "librdkafka/": "rdkafka", "boost/asio": "asio", "boost/beast": "beast", "duckdb": "duckdb",
    "gtest/": "gtest", "gmock/": "gtest", "benchmark/": "benchmark", "parquet_": "duckdb",
}
LINE_MAX, FUNCTION_MAX, FILE_MAX, LONG_FILE_MAX, FOLDER_MAX = 100, 70, 600, 1500, 40
BANNED_NAMES = re.compile(r"(^|_)(util|utils|helper|helpers|common|manager|impl|misc)(_|$)")


class Layers:
    def __init__(self):
        self.modules, self.libraries, self.order = {}, {}, []
        for line in (SRC / "layers.txt").read_text().splitlines():
            if not line[:1].isdigit():
                continue
            _, name, modules, *libraries = line.split()
            allowed = [m for word in modules.split(",") for m in self.named(word)]
            self.modules[name] = set(allowed) | {name}
            self.libraries[name] = set(libraries) - {"-"}
            self.order.append(name)

    def named(self, word):
        """The modules that a word of layers.txt stands for."""
        if word.endswith("*"):
            return [m for m in self.order if m.startswith(word[:-1])]
        return [] if word == "-" else [word]

    def module_of(self, path):
        folder = path.parent.relative_to(SRC).as_posix()
        return folder if folder in self.modules else None


def public_headers(module):
    cmake = SRC / module / "CMakeLists.txt"
    if not cmake.exists():
        return None
    declared = re.search(r"PUBLIC([^)]*)\)", cmake.read_text())
    return set(declared.group(1).split()) if declared else set()


class Lint:
    def __init__(self):
        self.layers = Layers()
        self.problems = []

    def say(self, path, line, text):
        self.problems.append(f"{path.relative_to(ROOT)}:{line}: {text}")

    def includes(self, path, lines):
        module = self.layers.module_of(path)
        if not module:
            self.say(path, 1, "its folder is not a module of src/layers.txt")
            return
        is_test = path.stem.endswith(("_test", "_fuzz", "_bench"))
        for number, line in enumerate(lines, 1):
            quoted = re.match(r'#include "([^"]+)"', line)
            if quoted and (SRC / quoted.group(1)).exists():
                target = quoted.group(1)
                other = str(Path(target).parent)
                if other not in self.layers.modules[module]:
                    self.say(path, number, f"{module} may not include {other} (src/layers.txt)")
                elif other != module and not is_test:
                    public = public_headers(other)
                    if public is not None and Path(target).name not in public:
                        self.say(path, number, f"{target} is not PUBLIC in {other}/CMakeLists.txt")
                continue
            angled = re.match(r'#include [<"]([^>"]+)[>"]', line)
            if angled:
                self.third_party(path, number, module, is_test, angled.group(1))

    def third_party(self, path, number, module, is_test, target):
        for prefix, library in THIRD_PARTY.items():
            if target.startswith(prefix):
                allowed = self.layers.libraries[module] | {"fmt"} | ({"gtest", "benchmark"} if is_test else set())
                if library not in allowed:
                    self.say(path, number, f"{module} may not include {library} (src/layers.txt)")
                return

    def sizes(self, path, lines):
        is_long = path.stem.endswith(("_test", "_table", "_tables")) or any("lint: table" in l for l in lines[:40])
        limit = LONG_FILE_MAX if is_long else FILE_MAX
        if len(lines) > limit:
            self.say(path, len(lines), f"file of {len(lines)} lines, limit {limit}")
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_MAX and "http" not in line and '"' not in line:
                self.say(path, number, f"line of {len(line)} columns, limit {LINE_MAX}")
        if not path.stem.endswith("_test"):
            self.functions(path, lines)

    def functions(self, path, lines):
        """A function starts at a line in column 0 (or two spaces in a class) that ends with '{' and has a ')'."""
        start, indent = None, ""
        for number, line in enumerate(lines, 1):
            opened = re.match(r"^( {0,2})\S.*\).*\{$", line)
            if start is None and opened and not re.match(r"^ *(namespace|struct|class|enum|if|for|while|switch)\b", line):
                start, indent = number, opened.group(1)
            elif start is not None and line.rstrip() in (indent + "}", indent + "};"):
                if number - start > FUNCTION_MAX and "lint: table" not in lines[start - 2]:
                    self.say(path, start, f"function of {number - start} lines, limit {FUNCTION_MAX}")
                start = None

    def words(self, path, lines):
        if BANNED_NAMES.search(path.stem):
            self.say(path, 1, "a file name that says nothing (style: Names)")
        if path.suffix == ".h" and not any(line == "#pragma once" for line in lines):
            self.say(path, 1, "no #pragma once")
        for number, line in enumerate(lines, 1):
            if path.stem.endswith("_test") and re.search(r"\bsleep_(for|until)\b|\busleep\(", line):
                self.say(path, number, "a sleep in a test")
            if "asio::detached" in line:
                self.say(path, number, "detached coroutines are banned (style: Async)")

    def folders(self):
        for module in self.layers.order:
            files = list((SRC / module).glob("*.*")) if (SRC / module).is_dir() else []
            concepts = {re.sub(r"_(test|fuzz|bench)$", "", f.stem) for f in files if f.suffix in (".h", ".cc")}
            if len(concepts) > FOLDER_MAX:
                self.say(SRC / module, 1, f"{len(concepts)} concepts in one folder, limit {FOLDER_MAX}")

    def machine_paths(self):
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split("\n")
        pattern = re.compile("|".join("/" + tail for tail in ("work/main", "work/shared", "root/")) + "|\"resolved\":")
        for name in listed:
            path = ROOT / name
            if not name or not path.is_file() or path.suffix in (".gz", ".bin", ".png", ".avro", ".parquet"):
                continue
            if name == "tools/lint.py":
                continue
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if pattern.search(line):
                    self.say(path, number, "a path of one machine or a registry address")

    def run(self):
        for path in sorted([*SRC.rglob("*.h"), *SRC.rglob("*.cc")]):
            lines = path.read_text().splitlines()
            self.includes(path, lines)
            self.sizes(path, lines)
            self.words(path, lines)
        self.folders()
        self.machine_paths()
        for problem in self.problems:
            print(problem)
        print(f"lint: {len(self.problems)} problems")
        return 1 if self.problems else 0


if __name__ == "__main__":
    sys.exit(Lint().run())
