"""The command `kiro-core`: every start pays for what it imports, so each family is imported when it is called."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its status."""
    if sys.platform == "win32":
        sys.stderr.write("kiro-core: Windows is not supported; use the Windows Subsystem for Linux.\n")
        sys.exit(1)
    from kiro_core.cli.commands import kiro_core

    kiro_core(prog_name="kiro-core")
