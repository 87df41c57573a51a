"""What an editor is told, and that nothing of what a person wrote into its settings is lost."""

import json
import re
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.agentconfig.jsonc import NotJson, parse
from kiro_core.cli.connect.merging import Unmergeable, with_entry

PROGRAM = Path(sys.executable).with_name("kiro-core")
CODE = ("Library/Application Support" if sys.platform == "darwin" else ".config") + "/Code/User"
PLACES = {
    "zed": ".config/zed/settings.json",
    "jetbrains": ".jetbrains/acp.json",
    "vscode": f"{CODE}/settings.json",
    "claude-code": ".claude.json",
    "copilot": f"{CODE}/mcp.json",
    "cursor": ".cursor/mcp.json",
    "gemini": ".gemini/settings.json",
}
TABLES = {
    "zed": "agent_servers",
    "jetbrains": "agent_servers",
    "vscode": "acp.agents",
    "claude-code": "mcpServers",
    "copilot": "servers",
    "cursor": "mcpServers",
    "gemini": "mcpServers",
}
KINDS = {"zed": "custom", "claude-code": "stdio", "copilot": "stdio"}


def started(editor):
    """The arguments with which it starts us."""
    return ["acp"] if editor in ("zed", "jetbrains", "vscode") else ["mcp", "serve"]


@pytest.fixture
def settings(home):
    """The settings file of an editor, which is not there yet."""
    return lambda editor: home.parent / PLACES[editor]


@pytest.mark.parametrize("editor", PLACES)
def test_the_snippet_starts_this_program_and_the_place_is_told(kiro, settings, editor):
    told = kiro("connect", editor)
    entry = json.loads(told.stdout)[TABLES[editor]]["kiro-core"]
    assert (entry["command"], entry["args"]) == (str(PROGRAM), started(editor))
    assert entry.get("type") == KINDS.get(editor)
    assert str(settings(editor)) in told.stderr
    assert not settings(editor).exists()


def test_vscode_needs_an_extension_and_that_is_said(kiro):
    assert "formulahendry.acp-client" in kiro("connect", "vscode").stderr


def test_the_choices_of_the_command_line_are_those_of_the_editor(kiro, tmp_path):
    (tmp_path / "my.toml").touch()
    told = kiro("connect", "zed", "--engine", "codex", "--agent", "review", "--config", "my.toml")
    arguments = json.loads(told.stdout)["agent_servers"]["kiro-core"]["args"]
    assert arguments == ["acp", "--agent", "review", "--engine", "codex", "--config", str(tmp_path / "my.toml")]


def test_a_host_of_mcp_starts_what_the_command_line_chooses(kiro):
    told = kiro("connect", "claude-code", "--engine", "codex")
    arguments = json.loads(told.stdout)["mcpServers"]["kiro-core"]["args"]
    assert arguments == ["mcp", "serve", "--engine", "codex"]


@pytest.mark.parametrize("editor", PLACES)
def test_a_file_that_is_missing_is_made(kiro, settings, editor):
    told = kiro("connect", editor, "--write")
    assert told.returncode == 0
    assert str(settings(editor)) in told.stdout
    assert json.loads(settings(editor).read_text())[TABLES[editor]]["kiro-core"]["args"] == started(editor)
    assert stat.S_IMODE(settings(editor).stat().st_mode) == 0o600


WRITTEN = """// My settings
{
    "theme": "One Dark", // dark
    /* agents */
    "agent_servers": {
        "Mine": {"command": "mine", "args": []}, // keep
    },
    "tab_size": 4,
}
"""


def test_what_is_there_stays_byte_for_byte_with_its_comments_and_mode(kiro, settings):
    path = settings("zed")
    path.parent.mkdir(parents=True)
    path.write_text(WRITTEN)
    path.chmod(0o640)
    told = kiro("connect", "zed", "--write")
    assert told.returncode == 0
    begin, end = re.split(r'\n        "kiro-core": \{.*?\n        \},', path.read_text(), flags=re.DOTALL)
    assert begin + end == WRITTEN
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    (backup,) = path.parent.glob("settings.json.*.bak")
    assert backup.read_text() == WRITTEN
    assert str(backup) in told.stderr


