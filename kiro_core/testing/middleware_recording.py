"""What a middleware promises of `record`: whoever reads what it gives, or passes it once more, can rely on it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest

from kiro_core.middleware.shape import same_shape
from kiro_core.testing.contract import Opened
from kiro_core.testing.middleware_samples import RECORDED, Entered
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import session


class RecordingPromises:
    """Shape, and nothing that depends on when or how often."""

    @pytest.fixture
    def recorded(self) -> Sequence[Any]:
        """JSON values that a desk records; add those of which your middleware makes something else."""
        return RECORDED

    @promise("middleware.record.shape", core=True)
    async def test_the_shape_of_a_value_stays(self, entered: Entered, recorded: Sequence[Any]) -> None:
        """`record` keeps keys, lengths of lists and kinds of values, and leaves what it is given as it is."""
        async with entered() as layer:
            for value in recorded:
                before = deepcopy(value)
                assert same_shape(before, layer.record(value))
                assert value == before

    @promise("middleware.record.again", core=True)
    async def test_what_was_recorded_is_recorded_as_it_is(self, entered: Entered, recorded: Sequence[Any]) -> None:
        """What `record` has given it gives again: what is on record is told, retold and recorded once more."""
        async with entered() as layer:
            for value in recorded:
                once = layer.record(deepcopy(value))
                assert layer.record(deepcopy(once)) == once

    @promise("middleware.record.everywhere", core=True)
    async def test_every_layer_records_a_value_alike(self, opened: Opened, recorded: Sequence[Any]) -> None:
        """The same value has the same result at any time, in any session, and when the middleware is opened anew."""
        async with opened() as first, first.enter(session()) as one, first.enter(session()) as other:
            results = [[layer.record(deepcopy(value)) for value in recorded] for layer in (one, other, one)]
        async with opened() as second, second.enter(session()) as last:
            results.append([last.record(deepcopy(value)) for value in recorded])
        assert results == [results[0]] * 4
