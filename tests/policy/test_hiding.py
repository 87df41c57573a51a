"""What an agent program tells of a call cannot hide what it does, neither by mistake nor on purpose."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.engines import load_engines
from kiro_core.policy import ToolUse, identify, told
from kiro_core.policy.expressions import globs, regular
from kiro_core.policy.paths import Patterns, Place

ENGINES = load_engines({})
FENCED = {"toolsSettings": {"shell": {"allowedCommands": ["ls.*"], "deniedCommands": ["rm .*"]}}}


def call(**fields):
    return {"toolCallId": "1", **fields}


def known_of(*updates):
    known = None
    for update in updates:
        known = told(known, update)
    return known


# Which tool it is


def test_a_tool_call_begins_anew_whatever_had_its_id_before():
    first = call(sessionUpdate="tool_call", title="shell", kind="execute", rawInput={"command": "ls"})
    second = call(sessionUpdate="tool_call", title="write", kind="edit")
    known = known_of(first, second)
    assert (known["announced"], known["title"], known["rawInput"]) == ("write", "write", {})
    use = identify(call(), ENGINES["rehearsal"], (), known)
    assert (use.tool, use.command) == ("write", None)
    assert identify(second, ENGINES["rehearsal"], (), known_of(first)).tool == "write"


@pytest.mark.parametrize(
    ("engine", "first", "then"),
    [
        ("rehearsal", {"title": "write"}, {"title": "read"}),
        ("rehearsal", {"name": "write"}, {"name": "read"}),
        ("claude", {"name": "Bash"}, {"name": "Read"}),
        ("claude", {"_meta": {"claudeCode": {"toolName": "Bash"}}}, {"name": "Read"}),
        ("kimi", {"title": "Bash"}, {"title": "Read"}),
        ("cline", {"rawInput": {"tool": "webFetch"}}, {"rawInput": {"tool": "readFile"}}),
        ("rehearsal", {"title": "@hub/ask"}, {"title": "read"}),
    ],
)
def test_a_call_that_is_named_as_another_tool_than_before_is_neither(engine, first, then):
    both = [identify(call(**each), ENGINES[engine], ["hub"]).tool for each in (first, then)]
    if len(set(both)) < 2 or "" in both:
        pytest.fail(f"these are not two tools of {engine}: {both}")
    start, update = call(sessionUpdate="tool_call", **first), call(sessionUpdate="tool_call_update", **then)
    asked = identify(call(**then), ENGINES[engine], ["hub"], known_of(start))
    renamed = identify(call(), ENGINES[engine], ["hub"], known_of(start, update))
    assert asked.tool == renamed.tool == ""


def test_a_call_may_be_named_later_and_by_what_is_no_tool_besides():
    known = known_of(call(sessionUpdate="tool_call", title="Working"), call(title="Reading a.txt", name="Read"))
    assert identify(call(title="Something else"), ENGINES["claude"], (), known).tool == "read"


# Which command it is


@pytest.mark.parametrize("other", ["rm -rf ~", ["rm", "-rf", "/"]])
@pytest.mark.parametrize("key", ["command", "cmd"])
def test_of_two_texts_of_a_command_none_is_allowed_and_each_is_denied(policy, use, key, other):
    first, second = ("command", "cmd") if key == "command" else ("cmd", "command")
    two = use("shell", "execute", **{first: "ls", second: other})
    assert two.command is None
    assert policy(FENCED).decide(two).effect == "deny"
    allowing = policy({"toolsSettings": {"shell": {"allowedCommands": [".*"], "autoAllowReadonly": True}}})
    assert allowing.decide(two).effect == "ask"
    assert allowing.remember(two, "allow_always", {}) == {}
    assert "ls" in two.recorded()["commands"]


@pytest.mark.parametrize("other", [5, {"x": 1}, [1]])
def test_neither_is_one_beside_which_something_stands_that_cannot_be_read(policy, use, other):
    assert policy(FENCED).decide(use("shell", "execute", command="ls", cmd=other)).effect == "ask"


def test_the_same_text_twice_is_one_command(use):
    assert use("shell", "execute", command="ls", cmd="ls").command == "ls"
    assert use("shell", "execute", command="", cmd="ls").command == "ls"


def test_a_call_that_only_its_kind_names_is_not_a_shell_with_two_commands():
    two = identify(call(kind="execute", rawInput={"command": "ls", "cmd": "rm x"}), ENGINES["gptme"], ())
    assert (two.tool, two.commands) == ("", ("ls", "rm x"))


# With which environment it runs


@pytest.mark.parametrize("name", ["A", "a-b", "PATH"])
def test_a_command_with_an_environment_is_allowed_by_no_pattern_and_still_denied(policy, name):
    given = {name: "of mine"}
    allowing = policy({"toolsSettings": {"shell": {"allowedCommands": [".*"], "autoAllowReadonly": True}}})
    assert allowing.decide(ToolUse.running("ls", ["-l"])).effect == "allow"
    assert allowing.decide(ToolUse.running("ls", ["-l"], {})).effect == "allow"
    assert allowing.decide(ToolUse.running("ls", ["-l"], given)).effect == "ask"
    assert policy(FENCED).decide(ToolUse.running("rm", ["x"], given)).effect == "deny"
    denying = policy({"toolsSettings": {"shell": {"deniedCommands": [f".*{name}='of mine' ls.*"]}}})
    assert denying.decide(ToolUse.running("ls", (), given)).effect == "deny"


def test_of_an_environment_only_the_names_are_told_recorded_and_shown(policy):
    use = ToolUse.running("make", ["all"], {"TOKEN": "S3CRET", "B": "S3CRET"})
    assert use.recorded()["command"] == use.title == "TOKEN=... B=... make all"
    kept = [policy().remember(use, kind, {}) for kind in ("allow_always", "reject_always")]
    assert kept == [{}, {}]
    shown = [repr(use), json.dumps(use.recorded()), json.dumps(use.input), repr(policy(FENCED).decide(use))]
    assert [text for text in shown if "S3CRET" in text] == []
    assert any("S3CRET" in text for text in use.commands)


# What is named as one text and stands for more


def test_a_name_alone_is_a_list_of_one(policy, use):
    assert policy({"excludedTools": "shell"}).decide(use("shell", command="ls")).effect == "deny"
    assert policy({"allowedTools": "shell"}).decide(use("shell", command="ls")).effect == "allow"
    assert policy({"tools": "read"}).decide(use("read", path="a.txt")).effect == "allow"


@pytest.mark.parametrize(
    ("capability", "denied"),
    [
        ("filesystem", {"read", "write", "grep"}),
        ("builtin", {"read", "write", "grep", "shell", "subagent", "thinking"}),
        ("all", {"read", "write", "grep", "shell", "subagent", "thinking", "@git/push"}),
    ],
)
def test_a_capability_may_stand_for_several(policy, use, capability, denied):
    tools = ["read", "write", "grep", "shell", "subagent", "thinking", "@git/push"]
    for match in ([], ["/etc/**"]):
        rules = [{"capability": capability, "effect": "deny", "match": match}]
        decided = policy({"permissions": rules}).decide
        found = {tool for tool in tools if decided(use(tool, path="/etc/x")).effect == "deny"}
        assert found == (denied if not match else denied & {"read", "write", "grep"})


# How long it takes to tell

SLOW = """
from kiro_core.policy.expressions import globs, regular
from kiro_core.policy.paths import Patterns, Place
assert not globs(["*a" * 40 + "b"])[0].fullmatch("a" * 8000)
assert not globs(["*a" * 40 + "b *"])[0].fullmatch("a" * 8000)
assert not regular(["(a|aa)+b"])[0].fullmatch("a" * 8000)
"""


def test_no_glob_and_no_pattern_keeps_the_desk_from_its_work():
    assert subprocess.run([sys.executable, "-c", SLOW], check=False, timeout=120).returncode == 0


def naive(glob):
    """The texts that a glob matches, without any thought of time."""
    begin, rest = (glob[:-2], " ") if glob.endswith(" *") else (glob, None)

    def match(pattern, text):
        if not pattern:
            return not text or (rest is not None and text.startswith(rest))
        if pattern[0] == "*":
            return any(match(pattern[1:], text[at:]) for at in range(len(text) + 1))
        return bool(text) and pattern[0] in ("?", text[0]) and match(pattern[1:], text[1:])

    return lambda text: match(begin, text)


@given(st.text("ab *?", max_size=7), st.text("ab \n", max_size=7))
def test_a_glob_matches_what_its_stars_can_stand_for(glob, text):
    assert bool(globs([glob])[0].fullmatch(text)) == naive(glob)(text)


def test_a_pattern_that_cannot_be_used_is_on_the_safe_side():
    assert not regular(["(?!x)y"])[0].fullmatch("y")
    assert regular(["(?!x)y"], denying=True)[0].fullmatch("anything\nat all")


SLOW_PATHS = """
from pathlib import Path
from kiro_core.policy.paths import Patterns, Place
place = Place("/nowhere", (), Path("/home/me"))
for glob in ("/" + "*a" * 40 + "b", "/" + "**/" * 40 + "b", "{a,b}" * 40):
    patterns = Patterns.of([glob], place, below=True)
    assert not patterns.covers("/" + "a" * 3000)
    assert patterns.touches("/" + "a" * 3000) == ("{" in glob)
"""


def test_no_glob_of_paths_does_either_and_too_many_braces_are_on_the_safe_side():
    assert subprocess.run([sys.executable, "-c", SLOW_PATHS], check=False, timeout=120).returncode == 0


def test_braces_in_the_name_of_the_folder_are_only_its_name(tmp_path):
    place = Place(str(tmp_path / "{a,b}"), (), tmp_path)
    patterns = Patterns.of(["src"], place, below=True)
    assert patterns.covers("src/x")
    assert not patterns.touches("other")
