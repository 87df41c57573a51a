"""Says of a written configuration what keeps it from being used, and what in it does not do what somebody may think."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from kiro_core.agentconfig.advice import Remark, remarks
from kiro_core.agentconfig.document import Written
from kiro_core.agentconfig.format import AgentFormat, McpServer
from kiro_core.agentconfig.names import OLD_NAMES
from kiro_core.agentconfig.tools import canonical
from kiro_core.agentconfig.toolsettings import OF_TOOL
from kiro_core.errors import AgentConfigInvalid
from kiro_core.explain import dotted
from kiro_core.types import AgentConfig, Problem

MAX_PROBLEMS = 50
"""So many are told of one document: who wrote more mistakes corrects these first."""

_LONGEST = 80
_WHAT = re.compile(r"^(?:Input|String|List|Value error,) ")

LineOf = Callable[[Sequence[str | int]], int]
"""Tells the line of a place in a document, counted from 1; 0 when it cannot."""


def check(path: Path, written: Written, name: str) -> tuple[AgentFormat | None, list[Problem]]:
    """The typed configuration, None when it cannot be used, and all that is wrong; `name` is that of one without."""
    fields = _present(written.fields, name)
    errors = list(islice(_errors(fields), MAX_PROBLEMS))
    if errors:
        return None, [as_problem(path, remark, written.line) for remark in errors]
    typed = AgentFormat.model_validate(fields)
    told = islice(_warnings(typed, written.fields), MAX_PROBLEMS)
    return typed, [as_problem(path, remark, written.line, "warning") for remark in told]


def typed(config: AgentConfig) -> AgentFormat:
    """The fields of a configuration as typed values; one that has none is all defaults.

    Raises:
        AgentConfigInvalid: a source gave fields that are not of the format.

    """
    fields = _present(config.fields, config.name)
    first = next(_errors(fields), None)
    if first is None:
        return AgentFormat.model_validate(fields)
    field, reason = dotted(str(part) for part in first.path), first.reason
    raise AgentConfigInvalid(
        f"The agent configuration {config.name!r} cannot be used: {field} {reason}.",
        hint="Correct it, or choose another agent.",
        path=config.origin,
        field=field,
        reason=reason,
        line=0,
    )


def _present(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Without what is null, which is as good as absent."""
    return {"name": name} | {key: value for key, value in fields.items() if value is not None}


def _errors(fields: dict[str, Any]) -> Iterator[Remark]:
    yield from refused(AgentFormat, fields, fields, ())
    if all(name in fields for name in ("includeMcpJson", "useLegacyMcpJson")):
        yield Remark(("useLegacyMcpJson",), "is the old name of includeMcpJson, and both are there")
    settings = fields.get("toolsSettings")
    for tool, value in settings.items() if isinstance(settings, dict) else ():
        if (model := OF_TOOL.get(canonical(tool))) and isinstance(value, dict):
            yield from refused(model, value, fields, ("toolsSettings", tool))


def _warnings(typed: AgentFormat, fields: Mapping[str, Any]) -> Iterator[Remark]:
    for name, value in typed.mcp_servers.items():
        for wrong in islice(refused(McpServer, value, typed.mcp_servers, (name,)), 1):
            reason = f"{wrong.reason}, so this server is left out"
            yield Remark(("mcpServers", *wrong.path), reason)
    for old, new in OLD_NAMES.items():
        if fields.get(old) and fields.get(new):
            yield Remark((old,), f"is the old name of {new}, which counts")
    yield from remarks(typed, fields)


def refused(model: type[BaseModel], value: Any, root: Any, inside: Sequence[str]) -> Iterator[Remark]:
    """What a model refuses of a value that stands at `inside` in `root`; no reason repeats the value."""
    try:
        model.model_validate(value)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_context=False, include_input=False):
            reason = _WHAT.sub("", item["msg"]).partition(" after validation")[0]
            if item["type"] in {"model_type", "model_attributes_type", "dict_type"}:
                reason = "should be an object"
            elif item["type"] == "extra_forbidden":
                reason = "is a key that nobody knows here"
            elif item["type"] == "missing":
                reason = "is missing"
            yield Remark(_as_written(root, (*inside, *item["loc"])), reason)


def _as_written(root: Any, path: Sequence[str | int]) -> tuple[str | int, ...]:
    """A place in the model as a place in the document: without the names that only the model has."""
    node, found = root, list[str | int]()
    for number, part in enumerate(path):
        try:
            node = node[part]
        except (LookupError, TypeError):
            if not isinstance(node, dict) or number < len(path) - 1:
                continue
        found.append(part)
    return tuple(found)


def as_problem(path: Path, remark: Remark, line_of: LineOf, severity: str = "error") -> Problem:
    """The remark about a document, with the line that `line_of` tells of its place."""
    parts = [part if isinstance(part, int) else _short(part) for part in remark.path]
    field = dotted(str(part) for part in parts)
    return Problem(path, field, remark.reason, line_of(remark.path), severity)


def _short(part: str) -> str:
    """So that it neither fills a page nor turns the writing round in which it is shown."""
    part = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in part[: _LONGEST + 1])
    return part if len(part) <= _LONGEST else part[: _LONGEST - 3] + "..."
