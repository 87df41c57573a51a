"""Tells the service manager that started us how we are: lines of text in a datagram (sd_notify(3))."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import MutableMapping

import anyio

_LOG = logging.getLogger(__name__)
_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class ServiceManager:
    """Who watches this process, if anybody; what it starts does not learn of it."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        """Take what the environment says of it out of the environment."""
        address, microseconds, pid = (environ.pop(name, "") for name in _VARIABLES)
        # An abstract name begins with a null byte, for which "@" stands.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        watched = microseconds.isdecimal() and pid in ("", str(os.getpid()))
        self._alive_s = int(microseconds) / 2_000_000 if watched else 0.0

    def ready(self, status: str) -> None:
        """We serve clients, for the first time or again after `reloading`."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """We read the settings again; `ready` follows. The time tells this from what was said before."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=reading the settings again")

    def stopping(self, status: str, needs_s: float) -> None:
        """We end, and may need so many seconds for it, whatever the unit allows."""
        self._tell("STOPPING=1", f"STATUS={status}", f"EXTEND_TIMEOUT_USEC={int(needs_s * 1_000_000)}")

    async def keep_alive(self) -> None:
        """Say twice an interval that the event loop turns, where a watchdog wants to hear it."""
        while self._alive_s:
            self._tell("WATCHDOG=1")
            await anyio.sleep(self._alive_s)

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
                sending.settimeout(0)
                sending.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            _LOG.warning("the service manager could not be told %s: %s", lines[0], error)
