"""Whatever dies, what a member came to reaches its parent once, and no member stays unsettled."""

import sys
from dataclasses import replace
from math import inf
from pathlib import Path

import anyio
import pytest
from company import SAYS, SLEEPS, at_rest, company, refusal
from crew_office import scripted

from kiro_core.errors import InboxFull, Unavailable
from kiro_core.types import SessionId
from kiro_files import FilesOptions, open_store

KILLED = Path(__file__).with_name("killed_company.py")
pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize(
    ("point", "outcome", "told"),
    [
        ("spawned", "unknown", "Nothing is on record of it"),
        ("working", "unknown", "It was cut off"),
        ("ended", "succeeded", "four"),
        ("recorded", "succeeded", "four"),
        ("told", "succeeded", "four"),
    ],
)
async def test_what_a_killed_desk_left_out_is_made_up_for_once(opened_desk, tmp_path, point, outcome, told):
    with anyio.fail_after(60):
        killed = await anyio.run_process([sys.executable, str(KILLED), point, str(tmp_path)], check=False)
        assert killed.returncode == -9, killed.stderr.decode()
        main = killed.stdout.decode().strip()
        for _ in range(2):
            async with company(opened_desk, tmp_path) as here:
                await here.open(main)
                (letter,) = await here.delivered(main)
                assert letter["about"]["outcome"] == outcome
                assert told in letter["text"]
                (ada,) = await here.crew.wait(main, ["Ada"], timeout_s=10)
                assert (ada.outcome, ada.status) == (outcome, "terminated")
                assert told in ada.result
                assert not here.desk.live[main].running_turn
                assert [each async for each in here.desk.told(SessionId(main)) if each.kind == "prompt"] == []
                # The letter comes first, then the metadata: it is made up for again if the desk ends in between.
                while (await here.kept(main))["Ada"] != outcome:
                    await anyio.lowlevel.checkpoint()
            assert (await at_rest(main))[0].crew["members"][0]["outcome"] == outcome
        if point == "working":
            return  # the rehearsal agent, which is retold its prompt, would do as that says
        async with company(opened_desk, tmp_path) as here:
            await here.open(main)
            await here.crew.revive(main, "Ada", f"{SAYS}five")
            (ada,) = await here.settled("Ada", by=main)
            assert (ada.outcome, ada.result) == ("succeeded", "five")


async def test_members_end_with_the_session_above_and_it_learns_of_that_when_it_is_opened_again(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            await here.spawn(SLEEPS, name="Ada")
            await here.working("Ada")
            await here.spawn("x", name="Bruno", depends_on=["Ada"])
            await here.spawn(f"{SAYS}x", name="Clara", persistent=True)
            await here.settled("Clara")
            await here.close(here.main)
            assert here.desk.live == {}
            assert await here.kept() == {"Ada": "cancelled", "Bruno": "cancelled", "Clara": "succeeded"}
            await here.open(here.main)
            letters = await here.delivered(count=3)
            told = {letter["name"]: letter["about"]["outcome"] for letter in letters}
            assert told == {"Ada": "cancelled", "Bruno": "cancelled", "Clara": "succeeded"}


async def test_members_that_are_to_go_on_alone_do_so_and_their_results_wait_for_the_parent(opened_desk, tmp_path):
    go = "import pathlib\nwhile not pathlib.Path(opening['cwd'], 'go').exists(): time.sleep(0.01)\ntell('late')"
    with anyio.fail_after(30):
        engines = {"x": scripted(prompt=go)}
        async with company(opened_desk, tmp_path, crew={"children": "orphan"}, engines=engines) as here:
            await here.spawn("x", name="Ada", engine="x")
            ada = await here.working("Ada")
            await here.close(here.main)
            assert list(here.desk.live) == [ada.session]
            over = here.crew.trees.works[ada.session].over
            (tmp_path / "go").touch()
            await over.wait()
            assert await here.kept() == {"Ada": "succeeded"}
            await here.open(here.main)
            (letter,) = await here.delivered()
            assert letter["text"] == "late"


@pytest.mark.parametrize("children", ["end", "orphan"])
async def test_when_the_desk_ends_every_member_is_settled(opened_desk, tmp_path, children):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, crew={"children": children, "max_parallel": 2}) as here:
            await here.spawn(SLEEPS, name="Ada")
            ada = await here.working("Ada")
            await here.spawn(SLEEPS, name="Bruno", by=ada.session)
            await here.working("Bruno")
            await here.spawn(SLEEPS, name="Clara")
            main = here.main
        info, pending = await at_rest(main)
        assert {each["name"]: each["outcome"] for each in info.crew["members"]} == {
            "Ada": "cancelled",
            "Clara": "cancelled",
        }
        assert len(pending) == 2
        info, _ = await at_rest(ada.session)
        assert [each["outcome"] for each in info.crew["members"]] == ["cancelled"]


