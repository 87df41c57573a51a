"""One file becomes one configuration or its problems, the same for every source that finds such files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiro_core.agentconfig.checking import check
from kiro_core.agentconfig.document import read_document
from kiro_core.agentconfig.reading import Unreadable
from kiro_core.types import AgentConfig, Problem


@dataclass(frozen=True, slots=True)
class Loaded:
    """One file: the name that it claims, its configuration (None: broken), and what is wrong with it.

    `line` is where its name stands, 0 where it is called as its file. `is_text` tells of a Markdown file that it has no
    fields at all: a prompt, say, that lies beside the configurations.
    """

    path: Path
    name: str
    config: AgentConfig | None
    problems: Sequence[Problem] = ()
    line: int = 0
    is_text: bool = False


def load(path: Path, workspace: str = "", name: str = "") -> Loaded:
    """Read a configuration; `workspace` is as in `AgentConfig`, `name` that of one without (the file's).

    A broken file claims its `name` as far as that can be read, else its file's, so that another configuration
    never silently takes its place. Nothing that it refers to is read.
    """
    name = name or path.stem
    try:
        written = read_document(path)
    except Unreadable as error:
        problem = Problem(path, error.field, str(error), error.line)
        return Loaded(path, name, None, [problem], is_text=error.is_text)
    typed, problems = check(path, written, name)
    line = written.line(["name"])
    if typed is None:
        return Loaded(path, _claimed(written.fields) or name, None, problems, line)
    config = AgentConfig(
        name=typed.name,
        description=typed.description or "",
        prompt=typed.prompt or "",
        model=typed.model or "",
        origin=str(path),
        digest=written.digest,
        fields=written.fields,
        workspace=workspace,
    )
    return Loaded(path, typed.name, config, problems, line)


def _claimed(fields: Mapping[str, Any]) -> str:
    name = fields.get("name")
    return name.strip() if isinstance(name, str) and name.isprintable() else ""
