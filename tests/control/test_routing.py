"""A session is worked on where it is live: the second desk is a way to it, and another one when the first has ended."""

import anyio
import pytest

from kiro_core import Frame, Registry, open_desk
from kiro_core.control import claim_served
from kiro_core.control.doors import Served
from kiro_core.control.listening import bound
from kiro_core.errors import (
    AgentNotFound,
    Disconnected,
    Held,
    SessionBusy,
    SessionClosing,
    SessionNotFound,
    UnknownName,
)
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo


class Verbs:
    async def stop(self):
        return {}

    async def reload(self):
        return {}


@pytest.fixture
def served(settings):
    """`async with served() as desk`: the served desk of the test's store."""

    class Opened:
        def __init__(self, **changes):
            self._settings = settings(**changes)

        async def __aenter__(self):
            self._claim = claim_served(self._settings, Registry())
            path = self._claim.__enter__()
            self._desk = open_desk(self._settings, Registry(), face="serve", served=Served(path, Verbs()))
            return await self._desk.__aenter__()

        async def __aexit__(self, *failed):
            try:
                await self._desk.__aexit__(*failed)
            finally:
                self._claim.__exit__(*failed)

    return Opened


async def test_a_session_of_another_desk_is_shared(desk):
    first, second = RecordingClient(), RecordingClient()
    with anyio.fail_after(30):
        async with desk(first) as one, desk(second, face="chat") as two:
            session = await one.new()
            await one.prompt(session, "/echo before")
            assert "configOptions" in (await two.load(session)).result
            assert second.text(session) == "before"
            assert (await two.prompt(session, "/echo behind")).result["stopReason"] == "end_turn"
            assert second.text(session) == "beforebehind"
            assert list(two.desk.live) == []
            assert list(one.desk.live) == [session]


async def test_every_verb_reaches_it(desk):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, desk(RecordingClient()) as two:
            session = await one.new()
            await two.load(session)
            told = await two.call("session/set_config_option", session, configId="model", value="rehearsal-2")
            assert {option["id"]: option["currentValue"] for option in told.result["configOptions"]}["model"] == (
                "rehearsal-2"
            )
            turn = await two.ask(session, "/sleep 60")
            await two.cancel(session)
            assert (await turn.settled()).result["stopReason"] == "cancelled"
            await two.agent.delete(Frame.of("session/delete", {"sessionId": session}, id=0))
            with pytest.raises(SessionNotFound):
                await one.desk.info(session)


async def test_a_question_reaches_who_is_attached_from_another_process(desk):
    second = RecordingClient()
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, desk(second) as two:
            session = await one.new()
            await two.load(session)
            await two.prompt(session, "/permission Erase it")
            assert [question.session for question in second.questions] == [session]
            assert "allow" in second.text(session)


async def test_what_is_refused_there_is_the_same_error_here(desk):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, desk(RecordingClient()) as two:
            session = await one.new()
            await two.load(session)
            with pytest.raises(AgentNotFound) as refused:
                await two.call("session/set_config_option", session, configId="agent", value="none")
            assert refused.value.details["agent"] == "none"
            assert refused.value.hint not in refused.value.sentence
            turn = await two.ask(session, "/sleep 60")
            busy = await (await two.ask(session, "at once", whenBusy="reject")).settled()
            assert busy.error["data"]["code"] == SessionBusy.code
            await turn.cancel()
            await turn.settled()


async def test_nothing_is_shown_in_front_of_the_answer_that_opens_a_session(desk, served):
    client = RecordingClient(PeerInfo("x", abilities=frozenset({"notices"})))
    seen = []
    with anyio.fail_after(30):
        async with served(), desk(client) as place:
            for _ in range(5):
                params = {"cwd": place.cwd, "mcpServers": [], "_meta": {"kiro_core": {"agent": "unknown"}}}
                answer = await place.agent.new(Frame.of("session/new", params, id=0))
                seen.append(len(client.updates(answer.result["sessionId"])))
                await client.until(lambda _, id_=answer.result["sessionId"]: client.updates(id_))
    assert seen == [0] * 5


async def test_who_wants_no_sharing_is_refused(desk):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, desk(RecordingClient(), attach=False) as two:
            session = await one.new()
            with pytest.raises(Held):
                await two.load(session)
            assert (await one.prompt(session, "/echo mine")).result["stopReason"] == "end_turn"


async def test_a_run_does_not_join_another_run(desk):
    with anyio.fail_after(30):
        async with desk(RecordingClient(), face="run") as one, desk(RecordingClient(), face="run") as two:
            session = await one.new()
            with pytest.raises(Held):
                await two.load(session)


