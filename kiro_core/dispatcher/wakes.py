"""Tell whoever holds a session that a message was put into its inbox: it may be a desk in another process."""

from __future__ import annotations

import logging

import anyio

from kiro_core.control import reach, socket_of
from kiro_core.errors import KiroError
from kiro_core.ports import SessionStore
from kiro_core.types import SessionId

_LOG = logging.getLogger(__name__)


async def wake_elsewhere(store: SessionStore, session: SessionId, limit_s: float) -> None:
    """Wake a session that is not held here; returns within `limit_s` seconds, whatever became of it.

    Nothing is lost where nobody could be told: the message is there when the session looks the next time.
    """
    try:
        with anyio.fail_after(limit_s):
            path = socket_of(await store.holder(session))
            if path is not None:
                async with reach(path, limit_s=limit_s, hello_s=limit_s) as other:
                    await other.wake(session)
    except (KiroError, TimeoutError) as error:
        _LOG.info("the desk that holds the session %s could not be told of a message: %s", session, error)
