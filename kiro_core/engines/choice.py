"""Which engine a session gets: the one that is named, else one that is installed, else a sentence that says why."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from kiro_core.engines.table import names_of
from kiro_core.errors import EngineNotFound, UnknownName
from kiro_core.explain import dotted, near_miss
from kiro_core.types import Engine

Which = Callable[[str], str | None]
"""Finds a program as `shutil.which` does."""

PREFERRED = "kiro"
"""The engine that is used when it is installed and nothing else was chosen."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """An engine, and the sentence that a person is told when nobody asked for it."""

    engine: Engine
    said: str = ""


def installed(engine: Engine, which: Which = shutil.which) -> bool:
    """Whether its program is here; for a module of the running Python, whether the module is."""
    program, module = _looked_for(engine)
    return find_spec(program.partition(".")[0]) is not None if module else which(program) is not None


def choose_engine(
    engines: Mapping[str, Engine],
    *,
    requested: str = "",
    for_agent: str = "",
    default: str = "",
    which: Which = shutil.which,
) -> Chosen:
    """The engine for a session: the first name given, else kiro when installed, else the only one installed.

    `requested` is `--engine`, `for_agent` what the settings say for the session's agent configuration,
    `default` what they say for all.

    Raises:
        UnknownName: no engine has the name.
        EngineNotFound: the named one is not installed, or none is named and not exactly one is installed;
            `details["installed"]` lists the names to choose from.

    """
    named = {"asked for": requested, "set for this agent": for_agent, "the default in the settings": default}
    for reason, name in named.items():
        if name:
            return Chosen(_startable(engine_called(engines, name, reason), reason, which))
    found = [engine for engine in engines.values() if engine.automatic and installed(engine, which)]
    preferred = [engine for engine in found if engine.name == PREFERRED]
    if preferred:
        return Chosen(preferred[0])
    if len(found) == 1:
        return Chosen(found[0], f"Engine {found[0].name!r} is used: it is the only agent program that is installed.")
    raise _not_one(engines, found)


def engine_called(engines: Mapping[str, Engine], name: str, reason: str = "") -> Engine:
    """The engine of that name, installed or not; `reason` says in the error who named it.

    Raises:
        UnknownName: no engine has the name.

    """
    if name not in engines:
        place = f" ({reason})" if reason else ""
        raise UnknownName(
            f"No engine is called {name!r}{place}{near_miss(name, engines)}",
            hint=f"Available: {names_of(engines)}. Add others under [engines.NAME] in the settings.",
            kind="engine",
            name=name,
            available=sorted(engines),
        )
    return engines[name]


def _looked_for(engine: Engine) -> tuple[str, bool]:
    """The name of its program or, with True, of its module."""
    program, *arguments = engine.command
    if program == sys.executable and "-m" in arguments[:-1]:
        return arguments[arguments.index("-m") + 1], True
    return program, False


def _startable(engine: Engine, reason: str, which: Which) -> Engine:
    if not installed(engine, which):
        raise EngineNotFound(
            f"Engine {engine.name!r}, {reason}, is not installed: {_looked_for(engine)[0]!r} {_why_not(engine)}.",
            hint=engine.install
            or f"Install it, or correct {dotted(('engines', engine.name, 'command'))} in the settings.",
            looked_for={engine.name: list(engine.command)},
            installed=[],
        )
    return engine


def _why_not(engine: Engine) -> str:
    path = Path(engine.command[0])
    if not path.is_absolute() or not path.exists():
        return "cannot be found"
    return "is a folder" if path.is_dir() else "is not executable"


def _not_one(engines: Mapping[str, Engine], found: Sequence[Engine]) -> EngineNotFound:
    automatic = [engine for engine in engines.values() if engine.automatic]
    looked_for = {engine.name: list(engine.command) for engine in automatic}
    names = [engine.name for engine in found]
    if names:
        return EngineNotFound(
            f"Several agent programs are installed and none is chosen: {', '.join(names)}.",
            hint=f'Choose one with --engine {names[0]}, or for always with engine = "{names[0]}" in the settings.',
            looked_for=looked_for,
            installed=names,
        )
    programs = ", ".join(_looked_for(engine)[0] for engine in automatic)
    lines = [f"{engine.title}: {engine.install}" for engine in automatic if engine.install]
    lines.append("To try without any: --engine rehearsal. Add others under [engines.NAME] in the settings.")
    return EngineNotFound(
        f"No agent program is installed; looked for {programs}.",
        hint="\n".join(lines),
        looked_for=looked_for,
        installed=[],
    )
