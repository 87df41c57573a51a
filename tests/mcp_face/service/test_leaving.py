"""A connection that is gone leaves nothing open that nobody can use any more, and cuts nothing off."""

import anyio

from kiro_mcp.service.hosts import Host


async def test_the_sessions_of_a_connection_that_is_gone_end(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            other = Host(connected=True)
            kept = await place.create(other)
            first, second = await place.create(), await place.create()
            place.service.leave(place.host)
            await place.ended(first)
            await place.ended(second)
            assert list(place.desk.live) == [kept]
            assert not place.host.own


async def test_a_turn_of_theirs_comes_to_its_end_first_and_its_result_is_there(opened, gate):
    with anyio.fail_after(20):
        scripted = {"slow": {"prompt": f"tell('one')\n{gate.wait}\ntell('two')"}}
        async with opened(scripted=scripted, engine="slow") as place:
            begun = await place.tasks.start(place.host, "hello")
            await place.until(begun.id, "streaming")
            place.service.leave(place.host)
            await anyio.wait_all_tasks_blocked()
            assert begun.session_id in place.desk.live
            gate.let_in()
            await place.ended(begun.session_id)
            view = await place.done(begun.id, Host(connected=True))
            assert (view.status, view.text) == ("completed", "onetwo")


async def test_what_is_asked_of_nobody_is_refused_so_that_the_turn_goes_on(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            begun = await place.tasks.start(place.host, "/permission One\n/permission Two\n/echo done")
            await place.asked(begun.id)
            place.service.leave(place.host)
            await place.ended(begun.session_id)
            view = await place.done(begun.id, Host(connected=True))
            assert (view.status, view.text.count("reject")) == ("completed", 2)


async def test_they_do_not_count_for_the_limit_from_then_on(opened):
    with anyio.fail_after(20):
        async with opened(max_sessions=1) as place:
            session = await place.create()
            await place.tasks.start(place.host, "/sleep 600", session)
            place.service.leave(place.host)
            other = Host(connected=True)
            assert await place.create(other)
            assert session in place.desk.live


async def test_a_session_that_another_connection_has_loaded_meanwhile_stays(opened, gate):
    with anyio.fail_after(20):
        async with opened(scripted={"slow": {"prompt": gate.wait}}, engine="slow") as place:
            other = Host(connected=True)
            begun = await place.tasks.start(place.host, "hello")
            place.service.leave(place.host)
            await place.sessions.load(other, session_id=begun.session_id)
            gate.let_in()
            await place.done(begun.id, other)
            await anyio.wait_all_tasks_blocked()
            assert [session.id for session in place.sessions.listed(other)] == [begun.session_id]


async def test_where_all_connections_see_all_sessions_they_stay(opened):
    with anyio.fail_after(20):
        async with opened(sessions="all") as place:
            session = await place.create()
            place.service.leave(place.host)
            await anyio.wait_all_tasks_blocked()
            assert [each.id for each in place.sessions.listed(Host(connected=True))] == [session]
