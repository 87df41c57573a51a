"""Looking at tasks: whose question it is, and what waiting costs."""

import json

import anyio
import pytest

from kiro_core.frames import Frame
from kiro_core.notices import TRUST, WAITING
from kiro_mcp.service.questioning import question_of


async def test_a_question_is_told_to_the_task_that_runs_and_to_none_that_waits(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            first = await place.tasks.start(place.host, "/permission\n/echo one")
            second = await place.tasks.start(place.host, "/permission\n/echo two")
            asked = await place.asked(first.id)
            for wait_s in (0, 0.1):
                view = await place.tasks.follow(place.host, second.id, wait_s=wait_s)
                assert (view.status, view.question) == ("pending", None)
            listed = await place.tasks.listed(place.host)
            assert [view.question for view in listed] == [asked, None]
            place.questions.answer(place.host, asked.id, "once")
            own = await place.asked(second.id)
            assert own.id != asked.id
            place.questions.answer(place.host, own.id, "once")
            assert (await place.done(second.id)).text.endswith("two")


async def test_what_the_session_asks_before_a_turn_is_told_to_those_that_wait(opened, tmp_path):
    (tmp_path / ".kiro" / "agents").mkdir(parents=True)
    configuration = {"name": "mine", "mcpServers": {"x": {"command": "never-started"}}}
    (tmp_path / ".kiro" / "agents" / "mine.json").write_text(json.dumps(configuration))
    with anyio.fail_after(20):
        async with opened(settings={"agent": "mine"}) as place:
            first = await place.tasks.start(place.host, "/echo one")
            second = await place.tasks.start(place.host, "/echo two")
            question = await place.asked(first.id)
            assert (await place.asked(second.id)) == question
            assert question.of_session
            place.questions.refuse(place.host, question.id)
            assert (await place.done(second.id)).text.endswith("two")


@pytest.mark.parametrize(("call", "ours"), [(TRUST, True), (f"{WAITING}7", True), ("call-1", False)])
def test_the_desks_own_questions_are_known_by_their_calls(call, ours):
    asked = Frame.of("session/request_permission", {"sessionId": "s", "toolCall": {"toolCallId": call}}, id=1)
    assert question_of(asked, "/").of_session is ours


async def test_what_is_gathered_is_read_at_once_and_the_end_is_told_at_once(opened, gate):
    says = f"tell('one'); {gate.wait}; [(tell('more'), time.sleep(0.002)) for _ in range(50)]"
    with anyio.fail_after(20):
        async with opened(scripted={"slow": {"prompt": says}}, engine="slow") as place:
            begun = await place.tasks.start(place.host, "hello")
            await place.until(begun.id, "streaming")
            desk = place.tasks._looking._desk = _Counting(place.desk)
            views = []

            async def follow():
                views.append(await place.tasks.follow(place.host, begun.id, 1, 60, gather_s=60))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(follow)
                await anyio.wait_all_tasks_blocked()
                gate.let_in()
            [view] = views
            assert (view.is_done, len(view.chunks)) == (True, 50)
            assert desk.readings < 6


async def test_a_question_is_told_at_once_however_long_is_gathered(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            begun = await place.tasks.start(place.host, "/echo one\n/sleep 0.2\n/permission")
            view = await place.tasks.follow(place.host, begun.id, 0, 60, gather_s=60)
            assert (view.question is not None, view.is_done) == (True, False)
            assert [chunk.content for chunk in view.chunks] == ["one"]
            place.questions.refuse(place.host, view.question.id)
            await place.done(begun.id)


class _Counting:
    """A desk that counts how often a record is read."""

    def __init__(self, desk):
        self._desk, self.holder = desk, desk.holder
        self.readings = 0

    def told(self, *arguments, **options):
        self.readings += 1
        return self._desk.told(*arguments, **options)
