"""A new plugin of each kind does what its README says: it is built, installed, tested by its own tox, chosen and used.

`tox -e skeletons` runs it, in a folder that it names; without one there is nothing to build in.
"""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from kiro_core.cli.new_plugin.kinds import ABOUT

ROOT = Path(__file__).parents[2]
FOLDER = "SKELETONS_FOLDER"
BOUND_S = 900
HERE = f"py{sys.version_info.major}{sys.version_info.minor}"
ENVIRONMENTS = [f"{HERE}-coremin-asyncio", f"{HERE}-coremain-trio", "lint", "types"]

pytestmark = pytest.mark.skipif(
    FOLDER not in os.environ, reason=f"{FOLDER} names the folder in which plugins are built"
)


@cache
def wheels():
    """A folder with our own wheel, from which pip takes it where others take it from an index."""
    folder = Path(os.environ[FOLDER]) / "wheels"
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT],
        check=True,
        timeout=BOUND_S,
    )
    return folder


@pytest.fixture
def environment():
    """That of a person: without what tox has told us, and with our wheel where pip looks."""
    ours = ("TOX_", "KIRO_", "PYTHON", "COV_", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"PIP_FIND_LINKS": f"{wheels()} {kept.get('PIP_FIND_LINKS', '')}".strip()}


@pytest.fixture
def shell(tmp_path, environment):
    """Run a line of a README in the environment of a new venv, and in a folder."""
    place = Path(os.environ[FOLDER]) / tmp_path.name
    subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True, timeout=BOUND_S)
    path = f"{place / 'bin'}{os.pathsep}{environment['PATH']}"

    def run(line, cwd):
        told = subprocess.run(
            ["sh", "-c", line],
            cwd=cwd,
            env=environment | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=BOUND_S,
            check=False,
        )
        assert told.returncode == 0, f"{line}\n{told.stdout}\n{told.stderr}"
        return told.stdout + told.stderr

    return run


def blocks(language, text):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("kind", ABOUT)
def test_a_new_plugin_does_what_its_readme_says(kind, shell, tmp_path, home):
    shell("pip install -q kiro-core", tmp_path)
    told = shell(f"kiro-core new-plugin acme-vault --kind {kind}", tmp_path)
    plugin = tmp_path / "acme-vault"
    readme = (plugin / "README.md").read_text()
    _, trial, by_tox, here = blocks("sh", readme)
    for line in here.splitlines():
        assert f"  {line}\n" in told
        said = shell(line, plugin)
    assert re.search(r"\d+ passed", said)
    assert re.search(r"acme-vault +acme-vault +0\.1\.0 +[a-z ]+ acme-vault: ", shell("kiro-core plugins", plugin))
    assert trial in told.replace("  ", "")
    shell(trial, plugin)
    home.mkdir(parents=True, exist_ok=True)
    (home / "kiro.toml").write_text(*blocks("toml", readme))
    assert "broken" not in shell("kiro-core check", plugin)
    install, run = by_tox.splitlines()
    shell(install, plugin)
    listed = shell("tox -q -l", plugin).split()
    assert ({*ENVIRONMENTS} < {*listed}, len(listed)) == (True, 4 * 2 * 2 + 2)
    shell(f"{run} -e {','.join(ENVIRONMENTS)}", plugin)
    shell("pip wheel -q --no-deps -w dist .", plugin)
    (wheel,) = (plugin / "dist").iterdir()
    shell(f"pip uninstall -q -y acme-vault && pip install -q {wheel} && pytest -q", plugin)
