"""Answers from a folder of TOML files; they are read anew for each question, so that a change counts at once."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from anyio import to_thread
from kiro_core.errors import AgentConfigInvalid
from kiro_core.types import AgentConfig, AgentSummary, Problem


class TomlFolder:
    """Implements `AgentSource`: `review.toml` is the agent `review`, with the fields of Kiro's own format."""

    def __init__(self, folder: Path) -> None:
        """The folder need not exist: then there are no agents."""
        self._folder = folder

    async def find(self, name: str, cwd: Path) -> AgentConfig | None:
        """See `AgentSource.find`. The name is looked up and never made a path: it comes from other programs."""
        found = (await self._read()).get(name)
        if isinstance(found, Problem):
            raise AgentConfigInvalid(f"The agent configuration {found}.", hint="Correct the file.")
        return found

    async def names(self, cwd: Path) -> Sequence[AgentSummary]:
        """See `AgentSource.names`."""
        found = (await self._read()).values()
        return [AgentSummary(one.name, one.description, one.origin) for one in found if isinstance(one, AgentConfig)]

    async def problems(self, cwd: Path) -> Sequence[Problem]:
        """See `AgentSource.problems`."""
        return [found for found in (await self._read()).values() if isinstance(found, Problem)]

    async def _read(self) -> Mapping[str, AgentConfig | Problem]:
        # A folder on a disk that hangs must not stop the event loop; nothing is lost when nobody waits any more.
        return await to_thread.run_sync(self._read_now, abandon_on_cancel=True)

    def _read_now(self) -> Mapping[str, AgentConfig | Problem]:
        files = sorted(path for path in self._folder.glob("*.toml") if path.stem.isprintable())
        return {path.stem: _read_file(path) for path in files}


def _read_file(path: Path) -> AgentConfig | Problem:
    """One agent, or what is wrong with it."""
    try:
        raw = path.read_bytes()
        # The fields of an agent are JSON values, and TOML also has times.
        fields = json.loads(json.dumps(tomllib.loads(raw.decode()), default=str))
    except (OSError, ValueError) as error:
        return Problem(path, "", f"cannot be read: {error}")
    texts = {key: fields.get(key, "") for key in ("description", "prompt", "model")}
    for key, value in texts.items():
        if not isinstance(value, str):
            return Problem(path, key, "is no text")
    return AgentConfig(path.stem, **texts, origin=str(path), digest=sha256(raw).hexdigest(), fields=fields)
