"""What was known of kiro-cli-mcp and is absent here, as far as no other test shows it: docs/mcp.md has the table."""

import ast
import json
import logging
import os
import re
import shlex
import signal
import sys
from functools import partial
from pathlib import Path

import anyio
import pytest

import kiro_acp
import kiro_agents
import kiro_core
import kiro_files
import kiro_local
import kiro_mcp

REHEARSAL = shlex.join([sys.executable, "-P", "-m", "kiro_core.rehearsal"])


@pytest.fixture
def era():
    """What a session is does not depend on what its host speaks."""
    return "legacy"


class Tree:
    """An engine whose agents and what they start hold a pipe open."""

    def __init__(self, path):
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.command = ["sh", "-c", f"exec 9>{shlex.quote(str(path))}; sleep 600 & exec {REHEARSAL}"]

    def is_there(self):
        try:
            return os.read(self._fd, 1) != b""
        except BlockingIOError:
            return True

    def close(self):
        os.close(self._fd)


@pytest.fixture
def tree(tmp_path):
    tree = Tree(tmp_path / "held")
    yield tree
    tree.close()


async def begin(host, message, session):
    """A turn that runs, by its task."""
    return (await host.call("kiro_chat_async", message=message, session_id=session))["task_id"]


async def outcome(host, task):
    """Wait until a task is done; how it stands then."""
    return (await host.finished(task))[-1]


async def new(host, **arguments):
    """A new session's id."""
    return (await host.call("kiro_session_create", **arguments))["id"]


async def test_ending_a_session_delays_no_other_call_and_leaves_no_process(opened_host, tree):
    patient = {"limits": {"close_s": 60}, "launcher": {"use": "local", "grace_s": 60}}
    async with opened_host(engines={"tree": tree.command}, **patient) as host, anyio.create_task_group() as tasks:
        stubborn, other = await new(host, engine="tree"), await new(host)
        await host.call("kiro_chat", message="/ignore-term", session_id=stubborn)
        pid = int((await host.desk.info(stubborn)).agent_session.rpartition("-")[2])
        ended = anyio.Event()

        async def end():
            await host.call("kiro_session_end", session_id=stubborn)
            ended.set()

        tasks.start_soon(end)
        assert (await host.call("kiro_chat", message="/echo here", session_id=other))["content"] == "here"
        third = await new(host)
        await host.call("kiro_session_end", session_id=third)
        assert tree.is_there()
        assert not ended.is_set()
        os.kill(pid, signal.SIGKILL)
        await ended.wait()
        assert not tree.is_there()


async def test_two_sessions_of_one_folder_share_nothing(opened_host):
    async with opened_host() as host:
        sessions = {await new(host): marker for marker in ("apple", "pear")}
        for session, marker in sessions.items():
            await host.call("kiro_chat", message=f"/echo {marker}", session_id=session)
        for session, marker in sessions.items():
            history = (await host.call("kiro_history", session_id=session))["history"]
            assert [(said["role"], said["content"]) for said in history] == [
                ("user", f"/echo {marker}"),
                ("assistant", marker),
            ]


async def test_clearing_a_session_begins_a_new_context_and_deletes_no_file(opened_host, folder):
    foreign = folder / ".kiro" / "session.json"
    foreign.parent.mkdir()
    foreign.write_text("{}")
    async with opened_host() as host:
        session = await new(host)
        await host.call("kiro_chat", message="/echo before", session_id=session)
        known = (await host.desk.info(session)).agent_session
        cleared = await host.call("kiro_session_clear", session_id=session)
        assert (cleared["success"], cleared["session_id"]) == (True, session)
        assert (await host.desk.info(session)).agent_session != known
        assert (await host.call("kiro_chat", message="/echo after", session_id=session))["content"] == "after"
    assert foreign.read_text() == "{}"


async def test_a_task_that_ends_while_it_is_cancelled_has_one_outcome(opened_host):
    async with opened_host() as host:
        session = await new(host)
        for _ in range(10):
            task = await begin(host, "/echo done", session)
            answers = []

            async def cancel(task=task, answers=answers):
                answers.append((await host.call("kiro_task_cancel", task_id=task))["success"])

            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(cancel)
            ended = (await outcome(host, task))["status"]
            assert ended in ("completed", "cancelled")
            assert (await outcome(host, task))["status"] == ended
            assert (await host.call("kiro_task_cancel", task_id=task))["success"] is False


async def test_calls_of_every_kind_at_once_leave_each_session_and_task_in_one_state(opened_host):
    async with opened_host() as host:
        first, second = await new(host), await new(host)
        begun = []

        async def work(session):
            task = await begin(host, "/echo one\n/sleep 600", session)
            begun.append(task)
            await host.call("kiro_session_switch", session_id=session)
            listed = await host.call("kiro_session_list")
            assert listed["active_session_id"] in (first, second)
            assert listed["count"] == 2
            assert task in [one["task_id"] for one in (await host.call("kiro_task_list"))["tasks"]]
            await host.call("kiro_task_cancel", task_id=task)

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(work, first)
                tasks.start_soon(work, second)
        assert len(set(begun)) == 10
        assert {(await outcome(host, task))["status"] for task in begun} == {"cancelled"}
        assert (await host.call("kiro_task_list"))["count"] == 0
        async with anyio.create_task_group() as tasks:
            for session in (first, second, first, second):
                tasks.start_soon(partial(host.raw, "kiro_session_end", session_id=session))
        assert await host.call("kiro_session_list") == {"sessions": [], "active_session_id": None, "count": 0}


