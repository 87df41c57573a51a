"""What a middleware promises of `record`: whoever reads what it gives, or passes it once more, can rely on it."""

from __future__ import annotations

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

    @promise("middleware.record.shape", core=True)
    @pytest.mark.parametrize("value", RECORDED, ids=type)
    async def test_the_shape_of_a_value_stays(self, entered: Entered, value: Any) -> None:
        """`record` keeps keys, lengths of lists and kinds of values, and leaves what it is given as it is."""
        before = deepcopy(value)
        async with entered() as layer:
            assert same_shape(before, layer.record(value))
        assert value == before

    @promise("middleware.record.again", core=True)
    @pytest.mark.parametrize("value", RECORDED, ids=type)
    async def test_what_was_recorded_is_recorded_as_it_is(self, entered: Entered, value: Any) -> None:
        """What `record` has given it gives again: what is on record is told, retold and recorded once more."""
        async with entered() as layer:
            recorded = layer.record(deepcopy(value))
            assert layer.record(deepcopy(recorded)) == recorded

    @promise("middleware.record.everywhere", core=True)
    @pytest.mark.parametrize("value", RECORDED, ids=type)
    async def test_every_layer_records_a_value_alike(self, opened: Opened, value: Any) -> None:
        """The same value has the same result at any time, in any session, and when the middleware is opened anew."""
        async with opened() as first, first.enter(session()) as one, first.enter(session()) as other:
            results = [one.record(deepcopy(value)), other.record(deepcopy(value)), one.record(deepcopy(value))]
        async with opened() as second, second.enter(session()) as last:
            results.append(last.record(deepcopy(value)))
        assert results == [results[0]] * 4
