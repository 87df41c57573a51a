"""An agent of the official SDK, with the official client of MCP in it, has two others work, waits, and reports."""

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("acp")
pytest.importorskip("mcp")

from sdk_editor import editor

LEAD = Path(__file__).with_name("sdk_lead.py")


@pytest.fixture
def place(place):
    """A place with that agent, whose configuration names the tools that it uses."""
    place.engine("lead", sys.executable, str(LEAD), str(place.agent_wire))
    agents = place.home / ".kiro" / "agents"
    agents.mkdir()
    (agents / "lead.json").write_text(json.dumps({"name": "lead", "tools": ["session_management", "summary"]}))
    return place


def telling(result):
    """A task for the rehearsal agent: to tell that, with the tools that it has as a child."""
    return f'/mcp crew summary {{"task_result": "{result}"}}'


async def test_it_spawns_two_children_waits_and_reports(place):
    async with editor(place, "--engine", "lead", "--agent", "lead") as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        response = await client.ask(session, f"{telling('seven beans')}\n{telling('no peas')}")
        assert response.stop_reason == "end_turn"
        assert client.text(session).splitlines() == [
            "tools: session_management, subagent, summary",
            "child-1: succeeded: seven beans",
            "child-2: succeeded: no peas",
        ]
        assert client.questions == []
