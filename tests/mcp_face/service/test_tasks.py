"""A task is a turn: accepted in order, read from its record, cancelled alone, and there when the server is not."""

import anyio
import pytest

from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_files import FilesOptions, open_store
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.known import _REMEMBERED


async def test_a_task_ends_with_its_whole_answer(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            view = await place.chat("/echo one\n/echo two")
            assert (view.status, view.is_done, view.text, view.stop_reason) == ("completed", True, "onetwo", "end_turn")
            assert view.total_bytes == 6
            assert view.id.startswith(f"{view.session_id}:")
            assert view.created_at <= view.started_at <= view.completed_at
            assert view.completed_at.endswith("Z")
            assert view.failure is None


async def test_chunks_are_told_as_they_come_from_any_index_and_the_last_one_is_final(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            begun = await place.tasks.start(place.host, "/echo one\n/permission\n/echo two")
            asked = await place.asked(begun.id)
            view = await place.tasks.follow(place.host, begun.id)
            assert [(chunk.content, chunk.index, chunk.is_final) for chunk in view.chunks] == [("one", 0, False)]
            assert (view.status, view.last_chunk_index) == ("streaming", 0)
            place.questions.answer(place.host, asked.id, "once")
            done = await place.done(begun.id)
            late = await place.tasks.follow(place.host, begun.id, 1)
            assert "".join(chunk.content for chunk in late.chunks).endswith("two")
            assert [chunk.is_final for chunk in late.chunks][-1]
            again = await place.tasks.follow(place.host, begun.id)
            assert "".join(chunk.content for chunk in again.chunks) == done.text
            assert not (await place.tasks.follow(place.host, begun.id, 10**6)).chunks


async def test_a_wait_ends_with_the_first_chunk_and_in_any_case_after_its_time(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            begun = await place.tasks.start(place.host, "/echo one\n/sleep 600")
            first = await place.tasks.follow(place.host, begun.id, 0, 600)
            assert [chunk.content for chunk in first.chunks] == ["one"]
            waited = await place.tasks.follow(place.host, begun.id, 1, 0.05)
            assert (waited.status, waited.chunks, waited.last_chunk_index) == ("streaming", [], 0)
            assert await place.tasks.cancel(place.host, begun.id)
            assert (await place.done(begun.id)).status == "cancelled"


async def test_a_wait_that_is_cancelled_leaves_its_task_alone(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            begun = await place.tasks.start(place.host, "/echo one\n/permission\n/echo two")
            asked = await place.asked(begun.id)
            with anyio.move_on_after(0.05) as scope:
                place.questions.answer(place.host, asked.id, "once")
                await anyio.sleep_forever()
            assert scope.cancelled_caught
            assert (await place.done(begun.id)).status == "completed"


async def test_two_chats_at_a_time_on_one_session_run_in_their_order(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            first = await place.tasks.start(place.host, "/echo one\n/permission", session)
            second = await place.tasks.start(place.host, "/echo two", session)
            asked = await place.asked(first.id)
            waiting = await place.tasks.follow(place.host, second.id)
            assert waiting.status == "pending"
            assert waiting.question is None
            assert place.state(session) == "busy"
            place.questions.answer(place.host, asked.id, "once")
            assert (await place.done(second.id)).text == "two"
            one = await place.tasks.follow(place.host, first.id)
            two = await place.tasks.follow(place.host, second.id)
            assert one.completed_at <= two.started_at


async def test_cancelling_a_task_that_waits_leaves_the_one_that_runs_alone(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            running = await place.tasks.start(place.host, "/permission\n/echo done", session)
            waiting = await place.tasks.start(place.host, "/echo never", session)
            asked = await place.asked(running.id)
            assert await place.tasks.cancel(place.host, waiting.id)
            assert (await place.tasks.follow(place.host, waiting.id)).status == "cancelled"
            place.questions.answer(place.host, asked.id, "once")
            assert (await place.done(running.id)).status == "completed"
            cancelled = await place.done(waiting.id)
            assert (cancelled.status, cancelled.text, cancelled.failure) == ("cancelled", "", None)
            assert not await place.tasks.cancel(place.host, waiting.id)


async def test_a_blank_message_is_no_message(opened):
    with anyio.fail_after(10):
        async with opened() as place:
            with pytest.raises(ToolFailure) as caught:
                await place.tasks.start(place.host, " \n")
            assert caught.value.code == "INVALID_MESSAGE"
            assert not place.sessions.listed(place.host)


async def test_a_session_whose_queue_is_full_is_busy(opened):
    with anyio.fail_after(20):
        async with opened(settings={"limits": {"max_queued_prompts": 1}}) as place:
            session = await place.create()
            for _ in range(2):
                await place.tasks.start(place.host, "/sleep 600", session)
            with pytest.raises(ToolFailure) as caught:
                await place.tasks.start(place.host, "one too many", session)
            assert caught.value.code == "SESSION_BUSY"
            assert len(await place.tasks.listed(place.host)) == 2


async def test_more_tasks_than_may_be_unfinished_are_refused(opened):
    with anyio.fail_after(20):
        async with opened(max_tasks=2) as place:
            session = await place.create()
            begun = [await place.tasks.start(place.host, "/sleep 600", session) for _ in range(2)]
            with pytest.raises(ToolFailure) as caught:
                await place.tasks.start(place.host, "one too many", session)
            assert (caught.value.code, caught.value.details) == ("SERVER_OVERLOADED", {"max_tasks": 2})
            await place.tasks.cancel(place.host, begun[0].id)
            await place.done(begun[0].id)
            assert await place.tasks.start(place.host, "/echo now", session)


async def test_an_agent_that_dies_in_its_turn_interrupts_its_task_and_serves_the_next_one(opened):
    with anyio.fail_after(30):
        async with opened() as place:
            died = await place.chat("/echo half\n/die 3")
            assert (died.status, died.text, died.failure.code) == ("failed", "half", "STREAM_INTERRUPTED")
            assert died.failure.details["cause"] == "AGENT_GONE"
            assert (await place.chat("/echo again")).text.endswith("again")


async def test_an_error_that_the_agent_answers_fails_the_task(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            failed = await place.chat("/error -32050 No more credits")
            assert (failed.status, failed.failure.code) == ("failed", "COMMAND_FAILED")
            assert "No more credits" in failed.failure.sentence
            assert failed.failure.details["number"] == -32050


async def test_a_refusal_of_the_model_is_a_completed_task_that_says_so(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            view = await place.chat("/stop refusal")
            assert (view.status, view.stop_reason) == ("completed", "refusal")


async def test_tool_calls_are_told_with_their_states(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            view = await place.chat("/tool")
            assert [tool.status for tool in view.tools] == ["completed"]
            assert view.tools[0].title


async def test_unfinished_tasks_are_listed_and_finished_ones_where_asked_for_without_their_texts(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            first, second = await place.create(), await place.create()
            done = await place.chat("/echo one", first)
            running = await place.tasks.start(place.host, "/sleep 600", second)
            assert [view.id for view in await place.tasks.listed(place.host)] == [running.id]
            everything = await place.tasks.listed(place.host, include_done=True)
            assert [view.id for view in everything] == [done.id, running.id]
            assert [(view.text, view.chunks) for view in everything] == [("", []), ("", [])]
            assert everything[0].last_chunk_index == 0
            assert [view.id for view in await place.tasks.listed(place.host, first, include_done=True)] == [done.id]


async def test_a_task_of_another_host_is_not_there_unless_all_see_all(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            other = Host(connected=True)
            task = (await place.chat("/echo mine")).id
            for call in (place.tasks.follow, place.tasks.answer, place.tasks.cancel):
                with pytest.raises(ToolFailure) as caught:
                    await call(other, task)
                assert caught.value.code == "SESSION_NOT_FOUND"
            assert not await place.tasks.listed(other, include_done=True)
        async with opened(sessions="all") as place:
            task = (await place.chat("/echo ours")).id
            assert await place.tasks.answer(other, task) == "ours"


@pytest.mark.parametrize("task", ["", "nonsense", ":", "x:y", "11111111-2222-4333-8444-555555555555:abc", "../x:y"])
async def test_an_id_that_is_no_tasks_is_not_found(opened, task):
    with anyio.fail_after(10):
        async with opened() as place:
            with pytest.raises(ToolFailure) as caught:
                await place.tasks.follow(place.host, task)
            assert caught.value.code == "SESSION_NOT_FOUND"


async def test_results_survive_the_server(opened):
    with anyio.fail_after(30):
        async with opened() as place:
            done = await place.chat("/echo kept")
            cut = await place.tasks.start(place.host, "/echo half\n/sleep 600")
            await place.until(cut.id, "streaming")
        async with opened() as place:
            view = await place.tasks.follow(place.host, done.id, whole=True)
            assert (view.status, view.text) == ("completed", "kept")
            assert (view.created_at, view.completed_at) == (done.created_at, done.completed_at)
            assert (await place.done(cut.id)).status == "cancelled"
            assert not await place.tasks.cancel(place.host, cut.id)
            with pytest.raises(ToolFailure) as caught:
                await place.tasks.follow(place.host, f"{done.session_id}:000000000000")
            assert caught.value.code == "SESSION_NOT_FOUND"
            listed = await place.tasks.listed(place.host, done.session_id, include_done=True)
            assert [view.id for view in listed] == [done.id, cut.id]


async def test_a_start_that_is_cancelled_takes_its_prompt_back(opened, monkeypatch):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            with anyio.CancelScope() as scope:
                scope.cancel()
                await place.tasks.start(place.host, "/sleep 600", session)
            assert scope.cancelled_caught
            (view,) = await place.tasks.listed(place.host, session, include_done=True)
            assert (await place.done(view.id)).status == "cancelled"


async def test_an_answer_of_any_length_is_told_in_bounded_parts_and_kept_nowhere(opened):
    with anyio.fail_after(60):
        async with opened() as place:
            begun = await place.tasks.start(place.host, "/flood 5000 100")
            parts, index = [], 0
            while True:
                view = await place.tasks.follow(place.host, begun.id, index, 30)
                parts += [chunk.content for chunk in view.chunks]
                index = view.last_chunk_index + 1
                assert len(view.chunks) <= 1000
                if view.is_done:
                    break
            assert len(parts) == 5000
            assert "".join(parts) == await place.tasks.answer(place.host, begun.id)
            task = place.tasks._known.get(begun.id)
            assert not any(isinstance(getattr(task.progress, name), list) for name in task.progress.__slots__)


async def test_of_finished_tasks_a_bounded_number_is_remembered_and_all_are_found(opened, monkeypatch):
    assert _REMEMBERED <= 1000
    monkeypatch.setattr("kiro_mcp.service.known._REMEMBERED", 2)
    with anyio.fail_after(20):
        async with opened() as place:
            done = [await place.chat(f"/echo {number}") for number in range(4)]
            assert len(place.tasks._known._finished) == 2
            assert [await place.tasks.answer(place.host, view.id) for view in done] == ["0", "1", "2", "3"]


async def test_chats_of_many_sessions_at_a_time_never_mix_while_others_end(opened):
    texts = {}

    async def chat(place, word):
        session = await place.create()
        for number in range(3):
            view = await place.chat(f"/echo {word}{number}\n/flood 30 5", session)
            texts.setdefault(word, []).append(view.text[: len(word) + 1])
            await place.sessions.switch(place.host, session)
        await place.sessions.end(place.host, session)

    with anyio.fail_after(60):
        async with opened(max_sessions=0) as place:
            async with anyio.create_task_group() as tasks:
                for word in ("apple", "pear", "plum", "fig", "kiwi", "lemon"):
                    tasks.start_soon(chat, place, word)
            assert texts == {word: [f"{word}{number}" for number in range(3)] for word in texts}
            assert len(texts) == 6
            assert (place.sessions.listed(place.host), place.tasks._known.unfinished) == ([], {})


async def test_a_task_that_goes_on_although_it_was_cancelled_says_so(opened, gate):
    with anyio.fail_after(20):
        async with opened(scripted={"deaf": {"prompt": f"tell('one')\n{gate.wait}"}}, engine="deaf") as place:
            begun = await place.tasks.start(place.host, "hello")
            assert not (await place.until(begun.id, "streaming")).cancel_requested
            assert await place.tasks.cancel(place.host, begun.id)
            view = await place.tasks.follow(place.host, begun.id)
            assert (view.is_done, view.cancel_requested) == (False, True)
            [listed] = await place.tasks.listed(place.host)
            assert listed.cancel_requested
            gate.let_in()
            view = await place.done(begun.id)
            assert (view.is_done, view.cancel_requested) == (True, False)


def accepted(text, task):
    meta = {"kiro_core": {"task": task}}
    return Frame.of(
        "session/prompt", {"sessionId": "s", "prompt": [{"type": "text", "text": text}], "_meta": meta}, id=7
    )


async def test_tasks_of_an_earlier_life_that_wait_are_listed_and_told_of(opened):
    with anyio.fail_after(30):
        async with opened() as place:
            session = await place.create()
            done = await place.chat("/echo done")
            await place.sessions.end(place.host, session)
            async with open_store(FilesOptions()) as store, store.open(session) as db:
                await Journal(db).message("prompt", accepted("/echo late", "abc"), "9.1")
            await place.sessions.load(place.host, session_id=session)
            for _ in range(2):
                [view] = await place.tasks.listed(place.host)
                assert (view.id, view.status, view.is_done) == (f"{session}:abc", "pending", False)
            views = await place.tasks.listed(place.host, include_done=True)
            assert [view.id for view in views] == [done.id, f"{session}:abc"]
            notices = []
            while not any(notice.kind == "prompts_waiting" for notice in notices):
                notices += place.service.notices.take(session)
                await anyio.wait_all_tasks_blocked()
            begun = await place.tasks.start(place.host, "/echo now")
            question = await place.asked(begun.id)
            assert question.of_session
            place.questions.answer(place.host, question.id, "send")
            assert (await place.done(f"{session}:abc")).text.endswith("late")
            await place.done(begun.id)
            assert not await place.tasks.listed(place.host)


async def test_too_many_tasks_are_counted_in_words(opened, refused):
    with anyio.fail_after(20):
        async with opened(max_tasks=1) as place:
            await place.tasks.start(place.host, "/sleep 600")
            failure = await refused(place.tasks.start, place.host, "one too many")
            assert failure.sentence.startswith("1 task is not finished")


async def test_ids_that_nobody_knows_leave_nothing_behind(opened, refused):
    with anyio.fail_after(20):
        async with opened() as place:
            for call in (place.tasks.follow, place.tasks.cancel, place.tasks.answer):
                for task in ("nonsense", "nonsense:abc", f"{'1' * 36}:abc", ":", ""):
                    assert (await refused(call, place.host, task)).code == "SESSION_NOT_FOUND"
            for call in (place.sessions.end, place.sessions.switch, place.tasks.session, place.service.past.history):
                assert (await refused(call, place.host, "nonsense")).code == "SESSION_NOT_FOUND"
            known = place.tasks._known
            assert (len(known.unfinished), len(known._finished), known._beginning) == (0, 0, 0)
            assert (len(place.sessions._table.lives), place.sessions._table._opening) == (0, 0)
            service = place.service
            assert [len(kept) for kept in (service.notices._kept, service.bells._waits, service.questions._open)] == [
                0
            ] * 3
            assert (place.host.active, place.host.own) == ("", set())
