"""Messages: what steers the protocol and every other byte stay, order stays, and nothing waits for ever."""

import json
from contextlib import asynccontextmanager

import anyio
import pytest
from hypothesis import given
from redact_seeds import IDS, SEEDS, pieces, texts

from kiro_core.errors import Disconnected
from kiro_core.frames import Frame
from kiro_core.ports import PassingAgent
from kiro_core.testing import RecordingClient
from kiro_redact.client import RedactingClient
from kiro_redact.layer import RedactingLayer
from kiro_redact.options import RedactOptions
from kiro_redact.redactor import Redactor

TOKEN = "Zx8cV5bN2mQ7wE4rT1yU6iO9pA3sD0fGh4J8"
SECRET, MASKED = f"ghp_{TOKEN}", "ghp_[redacted: github token]"
STEERS = {"sessionUpdate": SECRET, "toolCallId": SECRET, "kind": SECRET, "status": SECRET, "path": f"/x/{SECRET}"}


def update(**body):
    return Frame.of("session/update", {"sessionId": "s", "update": body})


def chunk(text, kind="agent_message_chunk", **more):
    return update(sessionUpdate=kind, content={"type": "text", "text": text}, **more)


def texts_of(frames):
    return [frame.params["update"]["content"]["text"] for frame in frames]


class Prompted(PassingAgent):
    """An agent whose one turn ends when it is told so."""

    def __init__(self):
        self.outcome, self.ended = Frame.answer({"stopReason": "end_turn"}), anyio.Event()

    async def prompt(self, frame):
        return self

    async def settled(self):
        await self.ended.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@asynccontextmanager
async def turn_of(redactor):
    """A client, what the agent tells it through, and what ends the turn that runs."""
    layer, shown, program = RedactingLayer(redactor), RecordingClient(), Prompted()
    told = layer.client(shown)
    turn = await layer.agent(program).prompt(Frame.of("session/prompt", {"sessionId": "s"}, id=1))

    async def end(outcome=None):
        program.outcome = outcome or program.outcome
        program.ended.set()
        return await turn.settled()

    with anyio.fail_after(10):
        yield shown, told, end


def test_what_steers_the_protocol_is_never_changed(redactor):
    frame = Frame.read(
        json.dumps(
            {"jsonrpc": "2.0", "id": SECRET, "method": SECRET, "params": {"sessionId": SECRET, "update": STEERS}}
        ).encode()
    )
    assert redactor.frame(frame) is frame


def test_everything_else_is_redacted_wherever_it_stands(redactor):
    shown = redactor.frame(
        update(
            title=SECRET,
            rawInput={"path": SECRET, "deep": [[{"id": SECRET}]], "accessKeyId": SECRET},
            rawOutput=[SECRET],
            content=[{"type": "diff", "path": SECRET, "oldText": SECRET, "newText": None}],
            entries=[{"content": f"use {SECRET}", "priority": "high"}],
            _meta={"x": SECRET, "toolCallId": SECRET},
        )
    ).params["update"]
    assert shown == {
        "title": MASKED,
        "rawInput": {"path": MASKED, "deep": [[{"id": MASKED}]], "accessKeyId": MASKED},
        "rawOutput": [MASKED],
        "content": [{"type": "diff", "path": SECRET, "oldText": MASKED, "newText": None}],
        "entries": [{"content": f"use {MASKED}", "priority": "high"}],
        "_meta": {"x": MASKED, "toolCallId": SECRET},
    }


def test_a_key_that_names_a_secret_makes_its_text_one(redactor):
    said = {"password": "correcthorse", "apiKey": "correcthorse", "env": [{"name": "X_TOKEN", "value": "correcthorse"}]}
    mask = "[redacted: secret]"
    named = {"password": mask, "apiKey": mask, "env": [{"name": "X_TOKEN", "value": mask}]}
    assert redactor.value({"rawInput": said}) == {"rawInput": named}
    assert redactor.value({"tokens": "correcthorse", "password": "short"}) == {
        "tokens": "correcthorse",
        "password": "short",
    }


def test_the_name_of_a_value_may_stand_behind_it_and_a_header_is_one(redactor):
    headers = [
        {"name": "X-Api-Key", "value": "correcthorse"},
        {"name": "Authorization", "value": "Basic YWRtaW46bjB0LW15LXBhc3M="},
        {"value": SECRET, "name": "X"},
    ]
    said = {"env": [{"value": "correcthorse", "name": "DB_PASSWORD"}], "headers": headers}
    shown = redactor.value({"mcpServers": [said]})["mcpServers"][0]
    assert shown["env"] == [{"value": "[redacted: secret]", "name": "DB_PASSWORD"}]
    assert [header["value"] for header in shown["headers"]] == [
        "[redacted: secret]",
        "Basic [redacted: credentials]",
        MASKED,
    ]