async def test_what_is_shown_is_whole_characters_without_control_sequences_and_is_not_logged(opened_host, caplog):
    caplog.set_level(logging.DEBUG)
    async with opened_host() as host:
        session = await new(host)
        message = "/echo \x1b[31mgr\u00fc\U0001f951n\x1b[0m and secret"
        assert (await host.call("kiro_chat", message=message, session_id=session))["content"] == "grü🥑n and secret"
        many = await host.call("kiro_chat", message="\U0001f951" * 5000, session_id=session)
        assert many["content"].count("\U0001f951") == 5000
        assert "\ufffd" not in many["content"]
    ours = [record for record in caplog.records if record.name.startswith("kiro")]
    assert not [record for record in ours if "secret" in record.getMessage() or "\U0001f951" in record.getMessage()]


async def test_there_is_no_pool_and_no_agent_outlives_its_server(opened_host, tree):
    async with opened_host(engines={"tree": tree.command}) as host:
        assert await host.call("kiro_pool_stats") == {"pool_stats": {"enabled": False}}
        await host.call("kiro_chat", message="/echo here", session_id=await new(host, engine="tree"))
        assert tree.is_there()
    assert not tree.is_there()


async def test_a_message_reaches_the_agent_as_it_is_whatever_prompts_there_are(opened_host, home, folder):
    (home / "agents").mkdir(parents=True)
    (home / "agents" / "review.json").write_text(json.dumps({"name": "review", "prompt": "Review strictly."}))
    async with opened_host() as host:
        prompts = (await host.call("kiro_prompts_list"))["prompts"]
        assert ("review", False) in [(prompt["name"], prompt["always_apply"]) for prompt in prompts]
        session = await new(host)
        said = (await host.call("kiro_chat", message="/blocks", session_id=session))["content"]
        assert json.loads(said) == [{"type": "text", "text": "/blocks"}]
        (open_one,) = (await host.call("kiro_session_list"))["sessions"]
        assert open_one["working_directory"] == str(folder)
        assert (await host.call("kiro_history", session_id=session))["count"] == 2


UNSAFE = {
    ("os", "fork"),
    ("os", "forkpty"),
    ("pty", "fork"),
    ("signal", "signal"),
    ("signal", "setitimer"),
    ("signal", "set_wakeup_fd"),
    ("loop", "add_signal_handler"),
    ("atexit", "register"),
}
"""What runs code of ours where hardly any may run: between fork and exec, in a signal handler, at the end."""


def unsafe(tree):
    """What of it a module does, by line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in UNSAFE:
                yield node.lineno, f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, one.name) for one in node.names if (node.module, one.name) in UNSAFE)
        elif isinstance(node, ast.keyword) and node.arg == "preexec_fn":
            yield node.value.lineno, node.arg


def test_no_code_of_ours_runs_after_a_fork_in_a_signal_handler_or_at_exit():
    assert [
        what for _, what in unsafe(ast.parse("signal.signal(1, f)\nPopen(x, preexec_fn=f)\nfrom os import fork"))
    ] == [
        "fork",
        "signal.signal",
        "preexec_fn",
    ]
    packages = (kiro_core, kiro_mcp, kiro_local, kiro_acp, kiro_files, kiro_agents)
    sources = [path for package in packages for path in Path(package.__file__).parent.rglob("*.py")]
    ours = [path for path in sources if "rehearsal" not in path.parts]  # an agent, which may do as agents do
    found = {str(path): list(unsafe(ast.parse(path.read_text("utf-8")))) for path in ours}
    # It puts Python's own handler in place while plugins are imported, and back what was there.
    (interrupting,) = [path for path in found if path.endswith("cli/interrupting.py")]
    assert {what for _, what in found.pop(interrupting)} == {"signal.signal"}
    assert "signal.default_int_handler" in Path(interrupting).read_text("utf-8")
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert len(ours) > 200


async def test_times_are_utc_ids_are_long_and_an_unknown_id_leaves_nothing_behind(opened_host):
    async with opened_host() as host:
        created = await host.call("kiro_session_create")
        answer = await host.call("kiro_chat", message="/echo Hello", session_id=created["id"])
        history = (await host.call("kiro_history", session_id=created["id"]))["history"]
        for time in (created["created_at"], created["last_active"], answer["timestamp"], history[-1]["timestamp"]):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", time)
        assert len(re.sub(r"[^0-9a-f]", "", created["id"])) >= 30
        before = host.desk.status()["sessions"]
        for _ in range(3):
            failure = await host.fails("kiro_chat", message="Hello", session_id="none")
            assert failure["code"] == "SESSION_NOT_FOUND"
        assert host.desk.status()["sessions"] == before