def test_writing_twice_changes_nothing_more(kiro, settings):
    path = settings("zed")
    path.parent.mkdir(parents=True)
    path.write_text(WRITTEN)
    kiro("connect", "zed", "--write")
    before = path.read_bytes()
    assert kiro("connect", "zed", "--write").returncode == 0
    assert path.read_bytes() == before
    assert len(list(path.parent.glob("*.bak"))) == 1


def test_a_link_to_the_settings_stays_a_link(kiro, settings, tmp_path):
    path, real = settings("zed"), tmp_path / "dotfiles.json"
    real.write_text("{}")
    path.parent.mkdir(parents=True)
    path.symlink_to(real)
    kiro("connect", "zed", "--write")
    assert path.is_symlink()
    assert "kiro-core" in real.read_text()


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ('{"agent_servers": {"kiro-core": {"command": "other"}}}', "another 'kiro-core'"),
        ('{"agent_servers": {"kiro-core": {}, "kiro-core": {}}}', "another 'kiro-core'"),
        ('{"agent_servers": {}, "agent_servers": {}}', "more than once"),
        ('{"agent_servers": []}', "not as an object"),
        ("[]", "no JSON object"),
        ('{"a": 1,\n  "b" 2}', "line 2 is not JSON"),
        ('{"a": 1}\n{"b": 1}', "line 2 is not JSON"),
        ("{" * 5000, "is not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_merged_safely_is_left_alone_with_a_sentence(kiro, settings, written, reason):
    path = settings("jetbrains")
    path.parent.mkdir(parents=True)
    raw = written if isinstance(written, bytes) else written.encode()
    path.write_bytes(raw)
    told = kiro("connect", "jetbrains", "--write")
    assert (told.returncode, told.stdout) == (1, "")
    assert f"{path} was not changed: " in told.stderr
    assert reason in told.stderr
    assert path.read_bytes() == raw
    assert list(path.parent.iterdir()) == [path]


def test_an_unwritable_place_is_a_sentence(kiro, settings):
    settings("jetbrains").parent.parent.mkdir(exist_ok=True)
    settings("jetbrains").parent.touch()
    told = kiro("connect", "jetbrains", "--write")
    assert told.returncode == 1
    assert "was not changed" in told.stderr


BLANKS = st.sampled_from(["", " ", "\n", "\r\n  ", ' // note " } ,\n', '/* {"x": 1} */'])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def commented(draw, value):
    """JSON of a value with blanks and comments between any two signs, and trailing commas."""

    def write(part):
        if isinstance(part, dict):
            rows = [f"{blank()}{json.dumps(key)}{blank()}:{blank()}{write(one)}{blank()}" for key, one in part.items()]
            return "{" + ",".join(rows) + (draw(st.sampled_from(["", ","])) if rows else "") + blank() + "}"
        if isinstance(part, list):
            rows = [f"{blank()}{write(one)}{blank()}" for one in part]
            return "[" + ",".join(rows) + (draw(st.sampled_from(["", ","])) if rows else "") + blank() + "]"
        return json.dumps(part)

    def blank():
        return draw(BLANKS)

    return blank() + write(value) + blank()


@given(st.data(), st.dictionaries(st.sampled_from(["agent_servers", "a", "b"]), st.dictionaries(st.text(), VALUES)))
def test_any_commented_file_keeps_its_meaning_and_every_byte_around_the_entry(data, value):
    text = data.draw(commented(value))
    assert parse(text).value == value
    entry = {"command": "/x", "args": ["acp"]}
    try:
        merged = with_entry(text, "agent_servers", "kiro-core", entry)
    except Unmergeable:
        assert "kiro-core" in value.get("agent_servers", {})
        return
    expected = {**value, "agent_servers": {**value.get("agent_servers", {}), "kiro-core": entry}}
    assert parse(merged).value == expected
    begin = next(i for i, (was, now) in enumerate(zip(text + "\0", merged, strict=False)) if was != now)
    assert merged.endswith(text[begin:])
    assert with_entry(merged, "agent_servers", "kiro-core", entry) == merged


@given(st.text(alphabet='{}[]",: /*\n\\tru0'))
def test_text_that_is_no_json_is_refused_and_never_a_crash(text):
    try:
        value = parse(text).value
    except NotJson as refused:
        line, value = refused.line, None
        lines = range(1, text.count("\n") + 2)
    else:
        line, lines = 0, [0]
    assert line in lines
    json.dumps(value)
