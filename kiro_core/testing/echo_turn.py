"""What an `EchoAgent` does with a prompt: it says it, or does what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import anyio

from kiro_core.errors import KiroError, RpcError
from kiro_core.frames import Frame
from kiro_core.ports import Client
from kiro_core.rpc import failure

REFUSAL = (-32099, "Not today.")
REFUSED: Mapping[str, Any] = {"why": ["größe", 2**70]}
"""The error with which a prompt `/refuse` is answered: number and sentence, and its data."""


class EchoTurn:
    """A prompt of an `EchoAgent`; it goes on whoever waits for it, and `said` counts the chunks that were sent."""

    def __init__(self, client: Client, session: str) -> None:
        """Begin with nothing said."""
        self.cancelled: Final = anyio.Event()
        self.said: int = 0
        self._client = client
        self._session = session
        self._settled = anyio.Event()
        self._outcome = Frame.answer({"stopReason": "end_turn"})

    async def settled(self) -> Frame:
        """See `Turn.settled`."""
        await self._settled.wait()
        return self._outcome

    async def cancel(self) -> None:
        """See `Turn.cancel`."""
        self.cancelled.set()

    async def run(self, text: str) -> None:
        """Do what the prompt says, and settle."""
        word, _, rest = text.partition(" ")
        directive = getattr(self, f"_{word[1:]}", None) if word.startswith("/") else None
        try:
            await (directive(rest) if directive else self.say(text))
        except KiroError as error:
            self._outcome = failure(error)
        self._settled.set()

    async def say(self, text: str) -> None:
        """Send a chunk of the agent's words."""
        await self._update({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}})
        self.said += 1

    async def _echo(self, text: str) -> None:
        await self.say(text)

    async def _updates(self, count: str) -> None:
        for number in range(int(count)):
            await self.say(f"{number} ")

    async def _flood(self, count: str) -> None:
        for _ in range(int(count)):
            await self.say("x" * 65536)

    async def _raw(self, update: str) -> None:
        params = f'{{"sessionId":"{self._session}","update":{update}}}'
        line = f'{{"jsonrpc":"2.0","method":"session/update","params":{params}}}'
        await self._client.notify([Frame.read(line.encode())])

    async def _ask(self, _: str) -> None:
        options = [{"optionId": f"{self._session}-yes", "name": "Yes", "kind": "allow_once"}]
        call = {"toolCallId": "call-1", "title": "May I?"}
        question = {"sessionId": self._session, "toolCall": call, "options": options}
        answer = await self._client.request(Frame.of("session/request_permission", question, id=0))
        await self.say(f"{answer.result['outcome'].get('optionId')}")

    async def _wait(self, _: str) -> None:
        await self.say("waiting")
        await self.cancelled.wait()
        self._outcome = Frame.answer({"stopReason": "cancelled"})

    async def _refuse(self, _: str) -> None:
        raise RpcError(*REFUSAL, data=REFUSED)

    async def _update(self, update: Mapping[str, Any]) -> None:
        await self._client.notify([Frame.of("session/update", {"sessionId": self._session, "update": update})])
