"""What a person does with recorded sessions: find them by what they are called, delete them, carry them elsewhere."""

import json
import os
import pty
import select
import signal
import stat
import subprocess
import tarfile
from contextlib import suppress

import anyio
import pytest
import warm

from kiro_core.testing.store_samples import session
from kiro_files import FilesOptions, open_store


@pytest.fixture
def recorded(home):
    """Put a session with two records into the store; its id."""

    def record(**fields):
        info = session(**fields)

        async def create():
            async with open_store(FilesOptions()) as store, store.create(info) as db:
                await db.append([b'{"at":"2025-01-01T00:00:00Z","kind":"odd","n":1}', b'{"at":"","kind":"odd","n":2}'])

        anyio.run(create)
        return info.id

    return record


@pytest.fixture
def listed(kiro):
    """What `sessions list --json` shows, by the sessions' ids."""

    def listing(*options):
        return {info["id"]: info for info in json.loads(kiro("sessions", "list", "--json", *options).stdout)}

    return listing


@pytest.fixture
def at_terminal(environment, tmp_path):
    """Run a command on a pseudo-terminal, do something when `text` is shown: its exit code, and all that it showed."""

    def run(*arguments, text, then):
        ours, theirs = pty.openpty()
        process = warm.start(
            [warm.PROGRAM, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environment
        )
        os.close(theirs)
        shown, done = b"", False
        try:
            while select.select([ours], [], [], 30)[0]:
                with suppress(OSError):  # Linux says so when nobody has the other side open
                    chunk = os.read(ours, 65536)
                    shown += chunk
                    if chunk:
                        if text.encode() in shown and not done:
                            done = True
                            then(ours, process)
                        continue
                break
            return process.wait(30), shown.decode()
        finally:
            process.kill()
            process.wait()
            os.close(ours)

    return run


def typing(text):
    return lambda terminal, _: os.write(terminal, text.encode())


def files_of(home):
    return sorted(path.name for path in (home / "sessions" / "core").glob("[!.]*"))


def test_a_session_gets_a_title_that_is_listed_and_shown(kiro, recorded, listed):
    id_ = recorded(title="first")
    told = kiro("sessions", "rename", id_[:8], "Parser   rewrite\n")
    assert (told.returncode, told.stdout, told.stderr) == (0, "", f"{id_}: Parser rewrite\n")
    assert listed()[id_]["title"] == "Parser rewrite"
    assert listed()[id_]["titled"] is True
    assert "title: Parser rewrite\n" in kiro("sessions", "show", id_).stdout
    kiro("sessions", "rename", id_, "")
    assert (listed()[id_]["title"], listed()[id_]["titled"]) == ("", False)


def test_a_name_belongs_to_one_session_of_a_folder(kiro, recorded, listed):
    first, second, elsewhere = recorded(), recorded(), recorded(cwd="/srv")
    assert kiro("sessions", "rename", first, "--name", "nightly").returncode == 0
    assert kiro("sessions", "rename", elsewhere, "--name", "nightly").returncode == 0
    refused = kiro("sessions", "rename", second, "--name", "nightly")
    assert refused.returncode == 1
    assert f"The session {first} of the same folder is called 'nightly' already." in refused.stderr
    assert {id_: info["name"] for id_, info in listed().items()} == {first: "nightly", second: "", elsewhere: "nightly"}
    assert kiro("sessions", "rename", first, "--name", "nightly", "again").returncode == 0, "it is its own name"
    assert kiro("sessions", "rename", first, "--name", "").returncode == 0
    assert kiro("sessions", "rename", second, "--name", "nightly").returncode == 0


def test_what_a_session_is_called_does_not_change_when_it_was_last_used(kiro, recorded, listed):
    old, new = recorded(updated="2024-01-01T00:00:00Z"), recorded(updated="2025-01-01T00:00:00Z")
    kiro("sessions", "rename", old, "Old")
    kiro("sessions", "tag", old, "--add", "old")
    assert list(listed()) == [new, old]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("rename", "ID"), "There is nothing to change"),
        (("tag", "ID"), "There is nothing to change"),
        (("tag", "ID", "--add", "x", "--remove", "x"), "What is to happen to x?"),
        (("delete",), "Missing argument 'ID...'"),
        (("import", "nowhere.tar"), "File 'nowhere.tar' does not exist"),
        (("list", "--tag", ""), "it is empty"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(kiro, arguments, reason):
    told = kiro("sessions", *arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert reason in told.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("rename", "{}", "x" * 151), "The title has 151 characters; 150 are allowed."),
        (("rename", "{}", "--name", "a\x1bb"), "has control characters"),
        (("tag", "{}", "--add", "two words"), "'two words' is no tag."),
        (("tag", "{}", "--add", ""), "'' is no tag."),
    ],
)
def test_a_label_that_cannot_be_given_is_named(kiro, recorded, listed, arguments, reason):
    id_ = recorded(title="T")
    told = kiro("sessions", *(argument.replace("{}", id_) for argument in arguments))
    assert told.returncode == 1
    assert reason in told.stderr
    assert (listed()[id_]["title"], listed()[id_]["name"], listed()[id_]["tags"]) == ("T", "", [])


