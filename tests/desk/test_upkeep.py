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