def test_the_address_of_a_login_page_can_be_followed(redactor):
    asked = {"message": "Go.", "url": f"https://auth.example/cb?token={TOKEN}", "elicitationId": "e", "mode": "url"}
    assert redactor.value(asked) == asked
    assert redactor.value({"rawInput": asked})["rawInput"]["url"].endswith("?token=[redacted: secret]")


async def test_what_an_extension_answers_is_all_its_own(redactor):
    said = {"value": SECRET, "status": SECRET, "path": SECRET, "sessionId": SECRET}
    layer = RedactingLayer(redactor)
    layer.client(RecordingClient())
    agent = layer.agent(Answering(said))
    response = await agent.call(Frame.of("_x/get", {"sessionId": "s"}, id=1))
    assert response.result == {"value": MASKED, "status": MASKED, "path": MASKED, "sessionId": SECRET}
    assert (await agent.call(Frame.of("session/set_mode", {"sessionId": "s"}, id=1))).result == said


class Answering(PassingAgent):
    """An agent that gives the same to whatever it is asked."""

    def __init__(self, result):
        self.result = result

    async def call(self, frame):
        return Frame.answer(self.result)


def test_the_id_and_the_method_of_an_extension_stay():
    chosen = Redactor(RedactOptions(), {"POSTGRES_PASSWORD": "postgres"})
    line = {"jsonrpc": "2.0", "id": "postgres-1", "method": "_postgres/query", "params": {"id": "postgres-1"}}
    shown = chosen.frame(Frame.read(json.dumps(line).encode()))
    assert json.loads(shown.raw) == {**line, "params": {"id": "[redacted: environment]-1"}}


def test_every_other_byte_stays_as_it_was_received(redactor):
    odd = b'{ "jsonrpc":"2.0",\t"method" : "session/update","params":{"n":1180591620717411303424, "f":1e-07,"f":0.10,'
    odd += b'"b":"\\ud83d \\u00e9 \\/","update":{"title":"%b","x":"\xc3\xa9"},"sessionId":"s"}}'
    assert redactor.frame(Frame.read(odd % SECRET.encode())).raw == odd % MASKED.encode()
    harmless = Frame.read(odd % b"nothing")
    assert redactor.frame(harmless) is harmless


def test_letters_written_as_escapes_hide_nothing(redactor):
    written = (
        b'{"jsonrpc":"2.0","method":"x","params":{"t":"\\u0067hp_%b","u":"https:\\/\\/u:n0t-mine@h"}}' % TOKEN.encode()
    )
    shown = redactor.frame(Frame.read(written)).params
    assert shown == {"t": MASKED, "u": "https://u:[redacted: password]@h"}


def test_a_doubled_key_hides_nothing(redactor):
    twice = b'{"method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"agent_message_chunk",'
    twice += b'"content":{"type":"text","text":"%b","text":"fine"}}}}' % SECRET.encode()
    shown = RecordingFlow(redactor).passed(twice)
    assert SECRET.encode() not in shown[0].raw
    assert texts_of(shown) == ["fine"]


class RecordingFlow:
    """What is shown of one line in mid-turn."""

    def __init__(self, redactor):
        from kiro_redact.outflow import Outflow

        self._flow = Outflow(redactor)

    def passed(self, *lines):
        return self._flow.passed(Frame.read(line) for line in lines)


def test_random_text_is_looked_for_where_no_ids_and_no_data_are(strict_redactor):
    word = "Zx8cV5bN2mQ7wE4rT1yU6iO9pA3s"
    image = {"type": "image", "mimeType": "image/png", "data": word * 40}
    said = {"content": image, "nextId": word, "sha": word, "uri": f"file:///{word}"}
    assert strict_redactor.value(said) is said
    assert strict_redactor.value(f"it is {word}.") == "it is [redacted: random text]."


@pytest.mark.parametrize("seed", SEEDS, ids=IDS)
async def test_a_secret_in_chunks_reaches_nobody(redactor, seed):
    async with turn_of(redactor) as (shown, told, end):
        for letter in f"It is {seed.text}":
            await told.notify([chunk(letter)])
        await end()
        assert "".join(texts_of(shown.frames)) == f"It is {seed.shown}"


