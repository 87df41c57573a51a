"""An agent that uses a tool: what it is asked for by a prompt it does with the MCP server that its session was given.

A prompt's text is JSON: `{starts, calls, tool, arguments, command?}`; `command` is another server, which takes the
place of the one of the session. The answer has under `_meta` what was measured: seconds of each start until the
answer of `initialize`, of each call of the last one, and the MiB that it then held.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SESSION = "5e551011-0000-4000-8000-000000000002"
_ABOUT = {"name": "benchmark", "version": "1"}
_HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": _ABOUT}
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Server:
    """An MCP server over stdio, from its start on."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        """Wait until it has answered `initialize`."""
        begins = time.perf_counter()
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env={**os.environ, **env}, bufsize=0)
        self._ids = 0
        self.ask("initialize", _HELLO)
        self.start_s = time.perf_counter() - begins
        self._say({"method": "notifications/initialized"})

    def ask(self, method: str, params: dict[str, Any]) -> float:
        """Seconds until the answer to a request is here."""
        self._ids += 1
        begins, read = time.perf_counter(), b""
        self._say({"id": self._ids, "method": method, "params": params})
        answer: dict[str, Any] = {}
        while answer.get("id") != self._ids:
            while not read.endswith(b"\n"):
                chunk = os.read(self._process.stdout.fileno(), 65536)  # type: ignore[union-attr] # it is a pipe
                if not chunk:
                    raise SystemExit(f"The server ended in the middle of {method}.")
                read += chunk
            answer, read = json.loads(read.splitlines()[-1]), b""
        took = time.perf_counter() - begins
        if "error" in answer or answer["result"].get("isError"):
            raise SystemExit(f"{method} failed: {answer}")
        return took

    def rss_mb(self) -> float:
        """The memory that it holds, in MiB; 0 where that cannot be read."""
        statm = Path(f"/proc/{self._process.pid}/statm")
        return int(statm.read_text().split()[1]) * _PAGE_BYTES / 2**20 if statm.exists() else 0.0

    def end(self) -> None:
        """Close its stdin, and wait."""
        self._process.stdin.close()  # type: ignore[union-attr] # it is a pipe
        self._process.stdout.close()  # type: ignore[union-attr] # the same
        self._process.wait(10)

    def _say(self, message: dict[str, Any]) -> None:
        os.write(self._process.stdin.fileno(), json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")  # type: ignore[union-attr] # it is a pipe


def measured(wanted: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Do what a prompt asks for with the server that `session/new` gave."""
    command = wanted.get("command") or [given["command"], *given["args"]]
    env = {} if "command" in wanted else {each["name"]: each["value"] for each in given["env"]}
    starts: list[float] = []
    for start in range(wanted["starts"]):
        server = Server(command, env)
        starts.append(server.start_s)
        if start + 1 < wanted["starts"]:
            server.end()
    call = {"name": wanted["tool"], "arguments": wanted["arguments"]}
    calls = [server.ask("tools/call", call) for _ in range(wanted["calls"])]
    rss_mb = server.rss_mb()
    server.end()
    return {"start_s": starts, "call_s": calls, "rss_mb": rss_mb}


def main() -> None:
    """Answer until stdin ends."""
    given: dict[str, Any] = {}
    for line in sys.stdin:
        message = json.loads(line)
        result: dict[str, Any] = {}
        if message.get("method") == "initialize":
            result = {"protocolVersion": 1, "agentCapabilities": {}}
        elif message.get("method") == "session/new":
            given = message["params"]["mcpServers"][0]
            result = {"sessionId": SESSION}
        elif message.get("method") == "session/prompt":
            wanted = json.loads(message["params"]["prompt"][0]["text"])
            result = {"stopReason": "end_turn", "_meta": {"measured": measured(wanted, given)}}
        if "id" in message:
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)


if __name__ == "__main__":
    main()
