"""A server of ours that the official suite can speak with, with its fixtures or without."""

import contextlib
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

# The modules beside this file: `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))

_BOUND_S = 30


@contextlib.contextmanager
def _served(folder, *arguments):
    folder.mkdir()
    serve = [sys.executable, Path(__file__).with_name("serve.py"), *arguments]
    environment = {**os.environ, "HOME": str(folder), "KIRO_HOME": str(folder / "kiro")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            serve, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd=folder, env=environment
        )
    try:
        ready, _, _ = select.select([process.stdout], [], [], _BOUND_S)
        url = process.stdout.readline().decode().strip() if ready else ""
        assert url, (folder / "log").read_text()
        yield url
        process.terminate()
        assert process.wait(_BOUND_S) == 0, (folder / "log").read_text()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Where the product's server is, with what the suite asks for by name."""
    with _served(tmp_path_factory.mktemp("fixtures") / "home") as url:
        yield url


@pytest.fixture(scope="module")
def plain_url(tmp_path_factory):
    """Where the product's server is as it is."""
    with _served(tmp_path_factory.mktemp("plain") / "home", "--plain") as url:
        yield url