def test_tags_come_and_go_and_sessions_are_listed_by_them(kiro, recorded, listed):
    first, second = recorded(title="one"), recorded(title="two")
    told = kiro("sessions", "tag", first[:8], "--add", "urgent", "--add", "review")
    assert (told.returncode, told.stderr) == (0, f"{first}: review urgent\n")
    kiro("sessions", "tag", second, "--add", "review")
    kiro("sessions", "tag", first, "--remove", "urgent", "--remove", "never", "--add", "größe")
    assert listed()[first]["tags"] == ["größe", "review"]
    assert set(listed("--tag", "review")) == {first, second}
    assert set(listed("--tag", "größe")) == {first}
    assert not listed("--tag", "urgent")


def test_a_listing_says_where_there_is_more(kiro, recorded):
    recorded(title="T")
    assert kiro("sessions", "list", "--limit", "1").stderr == ""
    recorded(title="U")
    assert (
        kiro("sessions", "list", "--limit", "1").stderr == "There are more than 1; --limit says how many are shown.\n"
    )


def test_a_listing_has_columns_for_names_and_tags_where_there_are_any(kiro, recorded):
    id_ = recorded(title="T")
    assert kiro("sessions", "list").stdout.splitlines()[0].split()[-2:] == ["folder", "title"]
    kiro("sessions", "tag", id_, "--add", "b", "--add", "a")
    assert kiro("sessions", "list").stdout.splitlines()[0].split()[-2:] == ["tags", "title"]
    kiro("sessions", "rename", id_, "--name", "nightly")
    head, row = kiro("sessions", "list").stdout.splitlines()
    assert head.split()[-4:] == ["folder", "name", "tags", "title"]
    assert row.split()[-4:] == ["nightly", "a", "b", "T"]
    assert "\nname: nightly\ntitle: T\ntags: a b\n" in "\n" + kiro("sessions", "show", id_).stdout.partition("\n")[2]


def test_deleted_sessions_are_gone_with_all_their_files(home, kiro, recorded, listed):
    first, second, kept = recorded(), recorded(), recorded()
    told = kiro("sessions", "delete", first, second[:12], first, "--yes")
    assert (told.returncode, told.stderr) == (0, f"{first}: deleted\n{second}: deleted\n")
    assert set(listed()) == {kept}
    assert files_of(home) == [f"{kept}.{kind}" for kind in ("json", "jsonl", "lock")]


def test_nothing_is_deleted_when_one_of_them_is_not_known(kiro, recorded, listed):
    id_ = recorded()
    told = kiro("sessions", "delete", id_, "00000000", "--yes")
    assert told.returncode == 1
    assert "No session has an id that begins with '00000000'." in told.stderr
    assert set(listed()) == {id_}