async def test_a_prompt_that_is_taken_back_takes_no_others_with_it(desk):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, desk(RecordingClient()) as two:
            session = await one.new()
            await two.load(session)
            running = await one.ask(session, "/sleep 0.5\n/echo mine")
            mine, other = [await two.ask(session, f"/echo {text}") for text in ("taken back", "kept")]
            await mine.cancel()
            assert (await mine.settled()).result["stopReason"] == "cancelled"
            for turn in (running, other):
                assert (await turn.settled()).result["stopReason"] == "end_turn"


async def test_a_turn_that_is_taken_back_is_answered_behind_what_it_showed(desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, desk(client) as two:
            session = await one.new()
            await two.load(session)
            turn = await two.ask(session, "/echo at work\n/sleep 60")
            await client.until(lambda _: "at work" in client.text(session))
            await turn.cancel()
            assert (await turn.settled()).result["stopReason"] == "cancelled"
            assert one.desk.live[session].turns.running is None


async def test_a_session_whose_desk_has_ended_goes_on_here(desk):
    second = RecordingClient()
    with anyio.fail_after(30):
        async with desk(second) as two:
            async with desk(RecordingClient()) as one:
                session = await one.new()
                await one.prompt(session, "/echo before")
                await two.load(session, replay=False)
            assert (await two.prompt(session, "/echo behind")).result["stopReason"] == "end_turn"
            assert list(two.desk.live) == [session]
            assert "has ended; the session goes on from its record." in second.text(session)
            assert second.text(session).endswith("behind")
            assert (await two.prompt(session, "/echo again")).result["stopReason"] == "end_turn"
            assert (await two.kinds(session)).count("prompt") == 3


async def test_prompts_that_come_while_a_session_moves_wait_for_it(desk, monkeypatch):
    answers = []
    moving, go_on = anyio.Event(), anyio.Event()

    async def prompted(place, session, text):
        answers.append((await place.prompt(session, text)).result["stopReason"])

    with anyio.fail_after(30):
        async with desk(RecordingClient()) as two:
            async with desk(RecordingClient()) as one:
                session = await one.new()
                await two.load(session)
            opened = two.agent._homes.open

            async def slowly(frame, *, replay):
                moving.set()
                await go_on.wait()
                return await opened(frame, replay=replay)

            monkeypatch.setattr(two.agent._homes, "open", slowly)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(prompted, two, session, "/echo first")
                await moving.wait()
                tasks.start_soon(prompted, two, session, "/echo second")
                await anyio.wait_all_tasks_blocked()
                go_on.set()
            assert answers == ["end_turn"] * 2


async def test_what_the_client_was_shown_is_not_shown_again(desk):
    second = RecordingClient(PeerInfo("x", abilities=frozenset({"notices"})))
    with anyio.fail_after(30):
        async with desk(second) as two:
            async with desk(RecordingClient()) as one:
                session = await one.new()
                await two.load(session)
                await one.prompt(session, "/echo before;")
                await second.until(lambda c: "before;" in c.text(session))
            await two.prompt(session, "/echo behind;")
            await second.until(lambda c: "behind;" in c.text(session))
            assert second.text(session) == "before;behind;"
            assert not any(frame.method == "_kiro_core/cursor" for frame in second.frames)


async def test_a_turn_whose_desk_ends_is_answered_with_a_sentence(editor, desk):
    """The other desk is a process of its own here: an orderly end would have answered the turn itself."""
    client = RecordingClient()
    with anyio.fail_after(60):
        async with desk(client) as two:
            one = await anyio.to_thread.run_sync(editor)
            session = await anyio.to_thread.run_sync(one.new)
            await two.load(session)
            turn = await two.ask(session, "/echo at work\n/hang")
            await client.until(lambda _: "at work" in client.text(session))
            one.process.kill()
            with pytest.raises(Disconnected, match=rf"has ended \(pid {one.process.pid}\)"):
                await turn.settled()
            assert (await two.prompt(session, "/echo back")).result["stopReason"] == "end_turn"
            assert client.text(session).endswith("back")


async def test_new_sessions_are_the_served_desks(desk, served):
    with anyio.fail_after(30):
        async with served() as running:
            async with desk(RecordingClient()) as one:
                session = await one.new()
                assert list(running.live) == [session]
                assert list(one.desk.live) == []
                turn = await one.ask(session, "/sleep 0.5\n/echo still here")
                assert turn
            assert running.live[session].turns.running is not None
            client = RecordingClient()
            async with desk(client) as two:
                await two.load(session)
                await client.until(lambda _: "still here" in client.text(session))


async def test_recorded_sessions_are_opened_in_it(desk, served):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one:
            session = await one.new()
            await one.prompt(session, "/echo one")
        async with served() as running, desk(RecordingClient()) as two:
            await two.load(session)
            assert list(running.live) == [session]
            assert (await two.prompt(session, "/echo two")).result["stopReason"] == "end_turn"


async def test_who_stands_alone_has_its_sessions_itself(desk, served):
    with anyio.fail_after(30):
        async with served() as running, desk(RecordingClient(), standalone=True) as one:
            session = await one.new()
            assert (list(running.live), list(one.desk.live)) == ([], [session])


async def test_a_desk_that_drains_takes_no_new_session(desk, served):
    with anyio.fail_after(30):
        async with served() as running, desk(RecordingClient()) as one:
            running.reception.state = "draining"
            session = await one.new()
            assert list(one.desk.live) == [session]


async def test_a_desk_that_begins_to_drain_takes_no_new_session_and_that_is_told(desk, served, caplog):
    with anyio.fail_after(30):
        async with served() as running, desk(RecordingClient()) as one:
            await one.new()
            running.reception.state = "draining"
            session = await one.new()
            assert list(one.desk.live) == [session]
    (told,) = [record for record in caplog.records if "is opened in this process" in record.getMessage()]
    assert told.levelname == "WARNING"


async def test_a_session_that_the_served_desk_is_closing_is_opened_there_again(desk, served, monkeypatch):
    """Its lock is free already, so that it could be opened here as well."""
    refused = []

    def closing():
        if not refused:
            refused.append(True)
            raise SessionClosing("The session is being closed.")

    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one:
            session = await one.new()
            await one.prompt(session, "/echo before")
        async with served() as running, desk(RecordingClient()) as two:
            monkeypatch.setattr(running.ground, "require_open", closing)
            await two.load(session)
            assert refused
            assert (list(running.live), list(two.desk.live)) == ([session], [])


async def test_a_served_desk_that_is_just_being_started_is_waited_for(desk, settings, monkeypatch):
    """A service manager listens for it already."""
    monkeypatch.setattr("kiro_core.control.meeting.HELLO_S", 0)
    began = []

    async def begin(place):
        began.append(await place.new())

    with anyio.fail_after(30), claim_served(settings(), Registry()) as path, bound(path) as listener:
        async with desk(RecordingClient()) as one, anyio.create_task_group() as tasks:
            tasks.start_soon(begin, one)
            await anyio.wait_all_tasks_blocked()
            starting = open_desk(settings(), Registry(), face="serve", served=Served(path, Verbs(), listener))
            async with starting as running:
                while not began:
                    await anyio.lowlevel.checkpoint()
                assert list(running.live) == began


async def test_a_session_is_found_in_a_third_desk_although_one_is_served(desk, served):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one:
            session = await one.new()
            async with served() as running, desk(RecordingClient()) as two:
                await two.load(session)
                assert (await two.prompt(session, "/echo two")).result["stopReason"] == "end_turn"
                assert list(running.live) == []


async def test_a_session_goes_on_in_the_served_desk_that_came_after(desk, served):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one:
            async with served():
                session = await one.new()
                await one.prompt(session, "/echo first")
            async with served() as running:
                assert (await one.prompt(session, "/echo second")).result["stopReason"] == "end_turn"
                assert list(running.live) == [session]


async def test_the_names_of_the_command_line_travel(desk, served, home):
    (home / "agents").mkdir(parents=True)
    (home / "agents" / "polite.json").write_text('{"name": "polite", "prompt": "Say please."}')
    with anyio.fail_after(30):
        async with served() as running, desk(RecordingClient(), agent="polite", engine="rehearsal") as one:
            session = await one.new()
            plan = running.live[session].plan
            assert (plan.config.name, plan.engine.name) == ("polite", "rehearsal")
        async with served(), desk(RecordingClient(), engine="none-such") as one:
            with pytest.raises(UnknownName):
                await one.agent.new(Frame.of("session/new", {"cwd": one.cwd, "mcpServers": []}, id=0))


async def test_settings_that_differ_are_named_once(desk, served, caplog):
    changes = {"limits": {"start_s": 20, "close_s": 3}}
    with anyio.fail_after(30):
        async with served(limits={"close_s": 3}), desk(RecordingClient(), changes=changes) as one:
            await one.new()
            await one.new()
    (told,) = [record.getMessage() for record in caplog.records if "other settings" in record.getMessage()]
    assert "limits.start_s; --standalone" in told


async def test_a_session_that_has_left_its_desk_meanwhile_is_opened_here(desk, monkeypatch):
    """The other desk closes it between our refusal and our question."""
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, desk(RecordingClient()) as two:
            session = await one.new()
            await one.prompt(session, "/echo one")
            homes = two.agent._homes
            shared = homes._shared

            def closing(held):
                if (live := one.desk.live.get(session)) is not None:
                    live.closing = True
                    live.scope.cancel()
                return shared(held)

            monkeypatch.setattr(homes, "_shared", closing)
            await two.load(session)
            assert list(two.desk.live) == [session]
