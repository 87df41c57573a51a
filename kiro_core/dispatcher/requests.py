"""What a client's request has to say, checked once for every face."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kiro_core.errors import RpcError
from kiro_core.frames import Frame
from kiro_core.messages import MARK
from kiro_core.rpc import INVALID_PARAMS
from kiro_core.session import CONTROLLER, OBSERVER
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


def prompt_of(frame: Frame) -> Frame:
    """A checked prompt; Kiro's clients may call its list of blocks `content` (kiro.dev, ACP example).

    Raises:
        RpcError: it is not a list of content blocks.

    """
    params = dict(frame.params)
    if "prompt" not in params and "content" in params:
        params["prompt"] = params.pop("content")
        frame = Frame.of("session/prompt", params, id=0)
    prompt = params.get("prompt")
    if not isinstance(prompt, list) or not prompt or not all(isinstance(block, dict) for block in prompt):
        raise RpcError(INVALID_PARAMS, f"{frame.method} needs a prompt: a list of content blocks.")
    return frame


def roots_of(frame: Frame) -> list[str]:
    """The folders that a request names besides `cwd` (ACP: `additionalDirectories`, absolute paths).

    Raises:
        RpcError: one is relative, or is no folder.

    """
    roots = frame.params.get("additionalDirectories") or []
    if not isinstance(roots, list) or not all(isinstance(root, str) and Path(root).is_absolute() for root in roots):
        raise RpcError(INVALID_PARAMS, f"{frame.method} takes additionalDirectories as a list of absolute paths.")
    for root in roots:
        if not Path(root).is_dir():
            raise RpcError(INVALID_PARAMS, f"There is no folder {root}.")
    return roots


def busy_wish(frame: Frame) -> str:
    """What to do with a prompt of a busy session, `_meta.kiro_core.whenBusy`; "queue" without it.

    Raises:
        RpcError: it is none of "queue", "reject" and "interrupt".

    """
    asked = wish(frame, "whenBusy") or "queue"
    if asked not in ("queue", "reject", "interrupt"):
        raise RpcError(INVALID_PARAMS, f'whenBusy is "queue", "reject" or "interrupt", not {asked!r}.')
    return str(asked)


def role_wish(frame: Frame) -> str:
    """What a client wants to be at a session, `_meta.kiro_core.role`; a controller without it.

    Raises:
        RpcError: it is neither "controller" nor "observer".

    """
    asked = wish(frame, "role") or CONTROLLER
    if asked not in (CONTROLLER, OBSERVER):
        raise RpcError(INVALID_PARAMS, f'role is "{CONTROLLER}" or "{OBSERVER}", not {asked!r}.')
    return str(asked)


def cursor_wish(frame: Frame) -> int | None:
    """The number of the last record that a client was shown, `_meta.kiro_core.after`; None without it.

    Raises:
        RpcError: it is no such number.

    """
    asked = wish(frame, "after")
    if asked is not None and (type(asked) is not int or asked < 0):
        raise RpcError(INVALID_PARAMS, f"after is the number of a record, not {asked!r}.")
    return asked


def named(frame: Frame, key: str) -> str:
    """A name that a request gives the desk as a wish; `""` without it.

    Raises:
        RpcError: it is no text.

    """
    name = wish(frame, key)
    if not isinstance(name, str | None):
        raise RpcError(INVALID_PARAMS, f"_meta.kiro_core.{key} is a name, not {name!r}.")
    return name or ""


def texts(frame: Frame, key: str) -> list[str] | None:
    """A list of names that a request gives the desk as a wish; None without it.

    Raises:
        RpcError: it is no such list.

    """
    listed = wish(frame, key)
    if listed is None:
        return None
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise RpcError(INVALID_PARAMS, f"_meta.kiro_core.{key} is a list of names, not {listed!r}.")
    return listed


def wish(frame: Frame, key: str) -> Any:
    """What a request asks of the desk itself, `_meta.kiro_core.KEY`; None without it."""
    meta = frame.params.get("_meta")
    ours = meta.get(MARK) if isinstance(meta, dict) else None
    return ours.get(key) if isinstance(ours, dict) else None
