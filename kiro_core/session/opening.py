"""Make an agent ready for a session: begin or continue its own session, and apply the configuration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio

from kiro_core.errors import AgentTimeout, AgentUnable, KiroError
from kiro_core.frames import Frame
from kiro_core.ports import Agent
from kiro_core.rpc import result
from kiro_core.session.plan import Plan
from kiro_core.settings import Limits
from kiro_core.types import Notice


class Opening:
    """One opening of a session with an agent; `notices` collects what the client has to be told."""

    def __init__(self, agent: Agent, plan: Plan, limits: Limits, until: float) -> None:
        """Work on behalf of a session that has to be open `until` then, by the event loop's clock."""
        self._agent = agent
        self._plan = plan
        self._limits = limits
        self._until = until
        self.notices: list[Notice] = []
        self.model = plan.info.model

    async def begin(self) -> dict[str, Any]:
        """Begin the agent's own session: its result, with `sessionId` the agent's.

        Raises:
            RpcError: the agent refused.
            AgentTimeout: it did not answer in time.
            AgentUnable: its answer has no session id.

        """
        answer = dict(await self._ask(self._agent.new, Frame.of("session/new", self._plan.params(), id=0)))
        if not isinstance(answer.get("sessionId"), str) or not answer["sessionId"]:
            raise AgentUnable(f"The agent '{self._plan.engine.name}' opened a session without an id.")
        await self._apply(answer["sessionId"], answer, self._plan.config.model)
        return answer

    async def resume(self) -> dict[str, Any]:
        """Continue the agent's own session, without a replay where it can.

        Raises:
            AgentUnable: the agent can neither resume nor load.
            RpcError, AgentTimeout: as `begin`.

        """
        abilities = self._agent.info.abilities
        method = next((m for m in ("resume", "load") if m in abilities), None)
        if method is None or not self._plan.info.agent_session:
            raise AgentUnable(
                f"The agent '{self._plan.engine.name}' can neither resume nor load a session.",
                hint="The conversation can be read; begin a new session to go on.",
            )
        session = self._plan.info.agent_session
        frame = Frame.of(f"session/{method}", {**self._plan.params(), "sessionId": session}, id=0)
        answer = dict(await self._ask(partial(self._agent.open, replay=method == "load"), frame))
        await self._apply(session, answer, self._plan.info.model)
        return answer

    async def _ask(self, verb: Callable[[Frame], Awaitable[Frame]], frame: Frame) -> dict[str, Any]:
        name = self._plan.engine.name
        with anyio.CancelScope(deadline=self._until):
            return result(await verb(frame), f"The agent '{name}' refused {frame.method}")
        raise AgentTimeout(
            f"The agent '{name}' did not answer {frame.method} within {self._limits.start_s:g} s of its start.",
            hint="See whether it waits for a login, or raise limits.start_s.",
        )

    async def _apply(self, session: str, answer: dict[str, Any], model: str) -> None:
        if self._plan.by_mode:
            await self._apply_mode(session, answer)
        option = _model_option(answer)
        if option is not None:
            self.model = str(option.get("currentValue", ""))
        elif isinstance(models := answer.get("models"), dict):
            self.model = str(models.get("currentModelId", ""))
        if model and model != self.model:
            await self._apply_model(session, answer, option, model)

    async def _apply_mode(self, session: str, answer: dict[str, Any]) -> None:
        name, told = self._plan.config.name, answer.get("modes")
        modes = told if isinstance(told, dict) else {}
        current = modes.get("currentModeId", "")
        if current == name or self._plan.config.origin == "built-in":
            return
        frame = Frame.of("session/set_mode", {"sessionId": session, "modeId": name}, id=0)
        try:
            if not modes:
                raise AgentUnable(f"The agent '{self._plan.engine.name}' has no modes, so it cannot become '{name}'.")
            await self._ask(self._agent.call, frame)
        except KiroError as error:
            details = {"requestedAgent": name, "fallbackAgent": current}
            goes_on = f" It goes on as '{current}'." if current else ""
            self.notices.append(Notice("agent_not_found", f"{error}{goes_on}", details=details))
        else:
            answer["modes"] = {**modes, "currentModeId": name}

    async def _apply_model(
        self, session: str, answer: dict[str, Any], option: dict[str, Any] | None, model: str
    ) -> None:
        if option is not None:
            params = {"sessionId": session, "configId": option.get("id"), "value": model}
            frame = Frame.of("session/set_config_option", params, id=0)
        else:
            frame = Frame.of("session/set_model", {"sessionId": session, "modelId": model}, id=0)
        try:
            got = await self._ask(self._agent.call, frame)
        except KiroError as error:
            details = {"requestedModel": model, "fallbackModel": self.model}
            self.notices.append(Notice("model_not_found", f"{error} It goes on with '{self.model}'.", details=details))
            return
        self.model = model
        if "configOptions" in got:
            answer["configOptions"] = got["configOptions"]
        elif isinstance(models := answer.get("models"), dict):
            answer["models"] = {**models, "currentModelId": model}


def _model_option(answer: dict[str, Any]) -> dict[str, Any] | None:
    for option in answer.get("configOptions") or []:
        if isinstance(option, dict) and "model" in (option.get("category"), option.get("id")):
            return option
    return None
