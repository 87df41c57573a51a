"""What a face learns of a desk as a whole: its settings without secrets, and agents as sessions would get them."""

import json

import anyio
import pytest

from kiro_core.errors import AgentNotFound, AgentUntrusted
from kiro_core.testing import RecordingClient


async def test_the_settings_are_told_with_the_names_alone_of_what_may_be_secret(opened_desk):
    secret = "s3cret"
    engine = {"command": ["tool", f"--key={secret}"], "env": {"TOKEN": secret}, "guard": {"ASK": secret}}
    settings = {
        "engine_settings": {"mine": engine},
        "mcp_registry": f"https://me:{secret}@example.org/list.json?key={secret}",
        "serve": [{"use": "http", "port": 0}],
        "mcp": {"use": "mcp", "token_file": secret},
    }
    with anyio.fail_after(10):
        async with opened_desk(RecordingClient(), limits={"start_s": 7}, **settings) as office:
            told = office.desk.configuration()
    assert secret not in json.dumps(told)
    values = told["values"]
    mine = values["engines"]["mine"]
    assert (mine["command"], mine["env"], mine["guard"]) == (["tool"], ["TOKEN"], ["ASK"])
    assert values["mcp_registry"] == "https://example.org/list.json"
    assert values["serve"] == [{"use": "http", "options": ["port"]}]
    assert (values["limits"]["start_s"], values["durability"]) == (7, "normal")
    assert "limits.start_s" in told["origins"]
    assert (values["engine"], told["origins"]["engine"]) == ("rehearsal", "argument --engine")


async def test_an_agent_is_told_as_a_session_in_that_folder_would_get_it(opened_desk, tmp_path):
    folder = tmp_path / ".kiro" / "agents"
    folder.mkdir(parents=True)
    (folder / "reader.json").write_text(json.dumps({"name": "reader", "prompt": "file://reader.md"}))
    (folder / "reader.md").write_text("You read.")
    (folder / "eager.json").write_text(json.dumps({"name": "eager", "prompt": "Go.", "allowedTools": ["shell"]}))
    with anyio.fail_after(10):
        async with opened_desk(RecordingClient()) as office:
            assert (await office.desk.agent("reader", tmp_path)).prompt == "You read."
            assert (await office.desk.agent("kiro_default", tmp_path)).prompt == ""
            with pytest.raises(AgentUntrusted):
                await office.desk.agent("eager", tmp_path)
            with pytest.raises(AgentNotFound, match="did you mean 'reader'"):
                await office.desk.agent("reeder", tmp_path)
