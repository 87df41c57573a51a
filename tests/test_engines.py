"""Which agent program is started, and that a stand-in is never started silently."""

import sys

import pytest

from kiro_core.engines import choose_engine, installed, load_engines
from kiro_core.errors import EngineNotFound, SettingsError, UnknownName
from kiro_core.settings import EngineSettings


def which(*programs):
    return lambda program: f"/bin/{program}" if program in programs else None


@pytest.fixture
def engines(monkeypatch):
    monkeypatch.setattr("kiro_core.engines.find_spec", lambda module: module == "kiro_core" or None)
    return load_engines({})


def test_every_built_in_entry_can_be_started_and_says_how_to_get_it(engines):
    for name, engine in engines.items():
        assert engine.name == name
        assert engine.command
        assert engine.title
        assert engine.install.endswith(".")
        assert engine.agents in {"", "mode"}


def test_kiro_takes_agents_by_mode_and_reports_its_mcp_servers(engines):
    assert list(engines["kiro"].command) == ["kiro-cli", "acp"]
    assert engines["kiro"].agents == "mode"
    assert engines["kiro"].reports_mcp


def test_claude_is_started_without_the_marks_of_an_outer_agent(engines):
    assert "CLAUDECODE" in engines["claude"].unset


def test_the_rehearsal_runs_in_the_running_python_and_imports_nothing_from_the_folder_of_its_session(engines):
    assert list(engines["rehearsal"].command) == [sys.executable, "-P", "-m", "kiro_core.rehearsal"]
    assert installed(engines["rehearsal"], which())


def test_settings_add_an_engine():
    mine = load_engines({"mine": EngineSettings(command=["{python}", "a.py"], env={"KEY": "x"})})["mine"]
    assert list(mine.command) == [sys.executable, "a.py"]
    assert mine.env == {"KEY": "x"}
    assert mine.origin == "settings"


def test_settings_change_only_what_they_name():
    built_in = load_engines({})["claude"]
    changed = load_engines({"claude": EngineSettings(env={"ANTHROPIC_MODEL": "x"})})["claude"]
    assert changed.env == {"ANTHROPIC_MODEL": "x"}
    assert (changed.command, changed.unset, changed.title) == (built_in.command, built_in.unset, built_in.title)
    assert changed.origin != built_in.origin


def test_a_new_engine_needs_a_command():
    with pytest.raises(SettingsError) as caught:
        load_engines({"codx": EngineSettings(title="Codex")})
    assert str(caught.value) == (
        "Settings: engines.codx has no command and changes no built-in engine; did you mean 'codex'?"
    )
    assert 'engines.codx.command = ["program", "argument"]' in caught.value.hint


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"requested": "codex", "for_agent": "qwen", "default": "gemini"}, "codex"),
        ({"for_agent": "qwen", "default": "gemini"}, "qwen"),
        ({"default": "gemini"}, "gemini"),
        ({}, "kiro"),
    ],
)
def test_the_first_name_given_decides_and_then_kiro(engines, names, expected):
    chosen = choose_engine(engines, **names, which=which("kiro-cli", "codex-acp", "qwen", "gemini"))
    assert (chosen.engine.name, chosen.said) == (expected, "")


def test_the_only_engine_that_is_installed_is_used_and_said(engines):
    chosen = choose_engine(engines, which=which("opencode"))
    assert chosen.engine.name == "opencode"
    assert chosen.said == "Engine 'opencode' is used: it is the only agent program that is installed."


def test_several_engines_are_listed_and_none_is_used(engines):
    with pytest.raises(EngineNotFound) as caught:
        choose_engine(engines, which=which("codex-acp", "gemini"))
    assert str(caught.value) == "Several agent programs are installed and none is chosen: codex, gemini."
    assert "--engine codex" in caught.value.hint
    assert caught.value.details["installed"] == ["codex", "gemini"]


def test_without_any_engine_the_error_says_what_was_looked_for_and_how_to_get_one(engines):
    with pytest.raises(EngineNotFound) as caught:
        choose_engine(engines, which=which())
    assert "kiro-cli" in str(caught.value)
    assert "deepagents_acp" in str(caught.value)
    assert "npm install -g opencode-ai" in caught.value.hint
    assert "--engine rehearsal" in caught.value.hint
    assert "rehearsal" not in caught.value.details["looked_for"]


def test_the_rehearsal_is_used_only_when_it_is_named(engines):
    assert choose_engine(engines, requested="rehearsal", which=which()).engine.name == "rehearsal"


def test_a_named_engine_that_is_not_installed_has_no_stand_in(engines):
    with pytest.raises(EngineNotFound) as caught:
        choose_engine(engines, default="codex", which=which("kiro-cli"))
    assert str(caught.value) == (
        "Engine 'codex', the default in the settings, is not installed: 'codex-acp' cannot be found."
    )
    assert caught.value.hint == "Install it with: npm install -g @agentclientprotocol/codex-acp."


def test_an_unknown_engine_is_told_with_the_near_miss(engines):
    with pytest.raises(UnknownName) as caught:
        choose_engine(engines, requested="codx", which=which("kiro-cli"))
    assert str(caught.value) == "No engine is called 'codx' (asked for); did you mean 'codex'?"
    assert "claude, cline, codex" in caught.value.hint


@pytest.mark.parametrize(
    ("mode", "words"), [(0o600, "is not executable"), (None, "is a folder"), (0, "cannot be found")]
)
def test_a_program_that_cannot_be_started_is_named_with_the_reason(tmp_path, mode, words):
    program = tmp_path / "agent"
    if mode is None:
        program.mkdir()
    elif mode:
        program.touch(mode)
    engines = load_engines({"mine": EngineSettings(command=[str(program)])})
    with pytest.raises(EngineNotFound, match=words):
        choose_engine(engines, requested="mine")
