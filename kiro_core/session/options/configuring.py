"""A client's choices in a running session: passed to the agent in its own form, or carried out by the desk."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from kiro_core.errors import AgentUntrusted, EngineUnguarded, KiroError, ModeUnguarded, RpcError, Unavailable
from kiro_core.frames import Frame
from kiro_core.lazily import LazyLock
from kiro_core.rpc import INVALID_PARAMS, result
from kiro_core.session.choices import AGENT, ENGINE, modes_option
from kiro_core.session.options.native import NativeOptions
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.changing import Changes

METHODS = frozenset({"session/set_config_option", "session/set_mode", "session/set_model"})
_OPTIONS = [
    {"optionId": "yes", "name": "Switch", "kind": "allow_once"},
    {"optionId": "no", "name": "Do not switch", "kind": "reject_once"},
]


class Configuring:
    """The options of one session."""

    def __init__(self, session: Changes) -> None:
        """Begin with none; `native` is what the agent of the moment lets its client choose."""
        self._session = session
        self._changing = LazyLock()
        self._back_to = ""
        self._refusal: KiroError | None = None
        self.native: NativeOptions = NativeOptions()

    def all(self) -> list[dict[str, Any]]:
        """Every option as a client sees it (ACP: always all of them); the agent's own goes before ours of that id."""
        plan, listed = self._session.plan, self.native.listed()
        modes = self.native.modes
        agent = modes_option(modes, self.native.mode) if plan.by_mode and modes else None
        ours = [agent or plan.choices.agent_option(plan.config.name), plan.choices.engine_option(plan.engine.name)]
        taken = {option.get("id") for option in listed}
        return [*listed, *(option for option in ours if option["id"] not in taken)]

    async def configure(self, frame: Frame) -> Frame:
        """Answer one of `METHODS`; the agent is asked for one change after the other.

        Raises:
            RpcError: the request is not valid.
            ModeUnguarded: the agent would stop asking, and nobody agreed.
            AgentNotFound, UnknownName, EngineNotFound, AgentUnable: the agent or engine cannot be had.

        """
        if self.native.get(ENGINE) is not None or frame.params.get("configId") != ENGINE:
            # What an agent lets its client choose, and which modes are guarded, is its own to say.
            self._session.require_agent()
            await self._session.awake()
        return await self._configured(frame)

    async def _configured(self, frame: Frame) -> Frame:
        params = frame.params
        if frame.method == "session/set_model":
            return await self._set_model(frame, _text(frame, "modelId"))
        if frame.method == "session/set_mode":
            return await self._pass_on(frame, _text(frame, "modeId"))
        name = _text(frame, "configId")
        if self.native.get(name) is None and name in (AGENT, ENGINE):
            return await self._set_ours(name, _text(frame, "value"))
        sent = frame
        if name == "model":
            sent = self.native.to_set_model(self._session.agent_session, _text(frame, "value"))
        response = await self._pass_on(sent, str(params.get("value", "")))
        if response.failed:
            return response
        if not self.native.mode_in(sent) and self.native.get(name) is not self.native.get("model"):
            await self._session.chosen(name, params.get("value"))
        return self._everything(response)

    async def follow(self, frame: Frame) -> Frame:
        """Take note of what the agent changed by itself; the frame as the client is to see it."""
        update = frame.params.get("update")
        if not isinstance(update, dict):
            return frame
        before = self.native.mode
        if update.get("sessionUpdate") == "config_option_update":
            self.native.take(update)
            await self._settle_all_the_same(before)
            params = {**frame.params, "update": {**update, "configOptions": self.all()}}
            return Frame.of("session/update", params)
        if update.get("sessionUpdate") == "current_mode_update":
            self.native.mode_is(str(update.get("currentModeId", "")))
            await self._settle_all_the_same(before)
            if self._session.ready and self.native.mode != before:
                await self.told_unguarded()
                await self._show_all()
        return frame

    async def keep_guarded(self) -> None:
        """Bring an agent back from a mode that it took by itself and must not be in; for the beginning of a turn.

        Raises:
            EngineUnguarded, AgentUntrusted: it does not come back.

        """
        if self._refusal is None:
            return
        back = self.native.to_set_mode(self._session.agent_session, self._back_to)
        if (await self._session.ask_agent(back)).failed:
            raise self._refusal
        self.native.mode_is(self._back_to)
        self._refusal = None
        await self._session.show(self.now())

    async def told_unguarded(self) -> None:
        """Tell the client when the agent is in a mode in which it does not ask."""
        engine, mode = self._session.plan.engine, self.native.mode
        if engine.stops_asking(mode):
            sentence = f"In the mode '{mode}' {engine.title or engine.name} acts without asking a person."
            await self._session.tell(Notice("mode_unguarded", sentence, details={"mode": mode}))

    async def told_again(self) -> None:
        """Tell the clients what they can choose, and what is chosen, now that the agent was started again."""
        await self._session.show(self.now())

    def now(self) -> list[Frame]:
        """Updates that tell what can be chosen, and what is chosen."""
        options = {"sessionUpdate": "config_option_update", "configOptions": self.all()}
        mode = {"sessionUpdate": "current_mode_update", "currentModeId": self.native.mode}
        updates = [mode, options] if self.native.modes else [options]
        session = self._session.agent_session
        return [Frame.of("session/update", {"sessionId": session, "update": update}) for update in updates]

    async def _set_ours(self, name: str, value: str) -> Frame:
        if name == ENGINE:
            await self._session.swaps.engine(value)
        elif await self._by_mode(value):
            response = await self._session.swaps.between(partial(self._set_mode, value))
            if response.failed:
                return response
        else:
            await self._session.swaps.agent(value)
        return Frame.answer({"configOptions": self.all()})

    async def become(self, agent: str) -> None:
        """Use another agent configuration, in place of a turn.

        Raises:
            KiroError: it could not be had, and nothing has changed.

        """
        if await self._by_mode(agent):
            result(await self._set_mode(agent), f"The agent '{agent}' was not set")
        else:
            await self._session.swaps.agent_now(agent)

    async def _by_mode(self, agent: str) -> bool:
        """Whether the agent program becomes that by itself."""
        by_mode = self._session.plan.engine.agents == "mode" and self._has_mode(agent)
        return by_mode and not await self._session.untrusted(agent)

    async def _set_mode(self, mode: str) -> Frame:
        params = {"sessionId": self._session.agent_session, "modeId": mode}
        return await self._pass_on(Frame.of("session/set_mode", params, id=0), mode)

    async def set_model(self, model: str) -> None:
        """Have the agent use a model.

        Raises:
            RpcError, AgentTimeout: it does not take it.

        """
        response = await self._pass_on(self.native.to_set_model(self._session.agent_session, model), model)
        result(response, f"{self._session.plan.engine.name} did not take the model '{model}'")

    async def _set_model(self, frame: Frame, model: str) -> Frame:
        sent = self.native.to_set_model(self._session.agent_session, model)
        translated = sent.method != frame.method
        response = await self._pass_on(sent if translated else frame, model)
        if not response.failed:
            await self._show_all()
        return response if response.failed or not translated else Frame.answer({})

    async def _pass_on(self, frame: Frame, value: str) -> Frame:
        mode, before = self.native.mode_in(frame), self._session.plan
        await self._guard(mode)
        async with self._changing:
            response = await self._session.ask_agent(frame)
            if not response.failed:
                self.native.applied(frame, response.result)
                if mode and self._session.plan.engine.agents == "mode":
                    await self._become_mode(value)
                await self._settle()
                await self._session.swaps.switched(before)
        return response

    async def _become_mode(self, name: str) -> None:
        if name != self._session.plan.config.name:
            await self._session.swaps.noted(name)

    async def _show_all(self) -> None:
        await self._session.show(self.now()[-1:])

    def _has_mode(self, name: str) -> bool:
        return any(mode.get("id") == name for mode in self.native.modes)

    async def _guard(self, mode: str) -> None:
        engine = self._session.plan.engine
        if mode and engine.agents == "mode" and await self._session.untrusted(mode):
            raise AgentUntrusted(
                f"{engine.title or engine.name} would use what '{mode}' says, whose folder is not trusted.",
                hint=f"See what it asks for, and trust it: `kiro-core trust {self._session.plan.info.cwd}`.",
            )
        if not engine.stops_asking(mode) or mode == self.native.mode:
            return
        self._session.require_guarded(mode)
        title = f"Switch to the mode '{mode}', in which {engine.title or engine.name} acts without asking a person"
        call = {"toolCallId": f"kiro_core-mode-{mode}", "title": title, "kind": "switch_mode", "status": "pending"}
        params = {"sessionId": self._session.agent_session, "toolCall": call, "options": _OPTIONS}
        if not await self._session.ask_person(Frame.of("session/request_permission", params, id=0)):
            raise ModeUnguarded(
                f"The mode '{mode}' was not set: {engine.title or engine.name} asks nothing in it, and nobody agreed.",
                hint="Agree when you are asked, or choose another mode.",
                mode=mode,
            )

    async def _settle_all_the_same(self, before: str) -> None:
        """What an agent changed by itself has happened, whether or not the store takes it now, or anybody wants it."""
        try:
            if self._session.ready and self.native.mode != before:
                self._session.require_guarded(self.native.mode)
            with suppress(Unavailable):
                await self._settle()
        except (EngineUnguarded, AgentUntrusted) as error:
            self._back_to = before if self._refusal is None else self._back_to
            self._refusal = error
            self._session.cancel_turn()
            sentence = (
                f"{error} The agent has changed to the mode '{self.native.mode}' by itself: its turn is cancelled."
            )
            await self._session.tell(Notice("mode_refused", sentence, severity="error"))

    async def _settle(self) -> None:
        """Keep in the metadata what the agent runs with now."""
        if not self._session.ready:
            return
        if self._session.plan.by_mode and self.native.mode:
            await self._become_mode(self.native.mode)
        chosen = {"model": self.native.model}
        if self._session.plan.engine.agents != "mode":
            chosen["mode"] = self.native.mode
        await self._session.note(**{name: value for name, value in chosen.items() if value})

    def _everything(self, response: Frame) -> Frame:
        return Frame.answer({**response.result, "configOptions": self.all()})


def _text(frame: Frame, key: str) -> str:
    value = frame.params.get(key)
    if not isinstance(value, str) or not value:
        raise RpcError(INVALID_PARAMS, f"{frame.method} needs {key} as text.")
    return value
