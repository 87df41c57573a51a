"""What a middleware does wrong with what is to be recorded keeps it from the record, and ends that session alone."""

import anyio
import pytest
from scripted_layers import Doing, layers
from wrongs import LIMIT_S, works

from kiro_core.errors import MiddlewareFailed, Vetoed


def breaks(value):
    if "pear" in str(value):
        raise ValueError("plum")
    return value


def changes_shape(value):
    return "pear" if "pear" in str(value) else value


def takes_too_long(value):
    if "pear" in str(value):
        until = anyio.current_time() + 2 * LIMIT_S
        while anyio.current_time() < until:
            pass
    return value


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (breaks, "failed at record: ValueError."),
        (changes_shape, "gave a str at record, where a value of the same shape belongs."),
        (takes_too_long, "took longer than 0.5 s of its own at record."),
    ],
)
async def test_what_is_recorded(beside, on_disk, record, what):
    async with beside(layers(lambda _: Doing(record=record), only="bad")) as (house, _):
        session = await house.start("bad")
        await works(house, session)
        with pytest.raises(MiddlewareFailed) as caught:
            await house.ask(session, "/echo a pear")
        assert str(caught.value) == f"The middleware 'broken' {what}"
        await house.ended(session)
        (closed,) = await house.entries(session, "closed")
        assert closed.value == {"reason": f"The middleware 'broken' {what}"}
        assert on_disk("a pear") == on_disk("plum") == []


async def test_a_veto_where_none_can_be_is_a_failure(beside):
    def record(value):
        if "pear" in str(value):
            raise Vetoed("No pears.")
        return value

    async with beside(layers(lambda _: Doing(record=record), only="bad")) as (house, _):
        session = await house.start("bad")
        with pytest.raises(MiddlewareFailed, match=r"failed at record: Vetoed\."):
            await house.ask(session, "/echo a pear")
