"""A connection keeps its promises whatever the other side writes: one answer each, in order, and it lives."""

import json
import logging
import math
import socket
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from kiro_core import PipeStream
from kiro_core.errors import AgentTimeout, Disconnected, RpcError
from kiro_core.frames import Frame
from kiro_core.rpc import Peer, failure, result


class End:
    """One end of a byte stream in memory; it counts what it wrote."""

    def __init__(self, incoming, outgoing):
        self._incoming, self._outgoing = incoming, outgoing
        self._arrived = self._unread = b""
        self.writes = []

    async def receive(self, max_bytes=65536):
        chunk = self._arrived or await self._incoming.receive()
        self._arrived = chunk[max_bytes:]
        return chunk[:max_bytes]

    async def send(self, item):
        await self._outgoing.send(item)
        self.writes.append(item)

    def hang_up(self):
        self._outgoing.close()

    async def line(self):
        while b"\n" not in self._unread:
            self._unread += await self.receive()
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    async def message(self):
        return json.loads(await self.line())

    async def ask(self, *lines):
        await self.send(b"".join(line + b"\n" for line in lines))

    def close(self):
        self._incoming.close()
        self._outgoing.close()


def ends(capacity=math.inf):
    one_way, other_way = (anyio.create_memory_object_stream(capacity) for _ in range(2))
    return End(one_way[1], other_way[0]), End(other_way[1], one_way[0])


class Desk:
    """A handler that logs what arrives; methods are served by the functions it is given."""

    def __init__(self, **methods):
        self.methods = methods
        self.log = []

    async def request(self, frame):
        self.log.append(frame.method)
        if frame.method in self.methods:
            return await self.methods[frame.method](frame)
        return Frame.answer({})

    async def notify(self, frames):
        self.log += [frame.method for frame in frames]


@asynccontextmanager
async def connected(desk, capacity=math.inf):
    """A peer that is served by `desk`, and the far end of its connection."""
    near, far = ends(capacity)
    peer = Peer(near, desk)
    try:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(peer.run)
                yield peer, far
                tasks.cancel_scope.cancel()
    finally:
        near.close()
        far.close()


def asked(method, id_=b"1", params=b"{}"):
    return b'{"jsonrpc":"2.0","id":%b,"method":"%b","params":%b}' % (id_, method.encode(), params)


def told(method, params=b"{}"):
    return b'{"jsonrpc":"2.0","method":"%b","params":%b}' % (method.encode(), params)


async def forever(_):
    await anyio.sleep_forever()


IDS = [b"1", b'"a"', b"null", b"%d" % 2**70, b"-0.5e1", rb'"\u0061"', rb'"\ud83d"', b'"\xff"', b'""']


@pytest.mark.parametrize("id_", IDS)
async def test_a_request_is_answered_under_its_own_id_text(id_):
    async with connected(Desk()) as (_, far):
        await far.ask(asked("m", id_))
        assert await far.line() == b'{"jsonrpc":"2.0","id":%b,"result":{}}' % id_


@pytest.mark.parametrize("id_", IDS)
async def test_an_answer_that_passes_through_changes_its_id_and_no_other_byte(id_):
    relayed = b'{"result": {"n": 1e999, "t":"\xff\\ud83d", "d":%b}, "id" :%b,"jsonrpc":"2.0"}\r'

    async def relay(_):
        return Frame.read(relayed % (b"9" * 5000, b"7"))

    async with connected(Desk(m=relay)) as (_, far):
        await far.ask(asked("m", id_))
        assert await far.line() == relayed % (b"9" * 5000, id_)


