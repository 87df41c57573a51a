"""Asks the desk that serves the sessions of these settings: how it is, to read its settings again, to end."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.lowlevel

from kiro_core.cli.failing import DONE, FAILED
from kiro_core.cli.options import Given
from kiro_core.cli.progress import progress
from kiro_core.cli.serve.showing import print_status
from kiro_core.cli.text import show, tell, tell_failure
from kiro_core.control import Reached, reach, served_socket, served_sockets, who_serves
from kiro_core.errors import Disconnected, PluginError, SettingsError, UnknownName

T = TypeVar("T")

_MARGIN_S = 15.0
"""What an end may take besides its limits."""


def show_status(given: Given, *, as_json: bool) -> int:
    """Print how the desk is; 1 when there is none."""
    path = _place(given)
    try:
        told = _asked(path, Reached.status)
    except Disconnected as error:
        if as_json:
            show(json.dumps({"running": False, "socket": str(path), "reason": str(error)}, indent=2) + "\n")
            return FAILED
        return _tell_absent(error, path)
    if as_json:
        show(json.dumps({"running": True, "socket": str(path), **told}, indent=2) + "\n")
    else:
        print_status(told, path)
    return DONE


def ask_to_reload(given: Given) -> int:
    """Have the settings read again, and print the report; 1 when there is no desk.

    Raises:
        SettingsError: they are wrong, and nothing has changed.

    """
    path = _place(given)
    try:
        told = _asked(path, Reached.reload)
    except Disconnected as error:
        return _tell_absent(error, path)
    show(f"{told['report']}\n")
    return DONE


def ask_to_end(given: Given) -> int:
    """Have the desk end, and wait for that; 1 when there is none, or it does not end in time."""
    path = _place(given)
    try:
        return _asked(path, _ended)
    except Disconnected as error:
        return _tell_absent(error, path)


def _place(given: Given) -> Path:
    """Where the desk is; with settings that cannot be used, the only one that is served.

    Raises:
        SettingsError, UnknownName, PluginError: they cannot be used, and there is none or more than one.

    """
    try:
        return served_socket(*given.load())
    except (SettingsError, UnknownName, PluginError):
        if len(found := served_sockets()) == 1:
            return found[0]
        raise


def _asked(path: Path, work: Callable[[Reached], Awaitable[T]]) -> T:
    async def reached() -> T:
        async with reach(path) as desk:
            return await work(desk)

    return anyio.run(reached, backend="asyncio")


def _tell_absent(error: Disconnected, path: Path) -> int:
    hint = "`kiro-core serve --background` starts one."
    if (owner := who_serves(path)) is not None:
        hint = (
            f"Its process lives, but cannot be asked: see what it does, or end it (pid {owner.get('pid', 'unknown')})."
        )
    tell_failure(f"No desk answers for these sessions: {error}", hint)
    return FAILED


async def _ended(desk: Reached) -> int:
    pid = desk.hello["pid"]
    with _process(pid) as gone:
        told = await desk.stop()
        tell(f"The desk (pid {pid}) ends. Turns that run: {told['turns']}; they have {told['drain_s']:g} s.")
        limit_s = told["drain_s"] + told["shutdown_s"] + _MARGIN_S
        with anyio.move_on_after(limit_s):
            async with progress("waiting for its end"):
                await desk.ended.wait()
                await gone()
            tell("It has ended.")
            return DONE
    tell_failure(f"The desk (pid {pid}) has not ended within {limit_s:g} s.", "Its log may say what it waits for.")
    return FAILED


@contextmanager
def _process(pid: int) -> Iterator[Callable[[], Awaitable[None]]]:
    """A wait for the end of that very process, where the system has one (Linux); elsewhere it waits for nothing."""
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):
        yield anyio.lowlevel.checkpoint
        return
    try:
        yield partial(anyio.wait_readable, handle)
    finally:
        os.close(handle)
