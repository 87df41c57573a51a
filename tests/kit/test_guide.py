"""The guide for authors of plugins shows what works: its program runs, and its classes are contracts."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import kiro_core.testing

GUIDE = (Path(__file__).parents[2] / "docs" / "testing-plugins.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
PROGRAMS = [code for code in SNIPPETS if "anyio.run" in code]


@pytest.mark.parametrize("code", PROGRAMS)
def test_its_program_runs(code):
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("code", [code for code in SNIPPETS if code not in PROGRAMS])
def test_its_classes_are_contracts(code):
    names = dict.fromkeys(["converse", "irc_client"])
    exec(code, names | {"pytest": pytest} | vars(kiro_core.testing))


def test_it_names_every_contract_and_every_double():
    for name in kiro_core.testing.__all__:
        assert re.search(rf"\b{name}\b", GUIDE) or name == "Promise", name
