"""One real agent program as an engine of ours, with a home, settings and a folder to work in of its own."""

import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from real.editor import PROGRAM, editor
from real.installed import path_of
from real.programs import PROGRAMS

_LIMIT_S = 120


class Agent:
    """The agent `name`, which speaks to `model`; all that it writes is below `root`."""

    def __init__(self, name, model, root):
        self.name, self.program, self.model = name, PROGRAMS[name], model
        self.home, self.work, self.stderr = root / "home", root / "work", root / "stderr"
        self.work.mkdir(parents=True)
        self._write(".kiro/kiro.toml", self._settings())
        for path, text in self.program.files.items():
            self._write(path, self._filled(text))

    @asynccontextmanager
    async def session(self, *, terminals=True):
        """An editor, with terminals of its own or without, and the id of its new session."""
        with anyio.fail_after(_LIMIT_S):
            async with editor(self.work, self.name, self._environment(), self.stderr) as client:
                await client.ask("initialize", protocolVersion=1, clientCapabilities={"terminal": terminals})
                answer = await client.ask("session/new", cwd=str(self.work), mcpServers=[])
                assert "result" in answer, answer
                yield client, answer["result"]["sessionId"]

    async def probe(self):
        """What `kiro-core engines` learns of it."""
        with anyio.fail_after(_LIMIT_S):
            command = [PROGRAM, "engines", "--probe", self.name, "--json"]
            return json.loads((await anyio.run_process(command, cwd=self.work, env=self._environment())).stdout)

    def place(self, session):
        """The parameters that open a session of its folder again."""
        return {"sessionId": session, "cwd": str(self.work), "mcpServers": []}

    def running(self, command, *, leaving=False):
        """A prompt that makes the model run a command in the folder; it may have to be `leaving` a sandbox."""
        tool, argument = self.program.shell
        arguments = {argument: command} | (self.program.leaving if leaving else {})
        return f"[[call {tool} {json.dumps(arguments)}]]"

    def _settings(self):
        """Its engine; a JSON string is a TOML string."""
        env = {name: self._filled(value) for name, value in self.program.env.items()}
        lines = [f"[engines.{self.name}.env]", *(f"{name} = {json.dumps(value)}" for name, value in env.items())]
        if self.program.command:
            lines[:0] = [f"[engines.{self.name}]", f"command = {json.dumps(self.program.command)}"]
        return "\n".join(lines)

    def _environment(self):
        """No more than a person's shell has, and no way to any other machine."""
        path = [path_of(self.name), Path(sys.executable).parent, os.environ["PATH"]]
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), self.model.url)
        return proxies | {
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "NO_PROXY": "127.0.0.1",
            "PATH": os.pathsep.join(map(str, path)),
            "no_proxy": "127.0.0.1",
        }

    def _filled(self, text):
        return text.replace("{url}", self.model.url).replace("{home}", str(self.home))

    def _write(self, path, text):
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
