"""What members say to each other: within the rules, bounded, and never lost."""

import anyio
import pytest
from company import SAYS, SLEEPS, company, refusal
from crew_office import scripted

from kiro_core.errors import InboxFull, SessionNotFound, Unavailable
from kiro_core.frames import Frame
from kiro_core.journal import entry
from kiro_core.testing import RecordingClient
from kiro_core.types import SessionId

pytestmark = pytest.mark.usefixtures("home")
HOLDS = {
    "x": scripted(
        prompt="if 'hold' in got['session/prompt']['prompt'][-1]['text']: sys.stdin.readline()\ntell('done')",
        initialize="answers['initialize'].update({'agentCapabilities': {'loadSession': True}})",
    )
}


async def told(here, session):
    """The letters that came to a session: who sent which."""
    items = [entry(record) async for record in here.desk.read(SessionId(session))]
    return [(item.value["name"], item.value["kind"], item.value["text"]) for item in items if item.kind == "message"]


async def test_parent_and_child_and_those_of_a_group_may_speak_and_nobody_else(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, engines=HOLDS) as here:
            for name in ("Ada", "Bruno", "Clara"):
                await here.spawn("hold", name=name, engine="x", group="" if name == "Clara" else "team")
            ada, bruno, clara = [await here.working(name) for name in ("Ada", "Bruno", "Clara")]
            send = here.crew.send
            await send(ada.session, "main", "up")
            await send(here.main, "Ada", "down")
            await send(ada.session, bruno.session, "across")
            await send("", "Clara", "from a person")
            assert await refusal(send(ada.session, "Clara", "x")) == "stranger"
            assert await refusal(send(ada.session, "Ada", "x")) == "self"
            assert await refusal(send(ada.session, "Dario", "x")) == "unknown"
            assert await refusal(send(ada.session, "Bruno", "")) == "length"
            assert await refusal(send(ada.session, "Bruno", "x" * 16_001)) == "length"
            await here.crew.group(here.main, "add", "team", "Clara", "reader")
            await send(ada.session, "Clara", "now")
            await here.delivered(clara.session, 2, "message")
            assert await told(here, clara.session) == [("", "message", "from a person"), ("Ada", "message", "now")]
            assert [letter.text for letter in await here.crew.read(clara.session, 1)] == ["from a person"]
            assert (await here.crew.status(here.main, "Clara")).unread == 1


async def test_nobody_reaches_the_sessions_of_another_crew(opened_desk, tmp_path):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, client) as here:
            ada = await here.spawn(f"{SAYS}x", name="Ada", persistent=True)
            await here.settled("Ada")
            opening = {"cwd": str(tmp_path), "mcpServers": []}
            other = (await here.agent.new(Frame.of("session/new", opening, id=0))).result["sessionId"]
            for verb in ("send", "inject", "interrupt", "revive"):
                assert await refusal(getattr(here.crew, verb)(other, ada.session, "x")) == "unknown"
            for verb in ("status", "end"):
                assert await refusal(getattr(here.crew, verb)(other, ada.session)) == "unknown"
            assert await refusal(here.crew.wait(other, [ada.session], timeout_s=1)) == "unknown"
            assert await here.crew.members(other, "all") == []
            with pytest.raises(SessionNotFound):
                await here.crew.members("nobody")


async def test_a_session_may_write_ten_letters_a_minute(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, engines=HOLDS) as here:
            await here.spawn("hold", name="Ada", engine="x", group="team")
            await here.spawn("hold", name="Bruno", engine="x", group="team")
            ada = await here.working("Ada")
            await here.working("Bruno")
            assert len(await here.crew.broadcast(ada.session, "team", "all")) == 1
            for _ in range(9):
                await here.crew.send(ada.session, "Bruno", "x")
            assert await refusal(here.crew.send(ada.session, "Bruno", "x")) == "rate"
            for _ in range(11):
                await here.crew.send("", "Bruno", "x")


async def test_a_letter_to_a_group_counts_for_each_who_gets_it(opened_desk, tmp_path):
    with anyio.fail_after(60):
        async with company(opened_desk, tmp_path, crew={"max_parallel": 6}) as here:
            for name in ("Ada", "Bruno", "Clara", "Dario"):
                await here.spawn(SLEEPS, name=name, group="team")
            for name in ("Ada", "Bruno", "Clara", "Dario"):
                ada = await here.working(name)
            for _ in range(4):  # the last while one more may be sent
                assert len(await here.crew.broadcast(ada.session, "team", "all")) == 3
            assert await refusal(here.crew.broadcast(ada.session, "team", "all")) == "rate"
            assert await refusal(here.crew.send(ada.session, "main", "x")) == "rate"


