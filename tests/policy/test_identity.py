"""What real agent programs ask, word for word, and which of Kiro's tools that is."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.agentconfig.tools import is_builtin
from kiro_core.engines import load_engines
from kiro_core.policy import ToolUse, compile_policy, identify, told
from kiro_core.types import AgentConfig

REQUESTS = [json.loads(line) for line in Path(__file__).with_name("requests.jsonl").read_text().splitlines()]
ENGINES = load_engines({})


def known_of(updates):
    known = None
    for update in updates:
        known = told(known, update)
    return known


def named(request):
    return f"{request['engine']}-{request['is']['tool']}"


@pytest.mark.parametrize("request_", REQUESTS, ids=map(named, REQUESTS))
def test_a_real_request_is_identified_with_what_it_works_on(request_):
    use = identify(request_["call"], ENGINES[request_["engine"]], ["mini"], known_of(request_["told"]))
    wanted = request_["is"]
    assert (use.tool, list(use.paths), use.command, list(use.urls)) == (
        wanted["tool"],
        wanted["paths"],
        wanted["command"],
        wanted["urls"],
    )
    assert use.identified
    assert use.call_id == request_["call"]["toolCallId"]


@pytest.mark.parametrize("engine", sorted({request["engine"] for request in REQUESTS}))
def test_every_engine_that_was_seen_asking_has_a_request_for_commands_or_files(engine):
    tools = {request["is"]["tool"] for request in REQUESTS if request["engine"] == engine}
    assert tools & {"shell", "write", "read"}


@pytest.mark.parametrize("name", ENGINES)
def test_a_table_names_only_tools_that_kiro_has(name):
    for target in ENGINES[name].tools.values():
        assert is_builtin(target) or target in {"{tool}", "@{server}/{tool}"}


def call(**fields):
    return {"toolCallId": "1", **fields}


def of(engine, *servers, known=None, **fields):
    return identify(call(**fields), ENGINES[engine], servers, known).tool


def test_a_name_that_is_not_known_falls_to_the_kind_when_it_is_told_what_it_works_on():
    assert of("claude", name="Novel", kind="read", rawInput={"file_path": "/x"}) == "read"
    assert of("claude", name="Novel", kind="execute", rawInput={"command": "ls"}) == "shell"
    assert of("gptme", kind="delete", locations=[{"path": "/x"}]) == "write"
    assert of("gptme", kind="fetch", rawInput={"url": "https://x"}) == "web_fetch"
    assert of("gptme", kind="search") == "grep"


@pytest.mark.parametrize(
    "kind", ["read", "edit", "delete", "move", "execute", "fetch", "think", "switch_mode", "other", "x"]
)
def test_a_kind_alone_identifies_nothing(kind):
    assert of("gptme", kind=kind, title="Read") == ""


def test_a_title_is_no_name_where_a_model_writes_it():
    assert of("opencode", kind="other", title="read") == "read"
    assert of("opencode", kind="execute", title="read", known=told(None, call(title="bash"))) == "shell"
    assert of("claude", kind="other", title="Read") == ""


def test_a_name_of_the_question_goes_before_what_was_announced():
    known = told(None, call(_meta={"toolName": "tool_call"}, kind="other"))
    assert of("qwen", "hub", known=known, _meta={"toolName": "mcp__hub__ask"}) == "@hub/ask"


def test_a_tool_of_a_server_is_its_own_whatever_its_name_and_kind():
    assert of("claude", name="mcp__x__Read", kind="read", rawInput={"path": "/x"}) == "@x/Read"
    assert of("claude", "my__hub", name="mcp__my__hub__ask") == "@my__hub/ask"
    assert of("claude", "my hub", name="mcp__my_hub__ask") == "@my hub/ask"
    assert of("codex", "hub", kind="execute", known=told(None, call(title="mcp.hub.ask", kind="execute"))) == "@hub/ask"


def test_a_name_that_may_be_two_tools_is_none():
    assert of("claude", name="mcp__a__b__c") == ""
    assert of("opencode", "a", "a_b", title="a_b_c", kind="read", rawInput={"path": "/x"}) == ""
    assert of("claude", "my hub", "my.hub", name="mcp__my_hub__ask") == ""
    assert of("rehearsal", "", title="@/x") == ""


def test_a_server_that_nobody_named_is_recognised_only_by_a_mark():
    assert of("opencode", title="other_tool", kind="other") == ""
    assert of("kimi", title="mcp__other__tool") == "@other/tool"


def test_arguments_are_found_under_their_many_names_and_deep_inside():
    inside = {"operations": [{"path": "/a"}, {"edits": [{"filePath": "/b"}, {"source": "/c", "destination": "/d"}]}]}
    use = identify(call(name="Read", rawInput=inside), ENGINES["claude"], ())
    assert use.paths == ("/a", "/b", "/c", "/d")


def test_a_command_as_a_list_is_quoted_as_a_shell_would_need_it():
    use = identify(call(kind="execute", rawInput={"command": ["rm", "a b"]}), ENGINES["gptme"], ())
    assert use.command == "rm 'a b'"
    use = identify(call(title="execute", rawInput={"command": "ls", "args": ["a;b"]}), ENGINES["fast-agent"], ())
    assert use.command == "ls 'a;b'"


def test_the_word_command_is_no_shell_command_in_another_tool():
    use = identify(call(title="write", rawInput={"command": "create", "path": "/a"}), ENGINES["rehearsal"], ())
    assert (use.tool, use.command) == ("write", None)


@pytest.mark.parametrize(
    "raw", [None, 1, "x", [], [1], {"command": 1}, {"path": {"path": [None, 3]}}, {"command": [1]}]
)
def test_arguments_of_any_shape_are_no_error(raw):
    use = identify(
        call(kind="execute", name=3, title=None, content=3, locations=[1], rawInput=raw), ENGINES["claude"], ()
    )
    assert not use.identified


def test_what_the_desk_itself_does_for_an_agent_is_a_use_like_any_other():
    assert ToolUse.reading("/a").paths == ("/a",)
    assert ToolUse.writing("/a").family == "fs_write"
    assert ToolUse.running("echo", ["a b", "$x"]).command == "echo 'a b' '$x'"
    assert ToolUse.running("echo a; ls").command == "echo a; ls"


def test_the_record_has_no_arguments_besides_what_was_worked_on():
    use = identify(call(name="Write", rawInput={"file_path": "/a", "content": "secret"}), ENGINES["claude"], ())
    assert use.recorded() == {"tool": "write", "name": "Write", "toolCallId": "1", "paths": ["/a"]}
    assert "secret" not in repr(use)


KEYS = st.sampled_from(
    ["path", "paths", "command", "cmd", "args", "url", "pattern", "tool", "agent_name", "stages", "x"]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.sampled_from(["file://[", "~", "\0", "/*"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3))
)
CALLS = st.dictionaries(
    st.sampled_from(["toolCallId", "title", "name", "kind", "rawInput", "content", "locations", "_meta", "status"]),
    st.one_of(
        JSON, st.sampled_from(["read", "edit", "execute", "search", "fetch", "shell", "glob", "use_aws", "subagent"])
    ),
)
ALL = {
    "name": "x",
    "allowedTools": ["@*"],
    "toolsSettings": {
        **{name: {"allowedPaths": ["a"], "deniedPaths": ["b"]} for name in ("read", "write", "grep", "glob")},
        "shell": {"allowedCommands": ["a"], "deniedCommands": ["b"], "autoAllowReadonly": True, "denyByDefault": True},
        "subagent": {"availableAgents": ["a"], "trustedAgents": ["b"]},
        "use_aws": {"allowedServices": ["a"], "deniedServices": ["b"]},
        "web_fetch": {"trusted": ["a"], "blocked": ["b"]},
    },
    "permissions": {"rules": [{"capability": "all", "match": ["a"], "exclude": ["b"], "effect": "deny"}]},
}


@given(CALLS, CALLS, st.sampled_from(sorted(ENGINES)))
def test_whatever_an_agent_sends_it_is_judged_and_recorded(first, second, engine):
    policy = compile_policy(AgentConfig("x", fields=ALL), cwd="/nowhere")
    use = identify(second, ENGINES[engine], ["hub"], told(None, first))
    assert policy.decide(use).effect in {"allow", "ask", "deny"}
    policy.learn(json.loads(json.dumps(policy.remember(use, "allow_always", {}))))
    policy.decide(use)
    json.dumps(use.recorded())


def test_what_is_known_of_a_call_has_none_of_its_output():
    known = told(
        None,
        call(title="Bash", rawInput={"command": "ls"}, content=[{"type": "diff", "path": "/a", "newText": "x" * 99}]),
    )
    known = told(
        known,
        call(
            rawOutput="y" * 99, content=[{"type": "content", "content": {"type": "text", "text": '{"command": "rm"}'}}]
        ),
    )
    assert len(json.dumps(known)) < 200
    assert known["rawInput"] == {"command": "ls"}
