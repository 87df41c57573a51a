"""What a person can tell the chat itself, with a slash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio

from kiro_core.cli.chat.current import Current
from kiro_core.cli.chat.screen import Screen
from kiro_core.cli.chat.told import Told
from kiro_core.cli.finding import all_sessions, find_session
from kiro_core.cli.text import one_line
from kiro_core.cli.wanted import Wanted
from kiro_core.errors import SessionClosing
from kiro_core.ports import Desk
from kiro_core.types import SessionInfo, SessionQuery

OURS = {
    "/help": ("", "show this"),
    "/sessions": (" [ID]", "list the sessions of this folder, or go on with one"),
    "/agent": (" [NAME]", "list the agent configurations, or change to one"),
    "/engine": (" [NAME]", "list the agent programs, or go on with one"),
    "/cancel": ("", "cancel what runs, as Ctrl-C does"),
    "/quit": ("", "leave, as Ctrl-D does"),
}
"""Each with what may stand behind it, and what it does."""

_MORE = "Anything else is for the agent; // in front of one of these words says it to the agent."
_LISTED = 20
_ENDING_S = 10.0


def words(current: Current) -> Mapping[str, Sequence[str]]:
    """All that can be typed behind a slash, each with the words that can follow it."""
    theirs: dict[str, Sequence[str]] = {name: () for name, _ in current.commands}
    named = {f"/{name}": [value for value, _ in current.choices(name)[1]] for name in ("agent", "engine")}
    return {**theirs, **dict.fromkeys(OURS, ()), **named}


class Orders:
    """Carries them out, one at a time."""

    def __init__(self, desk: Desk, current: Current, screen: Screen) -> None:
        """Change `current`, and show on `screen` what was asked for."""
        self._desk = desk
        self._current = current
        self._screen = screen

    async def obey(self, command: str, rest: str) -> None:
        """Carry out one of `OURS`, with what stands behind it; /cancel and /quit find nothing that runs.

        Raises:
            KiroError: it failed.

        """
        match command:
            case "/help":
                await self._help()
            case "/sessions":
                await (self._switch(rest) if rest else self._list())
            case "/agent" | "/engine":
                option = command.removeprefix("/")
                await (self._choose(option, rest) if rest else self._choices(option))
            case _:
                await self._note("Nothing runs.")

    async def _help(self) -> None:
        known = [(f"{name}{rest}", does) for name, (rest, does) in OURS.items()]
        await self._note("\n".join([_table(known), _MORE]))
        if theirs := [(name, does) for name, does in self._current.commands if name not in OURS]:
            await self._note(f"The agent's own:\n{_table(theirs)}")

    async def _list(self) -> None:
        rows = []
        async for info in all_sessions(self._desk, SessionQuery(cwd=self._current.folder)):
            rows.append((_marked(info.id[:8], here=info.id == self._current.id), _described(info)))
            if len(rows) == _LISTED:
                break
        await self._note(_table(rows))

    async def _switch(self, written: str) -> None:
        recorded = await find_session(self._desk, written)
        async with self._screen.waiting(f"opening {recorded.id[:8]}"):
            await self._open(recorded)
        await self._note(f"{self._current}.")

    async def _open(self, recorded: SessionInfo) -> None:
        """Open a session; one of ours that is just ending, with its agent say, is waited for."""
        deadline = anyio.current_time() + _ENDING_S
        while True:
            try:
                replay = self._screen.person is not None
                await self._current.open(Wanted().opening(recorded, replay=replay))
            except SessionClosing:
                with anyio.CancelScope(deadline=deadline):
                    await self._desk.freed(recorded.id)
                if anyio.current_time() >= deadline:
                    raise
            else:
                return

    async def _choices(self, option: str) -> None:
        value, choices = self._current.choices(option)
        if choices:
            await self._note(_table([(_marked(name, here=name == value), means) for name, means in choices]))
        else:
            await self._note(f"This session offers no other {option}.")

    async def _choose(self, option: str, value: str) -> None:
        async with self._screen.waiting(f"changing to {value}"):
            await self._current.choose(option, value)
        await self._note(f"{option}: {self._current.choices(option)[0]}")

    async def _note(self, text: str) -> None:
        await self._screen.show(Told("note", text))


def _marked(name: str, *, here: bool) -> str:
    return f"{'*' if here else ' '} {name}"


def _described(info: SessionInfo) -> str:
    name = f"[{info.name}] " if info.name else ""
    return f"{info.updated[:16].replace('T', ' ')}  {name}{info.title}"


def _table(rows: list[tuple[str, str]]) -> str:
    safe = [(_kept(left), one_line(right)) for left, right in rows]
    width = max((len(left) for left, _ in safe), default=0)
    return "\n".join(f"{left.ljust(width)}  {right}".rstrip() for left, right in safe)


def _kept(left: str) -> str:
    """On one line, with the mark in front as it is."""
    return left[:2] + one_line(left[2:])
