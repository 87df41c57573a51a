"""Two folders are asked in order; what stands first under a name counts, even when it is broken."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field

from kiro_agents.configuration import Loaded, load
from kiro_core.errors import AgentConfigInvalid
from kiro_core.ports import AgentSource
from kiro_core.types import AgentConfig, AgentSummary, Problem


def _kiro_home() -> Path:
    return Path(os.environ.get("KIRO_HOME") or "~/.kiro")


class KiroOptions(BaseModel):
    """What the settings may say: `home` is the user's Kiro folder, by default `$KIRO_HOME`, else `~/.kiro`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Field(default_factory=_kiro_home)


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
    """`.kiro/agents` of a working directory, then `agents` of the user's Kiro folder."""

    def __init__(self, home: Path) -> None:
        """`home` is the user's Kiro folder; a leading `~` is understood."""
        self._agents = home.expanduser().absolute() / "agents"

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
        )

    async def names(self, cwd: Path) -> Sequence[AgentSummary]:
        """All configurations that `find` would give, those of the folder first."""
        found = (await self._read(cwd)).loaded.values()
        configs = [loaded.config for loaded in found if loaded.config is not None]
        return [AgentSummary(c.name, c.description, c.origin, c.withheld) for c in configs]

    async def problems(self, cwd: Path) -> Sequence[Problem]:
        """What could not be read, the folder's first; the rest still loads."""
        return (await self._read(cwd)).problems

    async def _read(self, cwd: Path) -> Reading:
        # Reading changes nothing, so a folder on a disk that hangs may be left behind by a cancellation.
        return await to_thread.run_sync(self._read_now, cwd, abandon_on_cancel=True)

    def _read_now(self, cwd: Path) -> Reading:
        loaded: dict[str, Loaded] = {}
        problems: list[Problem] = []
        workspace = cwd / ".kiro" / "agents"
        if os.path.realpath(workspace) != os.path.realpath(self._agents):  # in the home folder it is the user's own
            loaded = _read_folder(workspace, cwd, problems)
        for name, file in _read_folder(self._agents, None, problems).items():
            loaded.setdefault(name, file)
        return Reading(loaded, problems)


def _read_folder(folder: Path, workspace: Path | None, problems: list[Problem]) -> dict[str, Loaded]:
    """The first file of each name, by file name; whatever is wrong is added to `problems`."""
    found: dict[str, Loaded] = {}
    for path in _files(folder, problems):
        loaded = load(path, workspace)
        problems.extend(loaded.problems)
        first = found.setdefault(loaded.name, loaded)
        if first is not loaded:
            problems.append(Problem(path, "name", f"{loaded.name!r} is the name of {first.path.name} already"))
    return found


def _files(folder: Path, problems: list[Problem]) -> Iterator[Path]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.name.endswith(".json"))
    except FileNotFoundError:
        return
    except OSError as error:
        problems.append(Problem(folder, "", f"cannot be listed: {error.strerror}"))
        return
    for path in paths:
        if path.name.isprintable():
            yield path
        else:  # a stray byte or an escape sequence must reach neither a terminal nor a record
            problems.append(Problem(folder, "", f"holds {path.name!a}, a file name that cannot be shown"))
