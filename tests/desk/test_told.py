"""What a record tells: the conversation and what became of its turns, in order and once, whoever wrote it and how."""

from contextlib import aclosing, asynccontextmanager

import anyio
import pytest

from kiro_core.errors import SessionNotFound
from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.testing import RecordingClient
from kiro_core.types import SessionId, SessionInfo
from kiro_files import FilesOptions, open_store

SESSION = SessionId("11111111-2222-4333-8444-555555555555")


def prompt(text, task=None, *more):
    meta = {"_meta": {"kiro_core": {"task": task}}} if task else {}
    return Frame.of(
        "session/prompt", {"sessionId": "s", "prompt": [{"type": "text", "text": text}, *more], **meta}, id=7
    )


def update(kind, session="agent's", **body):
    return Frame.of("session/update", {"sessionId": session, "update": {"sessionUpdate": kind, **body}})


def said(text, **more):
    return update("agent_message_chunk", content={"type": "text", "text": text}, **more)


@pytest.fixture
def written(opened_desk, tmp_path):
    """`async with written() as (office, journal)`: a session that nobody has open, whose record is written by hand."""

    @asynccontextmanager
    async def opened():
        info = SessionInfo(SESSION, str(tmp_path), "2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z")
        async with (
            opened_desk(RecordingClient()) as office,
            open_store(FilesOptions()) as store,
            store.create(info) as db,
        ):
            yield office, Journal(db)

    return opened


async def told(office, session=SESSION, after=0, **options):
    async with aclosing(office.desk.told(session, after, **options)) as items:
        return [item async for item in items]


def short(items):
    return [(item.kind, item.text) for item in items]


