"""What a person does about old sessions: see what would go, let it go, look into the trash, and get one back."""

import json
import re
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from click.testing import CliRunner

from kiro_core.cli.sessions import sessions
from kiro_core.testing.store_samples import session
from kiro_files import FilesOptions, open_store


def ago(**time):
    return (datetime.now(UTC) - timedelta(**time)).isoformat(timespec="seconds").replace("+00:00", "Z")


@pytest.fixture
def recorded(home):
    """Put sessions with a record into the store, each with those fields; their ids."""

    def record(*wanted):
        infos = [session(**{"updated": ago(days=40), "title": "Old one"} | fields) for fields in wanted]

        async def create():
            async with open_store(FilesOptions()) as store:
                for info in infos:
                    async with store.create(info) as db:
                        await db.append([b'{"at":"2025-01-01T00:00:00Z","kind":"odd","n":1}'])

        anyio.run(create)
        return [info.id for info in infos]

    return record


@pytest.fixture
def listed(kiro):
    def listing(*options):
        return {info["id"] for info in json.loads(kiro("sessions", "list", "--json", *options).stdout)}

    return listing


def test_what_would_go_is_told_and_stays_until_it_goes_and_comes_back(kiro, recorded, listed):
    old, named, new = recorded({}, {"name": "nightly"}, {"updated": ago(days=1)})
    told = kiro("sessions", "prune", "--older-than", "30d", "--dry-run")
    assert told.returncode == 0
    assert f"{old}: Old one, last used {ago(days=40)[:10]}: to the trash\n" in told.stdout
    assert f"{named}: nightly, last used" in told.stdout
    assert new not in told.stdout
    assert told.stderr.startswith("Would go: 2 sessions to the trash.\n`kiro-core sessions restore ID` gets one back")
    assert listed() == {old, named, new}
    done = kiro("sessions", "prune", "--older-than", "4w", "--yes")
    assert (done.returncode, done.stdout) == (0, told.stdout)
    assert done.stderr.startswith("Gone: 2 sessions to the trash.\n")
    (until,) = re.findall(r"until (\S+) at least", done.stderr)
    left = datetime.fromisoformat(until) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    assert (listed(), listed("--trash")) == ({new}, {old, named})
    back = kiro("sessions", "restore", old[:8], named)
    assert (back.returncode, back.stdout, back.stderr) == (0, "", f"{old}: restored\n{named}: restored\n")
    assert (listed(), listed("--trash")) == ({old, named, new}, set())
    again = kiro("sessions", "prune", "--older-than", "30d", "--yes")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "Gone: none.\n")


def test_rules_narrow_each_other(kiro, recorded, listed, tmp_path):
    here = str(tmp_path)
    _, there, *_ = recorded(
        {"cwd": here, "tags": ("draft",)},
        {"cwd": here, "tags": ("draft",), "updated": ago(days=41)},
        {"cwd": here, "updated": ago(days=42)},
        {"cwd": "/", "tags": ("draft",), "updated": ago(days=43)},
    )
    rule = ("--older-than", "30d", "--keep", "1", "--tag", "draft", "--cwd", here)
    told = kiro("sessions", "prune", *rule, "--yes", "--json", "--set", "retention.trash_days=3")
    assert told.returncode == 0
    (pruned,) = json.loads(told.stdout)
    assert datetime.fromisoformat(pruned.pop("until")) > datetime.now(UTC) + timedelta(days=2)
    assert pruned == {
        "session": there,
        "outcome": "trashed",
        "updated": pruned["updated"],
        "cwd": here,
        "name": "",
        "title": "Old one",
        "reason": "",
    }
    assert listed("--trash") == {there}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "Say which sessions are to go: --older-than AGE, --keep N, or --tag TAG."),
        (("--cwd", "/", "--yes"), "Say which sessions are to go"),
        (("--keep", "3"), "Nobody is at a terminal who could be asked: say --yes to prune without a question"),
        (("--keep", "0", "--yes"), "0 is not in the range x>=1"),
        (("--tag", "", "--yes"), "it is empty"),
    ],
    ids=str,
)
def test_what_makes_no_rule_is_wrong_usage(kiro, recorded, listed, arguments, reason):
    (id_,) = recorded({})
    told = kiro("sessions", "prune", *arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert reason in " ".join(told.stderr.split())
    assert listed() == {id_}


@pytest.mark.parametrize("age", ["30", "0d", "1m", "-1d", "1.5d", "٣d", "100000d", "30 d", ""])
def test_what_is_no_age_is_refused_with_what_to_write(age):
    told = CliRunner().invoke(sessions, ["prune", "--older-than", age, "--yes"])
    assert told.exit_code == 2
    words = " ".join(told.stderr.split())
    assert f"{age!r} is no length of time. Write a number from 1 to 99999, and behind it h" in words
    assert "such as 30d." in words


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 5), ("no\n", 5), ("\x04", 5)])
def test_a_person_is_asked_about_all_that_goes(terminal, recorded, listed, answer, code):
    old, due, new = recorded({}, {"trashed": ago(days=8)}, {"updated": ago(hours=1)})
    shell = terminal("sessions", "prune", "--older-than", "30d")
    shell.expect("Put 1 session into the trash and delete 1 session for good? [y/N] ")
    assert f"{old}: Old one, last used {ago(days=40)[:10]}: to the trash" in shell.shown
    assert f"{due}: Old one, last used {ago(days=40)[:10]}: deleted for good" in shell.shown
    assert new not in shell.shown
    shell.type(answer)
    assert shell.ended() == code
    assert ("Nothing was pruned." in shell.shown) is bool(code)
    assert (listed(), listed("--trash")) == (({new}, {old}) if code == 0 else ({old, new}, {due}))


