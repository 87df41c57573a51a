"""What a task comes to: its summary, else after one reminder its last message; live and from the record alike."""

from kiro_core.crew.answering import answered, left
from kiro_core.errors import LaunchFailed
from kiro_core.frames import Frame
from kiro_core.types import Told


class Talker:
    """An agent, and the ground of its session: each of `turns` is what is on record of one; a failure is raised."""

    def __init__(self, *turns, uses_tools=True):
        self.turns, self.items, self.prompts, self._uses = list(turns), [], [], uses_tools

    def uses_tools(self, session):
        return self._uses

    async def told(self, session):
        for item in self.items:
            yield item

    async def prompt(self, frame):
        task = frame.params["_meta"]["kiro_core"]["task"]
        self.prompts.append((task, frame.params["prompt"][0]["text"]))
        number = f"1.{len(self.prompts)}"
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        said = [("prompt", "", {"task": task}), ("begun", "", {}), *turn]
        self.items += [Told(0, kind, "", number, text, details) for kind, text, details in said]
        self.items.append(Told(0, "ended", "", number, "", {"state": "settled", "stopReason": "end_turn"}))
        return self

    async def settled(self):
        return Frame.answer({"stopReason": "end_turn"})


def says(text):
    return ("agent", text, {})


def sums_up(text):
    return ("summary", text, {})


async def asked(talker):
    result = await answered(talker, talker, "s", "a.1", "do it")
    assert result == await left(talker.told("s"), "a.1")
    return result.text


async def test_the_last_summary_is_the_result_and_nothing_is_asked_for():
    talker = Talker([sums_up("one"), says("so"), sums_up(" two "), says("bye")])
    assert await asked(talker) == "two"
    assert len(talker.prompts) == 1


async def test_the_context_of_a_summary_goes_with_it():
    assert await asked(Talker([("summary", "seven ", {"context": "Of today."})])) == "seven\n\nOf today."


async def test_an_agent_that_forgets_its_summary_is_asked_for_it_once():
    talker = Talker([says("done")], [sums_up("all of it"), says("told")])
    assert await asked(talker) == "all of it"
    assert [task for task, _ in talker.prompts] == ["a.1", "a.1 reminder"]


async def test_without_a_summary_the_message_of_the_task_counts_and_only_then_that_of_the_reminder():
    assert await asked(Talker([says("done")], [says("what summary?")])) == "done"
    assert await asked(Talker([], [says("I wrote it.")])) == "I wrote it."


async def test_an_agent_without_the_tool_is_asked_for_nothing():
    talker = Talker([says("done")], uses_tools=False)
    assert await asked(talker) == "done"


async def test_a_reminder_that_fails_takes_nothing_from_the_result():
    talker = Talker([says("done")], LaunchFailed("It is gone."))
    assert await asked(talker) == "done"


async def test_each_task_of_a_session_has_its_own_summary():
    talker = Talker([sums_up("one")], [sums_up("two")])
    await answered(talker, talker, "s", "first", "x")
    await answered(talker, talker, "s", "second", "x")
    texts = [(await left(talker.told("s"), task)).text for task in ("first", "second")]
    assert texts == ["one", "two"]


async def test_a_task_that_was_cut_off_came_to_nothing_that_is_known():
    talker = Talker([says("half")])
    await talker.prompt(
        Frame.of("session/prompt", {"prompt": [{"text": ""}], "_meta": {"kiro_core": {"task": "t"}}}, 0)
    )
    talker.items.pop()
    assert await left(talker.told("s"), "t") is None
