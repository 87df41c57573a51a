"""Loads one plugin in a process of its own, opens what is chosen of it, and reports; it may hang or crash here.

It is run by its path, and reads neither settings nor a command line: importing what they need takes almost a third
of the time of such a process, and there is one for each plugin.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import anyio

from kiro_core.catalog import Catalog, Choice, Within
from kiro_core.errors import KiroError, innermost
from kiro_core.explain import in_words
from kiro_core.journal import utc_now
from kiro_core.ports import SessionStore
from kiro_core.provider import AnyProvider
from kiro_core.registry import KINDS, Registry
from kiro_core.registry.support import notices_of
from kiro_core.types import SessionId, SessionInfo


def main() -> None:
    """Read the order from stdin, a pickled `(plugin, [(kind, choice, serves), ...], within)`; report to stdout.

    Of what is chosen it opens what the plugin provides; `serves`: sessions are to be served over it.

    The report is `{problem, hint, notices, provides: [{kind, name, summary, schema}], opened: [{kind, name,
    problem, hint}]}` in a line; an empty problem is none. A line before it has all but what was `opened`.
    """
    plugin, choices, within = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the program that started this one
    out = os.dup(1)
    os.dup2(2, 1)  # what a plugin prints is no part of the report
    with os.fdopen(out, "w") as file:
        for report in _reports(plugin, choices, within):
            file.write(json.dumps(report) + "\n")
            file.flush()  # what is opened next may end this process


def _reports(plugin: str, choices: Sequence[tuple[str, Choice, bool]], within: Within) -> Iterator[dict[str, Any]]:
    report: dict[str, Any] = {"provides": [], "notices": []}
    try:
        registry = Registry(only={plugin}, strict=True)
    except KiroError as error:
        yield report | {"opened": []} | _told(error)
        return
    catalogs: dict[str, Catalog[Any]] = {catalog.kind: catalog for catalog in registry.catalogs}
    for kind, catalog in catalogs.items():
        report["provides"] += [_provided(kind, name, entry.provider) for name, entry in catalog.entries.items()]
    report["notices"] = [notice for info in registry.plugins if info.name == plugin for notice in notices_of(info)]
    yield report | _told(None)
    opened = [
        {"kind": kind, "name": choice.use, **_opened(catalogs[kind], choice, within, serves=serves)}
        for kind, choice, serves in choices
        if choice.use in catalogs[kind].entries
    ]
    yield report | {"opened": opened} | _told(None)


def _provided(kind: str, name: str, provider: AnyProvider) -> dict[str, Any]:
    return {"kind": kind, "name": name, "summary": provider.summary, "schema": _schema(f"{kind} {name}", provider)}


def _schema(called: str, provider: AnyProvider) -> dict[str, Any] | None:
    """The schema of its options, whose definitions are named so that they can stand beside others'; None: unknown."""
    prefix = called.replace(" ", "_")
    try:
        model = provider.model()
        if model is None:
            return {"type": "object", "properties": {}, "additionalProperties": False}
        schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}.{{model}}")
    except Exception:  # noqa: BLE001 - some types have no schema, whatever pydantic calls that, and some models do not load
        return None
    schema["$defs"] = {f"{prefix}.{name}": inner for name, inner in schema.get("$defs", {}).items()}
    return cast("dict[str, Any]", schema)


def _opened(catalog: Catalog[Any], choice: Choice, within: Within, *, serves: bool) -> dict[str, str]:
    async def opening() -> None:
        async with catalog.open(choice, within) as backend:
            if catalog.kind == KINDS["kiro_stores"]:
                await _write(backend)
            if serves:
                from kiro_core.cli.serve.faces import face_of

                face_of(choice.use, backend)

    try:
        anyio.run(opening, backend="asyncio")
    except Exception as error:  # noqa: BLE001 - foreign code fails in any way it likes
        return _told(error)
    return _told(None)


async def _write(store: SessionStore) -> None:
    """Make a session and remove it again, which is all that tells whether a store can be written."""
    session, now = SessionId(str(uuid4())), utc_now()
    async with store.create(SessionInfo(session, str(Path.home()), now, now, title="check")):
        pass
    await store.delete(session)


def _told(error: Exception | None) -> dict[str, str]:
    if error is None:
        return {"problem": "", "hint": ""}
    cause = innermost(error)
    if isinstance(cause, KiroError):
        return {"problem": str(cause), "hint": cause.hint}
    return {"problem": in_words(cause), "hint": ""}


if __name__ == "__main__":
    main()
