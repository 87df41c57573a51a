"""Fill the store `files` for measurements: `filling.py log ROOT SESSION RECORDS` or `crowd ROOT SESSIONS`."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import anyio

from kiro_core import Registry
from kiro_core.catalog import Choice
from kiro_core.ports import SessionStore
from kiro_core.types import SessionId, SessionInfo, SessionQuery

_AT = "2026-01-31T08:00:00.123Z"
_EVENT = '{"at":"%s","kind":"%s","turn":"%s","data":%s}'
_TEXT = "I look at the failing test first.".ljust(61, ".")
_UPDATE = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": _TEXT}}
_CHUNK, _CHUNKS = 111, 9
_FIRST = "00000000-0000-4000-8000-000000000000"
_LINKS = 20_000  # a file system bounds them


async def log(store: SessionStore, _: Path, session: str, records: str) -> None:
    """Append turns of a thousand records each, as a desk writes them; the session is made where there is none."""
    name = SessionId(session)
    if all(info.id != name for info in (await store.list(SessionQuery(), limit=9)).items):
        async with store.create(SessionInfo(name, "/", _AT, _AT)):
            pass
    async with store.open(name) as db:
        turn = 0
        while db.head < int(records):
            turn += 1
            for batch in _turn(f"{db.epoch}.{turn}", session):
                await db.append(batch)
        await db.commit()


async def crowd(store: SessionStore, root: Path, sessions: str) -> None:
    """Make so many sessions out of copies of one."""
    info = SessionInfo(SessionId(_FIRST), "/home/user/app", _AT, _AT, "Fix the login bug", engine="kiro")
    async with store.create(info):
        pass
    _copied(root, int(sessions))


def _copied(root: Path, sessions: int) -> None:
    """Logs and lock files are shared, since a listing opens none; metadata are each session's own."""
    metadata = (root / f"{_FIRST}.json").read_bytes()
    shared = {kind: root / f"{_FIRST}.{kind}" for kind in ("jsonl", "lock")}
    for number in range(1, sessions):
        session = f"{number * 2654435761 % 2**32:08x}{_FIRST[8:]}"
        updated = f'"updated":"2026-01-{1 + number % 28:02}T{number % 24:02}'.encode()
        text = metadata.replace(_FIRST.encode(), session.encode()).replace(b'"updated":"2026-01-31T08', updated)
        (root / f"{session}.json").write_bytes(text)
        for kind, file in shared.items():
            own = root / f"{session}.{kind}"
            if number % _LINKS:
                own.hardlink_to(file)
            else:
                own.write_bytes(b"")
                shared[kind] = own


def _turn(turn: str, session: str) -> list[list[bytes]]:
    prompt = {"sessionId": session, "prompt": [{"type": "text", "text": "Go on"}]}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "session/prompt", "params": prompt}
    update = {"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": session, "update": _UPDATE}}
    return [
        [_event("prompt", turn, asked)],
        [_event("turn_begun", turn, {"session": session})],
        *[[_event("update", "", update)] * _CHUNK] * _CHUNKS,
        [_event("turn_ended", turn, {"state": "settled", "open": []})],
    ]


def _event(kind: str, turn: str, data: object) -> bytes:
    return (_EVENT % (_AT, kind, turn, json.dumps(data, separators=(",", ":")))).encode()


async def main(what: str, root: str, *given: str) -> None:
    """Do one of both with the store of a folder."""
    async with Registry(only=["files"]).stores.open(Choice("files", {"root": root})) as store:
        await (log if what == "log" else crowd)(store, Path(root), *given)
    print("{}")


if __name__ == "__main__":
    anyio.run(partial(main, *sys.argv[1:]))
