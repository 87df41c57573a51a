"""`terminal/*`: the client's own where it offers them, else commands that the launcher runs."""

import os
import signal
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import anyio
import pytest

from kiro_core.errors import Disconnected, RpcError
from kiro_core.frames import Frame
from kiro_core.session.services import own_terminals
from kiro_core.testing import RecordingClient

INVALID, MISSING, FAILED = -32602, -32002, -32603
UP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + UP


async def create(room, **params):
    return (await room.ask("terminal/create", **params))["terminalId"]


async def printed(room, terminal, words):
    """Ask for the output until it has these words, as an agent does."""
    while words not in (told := await room.ask("terminal/output", terminalId=terminal))["output"]:
        await anyio.lowlevel.checkpoint()
    return told


async def test_a_command_runs_and_its_output_and_its_end_can_be_asked_for(opened, w, python):
    code = "import os, sys; print(os.getcwd(), os.environ['X'], sys.stdin.read(), flush=True); sys.exit(3)"
    async with opened(RecordingClient()) as room:
        terminal = await create(room, **python(code), env=[{"name": "X", "value": "y"}])
        assert await room.ask("terminal/wait_for_exit", terminalId=terminal) == {"exitCode": 3, "signal": None}
        assert await room.ask("terminal/output", terminalId=terminal) == {
            "output": f"{w.resolve()} y \n",
            "truncated": False,
            "exitStatus": {"exitCode": 3, "signal": None},
        }
        assert await room.ask("terminal/release", terminalId=terminal) == {}


async def test_both_outputs_come_in_the_order_of_their_arrival(opened, python):
    code = (
        "import os, subprocess, sys\n"
        "for n in range(50): os.write(1 + n % 2, b'%d ' % n)\n"
        "subprocess.run([sys.executable, '-c', 'import os; os.write(2, b\"child\")'])"
    )
    async with opened(RecordingClient()) as room:
        terminal = await create(room, **python(code))
        await room.ask("terminal/wait_for_exit", terminalId=terminal)
        output = (await room.ask("terminal/output", terminalId=terminal))["output"]
    assert output == "".join(f"{n} " for n in range(50)) + "child"


async def test_the_output_so_far_is_told_while_it_runs(opened, python):
    async with opened(RecordingClient()) as room:
        terminal = await create(room, **python(UP))
        assert "exitStatus" not in await printed(room, terminal, "up\n")


async def test_there_is_no_shell_unless_the_agent_asks_for_one(opened):
    async with opened(RecordingClient()) as room:
        for params, output in (
            ({"command": "echo", "args": ["$HOME; id"]}, "$HOME; id\n"),
            ({"command": "sh", "args": ["-c", "echo $((1 + 1))"]}, "2\n"),
        ):
            terminal = await create(room, **params)
            await room.ask("terminal/wait_for_exit", terminalId=terminal)
            assert (await room.ask("terminal/output", terminalId=terminal))["output"] == output


@pytest.mark.parametrize(("code", "name"), [(UP, "SIGTERM"), (STUBBORN, "SIGKILL")])
async def test_killing_ends_a_command_and_keeps_its_output(opened, python, code, name):
    async with opened(RecordingClient(), grace_s=0.5) as room:
        terminal = await create(room, **python(code))
        await printed(room, terminal, "up")
        assert await room.ask("terminal/kill", terminalId=terminal) == {}
        ended = {"exitCode": None, "signal": name}
        assert await room.ask("terminal/wait_for_exit", terminalId=terminal) == ended
        told = await room.ask("terminal/output", terminalId=terminal)
        assert told == {"output": "up\n", "truncated": False, "exitStatus": ended}
        assert await room.ask("terminal/kill", terminalId=terminal) == {}


async def test_what_a_command_says_while_it_is_being_ended_is_kept(opened, python):
    code = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit('bye')); " + UP
    async with opened(RecordingClient()) as room:
        terminal = await create(room, **python(code))
        await printed(room, terminal, "up")
        await room.ask("terminal/kill", terminalId=terminal)
        assert (await room.ask("terminal/output", terminalId=terminal))["output"] == "up\nbye\n"


async def test_one_that_holds_the_output_open_from_afar_does_not_keep_a_command_running(opened, python):
    code = (
        "import os, time\n"
        "reading, writing = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.setsid(); print(os.getpid(), flush=True); os.close(writing); time.sleep(600)\n"
        "os.close(writing); os.read(reading, 1)\n"
    )
    async with opened(RecordingClient()) as room:
        terminal = await create(room, **python(code))
        far = int((await printed(room, terminal, "\n"))["output"])
        try:
            ended = await room.ask("terminal/wait_for_exit", terminalId=terminal)
        finally:
            with suppress(ProcessLookupError):  # it is ended too where it is found
                os.kill(far, signal.SIGKILL)
        assert ended == {"exitCode": 0, "signal": None}


