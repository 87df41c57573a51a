"""What all contracts share: which provider is tested, and no way to weaken a test in silence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest

from kiro_core.provider import AnyProvider


class Contract:
    """Tests that every backend of one kind passes, on each event loop that it names.

    `provider` is what is tested. `waived` maps the name of a test that the backend cannot pass to
    the reason, which is reported as a skip; redefining the test is refused.
    """

    provider: ClassVar[AnyProvider]
    waived: ClassVar[Mapping[str, str]] = {}

    pytestmark = pytest.mark.anyio

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a subclass that changes a promise or waives one that does not exist."""
        super().__init_subclass__(**kwargs)
        promised = {name for base in cls.__mro__[1:] for name in vars(base) if name.startswith("test_")}
        if changed := sorted(promised & set(vars(cls))):
            message = f"{cls.__name__} redefines {', '.join(changed)}; put the name and the reason into `waived`."
            raise TypeError(message)
        if unknown := sorted(set(cls.waived) - promised):
            message = f"{cls.__name__} waives {', '.join(unknown)}, which the contract does not have."
            raise TypeError(message)

    @pytest.fixture
    def options(self) -> dict[str, Any]:
        """The provider's options as a user would write them in the settings; override it where there are any."""
        return {}

    @pytest.fixture(autouse=True)
    def _only_what_is_promised(self, request: pytest.FixtureRequest) -> None:
        if reason := self.waived.get(request.function.__name__):
            pytest.skip(f"waived: {reason}")
        if "anyio_backend" in request.fixturenames:
            backend = request.getfixturevalue("anyio_backend_name")
            if backend not in self.provider.backends:
                pytest.skip(f"{self.provider.name} does not run on {backend}")


@asynccontextmanager
async def opened(provider: AnyProvider, options: Mapping[str, Any]) -> AsyncIterator[Any]:
    """Open a backend of the provider with options as a user would write them."""
    async with provider.open(provider.validated(options)) as backend:
        yield backend
