"""Tell a program that did not start from one that ended: both are a status of `docker run`."""

from __future__ import annotations

from kiro_core.errors import LaunchFailed
from kiro_core.types import Command

from .calling import last_words
from .container import Container

_HINTS = {
    125: "Try `{program} run` by hand with this image and these options.",
    126: "It is in the image and cannot be executed; look at its permissions there.",
    127: "Put it into the image, or write its path there into the engine's command.",
}
_SPEAKERS = ("docker:", "Error:", "[FATAL tini", "ERROR (catatonit")
"""How a line begins that is not the program's: of docker, of podman, and of the init of either."""


def refusal(container: Container, command: Command, program: str) -> LaunchFailed | None:
    """The error for a command that docker or its init could not start, in their own words; None where it ran."""
    hint = _HINTS.get(container.exit.code) if container.exit is not None else None
    words = last_words(container.stderr_tail())
    if hint is None or not container.silent or not words.startswith(_SPEAKERS):
        return None
    return LaunchFailed(
        f"{command.argv[0]!r} did not start in a container: {words.rstrip('.')}.",
        hint=hint.format(program=program),
        command=list(command.argv),
        cwd=command.cwd,
    )
