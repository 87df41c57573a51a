"""What the core knows of a stored session and its store cannot: what metadata should say, how far a log reached."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import Any

from kiro_core.errors import RecordInvalid
from kiro_core.ports import SessionStore
from kiro_core.recovery import entries, told
from kiro_core.session import prompt_title
from kiro_core.types import GAP, RUN, Finding, Report, SessionId, SessionInfo

_NOWHERE = "/"


async def checked(store: SessionStore, session: SessionId, *, repair: bool) -> Report:
    """The store's own check, and whether the log still reaches as far as the metadata know of it.

    Metadata that are made anew get what the log says: kind, folder, agent, engine, model and title.

    Raises:
        SessionNotFound, Held, RecordInvalid, Unavailable: see `SessionStore.verify`.

    """
    report = await store.verify(session, repair=repair)
    if report.repaired and any(finding.kind == "metadata" for finding in report.findings):
        await _complete(store, session)
    try:
        info = await store.get(session)
    except RecordInvalid:
        return report
    reached = max(info.configured, int(info.spoken))
    if reached <= report.head:
        return report
    sentence = f"The log ends at {report.head}, and what came up to {reached} at least is lost."
    missing = Finding(GAP, sentence, report.head + 1, reached)
    return replace(report, findings=[*report.findings, missing])


async def _complete(store: SessionStore, session: SessionId) -> None:
    known: dict[str, Any] = {}
    async with aclosing(entries(store.read(session))) as items:
        async for item in items:
            if item.kind in ("opened", "configured"):
                known |= _configuration(told(item))
            elif item.kind == "crew_begun":
                known |= _configuration(told(item)) | {"kind": RUN}
            elif item.kind == "prompt" and not known.get("title"):
                known["title"] = prompt_title(item.frame)
    async with store.open(session) as db:
        missing = {name: value for name, value in known.items() if value and _lacks(db.info, name)}
        if missing:
            await db.put_info(replace(db.info, **missing))


def _configuration(data: dict[str, Any]) -> dict[str, Any]:
    found = {"cwd": data.get("cwd"), "model": data.get("model")}
    for name in ("agent", "engine"):
        about = data.get(name)
        found[name] = about.get("name") if isinstance(about, dict) else None
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _lacks(info: SessionInfo, name: str) -> bool:
    return getattr(info, name) in ("", _NOWHERE)
