"""Whether somebody is logged in, as far as this agent was told to care."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from kiro_core.rehearsal.answers import Answer, Method, Params
from kiro_core.rehearsal.profile import Profile
from kiro_core.rehearsal.wire import Fault, Wire

_TERMINAL = {"id": "terminal", "name": "Log in in a terminal", "type": "terminal", "args": ["--login"]}


class Login:
    """A login for the process, or for all processes with the same `--auth-file`."""

    def __init__(self, wire: Wire, profile: Profile, options: Namespace) -> None:
        """Begin logged out, unless there is the file."""
        self._wire = wire
        self._file: str | None = options.auth_file
        self._wanted = bool(options.auth or options.auth_terminal)
        self._unasked = options.auth_terminal == "always"
        self._done = False
        known = {login["id"] for login in profile.logins}
        more = [{"id": name, "name": name} for name in options.auth if name not in known]
        self._all: list[Mapping[str, Any]] = [*profile.logins, *more, *([_TERMINAL] if options.auth_terminal else [])]
        self.methods: dict[str, Method] = {"authenticate": self._authenticate} if self._all else {}
        if profile.has("logout"):
            self.methods["logout"] = self._logout

    def offered(self) -> list[Mapping[str, Any]]:
        """The `authMethods` for this client; one in a terminal only for a client that has terminals for it."""
        shown = self._unasked or self._wire.offers("auth", "terminal")
        return [login for login in self._all if shown or login.get("type") != "terminal"]

    def demand(self) -> None:
        """Raise ACP's -32000 unless somebody is logged in or nobody has to be."""
        if self._wanted and not (os.path.exists(self._file) if self._file else self._done):  # noqa: PTH110 - pathlib is slow to import
            raise Fault(-32000, "Log in first.")

    def _authenticate(self, params: Params) -> Answer:
        here = [login["id"] for login in self._all if login.get("type") != "terminal"]
        if params.get("methodId") not in here:
            raise Fault(-32602, f"One can authenticate here by {', '.join(here) or 'nothing'}.")
        self._done = True
        if self._file:
            _keep(self._file)
        return {}

    def _logout(self, _: Params) -> Answer:
        self._done = False
        if self._file and os.path.exists(self._file):  # noqa: PTH110 - pathlib is slow to import
            os.unlink(self._file)  # noqa: PTH108 - the same
        return {}


def log_in(path: str) -> int:
    """Ask on the terminal, as `--login` does; the exit status."""
    sys.stdout.write("Type anything to log in: ")
    sys.stdout.flush()
    if not sys.stdin.readline().strip():
        sys.stderr.write("Nothing was typed, so nobody is logged in.\n")
        return 1
    _keep(path)
    sys.stdout.write("You are logged in.\n")
    return 0


def _keep(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
