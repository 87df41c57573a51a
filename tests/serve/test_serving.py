"""A desk that stays: it says where it is, its sessions outlive who comes, and it ends in order."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import warm

ASKING = "/echo begun\n/permission once=allow_once\n/echo done"
SLEEPING = "/echo begun\n/sleep 600"


def states(kiro, session):
    """How each turn of a session ended, by the record."""
    records = json.loads(kiro("sessions", "show", session, "--json").stdout)["records"]
    return [record["data"]["state"] for record in records if record["kind"] == "turn_ended"]


def test_it_says_who_serves_where_and_ends_when_it_is_asked(serve, kiro, place, home):
    assert kiro("serve", "status").returncode == 1
    desk = serve()
    line = desk.ready()
    told = json.loads(kiro("serve", "status", "--json").stdout)
    assert line == f"The desk serves as pid {desk.pid} at {told['socket']}, and acp {place}."
    assert (told["running"], told["pid"], told["state"], told["sessions"]) == (True, desk.pid, "ready", [])
    assert told["faces"] == [{"use": "acp", "place": str(place), "problem": ""}]
    assert place.stat().st_mode & 0o777 == 0o600
    stopped = kiro("serve", "stop")
    assert (stopped.returncode, stopped.stdout) == (0, "")
    assert stopped.stderr.splitlines()[-1] == "It has ended."
    assert desk.ended()[0] == 0
    assert not place.exists()
    gone = json.loads(kiro("serve", "status", "--json").stdout)
    assert (gone["running"], gone["socket"]) == (False, told["socket"])
    for asking in ("stop", "reload", "status"):
        refused = kiro("serve", asking)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith("kiro-core: No desk answers for these sessions:")


def test_a_session_outlives_the_client_that_came_for_it(serve, editor, kiro):
    serve().ready()
    first = editor()
    session = first.session()
    first.prompt(session, SLEEPING)
    first.until_said("begun")
    first.close()
    second = editor()
    loading = second.begin("session/load", sessionId=session, cwd=second.cwd, mcpServers=[])
    second.until_said("begun")
    assert "result" in second.answer(loading)
    told = json.loads(kiro("serve", "status", "--json").stdout)
    assert [(one["sessionId"], one["turn"]) for one in told["sessions"]] == [(session, True)]
    shown = kiro("serve", "status").stdout
    assert session in shown
    assert "turns that run: 1" in shown


def test_several_clients_have_a_session_each_and_none_ends_the_others(serve, editor):
    serve().ready()
    clients = [editor() for _ in range(3)]
    sessions = [client.session() for client in clients]
    clients[0].close()
    for client, session in list(zip(clients, sessions, strict=True))[1:]:
        assert client.answer(client.prompt(session, "Hello"))["result"]["stopReason"] == "end_turn"


def test_a_turn_that_ends_while_the_desk_drains_is_answered_before_it_ends(serve, editor, kiro):
    desk = serve()
    desk.ready()
    client = editor()
    session = client.session()
    running, waiting = client.prompt(session, ASKING), client.prompt(session, "/echo never said")
    question = client.question()
    desk.process.send_signal(signal.SIGTERM)
    assert "Turns that run: 1; they have 60 s." in desk.until_logged("The desk ends")
    refused = client.ask("session/new", cwd=client.cwd, mcpServers=[])
    assert refused["error"]["data"]["code"] == "SESSION_CLOSING"
    assert json.loads(kiro("serve", "status", "--json").stdout)["state"] == "draining"
    client.allow(question)
    assert client.answer(running)["result"]["stopReason"] == "end_turn"
    assert client.answer(waiting)["result"]["stopReason"] == "cancelled"
    assert desk.ended() == (0, "")
    assert states(kiro, session) == ["settled", "cancelled"]


def test_a_turn_that_does_not_end_in_time_is_cancelled_and_answered(serve, editor, kiro):
    desk = serve("--set", "limits.drain_s=0.1")
    desk.ready()
    client = editor()
    session = client.session()
    running = client.prompt(session, SLEEPING)
    client.until_said("begun")
    desk.process.send_signal(signal.SIGTERM)
    assert client.answer(running)["result"]["stopReason"] == "cancelled"
    assert desk.ended()[0] == 0
    assert states(kiro, session) == ["cancelled"]


@pytest.mark.parametrize(("first", "second"), [("TERM", "TERM"), ("INT", "INT"), ("TERM", "INT")])
def test_a_second_signal_ends_it_at_once_and_in_order_all_the_same(serve, editor, kiro, first, second):
    desk = serve("--set", "limits.drain_s=600")
    desk.ready()
    client = editor()
    session = client.session()
    running = client.prompt(session, SLEEPING)
    client.until_said("begun")
    desk.process.send_signal(signal.Signals[f"SIG{first}"])
    desk.until_logged("The desk ends")
    desk.process.send_signal(signal.Signals[f"SIG{second}"])
    assert client.answer(running)["result"]["stopReason"] == "cancelled"
    assert desk.ended()[0] == 128 + signal.Signals[f"SIG{second}"]
    assert states(kiro, session) == ["cancelled"]


def test_stop_waits_also_for_an_end_that_has_begun_already(serve, editor, environment):
    desk = serve()
    desk.ready()
    client = editor()
    running = client.prompt(client.session(), ASKING)
    question = client.question()
    desk.process.send_signal(signal.SIGTERM)
    desk.until_logged("The desk ends")
    with warm.start([warm.PROGRAM, "serve", "stop"], stderr=subprocess.PIPE, env=environment) as stop:
        assert stop.stderr.readline() == b"The desk (pid %d) ends. Turns that run: 1; they have 60 s.\n" % desk.pid
        client.allow(question)
        assert client.answer(running)["result"]["stopReason"] == "end_turn"
        assert (stop.stderr.read(), stop.wait(30)) == (b"It has ended.\n", 0)
    assert desk.ended()[0] == 0


def test_a_second_one_is_refused_and_told_who_the_first_is(serve, kiro, place):
    desk = serve()
    desk.ready()
    code, err = serve(faces=[]).ended()
    assert code == 1
    assert err.startswith(f"kiro-core: A desk serves these sessions already: pid {desk.pid} since ")
    other = serve("--set", f'store={{use="files", root="{place.parent}/elsewhere"}}', faces=[])
    assert other.ready()
    assert kiro("serve", "status").returncode == 0


def test_after_kill_9_the_next_one_takes_up_what_was_there(serve, editor, kiro):
    desk = serve()
    desk.ready()
    client = editor()
    session = client.session()
    client.prompt(session, SLEEPING)
    client.until_said("begun")
    desk.process.kill()
    desk.process.wait()
    assert kiro("serve", "status").returncode == 1
    serve().ready()
    again = editor()
    assert "result" in again.ask("session/load", sessionId=session, cwd=again.cwd, mcpServers=[])
    assert states(kiro, session) == ["unknown"]
    assert again.answer(again.prompt(session, "Hello"))["result"]["stopReason"] == "end_turn"


def test_a_face_that_cannot_begin_ends_the_start_and_is_named(serve, place):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, err = serve(faces=[f'{{use="acp", socket="{place}"}}', f'{{use="http", port={port}}}']).ended()
    assert code == 2
    assert err.startswith(f"kiro-core: 'http' of the setting serve cannot begin: Nobody can listen at port {port}")
    assert not place.exists()


@pytest.mark.parametrize(
    ("face", "sentence"),
    [
        ('{use="telepathy"}', "'telepathy' of the setting serve cannot begin: No transport is called 'telepathy'"),
        ('{use="acp", socket="run/acp.sock"}', "Transport 'acp': socket should be an absolute path"),
        ('{use="acp", sockets="/x"}', "Transport 'acp': there is no key 'sockets'"),
        ('{use="acp", socket="editors"}', "No socket called 'editors' was handed over"),
        ('{use="acp", socket="/tmp/acp.sock"}', "is not this user's alone"),
    ],
)
def test_settings_of_a_face_that_cannot_be_used_say_so(serve, face, sentence):
    code, err = serve(faces=[face]).ended()
    assert code == 2
    assert sentence in err


def test_a_desk_that_is_stopped_is_named_and_not_offered_anew(serve, kiro):
    desk = serve()
    desk.ready()
    os.kill(desk.pid, signal.SIGSTOP)
    try:
        told = kiro("serve", "stop")
    finally:
        os.kill(desk.pid, signal.SIGCONT)
    assert told.returncode == 1
    assert f"end it (pid {desk.pid})" in told.stderr


def test_an_engine_that_nobody_knows_ends_the_start(serve):
    code, err = serve("--set", "engine=nosuch").ended()
    assert code == 2
    assert "'nosuch'" in err


def test_who_listens_at_the_place_of_a_face_keeps_it(serve, place):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(place))
        other.listen()
        code, err = serve().ended()
    assert code == 2
    assert f"Another process listens at {place}." in err


def test_a_socket_that_a_killed_desk_has_left_is_no_obstacle(serve, place, editor):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    serve().ready()
    assert editor().session()


def test_health_is_told_over_http_from_the_first_to_the_last_turn(serve, editor, place):
    desk = serve(faces=[f'{{use="acp", socket="{place}"}}', '{use="http", port=0}'])
    url = re.search(r"http (http://127\.0\.0\.1:\d+)", desk.ready())[1]
    assert (asked(f"{url}/healthz"), asked(f"{url}/readyz")) == ((200, "alive\n"), (200, "ready\n"))
    client = editor()
    client.prompt(client.session(), ASKING)
    question = client.question()
    desk.process.send_signal(signal.SIGTERM)
    desk.until_logged("The desk ends")
    assert (asked(f"{url}/healthz"), asked(f"{url}/readyz")) == ((200, "alive\n"), (503, "The desk is ending.\n"))
    client.allow(question)
    assert desk.ended()[0] == 0


def asked(url):
    """Status and body of an answer."""
    try:
        with urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells at once that a terminal is gone")
def test_a_desk_at_a_terminal_ends_with_it(serve, environment, tmp_path):
    outside, inside = pty.openpty()
    with warm.start(
        [warm.PROGRAM, "serve"],
        stdin=inside,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        env=environment,
        start_new_session=True,
    ) as process:
        os.close(inside)
        assert process.stdout.readline().startswith(b"The desk serves as")
        os.close(outside)
        assert process.wait(30) == 0


def test_check_looks_at_what_is_to_be_served(kiro):
    faces = '{use="http", port="many"}', '{use="acp", socket="/x/acp.sock"}'
    told = kiro("check", "--json", "--set", f"serve=[{', '.join(faces)}]")
    assert told.returncode == 1
    checks = json.loads(told.stdout)["checks"]
    transports = [(one["name"], one["outcome"]) for one in checks if one["kind"] == "transport"]
    assert transports == [("acp", "fine"), ("acp", "fine"), ("http", "broken")]
    assert any("port" in one["reason"] for one in checks)
    serve = json.loads(kiro("check", "--schema").stdout)["properties"]["serve"]
    assert {"enum": ["acp", "http", "crew", "mcp"]} in serve["items"]["anyOf"]
