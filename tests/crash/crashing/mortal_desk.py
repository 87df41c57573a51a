"""`kiro-core acp`, which ends itself with SIGKILL at the write boundary that `CRASH_AT` numbers, if any."""

import os
import sys
from pathlib import Path

from crashing import dying


def main():
    """Run the command as its own program would."""
    dying.install()
    dying.die_at(int(os.environ.pop("CRASH_AT", "0")))
    sys.argv[0] = str(Path(sys.executable).with_name("kiro-core"))
    from kiro_core.cli import main as command

    sys.exit(command())


if __name__ == "__main__":
    main()
