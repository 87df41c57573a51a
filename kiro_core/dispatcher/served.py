"""The served desk of a store, if one runs: new sessions are begun there, so that they outlive whoever began them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kiro_core.dispatcher.digests import differing
from kiro_core.dispatcher.other_desks import OtherDesk, OtherDesks
from kiro_core.errors import Disconnected

if TYPE_CHECKING:
    from kiro_core.dispatcher.desk import Dispatcher

_LOG = logging.getLogger(__name__)
_NOT_THERE = (FileNotFoundError, NotADirectoryError, ConnectionRefusedError)


class ServedDesk:
    """Looks for it whenever a session is opened, since it may come and go."""

    def __init__(self, desk: Dispatcher, others: OtherDesks) -> None:
        """Look for that of our `desk`'s store among the `others`."""
        self._desk = desk
        self._others = others
        self._compared: OtherDesk | None = None

    async def found(self) -> OtherDesk | None:
        """The served desk, unless it ends, or we are it or want none."""
        if self._desk.sharing.standalone or self._desk.reception.served:
            return None
        try:
            # A service manager may listen for a desk that it has just begun to start.
            other = await self._others.at(self._desk.sharing.served_at, hello_s=self._desk.settings.limits.start_s)
        except Disconnected as error:
            if not isinstance(error.__cause__, _NOT_THERE):
                _LOG.warning("the served desk is not used: %s", error)
            return None
        if other.hello.get("state") == "draining":
            _LOG.warning("the served desk (pid %s) ends, and is not used", other.hello.get("pid"))
            return None
        if other is not self._compared:
            self._compared = other
            self._compare(other)
        return other

    def _compare(self, other: OtherDesk) -> None:
        theirs = other.hello.get("settings")
        if keys := differing(self._desk.settings, theirs if isinstance(theirs, dict) else {}):
            _LOG.warning(
                "the served desk (pid %s) has other settings for %s; --standalone uses yours",
                *(other.hello.get("pid"), ", ".join(keys)),
            )
