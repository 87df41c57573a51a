"""What a shell offers for a name that is being typed; a failure offers nothing, since the line is not finished."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from kiro_core.cli.options import Given

Completed: TypeAlias = "list[CompletionItem]"
Complete = Callable[[click.Context, click.Parameter | None, str], Completed]


def _offering(names: Callable[[click.Context], Iterable[tuple[str, str]]]) -> Complete:
    """Complete by `names`, which gives names with a word about each."""

    def complete(ctx: click.Context, _: click.Parameter | None, incomplete: str) -> Completed:
        from click.shell_completion import CompletionItem

        logging.disable()
        try:
            return [CompletionItem(name, help=text) for name, text in names(ctx) if name.startswith(incomplete)]
        except Exception:  # noqa: BLE001 - a shell in the midst of a line has no place for a failure
            return []

    return complete


def _engines(ctx: click.Context) -> Iterable[tuple[str, str]]:
    from kiro_core.engines.default import engine_names as known

    return ((name, "") for name in known(config=_config(ctx)))


def _agents(ctx: click.Context) -> Iterable[tuple[str, str]]:
    from kiro_core.cli.sources import read_agents
    from kiro_core.cli.text import one_line

    summaries, _ = read_agents(_given(ctx), _folder(ctx))
    return ((summary.name, one_line(summary.description)) for summary in summaries)


def _sessions(ctx: click.Context, *, trashed: bool) -> Iterable[tuple[str, str]]:
    import anyio

    from kiro_core.cli.text import one_line
    from kiro_core.types import SessionInfo, SessionQuery

    async def newest() -> Iterable[SessionInfo]:
        settings, registry = _given(ctx).load()
        async with registry.stores.open(settings.store, settings.limits.backends) as store:
            return (await store.list(SessionQuery(trashed=trashed), limit=_MOST)).items

    return ((info.id, one_line(info.name or info.title)) for info in anyio.run(newest, backend="asyncio"))


_MOST = 200
"""So many sessions are offered: nobody looks through more."""

engine_names: Final = _offering(_engines)
agent_names: Final = _offering(_agents)
session_ids: Final = _offering(partial(_sessions, trashed=False))
trashed_ids: Final = _offering(partial(_sessions, trashed=True))


def _config(ctx: click.Context) -> Path | None:
    config: Path | None = ctx.params.get("config")
    return config


def _given(ctx: click.Context) -> Given:
    from kiro_core.cli.options import Given

    return Given(_config(ctx), ctx.params.get("changes") or {})


def _folder(ctx: click.Context) -> Path:
    return ctx.params.get("cwd") or Path.cwd()
