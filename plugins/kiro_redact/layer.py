"""What the redaction does in one session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kiro_core.ports import Agent, Client, Layer
from kiro_core.types import SessionInfo
from kiro_redact.agent import RedactingAgent
from kiro_redact.client import RedactingClient
from kiro_redact.redactor import Redactor


class RedactingLayer:
    """Implements `Layer`; each start of the agent program has a flow of its own."""

    def __init__(self, redactor: Redactor) -> None:
        """Redact by what all sessions share."""
        self._redactor = redactor
        self._client: RedactingClient | None = None

    def client(self, client: Client) -> Client:
        """See `Layer.client`."""
        self._client = RedactingClient(client, self._redactor)
        return self._client

    def agent(self, agent: Agent) -> Agent:
        """See `Layer.agent`; it is the agent of the client before."""
        if self._client is None:
            return agent
        return RedactingAgent(agent, self._redactor, self._client)

    def record(self, value: Any) -> Any:
        """See `Layer.record`."""
        return self._redactor.value(value)


class Redaction:
    """Implements `Middleware`."""

    def __init__(self, redactor: Redactor) -> None:
        """Redact in every session alike."""
        self._redactor = redactor

    @asynccontextmanager
    async def enter(self, session: SessionInfo) -> AsyncIterator[Layer]:  # noqa: ARG002 - the port's
        """See `Middleware.enter`."""
        yield RedactingLayer(self._redactor)
