"""Whether a value that was rewritten can still be read by whoever reads the record: its shape is its meaning."""

from __future__ import annotations

from typing import Any


def same_shape(before: Any, after: Any) -> bool:
    """Whether two JSON values have the same keys, as many elements, and values of the same kinds in the same places."""
    if before is after:
        return True
    if isinstance(before, dict):
        return (
            isinstance(after, dict)
            and before.keys() == after.keys()
            and all(same_shape(value, after[key]) for key, value in before.items())
        )
    if isinstance(before, list):
        return isinstance(after, list) and len(before) == len(after) and all(map(same_shape, before, after))
    return type(before) is type(after)
