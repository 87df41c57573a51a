"""Several clients at one session: each sees everything once, any may prompt and answer, and none waits for another."""

import anyio
import pytest

from kiro_core.errors import ObserverOnly, SessionBusy, SessionNotFound
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo

WITH_NOTICES = PeerInfo("second window", abilities=frozenset({"notices"}))


def selected(option):
    return Frame.answer({"outcome": {"outcome": "selected", "optionId": option}})


class Window(RecordingClient):
    """A client that answers a question when it is told to, and knows which were taken back."""

    def __init__(self, info=None):
        super().__init__(info, self._wait)
        self.says = None
        self.taken_back = 0
        self._told = anyio.Event()

    def say(self, option):
        self.says = option
        self._told.set()

    async def _wait(self, frame):
        try:
            await self._told.wait()
        except anyio.get_cancelled_exc_class():
            self.taken_back += 1
            raise
        return selected(self.says or frame.params["options"][0]["optionId"])


class Side:
    """One client with its own agent side of the office's desk."""

    def __init__(self, office, agent, client):
        self._office, self.agent, self.client = office, agent, client

    def __getattr__(self, verb):
        async def called(*arguments, **more):
            self._office.agent = self.agent
            return await getattr(self._office, verb)(*arguments, **more)

        return called

    async def join(self, session, *, replay=True, **wishes):
        params = {"sessionId": session, "cwd": str(self._office.cwd), "mcpServers": [], "_meta": {"kiro_core": wishes}}
        return (await self.agent.open(Frame.of("session/load", params, id=0), replay=replay)).result


@pytest.fixture
def sides(opened_desk):
    """`async with sides(first, second, ...) as (one, two, ...)`: clients of one desk."""
    from contextlib import AsyncExitStack, asynccontextmanager

    @asynccontextmanager
    async def opened(*clients, **settings):
        async with AsyncExitStack() as stack:
            office = await stack.enter_async_context(opened_desk(clients[0], **settings))
            agents = [office.agent]
            agents += [await stack.enter_async_context(office.desk.attach(client)) for client in clients[1:]]
            yield [Side(office, agent, client) for agent, client in zip(agents, clients, strict=True)]

    return opened


def prompts(client):
    """What the client was shown that somebody else had written."""
    said = [u for u in client.updates() if u["sessionUpdate"] == "user_message_chunk"]
    return [update["content"]["text"] for update in said]


async def test_every_client_sees_every_update_once_and_the_prompts_of_the_others(sides):
    with anyio.fail_after(30):
        async with sides(RecordingClient(), RecordingClient()) as (one, two):
            session = await one.start()
            await one.prompt(session, "/echo first")
            await two.join(session)
            await one.prompt(session, "/echo second")
            await two.prompt(session, "/echo third")
            await one.client.until(lambda c: "third" in c.text())
            assert one.client.text() == two.client.text() == "firstsecondthird"
            assert prompts(one.client) == ["/echo third"]
            assert prompts(two.client) == ["/echo first", "/echo second"]


async def test_prompts_of_several_controllers_queue_and_are_shown_when_their_turn_comes(sides):
    one, two = Window(), RecordingClient()
    with anyio.fail_after(30):
        async with sides(one, two) as (first, second):
            session = await first.start()
            await second.join(session)
            running = await first.ask(session, "/permission go\n/echo one")
            await one.until(lambda c: c.questions)
            waiting = await second.ask(session, "/echo two")
            assert prompts(one) == [], "it is not its turn yet"
            one.say("")
            assert (await running.settled()).result["stopReason"] == "end_turn"
            assert (await waiting.settled()).result["stopReason"] == "end_turn"
            await one.until(lambda c: "two" in c.text())
            assert prompts(one) == ["/echo two"]
            order = [u["content"]["text"] for u in one.updates() if "content" in u and "text" in (u["content"] or {})]
            assert order.index("/echo two") < order.index("two")


async def test_a_question_goes_to_all_controllers_and_the_first_valid_answer_wins(sides):
    one, two = Window(WITH_NOTICES), Window(PeerInfo("the other"))
    with anyio.fail_after(30):
        async with sides(one, two) as (first, second):
            session = await first.start()
            await second.join(session)
            turn = await first.ask(session, "/permission go")
            await one.until(lambda c: c.questions)
            await two.until(lambda c: c.questions)
            two.say("once")
            assert (await turn.settled()).result["stopReason"] == "end_turn"
            assert one.taken_back == 1
            await one.until(lambda c: "the other answered: go" in str(c.updates()))
            assert "the other answered" not in str(two.updates())
            (answer,) = await first.entries(session, "answer")
            assert answer.value["outcome"]["optionId"] == "once"


