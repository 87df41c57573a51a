"""What a session used, from what its agent tells: the same from its record and while it is at work."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from kiro_core.journal import readable
from kiro_core.types import NO_USAGE, Record, Usage

if TYPE_CHECKING:
    from kiro_core.frames import Frame

_TELLS = (b"usage_update", b"meteringUsage")
_CREDIT = "credit"


class _Counter(NamedTuple):
    """A sum that an agent tells as it grows; one that is less than before has begun anew."""

    before: float = 0.0
    now: float = 0.0

    def told(self, amount: float) -> _Counter:
        return _Counter(self.before + self.now if amount < self.now else self.before, amount)


class Using:
    """Adds up what the agents of one session tell.

    Tokens come with the answer to a prompt, for that turn alone: agents do so, though ACP's draft of `usage` leaves it
    open. The cost of a `usage_update` is that of the agent's whole session so far (ACP "Session Usage Updates"). Kiro
    tells the credits of a turn at its end (`_kiro.dev/metadata`).
    """

    def __init__(self) -> None:
        """Nothing is used yet."""
        self._told = NO_USAGE
        self._costs: dict[tuple[str | None, str], _Counter] = {}

    @property
    def usage(self) -> Usage:
        """All of it so far."""
        total = self._told
        for (_, currency), counter in self._costs.items():
            total += Usage(cost={currency: counter.before + counter.now})
        return total

    def update(self, frame: Frame) -> bool:
        """Take note of a notification; whether it told something."""
        if not any(word in frame.raw for word in _TELLS):
            return False
        params = frame.params
        update, metering = params.get("update"), params.get("meteringUsage")
        if frame.method == "session/update" and isinstance(update, dict):
            return update.get("sessionUpdate") == "usage_update" and self._cost(frame.session, update.get("cost"))
        if str(frame.method).endswith("kiro.dev/metadata") and isinstance(metering, list):
            spent = sum(_amount(each, "value") for each in metering if _of(each, "unit") == _CREDIT)
            self._told += Usage(credits=spent)
            return spent > 0
        return False

    def turn_ended(self, usage: Any) -> None:
        """Take note of the `usage` in the answer to a prompt."""
        read, said, total = (int(_amount(usage, f"{which}Tokens")) for which in ("input", "output", "total"))
        self._told += Usage(read, said, max(total, read + said))

    def _cost(self, session: str | None, cost: Any) -> bool:
        currency = _of(cost, "currency")
        if not isinstance(currency, str) or not _of(cost, "amount"):
            return False
        key = (session, currency)
        self._costs[key] = self._costs.get(key, _Counter()).told(_amount(cost, "amount"))
        return True


async def used(records: AsyncIterator[Record]) -> Usage:
    """What a session used, as far as its records say; closes `records`.

    Raises:
        SessionNotFound, RecordInvalid, Unavailable: as the store says.

    """
    using = Using()
    async with aclosing(cast("AsyncGenerator[Record, None]", records)) as read:
        async for record in read:
            if (item := readable(record)) is None:
                continue
            if item.kind == "update":
                using.update(item.frame)
            elif item.kind == "turn_ended":
                using.turn_ended(_of(item.value, "usage"))
    return using.usage


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _amount(value: Any, name: str) -> float:
    """A number that an agent told, 0 for what is none."""
    told = _of(value, name)
    usable = isinstance(told, int | float) and not isinstance(told, bool) and isfinite(told) and told > 0
    return float(told) if usable else 0.0
