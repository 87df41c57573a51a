"""The end of a session: each by itself, whole, and told as what it was."""

from contextlib import asynccontextmanager

import anyio

from kiro_core import Provider, Registry, hookimpl
from kiro_core.catalog import Choice
from kiro_core.errors import EndingFailed


class Undead(EndingFailed):
    """What the launcher below raises until its process may end."""

    def __init__(self, launcher):
        super().__init__("It is still there.", hint="Wait.")
        self._launcher = launcher

    async def again(self):
        if self._launcher.survives:
            raise self


class Stubborn:
    """A launcher of real processes, which end when they are `released`, and of which some survive while it says so."""

    def __init__(self, *, survives=False):
        self.survives = survives
        self.released = anyio.Event()

    @hookimpl
    def kiro_launchers(self):
        yield Provider("stubborn", self.opened)

    @asynccontextmanager
    async def opened(self, _):
        async with Registry(only={"local"}).launchers.open(Choice("local")) as self.local:
            yield self

    @asynccontextmanager
    async def launch(self, command):
        async with self.local.launch(command) as process:
            yield process
        await self.released.wait()
        if self.survives:
            raise Undead(self)

    async def sweep(self):
        return []


SLOW = {"launcher": "stubborn", "limits": {"close_s": 60}}


def ids(place):
    return [session.id for session in place.sessions.listed(place.host)]


async def test_the_oldest_remaining_session_is_active_when_the_active_one_ends(opened):
    with anyio.fail_after(30):
        async with opened() as place:
            first, second, third = [await place.create() for _ in range(3)]
            await place.sessions.switch(place.host, third)
            await place.sessions.end(place.host, second)
            assert place.host.active == third
            await place.sessions.end(place.host, third)
            assert place.host.active == first
            await place.sessions.end(place.host, first)
            assert place.host.active == ""
            assert not place.desk.live


async def test_what_is_not_open_cannot_be_ended_and_its_record_stays(opened, refused):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.sessions.end(place.host, session)
            for name in ("unknown", session):
                failure = await refused(place.sessions.end, place.host, name)
                assert (failure.code, failure.details) == ("SESSION_NOT_FOUND", {"session_id": name})
                assert ("its record is there" in failure.sentence) == (name == session)
                assert ("kiro_session_load" in failure.hint) == (name == session)
            assert (await place.desk.info(session)).id == session


