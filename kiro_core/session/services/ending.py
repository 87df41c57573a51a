"""Record what became of a terminal, whoever ran it."""

from __future__ import annotations

import logging
from typing import Any

import anyio

from kiro_core.errors import KiroError
from kiro_core.journal import RECORDED_BYTES, Output
from kiro_core.session.services.served import Served

_LOG = logging.getLogger(__name__)
_STORE_S = 5.0
_MARGIN_BYTES = 64 * 1024
_LONGEST = 4
"""How many bytes a character has at most, of which the first in a window may be left out."""


def recordable(session: Served, output: Output) -> tuple[str, bool]:
    """The end of what a terminal printed as it may be recorded and shown, and whether something is missing in front.

    It is cut last: what a middleware looks for would not be known any more by its second half. So more is filtered
    than is recorded, and still more where so much was masked that what may begin with such a half comes into view.
    """
    if not session.journal.filters:
        return output.end(RECORDED_BYTES)
    size = RECORDED_BYTES + _MARGIN_BYTES
    while True:
        printed, was_cut = output.end(size)
        filtered = str(session.journal.filtered(printed)).encode()
        if len(filtered) >= RECORDED_BYTES + _MARGIN_BYTES // 2 or len(printed.encode()) < size - _LONGEST:
            break
        size *= 2
    rest = Output(RECORDED_BYTES)
    rest.add(filtered, final=True)
    text, is_cut = rest.end()
    return text, was_cut or is_cut


async def record_end(session: Served, name: str, output: str, status: Any, *, truncated: bool) -> None:
    """Record a terminal's output and exit status, also when whoever ends it is being cancelled.

    A store that does not take it is told elsewhere and the record is kept, so it is only logged here.
    """
    ended = {"terminalId": name, "output": output, "truncated": truncated, "exitStatus": status}
    try:
        with anyio.move_on_after(_STORE_S, shield=True):
            await session.journal.event("terminal", ended)
    except KiroError as error:
        _LOG.warning("session %s: the end of a terminal is not recorded: %s", session.plan.info.id, error)
