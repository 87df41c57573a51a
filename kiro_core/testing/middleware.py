"""The contract of middlewares, put together from what is promised of each part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from kiro_core.ports import Layer, Middleware
from kiro_core.testing.contract import Contract, Opened
from kiro_core.testing.middleware_lasting import LastingPromises
from kiro_core.testing.middleware_passing import PassingPromises
from kiro_core.testing.middleware_recording import RecordingPromises
from kiro_core.testing.middleware_samples import Entered
from kiro_core.testing.store_samples import session


class MiddlewareContract(PassingPromises, RecordingPromises, LastingPromises, Contract):
    """Inherit it and name the provider.

        class TestRedact(MiddlewareContract):
            provider = "redact"

    Give it options with which it has nothing against what a harmless agent says: what it does keep out or rewrite is
    for tests of your own. `middleware` and `entered` are the fixtures for these. Override the fixture `recorded` to add
    values of which `record` makes something else.
    """

    kind = "middlewares"

    @pytest.fixture
    async def middleware(self, opened: Opened) -> AsyncIterator[Middleware]:
        """The middleware under test, open."""
        async with opened() as middleware:
            yield middleware

    @pytest.fixture
    def entered(self, middleware: Middleware) -> Entered:
        """What enters another session, each time that it is called."""

        def entered(**fields: Any) -> AbstractAsyncContextManager[Layer]:
            return middleware.enter(session(**fields))

        return entered
