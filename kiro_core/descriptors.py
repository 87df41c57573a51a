"""Room for the descriptors of many sessions, without handing a surprising limit down to the programs of others."""

from __future__ import annotations

import resource
from contextlib import suppress

_PLENTY = 10240
"""What to ask for where the hard limit is none: more than macOS grants is refused as a whole."""

_original: tuple[int, int] | None = None


def raise_descriptor_limit() -> None:
    """Raise the soft limit of this process to the hard one; what the system refuses stays as it is."""
    global _original  # noqa: PLW0603 - the limit is the whole process's too
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _PLENTY if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            _original = _original or (soft, hard)


def restore_descriptor_limit(pid: int = 0) -> None:
    """Give a child of ours, or with 0 this process itself, the limit from before it was raised.

    Only Linux does so to a child; elsewhere it keeps the raised one, which programs that use select(2) may not expect.
    """
    if _original is None:
        return
    with suppress(OSError, ValueError):  # the child may have ended, or have become another user's
        if not pid:
            resource.setrlimit(resource.RLIMIT_NOFILE, _original)
        elif hasattr(resource, "prlimit"):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, _original)
