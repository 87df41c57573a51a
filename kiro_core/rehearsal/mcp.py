"""The directive that calls a tool of an MCP server: the least of a host that makes a real server answer."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from kiro_core.rehearsal.turn import Turn, Unserved

if TYPE_CHECKING:
    from subprocess import Popen

_VERSION = "2025-06-18"
_PATIENCE_S = 30.0
_GRACE_S = 2.0


def mcp(turn: Turn, rest: str) -> None:
    """`/mcp SERVER TOOL [JSON]`: start this MCP server of the session, call its tool, say the answer, and end it."""
    name, tool, *given = rest.split(maxsplit=2)
    arguments = json.loads(given[0] if given else "{}")
    server = _server(turn, name)
    call = turn.call(f"@{name}/{tool}", "other")
    turn.update({"sessionUpdate": "tool_call", **call, "status": "in_progress", "rawInput": arguments})
    try:
        result = _called(turn, server, tool, arguments)
    except OSError as error:
        _report(turn, name, {"error": str(error)})
        _finish(turn, call, [{"type": "text", "text": str(error)}], failed=True)
        raise Unserved(f"The MCP server {name!r} does not answer: {error}.") from error
    _report(turn, name)
    blocks = [block for block in result.get("content") or () if isinstance(block, dict)]
    _finish(turn, call, blocks, failed=bool(result.get("isError")))
    turn.say("".join(str(block.get("text") or "") for block in blocks) or json.dumps(result))


def _server(turn: Turn, name: str) -> dict[str, Any]:
    for server in turn.session.params.get("mcpServers") or ():
        if server.get("name") == name:
            if server.get("type", "stdio") != "stdio":
                raise Unserved(f"The MCP server {name!r} is no program, and the rehearsal agent starts no other.")
            return dict(server)
    raise Unserved(f"The session has no MCP server {name!r}.")


def _called(turn: Turn, server: dict[str, Any], tool: str, arguments: Any) -> dict[str, Any]:
    """What the tool answers; the server ends in any case.

    Raises:
        OSError: it does not start, ends, refuses or takes too long.

    """
    import subprocess

    env = {one["name"]: one["value"] for one in server.get("env") or ()}
    process = subprocess.Popen(  # noqa: S603 - the client says what it is, and no shell
        [server["command"], *(server.get("args") or ())],
        cwd=turn.session.cwd,
        env={**os.environ, **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    patience = threading.Timer(_PATIENCE_S, process.kill)
    patience.start()
    try:
        return turn.beside(lambda: _asked(process, tool, arguments))
    finally:
        patience.cancel()
        _end(process)


def _asked(process: Popen[bytes], tool: str, arguments: Any) -> dict[str, Any]:
    about = {"name": "rehearsal", "version": "1"}
    _ask(process, 1, "initialize", {"protocolVersion": _VERSION, "capabilities": {}, "clientInfo": about})
    _send(process, {"method": "notifications/initialized"})
    return _ask(process, 2, "tools/call", {"name": tool, "arguments": arguments})


def _ask(process: Popen[bytes], number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    _send(process, {"id": number, "method": method, "params": params})
    for line in _stream(process.stdout):
        try:
            message = json.loads(line)
        except ValueError:
            continue  # what a server prints besides is no message
        if isinstance(message, dict) and message.get("id") == number and "method" not in message:
            if "error" in message:
                raise OSError(f"{method} failed: {message['error'].get('message')}")
            return dict(message.get("result") or {})
    raise OSError(f"it has ended before it had answered {method}")


def _send(process: Popen[bytes], message: dict[str, Any]) -> None:
    stdin = _stream(process.stdin)
    stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    stdin.flush()


def _stream(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("it has no pipe")
    return pipe


def _end(process: Popen[bytes]) -> None:
    """Close its stdin, which ends an MCP server, and kill one that does not listen."""
    import subprocess

    with suppress(OSError):
        _stream(process.stdin).close()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _finish(turn: Turn, call: dict[str, Any], blocks: list[dict[str, Any]], *, failed: bool) -> None:
    shown = [{"type": "content", "content": block} for block in blocks]
    status = {"toolCallId": call["toolCallId"], "status": "failed" if failed else "completed"}
    turn.update({"sessionUpdate": "tool_call_update", **status, "content": shown})


def _report(turn: Turn, name: str, failure: dict[str, str] | None = None) -> None:
    """Tell what became of the server, as agents do that report it when they have started it."""
    if turn.profile.has("reports-mcp"):
        method = "_kiro.dev/mcp/server_init_failure" if failure else "_kiro.dev/mcp/server_initialized"
        turn.wire.notify(method, {"sessionId": turn.session.id, "serverName": name, **(failure or {})})
