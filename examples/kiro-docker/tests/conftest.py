"""A stand-in for docker, so that the tests need neither docker nor an image."""

import json
import sys
from pathlib import Path

import pytest

import kiro_docker


@pytest.fixture
def state(tmp_path_factory):
    """Where the stand-in keeps its containers, and `calls`, a line for each time that it was called."""
    if sys.platform != "linux":
        pytest.skip("the stand-in for docker needs Linux")
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def docker(state, tmp_path_factory):
    """The program that stands in for docker."""
    program = tmp_path_factory.mktemp("bin") / "docker"
    standin = Path(__file__).with_name("standin.py")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{standin}" "{state}" "$@"\n')
    program.chmod(0o700)
    return program


@pytest.fixture
def calls(state):
    """What docker was called with so far: `{pid, argv}` each."""
    return lambda: [json.loads(line) for line in (state / "calls").read_text().splitlines()]


@pytest.fixture
def opened(docker):
    """What opens the launcher with the stand-in, and other options as given."""
    (provider,) = kiro_docker.kiro_launchers()
    usual = {"image": "python:3.13-slim", "program": str(docker), "grace_s": 0.2}
    return lambda **options: provider.open(provider.validated(usual | options))
