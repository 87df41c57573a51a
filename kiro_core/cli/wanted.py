"""Which session a command is for: the options that name one, the same for all commands that talk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kiro_core.cli.completing import session_ids
from kiro_core.cli.options import choosing, folder, named

if TYPE_CHECKING:
    from kiro_core.frames import Frame
    from kiro_core.types import SessionInfo


@dataclass(frozen=True, slots=True)
class Wanted:
    """A new session, or the one that is meant by the beginning of its id, by its `name`, or as the `last` one.

    Names and the last one are those of a folder: `cwd`, else the current one. A session that goes on
    stays in its own folder where `cwd` is None. Of one that is live, `after` is the last record that is known
    already, and whoever observes only looks on.
    """

    session: str = ""
    name: str = ""
    last: bool = False
    cwd: Path | None = None
    agent: str = ""
    engine: str = ""
    after: int = 0
    observe: bool = False

    @property
    def folder(self) -> Path:
        """Where a new session works, and where names and the last one are looked for."""
        return self.cwd or Path.cwd()

    @property
    def is_new(self) -> bool:
        """Whether nothing asks to go on with a session."""
        return not (self.session or self.name or self.last)

    def opening(self, recorded: SessionInfo | None, *, replay: bool = False) -> Frame:
        """The request for a new session, or the one that continues a recorded one; `replay` shows what was said.

        The engine of a new one is the desk's business, which was opened with it.
        """
        from kiro_core import messages

        if recorded is None:
            return messages.new_session(self.folder, agent=self.agent, name=self.name)
        return messages.open_session(
            recorded.id,
            self.cwd or recorded.cwd,
            replay=replay,
            agent=self.agent,
            engine=self.engine,
            after=self.after or None,
            observe=self.observe,
        )


def wanting(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a `Wanted`, which the command gets as `wanted`."""

    @named("--session", "ID", "Go on with this session; the beginning of an id is enough.", session_ids)
    @named("-s", "NAME", "Go on with the session of this name in the folder; it is made when there is none.")
    @click.option("--last", is_flag=True, help="Go on with the newest session of the folder.")
    @folder("The session's folder: by default the current one, or that of --session.")
    @choosing
    @wraps(command)
    def collected(**given: Any) -> None:
        given["name"] = given.pop("s")
        wanted = Wanted(**{field.name: given.pop(field.name) for field in fields(Wanted) if field.name in given})
        if sum(map(bool, (wanted.session, wanted.name, wanted.last))) > 1:
            raise click.UsageError("--session, -s and --last each name a session: use one of them.")
        command(wanted=wanted, **given)

    return collected
