"""The contract of session stores, put together from what is promised of each part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kiro_core.ports import SessionStore
from kiro_core.testing.contract import Contract, opened
from kiro_core.testing.store_catalogue import CataloguePromises
from kiro_core.testing.store_deleting import DeletingPromises
from kiro_core.testing.store_inbox import InboxPromises
from kiro_core.testing.store_lease import LeasePromises
from kiro_core.testing.store_log import LogPromises
from kiro_core.testing.store_reading import ReadingPromises
from kiro_core.testing.store_settling import SettlingPromises
from kiro_core.testing.store_upkeep import UpkeepPromises


class StoreContract(
    LeasePromises,
    LogPromises,
    InboxPromises,
    SettlingPromises,
    ReadingPromises,
    CataloguePromises,
    DeletingPromises,
    UpkeepPromises,
    Contract,
):
    """Inherit it, set `provider`, and give `options` where the store needs any.

        class TestSqlite(StoreContract):
            provider = sqlite_provider

            @pytest.fixture
            def options(self, tmp_path):
                return {"path": str(tmp_path / "sessions.db")}

    Each test gets a store of its own, empty at its start. `store` is the fixture to use in tests of
    what is special to a backend.
    """

    @pytest.fixture
    async def store(self, options: dict[str, Any]) -> AsyncIterator[SessionStore]:
        """The store under test, open."""
        async with opened(self.provider, options) as store:
            yield store
