"""Broken plugins as distributions that are installed: each in a folder of its own, which a command has on its path."""

import os
import sys
from pathlib import Path

import pytest
import warm

# `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))


@pytest.fixture
def installed(tmp_path):
    """Install a plugin with that code, as pip would, and return the folder."""

    def installing(name, code, requires="kiro-core>=0.1"):
        folder, stem = tmp_path / "site" / name, name.replace("-", "_")
        info = folder / f"{stem}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{stem}.py").write_text(code)
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: {requires}\n"
        (info / "METADATA").write_text(about)
        (info / "entry_points.txt").write_text(f"[kiro_core]\n{name} = {stem}\n")
        return folder

    return installing


@pytest.fixture
def kiro(tmp_path):
    """Run a command to its end, with the plugins of these folders, without any agent program."""

    def run(*arguments, plugins=(), settings=()):
        path = os.pathsep.join(map(str, plugins))
        chosen = [word for setting in settings for word in ("--set", setting)]
        env = os.environ | {"PATH": str(tmp_path / "bin"), "PYTHONPATH": path}
        return warm.run([warm.PROGRAM, *arguments, *chosen], cwd=tmp_path, env=env)

    return run
