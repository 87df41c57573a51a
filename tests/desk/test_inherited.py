"""A session that another one started is never wider than that one: not after it changed, ended, or was deleted."""

import json
from dataclasses import replace

import anyio
import pytest

from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import SessionId
from kiro_files import FilesOptions, open_store

OPTIONS = [{"optionId": name, "name": name, "kind": name} for name in ("allow_once", "reject_once")]
ASKING = f"""
call = json.loads(got['session/prompt']['prompt'][-1]['text'])
params = {{'sessionId': 's', 'toolCall': call, 'options': {OPTIONS!r}}}
say(id='q', method='session/request_permission', params=params)
tell(json.dumps(json.loads(sys.stdin.readline())['result']))
"""
LOADING = {"agentCapabilities": {"loadSession": True}}
NAMES = {
    "tools": {"{tool}": "{tool}", "@{server}/{tool}": "@{server}/{tool}"},
    "told": {"name": ["title"]},
}
SHELL = {"toolCallId": "t1", "title": "shell", "kind": "execute", "rawInput": {"command": "make"}}
SEARCH = {"toolCallId": "t2", "title": "@docs/search", "kind": "other", "rawInput": {}}


@pytest.fixture
def written(home):
    def write(name, **fields):
        (home / "agents").mkdir(parents=True, exist_ok=True)
        (home / "agents" / f"{name}.json").write_text(json.dumps({"name": name, **fields}))

    write("wide", allowedTools=["shell", "@docs"], mcpServers={"docs": {"command": "docs"}})
    write("narrow", toolsSettings={"shell": {"deniedCommands": ["make.*"]}})
    write("undocumented", mcpServers={"docs": {"command": "docs", "disabledTools": ["search"]}})
    return write


@pytest.fixture
def desk(opened_desk, scripted, written):
    engine = {**scripted(prompt=ASKING, initialize=f"answers['initialize'].update({LOADING!r})"), **NAMES}
    return lambda: opened_desk(RecordingClient(answer=agree), engine_settings={"x": engine}, engine="x", agent="wide")


async def agree(_):
    return Frame.answer({"outcome": {"outcome": "selected", "optionId": "allow_once"}})


async def placed(session, parent):
    """Have the stored session stand below another."""
    async with open_store(FilesOptions()) as store, store.open(SessionId(session)) as db:
        await db.put_info(replace(db.info, parent=parent, inherited=()))


async def effect(office, session, call):
    """What the policy says of a call that the agent asks about."""
    await office.prompt(session, json.dumps(call))
    return (await office.entries(session, "decision"))[-1].value["effect"]


async def test_a_live_parent_that_becomes_narrower_narrows_its_children_and_theirs(desk):
    with anyio.fail_after(30):
        async with desk() as office:
            main = await office.start()
            child = await office.start(parent=main)
            grandchild = await office.start(parent=child)
            for session in (child, grandchild):
                assert await effect(office, session, SHELL) == "allow"
            await office.set(main, "agent", "narrow")
            for session in (child, grandchild):
                assert await effect(office, session, SHELL) == "deny"
            await office.close(child)
            await office.close(main)
            assert await effect(office, grandchild, SHELL) == "deny"


@pytest.mark.parametrize(("agent", "call"), [("narrow", SHELL), ("undocumented", SEARCH)])
@pytest.mark.parametrize("gone", ["at rest", "deleted"])
async def test_what_a_parent_denies_is_denied_when_it_is_gone(desk, agent, call, gone):
    with anyio.fail_after(60):
        async with desk() as office:
            main = await office.start(agent=agent)
            child = await office.start(parent=main)
            grandchild = await office.start(parent=child)
            for session in (grandchild, child, main):
                await office.close(session)
            if gone == "deleted":
                await office.desk.delete(SessionId(main))
            await office.load(child)
            assert await effect(office, child, call) == "deny"
            await office.close(child)
            if gone == "deleted":
                await office.desk.delete(SessionId(child))
            await office.load(grandchild)
            assert await effect(office, grandchild, call) == "deny"


async def test_a_parent_that_changed_before_it_was_closed_binds_as_it_was_last(desk):
    with anyio.fail_after(30):
        async with desk() as office:
            main = await office.start()
            child = await office.start(parent=main)
            await office.close(child)
            await office.set(main, "agent", "narrow")
            await office.close(main)
            await office.load(child)
            assert await effect(office, child, SHELL) == "deny"


async def test_a_session_that_is_its_own_ancestor_is_bound_once_and_opens(desk):
    with anyio.fail_after(30):
        async with desk() as office:
            first = await office.start()
            second = await office.start(parent=first)
            for session in (first, second):
                await office.close(session)
            for session, parent in ((first, second), (second, first)):
                await placed(session, parent)
            await office.load(first)
            await office.load(second)
            live = office.desk.live
            for session, other in ((first, second), (second, first)):
                assert await effect(office, session, SHELL) == "allow"
                assert office.desk.ground.ancestors(live[session]) == [live[other]]
            await office.close(first)
            await placed(first, first)
            await office.load(first)
            assert await effect(office, first, SHELL) == "allow"
            assert office.desk.ground.ancestors(live[first]) == []


async def test_the_ancestors_of_a_session_are_those_that_are_live_the_nearest_first(desk):
    with anyio.fail_after(30):
        async with desk() as office:
            main = await office.start()
            child = await office.start(parent=main)
            grandchild = await office.start(parent=child)
            live = office.desk.live
            assert office.desk.ground.ancestors(live[grandchild]) == [live[child], live[main]]
            await office.close(child)
            assert office.desk.ground.ancestors(live[grandchild]) == [live[main]]