@given(pieces(texts().map(lambda drawn: drawn[0])))
def test_what_is_shown_of_chunks_is_what_would_be_shown_of_the_whole(redactor, parts):
    async def shown_of(chunks):
        async with turn_of(redactor) as (shown, told, end):
            await told.notify([chunk(text) for text in chunks])
            await end()
            return "".join(texts_of(shown.frames))

    async def both():
        assert await shown_of(parts) == await shown_of(["".join(parts)])

    anyio.run(both)


async def test_chunks_without_a_secret_pass_as_they_came(redactor):
    async with turn_of(redactor) as (shown, told, _):
        said = [
            chunk("It is running "),
            chunk("well, ", _meta={"n": 1}),
            chunk("Bearer of news", "agent_thought_chunk"),
        ]
        await told.notify(said)
        assert [frame.raw for frame in shown.frames] == [frame.raw for frame in said]


async def test_what_is_held_back_is_let_go_in_front_of_whatever_follows(redactor):
    async with turn_of(redactor) as (shown, told, _):
        await told.notify([chunk("ghp_ab"), chunk("c"), update(sessionUpdate="plan", entries=[])])
        assert texts_of(shown.frames[:2]) == ["ghp_", "abc"]
        assert shown.frames[2].params["update"]["sessionUpdate"] == "plan"
        await told.notify([chunk("ghp_x"), chunk("thinking", "agent_thought_chunk"), chunk("ghp_y")])
        assert texts_of(shown.frames[3:]) == ["ghp_", "x", "thinking", "ghp_"]
        await told.request(
            Frame.of("session/request_permission", {"sessionId": "s", "options": [{"optionId": 1}]}, id=2)
        )
        assert texts_of(shown.frames[7:]) == ["y"]


async def test_a_secret_with_other_updates_in_between_is_not_shown_either(redactor):
    async with turn_of(redactor) as (shown, told, end):
        for part in (SECRET[:14], SECRET[14:20], SECRET[20:]):
            await told.notify([chunk(part), chunk("hm", "agent_thought_chunk")])
        await end()
        assert [text for text in texts_of(shown.frames) if text != "hm"] == ["ghp_", "[redacted: github token]"]


@pytest.mark.parametrize("outcome", ["end_turn", "cancelled", "failed", "gone"])
async def test_the_end_of_a_turn_lets_everything_go_before_its_outcome(redactor, outcome):
    outcomes = {"failed": Frame.failure(-32603, f"No {SECRET}.", {"key": SECRET}), "gone": Disconnected("It is gone.")}
    async with turn_of(redactor) as (shown, told, end):
        await told.notify([chunk("password=ab")])
        try:
            response = await end(outcomes.get(outcome, Frame.answer({"stopReason": outcome})))
        except Disconnected:
            response = None
        assert texts_of(shown.frames) == ["password=", "ab"]
        if outcome == "failed":
            assert response.error == {"code": -32603, "message": f"No {MASKED}.", "data": {"key": MASKED}}


async def test_nothing_is_held_back_without_a_turn(redactor):
    layer, shown = RedactingLayer(redactor), RecordingClient()
    told = layer.client(shown)
    await told.notify([chunk("late: ghp_ab")])
    assert "".join(texts_of(shown.frames)) == "late: ghp_ab"
    await told.notify([chunk(f"c {SECRET}")])
    assert "".join(texts_of(shown.frames)) == f"late: ghp_abc {MASKED}"


async def test_terminals_of_an_agents_own_are_texts_in_pieces(redactor):
    async with turn_of(redactor) as (shown, told, end):
        for part in (SECRET[:9], SECRET[9:30], f"{SECRET[30:]} end"):
            printed = {"terminal_output_delta": {"terminal_id": "t", "data": part}}
            await told.notify([update(sessionUpdate="tool_call_update", toolCallId="c", _meta=printed)])
        await end()
        data = [frame.params["update"]["_meta"]["terminal_output_delta"]["data"] for frame in shown.frames]
        assert data == ["ghp_", "", "[redacted: github token] end"]


