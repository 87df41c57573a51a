"""The session that a chat is in, and what can be chosen in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from kiro_core import messages
from kiro_core.cli.chat.client import ChatClient
from kiro_core.cli.chat.screen import Screen
from kiro_core.cli.opening import open_session
from kiro_core.errors import SessionClosing, SessionNotFound
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Turn
from kiro_core.rpc import raised, result

Option = Mapping[str, Any]
"""One of ACP's `configOptions`; its `options` may be groups of options."""


class Current:
    """One session at a time; `agent` is the desk's, once it is open."""

    agent: Agent

    def __init__(self, screen: Screen) -> None:
        """Begin with none; what happens is shown on `screen`."""
        self.client: Final = ChatClient(screen, self._take)
        self.about: dict[str, Any] = {}
        self.folder: str = ""
        self._options: Sequence[Option] = ()
        self._commands: Sequence[Mapping[str, Any]] = ()

    @property
    def id(self) -> str:
        """The session's id; `""` before the first one is open."""
        return str(self.about.get("sessionId", ""))

    def __str__(self) -> str:
        """The session in words."""
        chosen = [f"{name} {self.about[name]}" for name in ("agent", "engine", "model") if self.about.get(name)]
        return ", ".join([f"session {self.id[:8]}", *chosen])

    @property
    def commands(self) -> list[tuple[str, str]]:
        """The agent's own commands: the name with its slash, and what it does."""
        return [(f"/{told.get('name')}", str(told.get("description", ""))) for told in self._commands]

    async def open(self, opening: Frame) -> None:
        """Begin a session or go on with one, see `open_session`, and then leave the one before.

        Raises:
            KiroError: it could not be opened; the one before goes on.

        """
        before, self._commands = (self.id, self._commands), ()
        self.client.replaying = opening.method == "session/load"
        try:
            opened = await open_session(self.agent, opening)
        except BaseException:
            self._commands = before[1]
            raise
        finally:
            self.client.replaying = False
        self.about = opened.about
        self.folder = str(opening.params["cwd"])
        self._options = ()
        self._take(opened.answer)
        if before[0] not in ("", self.id):
            self.client.leave(before[0])
            await self.agent.close(messages.close(before[0]))

    async def prompt(self, text: str) -> Turn:
        """Say something; see `Agent.prompt`.

        Raises:
            SessionNotFound: the session has ended, with its agent say.
            KiroError: it was not accepted.

        """
        with self._ended():
            return await self.agent.prompt(messages.prompt(self.id, text))

    async def settled(self, turn: Turn) -> Frame:
        """The outcome of a turn; see `Turn.settled`.

        Raises:
            SessionNotFound: the session has ended.
            KiroError: the turn failed with the desk that had the session, say.

        """
        with self._ended():
            response = await turn.settled()
            data = response.error.get("data") if response.failed else None
            if isinstance(data, dict) and data.get("code") in (SessionNotFound.code, SessionClosing.code):
                raised(response)  # as another desk says it, which learns of the end when the prompt arrives
            return response

    @contextmanager
    def _ended(self) -> Iterator[None]:
        try:
            yield
        except (SessionNotFound, SessionClosing) as error:
            hint = f"Open it again: /sessions {self.id[:8]}"
            raise SessionNotFound("The session has ended.", hint=hint) from error

    async def cancel(self) -> None:
        """Cancel what runs and what waits."""
        await self.agent.cancel(messages.cancel(self.id))

    async def choose(self, option: str, value: str) -> None:
        """Set one of the options.

        Raises:
            KiroError: it was refused.

        """
        answer = await self.agent.call(messages.set_option(self.id, option, value))
        self._take(result(answer, f"{option} could not be set"))

    def choices(self, option: str) -> tuple[str, list[tuple[str, str]]]:
        """The value of an option, and all that it can have, each with what it means."""
        told: Option = next((one for one in self._options if one.get("id") == option), {})
        values = [value for each in _objects(told.get("options")) for value in _objects(each.get("options")) or [each]]
        described = [(str(value.get("value")), str(value.get("description") or "")) for value in values]
        return str(told.get("currentValue", "")), described

    def _take(self, told: Mapping[str, Any]) -> None:
        """Keep what an answer or an update tells of options and commands; what it does not name is unchanged."""
        if "configOptions" in told:
            self._options = _objects(told["configOptions"])
        if "availableCommands" in told:
            self._commands = _objects(told["availableCommands"])


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
