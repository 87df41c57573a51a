"""What docs/start.md tells a newcomer to type works, in its order, in the home of somebody who has nothing yet."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from kiro_core.settings import load_settings

PAGE = (Path(__file__).parents[2] / "docs" / "start.md").read_text("utf-8")
DENIED = 'kiro-core run --engine rehearsal "/permission Delete old backups"'
SOME_ID = "3f2a"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


DEMO, *REST = "".join(blocks("sh")).splitlines()


@pytest.fixture
def typed(kiro):
    """Type a line; what came of it."""

    def typing(line):
        program, *words = shlex.split(line)
        assert program == "kiro-core"
        return kiro(*words)

    yield typing
    kiro("serve", "stop")


def test_it_begins_with_the_demo_which_has_tests_of_its_own():
    assert DEMO == "kiro-core demo"


def test_every_other_command_works_in_its_order(typed):
    printed = {}
    for line in REST:
        newest = json.loads(typed("kiro-core sessions list --json").stdout)[0]["id"] if SOME_ID in line else ""
        done = typed(line.replace(SOME_ID, newest[:8]))
        assert done.returncode == (5 if line == DENIED else 0), (line, done.stdout, done.stderr)
        printed[line] = done.stdout
    assert "Remember the number 7." in printed['kiro-core run -s first "Which number was it?"']
    assert "sessions  0" in printed["kiro-core serve status"]


def test_its_settings_are_settings():
    (text,) = blocks("toml")
    assert load_settings(tomllib.loads(text)).engine == "kiro"
