"""One connection of a host: which session it works in, and which are its own."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio


@dataclass(eq=False, slots=True)
class Host:
    """A host as long as it is `connected`; all that speak without a connection are one that is not.

    `active` is the session that a call without `session_id` means, "" for none: always so without a connection.
    It stays when that session ends by itself, so that nobody goes on in another one unawares. `own` are the open
    sessions that this host has opened.
    """

    connected: bool
    active: str = ""
    own: set[str] = field(default_factory=set)
    choosing: anyio.Lock = field(default_factory=anyio.Lock, repr=False)