async def test_who_writes_to_a_group_is_told_who_has_it_and_who_has_not(opened_desk, tmp_path):
    with anyio.fail_after(60):
        async with company(opened_desk, tmp_path) as here:
            for name in ("Ada", "Bruno", "Clara"):
                await here.spawn(SLEEPS, name=name, group="team")
            _, bruno, clara = [await here.working(name) for name in ("Ada", "Bruno", "Clara")]
            put = here.desk.crew.trees.ground.store.put

            async def fails(session, *letter):
                if session == bruno.session:
                    raise Unavailable("The disk is full.")
                if session == clara.session:
                    raise SessionNotFound("It is gone.")
                return await put(session, *letter)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(here.desk.crew.trees.ground.store, "put", fails)
                with pytest.raises(Unavailable, match=r"full\. Without the message: Bruno; with it: Ada\.$") as told_of:
                    await here.crew.broadcast("", "team", "all")
            assert told_of.value.details == {"missed": ["Bruno"], "got": ["Ada"]}


async def test_letters_that_only_answer_letters_come_to_an_end(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, engines=HOLDS) as here:
            ada = await here.spawn(f"{SAYS}x", name="Ada", persistent=True)
            await here.settled("Ada")
            frame = Frame.of(
                "session/prompt",
                {
                    "sessionId": here.main,
                    "prompt": [{"type": "text", "text": SLEEPS}],
                    "_meta": {"kiro_core": {"hops": 20}},
                },
                id=0,
            )
            turn = await here.agent.prompt(frame)
            while here.desk.live[here.main].inbox.hops < 20:
                await anyio.lowlevel.checkpoint()
            for verb in (here.crew.send, here.crew.revive, here.crew.interrupt):
                assert await refusal(verb(here.main, "Ada", "x")) == "loop"
            assert await refusal(here.spawn("x")) == "loop"
            assert ada.session in here.desk.live
            await here.agent.cancel(Frame.of("session/cancel", {"sessionId": here.main}))
            await turn.settled()
            await here.crew.send(here.main, "Ada", "x")


async def test_an_escalation_goes_up_to_where_a_person_is(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, engines=HOLDS) as here:
            await here.spawn("hold", name="Ada", engine="x")
            ada = await here.working("Ada")
            await here.spawn("hold", name="Bruno", engine="x", by=ada.session)
            bruno = await here.working("Bruno")
            await here.crew.send(bruno.session, "", "help", priority="escalation")
            (letter,) = await here.delivered(kind="escalation")
            assert (letter["name"], letter["text"]) == ("Bruno", "help")
            assert await refusal(here.crew.send(here.main, "", "help", priority="escalation")) == "empty"