async def test_a_conversation_with_an_agent_is_told_in_its_order_with_its_turns_and_the_names_of_its_tasks(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.prompt(session, "/echo one\n/tool\n/plan", task="first")
            await office.prompt(session, "/thought hm\n/echo two")
            items = await told(office, session)
            kinds = [item.kind for item in items if item.kind != "update"]
            assert kinds[:4] == ["prompt", "begun", "user", "agent"]
            assert {"tool", "plan", "thought"} <= set(kinds)
            assert [item.text for item in items if item.kind == "agent"] == ["one", "two"]
            assert [item.details for item in items if item.kind == "prompt"] == [{"task": "first"}, {}]
            assert [item.details["state"] for item in items if item.kind == "ended"] == ["settled", "settled"]
            first = items[0].turn
            assert {item.turn for item in items[: kinds.index("ended")]} == {first}
            assert [item.seq for item in items] == sorted(item.seq for item in items)
            await office.close(session)
            assert (await told(office, session))[-1].kind == "closed"


async def test_following_goes_on_with_what_comes_and_ends_with_the_session(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            heard = []

            async def follow():
                heard.extend(await told(office, session, follow=True))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(follow)
                await office.prompt(session, "/echo one")
                await office.close(session)
            assert [item.text for item in heard if item.kind == "agent"] == ["one"]
            assert heard[-1].kind == "closed"


async def test_a_prompt_that_was_refused_is_told_as_refused_and_never_said(written):
    error = {"code": -32603, "message": "The disk is full."}
    with anyio.fail_after(10):
        async with written() as (office, journal):
            await journal.message("prompt", prompt("never", "t"), "1.1")
            await journal.event("turn_ended", {"state": "refused", "open": [], "error": error}, "1.1")
            items = await told(office)
            assert short(items) == [("prompt", "never"), ("ended", "")]
            assert items[1].details == {"state": "refused", "error": error}


async def test_of_two_turns_that_wait_each_prompt_is_said_when_its_own_begins(written):
    with anyio.fail_after(10):
        async with written() as (office, journal):
            await journal.message("prompt", prompt("one"), "1.1")
            await journal.message("prompt", prompt("two"), "1.2")
            await journal.event("turn_begun", {"session": "agent's"}, "1.1")
            await journal.updates([said("first"), said("still first")])
            await journal.event("turn_ended", {"state": "settled", "stopReason": "end_turn"}, "1.1")
            await journal.updates([said("late")])
            await journal.event("turn_begun", {"session": "agent's"}, "1.2")
            await journal.updates([said("second")])
            items = await told(office)
            assert [(item.kind, item.text, item.turn) for item in items] == [
                ("prompt", "one", "1.1"),
                ("prompt", "two", "1.2"),
                ("begun", "", "1.1"),
                ("user", "one", "1.1"),
                ("agent", "first", "1.1"),
                ("agent", "still first", "1.1"),
                ("ended", "", "1.1"),
                ("agent", "late", ""),
                ("begun", "", "1.2"),
                ("user", "two", "1.2"),
                ("agent", "second", "1.2"),
            ]


async def test_a_prompt_that_was_cancelled_while_it_waited_is_said_when_it_ends(written):
    with anyio.fail_after(10):
        async with written() as (office, journal):
            await journal.message("prompt", prompt("waits"), "1.1")
            await journal.event("turn_ended", {"state": "cancelled", "open": []}, "1.1")
            assert short(await told(office)) == [("prompt", "waits"), ("user", "waits"), ("ended", "")]


async def test_who_reads_on_behind_a_prompt_is_told_what_it_said_all_the_same(written):
    with anyio.fail_after(10):
        async with written() as (office, journal):
            await journal.message("prompt", prompt("one"), "1.1")
            behind = (await told(office))[-1].seq
            await journal.event("turn_begun", {"session": "agent's"}, "1.1")
            begun = (await told(office))[-1].seq
            await journal.updates([said("first")])
            await journal.event("turn_ended", {"state": "settled"}, "1.1")
            assert short(await told(office, after=behind))[:2] == [("begun", ""), ("user", "one")]
            assert [(item.kind, item.turn) for item in await told(office, after=begun)] == [
                ("agent", ""),
                ("ended", "1.1"),
            ]


async def test_a_turn_that_was_cut_off_is_told_as_unknown_and_its_speech_belongs_to_no_later_one(written):
    with anyio.fail_after(10):
        async with written() as (office, journal):
            await journal.message("prompt", prompt("one"), "1.1")
            await journal.event("turn_begun", {"session": "agent's"}, "1.1")
            await journal.updates([said("half a")])
            await journal.event("opened", {})
            await journal.updates([said("again?")])
            await journal.event("turn_ended", {"state": "unknown", "open": [], "reason": "It was cut off."}, "1.1")
            items = await told(office)
            assert [item.turn for item in items if item.kind == "agent"] == ["1.1", ""]
            assert items[-1].details == {"state": "unknown", "reason": "It was cut off."}


async def test_lines_that_no_strict_parser_takes_are_told_as_far_as_they_can_be_read(written):
    odd = Frame.read(
        rb'{"method":"session/update","params":{"sessionId":"s","update":'
        rb'{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"cut \ud83d"}}}}'
    )
    assert not odd.strict
    with anyio.fail_after(10):
        async with written() as (office, journal):
            await journal.updates([odd, Frame.read(b"no message")])
            assert short(await told(office)) == [("agent", "cut \ufffd")]


async def test_what_is_lost_is_told_and_unknown_kinds_are_not(written):
    with anyio.fail_after(10):
        async with written() as (office, journal):
            await journal.event("gap", {"first": 7, "last": 9, "bytes": 412})
            await journal.event("gap", None)
            await journal.event("unrecorded", {"updates": 3})
            await journal.event("of the future", {"x": 1})
            await journal._db.append([b'{"of": "another program"}'])
            await journal.updates(
                [update("of the future", x=1), update(["odd"]), Frame.of("_kiro.dev/metadata", {"x": 1})]
            )
            items = await told(office)
            assert [item.kind for item in items] == ["lost", "lost", "update", "update", "update"]
            assert "from 7 to 9" in items[0].text
            assert items[1].details == {"updates": 3}
            assert items[2].details == {"sessionUpdate": "of the future", "x": 1}
            assert items[4].details == {"method": "_kiro.dev/metadata", "params": {"x": 1}}


async def test_a_child_of_the_agent_does_not_speak_for_it_and_what_the_desk_itself_says_counts(written):
    with anyio.fail_after(10):
        async with written() as (office, journal):
            await journal.event("turn_begun", {"session": "agent's"}, "1.1")
            await journal.updates([said("mine"), said("the child's", session="child")])
            await journal.message("shown", said("the desk's", session=SESSION))
            assert short(await told(office)) == [
                ("begun", ""),
                ("agent", "mine"),
                ("update", ""),
                ("agent", "the desk's"),
            ]


async def test_questions_answers_notices_and_new_beginnings_are_told(written):
    options = [{"optionId": "y", "name": "Yes", "kind": "allow_once"}]
    call = {"toolCallId": "t", "title": "Remove it", "kind": "delete"}
    with anyio.fail_after(10):
        async with written() as (office, journal):
            asked = {"sessionId": "s", "toolCall": call, "options": options}
            await journal.message("question", Frame.of("session/request_permission", asked, id=1))
            await journal.event("answer", {"toolCallId": "t", "outcome": {"outcome": "cancelled"}, "by": "deadline"})
            await journal.event("notice", {"notice": "mcp_late", "text": "It is late.", "severity": "warning"})
            await journal.event("context_reset", {"to": "nothing", "reason": "it was cleared"})
            await journal.event("history_cleared", {})
            await journal.event("closed", {"reason": "closed"})
            items = await told(office)
            assert short(items) == [
                ("question", "Remove it"),
                ("answer", ""),
                ("notice", "It is late."),
                ("reset", "it was cleared"),
                ("cleared", ""),
                ("closed", "closed"),
            ]
            assert items[0].details == {"toolCallId": "t", "kind": "delete", "options": options}
            assert items[1].details["by"] == "deadline"


async def test_an_agent_that_repeats_the_conversation_when_it_is_resumed_doubles_nothing(opened_desk, home):
    remembers = {"mem": ["--memory", str(home / "memory")]}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engines=remembers, engine="mem") as office:
            session = await office.start()
            await office.prompt(session, "/echo one")
            await office.close(session)
            await office.load(session, replay=False)
            await office.prompt(session, "/echo two")
            items = await told(office, session)
            spoken = [(item.kind, item.text) for item in items if item.kind in ("user", "agent")]
            assert spoken == [("user", "/echo one"), ("agent", "one"), ("user", "/echo two"), ("agent", "two")]


async def test_prompts_tell_what_is_no_text_by_its_kind_and_address(written):
    link = {"type": "resource_link", "uri": "file:///a.txt", "name": "a"}
    with anyio.fail_after(10):
        async with written() as (office, journal):
            await journal.message("prompt", prompt("See", None, link, {"type": "image", "data": "x"}), "1.1")
            assert short(await told(office)) == [("prompt", "See\n[resource_link: file:///a.txt]\n[image]")]


async def test_a_session_that_is_not_there_is_not_told(opened_desk):
    with anyio.fail_after(10):
        async with opened_desk(RecordingClient()) as office:
            with pytest.raises(SessionNotFound):
                await told(office)
