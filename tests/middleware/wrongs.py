"""What a middleware may do wrong at any place, and what is said of it then."""

import anyio
import anyio.lowlevel
import pytest

LIMIT_S = 0.5
LEFT_OPEN = []
"""What was leaked, so that no collector closes it."""


async def raises(*_):
    raise ValueError("plum")


async def leaves(*_):
    raise SystemExit(3)


async def hangs(*_):
    await anyio.sleep_forever()


async def leaks_a_scope(*_):
    scope = anyio.CancelScope()
    scope.__enter__()
    LEFT_OPEN.append(scope)


async def leaks_a_deadline(*_):
    scope = anyio.CancelScope(deadline=anyio.current_time() + 0.1)
    scope.__enter__()
    LEFT_OPEN.append(scope)


async def leaks_a_group(*_):
    group = anyio.create_task_group()
    await group.__aenter__()
    LEFT_OPEN.append(group)
    group.start_soon(anyio.lowlevel.checkpoint)


WRONGS = {
    raises: "failed at {seam}: ValueError.",
    leaves: "failed at {seam}: SystemExit.",
    hangs: "took longer than 0.5 s of its own at {seam}.",
    leaks_a_scope: "left a cancel scope or a task group open at {seam}.",
    leaks_a_deadline: "left a cancel scope or a task group open at {seam}.",
    leaks_a_group: "left a cancel scope or a task group open at {seam}.",
}
WAYS = pytest.mark.parametrize("wrong", WRONGS, ids=lambda wrong: wrong.__name__)


def told(wrong, seam):
    """The sentence of such a failure."""
    return f"The middleware 'broken' {WRONGS[wrong].format(seam=seam)}"


async def works(house, session):
    """See that a session is as if nothing had happened."""
    before = len(house.client.text(session))
    assert (await house.prompt(session, "/echo still here")).result["stopReason"] == "end_turn"
    assert house.client.text(session)[before:] == "still here"
