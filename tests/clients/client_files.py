"""Clients that are not Python packages, fetched once by the tools of their own worlds and checked against pinned hashes:
jars from Maven, modules from Go's proxy, packages from npm. Everything lands in build/clients or the tools' own caches."""
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
BUILD = ROOT / "build/clients"

# coordinates -> SHA-256 of the file
FILES = {
    "io.trino:trino-cli:476:jar:executable": "fe4e9c7fb569cd67673afa1622945f6308e1e59bdb825419352b80887661757b",
    "io.trino:trino-server:476:tar.gz": "cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f",
    "org.apache.iceberg:iceberg-aws-bundle:1.12.0": "dd7e49ffa4ac9b215bed846581991259e3aec9bb2fa08d6cec029c46cd66d957",
    "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.12.0": "8dd8c90e54ed1a20f2461309d047a255ee56382eb7c0a46162b27a4936fd86dc",
    "io.trino:trino-jdbc:484": "46476af2968e6f3234e8b22d7e29c26e6d7213ce88ab546a29c4c318c921cd34",
}
# For machines whose own Go is older than the client wants: Go itself as a module.
GO_VERSION = (1, 25)
GO_TOOLCHAIN = "golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64"
GO_TOOLCHAIN_SUM = "h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM="


def needs(*tools):
    missing = [tool for tool in tools if not shutil.which(tool)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def maven_file(coordinates):
    """The path of a jar or archive, fetched by Maven when it is not in its cache."""
    group, name, version, *rest = coordinates.split(":")
    kind = rest[0] if rest else "jar"
    classifier = f"-{rest[1]}" if len(rest) > 1 else ""
    path = Path.home() / ".m2/repository" / group.replace(".", "/") / name / version / f"{name}-{version}{classifier}.{kind}"
    if not path.exists():
        subprocess.run(["mvn", "-q", "-B", "dependency:get", "-Dtransitive=false", f"-Dartifact={coordinates}"],
                       check=True, timeout=900)
    with open(path, "rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == FILES[coordinates], f"{path} is not the file we know"
    return path


def java_class(source, folder):
    subprocess.run(["javac", "-d", str(folder), str(FOLDER / "jdbc" / f"{source}.java")], check=True, timeout=120)
    return folder


def go_environment():
    """The go command to use and its environment."""
    environment = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-mod=readonly")
    found = re.search(r"go(\d+)\.(\d+)", subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout)
    if (int(found[1]), int(found[2])) >= GO_VERSION:
        return "go", environment
    BUILD.mkdir(parents=True, exist_ok=True)
    got = subprocess.run(["go", "mod", "download", "-json", GO_TOOLCHAIN], cwd=BUILD, capture_output=True, text=True,
                         check=True, timeout=300, env=dict(environment, GOFLAGS=""))
    module = json.loads(got.stdout)
    assert module["Sum"] == GO_TOOLCHAIN_SUM, "Go's toolchain is not the one we know"
    # Modules carry no file modes, and their folder is read-only.
    root = BUILD / "go-toolchain"
    if not (root / ".complete").exists():
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(module["Dir"], root)
        for path in root.rglob("*"):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" or "tool" in path.parts else 0o644)
        (root / ".complete").write_text("")
    return str(root / "bin/go"), dict(environment, GOROOT=str(root))


def go_program():
    """The built tests/clients/go."""
    go, environment = go_environment()
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / "trino-go"
    subprocess.run([go, "build", "-o", str(program), "."], cwd=FOLDER / "go", env=environment, check=True, timeout=600)
    return program


def node_folder():
    """tests/clients/node with its modules, as its lock file says."""
    folder = BUILD / "node"
    folder.mkdir(parents=True, exist_ok=True)
    lock = (FOLDER / "node/package-lock.json").read_text()
    for name in ("package.json", "package-lock.json", "trino.js"):
        shutil.copy(FOLDER / "node" / name, folder / name)
    stamp = folder / "node_modules/.complete"
    if not stamp.exists() or stamp.read_text() != lock:
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True,
                       timeout=300)
        stamp.write_text(lock)
    return folder
