"""Clients that hang up, fail, are slow or come twice: each harms at most itself."""

import os

import anyio
import pytest

from kiro_acp.local import LocalAgent
from kiro_core.errors import Disconnected, KiroError, SessionBusy, SessionClosing
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo

WITH_NOTICES = PeerInfo("editor", abilities=frozenset({"notices"}))


class Gated(RecordingClient):
    """It takes nothing before its `gate` opens; `offered` tells that there was something."""

    def __init__(self, info=None):
        super().__init__(info)
        self.gate, self.offered = anyio.Event(), anyio.Event()

    async def notify(self, frames):
        self.offered.set()
        await self.gate.wait()
        await super().notify(frames)


class Gone(RecordingClient):
    async def notify(self, frames):
        raise Disconnected("gone")


class Broken(RecordingClient):
    async def notify(self, frames):
        raise RuntimeError("a bug of the client")


class Line:
    """The near end of an ACP connection as a stream; `say` is the far end's, `answers` has its responses by id."""

    def __init__(self):
        self.answers = {}
        self._out, self._in = anyio.create_memory_object_stream[bytes](10)

    def say(self, *frames):
        self._out.send_nowait(b"".join(frame.raw + b"\n" for frame in frames))

    async def receive(self, max_bytes=65536):
        return await self._in.receive()

    async def send(self, item):
        for line in item.splitlines():
            frame = Frame.read(line)
            self.answers[frame.id] = frame

    def close(self):
        self._out.close()
        self._in.close()


def prompt(session, text, number=0):
    return Frame.of("session/prompt", {"sessionId": session, "prompt": [{"type": "text", "text": text}]}, id=number)


def answer_after(event):
    async def answer(frame):
        await event.wait()
        return Frame.answer({"outcome": {"outcome": "selected", "optionId": "once"}})

    return answer


@pytest.fixture
def remembering(tmp_path):
    """The settings of an engine that can continue its sessions."""
    return {"engines": {"mem": ["--memory", str(tmp_path / "memory")]}, "engine": "mem"}


async def test_a_client_that_takes_nothing_keeps_its_session_from_ending_no_longer_than_allowed(opened_desk):
    stuck = Gated()
    with anyio.fail_after(20):
        async with opened_desk(stuck, limits={"close_s": 0.5}) as office:
            session = await office.start()
            pid = await office.pid(session)
            turn = await office.ask(session, "/flood 10 10\n/sleep 60")
            await stuck.offered.wait()
            await office.close(session)
            assert (await turn.settled()).raw
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


@pytest.mark.parametrize("wishes", [{}, {"agent": "nobody"}], ids=["from the start", "after a notice was held back"])
async def test_a_client_that_takes_nothing_falls_behind_alone_and_is_shown_everything_later(opened_desk, wishes):
    flood = "/flood 4000 1000"
    settled = []

    async def wait(turn):
        settled.append(await turn.settled())

    stuck, other = Gated(WITH_NOTICES), RecordingClient()
    with anyio.fail_after(60):
        async with (
            opened_desk(stuck) as office,
            office.desk.attach(other) as agent_of_other,
            anyio.create_task_group() as tasks,
        ):
            session = await office.start(**wishes)
            tasks.start_soon(wait, await office.ask(session, flood))
            await stuck.offered.wait()
            agent_of_stuck, office.agent = office.agent, agent_of_other
            await office.load(session)
            await other.until(lambda c: len(c.text(session)) >= 4000 * 1000)
            await office.recorded(session, "turn_ended")
            office.agent = agent_of_stuck
            assert settled == [], "its answer cannot overtake what was said before"
            (member,) = (m for m in office.desk.live[session].clients.members if m.client is stuck)
            assert member.waiting < 2 << 20, "nor is all of it kept in memory"
            stuck.gate.set()
    assert settled[0].result["stopReason"] == "end_turn"
    assert stuck.text(session) == other.text(session)


@pytest.mark.parametrize("wishes", [{}, {"agent": "nobody"}], ids=["in a turn", "at the first notice"])
async def test_a_client_that_fails_harms_no_other_session_and_not_the_desk(opened_desk, wishes):
    with anyio.fail_after(20):
        async with (
            opened_desk(RecordingClient()) as office,
            office.desk.attach(Broken(WITH_NOTICES)) as broken,
        ):
            good, agent_of_good, office.agent = await office.start(), office.agent, broken
            bad = await office.start(**wishes)
            assert (await office.prompt(bad, "hello")).raw
            office.agent = agent_of_good
            assert (await office.prompt(good, "hello")).result["stopReason"] == "end_turn"
            assert "hello" in office.client.text(good)


async def test_a_client_that_hangs_up_during_a_replay_leaves_the_session_to_the_next(opened_desk, remembering):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with (
            opened_desk(client, **remembering) as office,
            office.desk.attach(Gone()) as agent_of_gone,
        ):
            session = await office.start()
            await office.prompt(session, "/flood 400 10")
            await office.close(session)
            agent_of_client, office.agent = office.agent, agent_of_gone
            try:
                await office.load(session)
            except KiroError:
                await office.ended(session)
            office.agent = agent_of_client
            await office.load(session)
            await office.prompt(session, "and on")
            assert "and on" in client.text(session)


