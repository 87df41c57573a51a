"""Make an agent ready for a session: begin or continue its own session, and apply the configuration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import anyio

from kiro_core.agentconfig import BUILT_IN
from kiro_core.engines import logins_of
from kiro_core.engines.logins import over_the_wire
from kiro_core.errors import AgentNotFound, AgentTimeout, AgentUnable, AuthRequired, Disconnected, KiroError, RpcError
from kiro_core.frames import Frame
from kiro_core.ports import Agent
from kiro_core.recovery import Ladder
from kiro_core.recovery.ladder import TEXT
from kiro_core.rpc import result
from kiro_core.session.options import NativeOptions, restore
from kiro_core.session.plan import Plan
from kiro_core.session.request import for_agent
from kiro_core.settings import Limits
from kiro_core.types import AgentConfig, Notice, PeerInfo

_AUTH_REQUIRED = -32000


class Opening:
    """One opening of a session with an agent.

    `notices` collects what the client has to be told, `native` what the agent lets it choose; `plan` is
    what became of the plan.
    """

    def __init__(self, agent: Agent, plan: Plan, client: PeerInfo, limits: Limits, until: float) -> None:
        """Work on behalf of a session that has to be open `until` then, by the event loop's clock."""
        self._agent = agent
        self.plan: Plan = replace(plan, handed="systemPrompt" in agent.info.abilities)
        self._client = client
        self.native: NativeOptions = NativeOptions()
        self._limits = limits
        self._until = until
        self.notices: list[Notice]
        self._params, self.notices = for_agent(plan, agent.info.abilities)

    @property
    def mcp_servers(self) -> list[str]:
        """The names of the MCP servers that the agent is asked to start."""
        return [server["name"] for server in self._params["mcpServers"]]

    async def begin(self) -> dict[str, Any]:
        """Begin the agent's own session: its result, with `sessionId` the agent's.

        Raises:
            AuthRequired: the agent wants a login first.
            RpcError: the agent refused.
            AgentTimeout: it did not answer in time.
            AgentUnable: its answer has no session id.

        """
        # The request may be one to load a session of ours, which is nothing to the agent.
        params = {name: value for name, value in self._params.items() if name != "sessionId"}
        answer = dict(await self._ask(self._agent.new, Frame.of("session/new", params, id=0)))
        if not isinstance(answer.get("sessionId"), str) or not answer["sessionId"]:
            raise AgentUnable(f"The agent '{self.plan.engine.name}' opened a session without an id.")
        await self._apply(answer["sessionId"], answer, self.plan.info.model or self.plan.config.model)
        return answer

    async def begin_anew(self) -> dict[str, Any]:
        """Begin another session of the agent's own for one that is recorded; see `begin`."""
        answer = await self.begin()
        await self._restore(answer["sessionId"])
        return answer

    async def go_on(self, ladder: Ladder) -> dict[str, Any] | None:
        """Continue the agent's own session by the highest rung that works: its result.

        None when what is left is to `begin_anew` and tell it the conversation.

        Raises:
            AgentUnable: no rung is left.
            AuthRequired, AgentTimeout, RpcError: as `begin`; a program that does not answer has to be
                started anew for the next rung.

        """
        session = self.plan.info.agent_session
        while True:
            rung = ladder.rung(self._agent.info.abilities, session)
            if rung == TEXT:
                return None
            try:
                return await self._continued(rung, session, ladder)
            except AuthRequired:
                raise
            except (RpcError, AgentUnable) as error:
                ladder.step_down(error)
                self._until = anyio.current_time() + self._limits.start_s

    async def _continued(self, rung: str, session: str, ladder: Ladder) -> dict[str, Any]:
        frame = Frame.of(f"session/{rung}", {**self._params, "sessionId": session}, id=0)
        answer = dict(await self._ask(partial(self._agent.open, replay=rung == "load"), frame))
        if (told := answer.pop("sessionId", session)) != session:
            raise AgentUnable(f"The agent '{self.plan.engine.name}' answered with another session, {told!r}.")
        ladder.reached()
        await self._apply(session, answer, self.plan.info.model)
        await self._restore(session)
        return answer

    async def _restore(self, session: str) -> None:
        async def ask(frame: Frame) -> dict[str, Any]:
            return await self._ask(self._agent.call, frame)

        self.notices += await restore(ask, self.native, self.plan, session)

    async def _ask(self, verb: Callable[[Frame], Awaitable[Frame]], frame: Frame) -> dict[str, Any]:
        name = self.plan.engine.name
        with anyio.CancelScope(deadline=self._until):
            response = await verb(frame)
            if response.failed and response.error.get("code") == _AUTH_REQUIRED:
                raise self._auth_required(response)
            return result(response, f"The agent '{name}' refused {frame.method}")
        raise AgentTimeout(
            f"The agent '{name}' did not answer {frame.method} within {self._limits.start_s:g} s of its start.",
            hint=f"See whether it waits for a login (kiro-core engines login {name}), or raise limits.start_s.",
        )

    def _auth_required(self, response: Frame) -> AuthRequired:
        engine = self.plan.engine
        login = f"kiro-core engines login {engine.name}"
        said = str(response.error.get("message") or "no reason given")
        told = over_the_wire(self._agent.info.logins)
        return AuthRequired(
            f"{engine.title or engine.name} wants a login first: {said}",
            hint=f"Log in with: {login}",
            authMethods=logins_of(replace(engine, logins=told or engine.logins), self._client),
            engine=engine.name,
            login=login,
            data=response.error.get("data"),
        )

    async def _apply(self, session: str, answer: dict[str, Any], model: str) -> None:
        self.native.take(answer)
        if self.plan.by_mode:
            await self._apply_mode(session, answer)
        if model and model != self.native.model:
            await self._apply_model(session, model)

    async def _apply_mode(self, session: str, answer: dict[str, Any]) -> None:
        name, current = self.plan.config.name, self.native.mode
        if current == name or self.plan.config.origin == "built-in":
            return
        frame = Frame.of("session/set_mode", {"sessionId": session, "modeId": name}, id=0)
        try:
            # One that is resumed need not tell its modes again.
            if not answer.get("modes") and not self.plan.loaded:
                raise AgentUnable(f"The agent '{self.plan.engine.name}' has no modes, so it cannot become '{name}'.")
            if self.plan.engine.stops_asking(name):
                raise AgentUnable(f"In the mode '{name}' nothing is asked any more, which nobody has agreed to yet.")
            self.native.applied(frame, await self._ask(self._agent.call, frame))
        except Disconnected:
            raise
        except KiroError as error:
            if self.plan.exact:
                raise
            details = {"requestedAgent": name, "fallbackAgent": current}
            goes_on = f" It goes on as '{current}'." if current else ""
            self.notices.append(Notice("agent_not_found", f"{error}{goes_on}", details=details))
            self._stand_in(current, error)

    def _stand_in(self, current: str, refusal: KiroError) -> None:
        """Have the desk apply what the agent does not; what only the agent knows cannot be applied at all."""
        config = self.plan.config
        if config.prompt:
            self.plan = replace(self.plan, prompted=True)
            return
        if self.plan.required:
            raise AgentNotFound(str(refusal), hint="Choose another agent.", agent=config.name) from refusal
        self.plan = replace(self.plan, config=AgentConfig(current) if current else BUILT_IN)

    async def _apply_model(self, session: str, model: str) -> None:
        before = self.native.model
        frame = self.native.to_set_model(session, model)
        try:
            self.native.applied(frame, await self._ask(self._agent.call, frame))
        except Disconnected:
            raise
        except KiroError as error:
            if self.plan.exact:
                raise
            details = {"requestedModel": model, "fallbackModel": before}
            self.notices.append(Notice("model_not_found", f"{error} It goes on with '{before}'.", details=details))
