"""Says everything that is wrong with a crew before any of it starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from kiro_core.agentconfig.advice import Remark
from kiro_core.agentconfig.checking import refused
from kiro_core.crew.fitting import Known, misfits
from kiro_core.crew.stages import MAX_STAGES, Crew, Limits, Loop, Retry, Stage
from kiro_core.explain import near_miss

_MODELS: Mapping[str, type[BaseModel]] = {"stages": Stage, "retry": Retry, "loop": Loop, "limits": Limits}
_PLACEHOLDERS = {"id": "-", "prompt": "-"}
_TRIGGER = "----"

ANY = Known()


def check(written: Mapping[str, Any], known: Known = ANY) -> tuple[Crew | None, Sequence[Remark]]:
    """The crew that the fields say, or None and all that is wrong; null is as good as absent."""
    fields = without_nulls(written)
    wrong = [_with_near_miss(remark) for remark in refused(Crew, fields, fields, ())]
    found = [*wrong, *misfits(list(_readable(fields, wrong)), known, has_task=bool(fields.get("task")))]
    return (None if found else Crew.model_validate(fields)), found


def without_nulls(value: Any, levels: int = 4) -> Any:
    """A JSON value without the members that are null, as deep as a crew is."""
    if levels and isinstance(value, dict):
        return {key: without_nulls(inner, levels - 1) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner, levels - 1) for inner in value] if levels and isinstance(value, list) else value


def _with_near_miss(remark: Remark) -> Remark:
    """An unknown key with the one that was probably meant."""
    parts = [part for part in remark.path if isinstance(part, str)]
    model = next((_MODELS[part] for part in reversed(parts[:-1]) if part in _MODELS), Crew)
    if not parts or parts[-1] in model.model_fields or not isinstance(remark.path[-1], str):
        return remark
    return Remark(remark.path, remark.reason + near_miss(parts[-1], model.model_fields).removesuffix("."))


def _readable(fields: Mapping[str, Any], wrong: Sequence[Remark]) -> Iterator[tuple[int, Stage]]:
    """What can be read of each stage, and its place, so that one mistake does not hide another one."""
    stages = fields.get("stages")
    for number, stage in enumerate(stages[:MAX_STAGES] if isinstance(stages, list) else ()):
        if isinstance(stage, dict):
            unusable = {remark.path[2] for remark in wrong if remark.path[:2] == ("stages", number) and remark.path[2:]}
            kept = {key: value for key, value in stage.items() if key not in unusable} | _target(stage.get("loop"))
            identifier = stage.get("id")
            called = identifier if isinstance(identifier, str) else ""
            yield number, Stage.model_validate(_PLACEHOLDERS | kept).model_copy(update={"id": called})


def _target(loop: Any) -> dict[str, Any]:
    """Where a loop leads, whatever else is wrong with it."""
    target = loop.get("target") if isinstance(loop, dict) else None
    return {"loop": {"target": target, "trigger": _TRIGGER}} if isinstance(target, str) else {}
