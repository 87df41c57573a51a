"""A home and a folder in which the commands of one page are typed, as a person would, one after the other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import warm
from doc_typing import is_plain, words

SOME_ID, ANOTHER_ID = "3f2a", "81c0"
"""What stands for a session on the pages."""


class World:
    """What was typed so far is done; `cwd` and `environment` are those of the next line."""

    def __init__(self, root):
        """Begin in an empty folder, in the home of somebody who has nothing but the rehearsal agent."""
        self.cwd = root / "work"
        programs = root / "bin"
        for folder in (self.cwd / "DIR", programs, root / "home" / ".kiro"):
            folder.mkdir(parents=True)
        (programs / "kiro-core").symlink_to(warm.PROGRAM)
        (programs / "python3").symlink_to(sys.executable)
        self.environment = {
            **os.environ,
            "HOME": str(root / "home"),
            "KIRO_HOME": str(root / "home" / ".kiro"),
            "PATH": f"{programs}:/usr/bin:/bin",
            "KIRO_CORE_ENGINE": "rehearsal",
        }
        self._ids = {}

    def type(self, line):
        """Do what a line says: its exit code, and what it printed.

        Raises:
            LookupError: no rule says how.

        """
        program, *arguments = words(line)
        if program == "cd":
            self.cwd = self.cwd / Path(arguments[0]).expanduser()
        elif program == "mkdir":
            (self.cwd / arguments[-1]).mkdir(parents=True)
        elif program == "export":
            self.environment |= dict(each.split("=", 1) for each in arguments)
        elif program.rpartition("/")[2] != "kiro-core":
            raise LookupError(line)
        else:
            return self._run(line)
        return subprocess.CompletedProcess(line, 0, "", "")

    def _run(self, line):
        for standing in (SOME_ID, ANOTHER_ID):
            if standing in words(line):
                line = line.replace(standing, self._id(standing, line))
        if is_plain(line):
            return self._kiro(*words(line)[1:])
        command = ["sh", "-euc", line]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, cwd=self.cwd, env=self.environment
        )

    def _kiro(self, *arguments):
        return warm.run([warm.PROGRAM, *arguments], cwd=self.cwd, env=self.environment)

    def _id(self, standing, line):
        """The session or run that is meant; one that was not made by what was typed is made."""
        kind = "run" if "crew" in words(line) else ""
        if (standing, kind) not in self._ids:
            new = ["crew", "run", "--task", "Hello"] if kind else ["run", f"Hello {standing}"]
            assert self._kiro(*new).returncode == 0
            listed = json.loads(self._kiro("sessions", "list", "--json").stdout)
            self._ids[standing, kind] = next(each["id"] for each in listed if each["kind"] == kind)
        return self._ids[standing, kind]
