"""Asks an agent program what it can do, since what is written about it grows old."""

from __future__ import annotations

import json
import os
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio

from kiro_core.cli.engines.showing import engine_object, show_about
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given
from kiro_core.cli.progress import progress
from kiro_core.cli.text import tell
from kiro_core.dispatcher.backends import open_backends
from kiro_core.engines import choose_engine, load_engines
from kiro_core.engines.learned import Learned, corrected, write_learned
from kiro_core.engines.table import cache_path
from kiro_core.engines.visiting import Nobody, visited
from kiro_core.types import Engine, PeerInfo

if TYPE_CHECKING:
    from kiro_core.registry import Registry
    from kiro_core.settings import Settings


def probe_one(given: Given, name: str, *, as_json: bool) -> int:
    """Start an engine, show what it says of itself, and correct what is known of it on this machine.

    Raises:
        UnknownName, EngineNotFound: no engine has the name, or it is not installed.
        LaunchFailed, AgentTimeout, RpcError: it cannot be started, or does not introduce itself.

    """
    settings, registry = given.load()
    engine = choose_engine(load_engines(settings.engines), requested=name).engine
    info = anyio.run(_asked, settings, registry, engine, backend="asyncio")
    learned = Learned.of(engine.command, info, datetime.now(UTC).date().isoformat())
    now, path = corrected(engine, learned), cache_path(os.environ)
    show_about(engine_object(now) | {"name_of_itself": info.name, "corrected": _changes(engine, now)}, as_json=as_json)
    try:
        write_learned(path, name, learned)
    except OSError as error:
        tell(f"notice: It could not be remembered in {path}: {error.strerror}.")
    return DONE


async def _asked(settings: Settings, registry: Registry, engine: Engine) -> PeerInfo:
    async with open_backends(settings, registry) as backends:
        tools = backends.tools(engine)
        doing = f"Waiting for {shlex.join(engine.command)}, at most {settings.limits.start_s:g} s"
        async with (
            progress(doing),
            visited(engine, tools.launcher, tools.wire, Nobody(), settings.limits.start_s) as agent,
        ):
            return agent.info


def _changes(before: Engine, now: Engine) -> dict[str, Any]:
    """What the probe corrected: `{field: {was, is}}`."""
    changes = {}
    for field in ("version", "abilities", "logins"):
        was, is_ = getattr(before, field), getattr(now, field)
        if _comparable(was) != _comparable(is_):
            changes[field] = {"was": was, "is": is_}
    return changes


def _comparable(value: Any) -> Any:
    return value if isinstance(value, str) else sorted(json.dumps(part, sort_keys=True) for part in value)
