"""Asks once which agent program a person wants, where only one is installed, and remembers the answer."""

from __future__ import annotations

import os
from pathlib import Path

from kiro_core.cli.asking import Person
from kiro_core.cli.text import tell
from kiro_core.engines import choose_engine, load_engines
from kiro_core.errors import EngineNotFound
from kiro_core.explain import dotted
from kiro_core.settings import Settings, kiro_home
from kiro_core.settings.files import replace_file


async def settle_engine(settings: Settings, config: Path | None, person: Person | None) -> str:
    """The engine that the person agrees to; empty where there is nothing to ask, and nobody.

    A settings file that was named, here or in the environment, is not ours to change: then the desk
    just tells which engine it uses.

    Raises:
        EngineNotFound: the person does not agree, or there is none.

    """
    named = config is not None or "KIRO_CORE_CONFIG" in os.environ
    if person is None or named or settings.engine or settings.agent_engines:
        return ""
    chosen = choose_engine(load_engines(settings.engines))
    if not chosen.said:
        return ""
    name = chosen.engine.name
    if not await person.agrees(f"{chosen.engine.title or name} is the only agent program that is installed. Use it?"):
        hint = "Choose one with --engine NAME; `kiro-core engines` lists them."
        raise EngineNotFound("No agent program is chosen.", hint=hint)
    path = kiro_home(os.environ) / "kiro.toml"
    try:
        remember(path, name)
    except OSError as error:
        tell(f"notice: The choice could not be remembered in {path}: {error.strerror}.")
    else:
        tell(f"notice: Remembered in {path}: engine = {dotted([name])}.")
    return name


def remember(path: Path, engine: str) -> None:
    """Put the choice in front of what the settings file holds, which stays byte for byte; all or nothing.

    Raises:
        OSError: the file cannot be written.

    """
    kept = path.read_bytes() if path.exists() else b""
    replace_file(path, f'engine = "{engine}"\n'.encode() + kept)
