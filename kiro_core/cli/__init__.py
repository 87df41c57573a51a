"""The command `kiro-core`: every start pays for what it imports, so each family is imported when it is called."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable


def main() -> None:
    """Run the command line and exit with its status."""
    if sys.platform == "win32":
        sys.stderr.write("kiro-core: Windows is not supported; use the Windows Subsystem for Linux.\n")
        sys.exit(1)
    gc.disable()  # to look again and again through what is imported takes a tenth of a start; see `Given.desk`
    _open_missing_streams()
    from kiro_core.cli.commands import kiro_core
    from kiro_core.cli.text import give_up, tell_failure

    try:
        kiro_core(prog_name="kiro-core")
    except OSError as error:  # from printing help: commands have told their failures themselves
        give_up(1)
        tell_failure(f"The output could not be written: {error.strerror}.")
        sys.exit(1)
    finally:
        gc.enable()
        _let_go(give_up)


def _let_go(give_up: Callable[[int], None]) -> None:
    """Write what is left, where it can be: the interpreter would make another exit code of a closed terminal."""
    for fd, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            give_up(fd)


def _open_missing_streams() -> None:
    """Put `/dev/null` where we were started without stdin, stdout or stderr: another file would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
