"""What a person does with sessions that are damaged, or held by a process that does not let go."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import anyio
import pytest

from kiro_core.testing.store_samples import session
from kiro_files import FilesOptions, open_store

HOLDING = """
import sys
import anyio
from kiro_files import FilesOptions, open_store

async def main():
    async with open_store(FilesOptions()) as store, store.open(sys.argv[1]):
        print("held", flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


@pytest.fixture
def recorded(home):
    """Put a session with three records into the store; its id."""

    def record(**fields):
        info = session(**fields)

        async def create():
            async with open_store(FilesOptions()) as store, store.create(info) as db:
                for number in range(3):
                    await db.append([b'{"at":"2025-01-01T00:00:00Z","kind":"odd","n":%d}' % number])

        anyio.run(create)
        return info.id

    return record


@pytest.fixture
def spoil(home):
    """Damage the second record of a session, or all of another of its files."""

    def damage(id_, kind="jsonl"):
        path = home / "sessions" / "core" / f"{id_}.{kind}"
        text = path.read_bytes()
        path.write_bytes(text.replace(b'"n":1', b'"n":#') if kind == "jsonl" else b"{")

    return damage


@contextmanager
def held(id_, environment):
    """A process that holds a session."""
    process = subprocess.Popen([sys.executable, "-c", HOLDING, id_], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_sessions_in_order_are_told_so(kiro, recorded):
    id_ = recorded()
    one = kiro("sessions", "verify", id_[:8])
    assert (one.returncode, one.stdout) == (0, f"{id_}: in order, 3 records\n")
    every = kiro("sessions", "verify")
    assert (every.returncode, every.stdout) == (0, "")
    assert every.stderr == "1 session checked, none with something to tell\n"


def test_damage_is_told_mended_and_then_a_gap(kiro, recorded, spoil, home):
    bad, _ = recorded(), recorded()
    spoil(bad)
    for which in ((), (bad[:8],)):
        told = kiro("sessions", "verify", *which)
        assert told.returncode == 1
        assert told.stdout.startswith(f"{bad}: ")
        assert "damaged, with record 2." in told.stdout
        assert f"`kiro-core sessions verify {bad} --repair` mends it." in told.stderr
    mended = kiro("sessions", "verify", "--repair")
    assert (mended.returncode, mended.stdout.endswith("It is mended.\n")) == (0, True)
    after = kiro("sessions", "verify", bad)
    assert after.returncode == 0
    assert after.stdout == f"{bad}: Record 2 is lost for good; what was left of it is in {bad}.damaged.\n"
    assert (home / "sessions" / "core" / f"{bad}.damaged").exists()


def test_reports_are_json_for_a_program(kiro, recorded, spoil):
    id_ = recorded()
    spoil(id_)
    told = kiro("sessions", "verify", "--json")
    assert told.returncode == 1
    (report,) = json.loads(told.stdout)
    (finding,) = report.pop("findings")
    assert report == {"session": id_, "records": 2, "head": 3, "repaired": False}
    assert (finding["kind"], finding["first"], finding["last"]) == ("damaged", 2, 2)
    (mended,) = json.loads(kiro("sessions", "verify", "--json", "--repair", id_).stdout)
    assert mended["repaired"]


def test_a_session_that_cannot_be_read_is_missed_in_the_listing_and_can_be_mended(kiro, recorded, spoil):
    good, bad = recorded(), recorded(title="lost")
    spoil(bad, "json")
    listed = kiro("sessions", "list")
    assert listed.returncode == 0
    assert good in listed.stdout
    assert bad not in listed.stdout
    assert listed.stderr == "Left out: one session that cannot be read; `kiro-core sessions verify` tells why.\n"
    for which in ((), (bad,), (bad[:8],)):
        assert f"The metadata of the session {bad} is damaged" in kiro("sessions", "verify", *which).stdout
    assert kiro("sessions", "verify", bad[:8], "--repair").returncode == 0
    assert bad in kiro("sessions", "list").stdout


def test_what_is_held_is_checked_and_not_mended(kiro, recorded, spoil, environment):
    id_, other = recorded(), recorded()
    with held(id_, environment) as process:
        spoil(id_)
        spoil(other)
        told = kiro("sessions", "verify", "--repair")
        assert told.returncode == 1
        assert f"The session {id_} is held by" in told.stderr
        assert f"pid {process.pid}" in told.stderr
    assert kiro("sessions", "verify", other).returncode == 0
    assert kiro("sessions", "verify", id_).returncode == 1


def test_an_unknown_session_cannot_be_checked_or_freed(kiro, recorded):
    recorded()
    for command in ("verify", "takeover"):
        for unknown in ("0000", "00000000-0000-4000-8000-000000000000"):
            told = kiro("sessions", command, unknown)
            assert told.returncode == 1
            assert "No session has" in told.stderr


def test_who_holds_a_session_is_told_and_ended_only_by_force(kiro, recorded, environment):
    id_ = recorded()
    with held(id_, environment) as process:
        told = kiro("sessions", "takeover", id_[:8])
        assert told.returncode == 1
        assert f"The session {id_} is held by" in told.stderr
        assert f"pid {process.pid}" in told.stderr
        assert f"`kiro-core sessions takeover {id_} --force` ends it, with all its sessions." in told.stderr
        told = kiro("sessions", "takeover", id_[:8], "--json")
        assert told.returncode == 1
        held_by = json.loads(told.stdout)
        assert (held_by["held"], held_by["owner"]["pid"]) == (True, process.pid)
        assert process.poll() is None
        done = kiro("sessions", "takeover", id_[:8], "--force", "--json")
        assert done.returncode == 0
        assert f"pid {process.pid}" in done.stderr
        taken = json.loads(done.stdout)
        assert (taken["session"], taken["owner"]["pid"]) == (id_, process.pid)
        assert process.wait(30) == -signal.SIGTERM
    *_, record = json.loads(kiro("sessions", "show", id_, "--json").stdout)["records"]
    assert (record["kind"], record["data"]["owner"]) == ("taken_over", taken["owner"])


@pytest.mark.parametrize("options", [(), ("--force",)])
def test_a_session_that_nobody_holds_is_free_already(kiro, recorded, options):
    id_ = recorded()
    told = kiro("sessions", "takeover", id_, *options)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", f"{id_}: nobody holds it\n")
    told = kiro("sessions", "takeover", id_, *options, "--json")
    assert json.loads(told.stdout) == {"session": id_, "owner": {}, "held": False}
    assert len(json.loads(kiro("sessions", "show", id_, "--json").stdout)["records"]) == 3
