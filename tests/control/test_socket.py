"""Who can reach a desk at its socket, and that nobody who does can harm it."""

import os
import signal
import socket
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest

from kiro_core import Registry
from kiro_core.control import claim_served, reach, served_socket
from kiro_core.control.doors import Served
from kiro_core.control.places import address
from kiro_core.errors import Disconnected, Held, RpcError, SessionNotFound, Unavailable
from kiro_core.testing import RecordingClient
from kiro_core.types import SessionId

UNKNOWN = SessionId("00000000-0000-4000-8000-000000000000")

CONNECTING = """
import os, socket, sys
os.setuid(int(sys.argv[2]))
with socket.socket(socket.AF_UNIX) as one:
    try:
        one.connect(sys.argv[1])
        one.settimeout(20)
        print("read", one.recv(100))
    except OSError as error:
        print("refused", error.errno)
"""

LISTENING = """
import os, socket, sys
os.setuid(int(sys.argv[2]))
with socket.socket(socket.AF_UNIX) as one:
    one.bind(sys.argv[1])
    one.listen()
    print("listening", flush=True)
    there, _ = one.accept()
    there.settimeout(20)
    print("told", there.recv(100), flush=True)
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def sockets(home):
    return sorted((home / "run" / "desks").glob("*.sock"))


def only_socket(home):
    (path,) = sockets(home)
    return path


def connected(path):
    one = socket.socket(socket.AF_UNIX)
    one.settimeout(20)
    with address(path) as name:
        one.connect(name)
    return one


@contextmanager
def listening(path):
    """A socket of our own that listens there."""
    with socket.socket(socket.AF_UNIX) as one, address(path) as name:
        one.bind(name)
        one.listen()
        yield one


def leave(path):
    """A socket file of a process that was killed."""
    with listening(path):
        pass


@pytest.fixture
def open_folder():
    """A folder that other users may enter."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


class Verbs:
    """What a served desk can be told."""

    async def stop(self):
        return {"stopping": True}

    async def reload(self):
        return {"changed": ["limits.idle_s"]}


async def works(path):
    """That a desk answers there."""
    async with reach(path) as other:
        return (await other.status())["pid"] == os.getpid()


async def test_a_desk_listens_where_only_its_user_can_reach_it(desk, home):
    async with desk(RecordingClient()):
        path = only_socket(home)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sockets(home) == []


async def test_a_desk_without_a_face_listens_nowhere(desk, home):
    async with desk(RecordingClient(), face=""):
        assert not (home / "run" / "desks").exists()


async def test_it_says_what_it_is_and_what_it_has_open(desk, home):
    async with desk(RecordingClient(), face="chat") as place:
        session = await place.new()
        async with reach(only_socket(home)) as other:
            assert (other.hello["pid"], other.hello["face"], other.hello["served"]) == (os.getpid(), "chat", False)
            (told,) = (await other.status())["sessions"]
    assert (told["sessionId"], told["engine"], told["clients"], told["turn"]) == (session, "mem", 1, False)


async def test_no_secret_is_told_of_its_settings(desk, home):
    engines = {"x": {"command": ["x"], "env": {"TOKEN": "hidden"}}}
    async with desk(RecordingClient(), changes={"engines": engines, "engine": "x"}), reach(only_socket(home)) as other:
        assert set(other.hello["settings"]) == {"engine", "engines.x"}
        assert "hidden" not in str(other.hello)


async def test_what_it_refuses_is_the_error_that_it_was_there(desk, home):
    async with desk(RecordingClient()), reach(only_socket(home)) as other:
        with pytest.raises(SessionNotFound) as refused:
            await other.release(UNKNOWN)
        assert refused.value.sentence == f"The session {UNKNOWN} is not open there."
        assert refused.value.details == {"session_id": UNKNOWN}
        with pytest.raises(RpcError, match="no method"):
            await other.stop()


@pytest.mark.parametrize("length", [60, 120, 250])
async def test_a_path_of_any_length_works(desk, tmp_path, monkeypatch, length):
    home = tmp_path / ("x" * length)
    monkeypatch.setenv("KIRO_HOME", str(home))
    first, second = RecordingClient(), RecordingClient()
    with anyio.fail_after(30):
        async with desk(first) as one:
            session = await one.new()
            assert await works(only_socket(home))
            async with desk(second) as two:
                if len(str(only_socket_of(one.desk))) <= 256:
                    assert not (await two.load(session)).failed


