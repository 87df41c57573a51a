"""What recovery reads was perhaps written by another program: one body that is none of ours keeps no session shut."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, cast

from kiro_core.errors import RecordInvalid
from kiro_core.journal import Entry, entry
from kiro_core.types import Record


async def entries(records: AsyncIterator[Record]) -> AsyncGenerator[Entry, None]:
    """Yield the bodies of records, without those that cannot be read; closes `records`."""
    async with aclosing(cast("Any", records)):
        async for record in records:
            try:
                item = entry(record)
            except RecordInvalid:
                continue
            yield item


def told(item: Entry) -> dict[str, Any]:
    """What an event says; `{}` where that is no JSON object."""
    value = item.value
    return value if isinstance(value, dict) else {}
