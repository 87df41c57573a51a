"""The real program, in a home and on a path of the test's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("kiro-core")


@pytest.fixture
def environment(home, tmp_path):
    """Without any agent program but one, which remembers its sessions."""
    home.mkdir(exist_ok=True)
    remembering = [sys.executable, "-P", "-m", "kiro_core.rehearsal", "--memory", str(tmp_path / "memory")]
    (home / "kiro.toml").write_text(f"[engines.mem]\ncommand = {json.dumps(remembering)}\n")
    return os.environ | {"PATH": str(tmp_path / "bin")}


@pytest.fixture
def kiro(environment, tmp_path):
    def run(*arguments, stdin=""):
        return subprocess.run(
            [PROGRAM, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
            env=environment,
        )

    return run
