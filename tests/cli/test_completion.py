"""What a shell offers when a person presses the key for completion."""

import json
import os
import shutil
import subprocess
import sys

import pytest


@pytest.fixture
def offered(kiro):
    """What is offered behind the words of a line, of which the last is being written."""

    def offering(*words):
        line = {"COMP_WORDS": " ".join(["kiro-core", *words]), "COMP_CWORD": str(len(words))}
        told = kiro(_KIRO_CORE_COMPLETE="bash_complete", **line)
        assert (told.returncode, told.stderr) == (0, "")
        return [line.partition(",")[2] for line in told.stdout.splitlines() if line]

    return offering


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_it_can_read(kiro, shell):
    told = kiro("completion", shell)
    assert told.returncode == 0
    assert "_KIRO_CORE_COMPLETE" in told.stdout
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=told.stdout, text=True, timeout=60, check=True)


def test_another_shell_is_wrong_usage(kiro):
    assert kiro("completion", "tcsh").returncode == 2


def test_the_help_says_where_the_script_belongs(kiro):
    told = kiro("completion", "--help").stdout
    for place in ("~/.bashrc", "~/.zshrc", "~/.config/fish/completions/kiro-core.fish"):
        assert place in told


def test_commands_are_offered(offered):
    assert offered("eng") == ["engines"]
    assert offered("serve", "st") == ["start", "status", "stop"]
    assert offered("serve", "--b") == ["--background"]
    assert {"show", "login", "kiro", "codex"} <= set(offered("engines", ""))


def test_engines_are_offered_those_of_the_settings_included(offered):
    assert offered("engines", "login", "open") == ["opencode", "openhands"]
    assert offered("run", "--engine", "me") == ["mem"]
    assert offered("engines", "--probe", "me") == ["mem"]
    assert offered("acp", "--login", "me") == ["mem"]


def test_agents_of_the_folder_are_offered(offered, tmp_path):
    (tmp_path / ".kiro" / "agents").mkdir(parents=True)
    (tmp_path / ".kiro" / "agents" / "review.json").write_text(json.dumps({"name": "review"}))
    assert offered("run", "--agent", "re") == ["review"]
    assert offered("agents", "show", "") == ["review", "kiro_default"]


def test_sessions_are_offered_by_their_ids(offered, kiro):
    session = json.loads(kiro("run", "--engine", "rehearsal", "--output", "json", "Hello").stdout)["sessionId"]
    assert offered("run", "--session", session[:3]) == [session]
    assert offered("sessions", "show", "") == [session]


@pytest.mark.parametrize("words", [("run", "--engine", ""), ("run", "--agent", ""), ("run", "--session", "")])
def test_broken_settings_offer_nothing_and_are_silent(offered, home, words):
    (home / "kiro.toml").write_text("broken")
    assert offered(*words) == []


def test_a_damaged_cache_of_engines_is_silent(offered, home):
    (home / "engines.json").write_text("{")
    assert offered("engines", "login", "kir") == ["kiro"]


def test_engines_are_offered_without_loading_any_plugin(environment):
    code = """
import sys
from kiro_core.cli import main
try:
    main()
except SystemExit:
    sys.stderr.write(" ".join(sys.modules))
"""
    line = {"_KIRO_CORE_COMPLETE": "bash_complete", "COMP_WORDS": "kiro-core run --engine co", "COMP_CWORD": "3"}
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=os.environ | environment | line,
    )
    assert "plain,codex" in told.stdout
    assert not {"pydantic", "kiro_files", "rich"} & set(told.stderr.split())
