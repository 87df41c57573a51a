"""What is offered to a host: it costs the context of its model, and many hosts take plain schemas only."""

import json
import re

import jsonschema
import pytest
from mcp_types import CallToolResult

from kiro_mcp.server.results import plain, refused, returned
from kiro_mcp.server.table import ALL, CORE
from kiro_mcp.service.failing import ToolFailure

NAMES = {
    "kiro_chat",
    "kiro_chat_async",
    "kiro_task_status",
    "kiro_task_cancel",
    "kiro_task_list",
    "kiro_session_create",
    "kiro_session_list",
    "kiro_session_switch",
    "kiro_session_end",
    "kiro_session_clear",
    "kiro_session_save",
    "kiro_command",
    "kiro_agents_list",
    "kiro_history",
    "kiro_history_clear",
    "kiro_pool_stats",
    "kiro_prompts_list",
    "kiro_prompts_get",
    "kiro_session_load",
    "kiro_session_search",
    "kiro_permission_answer",
    "kiro_engines_list",
    "kiro_crew_run",
    "kiro_crew_status",
    "kiro_crew_cancel",
}


async def test_all_tools_are_offered_or_the_eight_that_are_needed_daily(opened_host):
    async with opened_host() as host:
        tools = (await host.client.list_tools()).tools
        assert {tool.name for tool in tools} == NAMES
        assert len(tools) == len(NAMES)
    async with opened_host(options={"tools": "core"}) as host:
        names = [tool.name for tool in (await host.client.list_tools()).tools]
        assert names == [tool.name for tool in CORE]
        assert len(names) == 8
        failure = await host.fails("kiro_history")
        assert failure["code"] == "INVALID_COMMAND"
        assert failure["hint"].startswith("There are kiro_chat, ")


def test_what_a_model_reads_of_them_is_short():
    assert read_of(CORE) < 3000
    assert read_of(ALL) < 8000


def read_of(tools):
    return sum(len(tool.name) + len(tool.description) + len(json.dumps(tool.offered.input_schema)) for tool in tools)


PLAIN = ("string", "integer", "number", "boolean")


@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool.name)
def test_a_schema_is_plain_and_fits_success_and_failure(tool):
    schema = tool.offered.input_schema
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    for word in ("$ref", "$defs", "anyOf", "oneOf", "allOf", '"title"', "Of `"):
        assert word not in json.dumps(schema)
    for argument in schema["properties"].values():
        assert argument["type"] in PLAIN or tool.name == "kiro_crew_run"
        assert argument["description"].endswith(".")
    result = tool.offered.output_schema
    assert result["type"] == "object"
    assert "$ref" not in json.dumps(result)
    jsonschema.Draft202012Validator.check_schema(result)
    failure = refused(ToolFailure("EXECUTION_ERROR", "It failed.", details={"cause": "X"}))
    jsonschema.validate(failure.structured_content, result)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"code": "X"}, result)


@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool.name)
def test_a_tool_says_what_it_does_to_the_world(tool):
    annotations = tool.offered.annotations
    assert annotations.read_only_hint == (tool.name in READING)
    assert annotations.destructive_hint == (tool.name in DESTROYING)
    assert annotations.open_world_hint == (tool.name in REACHING)
    assert not (annotations.read_only_hint and annotations.destructive_hint)
    assert tool.offered.title
    assert tool.offered.description.endswith(".")


READING = {
    "kiro_task_list",
    "kiro_session_list",
    "kiro_session_search",
    "kiro_history",
    "kiro_agents_list",
    "kiro_engines_list",
    "kiro_prompts_list",
    "kiro_prompts_get",
    "kiro_pool_stats",
    "kiro_crew_status",
}
REACHING = {"kiro_crew_run", "kiro_chat", "kiro_chat_async", "kiro_command", "kiro_permission_answer"}
DESTROYING = {
    *REACHING,
    "kiro_task_cancel",
    "kiro_session_end",
    "kiro_session_clear",
    "kiro_session_save",
    "kiro_history_clear",
    "kiro_crew_cancel",
}


HINT = "Open it with kiro_session_load. Or begin one with kiro_session_create; kiro_default is its agent."


def test_a_hint_names_no_tool_that_is_not_offered():
    unoffered = {"kiro_session_load", "kiro_history"}
    failure = ToolFailure("SESSION_INACTIVE", "It is stored.", hint=HINT)
    usable = "Or begin one with kiro_session_create; kiro_default is its agent."
    assert refused(failure).structured_content["hint"] == HINT
    assert refused(failure, unoffered).structured_content["hint"] == usable
    assert returned({"error": failure.told()}, unoffered).structured_content["error"]["hint"] == usable
    assert returned({"error": ""}, unoffered).structured_content == {"error": ""}


async def test_of_eight_tools_hints_name_eight(opened_host):
    async with opened_host(options={"tools": "core"}) as host:
        session = (await host.call("kiro_session_create"))["id"]
        await host.call("kiro_session_end", session_id=session)
        failures = [
            await host.fails("kiro_chat", message="Hello", session_id=session),
            await host.fails("kiro_chat", message="Hello", session_id="nonsense"),
            await host.fails("kiro_session_end", session_id=session),
            await host.fails("kiro_task_status", task_id="nonsense"),
        ]
        offered = {tool.name for tool in CORE}
        for failure in failures:
            assert set(re.findall(r"kiro_[a-z_]+", failure["hint"])) <= offered
        assert failures[0]["hint"] == "Or begin another one with kiro_session_create."


def test_nothing_is_shown_that_a_terminal_would_obey():
    said = "\x1b[31mred\x1b[0m \x1b]0;title\x07bell\x07 \x1b]8;;x\x1b\\link tab\tline\r\nnull\x00 \x9b1m \x7f"
    assert plain(said) == "red bell link tab\tline\nnull 1m "
    assert plain({"a\x1b[1m": ["\x1b[2J", 1, None, True, 1.5]}) == {"a": ["", 1, None, True, 1.5]}


def test_half_a_character_is_no_reason_to_fail():
    result = returned({"content": "half \ud83d of one"})
    assert isinstance(result, CallToolResult)
    assert result.structured_content == {"content": "half  of one"}
    result.model_dump_json()
