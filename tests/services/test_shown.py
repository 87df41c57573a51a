"""Terminals of the desk are text to a client that has none, live and on replay."""

from kiro_core.frames import Frame
from kiro_core.journal import Journal, conversation
from kiro_core.session.services import own_terminals
from kiro_core.testing import RecordingClient
from kiro_core.types import Record

UP = "import sys; print('up', flush=True); sys.stdin.read(); import time; time.sleep(600)"
UNKNOWN = "(The output of this terminal is not on record.)"


def block(terminal):
    return {"type": "terminal", "terminalId": terminal}


def text(words):
    return {"type": "content", "content": {"type": "text", "text": words}}


def contents(client, call):
    return [u["content"] for u in client.updates() if u.get("toolCallId") == call and "content" in u]


async def create(room, **params):
    return (await room.ask("terminal/create", **params))["terminalId"]


async def test_without_terminals_of_ours_updates_pass_as_they_are(opened):
    frames = [Frame.of("session/update", {"update": {"toolCallId": "t", "content": [block("theirs")]}})]
    async with opened(RecordingClient()) as room:
        assert room.services.shown(frames) is frames
        await create(room, command="true")
        (frame,) = room.services.shown(frames)
        assert frame is frames[0]


async def test_a_terminal_is_shown_as_its_output_so_far_and_again_when_it_has_ended(opened, python):
    client = RecordingClient()
    async with opened(client) as room:
        terminal = await create(room, **python("input() if 0 else print('all of it')"))
        other = {"type": "diff", "path": "/a", "newText": "terminal"}
        await room.say(sessionUpdate="tool_call", toolCallId="t", title="x", content=[block(terminal), other])
        await room.say(sessionUpdate="tool_call", toolCallId="u", title="x", content=[text("none")])
        await room.ask("terminal/wait_for_exit", terminalId=terminal)
        await client.until(lambda c: contents(c, "t")[-1] == [text("all of it\n"), other])
        assert contents(client, "u") == [[text("none")]]
        await room.ask("terminal/release", terminalId=terminal)
        await room.say(sessionUpdate="tool_call_update", toolCallId="v", status="completed", content=[block(terminal)])
    assert contents(client, "v") == [[text("all of it\n")]]
    assert {update.session for update in client.frames} == {"ours"}


async def test_every_other_byte_of_an_update_stays_as_it_came(opened, python):
    async with opened(RecordingClient()) as room:
        terminal = await create(room, command="true")
        line = (
            b'{"method":"session/update" ,"params":{"x":1.50,"update":'
            b'{"sessionUpdate":"tool_call","toolCallId":"t","content": %b ,"y":[ ]}}}'
        )
        frame = Frame.read(line % (b'[{"type":"terminal","terminalId":"%b"}]' % terminal.encode()))
        (shown,) = room.services.shown([frame])
        assert shown.raw == line % b'[{"type":"content","content":{"type":"text","text":""}}]'


async def test_a_tool_call_that_shows_something_else_by_now_is_left_alone(opened, python):
    client = RecordingClient()
    async with opened(client) as room:
        terminal = await create(room, **python(UP))
        await room.say(sessionUpdate="tool_call", toolCallId="t", title="x", content=[block(terminal)])
        await room.say(sessionUpdate="tool_call_update", toolCallId="t", content=[text("mine")])
        await room.ask("terminal/release", terminalId=terminal)
    assert contents(client, "t")[-1] == [text("mine")]


async def test_odd_updates_pass(opened):
    async with opened(RecordingClient()) as room:
        await create(room, command="true")
        for params in ({"toolCallId": 1}, {"update": []}, {"update": {"toolCallId": 5, "content": [block("x")]}}):
            frame = Frame.of("session/update", params)
            assert room.services.shown([frame]) == [frame]
        junk = Frame.read(b"toolCallId")
        assert room.services.shown([junk]) == [junk]