async def test_the_end_of_a_long_output_is_kept_and_it_is_told(opened, python):
    async with opened(RecordingClient()) as room:
        code = "print('é' * 100000 + 'end', end='')"
        terminal = await create(room, **python(code), outputByteLimit=10)
        await room.ask("terminal/wait_for_exit", terminalId=terminal)
        told = await room.ask("terminal/output", terminalId=terminal)
        assert (told["output"], told["truncated"]) == ("éééend", True)
        terminal = await create(room, **python(code), outputByteLimit=0)
        await room.ask("terminal/wait_for_exit", terminalId=terminal)
        told = await room.ask("terminal/output", terminalId=terminal)
        assert (told["output"], told["truncated"]) == ("", True)


@pytest.mark.parametrize(
    ("params", "number", "sentence"),
    [
        ({}, INVALID, "The param command has to be a text."),
        ({"command": ""}, INVALID, "The param command is empty."),
        ({"command": "x", "args": "y"}, INVALID, "The param args has to be a list of texts."),
        ({"command": "x", "args": [1]}, INVALID, "The param args has to be a list of texts."),
        ({"command": "x", "env": {"a": "b"}}, INVALID, "The param env has to be a list of {name, value}."),
        ({"command": "x", "env": [{"name": "a"}]}, INVALID, "The param value has to be a text."),
        (
            {"command": "x", "env": [{"name": "a=", "value": ""}]},
            INVALID,
            "A name in the param env is empty or has an equals sign.",
        ),
        ({"command": "x", "cwd": "sub"}, INVALID, "The param cwd has to be an absolute path, not 'sub'."),
        ({"command": "x", "cwd": "/"}, INVALID, "/ is outside of the session's folders."),
        (
            {"command": "x", "outputByteLimit": -1},
            INVALID,
            "The param outputByteLimit has to be a whole number that is not negative.",
        ),
        ({"command": "no-such-program"}, FAILED, "There is no program 'no-such-program'."),
    ],
)
async def test_what_cannot_be_started_is_told_in_a_sentence(opened, params, number, sentence):
    async with opened(RecordingClient()) as room:
        assert await room.refused("terminal/create", **params) == (number, sentence)
    assert room.entries("terminal") == []


async def test_a_working_directory_inside_the_folders_is_used(opened, w, tmp_path):
    (w / "sub").mkdir()
    (tmp_path / "more").mkdir()
    async with opened(RecordingClient(), roots=[tmp_path / "more"]) as room:
        for folder in (w / "sub", tmp_path / "more"):
            terminal = await create(room, command="pwd", cwd=str(folder))
            await room.ask("terminal/wait_for_exit", terminalId=terminal)
            assert (await room.ask("terminal/output", terminalId=terminal))["output"] == f"{folder.resolve()}\n"
        gone = f"{w.resolve()}/gone"
        refused = await room.refused("terminal/create", command="pwd", cwd=f"{w}/gone")
        assert refused == (FAILED, f"The working directory {gone} does not exist.")


async def test_a_command_is_asked_for_with_all_of_it_and_its_variables_are_recorded_as_names(opened, w, statuses):
    client = RecordingClient()
    async with opened(client) as room:
        terminal = await create(room, command="echo", args=["a b", "c"], env=[{"name": "TOKEN", "value": "hunter2"}])
        await room.ask("terminal/wait_for_exit", terminalId=terminal)
        await room.ask("terminal/release", terminalId=terminal)
    call = client.questions[0].params["toolCall"]
    assert (call["title"], call["kind"]) == ("Run echo 'a b' c", "execute")
    told = {"command": "echo", "args": ["a b", "c"], "cwd": str(w.resolve())}
    assert call["rawInput"] == {**told, "env": {"TOKEN": "hunter2"}}
    (question,) = room.entries("question")
    assert question.frame.params["toolCall"]["rawInput"] == {**told, "env": ["TOKEN"]}
    assert "hunter2" not in str(room.log.bodies)
    assert statuses(client) == [("Run echo 'a b' c", "completed")]


async def test_always_means_this_very_command(opened, choosing):
    client = choosing("allow_always")
    async with opened(client) as room:
        for arguments in (["a"], ["a"], ["b"], ["a"]):
            await create(room, command="echo", args=arguments)
        with pytest.raises(RpcError):
            await create(room, command="echo", args=["a"], env=[{"name": "LD_PRELOAD", "value": "x"}])
    assert [o["kind"] for o in client.questions[-1].params["options"]] == ["allow_once", "reject_once"]
    assert [q.params["toolCall"]["title"] for q in client.questions] == ["Run echo a", "Run echo b", "Run echo a"]