async def test_both_sides_ask_each_other_at_once():
    one, other = socket.socketpair()
    streams = [PipeStream(end.fileno(), end.dup().detach()) for end in (one, other)]
    one.detach(), other.detach()

    async def countdown(frame):
        left = frame.params["left"]
        if left == 0:
            return Frame.answer({"depth": 0})
        asking = peers[left % 2]
        response = await asking.call(Frame.of("countdown", {"left": left - 1}, id=0))
        return Frame.answer({"depth": response.result["depth"] + 1})

    peers = [Peer(stream, Desk(countdown=countdown)) for stream in streams]
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for peer in peers:
                tasks.start_soon(peer.run)
            response = await peers[1].call(Frame.of("countdown", {"left": 6}, id="x"))
            assert response.result == {"depth": 6}
            for stream in streams:
                await stream.aclose()


# Order.


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
async def test_notifications_are_handled_in_order_and_before_the_response_behind_them(size):
    desk = Desk()
    async with connected(desk) as (peer, far):
        pending = await peer.start(Frame.of("ask", id=0))
        id_ = Frame.read(await far.line()).id
        data = b"".join(told(f"note{n}") + b"\n" for n in range(5)) + b'{"id":%b,"result":{}}\n' % id_
        for start in range(0, len(data), size):
            await far.send(data[start : start + size])
        await pending.settled()
        assert desk.log == [f"note{n}" for n in range(5)]


async def test_a_request_has_begun_before_the_notification_behind_it_is_handled():
    async def begun(_):
        desk.log.append("begun")
        await anyio.sleep_forever()

    desk = Desk(slow=begun)
    async with connected(desk) as (_, far):
        await far.ask(told("before"), asked("slow"), told("after"), asked("quick"))
        await far.line()
        assert desk.log == ["before", "slow", "begun", "after", "quick"]


async def test_the_lines_of_a_chunk_are_one_call_and_one_write():
    calls = []

    class Batches(Desk):
        async def notify(self, frames):
            calls.append(len(frames))

    near, far = ends()
    peer = Peer(near, Batches())
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(peer.run)
            await far.ask(*[told("note")] * 7, *[b"junk"] * 5)
            assert [(await far.message())["error"]["code"] for _ in range(5)] == [-32700] * 5
            await peer.send([Frame.of("note")] * 9)
            far.hang_up()
    assert calls == [12]
    assert [write.count(b"\n") for write in near.writes] == [5, 9]
    near.close()
    far.close()


# Cancelling.


@pytest.mark.parametrize("id_", [b"1", b'"a"', b"null", b"%d" % 2**70])
async def test_a_cancelled_request_stops_and_is_answered_so(id_):
    ended = []

    async def slow(frame):
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(frame.id)

    async with connected(Desk(slow=slow)) as (peer, far):
        await far.ask(asked("slow", id_), asked("slow", b'"other"'))
        await far.ask(told("$/cancel_request", b'{"requestId":%b}' % id_))
        response = Frame.read(await far.line())
        assert (response.id, response.error["code"]) == (id_, -32800)
        assert ended == [id_]
        await far.ask(told("$/cancel_request", b'{"requestId":"other"}'))
        assert (await far.message())["error"]["code"] == -32800
        await peer.served()


@pytest.mark.parametrize(
    "params", [b"{}", b'{"requestId":99}', b"[1]", b'"1"', b'{"requestId":%b}' % (b"1" * 5000), b'{"requestId":"1"}']
)
async def test_a_cancel_of_nothing_is_ignored(params):
    async with connected(Desk(slow=forever)) as (_, far):
        await far.ask(asked("slow", b"1"), told("$/cancel_request", params), asked("m", b"2"))
        assert (await far.message())["id"] == 2


async def test_a_cancel_that_wants_an_answer_gets_one():
    async with connected(Desk()) as (_, far):
        await far.ask(asked("$/cancel_request"))
        assert "result" in await far.message()


