"""What is on record is not always to be talked to: it may be in the trash, or be the run of a crew."""

from __future__ import annotations

from kiro_core.errors import SessionNotFound
from kiro_core.types import RUN, SessionInfo


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


def require_conversation(info: SessionInfo) -> None:
    """Make sure that a session is one to talk in.

    Raises:
        SessionNotFound: it is a run of a crew; the hint says how to look at it.

    """
    if info.kind == RUN:
        raise SessionNotFound(
            f"The session {info.id} is a run of a crew, in which nobody talks.",
            hint=f"`kiro-core crew show {info.id}` shows it.",
            session=info.id,
        )
