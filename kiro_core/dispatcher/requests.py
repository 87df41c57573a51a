"""What a client's request has to say, checked once for every face."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kiro_core.errors import RpcError
from kiro_core.frames import Frame
from kiro_core.notices import MARK
from kiro_core.rpc import INVALID_PARAMS
from kiro_core.types import SessionId


def session_of(frame: Frame) -> SessionId:
    """The session that a request names.

    Raises:
        RpcError: it names none.

    """
    if not frame.session:
        raise RpcError(INVALID_PARAMS, f"{frame.method} needs a sessionId.")
    return SessionId(frame.session)


def folder_of(frame: Frame) -> Path:
    """The absolute folder that a request names (ACP: paths are absolute).

    Raises:
        RpcError: there is none, it is relative, or it is no folder.

    """
    cwd = frame.params.get("cwd")
    if not isinstance(cwd, str) or not Path(cwd).is_absolute():
        raise RpcError(INVALID_PARAMS, f"{frame.method} needs the absolute path of a folder as cwd.")
    if not Path(cwd).is_dir():
        raise RpcError(INVALID_PARAMS, f"There is no folder {cwd}.")
    return Path(cwd)


def servers_of(frame: Frame) -> None:
    """Check the list of MCP servers.

    Raises:
        RpcError: it is not a list of objects with names.

    """
    servers = frame.params.get("mcpServers")
    if servers is None:
        return
    if not isinstance(servers, list) or not all(
        isinstance(s, dict) and isinstance(s.get("name"), str) for s in servers
    ):
        raise RpcError(INVALID_PARAMS, f"{frame.method} needs mcpServers as a list of objects with a name.")


def prompt_of(frame: Frame) -> None:
    """Check a prompt.

    Raises:
        RpcError: it is not a list of content blocks.

    """
    prompt = frame.params.get("prompt")
    if not isinstance(prompt, list) or not prompt or not all(isinstance(block, dict) for block in prompt):
        raise RpcError(INVALID_PARAMS, f"{frame.method} needs a prompt: a list of content blocks.")


def wish(frame: Frame, key: str) -> Any:
    """What a request asks of the desk itself, `_meta.kiro_core.KEY`; None without it."""
    meta = frame.params.get("_meta")
    ours = meta.get(MARK) if isinstance(meta, dict) else None
    return ours.get(key) if isinstance(ours, dict) else None
