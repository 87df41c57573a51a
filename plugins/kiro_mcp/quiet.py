"""Keeps what passes out of the log, since nobody knows what is in it."""

from __future__ import annotations

import logging


def keep_what_is_said_out_of_the_log() -> None:
    """The SDK and what it sends streams with log whole messages, for whoever wants to see everything (DEBUG)."""
    for name in ("mcp", "sse_starlette"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logging.INFO, logger.getEffectiveLevel()))