async def test_two_requests_under_one_id_are_both_answered():
    async def turn(frame):
        await gates[frame.params["gate"]].wait()
        return Frame.answer({})

    gates = [anyio.Event(), anyio.Event()]
    order = []

    async def wait_for_all():
        await peer.served()
        order.append("served")

    async with connected(Desk(turn=turn, slow=forever)) as (peer, far), anyio.create_task_group() as tasks:
        await far.ask(asked("turn", b"1", b'{"gate":0}'), asked("turn", b"1", b'{"gate":1}'), asked("quick", b"2"))
        assert (await far.message())["id"] == 2
        tasks.start_soon(wait_for_all)
        tasks.start_soon(wait_for_all)
        for gate in gates:
            await anyio.wait_all_tasks_blocked()
            assert order == []
            gate.set()
            assert (await far.message())["id"] == 1
        await anyio.wait_all_tasks_blocked()
        assert order == ["served", "served"]
        await far.ask(asked("slow", b"3"), asked("slow", b"3"), told("$/cancel_request", b'{"requestId":3}'))
        assert [(await far.message())["error"]["code"] for _ in range(2)] == [-32800] * 2


async def test_who_gives_up_waiting_takes_the_request_back():
    async with connected(Desk()) as (peer, far), anyio.create_task_group() as tasks:

        async def give_up():
            with anyio.CancelScope() as scope:
                scopes.append(scope)
                await peer.call(Frame.of("ask", id=0))

        scopes = []
        tasks.start_soon(give_up)
        id_ = (await far.message())["id"]
        scopes[0].deadline = anyio.current_time()
        cancel = await far.message()
        assert (cancel["method"], cancel["params"]) == ("$/cancel_request", {"requestId": id_})
        assert "id" not in cancel
        await far.ask(b'{"id":%d,"result":{}}' % id_, asked("m"))  # too late, and harmless
        assert (await far.message())["id"] == 1


# What is no valid request.

JUNK = [
    (b"junk", -32700, None),
    (b"\xff\xfe\x00", -32700, None),
    (b'{"id":1,"method":"m"', -32700, None),
    (b'{"id":1,"method":"m"}{"id":2,"method":"m"}', -32700, None),
    (b'[{"id":1,"method":"m"}]', -32600, None),
    (b"[]", -32600, None),
    (b"17", -32600, None),
    (b'{"id":4}', -32600, 4),
    (b'{"id":4,"method":null}', -32600, 4),
    (b'{"id":4,"method":7}', -32600, 4),
    (b'{"id":{},"method":"m"}', -32600, None),
    (b'{"id":[1],"method":"$/cancel_request"}', -32600, None),
    (b'{"id":true,"method":"m"}', -32600, None),
    (b'{"id":1,"method":"m","params":%b}' % (b"[" * 5000 + b"]" * 5000), -32600, None),
    (b"[" * 100_000, -32600, None),
]


@pytest.mark.parametrize(("line", "code", "id_"), JUNK, ids=lambda value: repr(value)[:40])
async def test_a_bad_line_is_refused_and_the_connection_lives(line, code, id_):
    async with connected(Desk()) as (_, far):
        await far.ask(line, asked("m", b'"next"'))
        refusal = await far.message()
        assert (refusal["id"], refusal["error"]["code"]) == (id_, code)
        assert refusal["error"]["message"].endswith(".")
        assert (await far.message())["id"] == "next"


@pytest.mark.parametrize(
    "line",
    [
        b'{"id":99,"result":{}}',
        b'{"id":null,"result":{}}',
        b'{"id":null,"error":{"code":-32700,"message":"?"}}',
        b'{"result":{}}',
        b'{"id":"1","error":false}',
        b"",
        b" \t\r",
    ],
)
async def test_a_response_to_nothing_is_dropped(line):
    async with connected(Desk()) as (_, far):
        await far.ask(line, asked("m"))
        assert (await far.message())["id"] == 1


@pytest.mark.parametrize("rest", [b"", b',"error":null', b',"method":null'])
async def test_a_response_that_says_nothing_fails_who_waits(rest):
    async with connected(Desk()) as (peer, far):
        pending = await peer.start(Frame.of("ask", id=0))
        id_ = Frame.read(await far.line()).id
        await far.ask(b'{"id":%b%b}' % (id_, rest), asked("m", b'"next"'))
        assert (await pending.settled()).error["code"] == -32600
        # Nothing is answered under that id: the other side may have asked something under it.
        assert (await far.message())["id"] == "next"