async def test_a_load_that_is_taken_back_midway_holds_nothing_back_for_ever(opened_desk):
    first, slow = RecordingClient(), Gated()
    with anyio.fail_after(20):
        async with opened_desk(first) as office, office.desk.attach(slow) as office.agent:
            session = await office.start()
            slow.gate.set()
            await office.prompt(session, "one")
            slow.gate, slow.offered = anyio.Event(), anyio.Event()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(office.load, session)
                await slow.offered.wait()
                tasks.cancel_scope.cancel()
            slow.gate.set()
            await office.prompt(session, "/echo two")
            assert "two" in slow.text(session) + first.text(session)


async def test_clients_that_load_while_a_turn_runs_see_everything_once(opened_desk):
    go, go_on = anyio.Event(), anyio.Event()
    host = RecordingClient(answer=answer_after(go))
    early, late = Gated(), RecordingClient(answer=answer_after(go_on))

    async def load(agent, session, done):
        await agent.open(Frame.of("session/load", {"sessionId": session, "cwd": "/", "mcpServers": []}), replay=True)
        done.set()

    with anyio.fail_after(30):
        async with (
            opened_desk(host) as office,
            office.desk.attach(early) as agent_of_early,
            office.desk.attach(late) as agent_of_late,
            anyio.create_task_group() as tasks,
        ):
            session = await office.start()
            said = "/echo one;\n/permission\n/echo two;\n/plan\n/permission\n/echo three;"
            turn = await office.ask(session, said)
            await host.until(lambda c: c.questions)
            early_done, late_done = anyio.Event(), anyio.Event()
            tasks.start_soon(load, agent_of_early, session, early_done)
            await early.offered.wait()
            go.set()
            while "plan" not in [_kind(item) for item in await office.entries(session, "update")]:
                pass
            tasks.start_soon(load, agent_of_late, session, late_done)
            await anyio.wait_all_tasks_blocked()
            early.gate.set()
            await early_done.wait()
            await late_done.wait()
            go_on.set()
            assert (await turn.settled()).result["stopReason"] == "end_turn"
            await late.until(lambda c: "three;" in c.text(session))
            words = ("one;", "two;", "three;")
            for client in (host, early, late):
                await client.until(lambda c: "three;" in c.text(session))
                assert [client.text(session).count(word) for word in words] == [1, 1, 1]


def _kind(item):
    return item.frame.params["update"]["sessionUpdate"]


async def test_a_session_that_is_being_closed_is_given_to_nobody(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), limits={"close_s": 1}) as office:
            session = await office.start()
            await office.prompt(session, "/ignore-term")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(office.close, session)
                while not office.desk.live[session].closing:
                    await anyio.lowlevel.checkpoint()
                with pytest.raises((SessionClosing, SessionBusy)):
                    await office.load(session)


async def test_a_replay_does_not_end_a_tool_call_that_still_runs(opened_desk):
    first, second = RecordingClient(answer=answer_after(anyio.Event())), RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(first) as office, office.desk.attach(second) as other:
            session = await office.start()
            await office.ask(session, "/permission delete it")
            await first.until(lambda c: c.questions)
            office.agent = other
            await office.load(session)
            shown = [update.get("status") for update in second.updates(session) if "toolCallId" in update]
            assert shown == ["pending"]


async def test_what_nobody_was_there_to_be_told_is_told_to_the_next_client(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client, limits={"silence_s": 0.2}) as office:
            agent_of_client = office.agent
            async with office.desk.attach(RecordingClient()) as office.agent:
                session = await office.start()
                turn = await office.ask(session, "/sleep 60")
            office.agent = agent_of_client
            await office.recorded(session, "notice")
            await office.load(session)
            await office.cancel(session)
            await turn.settled()
            await office.prompt(session, "hello")
            assert client.text(session).count("has not been heard") == 1


async def test_taking_back_a_prompt_that_waits_leaves_the_running_one_alone(opened_desk):
    go, line = anyio.Event(), Line()
    with anyio.fail_after(20):
        local = LocalAgent(line, lambda _: [])
        async with (
            opened_desk(RecordingClient(answer=answer_after(go))) as office,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(local.peer.run)
            local.open(office.agent)
            session = await office.start()
            line.say(prompt(session, "/permission go\n/echo first;", 1), prompt(session, "/echo second;", 2))
            await office.client.until(lambda c: c.questions)
            line.say(Frame.of("$/cancel_request", {"requestId": 2}))
            while b"2" not in line.answers:
                await anyio.lowlevel.checkpoint()
            go.set()
            while b"1" not in line.answers:
                await anyio.lowlevel.checkpoint()
            assert line.answers[b"1"].result["stopReason"] == "end_turn"
            assert "first;" in office.client.text(session)
            assert "second;" not in office.client.text(session)
            await office.close(session)
            outcomes = [item.value["stopReason"] for item in await office.entries(session, "turn_ended")]
            assert sorted(outcomes) == ["cancelled", "end_turn"]
            tasks.cancel_scope.cancel()
        line.close()


async def test_a_cancel_of_what_is_gone_does_not_swallow_the_next_one(opened_desk):
    line = Line()
    with anyio.fail_after(20):
        local = LocalAgent(line, lambda _: [])
        async with opened_desk(RecordingClient()) as office, anyio.create_task_group() as tasks:
            tasks.start_soon(local.peer.run)
            local.open(office.agent)
            session = await office.start()
            turn = await office.ask(session, "/sleep 60")
            line.say(*(Frame.of("session/cancel", {"sessionId": id_}) for id_ in ("gone", session)))
            assert (await turn.settled()).result["stopReason"] == "cancelled"
            tasks.cancel_scope.cancel()
        line.close()
