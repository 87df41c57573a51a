"""What was said is read from the record: the newest of it, behind where it was cleared, of any stored session."""

import anyio
import pytest

from kiro_mcp.service import searching
from kiro_mcp.service.hosts import Host


def said(history):
    return [(message.role, message.content) for message in history.messages]


async def test_the_newest_messages_are_told_and_survive_the_session_and_the_server(opened):
    with anyio.fail_after(30):
        async with opened() as place:
            session = await place.create()
            for number in range(3):
                await place.chat(f"/echo a{number}\n/tool\n/echo b{number}")
            newest = await place.service.past.history(place.host, limit=2)
            assert newest.session_id == session
            assert [role for role, _ in said(newest)] == ["user", "assistant"]
            assert said(newest)[1][1].startswith("a2")
            assert said(newest)[1][1].endswith("b2")
            assert newest.messages[0].timestamp <= newest.messages[1].timestamp
            before = await place.service.past.history(place.host)
            assert len(before.messages) == 6
            await place.sessions.end(place.host, session)
        async with opened() as place:
            assert await place.service.past.history(Host(connected=True), session) == before


async def test_a_history_that_was_cleared_begins_there_and_nothing_is_lost(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.chat("/echo one")
            assert await place.service.past.clear_history(place.host) == session
            await place.chat("/echo two")
            history = await place.service.past.history(place.host)
            assert said(history) == [("user", "/echo two"), ("assistant", "two")]
            assert not (await place.service.past.search(place.host, "echo one")).hits[1:]
            kinds = [item["kind"] for item in await place.service.past.transcript(place.host, session)]
            assert kinds.count("user") == 1
            assert [item.text async for item in place.desk.told(session) if item.kind == "agent"] == ["one", "two"]


async def test_only_an_open_session_is_cleared_and_only_a_known_one_is_read(opened, refused):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.sessions.end(place.host, session)
            assert (await refused(place.service.past.clear_history, place.host, session)).code == "SESSION_INACTIVE"
            for call in (place.service.past.history, place.service.past.transcript):
                assert (await refused(call, place.host, "nonsense")).code == "SESSION_NOT_FOUND"
            for limit in (0, -1):
                assert (await refused(place.service.past.history, place.host, session, limit)).code == "INVALID_COMMAND"


async def test_a_transcript_tells_all_that_happened_in_json(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.chat("hello there")
            await place.chat("/tool\n/plan\n/echo x\n/thought y")
            items = await place.service.past.transcript(place.host, session)
            assert {"user", "agent", "tool", "plan", "thought", "ended"} <= {item["kind"] for item in items}
            assert set(items[0]) == {"seq", "kind", "at", "turn", "text", "details"}
            first = next(item for item in items if item["kind"] == "agent")
            assert "hello there" in first["text"]
            assert [item["seq"] for item in items] == sorted(item["seq"] for item in items)


async def test_a_long_transcript_keeps_its_newest_entries(opened, monkeypatch):
    monkeypatch.setattr("kiro_mcp.service.past._ENTRIES", 3)
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.chat("/echo one\n/thought x\n/echo two")
            items = await place.service.past.transcript(place.host, session)
            assert [item["kind"] for item in items] == ["thought", "agent", "ended"]


async def test_sessions_are_found_by_what_they_are_called_and_by_what_was_said_newest_first(opened, tmp_path):
    (tmp_path / "Kiwi").mkdir()
    with anyio.fail_after(30):
        async with opened() as place:
            named, spoken = await place.create(), await place.create()
            folder = await place.create(working_directory="Kiwi")
            await place.desk.relabel(named, title="About KIWIS", name="fruit", tags=["green"])
            await place.chat("/echo the kiwi is a bird", spoken)
            await place.sessions.end(place.host, named)
            found = await place.service.past.search(place.host, "kiwi")
            assert found.complete
            places = {hit.session_id: (hit.where, hit.is_open) for hit in found.hits}
            assert places == {named: ("title", False), spoken: ("title", True), folder: ("folder", True)}
            bird = await place.service.past.search(place.host, "IS A BIRD")
            assert [hit.session_id for hit in bird.hits] == [spoken]
            for text, where in (("fruit", "name"), ("green", "tag"), (named[:13], "id")):
                (hit,) = (await place.service.past.search(place.host, text)).hits
                assert (hit.session_id, hit.where) == (named, where)
            assert not (await place.service.past.search(place.host, "mango")).hits


async def test_a_text_that_was_said_is_shown_with_what_stands_around_it(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            await place.chat(f"/echo {'before ' * 40}a Mango{' after' * 40}")
            await place.desk.relabel(place.host.active, title="other")
            (hit,) = (await place.service.past.search(place.host, "mango")).hits
            assert hit.where == "assistant"
            assert "a Mango" in hit.excerpt
            assert len(hit.excerpt) < 200


async def test_a_search_says_when_it_left_something_out(opened, monkeypatch):
    with anyio.fail_after(30):
        async with opened() as place:
            for number in range(2):
                await place.chat(f"/echo kiwi {number}", await place.create())
            found = await place.service.past.search(place.host, "kiwi", limit=1)
            assert (len(found.hits), found.complete) == (1, False)
            monkeypatch.setattr(searching, "_READ", 1)
            assert not (await place.service.past.search(place.host, "nothing of this")).complete
            monkeypatch.setattr(searching, "_PAGE", 1)
            monkeypatch.setattr(searching, "_LISTED", 1)
            assert not (await place.service.past.search(place.host, "kiwi")).complete
            monkeypatch.setattr(searching, "_LOOKING_S", 0)
            stopped = await place.service.past.search(place.host, "kiwi")
            assert (list(stopped.hits), stopped.complete) == ([], False)


async def test_a_run_of_a_crew_is_not_found_and_its_sessions_are(opened):
    with anyio.fail_after(30):
        async with opened() as place:
            crew = {"name": "kiwi", "stages": [{"id": "a", "prompt": "/echo kiwi"}]}
            run = await place.service.crews.run(place.host, crew)
            state = await place.service.crews.look(place.host, run, wait_s=20)
            found = await place.service.past.search(place.host, "kiwi")
            assert [hit.session_id for hit in found.hits] == [state.stages[0].session_id]


@pytest.mark.parametrize("text", ["", "  "])
async def test_a_search_needs_a_text(opened, refused, text):
    with anyio.fail_after(10):
        async with opened() as place:
            assert (await refused(place.service.past.search, place.host, text)).code == "INVALID_COMMAND"
            assert (await refused(place.service.past.search, place.host, "x", 0)).code == "INVALID_COMMAND"


async def test_the_last_message_of_a_turn_that_came_to_no_good_end_says_so(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            await place.chat("/echo good")
            await place.chat("/error -32000 No more credits")
            await place.chat("/echo half\n/error -32000 No more credits")
            begun = await place.tasks.start(place.host, "/echo half\n/sleep 600")
            await place.until(begun.id, "streaming")
            await place.tasks.cancel(place.host, begun.id)
            await place.done(begun.id)
            history = await place.service.past.history(place.host)
            assert [(message.role, message.status) for message in history.messages] == [
                ("user", ""),
                ("assistant", ""),
                ("user", "failed"),
                ("user", ""),
                ("assistant", "failed"),
                ("user", ""),
                ("assistant", "cancelled"),
            ]
