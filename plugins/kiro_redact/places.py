"""Which texts of a message may be changed: never what the protocol is steered by."""

from __future__ import annotations

import re
from enum import Enum

_STEERS = frozenset(
    (
        *("id", "jsonrpc", "method", "sessionUpdate", "type", "kind", "role", "format", "mimeType"),
        *("status", "state", "stopReason", "outcome", "action", "priority", "severity", "mode"),
        *("path", "cwd", "value", "currentValue", "enum", "const"),
    )
)
"""Keys whose values clients and agents compare; so do those that end in `Id`."""

_NAMED = re.compile(r"(?:session|toolCall|message|terminal)Id")
"""Those that mean the same in everything."""

_FREE = frozenset(("rawInput", "rawOutput", "_meta", "arguments", "details", "data", "input", "env", "headers"))
"""Under these keys the protocol says nothing of what is inside."""

_ODD = re.compile(r"(?:^id|Id|ID|_id|^data|^blob|[pP]ath|^cwd|^ur[il]|[hH]ash|[dD]igest|^integrity|^sha\d*)$")
"""Under these keys stands what looks random and is no secret."""

_SECRET = re.compile(
    r"(?:token|secret|passw(?:or)?d|passphrase|(?:api|access|secret|private)[_-]?key|credentials?|authorization)"
    r"[0-9]{0,3}\Z",
    re.IGNORECASE,
)


class Way(Enum):
    """How a text is looked at."""

    NOT = 0
    FORMS = 1
    ALL = 2


def is_free(key: str) -> bool:
    """Whether what stands under a key is somebody's own."""
    return key in _FREE


def way(key: str, *, free: bool) -> Way:
    """How the texts under a key are looked at, where all is the protocol's or where all is `free`."""
    if _NAMED.fullmatch(key) or (not free and (key in _STEERS or key.endswith("Id"))):
        return Way.NOT
    return Way.FORMS if _ODD.search(key) else Way.ALL


def lead_of(key: str) -> str:
    """What a key means for the text under it: that of a secret is one, as behind the name of a variable."""
    found = _SECRET.search(key)
    return f"{found[0].upper()}=" if found else ""