async def test_an_answer_that_is_none_leaves_the_question_to_the_others(sides):
    async def nonsense(_):
        return selected("never offered")

    odd, two = RecordingClient(answer=nonsense), Window()
    with anyio.fail_after(30):
        async with sides(odd, two) as (first, second):
            session = await first.start()
            await second.join(session)
            turn = await first.ask(session, "/permission go")
            await two.until(lambda c: c.questions)
            two.say("once")
            await turn.settled()
            (answer,) = await first.entries(session, "answer")
            assert answer.value["by"] == "client"


async def test_who_comes_while_a_question_is_open_is_asked_too(sides):
    one, two = Window(), Window()
    with anyio.fail_after(30):
        async with sides(one, two) as (first, second):
            session = await first.start()
            turn = await first.ask(session, "/permission go")
            await one.until(lambda c: c.questions)
            await second.join(session)
            await two.until(lambda c: c.questions)
            two.say("once")
            assert (await turn.settled()).result["stopReason"] == "end_turn"


async def test_an_observer_sees_everything_and_may_do_nothing(sides):
    one, watching = Window(), RecordingClient()
    with anyio.fail_after(30):
        async with sides(one, watching) as (first, second):
            session = await first.start()
            await second.join(session, role="observer")
            turn = await first.ask(session, "/echo seen\n/permission go")
            await one.until(lambda c: c.questions)
            with pytest.raises(ObserverOnly):
                await second.prompt(session, "me too")
            with pytest.raises(ObserverOnly):
                await second.cancel(session)
            with pytest.raises(ObserverOnly):
                await second.set(session, "agent", "kiro_default")
            one.say("")
            assert (await turn.settled()).result["stopReason"] == "end_turn"
            await watching.until(lambda c: "seen" in c.text() and "The agent asks: go" in c.text())
            assert watching.questions == []
            await second.close(session)
            assert (await first.prompt(session, "on")).result["stopReason"] == "end_turn"


async def test_a_client_that_has_not_opened_a_session_has_nothing_to_say_in_it(sides):
    with anyio.fail_after(30):
        async with sides(RecordingClient(), RecordingClient()) as (one, two):
            session = await one.start()
            with pytest.raises(SessionNotFound):
                await two.prompt(session, "hello")
            with pytest.raises(SessionBusy):
                await two.close(session)


async def test_files_are_asked_of_the_controller_that_prompted(sides, tmp_path):
    def reading(name):
        async def answer(frame):
            if frame.method == "fs/read_text_file":
                return Frame.answer({"content": f"the text of {name}"})
            return selected(frame.params["options"][0]["optionId"])

        return RecordingClient(PeerInfo(name, abilities=frozenset({"read"})), answer)

    one, two = reading("one"), reading("two")
    (tmp_path / "x").write_text("on disk")
    with anyio.fail_after(30):
        async with sides(one, two) as (first, second):
            session = await first.start()
            await second.join(session)
            running = await first.ask(session, f"/sleep 0.2\n/read {tmp_path / 'x'}")
            waiting = await second.ask(session, f"/read {tmp_path / 'x'}")
            await running.settled()
            await waiting.settled()
            await one.until(lambda c: "the text of two" in c.text())
            assert "the text of one" in one.text()
            assert one.text().index("the text of one") < one.text().index("the text of two")


async def test_closing_lets_the_others_go_on_and_the_last_one_ends_the_session(sides):
    with anyio.fail_after(30):
        async with sides(RecordingClient(), RecordingClient()) as (one, two):
            session = await one.start()
            await two.join(session)
            await one.close(session)
            with pytest.raises(SessionNotFound):
                await one.prompt(session, "hello")
            assert (await two.prompt(session, "/echo still")).result["stopReason"] == "end_turn"
            assert "still" not in one.client.text()
            await two.close(session)
            await two.ended(session)


