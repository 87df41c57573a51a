"""A folder from a stranger starts nothing and reads nothing in a live session before its user has agreed."""

import sys
from pathlib import Path

import anyio
import pytest

from kiro_core.errors import AgentUntrusted
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.trust import Trust

sys.path.append(str(Path(__file__).parents[1] / "trust"))

from workspaces import SECRET, UNTRUSTED, UNUSABLE, build, empty, engine_override, mcp_json

TOLD = "tell(json.dumps([b['text'] for b in got['session/prompt']['prompt']]))"
"""The agent says what it was prompted with."""


@pytest.fixture
def desk(opened_desk, scripted):
    """A desk with an engine that tells what it was sent, and one that takes agents by its modes."""
    modes = {"currentModeId": "plain", "availableModes": [{"id": "plain", "name": "P"}, {"id": "review", "name": "R"}]}
    engines = {
        "x": scripted(prompt=TOLD),
        "modes": {**scripted(new=f"answers['session/new'].update(modes={modes!r})", prompt=TOLD), "agents": "mode"},
    }
    return lambda client, engine: opened_desk(client, engine_settings=engines, engine=engine)


async def refuse(frame):
    return Frame.answer({"outcome": {"outcome": "selected", "optionId": "no"}})


async def agree(frame):
    return Frame.answer({"outcome": {"outcome": "selected", "optionId": "trust"}})


def made(root, builder):
    workspace = empty(root)
    builder(workspace)
    return workspace


async def begun(office, workspace, **wishes):
    meta = {"kiro_core": {"agent": workspace.agent, **wishes}}
    params = {"cwd": str(workspace.folder), "mcpServers": [], "_meta": meta}
    return (await office.agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]


async def everything_recorded(office, session):
    return "".join([record.body.decode() async for record in office.desk.read(session)])


@pytest.mark.parametrize("engine", ["x", "modes"])
@pytest.mark.parametrize("name", UNTRUSTED)
async def test_what_nobody_agreed_to_starts_and_reads_nothing(desk, tmp_path, name, engine):
    workspace = build(tmp_path, name)
    client = RecordingClient(answer=refuse)
    with anyio.fail_after(30):
        async with desk(client, engine) as office:
            session = await begun(office, workspace)
            await office.prompt(session, "hello")
            assert (await office.desk.info(session)).agent == "kiro_default"
            assert "hello" in client.text(session)
            assert f"of {workspace.folder} is not used, since the folder is not trusted" in client.text(session)
            (question,) = client.questions
            assert str(workspace.folder) in question.params["toolCall"]["title"]
            recorded = await everything_recorded(office, session)
    assert SECRET not in recorded + client.text()
    assert not workspace.witness.exists()


@pytest.mark.parametrize("name", UNUSABLE)
async def test_what_cannot_be_read_is_told_and_starts_nothing(desk, tmp_path, name):
    workspace = made(tmp_path, UNUSABLE[name])
    client = RecordingClient(answer=refuse)
    with anyio.fail_after(30):
        async with desk(client, "modes") as office:
            await office.prompt(await begun(office, workspace), "hello")
    assert not workspace.witness.exists()


async def test_an_agent_that_is_required_is_refused_with_the_command_that_trusts_its_folder(desk, tmp_path):
    workspace = build(tmp_path, "trigger")
    with anyio.fail_after(30):
        async with desk(RecordingClient(), "x") as office:
            with pytest.raises(AgentUntrusted) as refused:
                await begun(office, workspace, agentRequired=True)
            assert f"kiro-core trust {workspace.folder}" in refused.value.hint


async def test_engines_that_a_folder_names_are_nothing_to_us(desk, tmp_path):
    workspace = made(tmp_path, engine_override)
    with anyio.fail_after(30):
        async with desk(RecordingClient(), "x") as office:
            session = await begun(office, workspace)
            await office.prompt(session, "hello")
            assert (await office.desk.info(session)).engine == "x"
    assert not workspace.witness.exists()


@pytest.mark.parametrize("engine", ["x", "modes"])
async def test_a_yes_in_the_first_turn_uses_what_was_agreed_to_and_is_kept(desk, tmp_path, home, engine):
    workspace = build(tmp_path, "prompt above")
    client = RecordingClient(answer=agree)
    with anyio.fail_after(30):
        async with desk(client, engine) as office:
            session = await begun(office, workspace)
            await office.prompt(session, "hello")
            assert (await office.desk.info(session)).agent == "review"
            assert (SECRET in client.text(session)) == (engine == "x")
            assert len(client.questions) == 1
            await office.prompt(await begun(office, workspace), "again")
            assert len(client.questions) == 1
    assert str(workspace.folder) in Trust(home).all()


async def test_servers_of_the_folder_are_started_only_after_a_yes(desk, tmp_path):
    workspace = made(tmp_path, mcp_json)
    for answer, names in ((refuse, []), (agree, ["evil"])):
        client = RecordingClient(answer=answer)
        with anyio.fail_after(30):
            async with desk(client, "x") as office:
                params = {"cwd": str(workspace.folder), "mcpServers": []}
                session = (await office.agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]
                await office.prompt(session, "hello")
                last = (await office.entries(session, "opened", "configured"))[-1]
                assert last.value["mcpServers"] == names
                assert SECRET not in await everything_recorded(office, session)


async def test_a_configuration_that_changed_after_the_yes_is_asked_about_again(desk, tmp_path):
    workspace = build(tmp_path, "trigger")
    yes, no = RecordingClient(answer=agree), RecordingClient(answer=refuse)
    with anyio.fail_after(30):
        async with desk(yes, "x") as office:
            await office.prompt(await begun(office, workspace), "hello")
        assert workspace.witness.exists()
        workspace.witness.unlink()
        workspace.write(hooks={"agentSpawn": [{"command": f"{workspace.command}; true"}]})
        async with desk(no, "x") as office:
            await office.prompt(await begun(office, workspace), "hello")
            assert len(no.questions) == 1
    assert not workspace.witness.exists()


async def test_a_session_keeps_what_it_was_begun_with_until_the_trust_is_taken_back(desk, tmp_path, home):
    workspace = build(tmp_path, "trigger")
    client = RecordingClient(answer=agree)
    with anyio.fail_after(30):
        async with desk(client, "x") as office:
            session = await begun(office, workspace)
            await office.prompt(session, "hello")
        for answer, runs in ((refuse, True), (refuse, False)):
            workspace.witness.unlink(missing_ok=True)
            workspace.write(hooks={})
            if not runs:
                Trust(home).withdraw(str(workspace.folder))
            async with desk(RecordingClient(answer=answer), "x") as office:
                params = {"sessionId": session, "cwd": str(workspace.folder), "mcpServers": []}
                await office.agent.open(Frame.of("session/load", params, id=0), replay=True)
            assert workspace.witness.exists() == runs


async def test_choosing_an_untrusted_agent_asks_first_and_a_yes_uses_it(desk, tmp_path):
    workspace = build(tmp_path, "trigger")
    for answer, agent in ((refuse, "kiro_default"), (agree, "review")):
        client = RecordingClient(answer=answer)
        with anyio.fail_after(30):
            async with desk(client, "x") as office:
                params = {"cwd": str(workspace.folder), "mcpServers": []}
                session = (await office.agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]
                if answer is refuse:
                    with pytest.raises(AgentUntrusted):
                        await office.set(session, "agent", "review")
                else:
                    await office.set(session, "agent", "review")
                assert len(client.questions) == 1
                assert (await office.desk.info(session)).agent == agent
        assert workspace.witness.exists() == (agent == "review")
