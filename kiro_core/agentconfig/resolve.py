"""One place decides which agent configuration a session gets, so that every face gives the same answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread

from kiro_core.errors import AgentConfigInvalid
from kiro_core.ports import AgentSource
from kiro_core.types import AgentConfig, AgentSummary, Problem

_FIELDS = {"name": "kiro_default", "description": "What the agent program does by itself."}

BUILT_IN = AgentConfig(
    name=_FIELDS["name"],
    description=_FIELDS["description"],
    digest=hashlib.sha256(json.dumps(_FIELDS, sort_keys=True, separators=(",", ":")).encode()).hexdigest(),
    fields={**_FIELDS, "includeMcpJson": True},
)
"""What applies when nobody chose anything; a source may have a `kiro_default` of its own, which goes before it.

It has no prompt and no resources: agent programs read `AGENTS.md` and `README.md` by themselves. The digest is that
of what it is, and stays as it is while what it does is the same.
"""

KIRO_SETTING = "chat.defaultAgent"
"""Where `kiro-cli settings chat.defaultAgent NAME` writes: this key of `settings/cli.json` (kiro.dev, CLI settings)."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Which configuration applies, and how that came about.

    `asked` is the name that was looked for and `origin_of_choice` who asked for it: "request", "flag",
    "record", "settings", "kiro" or "built-in". When `found` is False, `config` only stands in, and
    whoever asked has to hear it. `problems` are those of the choice: of the file in use, or of all
    files when the name was not found, since one that cannot be read may be the one that was meant.
    `untrusted` are the documents that were left out, since nobody agreed to them.
    """

    config: AgentConfig
    asked: str
    origin_of_choice: str
    problems: Sequence[Problem] = ()
    found: bool = True
    untrusted: Sequence[Any] = ()


async def resolve(  # noqa: PLR0913 - one keyword for each place where a choice is made
    sources: Sequence[AgentSource],
    cwd: Path,
    *,
    requested: str = "",
    flag: str = "",
    recorded: str = "",
    default: str = "",
    home: Path,
) -> Resolved:
    """Choose for a session in `cwd`; an empty name is no choice, and the first choice decides.

    `requested` comes with the request, `flag` is `--agent`, `recorded` stands in the session's record,
    `default` in the settings; then come Kiro's own setting below `home` (`$KIRO_HOME`, else `~/.kiro`)
    and the built-in. A choice that fails never falls to the next one: `kiro_default` stands in, visibly.
    """
    problems: list[Problem] = []
    choices = {"request": requested, "flag": flag, "record": recorded, "settings": default}
    origin, asked = next(((origin, name) for origin, name in choices.items() if name), ("kiro", ""))
    if not asked:
        asked = await to_thread.run_sync(_kiro_default, home, problems)
    if not asked:
        origin, asked = "built-in", BUILT_IN.name
    config = await _find(sources, asked, cwd)
    if isinstance(config, AgentConfig):
        problems += [problem for problem in await _problems(sources, cwd) if str(problem.path) == config.origin]
        return Resolved(config, asked, origin, problems)
    problems += [config] if config else [one for one in await _problems(sources, cwd) if one.severity == "error"]
    stand_in = await _find(sources, BUILT_IN.name, cwd)
    stand_in = stand_in if isinstance(stand_in, AgentConfig) else BUILT_IN
    return Resolved(stand_in, asked, origin, problems, found=False)


async def all_agents(sources: Sequence[AgentSource], cwd: Path) -> tuple[Sequence[AgentSummary], Sequence[Problem]]:
    """Every configuration that a session in `cwd` can ask for, one a name, and what could not be read."""
    agents: dict[str, AgentSummary] = {}
    for source in sources:
        for summary in await source.names(cwd):
            agents.setdefault(summary.name, summary)
    agents.setdefault(BUILT_IN.name, AgentSummary(BUILT_IN.name, BUILT_IN.description, BUILT_IN.origin))
    return list(agents.values()), await _problems(sources, cwd)


async def _find(sources: Sequence[AgentSource], name: str, cwd: Path) -> AgentConfig | Problem | None:
    """The first that a source has; what is broken stops the search, so that nothing else passes for it."""
    try:
        for source in sources:
            if (config := await source.find(name, cwd)) is not None:
                return config
    except AgentConfigInvalid as error:
        told = error.details
        reason = told.get("reason", error.sentence)
        return Problem(Path(told.get("path", name)), told.get("field", ""), reason, told.get("line", 0))
    return BUILT_IN if name == BUILT_IN.name else None


async def _problems(sources: Sequence[AgentSource], cwd: Path) -> list[Problem]:
    return [problem for source in sources for problem in await source.problems(cwd)]


def _kiro_default(home: Path, problems: list[Problem]) -> str:
    path = home.expanduser() / "settings" / "cli.json"
    try:
        settings: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, RecursionError) as error:
        problems.append(Problem(path, "", f"cannot be read: {error}"))
        return ""
    name = settings.get(KIRO_SETTING, "") if isinstance(settings, dict) else None
    if isinstance(name, str):
        return name
    problems.append(Problem(path, KIRO_SETTING, "is not text in a JSON object"))
    return ""