async def test_who_comes_with_a_cursor_is_shown_what_is_behind_it_and_nothing_else(sides):
    with anyio.fail_after(30):
        async with sides(RecordingClient(), RecordingClient()) as (one, two):
            session = await one.start()
            await one.prompt(session, "/echo first")
            (*_, last) = [record async for record in one._office.desk.read(session)]
            await one.prompt(session, "/echo second")
            await two.join(session, after=last.seq)
            await two.client.until(lambda c: "second" in c.text())
            await one.prompt(session, "/echo third")
            await two.client.until(lambda c: "third" in c.text())
            assert two.client.text() == "secondthird"
            assert prompts(two.client) == ["/echo second", "/echo third"]


@pytest.mark.parametrize("wish", [{"role": "king"}, {"after": -1}, {"after": "x"}, {"after": True}])
async def test_a_wish_that_is_none_is_refused(sides, wish):
    from kiro_core.errors import RpcError

    with anyio.fail_after(30):
        async with sides(RecordingClient(), RecordingClient()) as (one, two):
            session = await one.start()
            with pytest.raises(RpcError):
                await two.join(session, **wish)


async def test_a_turn_goes_on_when_everybody_has_left_and_who_comes_back_has_everything(opened_desk):
    back = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(back) as office:
            agent_of_back = office.agent
            leaving = RecordingClient()
            async with office.desk.attach(leaving) as office.agent:
                session = await office.start()
                turn = await office.ask(session, "/echo begun\n/sleep 0.3\n/echo done")
                await leaving.until(lambda c: "begun" in c.text())
            assert (await turn.settled()).result["stopReason"] == "end_turn"
            office.agent = agent_of_back
            await office.load(session)
            assert back.text() == "begundone"


@pytest.mark.parametrize(
    ("settings", "outcome"),
    [({"limits": {"linger_s": 0}}, "settled"), ({"when_left": "end"}, "cancelled")],
    ids=["when its turn has ended", "at once"],
)
async def test_a_session_that_everybody_left_ends(opened_desk, settings, outcome):
    leaving = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), **settings) as office:
            async with office.desk.attach(leaving) as office.agent:
                session = await office.start()
                await office.ask(session, "/echo begun\n/sleep 0.3\n/echo done")
                await leaving.until(lambda c: "begun" in c.text())
            await office.ended(session)
            (ended,) = await office.entries(session, "turn_ended")
            assert ended.value["state"] == outcome


async def test_an_agent_that_idles_is_put_to_sleep_and_woken_by_the_next_prompt(opened_desk, tmp_path):
    memory = {"engines": {"mem": ["--memory", str(tmp_path / "memory")]}, "engine": "mem"}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), limits={"idle_s": 0.2}, **memory) as office:
            session = await office.start()
            await office.prompt(session, "/echo remember")
            await office.recorded(session, "process_ended")
            assert (await office.prompt(session, "/echo awake")).result["stopReason"] == "end_turn"
            assert office.client.text() == "rememberawake"
            assert len(await office.entries(session, "process_begun")) == 2
            assert await office.entries(session, "context_reset") == []


async def test_an_agent_that_could_not_come_back_is_left_awake(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), limits={"idle_s": 0.1}, engine="rehearsal") as office:
            session = await office.start()
            await office.prompt(session, "/echo hello")
            assert not office.desk.live[session].resting.may_sleep


async def test_for_one_agent_too_many_the_one_that_idled_longest_is_put_to_sleep(opened_desk, tmp_path):
    from kiro_core.errors import DeskFull

    memory = {"engines": {"mem": ["--memory", str(tmp_path / "memory")]}, "engine": "mem"}
    client = Window()
    with anyio.fail_after(30):
        async with opened_desk(client, limits={"max_agents": 2}, **memory) as office:
            first, second = await office.start(), await office.start()
            await office.prompt(first, "/echo one")
            await office.prompt(second, "/echo two")
            third = await office.start()
            assert [len(await office.entries(s, "process_ended")) for s in (first, second)] == [1, 0]
            turns = [await office.ask(session, "/permission go") for session in (second, third)]
            await client.until(lambda c: len(c.questions) == 2)
            with pytest.raises(DeskFull):
                await office.start()
            client.say("")
            for turn in turns:
                await turn.settled()
            assert (await office.prompt(first, "/echo again")).result["stopReason"] == "end_turn"


