"""What recovery reads was perhaps written by another program: one body that is none of ours keeps no session shut."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, cast

from kiro_core.journal import Entry, readable
from kiro_core.types import Record


async def entries(records: AsyncIterator[Record]) -> AsyncGenerator[Entry, None]:
    """Yield the bodies of records, without those that cannot be read; closes `records`."""
    async with aclosing(cast("Any", records)):
        async for record in records:
            if (item := readable(record)) is not None:
                yield item


def told(item: Entry) -> dict[str, Any]:
    """What an event says; `{}` where that is no JSON object."""
    value = item.value
    return value if isinstance(value, dict) else {}
