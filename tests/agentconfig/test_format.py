"""What each field of a configuration may hold, and what a person is told of one that holds something else."""

import json
from pathlib import Path

import pytest

from kiro_core.agentconfig import AgentFormat, json_schema, load, typed
from kiro_core.agentconfig.advice import field_name
from kiro_core.agentconfig.names import FIELDS, OLD_NAMES
from kiro_core.agentconfig.toolsettings import merged
from kiro_core.errors import AgentConfigInvalid
from kiro_core.types import AgentConfig

EXAMPLES = Path(__file__).parent / "examples"


@pytest.fixture
def loaded(tmp_path):
    """Load a configuration of these fields."""

    def load_fields(**fields):
        path = tmp_path / "a.json"
        path.write_text(json.dumps(fields, indent=1))
        return load(path)

    return load_fields


def told(loaded):
    return [(problem.field, problem.severity) for problem in loaded.problems]


@pytest.mark.parametrize("name", ["published.json", "published.md"])
def test_a_published_example_has_no_problem(name):
    found = load(EXAMPLES / name)
    assert (found.problems, found.config is None) == ([], False)
    assert typed(found.config).description


def test_an_example_of_every_field_is_read_and_says_what_is_not_served():
    found = load(EXAMPLES / "every-field.json")
    assert told(found) == [("resources.3", "warning"), ("includePowers", "warning")]
    fields = typed(found.config)
    assert fields.model_extra == {}
    written = set(json.loads((EXAMPLES / "every-field.json").read_text()))
    assert written == {*json_schema()["properties"]} - {"systemPrompt", "useLegacyMcpJson"}
    assert fields.settings_of("read")["deniedPaths"] == ["./secrets/**", "./.env"]
    assert fields.settings_of("subagent") == {"availableAgents": ["docs-*"], "trustedAgents": ["docs-reader"]}


WRONG = [
    ({"description": 1}, "description", "valid string"),
    ({"prompt": []}, "prompt", "valid string"),
    ({"systemPrompt": 1}, "systemPrompt", "valid string"),
    ({"mcpServers": []}, "mcpServers", "object"),
    ({"tools": ["read", 7]}, "tools.1", "valid string"),
    ({"toolAliases": {"a": 1}}, "toolAliases.a", "valid string"),
    ({"allowedTools": {}}, "allowedTools", "valid list"),
    ({"excludedTools": [None]}, "excludedTools.0", "valid string"),
    ({"toolsSettings": {"shell": []}}, "toolsSettings.shell", "object"),
    ({"toolsSettings": {"fs_write": {"deniedPaths": "x"}}}, "toolsSettings.fs_write.deniedPaths", "valid list"),
    ({"toolsSettings": {"shell": {"denyByDefault": "yes"}}}, "toolsSettings.shell.denyByDefault", "valid boolean"),
    ({"permissions": {"rules": [{"effect": "deny"}]}}, "permissions.rules.0.capability", "missing"),
    ({"permissions": [{"capability": "shell", "effect": "never"}]}, "permissions.0.effect", "'allow', 'ask' or 'deny'"),
    (
        {"permissions": [{"capability": "shell", "effect": "allow", "matches": ["ls"]}]},
        "permissions.0.matches",
        "nobody knows",
    ),
    ({"resources": ["README.md"]}, "resources.0", "file:// or skill://"),
    ({"resources": ["https://example.org"]}, "resources.0", "file:// or skill://"),
    ({"resources": [{"type": "other", "name": "x", "source": "y"}]}, "resources.0.type", "'knowledgeBase'"),
    ({"resources": [{"type": "knowledgeBase", "name": "x"}]}, "resources.0.source", "missing"),
    ({"resources": [7]}, "resources.0", "object"),
    ({"hooks": []}, "hooks", "object"),
    ({"hooks": {"stop": {}}}, "hooks.stop", "valid list"),
    ({"hooks": {"preToolUse": [{"matcher": "shell"}]}}, "hooks.preToolUse.0.command", "missing"),
    ({"hooks": {"preToolUse": [{"command": ""}]}}, "hooks.preToolUse.0.command", "at least 1"),
    ({"hooks": {"stop": [{"command": "x", "timeout_ms": 0}]}}, "hooks.stop.0.timeout_ms", "greater than 0"),
    ({"hooks": {"stop": [{"command": "x", "timeout_ms": True}]}}, "hooks.stop.0.timeout_ms", "valid integer"),
    ({"includeMcpJson": "yes"}, "includeMcpJson", "valid boolean"),
    ({"includeMcpJson": True, "useLegacyMcpJson": False}, "useLegacyMcpJson", "both are there"),
    ({"includePowers": 1}, "includePowers", "valid boolean"),
    ({"model": 5}, "model", "valid string"),
    ({"keyboardShortcut": 5}, "keyboardShortcut", "valid string"),
    ({"welcomeMessage": {}}, "welcomeMessage", "valid string"),
    ({"toolSchema": []}, "toolSchema", "object"),
]


