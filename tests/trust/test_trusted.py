"""The file of the trusted folders: who may have written it, what becomes of it, and who waits for whom."""

import fcntl
import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from kiro_core.errors import RecordInvalid, Unavailable
from kiro_core.trust import Document, Trust, locking

A = Document("/project", "/project/a.json", "aa")
B = Document("/project", "/project/b.json", "bb")


def test_nobody_is_trusted_where_nothing_was_granted(trust, home):
    assert not trust.trusted(A)
    assert (trust.all(), trust.problem()) == ({}, None)
    assert not home.exists()


def test_what_was_granted_is_remembered_in_a_file_that_only_the_user_can_write(trust, home):
    trust.grant("/project", [A])
    trust.grant("/project", [B])
    trust.grant("/other", [])
    assert [Trust(home).trusted(document) for document in (A, B)] == [True, True]
    assert json.loads(trust.path.read_text()) == {
        "format": 1,
        "folders": {"/project": {"/project/a.json": "aa", "/project/b.json": "bb"}, "/other": {}},
    }
    assert stat.S_IMODE(trust.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_only_these_bytes_at_this_place_for_this_folder_are_trusted(trust):
    trust.grant("/project", [A])
    for other in (Document("/project/sub", A.origin, "aa"), Document("/project", B.origin, "aa")):
        assert not trust.trusted(other)
    assert not trust.trusted(Document("/project", A.origin, "ab"))


def test_a_newer_consent_takes_the_place_of_the_one_to_the_same_file(trust):
    trust.grant("/project", [A])
    trust.grant("/project", [Document("/project", A.origin, "new")])
    assert trust.all() == {"/project": {A.origin: "new"}}


def test_an_origin_that_is_no_path_is_kept_as_it_is(trust):
    team = Document("/project", "https://team.example/review", "aa")
    trust.grant("/project", [team])
    assert trust.trusted(team)


DAMAGED = [
    "",
    "{",
    "[]",
    '{"folders": []}',
    '{"folders": {"/project": "aa"}}',
    '{"format": 2, "folders": {}}',
    "[" * 9999,
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_trusts_nobody_and_is_left_as_it_is(trust, content):
    trust.grant("/project", [A])
    trust.path.write_text(content)
    assert not trust.trusted(A)
    assert trust.all() == {}
    assert str(trust.problem()).startswith(f"{trust.path}: ")
    for change in (lambda: trust.grant("/project", [A]), lambda: trust.withdraw("/project")):
        with pytest.raises(RecordInvalid, match="The file of the trusted folders") as caught:
            change()
        assert "kiro-core trust" in caught.value.hint
    assert trust.path.read_text() == content


def test_bytes_that_are_no_text_trust_nobody(trust):
    trust.grant("/project", [A])
    trust.path.write_bytes(b'{"folders": {"\xff": {}}}')
    assert not trust.trusted(A)
    assert trust.problem() is not None


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_trusts_nobody(trust, mode):
    trust.grant("/project", [A])
    trust.path.chmod(mode)
    assert not trust.trusted(A)
    assert "could have been written by somebody else" in str(trust.problem())
    trust.path.chmod(0o644)
    assert trust.trusted(A)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_trusts_nobody_and_stops_nobody(trust, home, make):
    home.mkdir()
    make(trust.path)
    assert not trust.trusted(A)
    assert "is not a regular file" in str(trust.problem())


def test_one_that_cannot_be_written_is_told(trust, home):
    home.parent.joinpath(".kiro").touch()
    with pytest.raises(Unavailable, match="cannot be locked"):
        trust.grant("/project", [A])


def test_consents_at_the_same_moment_all_count(home):
    documents = [Document("/project", f"/project/{number}.json", str(number)) for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda document: Trust(home).grant("/project", [document]), documents))
    assert len(Trust(home).all()["/project"]) == 40


def test_who_holds_the_lock_for_ever_is_not_waited_for(trust, home, monkeypatch):
    monkeypatch.setattr(locking, "LIMIT_S", 0.05)
    home.mkdir()
    code = (
        "import fcntl, sys\nfile = open(sys.argv[1], 'w')\nfcntl.flock(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\nsys.stdin.read()"
    )
    argv = [sys.executable, "-c", code, trust.path.with_suffix(".lock")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Unavailable, match=r"is locked for longer than 0.05 s") as caught:
            trust.grant("/project", [A])
        assert "try again" in caught.value.hint
        holder.communicate(timeout=30)
    trust.grant("/project", [A])
    assert trust.trusted(A)


def test_the_lock_is_free_again_whatever_happens(trust, home):
    home.mkdir()
    trust.path.write_text("{")
    with pytest.raises(RecordInvalid):
        trust.grant("/project", [A])
    with trust.path.with_suffix(".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
