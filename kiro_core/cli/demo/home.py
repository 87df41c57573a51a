"""A home for the length of the demo, in which nothing of the user's own is read or changed."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiro_core.engines.logins import own_program
from kiro_core.errors import KiroError

_KEPT = "KIRO_CORE_LAUNCH"
"""By this one a desk around us, if there is one, finds what belongs to a launch of its own."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the demo takes place: `$KIRO_HOME`, and the folder in which people work."""

    folder: Path

    @property
    def kiro(self) -> Path:
        """What `$KIRO_HOME` is."""
        return self.folder / "kiro"

    @property
    def work(self) -> Path:
        """Where the commands are run."""
        return self.folder / "work"

    @property
    def variables(self) -> Mapping[str, str]:
        """What the commands find in their environment."""
        return {"KIRO_HOME": str(self.kiro), "KIRO_CORE_ENGINE": "rehearsal"}

    def entered(self) -> Iterator[str]:
        """The lines by which a person gets into it, and can copy the others."""
        yield "export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in self.variables.items())
        yield f"cd {shlex.quote(str(self.work))}"
        program, found = own_program(), shutil.which("kiro-core")
        if not found or Path(found).resolve() != Path(program).resolve():
            yield f"alias kiro-core={shlex.quote(program)}"


@contextmanager
def temporary_home(*, keep: bool) -> Iterator[Home]:
    """Make one, for this user alone, and live in it; unless it is kept it is removed with the block.

    Raises:
        KiroError: there is no room for it.

    """
    try:
        home = Home(Path(tempfile.mkdtemp(prefix="kiro-core-demo-")))
        home.work.mkdir(mode=0o700)
    except OSError as error:
        raise KiroError(
            f"The demo has no room for its folder: {error.strerror}.",
            hint="Name a folder for temporary files that can be written, in $TMPDIR.",
        ) from error
    try:
        with _living_in(home):
            yield home
    finally:
        if not keep:
            shutil.rmtree(home.folder)


@contextmanager
def _living_in(home: Home) -> Iterator[None]:
    """Have its variables in our own environment: what is launched inherits them, and is noted where they say."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("KIRO_") and name != _KEPT:
            del os.environ[name]
    os.environ.update(home.variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