@pytest.mark.parametrize(("fields", "field", "reason"), WRONG, ids=[field for _, field, _ in WRONG])
def test_a_field_of_the_wrong_kind_keeps_the_document_from_being_used(loaded, fields, field, reason):
    found = loaded(**fields)
    assert found.config is None
    (problem,) = found.problems
    assert (problem.field, problem.severity, problem.line > 0) == (field, "error", True)
    assert reason in problem.reason
    with pytest.raises(AgentConfigInvalid):
        typed(AgentConfig("a", fields=fields))


DOUBTFUL = [
    ({"tols": ["read"]}, "tols", "did you mean 'tools'?"),
    ({"mcp_servers": {}}, "mcp_servers", "did you mean 'mcpServers'?"),
    ({"hooks": {"preToolUs": "anything"}}, "hooks.preToolUs", "did you mean 'preToolUse'?"),
    ({"hooks": {"stop": [{"command": "x", "timeoutMs": 1}]}}, "hooks.stop.0.timeoutMs", "did you mean 'timeout_ms'?"),
    ({"toolsSettings": {"write": {"deniedPath": []}}}, "toolsSettings.write.deniedPath", "did you mean 'deniedPaths'?"),
    ({"toolsSettings": {"@git/log": {"user": "x"}}}, 'toolsSettings."@git/log"', "no settings here"),
    ({"mcpServers": {"x": {"command": "y", "arg": []}}}, "mcpServers.x.arg", "did you mean 'args'?"),
    ({"mcpServers": {"x": {"command": 5}}}, "mcpServers.x.command", "this server is left out"),
    ({"mcpServers": {"x": "y"}}, "mcpServers.x", "this server is left out"),
    ({"permissions": {"rule": []}}, "permissions.rule", "did you mean 'rules'?"),
    ({"resources": [{"type": "knowledgeBase", "name": "x", "source": "file://y"}]}, "resources.0", "not served"),
    ({"includePowers": True}, "includePowers", "not served"),
    ({"keyboardShortcut": "ctrl+"}, "keyboardShortcut", "no key"),
    ({"keyboardShortcut": "super+a"}, "keyboardShortcut", "no key"),
    ({"allowedTools": ["*"]}, "allowedTools.0", "allows nothing"),
    ({"excludedTools": ["raed"]}, "excludedTools.0", "did you mean 'read'?"),
    ({"prompt": "new", "systemPrompt": "old"}, "systemPrompt", "which counts"),
    (
        {"toolsSettings": {"execute_bash": {"deniedCommands": ["(a"]}}},
        "toolsSettings.execute_bash.deniedCommands.0",
        "has a ( without its ), so it denies every command",
    ),
    (
        {"toolsSettings": {"web_fetch": {"trusted": ["(?!evil).*"]}}},
        "toolsSettings.web_fetch.trusted.0",
        "it cannot look around, so it allows nothing",
    ),
]


