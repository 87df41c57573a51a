"""A home and a working folder for one round, with the rehearsal agent as one that remembers."""

import json
import os
import sys
from itertools import count

from crashing.survivors import COOKIE


class Place:
    """Every process that is started with `environment` can be found again by `cookie`."""

    def __init__(self, root, cookie):
        self.root, self.cookie = root, cookie
        self.work, self.home = root / "work", root / "home"
        for folder in (self.work, self.home):
            folder.mkdir(parents=True)
        agent = [sys.executable, "-P", "-m", "kiro_core.rehearsal", "--memory", str(root / "memory")]
        (self.home / "kiro.toml").write_text(f"[engines.mem]\ncommand = {json.dumps(agent)}\n")
        own = {name: value for name, value in os.environ.items() if not name.startswith(("KIRO_", "CLAUDE"))}
        self.environment = {**own, "HOME": str(self.home), "KIRO_HOME": str(self.home), COOKIE: cookie}
        self._numbers = count(1)

    def log(self, session):
        """The log of a session."""
        return self.home / "sessions" / "core" / f"{session}.jsonl"

    def errors(self):
        """A new file for what a program writes to stderr."""
        return self.root / f"stderr-{next(self._numbers)}"
