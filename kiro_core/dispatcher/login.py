"""Log in to an agent program, or out of it, without a session: it is started for that and ended again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import anyio

from kiro_core.engines.visiting import visited
from kiro_core.errors import AgentTimeout, AgentUnable, RpcError
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Client
from kiro_core.rpc import METHOD_NOT_FOUND, result
from kiro_core.session import Tools
from kiro_core.types import Engine, PeerInfo


class LoginClient:
    """Implements `Client` for an agent that has no session: it may ask its user by elicitation, and nothing else."""

    def __init__(self, client: Client, request: Frame) -> None:
        """Ask `client`, whose `request` the login is."""
        offered = client.info.raw.get("elicitation")
        self.info: Final = PeerInfo("kiro_core", raw={"elicitation": offered} if offered else {})
        self._client = client
        self._request = request

    async def notify(self, frames: Sequence[Frame]) -> None:
        """What an agent says before it has a session is for nobody."""

    async def request(self, frame: Frame) -> Frame:
        """Pass an elicitation on, under the id by which the client knows the login (ACP "Elicitation", scope)."""
        params = frame.params
        asked = f"elicitation-{params.get('mode', 'form')}" if frame.method == "elicitation/create" else ""
        if asked not in self._client.info.abilities:
            raise RpcError(METHOD_NOT_FOUND, f"The client does not offer {frame.method}.")
        if "requestId" in params:
            params = {**params, "requestId": self._request.body.get("id")}
        return await self._client.request(Frame.of("elicitation/create", params, id=0))


async def authenticate(engine: Engine, tools: Tools, client: Client, frame: Frame) -> Frame:
    """Have a person log in: start the engine, pass `authenticate` on, end it.

    Raises:
        LaunchFailed, AgentTimeout, RpcError: the engine cannot be started, did not finish, or refused.

    """
    async with _visited(engine, tools, LoginClient(client, frame)) as agent:
        return await _within(tools.limits.question_s, engine, frame, agent.authenticate)


async def log_out(engine: Engine, tools: Tools, client: Client, frame: Frame) -> Frame:
    """Log out: start the engine, pass `logout` on, end it.

    Raises:
        AgentUnable: the engine has no logout (ACP `agentCapabilities.auth.logout`).
        LaunchFailed, AgentTimeout, RpcError: as `authenticate`.

    """
    async with _visited(engine, tools, LoginClient(client, frame)) as agent:
        if "logout" not in agent.info.abilities:
            title = engine.title or engine.name
            raise AgentUnable(f"{title} cannot be logged out of from here.", hint="Use its own command for it.")
        return await _within(tools.limits.control_s, engine, frame, agent.logout)


def _visited(engine: Engine, tools: Tools, client: Client) -> AbstractAsyncContextManager[Agent]:
    return visited(engine, tools.launcher, tools.wire, client, tools.limits.start_s)


async def _within(limit_s: float, engine: Engine, frame: Frame, verb: Callable[[Frame], Awaitable[Frame]]) -> Frame:
    with anyio.move_on_after(limit_s):
        response = await verb(frame)
        result(response, f"{engine.title or engine.name} refused {frame.method}")
        return response
    raise AgentTimeout(f"The agent '{engine.name}' did not answer {frame.method} within {limit_s:g} s.")
