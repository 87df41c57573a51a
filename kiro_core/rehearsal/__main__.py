"""Start the rehearsal agent on stdin and stdout."""

from __future__ import annotations

import itertools
import os
import sys

from kiro_core.rehearsal import lifetime
from kiro_core.rehearsal.agent import RehearsalAgent
from kiro_core.rehearsal.kinds import profile_of
from kiro_core.rehearsal.options import parse
from kiro_core.rehearsal.wire import Wire, odd_ids


def main() -> int:
    """Serve until stdin ends, or log in; the exit status."""
    options = parse(sys.argv[1:])
    if options.login:
        from kiro_core.rehearsal.login import log_in

        return log_in(options.auth_file)
    profile = profile_of(options)
    if options.spawn_child:
        import subprocess

        # It keeps our stdout and stderr open, so that their end tells when it is gone.
        child = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)  # noqa: S607 - wherever `sleep` is
        os.write(2, b"child %d\n" % child.pid)
    if profile.has("outlive-stdin"):
        lifetime.stay()
    wire = Wire(odd_ids() if profile.has("odd-ids") else itertools.count(1))
    return lifetime.run(RehearsalAgent(wire, profile, options).serve)


if __name__ == "__main__":
    sys.exit(main())
