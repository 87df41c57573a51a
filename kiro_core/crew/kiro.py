"""Takes what agents tell Kiro's own `subagent` tool, so that a prompt written for Kiro works with every engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kiro_core.crew.checking import ANY, without_nulls
from kiro_core.crew.document import Loaded, load_crew
from kiro_core.crew.stages import is_id
from kiro_core.crew.template import literal, result_place
from kiro_core.errors import CrewInvalid

if TYPE_CHECKING:
    from kiro_core.crew.fitting import Known

_NAMES = {"name": "id", "role": "agent", "prompt_template": "prompt"}


def load_kiro(fields: Mapping[str, Any], known: Known = ANY) -> Loaded:
    """The crew of `{task, mode, stages: [{name, role, prompt_template, depends_on, model, loop}]}`, or all problems."""
    loaded = load_crew(as_crew(fields), known=known)
    return replace(loaded, problems=[replace(one, field=_as_kiro(one.field)) for one in loaded.problems])


def as_crew(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same as the fields of a crew file, of which each may stand there as well.

    In a `prompt_template` only `{task}` has a meaning; the results of the stages before go behind it, as Kiro does
    (kiro-cli, `agent_crew`). `mode` is left to whoever calls: a crew knows nothing of who waits for it.
    """
    given = without_nulls(dict(fields))
    stages = given.get("stages")
    outer = {"name": name_of(given.get("task", "")), **{key: value for key, value in given.items() if key != "mode"}}
    if isinstance(stages, list):
        names = [stage.get("name", stage.get("id")) for stage in stages if isinstance(stage, dict)]
        ids = {name for name in names if isinstance(name, str) and is_id(name)}
        outer["stages"] = [_stage(stage, ids) for stage in stages]
    return outer


def in_kiros_words(error: CrewInvalid) -> CrewInvalid:
    """The error about such a crew, with the names of the fields that whoever wrote it knows."""
    problems = [{**one, "field": _as_kiro(one["field"])} for one in error.details.get("problems", ())]
    if not problems:
        return error
    told = "\n".join(f"{one['field']}: {one['reason']}" for one in problems)
    return CrewInvalid(error.sentence, hint=told, **{**error.details, "problems": problems})


def name_of(task: Any) -> str:
    """What a crew without a name is called: the first line of its task, as far as it is short and can be shown."""
    first = next(iter(task.split("\n", 1)), "") if isinstance(task, str) else ""
    return "".join(sign for sign in first[:60] if sign.isprintable()).strip() or "crew"


def _stage(stage: Any, known: Collection[str]) -> Any:
    if not isinstance(stage, dict):
        return stage
    fields = {_NAMES.get(key, key): value for key, value in stage.items()}
    if isinstance(stage.get("prompt_template"), str):
        before = fields.get("depends_on")
        listed = [before] if isinstance(before, str) else before if isinstance(before, list) else []
        fields["prompt"] = _prompt(
            fields["prompt"], [each for each in listed if isinstance(each, str) and each in known]
        )
    return fields


def _prompt(template: str, before: Sequence[str]) -> str:
    said = "{task}".join(literal(part) for part in template.split("{task}"))
    return "\n\n".join([said, *(f"Result of {each}:\n{result_place(each)}" for each in dict.fromkeys(before))])


def _as_kiro(field: str) -> str:
    head, _, last = field.rpartition(".")
    kiros = {ours: theirs for theirs, ours in _NAMES.items()}
    return f"{head}.{kiros[last]}" if head.startswith("stages.") and last in kiros else field
