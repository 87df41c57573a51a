"""A store in files refuses to write where locks are worth nothing, and says what can be done."""

import json
import subprocess
import sys

import anyio
import pytest

from kiro_core.errors import Unavailable
from kiro_core.processes import boot_id
from kiro_core.testing.store_samples import stored
from kiro_core.types import SessionQuery
from kiro_files import probing

TRY = """
import sys
import anyio
from kiro_core.errors import KiroError
from kiro_core.testing.store_samples import session
from kiro_files import FilesOptions, open_store

async def main(root):
    async with open_store(FilesOptions(root=root)) as store:
        try:
            async with store.create(session()) as db:
                await db.append([b"{}"])
                print("written")
        except KiroError as error:
            print(error.code, error, error.hint)

anyio.run(main, sys.argv[1])
"""

GRANTED_TO_ALL = "import fcntl; fcntl.flock = lambda fd, operation: None\n"

UNKNOWN = """
import errno, fcntl, os
def flock(fd, operation):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
fcntl.flock = flock
"""

WITHIN_THE_PROCESS = """
import fcntl, os
locked = {}
def flock(fd, operation):
    file = os.fstat(fd).st_ino
    if locked.setdefault(file, fd) != fd:
        raise BlockingIOError
fcntl.flock = flock
"""


def tried(root, system=""):
    """What a process is told that writes the first session of a folder, on a file system of that kind."""
    command = [sys.executable, "-c", system + TRY, str(root)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


@pytest.mark.parametrize("system", [GRANTED_TO_ALL, UNKNOWN, WITHIN_THE_PROCESS])
def test_a_file_system_without_locks_is_refused_with_the_options_that_remain(root, system):
    told = tried(root, system)
    assert told.startswith(f"STORE_UNAVAILABLE The file system of {root} does not keep its locks")
    assert "store.root" in told
    assert not list(root.iterdir())
    assert tried(root) == "written"


async def test_nothing_that_only_reads_asks_for_locks(store, root):
    info = await stored(store)
    (root / ".locks").unlink()
    code = UNKNOWN + TRY.replace("store.create(session()) as db", "store.open(sys.argv[2]) as db").replace(
        "        try:",
        "        await store.get(sys.argv[2]), await store.verify(sys.argv[2])\n"
        "        [print(record) async for record in store.read(sys.argv[2])]\n        try:",
    )
    with anyio.fail_after(60):
        told = await anyio.run_process([sys.executable, "-c", code, str(root), info.id])
    assert told.stdout.startswith(b"STORE_UNAVAILABLE")
    assert (await store.list(SessionQuery())).items == [info]


async def test_another_process_is_tried_once_a_boot_and_device(store, root, monkeypatch):
    tries = []
    other = probing._other_is_refused
    monkeypatch.setattr(probing, "_other_is_refused", lambda name: tries.append(name) or other(name))
    monkeypatch.setattr(probing, "_devices", set())
    await stored(store)
    assert len(tries) == 1
    proof = json.loads((root / ".locks").read_bytes())
    assert proof == {"boot": boot_id(), "device": root.stat().st_dev}
    for content, more in ((None, 1), (b"{", 2), (json.dumps({**proof, "boot": "before"}).encode(), 3)):
        monkeypatch.setattr(probing, "_devices", set())
        monkeypatch.setattr(probing, "_folders", set())
        if content is not None:
            (root / ".locks").write_bytes(content)
        await stored(store)
        await stored(store)
        assert len(tries) == more


@pytest.mark.parametrize(
    ("child", "words"), [("raise SystemExit(9)", "status 9"), ("import os; os.abort()", "status -6")]
)
async def test_locks_that_cannot_be_tried_are_not_trusted(store, root, monkeypatch, child, words):
    monkeypatch.setattr(probing, "_devices", set())
    monkeypatch.setattr(probing, "_CHILD", child)
    with pytest.raises(Unavailable, match=words):
        await stored(store)
    assert not list(root.iterdir())
