"""`fs/*`: the client's own where it offers them, else the disk, asked for and inside the session's folders."""

import os
import stat

import anyio
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kiro_core.errors import Disconnected, RpcError
from kiro_core.frames import Frame
from kiro_core.session.services import files
from kiro_core.session.services.places import place
from kiro_core.testing import RecordingClient

READ, WRITE = "fs/read_text_file", "fs/write_text_file"
INVALID, MISSING, FAILED, CANCELLED = -32602, -32002, -32603, -32800


async def never(_):
    await anyio.sleep_forever()


async def gone(_):
    raise Disconnected("gone")


async def test_a_client_that_offers_files_gets_the_request_as_it_came_and_its_response_is_passed_on(opened, able):
    answer = Frame.read(b'{"jsonrpc":"2.0", "id":1,"result":{"content":"x","more":[1]}}')

    async def response(_):
        return answer

    client = able("read", "write", answer=response)
    line = b'{"id":"a", "method":"%b","params":{"x":1.50,"sessionId":"%b","path":"/not/ours"}}'
    async with opened(client) as room:
        for method in (READ.encode(), WRITE.encode()):
            assert await room.services.request(Frame.read(line % (method, b"theirs"))) is answer
            assert client.questions[-1].raw == line % (method, b"ours")
    assert room.entries() == []


async def test_one_ability_is_not_the_other(opened, w, able):
    (w / "a").write_text("disk")
    client = able("write")
    async with opened(client) as room:
        assert await room.ask(READ, path=str(w / "a")) == {"content": "disk"}
    assert [question.method for question in client.questions] == ["session/request_permission"]


async def test_a_client_that_does_not_answer_or_is_gone_is_told(opened, able, w):
    async with opened(able("read", answer=never), question_s=0.01) as room:
        assert await room.refused(READ, path="/a") == (FAILED, f"The client did not answer {READ} within 0.01 s.")
    async with opened(able("read", answer=gone)) as room:
        with pytest.raises(Disconnected):
            await room.ask(READ, path="/a")


async def test_reading_from_disk_is_asked_for_recorded_and_shown(opened, w, statuses):
    (w / "a.py").write_text("one\n")
    client = RecordingClient()
    async with opened(client) as room:
        assert await room.ask(READ, path=str(w / "a.py"), line=1, limit=5) == {"content": "one\n"}
    (question,) = client.questions
    call = question.params["toolCall"]
    assert question.session == "ours"
    assert (call["title"], call["kind"], call["status"]) == (f"Read {w}/a.py", "read", "pending")
    assert call["locations"] == [{"path": f"{w}/a.py", "line": 1}]
    assert [o["kind"] for o in question.params["options"]] == ["allow_once", "allow_always", "reject_once"]
    assert statuses(client) == [(f"Read {w}/a.py", "completed")]
    asked, answered = room.entries()
    (decided,) = room.entries("decision")
    assert (asked.kind, asked.frame.raw) == ("question", question.raw)
    assert (answered.kind, answered.value["by"]) == ("answer", "client")
    assert (decided.value["outcome"], decided.value["tool"]) == ("allowed", "read")


async def test_always_is_remembered_for_its_kind_and_its_session(opened, w, choosing):
    (w / "a").write_text("a")
    (w / "b").write_text("b")
    client = choosing("allow_always")
    async with opened(client) as room:
        for name in "abab":
            assert await room.ask(READ, path=str(w / name)) == {"content": name}
        await room.ask(WRITE, path=str(w / "a"), content="")
        await room.ask(WRITE, path=str(w / "c"), content="")
    assert [question.params["toolCall"]["kind"] for question in client.questions] == ["read", "edit"]
    async with opened(client) as room:
        await room.ask(READ, path=str(w / "a"))
    assert len(client.questions) == 3


async def test_what_is_not_allowed_is_not_done(opened, w, choosing, statuses):
    client = choosing("reject_once")
    async with opened(client) as room:
        sentence = f"This was not allowed: Write {w}/a"
        assert await room.refused(WRITE, path=str(w / "a"), content="x") == (FAILED, sentence)
    assert not (w / "a").exists()
    assert statuses(client) == [(f"Write {w}/a", "failed")]


async def test_with_nobody_to_ask_nothing_is_allowed(opened, w):
    (w / "a").write_text("a")
    async with opened(None) as room:
        assert await room.refused(READ, path=str(w / "a")) == (FAILED, f"This was not allowed: Read {w}/a")
    assert room.entries("answer")[0].value["by"] == "nobody to ask"


