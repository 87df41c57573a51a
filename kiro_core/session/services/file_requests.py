"""Serve `fs/*`: by the client where it offers that, else from disk, inside the session's folders and when allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from kiro_core.frames import Frame
from kiro_core.policy import ToolUse
from kiro_core.session.services import files, params
from kiro_core.session.services.consent import Consent, Deed
from kiro_core.session.services.places import Place, place
from kiro_core.session.services.served import Served, client_for, failed, folders, forwarded, invalid, missing

T = TypeVar("T")

_DISK_S = 10.0
_THREADS = 4


class FileRequests:
    """The files of a session; at most four are worked on at a time, so that a hanging disk takes no more threads."""

    def __init__(self, session: Served, consent: Consent) -> None:
        """Serve that session."""
        self._session = session
        self._consent = consent

    @cached_property
    def _threads(self) -> CapacityLimiter:
        return CapacityLimiter(_THREADS)

    async def read(self, frame: Frame) -> Frame:
        """`fs/read_text_file`: `{path, line?, limit?}` -> `{content}`; lines count from 1."""
        client = client_for(self._session, "read")
        if client is not None:
            await self._consent.forwarded(ToolUse.reading(str(frame.params.get("path"))))
            return await forwarded(self._session, client, frame)
        first, limit = params.count(frame.params, "line"), params.count(frame.params, "limit")
        where = await self._place(frame.params)
        await self._work(files.check, where)
        deed = _reading(where, folders(self._session), first, limit)
        call = await self._consent.ask(deed)
        content = await self._done(call, deed.use, partial(self._work, files.read, where))
        return Frame.answer({"content": files.lines(content, first, limit)})

    async def write(self, frame: Frame) -> Frame:
        """`fs/write_text_file`: `{path, content}` -> `{}`; the file and the folders above it are made."""
        client = client_for(self._session, "write")
        if client is not None:
            await self._consent.forwarded(ToolUse.writing(str(frame.params.get("path"))))
            return await forwarded(self._session, client, frame)
        text = params.text(frame.params, "content")
        if len(content := text.encode()) > files.MAX_BYTES:
            raise invalid(f"The content is larger than {files.MAX_BYTES >> 20} MiB.")
        where = await self._place(frame.params)
        exists, old = await self._work(files.before, where)
        diff = {"type": "diff", "path": str(where), "oldText": old, "newText": text}
        # To replace what is no text is no difference between texts, and must not look like a new file.
        shown = diff if old is not None or not exists else None
        deed = _writing(where, folders(self._session), len(content), shown)
        call = await self._consent.ask(deed)
        await self._done(call, deed.use, partial(self._work, files.write, where, content))
        await self._session.journal.event("file_written", {"path": str(where), "bytes": len(content)})
        return Frame.answer({})

    async def _place(self, asked: params.Params) -> Place:
        path = params.path(asked, "path")
        return await self._on_disk(path, partial(place, path, folders(self._session)))

    async def _work(self, work: Callable[..., T], where: Place, *arguments: Any) -> T:
        return await self._on_disk(str(where), partial(work, where, *arguments))

    async def _done(self, call: str, use: ToolUse, work: Callable[[], Any]) -> Any:
        """Do what was allowed, and tell the client what came of it."""
        done = False
        try:
            result = await work()
            done = True
        finally:
            await self._consent.settle(call, done=done, use=use)
        return result

    async def _on_disk(self, path: str, work: Callable[[], T]) -> T:
        # Shielded: who takes a request back still gets a true record of what it did.
        try:
            with anyio.move_on_after(_DISK_S, shield=True):
                return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise missing(f"There is no file {path}.") from error
        except OSError as error:
            raise failed(f"{path} cannot be used: {error.strerror}.") from error
        raise failed(f"The disk of {path} did not answer within {_DISK_S:g} s; what becomes of it is unknown.")


def _reading(where: Place, inside: Sequence[str], first: int | None, limit: int | None) -> Deed:
    asked = {"path": str(where), "line": first, "limit": limit}
    locations = [{"path": str(where), "line": first}]
    return Deed(
        ToolUse.reading(str(where)),
        "read",
        f"Read {where}",
        "Allow all reading in this session",
        asked,
        locations=locations,
        patterns=_below(inside),
    )


def _writing(where: Place, inside: Sequence[str], size: int, diff: dict[str, Any] | None) -> Deed:
    return Deed(
        ToolUse.writing(str(where)),
        "edit",
        f"Write {where}",
        "Allow all writing in this session",
        {"path": str(where), "bytes": size},
        locations=[{"path": str(where)}],
        content=[diff] if diff else (),
        patterns=_below(inside),
    )


def _below(inside: Sequence[str]) -> list[str]:
    return [f"{folder.rstrip('/')}/**" for folder in inside]