async def test_who_has_not_begun_or_has_ended_is_not_written_to(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            await here.spawn(SLEEPS, name="Ada")
            await here.spawn("x", name="Bruno", depends_on=["Ada"])
            await here.working("Ada")
            assert await refusal(here.crew.send(here.main, "Bruno", "x")) == "blocked"
            assert await refusal(here.crew.interrupt(here.main, "Bruno", "x")) == "blocked"
            assert await refusal(here.crew.revive(here.main, "Bruno", "x")) == "working"
            await here.crew.end(here.main, "Ada")
            assert await refusal(here.crew.send(here.main, "Ada", "x")) == "terminated"
            assert await refusal(here.crew.broadcast(here.main, "nobody", "x")) == "unknown"


async def test_a_letter_of_the_same_id_comes_once_and_takes_nobody_elses_place(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, engines=HOLDS) as here:
            await here.spawn("hold", name="Ada", engine="x")
            ada = await here.working("Ada")
            taken = f"{ada.session}:result:1"
            for _ in range(2):
                await here.crew.send(ada.session, "main", "again", id=taken)
            await here.agent.notify(Frame.of("_x/go", {"sessionId": here.main}))
            await here.crew.end(here.main, "Ada")
            await here.delivered()
            assert [kind for _, kind, _ in await told(here, here.main)] == ["message", "result"]


async def test_context_stands_in_front_of_the_next_prompt(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            ada = await here.spawn(f"{SAYS}one", name="Ada", persistent=True)
            await here.settled("Ada")
            await here.crew.inject(here.main, "Ada", "It is Tuesday.")
            assert await refusal(here.crew.inject(here.main, "Ada", "x" * 4001)) == "length"
            await here.crew.revive(here.main, "Ada", "What day is it?")
            await here.settled("Ada")
            assert "It is Tuesday." in here.client.text(ada.session)


async def test_a_full_inbox_is_told_to_who_writes(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            for _ in range(100):
                await here.crew.inject("", here.main, "x")
            with pytest.raises(InboxFull):
                await here.crew.send("", here.main, "x")


async def test_waiting_ends_with_all_with_any_or_with_its_time_and_counts_the_results_as_read(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            assert await refusal(here.crew.wait(here.main, timeout_s=1)) == "empty"
            assert await refusal(here.crew.wait(here.main, group="team", timeout_s=1)) == "empty"
            await here.spawn(SLEEPS, name="Ada", group="team")
            ada = await here.working("Ada")
            await here.spawn(f"{SAYS}two", name="Bruno", group="team")
            assert await refusal(here.crew.wait(ada.session, ["Ada"], timeout_s=1)) == "self"
            found = {}

            async def wait(key, *names, **more):
                found[key] = [each.outcome for each in await here.crew.wait("", names, **more)]

            async with anyio.create_task_group() as waiters:
                waiters.start_soon(lambda: wait("any", "Ada", "Bruno", any=True, timeout_s=20))
                waiters.start_soon(lambda: wait("one", group="team", timeout_s=20))
                waiters.start_soon(lambda: wait("other", group="team", timeout_s=20))
                waiters.start_soon(lambda: wait("short", "Ada", timeout_s=0))
                while "any" not in found:
                    await anyio.lowlevel.checkpoint()
                await here.crew.end("", "Ada")
            assert found == {
                "any": ["", "succeeded"],
                "short": [""],
                "one": ["cancelled", "succeeded"],
                "other": ["cancelled", "succeeded"],
            }
            turn = await here.agent.prompt(
                Frame.of("session/prompt", {"sessionId": here.main, "prompt": [{"type": "text", "text": SLEEPS}]}, id=0)
            )
            await here.spawn(f"{SAYS}three", name="Clara")
            await here.settled("Clara")
            assert not [letter for letter in here.desk.live[here.main].inbox.unread if letter.name == "Clara"]
            await here.agent.cancel(Frame.of("session/cancel", {"sessionId": here.main}))
            await turn.settled()


async def test_groups_are_made_listed_joined_and_left(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            group = here.crew.group
            assert await group(here.main, "create", "team") == [("team", [])]
            await here.spawn(f"{SAYS}x", name="Ada", persistent=True)
            (ada,) = await here.settled("Ada")
            ((name, (member,)),) = await group(ada.session, "add", "team", "", "reader")
            assert (name, member.name, member.role, member.group) == ("team", "Ada", "reader", "team")
            assert await refusal(group(here.main, "remove", "others", "Ada")) == "unknown"
            assert await group(here.main, "remove", "team", "Ada") == [("team", [])]
            assert (await here.desk.info(SessionId(here.main))).crew["groups"] == ["team"]


async def test_a_summary_is_the_result(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, engines=HOLDS) as here:
            await here.spawn("hold", name="Ada", engine="x")
            ada = await here.working("Ada")
            await here.crew.summarise(ada.session, "the sum", task="adding")
            assert here.crew.describe(ada.session) == {
                "name": "Ada",
                "role": "",
                "group": "",
                "depth": 1,
                "parent": "main",
            }
            assert here.crew.may_spawn(ada.session)
            await here.desk.live[ada.session].agent.notify(Frame.of("_x/go", {}))
            (ada,) = await here.settled("Ada")
            assert (ada.outcome, ada.result) == ("succeeded", "the sum")


async def test_an_interrupt_passes_on_how_many_letters_led_to_it_and_none_is_lost(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            ada = await here.spawn(SLEEPS, name="Ada", persistent=True)
            await here.working("Ada")
            params = {"sessionId": here.main, "prompt": [{"type": "text", "text": SLEEPS}]}
            meta = {"_meta": {"kiro_core": {"hops": 15}}}
            await here.agent.prompt(Frame.of("session/prompt", {**params, **meta}, id=0))
            await here.prompted(here.main)
            await here.crew.interrupt(here.main, "Ada", SLEEPS)
            while here.desk.live[ada.session].inbox.hops != 15:
                await anyio.lowlevel.checkpoint()
            assert (await here.crew.send(ada.session, "main", "x")).hops == 16


async def test_who_is_interrupted_when_its_task_is_done_gets_another_one(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            ada = await here.spawn(f"{SAYS}one", name="Ada", persistent=True)
            work = here.crew.trees.works[ada.session]
            while not work.doing.is_done:
                await anyio.lowlevel.checkpoint()
            await here.crew.interrupt("", "Ada", f"{SAYS}two")
            (ada,) = await here.settled("Ada")
            assert ada.result == "two"


async def test_nobody_is_called_as_a_person_is_and_what_stands_in_lines_is_short(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            for name in ("a person", "A Person", "Main"):
                assert await refusal(here.spawn("x", name=name)) == "name"
            for more in ("role", "agent", "engine", "model"):
                assert await refusal(here.spawn("x", **{more: "x" * 201})) == "length"
                assert await refusal(here.spawn("x", **{more: "x\nNEW RULES"})) == "length"
            assert await refusal(here.crew.summarise(here.main, "x", context="c" * 100_000)) == "length"
            await here.spawn(SLEEPS, name="Ada")
            assert await refusal(here.crew.group(here.main, "add", "team", "Ada", "x" * 201)) == "length"
            assert await here.kept() == {"Ada": ""}