async def test_a_cancelled_turn_takes_the_question_back(opened, w, able):
    (w / "a").write_text("a")
    client = able(answer=never)
    async with opened(client) as room, anyio.create_task_group() as tasks:

        async def cancel():
            await client.until(lambda c: c.questions)
            room.questions.cancel()

        tasks.start_soon(cancel)
        number, sentence = await room.refused(READ, path=str(w / "a"))
        assert number == CANCELLED
        assert sentence == f"The turn was cancelled before this was allowed: Read {w}/a"


@pytest.mark.parametrize(
    ("line", "limit", "content"),
    [
        (None, None, "1\r\n2\x0c\u2028\n3"),
        (1, None, "1\r\n2\x0c\u2028\n3"),
        (0, 1, "1\r\n"),
        (2, 1, "2\x0c\u2028\n"),
        (3, 9, "3"),
        (4, None, ""),
        (1, 0, ""),
        (None, 2, "1\r\n2\x0c\u2028\n"),
    ],
)
async def test_lines_count_from_one_and_stay_as_they_are(opened, w, line, limit, content):
    (w / "a").write_bytes("1\r\n2\x0c\u2028\n3".encode())
    async with opened(RecordingClient()) as room:
        assert await room.ask(READ, path=str(w / "a"), line=line, limit=limit) == {"content": content}


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, "The param path has to be a text."),
        ({"path": 5}, "The param path has to be a text."),
        ({"path": "a/b"}, "The param path has to be an absolute path, not 'a/b'."),
        ({"path": "/a\0"}, "The param path is no path, since it holds a NUL."),
        ({"path": "/a", "line": -1}, "The param line has to be a whole number that is not negative."),
        ({"path": "/a", "limit": "2"}, "The param limit has to be a whole number that is not negative."),
        ({"path": "/a", "limit": True}, "The param limit has to be a whole number that is not negative."),
        ({"path": "/etc/passwd"}, "/etc/passwd is outside of the session's folders."),
    ],
)
async def test_wrong_params_are_refused_before_anybody_is_asked(opened, params, sentence):
    client = RecordingClient()
    async with opened(client) as room:
        assert await room.refused(READ, **params) == (INVALID, sentence)
        if not {"line", "limit"} & set(params):
            assert await room.refused(WRITE, content="", **params) == (INVALID, sentence)
    assert client.questions == []


async def test_content_has_to_be_text_of_some_size(opened, w, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 1 << 20)
    async with opened(RecordingClient()) as room:
        assert await room.refused(WRITE, path=str(w / "a")) == (INVALID, "The param content has to be a text.")
        too_much = "x" * (1 + (1 << 20))
        assert await room.refused(WRITE, path=str(w / "a"), content=too_much) == (
            INVALID,
            "The content is larger than 1 MiB.",
        )


def make(path, kind):
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "bytes":
        path.write_bytes(b"ab\xff")
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(files.MAX_BYTES + 1)
    elif kind == "loop":
        path.symlink_to(path)


@pytest.mark.parametrize(
    ("kind", "number", "words"),
    [
        ("nothing", MISSING, "There is no file {}."),
        ("folder", INVALID, "{} is a folder."),
        ("fifo", INVALID, "{} is no regular file."),
        ("bytes", FAILED, "{} is no text in UTF-8: byte 2 is wrong."),
        ("huge", FAILED, "{} is larger than 16 MiB."),
    ],
)
async def test_what_cannot_be_read_is_told_in_a_sentence(opened, w, kind, number, words):
    make(w / "it", kind)
    async with opened(RecordingClient()) as room:
        assert await room.refused(READ, path=str(w / "it")) == (number, words.format(w / "it"))
        assert await room.refused(READ, path=str(w)) == (INVALID, f"{w} is a folder.")


async def test_a_folder_that_is_a_file_is_a_missing_file(opened, w):
    (w / "a").write_text("")
    async with opened(RecordingClient()) as room:
        assert await room.refused(READ, path=f"{w}/a/b") == (MISSING, f"There is no file {w}/a/b.")


async def test_a_link_to_itself_is_refused(opened, w):
    make(w / "it", "loop")
    async with opened(RecordingClient()) as room:
        number, sentence = await room.refused(READ, path=str(w / "it"))
        assert (number, sentence) == (INVALID, f"{w}/it is no regular file.")


