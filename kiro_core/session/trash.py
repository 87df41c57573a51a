"""A session in the trash is whole, but gone for everybody except who restores or deletes it."""

from __future__ import annotations

from kiro_core.errors import SessionNotFound
from kiro_core.types import SessionInfo


def require_kept(info: SessionInfo) -> None:
    """Make sure that a session is not in the trash.

    Raises:
        SessionNotFound: it is; the hint says how to get it back.

    """
    if info.trashed:
        raise SessionNotFound(
            f"The session {info.id} is in the trash.",
            hint=f"`kiro-core sessions restore {info.id}` gets it back.",
            session=info.id,
            trashed=info.trashed,
        )
