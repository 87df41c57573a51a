"""The terminals of an editor: an agent asks for a command to be run and reads its output."""

import os
import subprocess

import anyio


class Terminals:
    """Answers the `terminal/` requests of ACP; `commands` has what was run."""

    def __init__(self, tasks, cwd):
        self.commands = []
        self._tasks = tasks
        self._cwd = cwd  # for an agent that names no folder
        self._open = {}

    async def answer(self, method, params):
        """The result of one request."""
        verb = method.removeprefix("terminal/")
        if verb == "create":
            return await self._create(params)
        terminal = self._open[params["terminalId"]]
        if verb in {"kill", "release"} and terminal.process.returncode is None:
            terminal.process.kill()
        if verb == "wait_for_exit":
            await terminal.ended.wait()
        status = {"exitCode": terminal.process.returncode, "signal": None}
        if verb == "output":
            return {"output": terminal.output, "truncated": False} | (
                {"exitStatus": status} if terminal.ended.is_set() else {}
            )
        return status if verb == "wait_for_exit" else {}

    async def _create(self, params):
        command = [params["command"], *params.get("args", ())]
        self.commands.append(command)
        env = os.environ | {entry["name"]: entry["value"] for entry in params.get("env") or ()}
        process = await anyio.open_process(
            command if "args" in params else command[0],
            stderr=subprocess.STDOUT,
            cwd=params.get("cwd") or self._cwd,
            env=env,
        )
        id_ = f"terminal-{len(self.commands)}"
        self._open[id_] = terminal = _Terminal(process)
        self._tasks.start_soon(terminal.follow)
        return {"terminalId": id_}


class _Terminal:
    def __init__(self, process):
        self.process, self.output, self.ended = process, "", anyio.Event()

    async def follow(self):
        async for chunk in self.process.stdout:
            self.output += chunk.decode()
        await self.process.wait()
        self.ended.set()