@pytest.mark.parametrize("kind", ["folder", "fifo"])
async def test_what_is_no_file_is_not_replaced(opened, w, kind):
    make(w / "it", kind)
    async with opened(RecordingClient()) as room:
        number, _ = await room.refused(WRITE, path=str(w / "it"), content="x")
        assert number == INVALID
    assert [path.name for path in w.iterdir()] == ["it"]


async def test_writing_makes_the_file_and_its_folders_and_is_asked_for_with_the_difference(opened, w):
    client = RecordingClient()
    before = os.umask(0o027)
    try:
        async with opened(client) as room:
            assert await room.ask(WRITE, path=f"{w}/new/er/a.py", content="é\n") == {}
    finally:
        os.umask(before)
    made = w / "new" / "er" / "a.py"
    assert made.read_bytes() == "é\n".encode()
    assert stat.S_IMODE(made.stat().st_mode) == 0o640
    call = client.questions[0].params["toolCall"]
    assert (call["title"], call["kind"], call["rawInput"]) == (f"Write {made}", "edit", {"path": str(made), "bytes": 3})
    assert call["content"] == [{"type": "diff", "path": str(made), "oldText": None, "newText": "é\n"}]
    (written,) = room.entries("file_written")
    assert written.value == {"path": str(made), "bytes": 3}


async def test_writing_replaces_the_whole_file_and_keeps_its_mode(opened, w):
    (w / "run").write_text("a long old text")
    (w / "run").chmod(0o751)
    client = RecordingClient()
    with (w / "run").open() as old:
        async with opened(client) as room:
            await room.ask(WRITE, path=str(w / "run"), content="new")
        assert old.read() == "a long old text"
    assert (w / "run").read_text() == "new"
    assert stat.S_IMODE((w / "run").stat().st_mode) == 0o751
    assert [path.name for path in w.iterdir()] == ["run"]
    assert client.questions[0].params["toolCall"]["content"][0]["oldText"] == "a long old text"


async def test_what_is_no_text_is_replaced_without_a_difference(opened, w):
    (w / "it").write_bytes(b"\xff")
    client = RecordingClient()
    async with opened(client) as room:
        await room.ask(WRITE, path=str(w / "it"), content="text")
    assert (w / "it").read_text() == "text"
    assert client.questions[0].params["toolCall"]["content"] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
async def test_a_file_that_is_read_only_stays_as_it_is(opened, w, statuses):
    (w / "it").write_text("old")
    (w / "it").chmod(0o444)
    client = RecordingClient()
    async with opened(client) as room:
        refused = await room.refused(WRITE, path=str(w / "it"), content="new")
    assert refused == (FAILED, f"{w}/it cannot be used: Permission denied.")
    assert (w / "it").read_text() == "old"
    assert statuses(client) == [(f"Write {w}/it", "failed")]


