"""Which agent program is started, and that a stand-in is never started silently."""

import stat
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kiro_core.agentconfig.format import AgentFormat
from kiro_core.engines import choose_engine, default_engine, field_ways, installed, load_engines, logins_of
from kiro_core.engines.learned import Learned, write_learned
from kiro_core.errors import EngineNotFound, SettingsError, UnknownName
from kiro_core.settings import EngineSettings, load_settings
from kiro_core.types import PeerInfo


def which(*programs):
    return lambda program: f"/bin/{program}" if program in programs else None


@pytest.fixture
def engines(monkeypatch):
    monkeypatch.setattr("kiro_core.engines.choice.find_spec", lambda module: module == "kiro_core" or None)
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


def test_the_table_is_honest_about_what_was_seen(engines):
    for engine in engines.values():
        assert bool(engine.seen) == bool(engine.version)
        assert not engine.seen or date.fromisoformat(engine.seen)
        for method in engine.logins:
            assert {"id", "name"} <= method.keys()
            assert method.get("type") != "terminal"


def test_the_commands_of_a_login_may_name_the_running_python():
    mine = load_engines({"mine": EngineSettings(command=["x"], login=["{python}", "login.py"])})["mine"]
    assert list(mine.login) == [sys.executable, "login.py"]


INFO = PeerInfo("Codex", "9.9", frozenset({"load", "image"}), logins=({"id": "web", "name": "Web"},))


def learn(home, command, info=INFO):
    write_learned(home / "engines.json", "codex", Learned.of(command, info, "2030-01-02"))


def test_what_a_probe_learned_corrects_the_entry(home):
    learn(home, ["codex-acp"])
    codex = load_engines({})["codex"]
    assert (codex.version, codex.seen, codex.abilities) == ("9.9", "2030-01-02", ("image", "load"))
    assert [method["id"] for method in codex.logins] == ["web"]
    assert codex.origin == "built-in, probed here"
    assert stat.S_IMODE((home / "engines.json").stat().st_mode) == 0o600


def test_what_was_learned_of_another_command_does_not_count(home):
    learn(home, ["codex-acp"])
    assert load_engines({"codex": EngineSettings(command=["codex-acp", "-x"])})["codex"].version != "9.9"


def test_a_command_is_not_readable_in_what_was_learned_since_it_may_hold_a_secret(home):
    learn(home, ["codex-acp", "--key", "s3cret"])
    assert "s3cret" not in (home / "engines.json").read_text()


def test_a_program_that_tells_no_login_since_it_is_logged_in_keeps_those_that_were_known(home):
    learn(home, ["codex-acp"], PeerInfo("Codex", "9.9"))
    assert [method["id"] for method in load_engines({})["codex"].logins] == ["api-key", "chat-gpt"]


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"codex": 1}', b"\xff", b"[" * 100_000])
def test_a_damaged_cache_is_ignored_with_a_word_and_mended_by_the_next_probe(home, caplog, damage):
    learn(home, ["codex-acp"])
    (home / "engines.json").write_bytes(damage)
    assert load_engines({})["codex"].origin == "built-in"
    assert "is ignored" in caplog.text
    learn(home, ["codex-acp"])
    assert load_engines({})["codex"].version == "9.9"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Install programs of these names, and no others."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("kiro_core.engines.choice.find_spec", lambda module: module == "kiro_core" or None)

    def install(*names):
        for name in names:
            (tmp_path / "bin" / name).touch(0o755)

    return install


@pytest.fixture
def told(programs, home, monkeypatch):
    """The name of the default engine with those programs and settings; the cheap way and a session's have to agree."""

    def telling(here, toml="", environ=None, changes=None, **given):
        programs(*here)
        home.mkdir(exist_ok=True)
        (home / "kiro.toml").write_text(toml)
        for name, value in (environ or {}).items():
            monkeypatch.setenv(name, value)
        settings = load_settings(changes or {})
        for_agent = settings.agent_engines.get(given.get("agent") or settings.agent, "")
        names = {"requested": given.get("engine", ""), "for_agent": for_agent, "default": settings.engine}
        try:
            real = choose_engine(load_engines(settings.engines), **names).engine
        except (EngineNotFound, UnknownName):
            real = None
        cheap = default_engine(changes or {}, **given)
        assert cheap == real
        return cheap and cheap.name

    return telling