async def test_what_an_update_tells_beside_its_text_is_told_once(redactor):
    async with turn_of(redactor) as (shown, told, end):
        meta = {"terminal_output_delta": {"terminal_id": "t", "data": "done ghp_ab"}, "usage": 1}
        await told.notify([update(sessionUpdate="tool_call", toolCallId="c", status="pending", _meta=meta)])
        await told.notify([chunk("and ghp_ab", _meta={"n": 1})])
        await end()
    first, rest, words, more = [frame.params["update"] for frame in shown.frames]
    assert first["_meta"] == {"terminal_output_delta": {"terminal_id": "t", "data": "done ghp_"}, "usage": 1}
    data = {"terminal_output_delta": {"terminal_id": "t", "data": "ab"}}
    assert rest == {"sessionUpdate": "tool_call_update", "toolCallId": "c", "_meta": data}
    assert words["_meta"] == {"n": 1}
    assert more == {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "ab"}}


async def test_nothing_is_held_back_when_a_terminal_of_an_agents_own_has_ended(redactor):
    async with turn_of(redactor) as (shown, told, _):
        meta = {"terminal_output": {"terminal_id": "t", "data": "ghp_ab"}, "terminal_exit": {"terminal_id": "t"}}
        ended = update(sessionUpdate="tool_call_update", toolCallId="c", _meta=meta)
        await told.notify([ended])
        assert [frame.raw for frame in shown.frames] == [ended.raw]


async def test_a_turn_for_which_nobody_waits_any_more_lets_everything_go(redactor):
    layer, shown = RedactingLayer(redactor), RecordingClient()
    told = layer.client(shown)
    turn = await layer.agent(Prompted()).prompt(Frame.of("session/prompt", {"sessionId": "s"}, id=1))
    await told.notify([chunk("The prefix is ghp_abc")])
    with anyio.fail_after(10), anyio.CancelScope() as scope:
        scope.cancel()
        await turn.settled()
    assert texts_of(shown.frames) == ["The prefix is ghp_", "abc"]
    await told.notify([chunk("late: ghp_d")])
    assert "".join(texts_of(shown.frames[2:])) == "late: ghp_d"


async def test_who_has_nothing_to_show_waits_for_nobody(redactor):
    slow, program = Slow(), Prompted()
    layer = RedactingLayer(redactor)
    told = layer.client(slow)
    turn = await layer.agent(program).prompt(Frame.of("session/prompt", {"sessionId": "s"}, id=1))
    program.ended.set()
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(told.notify, [chunk("words")])
            await slow.began.wait()
            assert (await told.request(Frame.of("_x/y", {"sessionId": "s"}, id=1))).result == {"key": SECRET}
            assert (await turn.settled()).result == {"stopReason": "end_turn"}
            slow.goes_on.set()


class Slow(RecordingClient):
    """A client that takes an update when it is told so."""

    def __init__(self):
        super().__init__(answer=_key)
        self.began, self.goes_on = anyio.Event(), anyio.Event()

    async def notify(self, frames):
        self.began.set()
        await self.goes_on.wait()


async def test_lines_that_are_no_messages_are_a_text_of_lines(redactor):
    key = next(seed for seed in SEEDS if seed.kind == "private key")
    lines = [f"debug: {SECRET}", "\udcff fine", *key.text.split("\n"), f'["{SECRET}"]']
    raw = [line.encode("utf-8", "surrogateescape") for line in lines]
    async with turn_of(redactor) as (shown, told, _):
        await told.notify([Frame.read(line) for line in raw])
    said = [frame.raw for frame in shown.frames]
    assert len(said) == len(raw)
    assert all(frame.fault is not None for frame in shown.frames)
    assert said[:3] == [f"debug: {MASKED}".encode(), raw[1], raw[2]]
    assert not [line for line in key.body.split("\n") if line.encode() in b"\n".join(said)]
    assert said[-1] == f'["{MASKED}"]'.encode()


@pytest.mark.parametrize("method", ["fs/write_text_file", "terminal/create", "session/request_permission"])
async def test_what_is_to_be_done_or_judged_stays_as_it_was_asked(redactor, method):
    client = RecordingClient(answer=_key)
    await RedactingClient(client, redactor).request(Frame.of(method, {"sessionId": "s", "content": SECRET}, id=1))
    assert client.questions[0].params["content"] == SECRET


async def test_an_extension_asks_without_secrets_and_its_answer_reaches_the_agent_whole(redactor):
    client = RecordingClient(answer=_key)
    answer = await RedactingClient(client, redactor).request(Frame.of("_x/y", {"sessionId": "s", "id": SECRET}, id=1))
    assert client.questions[0].params == {"sessionId": "s", "id": MASKED}
    assert answer.result == {"key": SECRET}


async def _key(_):
    return Frame.answer({"key": SECRET})
