"""What a session's client can choose: how it is offered, and the methods that choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiro_core.rehearsal.answers import Answer, Method, Params
from kiro_core.rehearsal.features import OPTIONS
from kiro_core.rehearsal.profile import Choice
from kiro_core.rehearsal.session import Session
from kiro_core.rehearsal.wire import Fault, Wire

if TYPE_CHECKING:
    from kiro_core.rehearsal.sessions import Sessions


def offered(session: Session, wire: Wire) -> Answer:
    """The fields of an answer that opens a session: `modes`, `models` and `configOptions`, as far as there are any."""
    said: Answer = {}
    if session.profile.has("modes") and (mode := session.choice("mode")):
        available = [{"id": value, "name": name} for value, name in mode.values.items()]
        said["modes"] = {"currentModeId": session.chosen["mode"], "availableModes": available}
    if session.profile.has("models") and (model := session.choice("model")):
        suffix = session.profile.model_suffix
        listed = [{"modelId": value + suffix, "name": name} for value, name in model.values.items()]
        said["models"] = {"currentModelId": f"{session.chosen['model']}{suffix}", "availableModels": listed}
    options = options_of(session, wire)
    return {**said, "configOptions": options} if options else said


def options_of(session: Session, wire: Wire) -> list[Answer]:
    """All configuration options (ACP `SessionConfigOption`) that this client can understand."""
    return [_option(choice, session) for choice in session.choices if _shown(choice, session, wire)]


class Choosing:
    """The methods `session/set_mode`, `session/set_model` and `session/set_config_option`, where they are offered."""

    def __init__(self, sessions: Sessions) -> None:
        """Choose for these sessions."""
        self._sessions = sessions
        self._wire = sessions.wire
        has = sessions.profile.has
        self.methods: dict[str, Method] = {}
        if has("modes"):
            self.methods["session/set_mode"] = self._set_mode
        if has("models"):
            self.methods["session/set_model"] = self._set_model
        if OPTIONS & sessions.profile.features:
            self.methods["session/set_config_option"] = self._set_option

    def _set_mode(self, params: Params) -> Answer:
        session = self._sessions.get(params)
        self._choose(session, session.choice("mode"), params.get("modeId"))
        self._wire.update(session.id, *session.profile.mode_set(session))
        self._tell_options(session, "mode")
        return {}

    def _set_model(self, params: Params) -> Answer:
        session = self._sessions.get(params)
        model = str(params.get("modelId")).removesuffix(session.profile.model_suffix)
        self._choose(session, session.choice("model"), model)
        self._tell_options(session, "model")
        return {}

    def _set_option(self, params: Params) -> Answer:
        session = self._sessions.get(params)
        choice = session.choice(params.get("configId"))
        if choice and not _shown(choice, session, self._wire):
            choice = None
        if choice and not choice.values and params.get("type") != "boolean":
            raise Fault(session.profile.wrong, f'The option {choice.id!r} needs "type": "boolean".')
        self._choose(session, choice, params.get("value"))
        if choice and choice.id == "mode" and session.profile.has("modes"):
            mode = {"sessionUpdate": "current_mode_update", "currentModeId": session.chosen["mode"]}
            self._wire.update(session.id, mode)
        return {"configOptions": options_of(session, self._wire)}

    def _choose(self, session: Session, choice: Choice | None, value: Any) -> None:
        if choice is None:
            raise Fault(session.profile.wrong, "There is nothing of that id to choose.")
        if not choice.takes(value):
            can = ", ".join(choice.values) or "true, false"
            raise Fault(session.profile.wrong, f"{choice.name!r} can be {can}, not {value!r}.")
        session.chosen[choice.id] = value
        self._sessions.save(session)

    def _tell_options(self, session: Session, name: str) -> None:
        if session.profile.has(f"{name}-option"):
            options = options_of(session, self._wire)
            self._wire.update(session.id, {"sessionUpdate": "config_option_update", "configOptions": options})


def _shown(choice: Choice, session: Session, wire: Wire) -> bool:
    feature = f"{choice.id}-option" if choice.id in {"mode", "model"} else "more-options"
    understood = bool(choice.values) or wire.offers("session", "configOptions", "boolean")
    return understood and session.profile.has(feature)


def _option(choice: Choice, session: Session) -> Answer:
    current = session.chosen[choice.id]
    said = {"id": choice.id, "name": choice.name, "category": choice.category}
    if not choice.values:
        return {**said, "type": "boolean", "currentValue": current}
    options = [{"value": value, "name": name} for value, name in choice.values.items()]
    return {**said, "type": "select", "currentValue": current, "options": options}
