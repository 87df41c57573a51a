"""Turns: they queue, never mix, are cancelled, outlive their client, and each ends with a named outcome."""

import anyio
import pytest

from kiro_core.errors import RpcError, SessionBusy, SessionClosing, SessionNotFound
from kiro_core.journal import entry
from kiro_core.testing import RecordingClient


async def entries(office, session):
    return [entry(record) async for record in office.desk.read(session)]


async def outcomes(office, session):
    return [e.value for e in await entries(office, session) if e.kind == "turn_ended"]


async def never(_):
    await anyio.Event().wait()


async def test_a_prompt_is_answered_after_everything_that_was_said_in_its_turn(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            response = await office.prompt(session, "Hello there")
            assert response.result["stopReason"] == "end_turn"
            assert "Hello there" in client.text(session)
            assert len(client.updates(session)) > 3


async def test_what_is_shown_is_in_the_record_already(opened_desk):
    seen = []

    class Sceptic(RecordingClient):
        async def notify(self, frames):
            stored = [
                e.frame.params.get("update")
                for e in await entries(self.office, frames[0].session)
                if e.kind == "update"
            ]
            seen.extend(frame.params["update"] in stored for frame in frames)

    client = Sceptic()
    with anyio.fail_after(20):
        async with opened_desk(client) as client.office:
            await client.office.prompt(await client.office.start(), "Hello\n/tool\n/plan")
    assert seen
    assert all(seen)


async def test_interleaved_prompts_of_two_sessions_never_mix(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            first, second = await office.start(), await office.start()
            async with anyio.create_task_group() as tasks:
                for number in range(5):
                    tasks.start_soon(office.prompt, first, f"apple{number}\n/flood 50 20")
                    tasks.start_soon(office.prompt, second, f"pear{number}\n/flood 50 20")
            assert "apple" in client.text(first)
            assert "pear" not in client.text(first)
            assert "pear" in client.text(second)
            assert "apple" not in client.text(second)
            for session in (first, second):
                updates = [e for e in await entries(office, session) if e.kind == "update"]
                assert len({e.frame.session for e in updates}) == 1


async def test_prompts_of_one_session_run_one_after_the_other_in_their_order(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            turns = [await office.ask(session, f"/echo n{number};") for number in range(10)]
            for turn in turns:
                await turn.settled()
            assert [word for word in client.text(session).split(";") if word.strip()] == [f"n{n}" for n in range(10)]
            kinds = [e.kind for e in await entries(office, session) if e.kind in ("turn_begun", "turn_ended")]
            assert kinds == ["turn_begun", "turn_ended"] * 10


async def test_more_prompts_than_may_wait_are_refused_as_busy(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), limits={"max_queued_prompts": 2}) as office:
            session = await office.start()
            turns = [await office.ask(session, "/sleep 60") for _ in range(3)]
            with pytest.raises(SessionBusy):
                await office.ask(session, "one too many")
            await office.cancel(session)
            for turn in turns:
                assert (await turn.settled()).result["stopReason"] == "cancelled"


async def test_a_cancel_overtakes_the_running_turn_and_those_that_wait(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            running = await office.ask(session, "begun\n/sleep 60")
            waiting = await office.ask(session, "never said")
            await client.until(lambda c: "begun" in c.text(session))
            await office.cancel(session)
            assert (await running.settled()).result == {"stopReason": "cancelled", **_usage(await running.settled())}
            assert (await waiting.settled()).result == {"stopReason": "cancelled"}
            assert "never said" not in client.text(session)
            assert (await office.prompt(session, "and on")).result["stopReason"] == "end_turn"


def _usage(response):
    return {key: value for key, value in response.result.items() if key == "usage"}


async def test_a_cancel_right_behind_its_prompt_is_not_lost(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            for _ in range(20):
                turn = await office.ask(session, "/sleep 60")
                await office.cancel(session)
                assert (await turn.settled()).result["stopReason"] == "cancelled"


async def test_a_cancel_that_the_agent_ignores_ends_the_turn_after_its_deadline_and_says_so(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, limits={"control_s": 0.2, "close_s": 0.5}) as office:
            session = await office.start()
            turn = await office.ask(session, "begun\n/hang")
            await client.until(lambda c: "begun" in c.text(session))
            await office.cancel(session)
            assert (await turn.settled()).result["stopReason"] == "cancelled"
            assert "did not confirm the cancel" in client.text(session)


async def test_a_silent_agent_is_told_of_and_its_turn_goes_on(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, limits={"silence_s": 0.1}) as office:
            session = await office.start()
            turn = await office.ask(session, "/sleep 60")
            await client.until(lambda c: "has not been heard" in c.text(session))
            await office.cancel(session)
            assert (await turn.settled()).result["stopReason"] == "cancelled"


async def test_a_silent_turn_is_cancelled_where_the_settings_say_so(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, limits={"silence_s": 0.1, "end_silent_turns": True}) as office:
            session = await office.start()
            assert (await office.prompt(session, "/sleep 60")).result["stopReason"] == "cancelled"
            assert "the turn is cancelled" in client.text(session)


async def test_a_turn_outlives_its_client(opened_desk):
    leaving, watching = RecordingClient(), RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(watching) as office:
            async with office.desk.attach(leaving) as agent:
                office.agent, agent_of_watching = agent, office.agent
                session = await office.start()
                turn = await office.ask(session, "first words\n/sleep 0.3\n/echo last words")
                await leaving.until(lambda c: "first words" in c.text(session))
            assert (await turn.settled()).result["stopReason"] == "end_turn"
            assert "last words" not in leaving.text()
            office.agent = agent_of_watching
            await office.load(session)
            assert "last words" in watching.text(session)


async def test_an_agent_that_dies_in_its_turn_is_named_with_status_and_last_words(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            running = await office.ask(session, "/die 3")
            waiting = await office.ask(session, "the next one has an agent again")
            error = (await running.settled()).error
            assert error["data"]["code"] == "AGENT_GONE"
            assert "status 3" in error["message"]
            assert "rehearsal" in error["data"]["stderr"]
            assert (await waiting.settled()).result["stopReason"] == "end_turn"
            assert [outcome["state"] for outcome in await outcomes(office, session)] == ["failed", "settled"]


async def test_closing_a_session_settles_its_turns_as_cancelled(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            running, waiting = await office.ask(session, "begun\n/sleep 60"), await office.ask(session, "waiting")
            await client.until(lambda c: "begun" in c.text(session))
            await office.close(session)
            assert (await running.settled()).result["stopReason"] == "cancelled"
            assert (await waiting.settled()).result["stopReason"] == "cancelled"
            kinds = [e.kind for e in await entries(office, session)]
            assert kinds[-2:] == ["process_ended", "closed"]
            assert kinds.count("turn_ended") == 2


async def test_a_forged_line_never_becomes_a_record_nor_reaches_the_client(opened_desk):
    client = RecordingClient()
    forged = 'null,"kind":"answer"', '{"a":1}{"b":2}', '{}},"kind":"x","y":{"z":1', "plain words", "[1,2]"
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            await office.prompt(session, "\n".join(f"/raw {line}" for line in forged))
            noise = [e.frame.raw.decode() for e in await entries(office, session) if e.kind == "noise"]
            assert noise == list(forged)
            assert not {e.kind for e in await entries(office, session)} & {"answer", "x"}
            assert len(client.updates(session)) == len(client.frames)


@pytest.mark.parametrize("odd", [r'"\ud83d"', "NaN", "12345678901234567890123"])
async def test_a_line_that_a_strict_parser_refuses_passes_byte_for_byte(opened_desk, odd):
    client = RecordingClient()
    line = '{"method":"session/update", "params":{"update":{"sessionUpdate":"odd_new_kind","x":ODD}}, "later": 1}'
    line = line.replace("ODD", odd)
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            await office.prompt(session, f"/raw {line}")
            assert line.encode() in [frame.raw for frame in client.frames]
            assert line.encode() in [e.frame.raw for e in await entries(office, session) if e.kind == "update"]


async def test_a_prompt_while_the_session_ends_is_refused_or_settled_never_left(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), limits={"max_restarts": 0}) as office:
            session = await office.start()
            await office.ask(session, "/die 0")
            settled = 0
            while session in office.desk.live:
                try:
                    response = await office.prompt(session, "anybody?")
                except (SessionClosing, SessionNotFound):
                    await anyio.lowlevel.checkpoint()
                else:
                    settled += response.failed
            assert settled


async def test_a_prompt_for_a_busy_session_is_refused_where_its_client_says_so(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            turn = await office.ask(session, "/echo begun\n/sleep 600")
            await client.until(lambda c: "begun" in c.text(session))
            with pytest.raises(SessionBusy, match="has a turn that runs"):
                await office.ask(session, "me too", whenBusy="reject")
            await office.cancel(session)
            await turn.settled()
            assert (await office.prompt(session, "now", whenBusy="reject")).result["stopReason"] == "end_turn"


async def test_a_prompt_interrupts_what_runs_and_waits_where_its_client_says_so(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            running = await office.ask(session, "/echo begun\n/sleep 600")
            waiting = await office.ask(session, "/echo never said")
            await client.until(lambda c: "begun" in c.text(session))
            assert (await office.prompt(session, "/echo now", whenBusy="interrupt")).result["stopReason"] == "end_turn"
            for turn in (running, waiting):
                assert (await turn.settled()).result["stopReason"] == "cancelled"
            assert client.text(session) == "begunnow"
            with pytest.raises(RpcError, match="whenBusy"):
                await office.ask(session, "hm", whenBusy="perhaps")