async def test_a_last_line_without_its_newline_counts():
    async with connected(Desk()) as (_, far):
        await far.send(asked("m"))
        far.hang_up()
        assert (await far.message())["id"] == 1


# What goes wrong on our side.


async def test_a_failure_here_is_answered_without_its_words(caplog):
    async def broken(_):
        raise LookupError("the token is 1234")

    async with connected(Desk(broken=broken)) as (_, far):
        await far.ask(asked("broken"))
        answer = await far.line()
        assert json.loads(answer)["error"] == {
            "code": -32603,
            "message": "Something failed here; the log has the details.",
            "data": {"code": "INTERNAL"},
        }
        assert b"1234" not in answer
    assert "the token is 1234" in caplog.text


async def test_an_error_of_ours_is_answered_with_sentence_code_and_hint():
    async def late(_):
        raise AgentTimeout("It did not answer /\udcff.", hint="Wait.", path=Path("/a"))

    async def refused(_):
        raise RpcError(-32000, "Log in first.", data={"n": float("nan")})

    async with connected(Desk(late=late, refused=refused)) as (_, far):
        await far.ask(asked("late"), asked("refused"))
        assert (await far.message())["error"] == {
            "code": -32603,
            "message": "It did not answer /\ufffd. Wait.",
            "data": {"code": "AGENT_TIMEOUT", "hint": "Wait.", "path": "/a"},
        }
        assert (await far.message())["error"] == {"code": -32000, "message": "Log in first.", "data": {"n": None}}


async def test_a_notification_that_cannot_be_handled_ends_nothing(caplog):
    class Broken(Desk):
        async def notify(self, frames):
            raise ValueError(len(frames))

    async with connected(Broken()) as (_, far):
        await far.ask(told("note"), b"junk", asked("m"))
        assert (await far.message())["error"]["code"] == -32700
        assert (await far.message())["id"] == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize(
    "error", [b"{}", b'{"code":"7"}', b'{"code":[1]}', b"true", b"[]", rb'{"message":"\ud83d","data":1e999}']
)
async def test_the_strangest_error_of_a_peer_can_be_passed_on(error):
    async def relay(_):
        return failure(caught.value)

    with pytest.raises(RpcError) as caught:
        result(Frame.read(b'{"id":1,"error":%b}' % error), "It refused")
    async with connected(Desk(relay=relay)) as (_, far):
        await far.ask(asked("relay"))
        assert (await far.message())["error"]["code"] == -32603


# The end.


async def test_at_the_end_waiters_fail_and_running_requests_finish():
    gate = anyio.Event()

    async def slow(_):
        await gate.wait()
        return Frame.answer({"done": True})

    async def wait():
        with pytest.raises(Disconnected):
            await peer.call(Frame.of("ask", id=0))
        failed.append(True)

    failed = []
    async with connected(Desk(slow=slow)) as (peer, far), anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        tasks.start_soon(wait)
        await far.line()
        await far.line()
        pending = await peer.start(Frame.of("prompt", id=0))
        await far.line()
        await far.ask(asked("slow"))
        far.hang_up()
        with pytest.raises(Disconnected):
            await pending.settled()
        await anyio.wait_all_tasks_blocked()
        assert failed == [True, True]
        assert peer.ended.is_set()
        with pytest.raises(Disconnected):
            await peer.call(Frame.of("ask", id=0))
        gate.set()
        assert (await far.message())["result"] == {"done": True}
        await peer.served()


async def test_a_peer_that_is_gone_takes_no_messages():
    async with connected(Desk()) as (peer, far):
        far.close()
        with pytest.raises(Disconnected):
            await peer.send([Frame.of("note")])


# Slow receivers.