async def test_a_write_that_fails_leaves_nothing_behind(opened, w, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    (w / "it").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    async with opened(RecordingClient()) as room:
        refused = await room.refused(WRITE, path=str(w / "it"), content="new")
    assert refused == (FAILED, f"{w}/it cannot be used: No space left on device.")
    assert [path.read_text() for path in w.iterdir()] == ["old"]


async def test_a_disk_that_hangs_is_told_and_holds_nobody_up(opened, w, monkeypatch):
    reading, writing = os.pipe()

    def hang(_):
        os.read(reading, 1)

    monkeypatch.setattr("kiro_core.session.services.file_requests._DISK_S", 0.05)
    monkeypatch.setattr(files, "check", hang)
    try:
        async with opened(RecordingClient()) as room:
            number, sentence = await room.refused(READ, path=str(w / "a"))
            assert (number, "did not answer" in sentence) == (FAILED, True)
    finally:
        os.close(writing)
    await anyio.to_thread.run_sync(os.close, reading)


# Containment.


async def test_links_inside_are_followed_and_shown_as_what_they_are(opened, w):
    (w / "a").write_text("old")
    (w / "b").symlink_to("a")
    client = RecordingClient()
    async with opened(client) as room:
        await room.ask(WRITE, path=str(w / "b"), content="new")
    assert (w / "b").is_symlink()
    assert (w / "a").read_text() == "new"
    assert client.questions[0].params["toolCall"]["title"] == f"Write {w}/a"


async def test_a_root_that_is_a_link_is_what_it_links_to_and_keeps_its_name(opened, tmp_path, w):
    (w / "a").write_text("a")
    (tmp_path / "link").symlink_to(w)
    client = RecordingClient()
    async with opened(client, cwd=tmp_path / "link") as room:
        for path in (tmp_path / "link" / "a", w / "a"):
            assert await room.ask(READ, path=str(path)) == {"content": "a"}
    assert {q.params["toolCall"]["title"] for q in client.questions} == {f"Read {tmp_path}/link/a"}


async def test_additional_folders_count_and_their_neighbours_do_not(opened, tmp_path):
    for name in ("more", "more than that"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
    async with opened(RecordingClient(), roots=[tmp_path / "more"]) as room:
        assert await room.ask(READ, path=f"{tmp_path}/more/a") == {"content": "more"}
        outside = f"{tmp_path}/more/../more than that/a"
        assert await room.refused(READ, path=outside) == (INVALID, f"{outside} is outside of the session's folders.")


@pytest.mark.parametrize("swapped", ["sub", "sub/a"])
def test_a_link_that_is_put_in_the_way_after_the_look_is_not_followed(tmp_path, swapped):
    (tmp_path / "w" / "sub").mkdir(parents=True)
    (tmp_path / "w" / "sub" / "a").write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("secret")
    where = place(f"{tmp_path}/w/sub/a", [f"{tmp_path}/w"])
    (tmp_path / "w" / swapped).rename(tmp_path / "w" / "away")
    (tmp_path / "w" / swapped).symlink_to(tmp_path / "out" / ("a" if swapped == "sub/a" else ""))
    for act in (files.check, files.read, lambda where: files.write(where, b"forged")):
        with pytest.raises((OSError, RpcError)):
            act(where)
    assert (tmp_path / "out" / "a").read_text() == "secret"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a"]


def test_a_link_that_is_put_there_between_the_look_and_the_opening_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "w").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "w" / "a").write_text("mine")
    look = files._regular

    def swap(where, found):
        look(where, found)
        (tmp_path / "w" / "a").unlink()
        (tmp_path / "w" / "a").symlink_to(tmp_path / "secret")

    monkeypatch.setattr(files, "_regular", swap)
    with pytest.raises(OSError, match="symbolic"):
        files.read(place(f"{tmp_path}/w/a", [f"{tmp_path}/w"]))


NAMES = ["a", "b", "c"]
STEPS = st.lists(st.sampled_from([*NAMES, "..", "."]), min_size=1, max_size=6)
LINKS = st.lists(
    st.tuples(st.sampled_from(["in", "out"]), STEPS, st.sampled_from(["relative", "in", "out"]), STEPS), max_size=6
)


def grow(top, links):
    """Two folders beside each other with files, folders and links in them."""
    for side in ("in", "out"):
        (top / side / "a" / "b").mkdir(parents=True)
        for folder in (top / side, top / side / "a", top / side / "a" / "b"):
            (folder / "c").write_text(f"{side}: secret" if side == "out" else "mine")
    for side, where, start, target in links:
        link = top / side / "/".join(name for name in where if name in NAMES)
        if not link.parent.is_dir() or os.path.lexists(link):
            continue
        link.symlink_to("/".join(target) if start == "relative" else f"{top}/{start}/{'/'.join(target)}")


def outside(top):
    """What there is outside; a link is what it says, since what it leads to may be inside."""

    def held(path):
        if path.is_symlink():
            return path.readlink()
        return path.read_bytes() if path.is_file() else None

    return {path: held(path) for path in sorted((top / "out").rglob("*"))}


@given(LINKS, st.sampled_from(["in", "out"]), STEPS)
@example([("in", ["b"], "out", ["."])], "in", ["b", "c"])
@example([("in", ["b"], "out", ["new"])], "in", ["b"])
@example([("out", ["b"], "in", ["b"])], "in", ["b"])
@example([("in", ["b"], "relative", ["..", "out"]), ("out", ["b"], "in", ["a"])], "in", ["b", "b", "c"])
@settings(max_examples=max(300, settings().max_examples), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_outside_of_the_folders_is_ever_read_or_written(tmp_path_factory, links, side, steps):
    top = tmp_path_factory.mktemp("tree")
    grow(top, links)
    path = f"{top}/{side}/{'/'.join(steps)}"
    before = outside(top)
    try:
        where = place(path, [f"{top}/in"])
        assert os.path.realpath(path).startswith(f"{os.path.realpath(top)}/in")
        assert "secret" not in files.read(where)
    except (OSError, RpcError):
        pass
    try:
        files.write(place(path, [f"{top}/in"]), b"forged")
        assert (top / side / "/".join(steps)).read_bytes() == b"forged"
    except (OSError, RpcError):
        pass
    assert outside(top) == before
