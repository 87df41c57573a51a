"""What the services need of their session, and what they say when they cannot serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import anyio

from kiro_core.errors import RpcError
from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.ports import Client
from kiro_core.rpc import INTERNAL_ERROR, INVALID_PARAMS
from kiro_core.session.clients import Clients
from kiro_core.session.guarding import Guard
from kiro_core.session.noticing import Calls
from kiro_core.session.plan import Plan, Tools
from kiro_core.session.questions import Questions


class Served(Protocol):
    """A session, as far as its services need it; everything is read at each use, since it changes."""

    @property
    def plan(self) -> Plan:
        """Its folders and its id."""
        ...

    @property
    def tools(self) -> Tools:
        """Its launcher and its limits."""
        ...

    @property
    def journal(self) -> Journal:
        """Its record."""
        ...

    @property
    def questions(self) -> Questions:
        """What asks its clients."""
        ...

    @property
    def guard(self) -> Guard:
        """What judges, asks and records."""
        ...

    @property
    def calls(self) -> Calls:
        """What it knows of the agent's tool calls."""
        ...

    @property
    def clients(self) -> Clients:
        """Who is at it."""
        ...

    def for_client(self, frame: Frame) -> Frame:
        """A message of the agent under the id by which the client knows the session."""
        ...

    async def show(self, frames: Sequence[Frame]) -> None:
        """Record updates of our own, and show them."""
        ...


def client_for(session: Served, ability: str) -> Client | None:
    """The client that serves the session's agent, when it offers that itself."""
    client = session.clients.serving
    return client if client is not None and ability in client.info.abilities else None


async def forwarded(session: Served, client: Client, frame: Frame) -> Frame:
    """The client's own response; a person may be part of it, so it may take as long as a question.

    Raises:
        Disconnected: the client is gone.
        RpcError: it did not answer in time.

    """
    limit = session.tools.limits.question_s
    with anyio.move_on_after(limit):
        return await client.request(session.for_client(frame))
    raise failed(f"The client did not answer {frame.method} within {limit:g} s.")


def folders(session: Served) -> list[str]:
    """The absolute paths of the folders that the session may use."""
    info = session.plan.info
    return [info.cwd, *info.roots]


def invalid(sentence: str) -> RpcError:
    """The request's params are wrong."""
    return RpcError(INVALID_PARAMS, sentence)


def missing(sentence: str) -> RpcError:
    """What the request names does not exist (ACP "Errors": resource not found)."""
    return RpcError(-32002, sentence)


def failed(sentence: str) -> RpcError:
    """The request is in order, but what it asks for cannot be had."""
    return RpcError(INTERNAL_ERROR, sentence)
