"""One file becomes one configuration or its problems, and what an untrusted folder may not decide is left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from kiro_agents.prompt import is_inside, prompt_file
from kiro_agents.reading import Unreadable, read_text
from kiro_core.types import AgentConfig, Problem

STARTS_COMMANDS = ("mcpServers", "hooks")
"""The fields that make an agent start programs of the configuration's choice."""


class Used(BaseModel):
    """The fields that are used; all others are kept as written and not looked at."""

    model_config = ConfigDict(strict=True, extra="ignore")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    description: str | None = None
    prompt: str | None = None
    system_prompt: str | None = Field(None, validation_alias="systemPrompt")
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """One file: the name that it claims, its configuration (None: broken), and what is wrong with it."""

    path: Path
    name: str
    config: AgentConfig | None
    problems: Sequence[Problem] = ()


def load(path: Path, workspace: Path | None) -> Loaded:
    """Read a configuration; `workspace` is the folder that it must not lead out of, None for the user's own.

    A broken file claims its `name` as far as that can be read, else its file name, so that another
    configuration never silently takes its place.
    """
    name = path.name.removesuffix(".json")
    try:
        text, raw = read_text(path)
        fields = _parse(text)
    except Unreadable as error:
        return Loaded(path, name, None, [Problem(path, "", str(error))])
    try:
        used = Used.model_validate(fields if fields.get("name") is not None else {**fields, "name": name})
    except ValidationError as error:
        problems = [Problem(path, str(wrong["loc"][0]), wrong["msg"]) for wrong in error.errors()]
        written = fields.get("name")
        return Loaded(path, written.strip() or name if isinstance(written, str) else name, None, problems)
    return _effective(path, workspace, used, fields, hashlib.sha256(raw).hexdigest())


def _parse(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
        # What Python reads but strict JSON refuses (NaN, half a surrogate pair) could not be recorded later.
        json.dumps(fields, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError as error:
        raise Unreadable(f"is not JSON at line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"holds a value that JSON cannot: {error}") from error
    if not isinstance(fields, dict):
        raise Unreadable("is not a JSON object")
    return fields


def _effective(path: Path, workspace: Path | None, used: Used, fields: dict[str, Any], digest: str) -> Loaded:
    withheld = [field for field in STARTS_COMMANDS if workspace is not None and fields.get(field)]
    field, written = ("prompt", used.prompt) if used.prompt else ("systemPrompt", used.system_prompt or "")
    prompt, problems = "", []
    try:
        file = prompt_file(written, path.parent)
        if file is None:
            prompt = written
        elif workspace is not None and not is_inside(file, workspace):
            withheld.append(field)
        else:
            prompt, _ = read_text(file)
    except Unreadable as error:
        problems.append(Problem(path, field, f"{written!r} {error}"))
    config = AgentConfig(
        name=used.name,
        description=used.description or "",
        prompt=prompt,
        model=used.model or "",
        origin=str(path),
        digest=digest,
        fields={key: value for key, value in fields.items() if key not in withheld},
        withheld=withheld,
    )
    return Loaded(path, used.name, config, problems)
