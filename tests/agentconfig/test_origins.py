"""Every value of a configuration says where it comes from."""

import json

import pytest

from kiro_core.agentconfig import BUILT_IN, Value, effective, includes_mcp_json, json_schema, load
from kiro_core.types import AgentConfig


def test_every_field_has_a_value_and_who_decided_it(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"description": "x", "useLegacyMcpJson": True, "model": None, "own": 1}, indent=1))
    values = effective(load(path).config)
    assert values["description"] == Value("x", f"{path}:2")
    assert values["includeMcpJson"] == Value(True, f"{path}:3")  # noqa: FBT003 - it is the value
    assert values["own"] == Value(1, f"{path}:5")
    assert values["model"] == Value(None, "default")
    assert values["hooks"] == Value({}, "default")
    assert values["name"] == Value("a", f"the name of {path}")
    assert {*values} == {*json_schema()["properties"], "own"} - {"systemPrompt", "useLegacyMcpJson"}


def test_settings_of_tools_are_shown_as_they_count_and_tools_that_are_not_listed_as_all(tmp_path):
    path = tmp_path / "a.json"
    settings = {"shell": {"autoAllowReadonly": True}, "execute_bash": {"autoAllowReadonly": False}}
    path.write_text(json.dumps({"toolsSettings": settings}))
    values = effective(load(path).config)
    assert values["toolsSettings"] == Value({"shell": {"autoAllowReadonly": False}}, f"{path}:1")
    assert values["tools"] == Value(["*"], "default")
    assert effective(AgentConfig("a", fields={"tools": []}))["tools"].value == []


def test_a_markdown_documents_prompt_has_the_line_of_its_text(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("---\nname: b\n---\n\nBe kind.\n")
    values = effective(load(path).config)
    assert (values["name"], values["prompt"]) == (Value("b", f"{path}:2"), Value("Be kind.", f"{path}:5"))


def test_what_comes_from_no_file_has_the_origin_that_its_source_gave():
    assert effective(BUILT_IN)["includeMcpJson"] == Value(True, "built-in")  # noqa: FBT003 - it is the value
    assert (
        effective(AgentConfig("a", origin="the engine kiro", fields={"model": "m"}))["model"].origin
        == "the engine kiro"
    )


def test_what_a_source_says_without_a_document_is_its_own():
    values = effective(AgentConfig("polite", prompt="Say please.", origin="team"))
    assert (values["prompt"], values["model"]) == (Value("Say please.", "team"), Value(None, "default"))


@pytest.mark.parametrize(
    ("name", "fields", "included"),
    [
        ("a", {}, False),
        ("kiro_default", {}, True),
        ("kiro_default", {"includeMcpJson": False}, False),
        ("a", {"useLegacyMcpJson": True}, True),
    ],
)
def test_the_mcp_json_files_count_by_default_for_kiros_own_agent_only(name, fields, included):
    assert includes_mcp_json(AgentConfig(name, fields=fields)) is included
