"""Sessions of hosts: which is active, who sees which, how many there may be, and what becomes of each."""

import sys

import anyio
import pytest

from kiro_core.messages import open_session
from kiro_core.testing import RecordingClient
from kiro_mcp.service.hosts import Host


def ids(place, host=None):
    return [session.id for session in place.sessions.listed(host or place.host)]


async def test_the_first_session_is_active_and_later_ones_are_where_somebody_switches(opened, tmp_path):
    with anyio.fail_after(20):
        async with opened() as place:
            first, second = await place.create(), await place.create()
            assert place.host.active == first
            assert ids(place) == [first, second]
            session = place.sessions.find(place.host)
            assert (session.id, session.engine, session.state) == (first, "rehearsal", "ready")
            assert (session.agent, session.working_directory) == ("kiro_default", str(tmp_path))
            assert session.created_at.endswith("Z")
            assert (await place.sessions.switch(place.host, second)).id == second
            assert place.sessions.find(place.host).id == second


async def test_a_chat_without_a_session_begins_one_and_two_at_a_time_begin_the_same(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            views = []

            async def chat(text):
                views.append(await place.chat(text))

            async with anyio.create_task_group() as tasks:
                for number in range(3):
                    tasks.start_soon(chat, f"/echo {number}")
            assert {view.session_id for view in views} == {place.host.active}
            assert ids(place) == [place.host.active]
            assert place.sessions.find(place.host).title.startswith("/echo")


async def test_without_a_connection_nothing_is_active_and_each_call_names_its_session(opened, refused):
    host = Host(connected=False)
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create(host)
            assert host.active == ""
            for call in (place.tasks.session, place.sessions.clear, place.service.past.history):
                failure = await refused(call, host)
                assert failure.code == "SESSION_NOT_FOUND"
                assert "session_id" in failure.hint
            failure = await refused(place.sessions.switch, host, session)
            assert (failure.code, failure.sentence) == (
                "SESSION_NOT_FOUND",
                "Without a connection no session can be active.",
            )
            assert (await place.chat("/echo one", session, host)).text == "one"


async def test_a_host_sees_its_own_sessions_and_none_of_another_unless_all_see_all(opened, refused):
    other = Host(connected=True)
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            assert not place.sessions.listed(other)
            failure = await refused(place.sessions.end, other, session)
            assert (failure.code, failure.details) == ("SESSION_NOT_FOUND", {"session_id": session})
            assert (await refused(place.tasks.start, other, "hello", session)).code == "SESSION_NOT_FOUND"
            assert (await refused(place.service.past.transcript, other, session)).code == "SESSION_NOT_FOUND"
            assert not (await place.service.past.search(other, session)).hits
        async with opened(sessions="all") as place:
            session = await place.create()
            assert ids(place, other) == [session]
            assert (await place.sessions.switch(other, session)).id == session


@pytest.mark.parametrize("directory", ["missing", "file", "/missing/too"])
async def test_a_working_directory_that_is_none_is_refused_and_none_stands_in(opened, refused, tmp_path, directory):
    (tmp_path / "file").touch()
    with anyio.fail_after(10):
        async with opened() as place:
            failure = await refused(place.create, working_directory=directory)
            assert failure.code == "INVALID_CONFIG"
            assert failure.details["working_directory"].endswith(directory)
            assert not ids(place)


async def test_a_relative_working_directory_is_below_that_of_the_server(opened, tmp_path):
    (tmp_path / "below").mkdir()
    with anyio.fail_after(20):
        async with opened() as place:
            await place.create(working_directory="below")
            assert place.sessions.find(place.host).working_directory == str(tmp_path / "below")


async def test_an_agent_that_nobody_knows_is_refused(opened, refused):
    with anyio.fail_after(10):
        async with opened() as place:
            failure = await refused(place.create, agent="nobody")
            assert failure.code == "AGENT_NOT_FOUND"
            assert failure.details["agent"] == "nobody"
            assert (await refused(place.create, engine="no-such-engine")).code == "KIRO_CLI_NOT_FOUND"


async def test_a_missing_program_is_named_and_looked_for_again_each_time(opened, tmp_path, refused):
    program = tmp_path / "bin" / "agent"
    with anyio.fail_after(20):
        settings = {"programs": {"late": [str(program), "-P", "-m", "kiro_core.rehearsal"]}}
        async with opened(settings=settings, engine="late") as place:
            failure = await refused(place.create)
            assert failure.code == "KIRO_CLI_NOT_FOUND"
            assert str(program) in str(failure.details["looked_for"])
            assert failure.hint
            program.parent.mkdir()
            program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
            program.chmod(0o700)
            assert await place.create()


async def test_a_program_that_ends_before_it_is_ready_is_no_missing_one(opened, refused):
    with anyio.fail_after(20):
        async with opened(scripted={"broken": {"initialize": "sys.exit(3)"}}, engine="broken") as place:
            failure = await refused(place.create)
            assert (failure.code, failure.details["cause"]) == ("EXECUTION_ERROR", "LAUNCH_FAILED")
            assert "status 3" in failure.sentence


async def test_an_agent_that_does_not_answer_in_time_is_a_timeout(opened, gate, refused):
    limits = {"limits": {"start_s": 0.5, "close_s": 0.2}}
    with anyio.fail_after(20):
        async with opened(scripted={"slow": {"new": gate.wait}}, engine="slow", settings=limits) as place:
            assert (await refused(place.create)).code == "COMMAND_TIMEOUT"


async def test_sessions_that_are_being_opened_count_for_the_limit(opened, gate, refused):
    with anyio.fail_after(20):
        async with opened(scripted={"slow": {"new": gate.wait}}, engine="slow", max_sessions=1) as place:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(place.create)
                await anyio.wait_all_tasks_blocked()
                failure = await refused(place.create)
                assert (failure.code, failure.details) == ("SESSION_LIMIT_REACHED", {"max_sessions": 1})
                gate.let_in()
            assert (await refused(place.create)).code == "SESSION_LIMIT_REACHED"
            await place.sessions.end(place.host, place.host.active)
            gate.let_in()
            assert await place.create()


async def test_the_limits_of_the_desk_are_told_in_the_same_words(opened, refused):
    with anyio.fail_after(20):
        async with opened(settings={"limits": {"max_sessions": 1}}) as place:
            await place.create()
            assert (await refused(place.create)).code == "SESSION_LIMIT_REACHED"
        async with opened(settings={"limits": {"max_agents": 1, "control_s": 0.2}}) as place:
            session = await place.create()
            await place.tasks.start(place.host, "/sleep 600", session)
            assert (await refused(place.create)).code == "SERVER_OVERLOADED"


async def test_a_session_whose_opening_is_cancelled_is_closed_again(opened, gate):
    with anyio.fail_after(20):
        async with opened(scripted={"slow": {"new": gate.wait}}, engine="slow", max_sessions=1) as place:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(place.create)
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
            gate.let_in()
            while place.sessions._table._opening or place.desk.live:  # it is opened first, and closed then
                await anyio.wait_all_tasks_blocked()
            gate.let_in()
            assert [await place.create()] == ids(place)


async def test_a_session_that_somebody_else_ends_is_not_open_any_more_and_nobody_goes_on_elsewhere(opened, refused):
    with anyio.fail_after(20):
        async with opened() as place:
            session, other = await place.create(), await place.create()
            await place.desk.live[session].close()
            await place.gone(session)
            assert place.host.active == session
            failure = await refused(place.tasks.start, place.host, "hello", session)
            assert (failure.code, failure.details) == ("SESSION_INACTIVE", {"session_id": session})
            assert "kiro_session_load" in failure.hint
            assert ids(place) == [other]
            assert (await place.sessions.load(place.host, session_id=session)).id == session
            assert (await place.chat("/echo back")).text.endswith("back")


async def test_a_session_that_ended_just_now_is_inactive_before_anybody_has_noticed(opened, refused):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            place.sessions._table.lives[session].watching.cancel()
            await place.desk.live[session].close()
            assert ids(place) == [session]
            assert (await refused(place.tasks.start, place.host, "hello", session)).code == "SESSION_INACTIVE"
            assert not ids(place)


async def test_a_stored_session_that_nobody_has_open_is_inactive_and_a_deleted_one_is_not_found(opened, refused):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.sessions.end(place.host, session)
            assert (await refused(place.tasks.session, place.host, session)).code == "SESSION_INACTIVE"
            await place.desk.delete(session)
            assert (await refused(place.tasks.session, place.host, session)).code == "SESSION_NOT_FOUND"
            assert (await refused(place.sessions.load, place.host, session_id=session)).code == "SESSION_NOT_FOUND"


async def test_a_session_is_loaded_by_its_id_and_its_agent_remembers(opened, home):
    with anyio.fail_after(20):
        remembers = {"mem": ["--memory", str(home / "memory")]}
        async with opened(engines=remembers, engine="mem") as place:
            session = await place.create()
            await place.chat("/echo one")
            await place.sessions.end(place.host, session)
            await place.create()
            loaded = await place.sessions.load(place.host, session_id=session)
            assert (loaded.id, loaded.state, loaded.title) == (session, "ready", "/echo one")
            assert place.host.active == session
            assert (await place.chat("/echo two")).text == "two"
            history = await place.service.past.history(place.host)
            assert [said.content for said in history.messages] == ["/echo one", "one", "/echo two", "two"]


async def test_a_folder_that_is_gone_is_told_and_another_one_can_be_named(opened, tmp_path, refused):
    (tmp_path / "below").mkdir()
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create(working_directory="below")
            await place.sessions.end(place.host, session)
            (tmp_path / "below").rmdir()
            failure = await refused(place.sessions.load, place.host, session_id=session)
            assert failure.code == "INVALID_CONFIG"
            assert failure.details["session_id"] == session
            loaded = await place.sessions.load(place.host, session_id=session, working_directory=".")
            assert loaded.working_directory == str(tmp_path)


async def test_loading_needs_exactly_one_of_an_id_and_a_path(opened, refused):
    with anyio.fail_after(10):
        async with opened() as place:
            for named, wrong in (({}, "needs"), ({"session_id": "x", "path": "y"}, "not both")):
                failure = await refused(place.sessions.load, place.host, **named)
                assert failure.code == "INVALID_COMMAND"
                assert wrong in failure.sentence


async def test_an_agent_that_died_is_started_again_and_the_session_stays(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.chat("/die 1")
            assert ids(place) == [session]
            assert (await place.chat("/echo alive")).text.endswith("alive")


async def test_clearing_gives_the_agent_a_new_context_in_the_same_session(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.chat("/echo one")
            before = (await place.desk.info(session)).agent_session
            assert (await place.sessions.clear(place.host)).id == session
            assert (await place.desk.info(session)).agent_session != before
            assert (await place.chat("/echo two")).text == "two"
            kinds = [item["kind"] for item in await place.service.past.transcript(place.host, session)]
            assert "reset" in kinds


async def test_listeners_are_told_which_resource_has_changed_until_they_leave(opened):
    heard = []
    with anyio.fail_after(20):
        async with opened() as place:
            unsubscribe = place.service.subscribe(heard.append)
            session = await place.create()
            assert heard == ["kiro://sessions"]
            await place.chat("/echo one")
            assert f"kiro://sessions/{session}" in heard
            unsubscribe()
            unsubscribe()
            heard.clear()
            await place.sessions.end(place.host, session)
            assert not heard


async def test_a_session_in_which_others_work_goes_on_for_them_when_a_host_ends_it(opened):
    editor = RecordingClient()
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            live = place.desk.live[session]
            async with place.desk.attach(editor) as agent:
                info = await place.desk.info(session)
                await agent.open(open_session(info.id, info.cwd, roots=info.roots), replay=False)
                await place.sessions.end(place.host, session)
                assert not ids(place)
                assert [member.client for member in live.clients.members] == [editor]


def told(place, session):
    return [notice.kind for notice in place.service.notices.take(session) if notice.kind.startswith("session_re")]


@pytest.mark.parametrize("noticed", [True, False])
async def test_an_active_session_that_has_ended_is_opened_again_by_who_goes_on_in_it(opened, noticed):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.chat("/echo one")
            if not noticed:
                place.sessions._table.lives[session].watching.cancel()
            await place.desk.live[session].close()
            if noticed:
                await place.gone(session)
            views = []

            async def chat(text):
                views.append(await place.chat(text))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(chat, "/echo two")
                tasks.start_soon(chat, "/echo three")
            assert {view.session_id for view in views} == {session}
            assert told(place, session) == ["session_reopened"]
            history = await place.service.past.history(place.host)
            assert [said.content for said in history.messages].count("/echo two") == 1


async def test_an_active_session_that_is_being_ended_as_idle_is_waited_for_and_opened_again(opened):
    with anyio.fail_after(20):
        async with opened(session_idle_s=3600) as place:
            session = await place.create()
            place.sessions._table.lives[session].stirred -= 7200
            place.sessions._ending._next_look()
            assert place.state(session) == "ending"
            assert (await place.chat("/echo on")).session_id == session
            assert told(place, session) == ["session_reopened"]


@pytest.mark.parametrize("lost", ["deleted", "held", "without its folder"])
async def test_one_that_cannot_be_had_again_is_replaced_and_that_is_told(opened, tmp_path, lost):
    below = tmp_path / "below"
    below.mkdir()
    other = Host(connected=True)
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create(working_directory="below")
            await place.desk.live[session].close()
            await place.gone(session)
            if lost == "deleted":
                await place.desk.delete(session)
            elif lost == "held":
                await place.sessions.load(other, session_id=session)
            else:
                below.rmdir()
            view = await place.chat("/echo on")
            assert view.session_id == place.host.active != session
            assert told(place, view.session_id) == ["session_replaced"]
            assert (await place.chat("/echo on")).session_id == view.session_id


async def test_one_that_cannot_be_opened_just_now_stays_the_active_one(opened, refused):
    other = Host(connected=True)
    with anyio.fail_after(20):
        async with opened(max_sessions=1) as place:
            session = await place.create()
            await place.desk.live[session].close()
            await place.gone(session)
            await place.create(other)
            assert (await refused(place.tasks.start, place.host, "hello")).code == "SESSION_LIMIT_REACHED"
            assert place.host.active == session
            await place.sessions.end(other, other.active)
            assert (await place.chat("/echo on")).session_id == session


async def test_a_context_is_not_cleared_under_a_turn(opened, refused):
    with anyio.fail_after(20):
        async with opened() as place:
            begun = await place.tasks.start(place.host, "/echo half\n/sleep 600")
            await place.until(begun.id, "streaming")
            failure = await refused(place.sessions.clear, place.host)
            assert failure.code == "SESSION_BUSY"
            assert "kiro_task_cancel" in failure.hint
            await place.tasks.cancel(place.host, begun.id)
            await place.done(begun.id)
            await place.sessions.clear(place.host)


async def test_what_is_stored_and_what_there_is_not_are_two_failures(opened, refused):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.create()
            await place.sessions.end(place.host, session)
            for call in (place.sessions.switch, place.tasks.session):
                failure = await refused(call, place.host, session)
                assert (failure.code, "kiro_session_load" in failure.hint) == ("SESSION_INACTIVE", True)
                failure = await refused(call, place.host, "nonsense")
                assert (failure.code, failure.sentence) == ("SESSION_NOT_FOUND", "There is no session nonsense.")
                assert "kiro_session_load" not in failure.hint
