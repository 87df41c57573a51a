"""Changes what a session goes on with: its agent configuration, its engine, or what the configuration says today."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given, choosing, command
from kiro_core.cli.text import one_line, tell

if TYPE_CHECKING:
    from kiro_core.cli.opening import Opened
    from kiro_core.frames import Frame
    from kiro_core.ports import Agent
    from kiro_core.types import SessionInfo

_SWAPS = ("kiro-core sessions swap 3f2a --engine codex", "kiro-core sessions swap 3f2a --agent review")


@click.command(epilog=example(*_SWAPS))
@click.argument("session", metavar="ID", shell_complete=session_ids)
@choosing
@command
def swap(given: Given, *, session: str, agent: str, engine: str) -> int:
    """Go on with another agent configuration or another agent program; the conversation stays.

    A session that another process works on is changed there, after the turn that runs; everybody who is at it is
    told. Another agent program is told the conversation as text. When the change fails, nothing has changed.
    The beginning of an ID is enough.
    """
    # The agent first: it can be given back at once when the engine cannot be had.
    wanted = {name: value for name, value in (("agent", agent), ("engine", engine)) if value}
    if not wanted:
        raise click.UsageError("There is nothing to change: write --agent NAME or --engine NAME.")

    async def change(opened: Opened, served: Agent, info: SessionInfo) -> None:
        from kiro_core.errors import KiroError

        # One that is not at work elsewhere was opened with what is wanted; what differs now is to be set.
        before, changed = opened.about, []
        try:
            for option, value in wanted.items():
                if before[option] != value:
                    await _set(served, opened.session, option, value)
                    changed.append(option)
        except KiroError:
            for option in changed:
                await _set(served, opened.session, option, before[option])
            raise
        for option, value in wanted.items():
            had = getattr(info, option)
            tell(
                f"{opened.session}: {option} {value} already"
                if had == value
                else f"{info.id}: {option} {had} -> {value}"
            )

    return _at_session(given, session, change, agent=agent, engine=engine)


@click.command(epilog=example("kiro-core sessions reload 3f2a"))
@click.argument("session", metavar="ID", shell_complete=session_ids)
@command
def reload(given: Given, *, session: str) -> int:
    """Use a session's agent configuration as its file says today; until then an edit changes nothing.

    The beginning of an ID is enough.
    """

    async def change(opened: Opened, served: Agent, _: SessionInfo) -> None:
        from kiro_core import messages
        from kiro_core.rpc import result
        from kiro_core.session.own_methods import RELOAD

        answer = await served.call(messages.about(RELOAD, opened.session))
        told = result(answer, "The agent configuration was not read again")
        tell(f"{opened.session}: {'read again' if told.get('changed') else 'nothing has changed'}")

    return _at_session(given, session, change)


async def _set(served: Agent, session: str, option: str, value: str) -> None:
    from kiro_core import messages
    from kiro_core.rpc import result

    answer = await served.call(messages.set_option(session, option, value))
    result(answer, f"The {option} was not changed")


def _at_session(
    given: Given,
    written: str,
    change: Callable[[Opened, Agent, SessionInfo], Awaitable[None]],
    *,
    agent: str = "",
    engine: str = "",
) -> int:
    """Open the session where it is at work, else here, and change it."""
    import anyio

    async def changed() -> int:
        from kiro_core.cli.finding import find_session
        from kiro_core.cli.opening import open_session
        from kiro_core.cli.progress import progress
        from kiro_core.cli.wanted import Wanted

        async with given.desk(given.load(), "swap", agent="", engine="") as desk, desk.attach(SwapClient()) as served:
            info = await find_session(desk, written)
            async with progress(f"changing {info.id[:8]}"):
                opened = await open_session(served, Wanted(agent=agent, engine=engine).opening(info))
                await change(opened, served, info)
        return DONE

    return anyio.run(changed, backend="asyncio")


class SwapClient:
    """Implements `Client` for a command that only changes a session: it tells what the desk says."""

    def __init__(self) -> None:
        """Be a client that understands notices."""
        from kiro_core.notices import ALONE
        from kiro_core.types import PeerInfo
        from kiro_core.version import __version__

        self.info: Final = PeerInfo("kiro-core sessions", __version__, frozenset({"notices", ALONE}))

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`."""
        for frame in frames:
            update: Any = frame.params.get("update")
            if isinstance(update, dict) and update.get("sessionUpdate") == "notice":
                tell(one_line(str(update.get("title"))))

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`."""
        from kiro_core.errors import RpcError
        from kiro_core.rpc import METHOD_NOT_FOUND

        raise RpcError(METHOD_NOT_FOUND, f"Nobody is here who could answer {frame.method}.")
