"""The faces of a served desk: each runs by itself, so that one that fails takes no other with it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import anyio
from anyio.abc import TaskGroup, TaskStatus

from kiro_core.catalog import USUAL, Catalog, Choice, Within
from kiro_core.errors import KiroError, PluginError, SettingsError, unwrapped
from kiro_core.ports import Desk, Face, Wire

_LOG = logging.getLogger(__name__)
_BEGIN_S = 30.0


@dataclass(slots=True)
class Served:
    """One entry of the setting `serve`: where clients find it, and why they do not any more."""

    choice: Choice
    begun: bool = False
    place: str = ""
    problem: str = ""

    def __str__(self) -> str:
        """For people: its name and place."""
        return f"{self.choice.use} {self.place}".strip()


class Faces:
    """All of them; the desk is ready when they are."""

    def __init__(
        self, desk: Desk, transports: Catalog[Wire | Face], choices: Sequence[Choice], within: Within = USUAL
    ) -> None:
        """Serve `desk` over each of the chosen transports, opened and closed `within` these seconds; `begin` does."""
        self.all: Final = [Served(choice) for choice in choices]
        self._desk = desk
        self._transports = transports
        self._within = within

    def not_ready(self) -> str:
        """Why not all of them can be used now; see `Attachable.not_ready`."""
        if not all(served.begun for served in self.all):
            return "The desk is starting."
        return next((served.problem for served in self.all if served.problem), "")

    def told(self) -> list[dict[str, str]]:
        """For the status: `{use, place, problem}` each."""
        return [{"use": one.choice.use, "place": one.place, "problem": one.problem} for one in self.all]

    async def begin(self, tasks: TaskGroup) -> None:
        """Run all of them in `tasks`, and return when clients can come.

        Raises:
            SettingsError: one could not begin; the sentence names it.

        """
        for served in self.all:
            with anyio.move_on_after(_BEGIN_S):
                await tasks.start(self._run, served)
            if not served.begun:
                raise _not_begun(served, f"it has not begun within {_BEGIN_S:g} s.")

    async def _run(self, served: Served, *, task_status: TaskStatus[None]) -> None:
        cause: Exception | None = None
        try:
            with unwrapped():
                async with self._transports.open(served.choice, self._within) as transport:
                    face = face_of(served.choice.use, transport)
                    await face.serve(self._desk, task_status=_Beginning(served, task_status))
        except Exception as error:  # noqa: BLE001 - a boundary: a face fails in any way it likes, and harms no other
            cause = error
        if not served.begun:
            hint = cause.hint if isinstance(cause, KiroError) else ""
            raise _not_begun(served, _reason(cause), hint) from cause
        served.problem = f"{served} serves nobody any more: {_reason(cause)}"
        _LOG.error("%s", served.problem, exc_info=cause if not isinstance(cause, KiroError) else None)


def _not_begun(served: Served, reason: str, hint: str = "") -> SettingsError:
    return SettingsError(f"{served.choice.use!r} of the setting serve cannot begin: {reason}", hint=hint)


def _reason(cause: Exception | None) -> str:
    """The sentence of a failure."""
    if cause is None:
        return "it has ended by itself."
    return str(cause) if isinstance(cause, KiroError) else f"{type(cause).__name__}: {cause}".rstrip(".") + "."


def face_of(name: str, transport: Wire | Face) -> Face:
    """A transport as a face that any number of clients can reach.

    Raises:
        PluginError: it is none.
        SettingsError: it serves a single client over stdio.

    """
    face = any_face("serve", name, transport)
    if option := getattr(face, "instead_of_stdio", ""):
        raise SettingsError(
            f"it would take this program's own stdin and stdout; it needs `{option}`.",
            hint=f"Write where clients find it, such as {{use = {name!r}, {option} = ...}}.",
        )
    return face


def any_face(setting: str, name: str, transport: Wire | Face) -> Face:
    """A transport, which `setting` has named, as a face.

    Raises:
        PluginError: it is none.

    """
    if not hasattr(transport, "serve"):
        raise PluginError(
            f"Transport {name!r} connects to agents only; it serves no clients.",
            hint=f"Name one that serves clients in the setting {setting}; `kiro-core plugins` lists all.",
        )
    return cast("Face", transport)


class _Beginning:
    """Implements `TaskStatus`: it keeps where the face is found."""

    def __init__(self, served: Served, task_status: TaskStatus[None]) -> None:
        self._served = served
        self._task_status = task_status

    def started(self, value: object = None) -> None:
        self._served.begun, self._served.place = True, str(value or "")
        self._task_status.started()