def test_nobody_is_asked_about_nothing(terminal, recorded):
    recorded({"updated": ago(hours=1)})
    shell = terminal("sessions", "prune", "--older-than", "1d")
    assert shell.ended() == 0
    assert "Gone: none." in shell.shown


def test_what_cannot_be_read_or_is_held_stays_and_is_told(kiro, recorded, home):
    bad, held = recorded({}, {})
    (home / "sessions" / "core" / f"{bad}.json").write_text("{")

    async def pruned():
        async with open_store(FilesOptions()) as store, store.open(held):
            return await anyio.to_thread.run_sync(lambda: kiro("sessions", "prune", "--older-than", "1d", "--yes"))

    told = anyio.run(pruned)
    assert (told.returncode, told.stdout) == (0, "")
    assert f"{bad}: stays. Its metadata cannot be read.\n" in told.stderr
    assert f"{held}: stays. The session {held} is held by" in told.stderr
    assert told.stderr.endswith("Gone: none.\n")


def test_a_store_that_cannot_write_is_a_failure(kiro, recorded, home):
    (id_,) = recorded({})
    lock = home / "sessions" / "core" / f"{id_}.lock"
    lock.unlink()
    lock.mkdir()
    told = kiro("sessions", "prune", "--older-than", "1d", "--yes")
    assert told.returncode == 1
    assert f"{id_}: stays. The session {id_} could not be opened" in told.stderr


def test_what_is_in_the_trash_is_found_there_only(kiro, recorded, tmp_path):
    gone, kept = recorded({"trashed": ago(days=1), "cwd": str(tmp_path), "name": "nightly", "agent_session": "x"}, {})
    for command in (("show", gone), ("rename", gone, "T")):
        told = kiro("sessions", *command)
        assert told.returncode == 1
        assert f"The session {gone} is in the trash." in told.stderr
        assert f"`kiro-core sessions restore {gone}` gets it back." in told.stderr
    told = kiro("run", "--engine", "mem", "--session", gone, "hello")
    assert (told.returncode, told.stdout) == (1, "")
    assert "is in the trash" in told.stderr
    for command in (("sessions", "show", gone[:8]), ("sessions", "verify", gone[:8]), ("run", "--last", "hello")):
        told = kiro(*command)
        assert told.returncode == 1
        assert "No session has an id" in told.stderr or "There is no session yet" in told.stderr
    assert "--trash" in kiro("sessions", "show", gone[:8]).stderr
    assert kiro("sessions", "verify").stderr.startswith("2 sessions checked")
    head, row = kiro("sessions", "list", "--trash").stdout.splitlines()
    assert head.split()[:3] == ["session", "updated", "trashed"]
    assert row.startswith(gone)
    assert "trashed" not in kiro("sessions", "list").stdout
    told = kiro("run", "--engine", "mem", "--output", "json", "-s", "nightly", "hello")
    assert json.loads(told.stdout)["sessionId"] not in (gone, kept)


def test_a_name_that_was_given_away_is_told(kiro, recorded):
    gone, _ = recorded({"trashed": ago(days=1), "name": "nightly"}, {"name": "nightly"})
    told = kiro("sessions", "restore", gone)
    assert told.returncode == 0
    assert told.stderr == f"{gone}: restored, without its name 'nightly', which another session of its folder has now\n"


def test_what_is_not_in_the_trash_is_told(kiro, recorded):
    (kept,) = recorded({})
    told = kiro("sessions", "restore", kept)
    assert (told.returncode, told.stderr) == (0, f"{kept}: was not in the trash\n")
    for unknown in (kept[:8], "00000000-0000-4000-8000-000000000000"):
        told = kiro("sessions", "restore", unknown)
        assert told.returncode == 1
        assert "No session has" in told.stderr


def test_a_session_is_deleted_out_of_the_trash(kiro, recorded, listed):
    gone, kept, other = recorded({"trashed": ago(days=1)}, {}, {"trashed": ago(days=1)})
    told = kiro("sessions", "delete", gone[:8], kept[:8], "--yes")
    assert told.stderr == f"{gone}: deleted\n{kept}: deleted\n"
    assert kiro("sessions", "delete", other, "--yes").returncode == 0
    assert (listed(), listed("--trash")) == (set(), set())


def test_the_shell_offers_what_is_in_the_trash_where_it_is_restored(kiro, recorded, environment, tmp_path):
    gone, kept = recorded({"trashed": ago(days=1)}, {})
    completing = {"_KIRO_CORE_COMPLETE": "bash_complete", "COMP_CWORD": "3"}
    for command, offered in (("restore", gone), ("show", kept)):
        environment |= {**completing, "COMP_WORDS": f"kiro-core sessions {command} "}
        assert [line.partition(",")[2] for line in kiro().stdout.splitlines()] == [offered]