def only_socket_of(desk):
    return desk._backends.contact.socket


async def test_what_a_killed_desk_has_left_blocks_nobody_and_is_removed(desk, home):
    folder = home / "run" / "desks"
    folder.mkdir(parents=True, mode=0o700)
    ended = (await anyio.run_process([sys.executable, "-c", "import os; print(os.getpid())"])).stdout
    stale = [folder / f"{int(ended)}-0123abcd.sock", folder / f"{int(ended)}-0123abce.sock.new"]
    for path in stale:
        leave(path)
    async with desk(RecordingClient()) as place:
        await place.new()
        assert not any(path.exists() for path in stale)
        assert len(sockets(home)) == 1


@pytest.mark.parametrize("kind", ["file", "open to others", "link"])
async def test_a_folder_that_others_could_use_is_refused_and_the_desk_works_without_it(desk, home, caplog, kind):
    folder = home / "run" / "desks"
    folder.parent.mkdir(parents=True)
    if kind == "file":
        folder.touch()
    elif kind == "link":
        (home / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(home / "elsewhere")
    else:
        folder.mkdir()
        folder.chmod(0o770)
    async with desk(RecordingClient()) as place:
        assert await place.new()
        assert only_socket_of(place.desk) == ""
    assert "cannot share the sessions" in caplog.text


@as_root
async def test_another_user_is_refused_even_where_the_files_would_let_them_in(desk, open_folder, monkeypatch):
    monkeypatch.setenv("KIRO_HOME", str(open_folder))
    async with desk(RecordingClient()):
        path = only_socket(open_folder)
        for folder in (path.parent, path.parent.parent):
            folder.chmod(0o755)
        path.chmod(0o777)
        command = [sys.executable, "-c", CONNECTING, str(path), "65534"]
        told = await anyio.run_process(command)
        assert told.stdout in (b"read b''\n", b"refused 104\n")
        assert await works(path)


@as_root
def test_nobody_else_is_taken_for_a_desk(open_folder):
    path = open_folder / "desk.sock"

    async def tried():
        with pytest.raises(Disconnected, match="another user"):
            async with reach(path):
                pass

    command = [sys.executable, "-c", LISTENING, str(path), "65534"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stranger:
        assert stranger.stdout.readline() == "listening\n"
        anyio.run(tried)
        assert stranger.stdout.readline() == "told b''\n"


async def test_what_is_no_desk_is_not_taken_for_one(tmp_path):
    path = tmp_path / "desk.sock"
    with listening(path) as strange, anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answer_with, strange, b'{"jsonrpc":"2.0","id":1,"result":{"protocol":"x"}}\n')
            with pytest.raises(Disconnected, match="no desk of this version"):
                async with reach(path):
                    pass


async def answer_with(listener, line):
    await anyio.wait_readable(listener)
    there, _ = listener.accept()
    with there:
        await anyio.wait_readable(there)
        there.recv(65536)
        there.sendall(line)


async def test_nobody_at_a_path_is_said_at_once(tmp_path):
    with pytest.raises(Disconnected, match="No desk listens"):
        async with reach(tmp_path / "none.sock"):
            pass


@pytest.mark.parametrize("noise", [b"\x00" * 5000, b"{}\n" * 1000, b"GET / HTTP/1.1\r\n\r\n", b'{"jsonrpc":"2.0"', b""])
async def test_garbage_harms_nobody(desk, home, noise):
    async with desk(RecordingClient()) as place:
        session = await place.new()
        with connected(only_socket(home)) as strange, anyio.fail_after(20):
            strange.sendall(noise)
            assert (await place.prompt(session, "/echo here")).result["stopReason"] == "end_turn"
            assert await works(only_socket(home))


async def test_who_does_not_introduce_itself_is_let_go_of(desk, home, monkeypatch):
    monkeypatch.setattr("kiro_core.control.receiving.HELLO_S", 0.2)
    async with desk(RecordingClient()):
        with connected(only_socket(home)) as silent, anyio.fail_after(20):
            assert await anyio.to_thread.run_sync(silent.recv, 1) == b""
        assert await works(only_socket(home))


async def test_who_says_too_much_before_its_introduction_is_let_go_of(desk, home):
    async with desk(RecordingClient()):
        with connected(only_socket(home)) as flooding, anyio.fail_after(20):
            with pytest.raises((BrokenPipeError, ConnectionResetError)):
                await anyio.to_thread.run_sync(flooding.sendall, b"x" * 64 * 1024 * 1024)
            assert await works(only_socket(home))


async def test_nothing_is_answered_before_the_introduction(desk, home):
    async with desk(RecordingClient()):
        with connected(only_socket(home)) as hasty, anyio.fail_after(20):
            hasty.sendall(b'{"jsonrpc":"2.0","id":1,"method":"_kiro_core/status"}\n')
            assert b"_kiro_core/hello comes first" in await anyio.to_thread.run_sync(hasty.recv, 65536)


async def test_more_connections_than_there_is_room_for_are_refused(desk, home, monkeypatch):
    monkeypatch.setattr("kiro_core.control.listening._CONNECTIONS", 3)
    async with desk(RecordingClient()):
        path = only_socket(home)
        with anyio.fail_after(20):
            async with reach(path), reach(path), reach(path):
                with pytest.raises(Disconnected):
                    async with reach(path):
                        pass
            await eventually(path)


async def eventually(path):
    """A desk takes a moment to see that its visitors have left."""
    while True:
        try:
            assert await works(path)
        except Disconnected:
            await anyio.lowlevel.checkpoint()
        else:
            return


async def test_a_served_desk_is_found_by_all_that_have_its_store(settings, desk, home, tmp_path):
    path = served_socket(settings(), Registry())
    assert served_socket(settings(limits={"start_s": 5}), Registry()) == path
    assert served_socket(settings(store={"use": "files", "root": str(tmp_path)}), Registry()) != path
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    roots = [settings(store={"use": "files", "root": str(root)}) for root in (tmp_path, link)]
    assert len({served_socket(one, Registry()) for one in roots}) == 1
    with claim_served(settings(), Registry()) as claimed:
        assert claimed == path
        async with desk(RecordingClient(), face="serve", served=Served(path, Verbs())), reach(path) as other:
            assert other.hello["served"]
            assert await other.stop() == {"stopping": True}
            assert await other.reload() == {"changed": ["limits.idle_s"]}
    assert not path.exists()


def test_a_store_is_the_same_however_its_options_are_written(settings, home, tmp_path):
    written = ["files", {"use": "files", "root": str(home / "sessions" / "core")}]
    written.append({"use": "files", "root": "~/.kiro/sessions/../sessions/core"})
    assert len({served_socket(settings(store=store), Registry()) for store in written}) == 1
    with (
        claim_served(settings(store=written[0]), Registry()),
        pytest.raises(Held),
        claim_served(settings(store=written[1]), Registry()),
    ):
        pass


async def test_a_second_one_is_refused_and_told_of_the_first(settings):
    with claim_served(settings(), Registry()), pytest.raises(Held) as refused, claim_served(settings(), Registry()):
        pass
    assert refused.value.details["owner"]["pid"] == os.getpid()
    assert f"pid {os.getpid()} since 20" in refused.value.sentence
    with claim_served(settings(), Registry()):
        pass


async def test_what_a_killed_served_desk_has_left_is_replaced(settings, desk):
    with claim_served(settings(), Registry()) as path:
        leave(path)
        async with desk(RecordingClient(), face="serve", served=Served(path, Verbs())):
            assert await works(path)


async def test_a_socket_can_be_handed_over(settings, desk, tmp_path):
    path = tmp_path / "handed.sock"
    with listening(path) as listener, claim_served(settings(), Registry()) as claimed:
        async with desk(RecordingClient(), face="serve", served=Served(claimed, Verbs(), listener)):
            assert await works(path)
        assert path.exists()


async def test_a_served_desk_that_cannot_listen_does_not_start(settings, desk, home):
    with claim_served(settings(), Registry()) as path:
        path.mkdir()
        with pytest.raises(Unavailable, match="No desk can listen"):
            async with desk(RecordingClient(), face="serve", served=Served(path, Verbs())):
                pass


def test_a_stopped_desk_is_not_waited_for_for_ever(editor, home):
    one = editor()
    one.ask("session/list")
    path = only_socket(home)
    os.kill(one.process.pid, signal.SIGSTOP)

    async def tried():
        with anyio.fail_after(20), pytest.raises(Disconnected, match="did not answer within"):
            async with reach(path):
                pass

    anyio.run(tried)
