"""Fifty sessions at once behind one server: nothing is mixed up, and nothing is left."""

import anyio
import pytest

MANY = 50
ENDED = 10


@pytest.fixture
def era():
    """What a session is does not depend on what its host speaks."""
    return "legacy"


async def test_chats_of_fifty_sessions_are_their_own_while_sessions_end_and_change(opened_host):
    async with opened_host(options={"max_sessions": 0}) as host:
        sessions, answers, refused = [], {}, {}

        async def begin():
            sessions.append((await host.call("kiro_session_create"))["id"])

        async def chat(session):
            told = await host.call("kiro_chat", message=f"/echo only {session}", session_id=session)
            answers[session] = told["content"]

        async def end(session):
            await host.call("kiro_session_switch", session_id=session)
            await host.call("kiro_session_end", session_id=session)
            refused[session] = (await host.fails("kiro_chat", message="Hello?", session_id=session))["code"]

        await at_once([(begin,)] * MANY)
        await at_once([(chat, session) for session in sessions])
        assert answers == {session: f"only {session}" for session in sessions}
        answers.clear()
        ending, staying = sessions[:ENDED], sessions[ENDED:]
        chats = [(chat, session) for session in staying]
        for number, session in enumerate(ending):
            chats.insert(4 * number, (end, session))
        await at_once(chats)
        assert answers == {session: f"only {session}" for session in staying}
        assert refused == dict.fromkeys(ending, "SESSION_INACTIVE")
        listed = await host.call("kiro_session_list")
        assert {one["id"] for one in listed["sessions"]} == set(staying)
        assert {one["sessionId"] for one in host.desk.status()["sessions"]} == set(staying)
        assert (await host.call("kiro_task_list"))["count"] == 0
        for session in staying:
            history = (await host.call("kiro_history", session_id=session))["history"]
            assert [one["content"] for one in history if one["role"] == "assistant"] == [f"only {session}"] * 2
        await at_once([(end, session) for session in staying])
        assert await host.call("kiro_session_list") == {"sessions": [], "active_session_id": None, "count": 0}
        assert host.desk.status()["sessions"] == []


async def at_once(calls):
    """Make all these calls at the same time."""
    async with anyio.create_task_group() as tasks:
        for call, *arguments in calls:
            tasks.start_soon(call, *arguments)
