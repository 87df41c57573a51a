"""What agent programs say that they have used, in one shape for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_DIGITS = 9
"""Behind the point of an amount: sums of decimals stay decimals."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money; what no agent told is 0, or not there.

    `total_tokens` may be more than input and output together, where an agent counts thoughts or caches besides. `cost`
    are amounts by currency (ISO 4217, such as "USD"), `credits` those of Kiro.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    cost: Mapping[str, float] = field(default_factory=dict)
    credits: float = 0.0

    def __bool__(self) -> bool:
        """Whether any agent told anything."""
        return self != NO_USAGE

    def __add__(self, other: Usage) -> Usage:
        """Both together."""
        currencies = dict.fromkeys([*self.cost, *other.cost])
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.total_tokens + other.total_tokens,
            {each: round(self.cost.get(each, 0.0) + other.cost.get(each, 0.0), _DIGITS) for each in currencies},
            round(self.credits + other.credits, _DIGITS),
        )


NO_USAGE = Usage()
"""Of what told nothing."""