def test_a_session_whose_metadata_are_damaged_is_deleted_by_its_whole_id(home, kiro, recorded):
    id_ = recorded()
    (home / "sessions" / "core" / f"{id_}.json").write_text("{")
    assert kiro("sessions", "delete", id_, "--yes").returncode == 0
    assert not files_of(home)


def test_without_a_terminal_nothing_is_deleted_unless_it_is_said(kiro, recorded, listed):
    id_ = recorded()
    told = kiro("sessions", "delete", id_, stdin="y\n")
    assert told.returncode == 2
    assert "--yes" in told.stderr
    assert set(listed()) == {id_}


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 5), ("\n", 5), ("x\n", 5), ("\x04", 5)])
def test_a_person_is_asked_before_a_session_is_deleted(recorded, listed, at_terminal, answer, code):
    id_, kept = recorded(title="Parser\x1b[31m rewrite"), recorded()
    ended, shown = at_terminal("sessions", "delete", id_, text="[y/N]", then=typing(answer))
    assert ended == code
    assert f"{id_}: Parser[31m rewrite\r\nDelete this session? [y/N] " in shown
    assert ("Nothing was deleted." in shown) is (code == 5)
    assert set(listed()) == ({kept} if code == 0 else {id_, kept})


def test_one_question_is_asked_for_several_sessions(recorded, listed, at_terminal):
    ids = [recorded(name=name) for name in ("one", "two")]
    ended, shown = at_terminal("sessions", "delete", *ids, text="[y/N]", then=typing("y\n"))
    assert ended == 0
    assert f"{ids[0]}: one\r\n{ids[1]}: two\r\nDelete these 2 sessions? [y/N] " in shown
    assert not listed()


def test_ctrl_c_at_the_question_deletes_nothing(recorded, listed, at_terminal):
    id_ = recorded()
    ended, _ = at_terminal(
        "sessions", "delete", id_, text="[y/N]", then=lambda _, process: process.send_signal(signal.SIGINT)
    )
    assert ended == 130
    assert set(listed()) == {id_}


def test_a_session_that_another_process_holds_is_neither_deleted_nor_renamed(home, kiro, recorded):
    id_ = recorded(title="T")

    async def meanwhile():
        async with open_store(FilesOptions()) as store, store.open(id_):
            return [kiro("sessions", *words) for words in (("delete", id_, "--yes"), ("rename", id_, "x"))]

    for told in anyio.run(meanwhile):
        assert told.returncode == 1
        assert f"The session {id_} is held by" in told.stderr
    assert len(files_of(home)) == 3


def test_an_archive_brings_a_deleted_session_back(kiro, recorded, listed, tmp_path):
    id_ = recorded(title="T", tags=("a",), name="nightly")

    def known():
        """All of it but when it was imported."""
        listing, whole = listed(), json.loads(kiro("sessions", "show", id_, "--json").stdout)
        for info in (listing[id_], whole["info"]):
            info.pop("imported", None)
        return listing, whole

    before = known()
    told = kiro("sessions", "export", id_[:8], "s.tar")
    assert (told.returncode, told.stdout, told.stderr) == (0, "", f"{id_}: exported to s.tar\n")
    assert stat.S_IMODE((tmp_path / "s.tar").stat().st_mode) == 0o600
    kiro("sessions", "delete", id_, "--yes")
    assert not listed()
    told = kiro("sessions", "import", "s.tar")
    assert (told.returncode, told.stdout) == (0, f"{id_}\n")
    assert known() == before


def test_an_archive_is_named_after_its_session_unless_a_file_is_named(kiro, recorded, tmp_path):
    id_ = recorded()
    kiro("sessions", "export", id_[:8])
    assert tarfile.is_tarfile(tmp_path / f"{id_}.tar")


