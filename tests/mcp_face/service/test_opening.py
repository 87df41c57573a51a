"""Opening: in the folder that is meant, once however many want it, and for whom it may be."""

import anyio
import pytest

from kiro_mcp.options import McpOptions
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.folders import folder
from kiro_mcp.service.hosts import Host


def ids(place, host=None):
    return [session.id for session in place.sessions.listed(host or place.host)]


async def stored(place, gate=None):
    """A session that nobody has open."""
    if gate is not None:
        gate.let_in()
    session = await place.create()
    await place.sessions.end(place.host, session)
    return session


async def waited_for(place, session, callers):
    """Wait until so many wait for a session to be opened."""
    errands = place.sessions._loading._opening._errands._shared
    while session not in errands or errands[session].wanted < callers:
        await anyio.wait_all_tasks_blocked()


def test_a_folder_is_below_that_of_the_server_and_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home" / "work" / "below").mkdir(parents=True)
    home, options = tmp_path / "home", McpOptions(working_directory="~/work")
    assert folder(options) == home / "work"
    assert folder(options, "below") == home / "work" / "below"
    assert folder(options, "~") == home
    assert folder(options, str(tmp_path)) == tmp_path
    assert folder(McpOptions(working_directory="home"), "work/..") == home
    assert folder(McpOptions()) == tmp_path


@pytest.mark.parametrize("text", ["missing", "~nobody-has-this-name/x", "x" * 5000, "\0", "~\0", " "])
def test_what_is_no_folder_is_told_whatever_is_wrong_with_it(tmp_path, text):
    with pytest.raises(ToolFailure) as caught:
        folder(McpOptions(working_directory=str(tmp_path)), text)
    assert caught.value.code == "INVALID_CONFIG"
    assert text in caught.value.details["working_directory"]


async def test_what_a_host_has_open_no_other_one_of_the_server_loads_unless_all_see_all(opened, refused):
    other = Host(connected=True)
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            failure = await refused(place.sessions.load, other, session_id=session)
            assert (failure.code, failure.details) == ("SESSION_BUSY", {"session_id": session})
            assert "another connection" in failure.sentence
            assert '"all"' in failure.hint
            assert not ids(place, other)
            assert (await place.sessions.load(place.host, session_id=session)).id == session
        async with opened(sessions="all") as place:
            session = await place.create()
            await place.sessions.load(other, session_id=session)
            assert ids(place) == ids(place, other) == [session]
            assert other.active == session
            assert len(place.desk.live[session].clients.members) == 1
            await place.sessions.end(other, session)
            assert not place.host.own
            assert not other.own


async def test_of_two_hosts_that_load_a_session_at_a_time_one_gets_it(opened, gate):
    other, codes = Host(connected=True), []
    with anyio.fail_after(20):
        async with opened(scripted={"slow": {"new": gate.wait}}, engine="slow") as place:
            session = await stored(place, gate)

            async def load(host):
                try:
                    await place.sessions.load(host, session_id=session)
                except ToolFailure as failure:
                    codes.append(failure.code)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(load, place.host)
                tasks.start_soon(load, other)
                await waited_for(place, session, 2)
                gate.let_in()
            assert codes == ["SESSION_BUSY"]
            assert sorted([*ids(place), *ids(place, other)]) == [session]


@pytest.mark.parametrize("first", [True, False])
async def test_of_two_who_load_a_session_at_a_time_one_may_leave(opened, gate, first):
    with anyio.fail_after(20):
        async with opened(scripted={"slow": {"new": gate.wait}}, engine="slow") as place:
            session = await stored(place, gate)
            loaded = []

            async def load():
                loaded.append((await place.sessions.load(place.host, session_id=session)).state)

            async with anyio.create_task_group() as staying, anyio.create_task_group() as leaving:
                for number, tasks in enumerate((leaving, staying) if first else (staying, leaving)):
                    tasks.start_soon(load)
                    await waited_for(place, session, number + 1)
                leaving.cancel_scope.cancel()
                gate.let_in()
            await anyio.wait_all_tasks_blocked()
            assert (loaded, ids(place), place.state(session)) == (["ready"], [session], "ready")
            assert list(place.desk.live) == [session]


async def test_who_joins_a_load_into_another_folder_is_refused_and_has_what_was_opened(opened, gate, refused, tmp_path):
    (tmp_path / "below").mkdir()
    with anyio.fail_after(20):
        async with opened(scripted={"slow": {"new": gate.wait}}, engine="slow") as place:
            session = await stored(place, gate)
            failures = []

            async def load():
                call = place.sessions.load
                failures.append(await refused(call, place.host, session_id=session, working_directory="below"))

            async with anyio.create_task_group() as staying, anyio.create_task_group() as leaving:
                leaving.start_soon(lambda: place.sessions.load(place.host, session_id=session))
                await waited_for(place, session, 1)
                staying.start_soon(load)
                await waited_for(place, session, 2)
                leaving.cancel_scope.cancel()
                gate.let_in()
            assert [failure.code for failure in failures] == ["INVALID_CONFIG"]
            assert ids(place) == [session]


async def test_a_session_that_all_who_wanted_it_have_left_is_closed_again(opened, gate):
    with anyio.fail_after(20):
        async with opened(scripted={"slow": {"new": gate.wait}}, engine="slow") as place:
            session = await stored(place, gate)
            async with anyio.create_task_group() as tasks:
                for _ in range(2):
                    tasks.start_soon(lambda: place.sessions.load(place.host, session_id=session))
                await waited_for(place, session, 2)
                tasks.cancel_scope.cancel()
            gate.let_in()
            while place.sessions._table._opening or place.desk.live:  # it is opened first, and closed then
                await anyio.wait_all_tasks_blocked()
            assert not place.host.own


async def test_what_is_being_ended_is_loaded_when_it_has_ended(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(place.sessions.end, place.host, session)
                while place.state(session) != "ending":
                    await anyio.lowlevel.checkpoint()
                assert (await place.sessions.load(place.host, session_id=session)).state == "ready"
            assert (await place.chat("/echo on", session)).text.endswith("on")


async def test_an_open_session_is_loaded_in_its_own_folder_and_in_no_other(opened, refused, tmp_path):
    (tmp_path / "below").mkdir()
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            for named in ("", ".", str(tmp_path)):
                assert await place.sessions.load(place.host, session_id=session, working_directory=named)
            failure = await refused(place.sessions.load, place.host, session_id=session, working_directory="below")
            assert failure.code == "INVALID_CONFIG"
            assert failure.details == {"session_id": session, "working_directory": str(tmp_path)}
            assert place.sessions.find(place.host).working_directory == str(tmp_path)


async def test_an_id_that_nobody_knows_is_not_looked_for_by_loading_it(opened, refused):
    with anyio.fail_after(10):
        async with opened() as place:
            failure = await refused(place.sessions.load, place.host, session_id="unknown")
            assert (failure.code, failure.details) == ("SESSION_NOT_FOUND", {"session_id": "unknown"})
            assert "kiro_session_load" not in failure.hint
            assert "kiro_session_search" in failure.hint