async def test_who_stops_reading_slows_who_sends_and_is_still_heard():
    async with connected(Desk(), capacity=0) as (peer, far), anyio.create_task_group() as tasks:
        pendings = []

        async def start():
            pendings.append(await peer.start(Frame.of("ask", id=0)))

        tasks.start_soon(start)
        id_ = Frame.read(await far.line()).id
        sent = []

        async def flood():
            for n in range(1000):
                await peer.send([Frame.of("note", {"n": n})])
                sent.append(n)

        tasks.start_soon(flood)
        await anyio.wait_all_tasks_blocked()
        assert sent == []
        await far.ask(b'{"id":%b,"result":{}}' % id_)
        await pendings[0].settled()
        assert sent == []
        tasks.cancel_scope.cancel()


async def test_a_slow_receiver_slows_the_sender_through_the_relay():
    class Relay(Desk):
        async def notify(self, frames):
            await to_client.send(frames)

    async def flood():
        for _ in range(1000):
            await agent.ask(told("note"))

    async with (
        connected(Desk(), capacity=0) as (to_client, client),
        connected(Relay(), capacity=0) as (_, agent),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(flood)
        for n in range(1, 10):
            await anyio.wait_all_tasks_blocked()
            assert len(agent.writes) == n
            await client.line()
        tasks.cancel_scope.cancel()


async def test_who_asks_and_never_reads_the_answers_is_stopped():
    async with connected(Desk(), capacity=0) as (_, far), anyio.create_task_group() as tasks:

        async def flood():
            for n in range(2000):
                await far.ask(asked("m", b"%d" % n))

        tasks.start_soon(flood)
        await anyio.wait_all_tasks_blocked()
        accepted = len(far.writes)
        assert 1 < accepted < 1100
        answers = [await far.message() for _ in range(2000)]
        assert sorted(answer["id"] for answer in answers) == list(range(2000))
        assert all("open already" in answer["error"]["message"] for answer in answers if "error" in answer)


# Anything, in any order, cut anywhere.

SAID = [("note", told("note"), 0), ("stray", b'{"id":99,"result":{}}', 0), ("blank", b" \r", 0)]
SAID += [("junk", line, 1) for line, _, _ in JUNK[:13]]
requests = st.builds(
    lambda method, id_: (method, asked(method, id_), 1),
    st.sampled_from(["quick", "steps", "broken", "unknown"]),
    st.sampled_from([b"1", b"2", b"3", b'"a"', b"null"]),
)


@given(
    st.lists(requests | st.sampled_from(SAID), max_size=25),
    st.lists(st.integers(min_value=0), max_size=8),
    st.booleans(),
)
@settings(max_examples=max(200, settings().max_examples))
async def test_every_request_gets_one_answer_whatever_stands_between(said, cuts, at_once):
    async def steps(_):
        for _ in range(3):
            await checkpoint()
        return Frame.answer({})

    async def broken(_):
        raise AgentTimeout("Too late.")

    desk = Desk(steps=steps, broken=broken)
    data = b"".join(line + b"\n" for _, line, _ in said)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    async with connected(desk) as (peer, far):
        for start, end in pairwise(edges):
            await far.send(data[start:end])
            if not at_once:
                await checkpoint()
        answers = [Frame.read(await far.line()) for _ in range(sum(count for *_, count in said))]
        await peer.served()
        await far.ask(asked("ping", b'"ping"'))
        last = Frame.read(await far.line())
    assert last.id == b'"ping"'  # it lives, and had nothing more to say
    wanted = [Frame.read(line) for _, line, count in said if count]
    assert sorted(answer.id for answer in answers) == sorted(frame.id or b"null" for frame in wanted)
    assert sum(answer.failed for answer in answers) == sum(kind in ("junk", "broken") for kind, *_ in said)
    assert desk.log == [Frame.read(line).method for kind, line, _ in said if kind not in ("stray", "blank")] + ["ping"]
