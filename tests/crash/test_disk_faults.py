"""A disk that fails and recovers: who writes is told, nothing acknowledged is lost, and then it goes on.

No fault needs a privilege, and each is true for root as well: a limit on the size of files, a full device, and a
descriptor that takes nothing.
"""

import resource
from pathlib import Path

import pytest
from crashing.editor import Editor
from crashing.faults import BrokenLog, Descriptor, Limit
from crashing.place import Place
from crashing.raw_log import read_log
from crashing.record import Conversation

from kiro_core.errors import Unavailable
from kiro_core.testing.store_samples import records, session, stored
from kiro_files import FilesOptions, open_store

_LACKS_FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
DESCRIPTORS = [pytest.param("/dev/full", id="full", marks=_LACKS_FULL), pytest.param("/dev/null", id="read-only")]
"""What stands behind the log's descriptor: a device that is always full, and one opened for reading only."""

_LACKS_PRLIMIT = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of others cannot be set here")


@pytest.fixture
async def store(tmp_path):
    async with open_store(FilesOptions(root=tmp_path)) as store:
        yield store


@pytest.mark.parametrize("other", DESCRIPTORS)
async def test_a_batch_that_the_disk_refuses_may_be_repeated_when_it_takes_it(store, tmp_path, other):
    info, broken = session(), BrokenLog()
    log = tmp_path / f"{info.id}.jsonl"
    async with store.create(info) as db:
        await db.append([b'{"n":1}'])
        await db.commit()
        broken.replace(log, other)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await db.append([b'{"n":2}', b'{"n":3}'])
        assert len(await records(store, info.id)) == 1
        broken.mend()
        assert await db.append([b'{"n":2}', b'{"n":3}']) == 3
        await db.commit()
    assert [line.body["n"] for line in read_log(log).lines] == [1, 2, 3]
    assert read_log(log).faults == []


async def test_what_was_appended_before_a_flush_failed_is_there_for_the_next_owner(store, tmp_path):
    info, broken = await stored(store), BrokenLog()
    log = tmp_path / f"{info.id}.jsonl"
    async with store.open(info.id) as db:
        await db.append([b'{"n":1}'])
        broken.replace(log, "/dev/null")
        with pytest.raises(Unavailable):
            await db.commit()
        broken.mend()
    async with store.open(info.id) as db:
        assert await db.append([b'{"n":2}']) == 2
        await db.commit()
    assert [line.body["n"] for line in read_log(log).lines] == [1, 2]


@pytest.fixture(params=[pytest.param("", id="limit", marks=_LACKS_PRLIMIT), *DESCRIPTORS])
def fault(request):
    fault = Descriptor(request.param) if request.param else Limit()
    yield fault
    fault.close()


def test_a_desk_tells_of_a_disk_that_fails_loses_nothing_and_goes_on_when_it_recovers(tmp_path, fault):
    place = Place(tmp_path / "place", "disk")
    with Editor(place, fault.program, **fault.started) as editor:
        editor.result("initialize", protocolVersion=1)
        name = editor.result("session/new", cwd=editor.cwd, mcpServers=[])["sessionId"]
        editor.prompt(name, "/flood 100 40", "before")
        assert "result" in editor.answered("before")
        editor.patient = True
        editor.prompt(name, "/permission go\n/flood 100 40", "running")
        editor.until(lambda: editor.questions)
        editor.prompt(name, "/echo never", "waiting")
        fault.strike(editor, place.log(name))
        editor.agree()
        for turn in ("running", "waiting"):
            assert _code(editor.answered(turn)) == "STORE_UNAVAILABLE"
        editor.prompt(name, "/echo never", "refused")
        assert _code(editor.answered("refused")) == "STORE_UNAVAILABLE"
        fault.mend(editor)
        editor.prompt(name, "/echo after", "after")
        assert editor.answered("after")["result"]["stopReason"] == "end_turn"
        editor.hang_up()
        assert editor.status() == 0
    log = read_log(place.log(name))
    assert log.faults == []
    record = Conversation(log.lines)
    assert record.lacks(editor.shown) == record.doubled == []
    assert record.said[-1] == "after"
    assert "never" not in record.said
    assert len(record.prompts) == len(record.ends)


def _code(answer):
    return answer["error"]["data"]["code"]
