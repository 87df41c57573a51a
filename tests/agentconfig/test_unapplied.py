"""What a configuration says and an engine cannot be made to do is told, once and with its reason."""

import pytest

from kiro_core.engines import load_engines, unapplied
from kiro_core.types import AgentConfig

ENGINES = load_engines({})


def fields_of(engine, fields, *, natively=False, **more):
    told = unapplied(AgentConfig("a", fields=fields, **more), ENGINES[engine], natively=natively)
    assert all(line.endswith(".") for line in told)
    return [line.partition(":")[0] for line in told]


def test_what_an_engine_that_does_not_ask_cannot_do_is_named_with_its_reason():
    fields = {"allowedTools": ["read"], "permissions": [], "hooks": {"preToolUse": [{"command": "x"}], "stop": []}}
    assert fields_of("codex", fields) == ["allowedTools", "hooks.preToolUse"]
    (line, _) = unapplied(AgentConfig("a", fields=fields), ENGINES["codex"], natively=False)
    assert line == f"allowedTools: {ENGINES['codex'].title} does not ask before it uses a tool."


def test_what_an_engine_takes_is_not_named():
    hooks = {"stop": [{"command": "x"}], "postToolUse": [{"command": "x"}], "unheardOf": [{"command": "x"}]}
    assert fields_of("codex", {"name": "a", "prompt": "x", "hooks": hooks, "own": 1, "toolAliases": None}) == []
    assert fields_of("claude", {"allowedTools": ["read"], "toolAliases": {"a": "b"}}) == ["toolAliases"]
    assert fields_of("kiro", {"toolAliases": {"a": "b"}}, natively=True) == []
    assert fields_of("deepagents", {"mcpServers": {"a": {"command": "b"}}}) == ["mcpServers"]


@pytest.mark.parametrize(
    ("tools", "named"), [(["*"], []), ("*", []), (None, []), ([], ["tools"]), (["read"], ["tools"])]
)
def test_a_list_of_all_tools_asks_for_nothing_and_an_empty_one_for_much(tools, named):
    assert fields_of("codex", {"tools": tools}) == named