async def test_what_runs_and_what_waits_in_a_session_ends_with_it_as_cancelled(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            running = await place.tasks.start(place.host, "/echo half\n/sleep 600")
            waiting = await place.tasks.start(place.host, "/echo never")
            await place.until(running.id, "streaming")
            seen = []

            async def follow():
                seen.append(await place.done(running.id))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(follow)
                await anyio.wait_all_tasks_blocked()
                await place.sessions.end(place.host, session)
            assert (seen[0].status, seen[0].text, seen[0].failure) == ("cancelled", "half", None)
            assert (await place.done(waiting.id)).status == "cancelled"


async def test_a_session_that_ends_slowly_delays_no_other_call(opened, refused):
    launcher = Stubborn()
    with anyio.fail_after(40):
        async with opened(plugins=[launcher], settings=SLOW) as place:
            slow, other, third = [await place.create() for _ in range(3)]
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(place.sessions.end, place.host, slow)
                tasks.start_soon(place.sessions.end, place.host, third)
                await anyio.wait_all_tasks_blocked()
                assert [place.state(session) for session in (slow, third)] == ["ending", "ending"]
                assert (await place.chat("/echo quick", other)).text == "quick"
                assert await place.create()
                await place.sessions.switch(place.host, other)
                failure = await refused(place.tasks.start, place.host, "hello", slow)
                assert (failure.code, failure.details["state"]) == ("SESSION_INACTIVE", "ending")
                launcher.released.set()
            assert not {slow, third} & set(ids(place))
            assert place.host.active == other


async def test_an_end_goes_on_when_its_caller_is_cancelled_and_all_who_want_it_wait_for_the_same(opened):
    launcher = Stubborn()
    with anyio.fail_after(40):
        async with opened(plugins=[launcher], settings=SLOW) as place:
            session = await place.create()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(place.sessions.end, place.host, session)
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
            assert place.state(session) == "ending"
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(place.sessions.end, place.host, session)
                tasks.start_soon(place.sessions.end, place.host, session)
                await anyio.wait_all_tasks_blocked()
                launcher.released.set()
            assert not ids(place)


async def test_the_next_session_is_active_also_when_nobody_waited_for_the_end(opened):
    launcher = Stubborn()
    with anyio.fail_after(40):
        async with opened(plugins=[launcher], settings=SLOW) as place:
            first, second = await place.create(), await place.create()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(place.sessions.end, place.host, first)
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
            assert place.host.active == first
            launcher.released.set()
            await place.gone(first)
            assert place.host.active == second


async def test_a_session_whose_process_survives_stays_listed_and_can_be_ended_again(opened, refused):
    launcher = Stubborn(survives=True)
    launcher.released.set()
    with anyio.fail_after(30):
        async with opened(plugins=[launcher], settings=SLOW) as place:
            session, other = await place.create(), await place.create()
            for _ in range(2):
                failure = await refused(place.sessions.end, place.host, session)
                assert (failure.code, failure.details["cause"]) == ("EXECUTION_ERROR", "ENDING_FAILED")
                assert place.state(session) == "ending_failed"
                assert place.host.active == session
            for call in (place.tasks.start(place.host, "hello"), place.sessions.load(place.host, session_id=session)):
                failure = await refused(lambda call=call: call)
                assert (failure.code, failure.details["state"]) == ("SESSION_INACTIVE", "ending_failed")
            launcher.survives = False
            await place.sessions.end(place.host, session)
            assert ids(place) == [other]
            assert place.host.active == other


async def test_a_session_whose_opening_is_cancelled_and_that_survives_is_its_hosts_to_end(opened, gate):
    launcher = Stubborn(survives=True)
    launcher.released.set()
    slow = {"scripted": {"slow": {"new": gate.wait}}, "engine": "slow"}
    with anyio.fail_after(30):
        async with opened(plugins=[launcher], settings=SLOW, **slow) as place:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(place.create)
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
            gate.let_in()
            while [session.state for session in place.sessions.listed(place.host)] != ["ending_failed"]:
                await anyio.wait_all_tasks_blocked()
            launcher.survives = False
            await place.sessions.end(place.host, *ids(place))
            assert not ids(place)


async def test_a_session_that_nobody_uses_ends_and_its_record_stays(opened, refused):
    with anyio.fail_after(20):
        async with opened(session_idle_s=0.3) as place:
            session = await place.create()
            await place.chat("/echo one")
            await place.gone(session)
            assert session not in place.desk.live
            failure = await refused(place.tasks.start, place.host, "hello", session)
            assert failure.code == "SESSION_INACTIVE"
            assert await place.sessions.load(place.host, session_id=session)


async def test_a_turn_keeps_its_session_from_expiring_however_long_nobody_looks(opened):
    with anyio.fail_after(20):
        async with opened(session_idle_s=0.1) as place:
            session = await place.create()
            begun = await place.tasks.start(place.host, "/sleep 0.5\n/permission\n/echo done")
            asked = await place.asked(begun.id)
            assert place.state(session) == "busy"
            place.questions.answer(place.host, asked.id, "once")
            assert (await place.done(begun.id)).text.endswith("done")


async def test_a_call_that_comes_when_a_session_expires_either_keeps_it_or_finds_it_ending(opened, refused):
    with anyio.fail_after(20):
        async with opened(session_idle_s=3600) as place:
            session = await place.create()
            live, ending = place.sessions._table.lives[session], place.sessions._ending
            live.stirred -= 7200
            with live.used():
                ending._next_look()
                assert place.state(session) == "ready"
            live.stirred -= 7200
            ending._next_look()
            failure = await refused(place.tasks.start, place.host, "hello", session)
            assert (failure.code, failure.details["state"]) == ("SESSION_INACTIVE", "ending")
            await place.gone(session)


async def test_a_turn_of_somebody_else_keeps_a_session_from_expiring(opened):
    with anyio.fail_after(20):
        async with opened(session_idle_s=3600) as place:
            session = await place.create()
            live, ending = place.sessions._table.lives[session], place.sessions._ending
            begun = await place.tasks.start(place.host, "/echo begun\n/sleep 600")
            await place.until(begun.id, "streaming")
            live._turns, live.stirred = 0, live.stirred - 7200  # as if another client had asked for it
            ending._next_look()
            assert place.state(session) == "ready"
            live._turns = 1
