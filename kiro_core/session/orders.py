"""`/agent NAME` and `/engine NAME` as a prompt: a client that shows no options can change a session too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kiro_core.frames import Frame
from kiro_core.session.choices import AGENT, ENGINE

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_ABOUT = {AGENT: "go on with another agent configuration", ENGINE: "go on with another agent program"}


class Order(NamedTuple):
    """What a prompt wants of the desk: another value of an option, or `""` to be told which there are."""

    option: str
    value: str


class Orders:
    """The commands of one session; one that its agent has itself is the agent's."""

    def __init__(self, session: Session) -> None:
        """Know of no command of the agent."""
        self._session = session
        self._theirs: set[str] = set()

    def read(self, prompt: Frame) -> Order | None:
        """The order that a prompt is, if it is one; a name that nobody knows is for the agent to answer."""
        blocks = prompt.params.get("prompt")
        text = blocks[0].get("text") if isinstance(blocks, list) and len(blocks) == 1 else None
        words = text.split() if isinstance(text, str) else []
        if not 1 <= len(words) <= len(Order._fields) or not words[0].startswith("/"):
            return None
        option, value = words[0][1:], (words[1] if len(words) > 1 else "")
        if option not in _ABOUT or option in self._theirs:
            return None
        return Order(option, value) if not value or value in self._choices(option) else None

    async def obey(self, order: Order) -> Frame:
        """Carry it out as the turn that it is: the outcome.

        Raises:
            KiroError: the change failed, and nothing has changed.

        """
        session = self._session
        if order.value and order.option == ENGINE:
            await session.swaps.engine_now(order.value)
        elif order.value:
            await session.options.become(order.value)
        await self._say(self._told(order))
        return Frame.answer({"stopReason": "end_turn"})

    def follow(self, frame: Frame) -> Frame:
        """Take note of the commands that an agent tells, and add ours (ACP `available_commands_update`)."""
        update = frame.params.get("update")
        if not isinstance(update, dict) or update.get("sessionUpdate") != "available_commands_update":
            return frame
        commands = update.get("availableCommands")
        if not isinstance(commands, list):
            return frame
        self._theirs = {str(command.get("name")) for command in commands if isinstance(command, dict)}
        ours = [
            {"name": name, "description": about, "input": {"hint": "NAME"}}
            for name, about in _ABOUT.items()
            if name not in self._theirs
        ]
        params = {**frame.params, "update": {**update, "availableCommands": [*commands, *ours]}}
        return Frame.of("session/update", params)

    def _choices(self, option: str) -> Mapping[str, str]:
        options = {each.get("id"): each for each in self._session.options.all()}
        values = options.get(option, {}).get("options") or []
        return {str(value.get("value")): str(value.get("description") or "") for value in values}

    def _told(self, order: Order) -> str:
        current = {each.get("id"): each.get("currentValue") for each in self._session.options.all()}.get(order.option)
        if order.value:
            return f"{order.option.capitalize()}: {current}."
        lines = [f"{'*' if name == current else '-'} {name}" for name in self._choices(order.option)]
        return "\n".join([f"{order.option.capitalize()}: {current}. There are:", *lines])

    async def _say(self, text: str) -> None:
        content: dict[str, Any] = {"type": "text", "text": f"{text}\n"}
        update = {"sessionUpdate": "agent_message_chunk", "content": content}
        params = {"sessionId": self._session.agent_session, "update": update}
        await self._session.show([Frame.of("session/update", params)])
