"""Two folders are asked in order; what stands first under a name counts, even when it is broken."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field

from kiro_agents.folders import folder_of_user, folder_of_workspace, read_folder
from kiro_core.errors import AgentConfigInvalid
from kiro_core.ports import AgentSource
from kiro_core.types import AgentConfig, AgentSummary, Problem

if TYPE_CHECKING:
    from kiro_core.agentconfig import Loaded


def _kiro_home() -> Path:
    return Path(os.environ.get("KIRO_HOME") or "~/.kiro")


class KiroOptions(BaseModel):
    """What the settings may say of the source `kiro`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Field(
        default_factory=_kiro_home,
        description="The user's Kiro folder, whose `agents` are read; by default `$KIRO_HOME`, else `~/.kiro`.",
    )


@asynccontextmanager
async def open_source(options: KiroOptions) -> AsyncIterator[AgentSource]:
    """Yield the source; it holds nothing open, and a file that changes counts from the next question on."""
    yield KiroFolders(options.home)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the folders hold: one file a name, and everything that is wrong."""

    loaded: Mapping[str, Loaded]
    problems: Sequence[Problem]


class KiroFolders:
    """`.kiro/agents` of a working directory, then `agents` of the user's Kiro folder; nothing that they refer to."""

    def __init__(self, home: Path) -> None:
        """`home` is the user's Kiro folder; a leading `~` is understood."""
        self._home = home.expanduser().absolute()

    async def find(self, name: str, cwd: Path) -> AgentConfig | None:
        """The configuration of that name for a session in `cwd`, or None.

        Raises:
            AgentConfigInvalid: the file that has the name is broken; another one never stands in.

        """
        loaded = (await self._read(cwd)).loaded.get(name)
        if loaded is None:
            return None
        if loaded.config is not None:
            return loaded.config
        problem = loaded.problems[0]
        raise AgentConfigInvalid(
            f"The agent configuration {problem}.",
            hint="Correct the file, or choose another agent.",
            path=str(problem.path),
            field=problem.field,
            reason=problem.reason,
            line=problem.line,
        )

    async def names(self, cwd: Path) -> Sequence[AgentSummary]:
        """All configurations that `find` would give, those of the folder first."""
        found = (await self._read(cwd)).loaded.values()
        configs = [loaded.config for loaded in found if loaded.config is not None]
        return [AgentSummary(c.name, c.description, c.origin, workspace=c.workspace) for c in configs]

    async def problems(self, cwd: Path) -> Sequence[Problem]:
        """What is wrong with the documents, the folder's first; the rest still loads."""
        return (await self._read(cwd)).problems

    async def _read(self, cwd: Path) -> Reading:
        # Reading changes nothing, so a folder on a disk that hangs may be left behind by a cancellation.
        return await to_thread.run_sync(self._read_now, cwd, abandon_on_cancel=True)

    def _read_now(self, cwd: Path) -> Reading:
        loaded: dict[str, Loaded] = {}
        problems: list[Problem] = []
        workspace, agents = folder_of_workspace(cwd), folder_of_user(self._home)
        if os.path.realpath(workspace) != os.path.realpath(agents):  # in the home folder it is the user's own
            loaded = read_folder(workspace, str(cwd), problems)
        for name, file in read_folder(agents, "", problems).items():
            if (first := loaded.setdefault(name, file)) is not file:
                reason = f"{name!r} of this folder goes before your own, {file.path}"
                problems.append(Problem(first.path, "name", reason, first.line, "warning"))
        return Reading(loaded, problems)