async def test_what_is_not_allowed_is_not_run(opened, choosing, w):
    async with opened(choosing("reject_once")) as room:
        refused = await room.refused("terminal/create", command="touch", args=["made"])
        assert refused == (FAILED, "This was not allowed: Run touch made")
    assert list(w.iterdir()) == []


async def test_a_released_terminal_is_gone_and_recorded(opened, python):
    async with opened(RecordingClient()) as room:
        terminal = await create(room, **python("print('x' * 100000, 'end', sep='')"))
        await room.ask("terminal/wait_for_exit", terminalId=terminal)
        assert room.entries("terminal") == []
        await room.ask("terminal/release", terminalId=terminal)
        (ended,) = room.entries("terminal")
        assert ended.value["terminalId"] == terminal
        assert len(ended.value["output"]) == 64 * 1024
        assert ended.value["output"].endswith("xend\n")
        assert ended.value["truncated"]
        assert ended.value["exitStatus"] == {"exitCode": 0, "signal": None}
        for verb in ("output", "wait_for_exit", "kill", "release"):
            refused = await room.refused(f"terminal/{verb}", terminalId=terminal)
            assert refused == (MISSING, f"There is no terminal {terminal}.")


async def test_releasing_ends_a_command_that_runs_and_who_waits_for_it_is_told(opened, python):
    async with opened(RecordingClient()) as room:
        terminal = await create(room, **python(UP))
        await printed(room, terminal, "up")
        ends = []

        async def wait():
            ends.append(await room.ask("terminal/wait_for_exit", terminalId=terminal))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            await room.ask("terminal/release", terminalId=terminal)
        assert ends == [{"exitCode": None, "signal": "SIGTERM"}]


async def test_all_end_with_the_session_and_are_recorded(opened, python):
    async with opened(RecordingClient()) as room:
        running = await create(room, **python(UP))
        await printed(room, running, "up")
        ended = await create(room, **python("print('done')"))
        await room.ask("terminal/wait_for_exit", terminalId=ended)
        assert not room.services.busy
    outputs = {item.value["terminalId"]: item.value["output"] for item in room.entries("terminal")}
    assert outputs == {running: "up\n", ended: "done\n"}


async def test_a_session_that_is_cancelled_ends_them_too(opened, python):
    with anyio.CancelScope() as scope:
        async with opened(RecordingClient()) as room:
            terminal = await create(room, **python(UP))
            await printed(room, terminal, "up")
            scope.cancel()
            await anyio.sleep_forever()
    (ended,) = room.entries("terminal")
    assert ended.value["exitStatus"] == {"exitCode": None, "signal": "SIGTERM"}


async def test_what_fails_in_the_session_leaves_as_it_is(opened, python):
    rooms = []

    async def fail():
        async with opened(RecordingClient()) as room:
            rooms.append(room)
            await create(room, **python(UP))
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await fail()
    assert len(rooms[0].entries("terminal")) == 1


async def test_there_is_a_bound_to_their_number(opened, python, monkeypatch):
    monkeypatch.setattr(own_terminals, "MAX_TERMINALS", 2)
    async with opened(RecordingClient()) as room:
        first, _ = [await create(room, command="true") for _ in range(2)]
        refused = await room.refused("terminal/create", command="true")
        assert refused == (FAILED, "2 terminals are open already; release one.")
        await room.ask("terminal/release", terminalId=first)
        await create(room, command="true")


async def test_who_takes_a_request_back_leaves_the_terminal_alone(opened, python):
    async with opened(RecordingClient()) as room:
        terminal = await create(room, **python("input() if 0 else __import__('time').sleep(600)"))
        with anyio.move_on_after(0):
            await room.ask("terminal/wait_for_exit", terminalId=terminal)
        assert not room.services.busy
        assert "exitStatus" not in await room.ask("terminal/output", terminalId=terminal)


class Launched:
    """A launcher that hangs at its start, or fails at the end of a process."""

    def __init__(self, launcher, *, hangs=False):
        self.launcher, self.hangs = launcher, hangs

    @asynccontextmanager
    async def launch(self, command):
        if self.hangs:
            await anyio.sleep_forever()
        async with self.launcher.launch(command) as process:
            yield process
        raise RuntimeError("broken at the end")

    async def sweep(self):
        return ()


