"""Why a run does not begin or go on, told before anything starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kiro_core.crew.document import NO_FILE
from kiro_core.errors import CrewInvalid, SessionNotFound
from kiro_core.types import RUN, Problem, SessionInfo

if TYPE_CHECKING:
    from kiro_core.crew.record import Past


def refused(problems: Sequence[Problem]) -> CrewInvalid:
    """The error that tells what is wrong with a crew."""
    told = [
        {"path": str(problem.path), "line": problem.line or None, "field": problem.field, "reason": problem.reason}
        for problem in problems
    ]
    count = "something" if len(problems) == 1 else f"{len(problems)} things"
    in_file = problems[0].path != NO_FILE
    return CrewInvalid(
        f"The crew cannot run: {count} {'is' if len(problems) == 1 else 'are'} wrong with it.",
        hint="\n".join(str(one) if in_file else f"{one.field}: {one.reason}" for one in problems),
        problems=told,
    )


def require_folders(folders: Iterable[str]) -> None:
    """Make sure that a run's folders are there.

    Raises:
        CrewInvalid: one is not, or is written as a relative path.

    """
    for folder in folders:
        if not Path(folder).is_absolute():
            raise CrewInvalid(
                f"The folder {folder} is not an absolute path.", hint="Name it from the root on.", folder=folder
            )
        if not Path(folder).is_dir():
            raise CrewInvalid(
                f"There is no folder {folder} for the crew to work in.", hint="Name one that exists.", folder=folder
            )


def of_kind(info: SessionInfo) -> SessionInfo:
    """A session that is a run.

    Raises:
        SessionNotFound: it is a conversation.

    """
    if info.kind != RUN:
        raise SessionNotFound(
            f"The session {info.id} is a conversation, and no run of a crew.",
            hint=f"`kiro-core sessions show {info.id}` shows it.",
            session=info.id,
        )
    return info


def resumable(info: SessionInfo, past: Past | None = None) -> None:
    """Make sure that a run may go on.

    Raises:
        CrewInvalid: it has ended, its folders are gone, or it came out of an archive, whose records may be anybody's.

    """
    if info.imported:
        raise CrewInvalid(
            f"The run {info.id} came out of an archive, and can only be looked at.",
            hint="Run its crew anew.",
            session=info.id,
        )
    if past is not None and past.is_over:
        raise CrewInvalid(
            f"The run {info.id} has ended.", hint=f"`kiro-core crew show {info.id}` shows its report.", session=info.id
        )
    require_folders([info.cwd, *info.roots])