@pytest.mark.parametrize(("fields", "field", "reason"), DOUBTFUL, ids=[field for _, field, _ in DOUBTFUL])
def test_what_does_nothing_is_told_and_the_rest_is_used(loaded, fields, field, reason):
    found = loaded(description="Used.", **fields)
    assert (found.config.description, found.config.fields["description"]) == ("Used.", "Used.")
    (problem,) = found.problems
    assert (problem.field, problem.severity, problem.line > 0) == (field, "warning", True)
    assert reason in problem.reason


@pytest.mark.parametrize(
    "fields",
    [
        {
            "tools": "*",
            "allowedTools": ["@builtin", "fs_*", "@git", "web_fetch", "status"],
            "toolAliases": {"@x": "status"},
        },
        {"tools": ["read", "web", "context", "todo_list", "@mcp", "use_subagent"]},
        {"keyboardShortcut": "Shift+F12"},
        {"permissions": None, "hooks": None, "mcpServers": None, "tools": None},
        {"permissions": [{"capability": "all", "effect": "ask"}]},
        {"useLegacyMcpJson": True},
        {"resources": ["file://~/x/**/*.md", "skill://backend"]},
    ],
)
def test_what_is_documented_is_taken_without_a_word(loaded, fields):
    assert loaded(**fields).problems == []


def test_the_problems_of_one_document_are_bounded_in_number_and_length(loaded):
    many = loaded(**{f"unknown{number}": 1 for number in range(1000)}, **{"x" * 100_000: 1})
    assert len(many.problems) == 50
    assert max(len(problem.field) for problem in many.problems) < 100
    wrong = loaded(tools=[1] * 1000)
    assert (len(wrong.problems), wrong.config) == (50, None)


def test_a_configuration_without_fields_is_all_defaults():
    fields = typed(AgentConfig("engine's own"))
    assert (fields.name, fields.tools, fields.hooks, fields.permissions.rules) == ("engine's own", [], {}, [])


def test_settings_under_several_names_of_a_tool_are_one_and_the_stricter_switch_counts():
    settings = {
        "shell": {"allowedCommands": ["ls"], "autoAllowReadonly": True, "denyByDefault": False},
        "execute_bash": {"allowedCommands": ["pwd", "ls"], "autoAllowReadonly": False, "denyByDefault": True},
        "read": {"allowedPaths": ["x"]},
    }
    whole = {"allowedCommands": ["ls", "pwd"], "autoAllowReadonly": False, "denyByDefault": True}
    assert merged(settings, "execute_cmd") == merged(settings, "shell") == whole
    assert merged(settings, "grep") == {}


def test_an_older_name_of_a_switch_is_that_switch():
    assert merged({"aws": {"allowReadOnly": False}, "use_aws": {"autoAllowReadonly": True}}, "use_aws") == {
        "autoAllowReadonly": False
    }
    assert merged({"read": {"allowReadOnly": True}}, "read") == {"allowReadOnly": True}


def test_no_field_can_be_written_by_the_name_that_the_code_gives_it():
    """What a check of the written fields does not see must not count."""
    fields = AgentFormat.model_validate({"name": "a", "allowed_tools": ["shell"], "mcp_servers": {"x": {}}})
    assert (fields.allowed_tools, fields.mcp_servers) == ([], {})


def test_the_schema_describes_every_field_and_knows_the_older_names():
    schema = json_schema()
    assert schema["properties"]["systemPrompt"]["deprecated"] is True
    assert schema["properties"]["mcpServers"]["additionalProperties"] == {"$ref": "#/$defs/McpServer"}
    undescribed = {name for name, field in schema["properties"].items() if "description" not in field}
    assert undescribed <= {"$schema", "mcpServers", "toolsSettings", "permissions"}
    assert "required" not in schema


def test_the_names_of_the_fields_are_those_of_the_format():
    assert {field_name(AgentFormat, name) for name in AgentFormat.model_fields} | {*OLD_NAMES} == FIELDS