async def test_who_joins_is_asked_nothing_before_its_answer(sides):
    """An editor knows no session before the answer to its request, and would refuse the question for good."""
    known = []

    class Editor(Window):
        async def request(self, frame):
            if frame.session not in known:
                return Frame.failure(-32602, "unknown session")
            return await super().request(frame)

    one, two = Window(), Editor()
    gate = anyio.Event()
    showing = two.notify

    async def slowly(frames):
        await gate.wait()
        await showing(frames)

    two.notify = slowly
    with anyio.fail_after(30):
        async with sides(one, two) as (first, second), anyio.create_task_group() as tasks:
            session = await first.start()
            turn = await first.ask(session, "/echo hello\n/permission go")
            await one.until(lambda c: c.questions)

            async def join():
                await second.join(session)
                known.append(session)

            tasks.start_soon(join)
            await anyio.wait_all_tasks_blocked()
            gate.set()
            await two.until(lambda c: c.questions)
            two.say("once")
            assert (await turn.settled()).result["stopReason"] == "end_turn"
            (answer,) = await first.entries(session, "answer")
            assert answer.value["outcome"]["optionId"] == "once"


async def test_another_role_takes_nothing_away_that_was_to_be_shown(sides):
    one, two = RecordingClient(), Window()
    gate = anyio.Event()
    gate.set()
    showing = two.notify

    async def slowly(frames):
        await gate.wait()
        await showing(frames)

    two.notify = slowly
    with anyio.fail_after(30):
        async with sides(one, two) as (first, second):
            session = await first.start()
            await second.join(session)
            gate = anyio.Event()
            await first.prompt(session, "/echo one;")
            await first.prompt(session, "/echo two;")
            await second.join(session, replay=False, role="observer")
            await first.prompt(session, "/echo three;")
            gate.set()
            await two.until(lambda c: "three;" in c.text())
            assert two.text() == "one;two;three;"
            with pytest.raises(ObserverOnly):
                await second.prompt(session, "me too")


async def test_who_watches_deletes_nothing_and_is_told_who_does(sides):
    with anyio.fail_after(30):
        async with sides(RecordingClient(), RecordingClient(WITH_NOTICES)) as (one, two):
            session = await one.start()
            await two.join(session, role="observer")
            delete = Frame.of("session/delete", {"sessionId": session}, id=0)
            with pytest.raises(ObserverOnly):
                await two.agent.delete(delete)
            await one.agent.delete(delete)
            await two.client.until(lambda c: "The session was deleted." in str(c.updates()))


async def test_a_form_is_cancelled_when_nobody_is_left_who_can_show_one(sides):
    abilities, raw = frozenset({"elicitation-form"}), {"elicitation": {"form": {}}}
    forms, plain = Window(PeerInfo("forms", abilities=abilities, raw=raw)), RecordingClient()
    with anyio.fail_after(30):
        async with sides(forms, plain) as (one, two):
            session = await one.start()
            await two.join(session)
            turn = await two.ask(session, "/ask-form name")
            await forms.until(lambda c: c.questions)
            await one.close(session)
            assert (await turn.settled()).result["stopReason"] == "end_turn"


async def test_a_store_that_fails_for_a_moment_takes_no_client_out_of_the_session(opened_desk, store):
    from kiro_core.errors import Unavailable

    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, plugins=[store], store="frail") as office:
            session = await office.start()
            await office.prompt(session, "/echo one;")
            live = office.desk.live[session]
            (member,) = live.clients.members
            missed, failures = live.missed, [Unavailable("The disk is busy.")]

            async def failing(after, upto):
                if failures:
                    raise failures.pop()
                async for each in missed(after, upto):
                    yield each

            live.missed = failing
            member.begin_behind(0)
            await client.until(lambda c: c.text(session).count("one;") == 2)
            assert (await office.prompt(session, "/echo two;")).result["stopReason"] == "end_turn"
            assert client.text(session).endswith("two;")


async def test_a_long_way_behind_is_read_once(opened_desk, store):
    first = RecordingClient()
    with anyio.fail_after(60):
        async with opened_desk(first, plugins=[store], store="frail") as office:
            session = await office.start()
            for number in range(20):
                await office.prompt(session, f"/echo {number};")
            live, reads = office.desk.live[session], []
            read = live.tools.store.read

            def counted(session_id, after=0):
                reads.append(after)
                return read(session_id, after)

            live.tools.store.read = counted
            (member,) = live.clients.members
            shown = first.text(session)
            member.begin_behind(1)
            await first.until(lambda c: c.text(session) == shown * 2)
            assert len(reads) == 1
