"""What an agent says is text of anybody's making: a host is shown none of what steers a terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNSHOWN = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # a control sequence, such as a colour (ECMA-48, 5.4)
    r"|\x1b\][^\x07\x1b\n]{0,1000}(?:\x07|\x1b\\)"  # an operating system command, such as a title
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
)


def shown(text: str) -> str:
    """The text without escape sequences and without control characters other than newline and tab."""
    return _UNSHOWN.sub("", text)


def one_line(text: str) -> str:
    """The same in one line."""
    return " ".join(shown(text).split())


def utc_now() -> str:
    """Now, as RFC 3339 in UTC with milliseconds: `2026-01-31T08:00:00.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
