"""Start the rehearsal agent on stdin and stdout."""

from __future__ import annotations

import os
import sys

from kiro_core.rehearsal import lifetime
from kiro_core.rehearsal.agent import RehearsalAgent
from kiro_core.rehearsal.options import parse
from kiro_core.rehearsal.wire import Wire


def main() -> int:
    """Serve until stdin ends; the exit status."""
    options = parse(sys.argv[1:])
    if options.spawn_child:
        import subprocess

        # It keeps our stdout and stderr open, so that their end tells when it is gone.
        child = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)  # noqa: S607 - wherever `sleep` is
        os.write(2, b"child %d\n" % child.pid)
    return lifetime.run(RehearsalAgent(Wire(), options).serve)


if __name__ == "__main__":
    sys.exit(main())