async def test_only_so_many_released_terminals_are_remembered(opened, monkeypatch):
    monkeypatch.setattr(own_terminals, "MAX_TERMINALS", 1)
    async with opened(RecordingClient()) as room:
        for _ in range(2):
            terminal = await create(room, command="true")
            await room.ask("terminal/release", terminalId=terminal)
        assert len(room.services._terminals.own._texts) == 1


# On replay.


async def replayed(room, *, again=True):
    frames = conversation(room.records(), "ours", 10**9, again=room.records if again else None)
    return [frame.params["update"] async for frame in frames]


async def test_on_replay_a_terminal_is_the_output_that_was_recorded_later(opened, python):
    async with opened(RecordingClient()) as room:
        terminal = await create(room, **python("print('done')"))
        await room.say(sessionUpdate="tool_call", toolCallId="t", title="x", content=[block(terminal), block("odd")])
        await room.ask("terminal/wait_for_exit", terminalId=terminal)
        await room.ask("terminal/release", terminalId=terminal)
        await room.say(sessionUpdate="tool_call_update", toolCallId="t", status="completed", content=[block(terminal)])
    first, second = await replayed(room)
    assert first["content"] == [text("done\n"), text(UNKNOWN)]
    assert second["content"] == [text("done\n")]
    first, second = await replayed(room, again=False)
    assert first["content"] == [text(UNKNOWN)] * 2
    assert second["content"] == [text("done\n")]


async def test_on_replay_a_terminal_that_the_agent_ran_itself_is_what_it_streamed(opened):
    def meta(key, data, terminal="c-1"):
        return {key: {"terminal_id": terminal, "data": data}}

    async with opened(RecordingClient()) as room:
        call = {"sessionUpdate": "tool_call_update", "toolCallId": "t"}
        await room.say(**call, _meta=meta("terminal_output_delta", "one "))
        await room.say(**call, content=[block("c-1")], _meta=meta("terminal_output_delta", "two "))
        lone = b'{"method":"session/update","params":{"update":{"toolCallId":"t","sessionUpdate":"tool_call_update",'
        lone += b'"_meta":{"terminal_output":{"terminal_id":"c-1","data":"\\ud83d"}}}}}'
        await room.journal.updates([Frame.read(lone)])
        for odd in (5, {"terminal_output": 5}, meta("terminal_output", 5), meta("terminal_output", "x", 5)):
            await room.say(**call, _meta=odd)
        await room.say(**call, status="completed", _meta=meta("terminal_output", "x" * 70000))
    updates = await replayed(room)
    (shown,) = [update["content"] for update in updates if "content" in update]
    assert shown == [text("x" * 65536)]
    updates = await replayed(room, again=False)
    (shown,) = [update["content"] for update in updates if "content" in update]
    assert shown == [text("one two ")]


async def test_the_outputs_behind_the_head_do_not_count_and_the_record_is_read_twice_at_most(opened):
    class Db:
        async def append(self, batch, *, consume=()):
            bodies.extend(batch)
            return len(bodies)

    bodies, reads = [], []
    journal = Journal(Db())
    shows = Frame.of("session/update", {"update": {"sessionUpdate": "tool_call", "content": [block("t")]}})
    await journal.updates([shows, shows])
    await journal.event("terminal", {"terminalId": "t", "output": "late"})

    async def read(after):
        reads.append(after)
        for seq, body in enumerate(bodies, 1):
            if seq > after:
                yield Record(seq, 1, body)

    for head, expected in ((2, UNKNOWN), (3, "late")):
        frames = [frame async for frame in conversation(read(0), "ours", head, again=read)]
        assert [frame.params["update"]["content"] for frame in frames] == [[text(expected)]] * 2
    assert reads == [0, 1, 0, 1]


async def test_entries_that_are_odd_are_passed_over(opened):
    async with opened(RecordingClient()) as room:
        for odd in (5, {"terminalId": 5, "output": "x"}, {"terminalId": "t"}):
            await room.journal.event("terminal", odd)
        await room.say(sessionUpdate="tool_call", toolCallId="t", content=[block("t")])
    assert (await replayed(room))[0]["content"] == [text(UNKNOWN)]