def test_an_archive_passes_through_pipes(kiro, environment, recorded, tmp_path):
    id_ = recorded(title="T")
    exported = subprocess.run(
        [warm.PROGRAM, "sessions", "export", id_, "-"], capture_output=True, env=environment, timeout=60, check=True
    )
    assert exported.stderr == b""
    kiro("sessions", "delete", id_, "--yes")
    imported = subprocess.run(
        [warm.PROGRAM, "sessions", "import", "-", "--json"],
        input=exported.stdout,
        capture_output=True,
        env=environment,
        timeout=60,
        check=True,
    )
    assert (json.loads(imported.stdout)["id"], json.loads(imported.stdout)["title"]) == (id_, "T")


def test_a_file_is_replaced_only_by_force_and_only_by_a_whole_archive(home, kiro, recorded, tmp_path):
    id_ = recorded()
    (tmp_path / "s.tar").write_text("mine")
    told = kiro("sessions", "export", id_, "s.tar")
    assert told.returncode == 1
    assert "s.tar exists already." in told.stderr
    log = home / "sessions" / "core" / f"{id_}.jsonl"
    good = log.read_bytes()
    log.write_bytes(good + b'{"format":2}\n')
    assert "of a newer format" in kiro("sessions", "export", id_, "s.tar", "--force").stderr
    assert (tmp_path / "s.tar").read_text() == "mine"
    log.write_bytes(good)
    assert kiro("sessions", "export", id_, "s.tar", "--force").returncode == 0
    assert tarfile.is_tarfile(tmp_path / "s.tar")
    assert {path.name for path in tmp_path.iterdir()} == {"home", "s.tar"}


@pytest.mark.parametrize(("target", "reason"), [("folder", "not a plain file"), ("no/s.tar", "could not be written")])
def test_a_place_that_takes_no_archive_is_named(kiro, recorded, tmp_path, target, reason):
    (tmp_path / "folder").mkdir()
    told = kiro("sessions", "export", recorded(), target, "--force")
    assert told.returncode == 1
    assert told.stderr.startswith(f"kiro-core: {target} ")
    assert reason in told.stderr


def test_a_damaged_archive_is_refused_and_stores_nothing(home, kiro, recorded, listed, tmp_path):
    id_ = recorded()
    kiro("sessions", "export", id_, "s.tar")
    kiro("sessions", "delete", id_, "--yes")
    content = (tmp_path / "s.tar").read_bytes()
    (tmp_path / "s.tar").write_bytes(content.replace(b'"n":1', b'"n":7'))
    told = kiro("sessions", "import", "s.tar")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("kiro-core: The archive's records.jsonl is not what its manifest.json says.\n")
    assert not listed()
    assert not files_of(home)


def test_a_session_that_exists_is_imported_as_a_copy_only(kiro, recorded, listed):
    id_ = recorded(title="T", name="nightly")
    kiro("sessions", "export", id_, "s.tar")
    told = kiro("sessions", "import", "s.tar")
    assert told.returncode == 1
    assert "exists already" in told.stderr
    assert "--new-id" in told.stderr
    copy = kiro("sessions", "import", "s.tar", "--new-id").stdout.strip()
    assert set(listed()) == {id_, copy}
    assert (listed()[copy]["title"], listed()[copy]["name"]) == ("T", "")


@pytest.mark.parametrize("arguments", [("export", "ID", "-"), ("import", "-")])
def test_an_archive_is_nothing_for_a_terminal(recorded, at_terminal, arguments):
    id_ = recorded()
    words = [id_ if word == "ID" else word for word in arguments]
    ended, shown = at_terminal("sessions", *words, text="never", then=typing(""))
    assert ended == 2
    assert "pipe" in shown


def test_an_import_that_waits_for_its_pipe_ends_with_ctrl_c(environment, home):
    begun = tarfile.TarInfo("manifest.json")
    begun.size = 2**20
    with subprocess.Popen([warm.PROGRAM, "sessions", "import", "-"], stdin=subprocess.PIPE, env=environment) as process:
        try:
            # More than a pipe holds: when it is written, the program reads.
            process.stdin.write(begun.tobuf() + b" " * 300_000)
            process.stdin.flush()
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        finally:
            process.kill()
    assert not (home / "sessions").exists()