@pytest.mark.parametrize(
    ("here", "sources", "expected"),
    [
        (["kiro-cli", "codex-acp"], {}, "kiro"),
        (["codex-acp"], {}, "codex"),
        (["codex-acp", "gemini"], {}, None),
        ([], {}, None),
        (["codex-acp", "gemini"], {"toml": 'engine = "gemini"'}, "gemini"),
        (["codex-acp", "gemini"], {"toml": 'engine = "gemini"', "environ": {"KIRO_CORE_ENGINE": "codex"}}, "codex"),
        (["codex-acp", "qwen"], {"environ": {"KIRO_CORE_ENGINE": "codex"}, "changes": {"engine": "qwen"}}, "qwen"),
        (["codex-acp", "qwen"], {"changes": {"engine": "codex"}, "engine": "qwen"}, "qwen"),
        (["gemini"], {"toml": 'engine = "codex"'}, None),
        (["gemini"], {"toml": 'engine = "nobody"'}, None),
        (["mine"], {"toml": '[engines.mine]\ncommand = ["mine"]'}, "mine"),
        (["mine"], {"toml": '[engines.kiro]\ncommand = ["mine"]'}, "kiro"),
        (["mine"], {"environ": {"KIRO_CORE_ENGINES__MINE__COMMAND": '["mine"]'}}, "mine"),
        (["codex-acp", "gemini"], {"toml": '[agent_engines]\nr = "codex"', "agent": "r"}, "codex"),
        (["codex-acp", "gemini"], {"toml": 'agent = "r"\n[agent_engines]\nr = "codex"'}, "codex"),
    ],
)
def test_the_default_engine_is_told_cheaply_as_a_session_gets_it(told, here, sources, expected):
    assert told(here, **sources) == expected


@pytest.mark.parametrize(
    "toml",
    [
        "engine = [1]",
        "engines = 5",
        "engines.codex = 5",
        "agent_engines = 5",
        "agent = []",
        "engines.new.title = 'x'",
        "[engines.codex]\ncomand = ['x']",
        "[engines.codex]\ncommand = 5",
        "nothing",
    ],
)
def test_settings_that_cannot_be_used_are_no_default_engine_but_a_settings_error(programs, home, toml):
    home.mkdir()
    (home / "kiro.toml").write_text(toml)
    with pytest.raises(SettingsError):
        default_engine({})


def test_a_client_with_a_terminal_is_offered_ours_beside_the_engines_own(engines):
    codex = engines["codex"]
    assert [method["id"] for method in logins_of(codex, PeerInfo())] == ["api-key", "chat-gpt"]
    (*own, ours) = logins_of(codex, PeerInfo(abilities=frozenset({"login-terminal"})))
    assert own == logins_of(codex, PeerInfo())
    assert (ours["type"], ours["args"]) == ("terminal", ["--login", "codex"])
    older = ours["_meta"]["terminal-auth"]
    assert older["args"] == ["engines", "login", "codex"]
    assert Path(older["command"]).is_absolute()
    assert logins_of(codex, PeerInfo(raw={"_meta": {"terminal-auth": True}}))[-1] == ours


def test_an_engine_without_any_login_offers_none(engines):
    assert logins_of(engines["rehearsal"], PeerInfo(abilities=frozenset({"login-terminal"}))) == []


def test_a_terminal_login_of_the_engines_own_is_not_passed_on_for_a_client_would_start_us_with_it(engines):
    told = [
        {"id": "tty", "name": "T", "type": "terminal", "args": ["--setup"]},
        {"id": "web", "name": "W", "_meta": {"terminal-auth": {"command": "x"}, "kept": 1}},
        {"id": "key", "name": "K", "_meta": {"type": "terminal", "args": ["-x"]}},
    ]
    methods = logins_of(replace(engines["codex"], logins=told), PeerInfo())
    assert methods == [{"id": "web", "name": "W", "_meta": {"kept": 1}}, {"id": "key", "name": "K"}]


def test_the_settings_teach_an_engine_names_of_tools_besides_its_own():
    added = {"claude": EngineSettings(tools={"Novel": "shell"}, told={"command": ["title"]})}
    claude = load_engines(added)["claude"]
    assert (claude.tools["Novel"], claude.tools["Bash"]) == ("shell", "shell")
    assert (list(claude.told["command"]), claude.told["name"][0]) == (["title"], "name")


def test_every_field_of_an_agent_configuration_has_a_way_to_every_engine(engines):
    written = AgentFormat.model_json_schema(by_alias=True)["properties"]
    known = written.keys() - {"$schema", "name", "description"}
    for engine in engines.values():
        ways = field_ways(engine)
        assert known <= ways.keys()
        assert all(way.way in {"native", "applied", "cannot"} and way.reason.endswith(".") for way in ways.values())


def test_kiro_reads_all_fields_itself_unless_it_is_not_handed_the_configuration(engines):
    assert {way.way for way in field_ways(engines["kiro"]).values()} == {"native"}
    assert "native" not in {way.way for way in field_ways(engines["kiro"], natively=False).values()}


def test_permissions_cannot_be_applied_to_an_engine_that_does_not_ask(engines):
    for name in ("codex", "hermes", "deepagents"):
        ways = field_ways(engines[name])
        assert {ways[each].way for each in ("allowedTools", "permissions", "hooks.preToolUse")} == {"cannot"}
        assert ways["hooks.postToolUse"].way == "applied"
    assert field_ways(engines["deepagents"])["mcpServers"].way == "cannot"
    assert "fs_read" in field_ways(engines["claude"])["permissions"].reason
    assert "ask about everything" in field_ways(engines["opencode"])["permissions"].reason