async def test_a_member_that_somebody_else_ends_or_deletes_is_settled(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            await here.spawn(SLEEPS, name="Ada")
            await here.spawn(SLEEPS, name="Bruno")
            ada, bruno = await here.working("Ada"), await here.working("Bruno")
            await here.desk.live[ada.session].close()
            await here.desk.delete(bruno.session)
            assert {each.name: each.outcome for each in await here.settled("Ada", "Bruno")} == {
                "Ada": "cancelled",
                "Bruno": "cancelled",
            }
            assert await here.results(ada.session) == [("cancelled", "Somebody cancelled its turn.")]


async def test_a_member_that_is_cancelled_while_it_is_opened_is_settled(opened_desk, tmp_path):
    with anyio.fail_after(30):
        engines = {"x": scripted(new="time.sleep(600)")}
        async with company(opened_desk, tmp_path, engines=engines, limits={"close_s": 1}) as here:
            ada = await here.spawn("x", name="Ada", engine="x")
            while ada.session not in here.desk.live:
                await anyio.lowlevel.checkpoint()
            assert (await here.crew.end(here.main, "Ada")).outcome == "cancelled"
            assert await here.kept() == {"Ada": "cancelled"}


async def test_a_result_for_which_the_inbox_has_no_room_comes_when_something_was_read(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            for number in range(100):
                await here.crew.inject("", here.main, f"{number}")
            await here.spawn(f"{SAYS}four", name="Ada")
            (ada,) = await here.crew.wait("", ["Ada"], timeout_s=20)
            assert ada.result == "four"
            assert await here.kept() == {"Ada": ""}
            await here.prompt(here.main, "/echo read")
            await here.delivered()
            await here.until(lambda _: not here.crew.trees.works)
            assert await here.kept() == {"Ada": "succeeded"}


async def test_what_in_the_metadata_is_none_of_ours_is_passed_over(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            other = await here.spawn(f"{SAYS}secret", name="Ada")
            await here.settled("Ada")
            stranger = {"session": other.session, "name": "Eve", "created": "x"}
            broken = [stranger, {"session": here.main, "name": "I"}, {"session": "../x", "name": "X", "created": ""}, 7]
            await here.close(here.main)
            async with company(opened_desk, tmp_path) as there:
                main = there.main
        async with open_store(FilesOptions()) as store, store.open(SessionId(main)) as db:
            await db.put_info(replace(db.info, crew={"members": broken, "groups": [1, "team"]}))
        async with company(opened_desk, tmp_path) as here:
            await here.open(main)
            await here.until(lambda found: not found, by=main)
            assert await here.crew.members(main, "all") == []
            assert await here.crew.group(main, "list") == [("team", [])]
            assert here.desk.live[main].inbox.unread == []


async def test_a_parent_that_ends_while_its_member_is_opened_leaves_nothing_unsettled(opened_desk, tmp_path):
    with anyio.fail_after(30):
        engines = {"x": scripted(new="time.sleep(600)")}
        async with company(opened_desk, tmp_path, engines=engines, limits={"close_s": 1}) as here:
            ada = await here.spawn("x", name="Ada", engine="x")
            while ada.session not in here.desk.live:
                await anyio.lowlevel.checkpoint()
            opening = here.desk.live[ada.session]
            await here.close(here.main)
            assert await here.kept() == {"Ada": "cancelled"}
            await opening.ended.wait()


async def test_a_desk_that_is_drained_starts_nothing_more_and_what_works_may_end(opened_desk, tmp_path):
    goes = "import pathlib\nwhile not pathlib.Path(opening['cwd'], 'go').exists(): time.sleep(0.01)\ntell('late')"
    with anyio.fail_after(30):
        crew = {"max_parallel": 1}
        async with company(opened_desk, tmp_path, engines={"x": scripted(prompt=goes)}, crew=crew) as here:
            await here.spawn("x", name="Ada", engine="x")
            await here.working("Ada")
            await here.spawn("x", name="Bruno", engine="x")
            async with anyio.create_task_group() as draining:
                draining.start_soon(here.desk.drain, 20)
                while here.desk.reception.state != "draining":
                    await anyio.lowlevel.checkpoint()
                (tmp_path / "go").touch()
            main = here.main
        info, _ = await at_rest(main)
        assert {each["name"]: each["outcome"] for each in info.crew["members"]} == {
            "Ada": "succeeded",
            "Bruno": "cancelled",
        }


async def test_a_spawn_that_cannot_be_put_on_record_is_refused_and_begins_nothing(opened_desk, tmp_path, store):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, plugins=[store], store="frail") as here:
            for _ in range(2):
                full = store.fails("put_info", times=inf)
                with pytest.raises(Unavailable):
                    await here.spawn("x", name="Ada")
                full.mend()
                assert await here.crew.members(here.main, "all") == []
                await here.desk.relabel(here.main, title="x")
                assert await here.kept() == {}
            await here.spawn(f"{SAYS}x", name="Ada", persistent=True)
            assert [each.outcome for each in await here.settled("Ada")] == ["succeeded"]
            full = store.fails("put_info", times=inf)
            with pytest.raises(Unavailable):
                await here.crew.revive(here.main, "Ada", "x")
            full.mend()
            assert [(each.outcome, each.result) for each in await here.settled("Ada")] == [("succeeded", "x")]


async def test_a_result_that_the_store_took_late_is_on_record_once(opened_desk, tmp_path, store):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, plugins=[store], store="frail") as here:
            store.fails("append", kind="crew_result", times=2)
            ada = await here.spawn(f"{SAYS}one", name="Ada")
            assert [each.result for each in await here.settled("Ada")] == ["one"]
            assert await here.results(ada.session) == [("succeeded", "one")]


async def test_a_member_whose_engine_is_gone_fails_when_it_is_revived(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, engines={"x": scripted(prompt="tell('one')")}) as here:
            await here.spawn("x", name="Ada", engine="x")
            assert [each.result for each in await here.settled("Ada")] == ["one"]
            main = here.main
        async with company(opened_desk, tmp_path) as here:
            await here.open(main)
            await here.crew.revive(main, "Ada", "two")
            (ada,) = await here.settled("Ada", by=main)
            assert ada.outcome == "failed"
            assert "'x'" in ada.result


async def test_a_member_in_which_a_person_works_stays_when_its_task_is_done(opened_desk, tmp_path):
    goes = "import pathlib\nwhile not pathlib.Path(opening['cwd'], 'go').exists(): time.sleep(0.01)\ntell('late')"
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, engines={"x": scripted(prompt=goes)}) as here:
            await here.spawn("x", name="Ada", engine="x")
            ada = await here.working("Ada")
            await here.open(ada.session)
            (tmp_path / "go").touch()
            (ada,) = await here.settled("Ada")
            assert (ada.outcome, ada.status) == ("succeeded", "idle")
            await here.close(ada.session)
            assert (await here.crew.status(here.main, "Ada")).status == "terminated"


@pytest.mark.parametrize("error", [Unavailable, InboxFull])
async def test_a_result_that_cannot_be_told_is_told_later_and_no_other_task_comes_before(opened_desk, tmp_path, error):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            store, tries = here.crew.trees.ground.store, []
            put = store.put

            async def failing(*given):
                tries.append(given)
                if len(tries) < 4:
                    raise error("Not now.")
                return await put(*given)

            store.put = failing
            await here.spawn(f"{SAYS}four", name="Ada", persistent=True)
            await here.settled("Ada", by="")
            assert await refusal(here.crew.revive(here.main, "Ada", "x")) == "working"
            if error is Unavailable:
                (letter,) = await here.delivered()
                assert letter["text"] == "four"
                assert len(tries) == 4
