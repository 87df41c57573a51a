"""Sessions that spawn others: each member works once, and its parent learns what came of it."""

import re
from pathlib import Path

import anyio
import pytest
from company import SAYS, SLEEPS, company, refusal
from crew_office import scripted

from kiro_core.errors import AgentNotFound, EngineNotFound, SessionNotFound, UnknownName
from kiro_core.types import SessionId

pytestmark = pytest.mark.usefixtures("home")


async def test_what_a_member_comes_to_is_on_its_record_in_its_parents_inbox_and_in_the_metadata(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            spawned = await here.spawn(f"{SAYS}four", name="Ada", role="reckoner", group="sums")
            assert (spawned.name, spawned.status, spawned.parent) == ("Ada", "blocked", here.main)
            assert await here.kept() == {"Ada": ""}
            (letter,) = await here.delivered()
            assert (letter["text"], letter["name"], letter["about"]["outcome"]) == ("four", "Ada", "succeeded")
            (ada,) = await here.settled("Ada")
            assert (ada.outcome, ada.result, ada.status) == ("succeeded", "four", "terminated")
            assert await here.results(ada.session) == [("succeeded", "four")]
            assert await here.kept() == {"Ada": "succeeded"}
            info = await here.desk.info(ada.session)
            assert (info.parent, info.name, info.cwd) == (here.main, f"{here.main[:8]}/Ada", str(tmp_path))
            assert list(here.desk.live) == [here.main]


async def test_members_start_in_the_order_of_their_dependencies_and_learn_what_came_of_them(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            await here.spawn(f"{SAYS}apples", name="Ada")
            await here.spawn("/error -32603 no money left", name="Bruno")
            clara = await here.spawn("/tool Look", name="Clara", depends_on=["Ada", "Bruno"])
            assert clara.doing == "waits for Ada, Bruno"
            await here.settled("Clara")
            said = here.client.text(clara.session)
            assert "You are Clara. main has given you this task:" in said
            assert "Ada has done its task; what it said:\n> apples" in said
            assert "Bruno has failed; what it said:\n> no money left" in said


async def test_as_many_members_work_at_a_time_as_the_setting_says_and_who_waits_takes_no_place(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, crew={"max_parallel": 1}) as here:
            await here.spawn(SLEEPS, name="Ada", persistent=True)
            ada = await here.working("Ada")
            bruno = await here.spawn(f"{SAYS}two", name="Bruno", by=ada.session)
            assert (bruno.status, bruno.doing, bruno.depth) == ("blocked", "waits for a free place", 2)
            (bruno,) = await here.settled("Bruno", by=ada.session)
            assert bruno.result == "two"
            await here.spawn(f"{SAYS}three", name="Clara")
            assert (await here.crew.status(here.main, "Clara")).status == "blocked"
            await here.crew.end(here.main, "Ada")
            assert [each.outcome for each in await here.settled("Clara", "Ada")] == ["succeeded", "cancelled"]


@pytest.mark.parametrize(
    ("engine", "more", "told"),
    [
        ({"command": ["/bin/sh", "-c", "exit 3"]}, {}, "status 3"),
        (scripted(new="time.sleep(600)"), {}, "did not answer session/new within"),
        (scripted(prompt="sys.exit(3)"), {}, "status 3"),
        (scripted(), {"model": "nothing-like-it", "engine": "rehearsal"}, "The model 'nothing-like-it' cannot be had"),
    ],
    ids=["launch", "start", "died", "model"],
)
async def test_a_member_that_cannot_do_its_task_has_failed_and_its_parent_is_told(
    opened_desk, tmp_path, engine, more, told
):
    with anyio.fail_after(30):
        limits = {"start_s": 1, "close_s": 0.5, "control_s": 5}
        async with company(opened_desk, tmp_path, engines={"x": engine}, limits=limits) as here:
            await here.spawn("x", name="Ada", **{"engine": "x", **more})
            (ada,) = await here.settled("Ada")
            assert (ada.outcome, ada.status) == ("failed", "terminated")
            assert told in ada.result
            (letter,) = await here.delivered()
            assert told in letter["text"]
            assert await here.kept() == {"Ada": "failed"}


async def test_what_cannot_be_spawned_leaves_nothing_behind(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, crew={"max_depth": 1, "max_members": 2}) as here:
            with pytest.raises(AgentNotFound, match="nobdy"):
                await here.spawn("x", agent="nobdy")
            with pytest.raises((UnknownName, EngineNotFound)):
                await here.spawn("x", engine="nothing")
            with pytest.raises(SessionNotFound):
                await here.spawn("x", by="00000000-0000-4000-8000-000000000000")
            for more in (
                {"name": "a\nb"},
                {"name": here.main},
                {"name": "x" * 65},
                {"name": "main"},
                {"group": "\x1b"},
            ):
                assert await refusal(here.spawn("x", **more)) == "name"
            assert await refusal(here.spawn("x", depends_on=["nobody"])) == "unknown"
            assert await refusal(here.spawn(" ")) == "length"
            assert await here.kept() == {}
            ada = await here.spawn(f"{SAYS}x", name="Ada", persistent=True)
            assert await refusal(here.spawn("x", name="ada")) == "name"
            await here.settled("Ada")
            assert await refusal(here.spawn("x", by=ada.session)) == "depth"
            await here.spawn("x")
            assert await refusal(here.spawn("x")) == "members"


async def test_two_spawns_at_a_time_get_names_of_their_own(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            async with anyio.create_task_group() as tasks:
                for _ in range(4):
                    tasks.start_soon(here.spawn, f"{SAYS}x")
            refused = []

            async def named():
                refused.append(await refusal(here.spawn(f"{SAYS}x", name="Zed")))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(named)
                tasks.start_soon(named)
            assert sorted(refused) == ["", "name"]
            members = await here.settled()
            assert len({member.name for member in members}) == len(members) == 5
            assert {member.outcome for member in members} == {"succeeded"}


async def test_a_persistent_member_goes_on_and_gets_another_task_in_the_same_session(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            ada = await here.spawn(f"{SAYS}one", name="Ada", persistent=True)
            await here.settled("Ada")
            assert (await here.crew.status(here.main, "Ada")).status == "idle"
            assert (await here.crew.revive(here.main, "Ada", f"{SAYS}two")).outcome == ""
            assert [each.result for each in await here.settled("Ada")] == ["two"]
            assert await here.results(ada.session) == [("succeeded", "one"), ("succeeded", "two")]
            assert [letter["text"] for letter in await here.delivered(count=2)] == ["one", "two"]


async def test_a_member_that_has_ended_is_opened_again_for_another_task(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            ada = await here.spawn(f"{SAYS}one", name="Ada")
            await here.settled("Ada")
            assert ada.session not in here.desk.live
            await here.crew.revive(here.main, "Ada", f"{SAYS}two")
            (again,) = await here.settled("Ada")
            assert (again.session, again.result, again.task) == (ada.session, "two", f"{SAYS}two")
            await here.desk.delete(SessionId(ada.session))
            await here.crew.revive(here.main, "Ada", f"{SAYS}three")
            assert [each.result for each in await here.settled("Ada")] == ["three"]


async def test_a_member_that_is_ended_is_cancelled_with_all_below_it(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            await here.spawn(SLEEPS, name="Ada")
            ada = await here.working("Ada")
            await here.spawn(SLEEPS, name="Bruno", by=ada.session)
            bruno = await here.working("Bruno")
            await here.spawn("x", name="Clara", by=ada.session, depends_on=["Bruno"])
            assert await refusal(here.crew.end(bruno.session, "Ada")) == "above"
            assert (await here.crew.end(here.main, "Ada")).outcome == "cancelled"
            members = await here.until(lambda found: all(each.outcome for each in found.values()))
            assert {name: each.outcome for name, each in members.items()} == dict.fromkeys(members, "cancelled")
            assert await here.kept(ada.session) == {"Bruno": "cancelled", "Clara": "cancelled"}
            assert list(here.desk.live) == [here.main]


async def test_another_prompt_takes_the_place_of_the_turn_that_runs(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            await here.spawn(SLEEPS, name="Ada")
            await here.working("Ada")
            await here.crew.interrupt(here.main, "Ada", f"{SAYS}instead")
            (ada,) = await here.settled("Ada")
            assert (ada.outcome, ada.result) == ("succeeded", "instead")


async def test_the_python_of_the_guide_runs(home, tmp_path):
    guide = (Path(__file__).parents[2] / "docs" / "crew.md").read_text()
    snippets = re.findall(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    names = {}
    exec(next(each for each in snippets if "desk.crew.spawn" in each), names)
    with anyio.fail_after(30):
        assert "What has changed?" in await names["asked"](str(tmp_path))
