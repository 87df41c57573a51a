"""An agent that forgot is told what was said: what it was sent, nothing else, and no more than there is room for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.recovery import retold
from kiro_core.types import Record

FRAME = 150
"""What stands around the conversation, at most."""


class Log:
    """A session that holds what is appended."""

    def __init__(self):
        self.bodies = []
        self.journal = Journal(self)
        self.turns = 0

    async def append(self, bodies, *, consume=()):
        self.bodies += bodies
        return len(self.bodies)

    async def commit(self):
        return len(self.bodies)

    async def records(self, after):
        self.oldest = after
        for seq, body in enumerate(self.bodies[after:], after + 1):
            yield Record(seq, 1, body)

    async def asked(self, *blocks, begun=True):
        self.turns += 1
        blocks = [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks]
        await self.journal.message("prompt", Frame.of("session/prompt", {"prompt": blocks}, id=1), f"1.{self.turns}")
        if begun:
            await self.journal.event("turn_begun", {}, f"1.{self.turns}")

    async def ended(self, **outcome):
        await self.journal.event("turn_ended", {"state": "settled", "open": [], **outcome}, f"1.{self.turns}")

    async def update(self, kind, **more):
        frame = Frame.of("session/update", {"sessionId": "s", "update": {"sessionUpdate": kind, **more}})
        await self.journal.updates([frame])

    async def said(self, *chunks):
        for chunk in chunks:
            content = {"type": "text", "text": chunk} if isinstance(chunk, str) else chunk
            await self.update("agent_message_chunk", content=content)

    async def retold(self, characters=10_000):
        return (await retold(self.records, len(self.bodies), characters)).text


def body(text):
    """What stands between the frame's lines."""
    return text.partition("\n\n")[2].removesuffix("</conversation>")


async def test_nothing_that_was_said_is_nothing_to_tell():
    log = Log()
    await log.update("plan", entries=[])
    await log.said("", " \n")
    assert await log.retold() == ""


async def test_two_prompts_are_two_messages_and_the_blocks_of_one_are_lines():
    log = Log()
    await log.asked("keep it", "all of it")
    await log.asked("delete nothing")
    assert body(await log.retold()) == "User:\n> keep it\n> all of it\nUser:\n> delete nothing\n"


async def test_the_chunks_of_an_answer_are_joined_as_they_are_until_something_else_happens():
    log = Log()
    await log.said("No", "thing", " is lost.\n", "\nYes.")
    await log.update("tool_call", toolCallId="1", title="read\nit")
    await log.update("tool_call_update", toolCallId="1", status="completed")
    await log.update("tool_call", toolCallId="2", title="write it")
    await log.said("Look")
    await log.update("agent_thought_chunk", content={"type": "text", "text": "hm"})
    await log.said("Done.")
    told = "You:\n> Nothing is lost.\n> \n> Yes.\nTools:\n> read it\n> write it\nYou:\n> Look\nYou:\n> Done.\n"
    assert body(await log.retold()) == told


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"type": "resource_link", "uri": "file:///a", "name": "a"}, "[resource_link: file:///a]"),
        ({"type": "resource", "resource": {"uri": "file:///b", "text": "long"}}, "[resource: file:///b]"),
        ({"type": "image", "data": "aGk="}, "[image]"),
        ("a\x0bb\u2028c", "a\n> b\n> c"),
    ],
)
async def test_what_is_no_text_is_named_with_its_address(block, told):
    log = Log()
    await log.asked("look at", block)
    await log.said(block)
    assert body(await log.retold()) == f"User:\n> look at\n> {told}\nYou:\n> {told}\n"


async def test_a_prompt_that_the_agent_was_not_sent_is_not_told():
    log = Log()
    await log.asked("refused", begun=False)
    await log.ended(state="failed", error={"code": 1})
    await log.asked("dropped", begun=False)
    await log.ended(state="cancelled")
    await log.asked("hello")
    await log.ended()
    await log.asked("waits", begun=False)
    assert body(await log.retold()) == "User:\n> hello\n"


@pytest.mark.parametrize(
    ("outcome", "cut_off"),
    [
        ({}, False),
        ({"state": "cancelled", "stopReason": "cancelled"}, False),
        ({"state": "unknown", "reason": "The desk ended."}, True),
        ({"state": "failed", "error": {"code": 1}}, True),
        ({"state": None, "error": {"code": 1}}, True),
    ],
)
async def test_a_turn_without_an_end_of_its_own_is_told_as_cut_off(outcome, cut_off):
    log = Log()
    await log.asked("go")
    await log.said("I g")
    await log.ended(**outcome)
    await log.asked("on")
    remark = "(This turn was cut off.)\n" if cut_off else ""
    assert body(await log.retold()) == f"User:\n> go\nYou:\n> I g\n{remark}User:\n> on\n"


async def test_a_place_where_records_are_missing_is_told_and_what_is_no_record_of_ours_is_not():
    log = Log()
    await log.said("one")
    await log.append([b"{}", b'{"of": "another program"}', b'{"at":"x","kind":"prompt"}'])
    await log.append([b'{"at":"x","kind":"turn_ended","data":5}', b'{"at":"x","kind":"update","data":[]}'])
    await log.journal.event("gap", {"first": 2, "last": 3, "bytes": 9})
    await log.said("two")
    assert body(await log.retold()) == "You:\n> one\n(Something is missing here.)\nYou:\n> two\n"


async def test_of_one_endless_line_the_end_is_told():
    log = Log()
    await log.asked("long ago")
    await log.said("x" * 5000, "the end")
    text = await log.retold(100)
    assert "(Its beginning is left out.)" in text
    assert body(text).endswith("the end\n")
    assert len(body(text)) == 100


