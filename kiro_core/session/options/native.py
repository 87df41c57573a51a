"""What an agent itself lets a client choose, in whichever form it speaks.

Three forms are met: `configOptions` (ACP "Session Config Options"), the older `modes`, and the
`models` field with `session/set_model`, which left the protocol and is still in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiro_core.frames import Frame

Option = dict[str, Any]


class NativeOptions:
    """The agent's own choices as it last told them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._options: list[Option] = []
        self._modes: dict[str, Any] = {}
        self._models: dict[str, Any] = {}

    def take(self, told: Mapping[str, Any]) -> None:
        """Keep what an answer or an update tells: `configOptions`, `modes`, `models`; a missing one is unchanged."""
        if isinstance(options := told.get("configOptions"), list):
            self._options = [option for option in options if isinstance(option, dict)]
        if isinstance(modes := told.get("modes"), dict):
            self._modes = dict(modes)
        if isinstance(models := told.get("models"), dict):
            self._models = dict(models)

    @property
    def model(self) -> str:
        """The model in use, or `""` when the agent does not tell."""
        option = self._of_category("model")
        return str(option.get("currentValue", "") if option else self._models.get("currentModelId", ""))

    @property
    def mode(self) -> str:
        """The mode in use, or `""`."""
        option = self._of_category("mode")
        return str(self._modes.get("currentModeId") or (option or {}).get("currentValue", ""))

    @property
    def modes(self) -> list[Option]:
        """The modes that the agent has: `[{id, name, description?}]`."""
        available = self._modes.get("availableModes")
        return [mode for mode in available if isinstance(mode, dict)] if isinstance(available, list) else []

    def get(self, name: str) -> Option | None:
        """The option of that id; `model` is also found where the agent calls it otherwise."""
        found = next((option for option in self._options if option.get("id") == name), None)
        return found or (self._of_category("model") if name == "model" else None)

    def listed(self) -> list[Option]:
        """All options; `models` become the option `model` where the agent has none."""
        models = self._models.get("availableModels")
        if self._of_category("model") or not isinstance(models, list):
            return list(self._options)
        options = [_named(model, model.get("modelId")) for model in models if isinstance(model, dict)]
        about = {"id": "model", "name": "Model", "category": "model", "type": "select"}
        return [*self._options, {**about, "currentValue": self.model, "options": options}]

    def to_set_model(self, session: str, model: str) -> Frame:
        """The request that changes the model, in the form that this agent has."""
        option = self._of_category("model")
        if option is None:
            return Frame.of("session/set_model", {"sessionId": session, "modelId": model}, id=0)
        params = {"sessionId": session, "configId": option.get("id"), "value": model}
        return Frame.of("session/set_config_option", params, id=0)

    def to_set_mode(self, session: str, mode: str) -> Frame:
        """The request that changes the mode, in the form that this agent has."""
        option = self._of_category("mode")
        if self._modes or option is None:
            return Frame.of("session/set_mode", {"sessionId": session, "modeId": mode}, id=0)
        params = {"sessionId": session, "configId": option.get("id"), "value": mode}
        return Frame.of("session/set_config_option", params, id=0)

    def mode_in(self, request: Frame) -> str:
        """The mode that a request would set, by whichever method; `""` when it sets none."""
        params = request.params
        if request.method == "session/set_mode":
            return str(params.get("modeId", ""))
        option = self.get(str(params.get("configId", "")))
        is_mode = option is not None and "mode" in (option.get("category"), option.get("id"))
        return str(params.get("value", "")) if is_mode else ""

    def applied(self, request: Frame, result: Mapping[str, Any]) -> None:
        """Take note of a change that the agent agreed to."""
        if mode := self.mode_in(request):
            self.mode_is(mode)
        if request.method == "session/set_model":
            self._models["currentModelId"] = request.params.get("modelId")
        elif option := self.get(str(request.params.get("configId", ""))):
            option["currentValue"] = request.params.get("value")
        self.take(result)

    def told(self) -> dict[str, Any]:
        """The fields `modes` and `models` of an answer, as far as the agent has them."""
        fields = {"modes": self._modes, "models": self._models}
        return {name: dict(value) for name, value in fields.items() if value}

    def mode_is(self, mode: str) -> None:
        """Take note of a change of mode, wherever the mode is told."""
        if self._modes:
            self._modes["currentModeId"] = mode
        if option := self._of_category("mode"):
            option["currentValue"] = mode

    def _of_category(self, category: str) -> Option | None:
        """The option that a category names, or that is called like it."""
        wanted = [option for option in self._options if category == option.get("category")]
        return next(iter(wanted or [option for option in self._options if category == option.get("id")]), None)


def _named(about: Option, value: Any) -> Option:
    told = {"description": about["description"]} if isinstance(about.get("description"), str) else {}
    return {"value": value, "name": about.get("name") or value, **told}
