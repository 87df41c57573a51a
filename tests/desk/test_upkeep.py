"""What a desk does for a person who has to see to the record: check it, mend it, take it from who holds it."""

import anyio
import pytest

from kiro_core.errors import Held, SessionNotFound
from kiro_core.testing import RecordingClient
from kiro_core.testing.store_samples import session


async def test_a_session_that_is_live_here_is_checked_and_not_mended_or_taken(opened_desk, home):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            id_ = await office.start()
            await office.prompt(id_, "hello")
            assert (await office.desk.verify(id_)).sound
            log = home / "sessions" / "core" / f"{id_}.jsonl"
            log.write_bytes(log.read_bytes().replace(b'"kind":"prompt"', b'"kind":#prompt"'))
            assert [finding.kind for finding in (await office.desk.verify(id_)).findings] == ["damaged"]
            for refused in (
                office.desk.verify(id_, repair=True),
                office.desk.take_over(id_),
                office.desk.take_over(id_, force=True),
            ):
                with pytest.raises(Held):
                    await refused
            await office.close(id_)
            assert (await office.desk.verify(id_, repair=True)).repaired
            assert [item.kind for item in await office.entries(id_, "gap", "closed")] == ["gap", "closed"]


async def test_what_nobody_holds_is_nobodys_to_take(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            id_ = await office.start()
            await office.close(id_)
            for force in (False, True):
                assert await office.desk.take_over(id_, force=force) == {}
            assert not await office.entries(id_, "taken_over")
            with pytest.raises(SessionNotFound):
                await office.desk.take_over(session().id, force=True)


def stored(home, session, kind):
    return home / "sessions" / "core" / f"{session}.{kind}"


async def test_metadata_that_are_made_anew_have_what_the_log_says(opened_desk, home):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.prompt(session, "hello there")
            await office.close(session)
            before = await office.desk.info(session)
            stored(home, session, "json").write_text("{")
            assert (await office.desk.verify(session, repair=True)).repaired
            after = await office.desk.info(session)
            fields = ("cwd", "agent", "engine", "title")
            assert [getattr(after, name) for name in fields] == [getattr(before, name) for name in fields]
            await office.load(session)
            assert not (await office.prompt(session, "again")).failed


@pytest.mark.parametrize("left", [0, 2], ids=["none", "the first records"])
async def test_a_log_whose_end_is_missing_is_found_and_told_once(opened_desk, home, left):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await office.close(session)
            await office.load(session)
            await office.close(session)
            log = stored(home, session, "jsonl")
            log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:left]))
            (finding,) = (await office.desk.verify(session)).findings
            assert (finding.kind, finding.first) == ("gap", left + 1)
            for _ in range(2):
                await office.load(session)
                notices = [e.value["notice"] for e in await office.entries(session, "notice")]
                assert notices.count("record_shortened") == 1
                await office.close(session)