NASTY = ["</conversation>", "< / CONVERSATION >", "<conversation>", "<", "/conversation>", "User:", "> "]
BREAKS = ["\n", "a\r\nb", "\x1c", "\x85", "\u2028", "\ud83d", "y"]
TEXT = st.one_of(st.sampled_from([*NASTY, *BREAKS]), st.text(max_size=30))
EVENT = st.tuples(st.sampled_from(["asked", "said", "tool", "cut off"]), st.lists(TEXT, min_size=1, max_size=4))


async def recorded(events):
    log = Log()
    for kind, texts in events:
        if kind == "asked":
            await log.asked(*texts)
        elif kind == "said":
            await log.said(*texts)
        elif kind == "tool":
            await log.update("tool_call", toolCallId="1", title="".join(texts))
        elif log.turns:
            await log.ended(state="unknown")
    return log


@given(st.lists(EVENT, max_size=30), st.integers(1, 300))
async def test_it_fits_and_every_line_of_somebody_else_is_quoted(events, characters):
    text = await (await recorded(events)).retold(characters)
    if not text:
        return
    assert len(text) <= characters + FRAME
    assert text.lower().count("<conversation") == text.lower().count("</conversation") == 1
    assert text.endswith("</conversation>")
    assert len(body(text)) <= characters
    ours = {"User:", "You:", "Tools:", "(This turn was cut off.)"}
    assert all(line in ours or line.startswith("> ") for line in body(text).splitlines())


LINE = st.text("ab <>:", min_size=1, max_size=9).filter(lambda text: text == text.strip())


@given(st.lists(st.tuples(st.lists(LINE, min_size=1, max_size=3), st.lists(LINE, min_size=1, max_size=3)), max_size=9))
async def test_with_room_enough_everything_is_told_in_order(turns):
    log = Log()
    expected = ""
    for blocks, chunks in turns:
        await log.asked(*blocks)
        await log.said(*chunks)
        await log.ended()
        expected += "User:\n" + "".join(f"> {block}\n" for block in blocks) + f"You:\n> {''.join(chunks)}\n"
    text = await log.retold()
    assert body(text) == expected
    assert "left out" not in text


@given(st.lists(EVENT, min_size=1, max_size=30), st.integers(1, 300))
async def test_what_is_left_out_is_the_beginning(events, characters):
    log = await recorded(events)
    whole, part = await log.retold(), await log.retold(characters)
    if "left out" not in part:
        assert part == whole
    elif body(part):
        _, _, kept = body(part).partition("> ")
        assert body(whole).endswith(kept)


async def test_letters_are_retold_with_the_prompt_that_told_them_or_where_they_were_read():
    log = Log()
    for name in ("front", "read", "gone"):
        await log.journal.event("message", {"id": name, "text": f"text of {name}"})
    prompt = Frame.of("session/prompt", {"prompt": [{"type": "text", "text": "go on"}]}, id=1)
    await log.journal.message("prompt", prompt, "1.1")
    await log.journal.event("turn_begun", {"messages": ["front"], "told": "From Ada:\n> text of front"}, "1.1")
    await log.journal.event("message_read", {"ids": ["read", "front", "odd"]}, "1.1")
    await log.journal.event("message_expired", {"id": "gone", "text": "text of gone"})
    await log.journal.event("message_read", {"ids": ["gone"]})
    await log.said("done")
    assert body(await log.retold()) == (
        "Messages:\n> From Ada:\n> > text of front\nUser:\n> go on\nA message:\n> text of read\nYou:\n> done\n"
    )


async def test_of_a_long_conversation_only_the_end_is_read(monkeypatch):
    monkeypatch.setattr("kiro_core.recovery.retelling._WINDOW", 16)
    log = Log()
    for number in range(100):
        await log.asked(f"question {number}")
        await log.said(f"answer {number}")
        await log.ended()
    text = await log.retold(200)
    assert body(text).endswith("question 99\nYou:\n> answer 99\n")
    assert log.oldest == len(log.bodies) - 16 * 8


REFERRING = st.tuples(
    st.sampled_from(["asked", "waiting", "begun", "said", "ended", "cut off", "letter", "read", "cleared"]),
    st.integers(1, 3),
)


async def referring(events):
    """A log in which turns and letters are begun, read and ended long behind where they came."""
    log = Log()
    for kind, number in events:
        turn = f"1.{max(log.turns - number + 1, 1)}"
        match kind:
            case "asked" | "waiting":
                await log.asked(f"question {log.turns}", begun=kind == "asked")
            case "begun":
                await log.journal.event("turn_begun", {}, turn)
            case "said":
                await log.said(f"answer {len(log.bodies)} " * number)
            case "ended" | "cut off":
                state = "unknown" if kind == "cut off" else "settled"
                await log.journal.event("turn_ended", {"state": state, "open": []}, turn)
            case "letter":
                await log.journal.event("message", {"id": str(number), "text": f"letter {len(log.bodies)}"})
            case "read":
                await log.journal.event("message_read", {"ids": [str(number)]})
            case "cleared":
                await log.journal.event("context_reset", {"to": "nothing", "reason": "x"})
    return log


@given(st.lists(REFERRING, max_size=40), st.integers(1, 6), st.integers(1, 120))
async def test_the_end_of_a_log_tells_what_the_whole_log_tells(events, window, characters):
    log = await referring(events)
    whole = await log.retold(characters)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("kiro_core.recovery.retelling._WINDOW", window)
        patched.setattr("kiro_core.recovery.retelling._WIDER", 2)
        assert await log.retold(characters) == whole
