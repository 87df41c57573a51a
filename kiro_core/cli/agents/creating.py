"""A new agent configuration begins as one that is valid, and never in place of one that is there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kiro_core.agentconfig import SUFFIXES, as_json, as_markdown, typed
from kiro_core.cli.agents.finding import find_agent
from kiro_core.cli.options import Given
from kiro_core.cli.sources import with_sources
from kiro_core.errors import AgentNotFound, KiroError
from kiro_core.ports import AgentSource
from kiro_core.settings import kiro_home
from kiro_core.types import AgentConfig

_FRESH = {"description": "", "prompt": "", "tools": ["*"], "allowedTools": [], "resources": []}


def create_agent(  # noqa: PLR0913 - one argument for each thing that one says of it
    given: Given, name: str, cwd: Path, changes: Mapping[str, str], *, own: bool, source: str, markdown: bool
) -> Path:
    """Write a configuration of `cwd`, or the user's `own`, with the fields of `source` and then `changes`; its path.

    Raises:
        KiroError: the name cannot be a file's or is taken, or the file cannot be written.
        AgentNotFound: there is no `source`.

    """
    if "/" in name or name.startswith(".") or not name.strip() or not name.isprintable():
        raise KiroError(f"{name!r} cannot be the name of a file.", hint="Use letters, digits and dashes.")
    folder = (kiro_home(os.environ).expanduser() if own else cwd / ".kiro").absolute() / "agents"

    async def found(sources: Sequence[AgentSource]) -> tuple[AgentConfig | None, AgentConfig | None]:
        return await find_agent(sources, name, cwd), await find_agent(sources, source, cwd) if source else None

    there, model = with_sources(given, found)
    paths = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
    taken = [path for path in (*paths, Path(there.origin if there else "")) if path.parent == folder and path.exists()]
    if taken:
        raise KiroError(
            f"There is an agent configuration {name!r} already, in {taken[0]}.", hint="Choose another name."
        )
    if source and model is None:
        raise AgentNotFound(f"No agent configuration is called {source!r}.", hint="See `kiro-core agents list`.")
    fields = {"name": name, **_FRESH} if model is None else _copied(model, folder)
    fields |= {"name": name, **changes}
    if "prompt" in changes:
        fields.pop("systemPrompt", None)
    typed(AgentConfig(name, fields=fields))
    path = folder / f"{name}{'.md' if markdown else '.json'}"
    _write(path, as_markdown(fields) if markdown else as_json(fields))
    return path


def _copied(config: AgentConfig, folder: Path) -> dict[str, Any]:
    """The fields; a prompt's file that is named from the document's folder is named from the root in another one."""
    fields = dict(config.fields)
    beside = Path(config.origin).parent
    for field in ("prompt", "systemPrompt"):
        scheme, _, file = str(fields.get(field) or "").partition("file://")
        if beside != folder and not scheme and file and not file.startswith(("/", "~", "$")):
            fields[field] = f"file://{beside / file}"
    return fields


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
            file.write(text)
    except OSError as error:
        raise KiroError(f"{path} cannot be written: {error.strerror}.", hint="Nothing was changed.") from error
