"""What a client is told about logging in to the agent program that is behind us."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiro_core.types import Engine, PeerInfo

TERMINAL_LOGIN = "kiro-core-login"
"""The id of our own method, which runs in a terminal."""


def logins_of(engine: Engine, client: PeerInfo) -> list[dict[str, Any]]:
    """The `authMethods` for a client: the engine's over the wire, and ours where the client has a terminal."""
    methods = over_the_wire(engine.logins)
    if (engine.login or methods) and _offers_a_terminal(client):
        methods.append(_in_a_terminal(engine))
    return methods


def over_the_wire(methods: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those of an engine's methods that need no terminal of its own.

    A client would start *us* with the arguments of a terminal method (ACP "Authentication"), and they
    are not meant for us. Marks that agents put on others for the same purpose are taken off.
    """
    return [_unmarked(method) for method in methods if method.get("type") != "terminal"]


def own_program() -> str:
    """The absolute path of the command `kiro-core`: what runs now, else what stands beside this Python."""
    running, beside = Path(sys.argv[0]), Path(sys.executable).with_name("kiro-core")
    if running.name == "kiro-core" and running.exists():
        return str(running.absolute())
    if beside.exists():
        return str(beside)
    import shutil

    return shutil.which("kiro-core") or "kiro-core"


def _unmarked(method: Mapping[str, Any]) -> dict[str, Any]:
    meta = method.get("_meta")
    if not isinstance(meta, Mapping):
        return dict(method)
    marks = {"terminal-auth"} | ({"type", "args"} if meta.get("type") == "terminal" else set())
    kept = {key: value for key, value in meta.items() if key not in marks}
    told = {key: value for key, value in method.items() if key != "_meta"}
    return {**told, "_meta": kept} if kept else told


def _offers_a_terminal(client: PeerInfo) -> bool:
    """`auth.terminal` of the protocol, or the mark that clients used before it was there."""
    meta = client.raw.get("_meta")
    return "login-terminal" in client.abilities or (isinstance(meta, Mapping) and meta.get("terminal-auth") is True)


def _in_a_terminal(engine: Engine) -> dict[str, Any]:
    title = f"Log in to {engine.title or engine.name} in a terminal"
    # A client adds `args` to the command by which it starts us; older ones run what `_meta` names instead.
    older = {"label": title, "command": own_program(), "args": ["engines", "login", engine.name], "env": {}}
    return {
        "id": TERMINAL_LOGIN,
        "name": title,
        "description": f"Runs: kiro-core engines login {engine.name}",
        "type": "terminal",
        "args": ["--login", engine.name],
        "_meta": {"terminal-auth": older},
    }