async def test_a_launcher_that_hangs_is_told(opened):
    async with opened(RecordingClient(), start_s=0.05) as room:
        room.tools = replace(room.tools, launcher=Launched(None, hangs=True))
        refused = await room.refused("terminal/create", command="true")
        assert refused == (FAILED, "The command did not start within 0.05 s.")
        assert await room.refused("terminal/output", terminalId="x") == (MISSING, "There is no terminal x.")


async def test_a_launcher_that_fails_behind_a_command_ends_no_session(opened, caplog):
    async with opened(RecordingClient()) as room:
        room.tools = replace(room.tools, launcher=Launched(room.tools.launcher))
        terminal = await create(room, command="echo", args=["hi"])
        assert (await room.ask("terminal/wait_for_exit", terminalId=terminal))["exitCode"] == 0
        assert (await room.ask("terminal/output", terminalId=terminal))["output"] == "hi\n"
    assert "broken at the end" in caplog.text


async def test_a_method_that_nobody_knows_is_refused(opened):
    async with opened(RecordingClient()) as room:
        assert await room.refused("terminal/resize") == (-32601, "The client does not offer terminal/resize.")


# Terminals of the client.


def desk(outputs=None, ids=("t-1",)):
    """Answers of a client that has terminals; `outputs` is what `terminal/output` results in."""
    names = iter(ids)

    async def answer(frame):
        if frame.method == "terminal/create":
            return Frame.answer({"terminalId": next(names)})
        if frame.method == "terminal/output":
            return Frame.answer(outputs) if outputs else Frame.failure(-32603, "broken")
        if frame.method == "terminal/wait_for_exit":
            return Frame.answer({"exitCode": 0})
        return Frame.answer({})

    return answer


async def test_a_client_that_offers_terminals_runs_them_and_their_output_is_recorded(opened, able):
    output = {"output": "é" * 40000, "truncated": False, "exitStatus": {"exitCode": 0}}
    client = able("terminal", answer=desk(output))
    async with opened(client) as room:
        assert await create(room, command="x") == "t-1"
        assert await room.ask("terminal/output", terminalId="t-1") == output
        assert await room.ask("terminal/wait_for_exit", terminalId="t-1") == {"exitCode": 0}
        assert await room.ask("terminal/kill", terminalId="t-1") == {}
        assert await room.ask("terminal/release", terminalId="t-1") == {}
        assert (await room.refused("terminal/release", terminalId="t-1"))[0] == MISSING
    asked = ["create", "output", "wait_for_exit", "kill", "output", "release"]
    assert [question.method for question in client.questions] == [f"terminal/{verb}" for verb in asked]
    assert {question.session for question in client.questions} == {"ours"}
    (ended,) = room.entries()
    assert ended.kind == "terminal"
    assert ended.value == {"terminalId": "t-1", **output, "output": "é" * 32768, "truncated": True}


async def test_a_client_that_does_not_tell_the_output_still_releases(opened, able):
    client = able("terminal", answer=desk())
    async with opened(client) as room:
        await create(room, command="x")
        assert await room.ask("terminal/release", terminalId="t-1") == {}
    assert room.entries() == []


async def test_a_clients_terminals_end_with_the_session(opened, able):
    output = {"output": "so far", "truncated": True}
    client = able("terminal", answer=desk(output, ["t-1", "t-2"]))
    async with opened(client) as room:
        await create(room, command="x")
        await create(room, command="x")
    released = [q.params["terminalId"] for q in client.questions if q.method == "terminal/release"]
    assert sorted(released) == ["t-1", "t-2"]
    assert {item.value["terminalId"]: item.value["output"] for item in room.entries()} == {
        "t-1": "so far",
        "t-2": "so far",
    }


async def test_a_client_that_is_gone_takes_its_terminals_along_and_ours_stay(opened, able, python):
    client = able("terminal", answer=desk())
    async with opened(client) as room:
        await create(room, command="x")
        room.clients.leave(client)
        room.join(RecordingClient())
        refused = await room.refused("terminal/output", terminalId="t-1")
        assert refused == (MISSING, "The terminal t-1 was its client's, who is gone.")
        ours = await create(room, **python("print('ours')"))
        room.clients.leave(room.client)
        assert (await room.ask("terminal/wait_for_exit", terminalId=ours))["exitCode"] == 0


async def test_a_client_that_breaks_off_at_the_end_holds_nobody_up(opened, able):
    async def breaking(frame):
        if frame.method == "terminal/create":
            return Frame.answer({"terminalId": "t-1"})
        raise Disconnected("gone")

    async with opened(able("terminal", answer=breaking)) as room:
        await create(room, command="x")
    assert room.entries() == []
