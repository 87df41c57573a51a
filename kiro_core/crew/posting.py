"""Put a letter where it is read: whoever sends one does it here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from kiro_core.crew.letters import body_of
from kiro_core.errors import InboxFull
from kiro_core.types import Letter, SessionId

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground


async def post(ground: Ground, to: SessionId, letter: Letter) -> bool:
    """Put a letter into an inbox, durable on return, and have it looked at; False where it was there before.

    It is written as the middlewares of the session that sends it let it be, or where that is not open those of `to`.

    Raises:
        SessionNotFound, InboxFull, RecordInvalid, Unavailable: see `SessionStore.put`.
        Vetoed, MiddlewareFailed: a middleware does not let it be written.

    """
    whose = SessionId(letter.sender) if ground.live(letter.sender) is not None else to
    said = await ground.recorded(whose, {"name": letter.name, "text": letter.text, "about": dict(letter.about)})
    is_new = await ground.store.put(to, letter.id, body_of(replace(letter, **said)))
    if ground.live(to) is None:
        await ground.wake(to)
    return is_new


async def post_when_room(ground: Ground, to: SessionId, letter: Letter) -> None:
    """The same, and wait while a session that is open here has too much to read.

    Raises:
        InboxFull: it is not open here, or ends.
        SessionNotFound, RecordInvalid, Unavailable: as `post`.

    """
    while True:
        live = ground.live(to)
        changed = anyio.Event() if live is None else live.inbox.changed
        try:
            await post(ground, to, letter)
        except InboxFull:
            if live is None or not live.ready:
                raise
            await _either(changed, live.ended)
        else:
            return


async def _either(one: anyio.Event, other: anyio.Event) -> None:
    async def wait_for(event: anyio.Event) -> None:
        await event.wait()
        both.cancel_scope.cancel()

    async with anyio.create_task_group() as both:
        both.start_soon(wait_for, one)
        both.start_soon(wait_for, other)
