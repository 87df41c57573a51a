"""The contract of session stores, put together from what is promised of each part."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import pytest

from kiro_core.ports import SessionStore
from kiro_core.testing.contract import Contract, Opened
from kiro_core.testing.elsewhere import StartedElsewhere, elsewhere
from kiro_core.testing.store_catalogue import CataloguePromises
from kiro_core.testing.store_commits import CommitPromises
from kiro_core.testing.store_crash import CrashPromises
from kiro_core.testing.store_deleting import DeletingPromises
from kiro_core.testing.store_fencing import FencingPromises
from kiro_core.testing.store_inbox import InboxPromises
from kiro_core.testing.store_lease import LeasePromises
from kiro_core.testing.store_listing import ListingPromises
from kiro_core.testing.store_log import LogPromises
from kiro_core.testing.store_messages import MessagePromises
from kiro_core.testing.store_processes import ProcessPromises
from kiro_core.testing.store_reading import ReadingPromises
from kiro_core.testing.store_settling import SettlingPromises
from kiro_core.testing.store_upkeep import UpkeepPromises


class StoreContract(
    LeasePromises,
    FencingPromises,
    LogPromises,
    CommitPromises,
    InboxPromises,
    MessagePromises,
    SettlingPromises,
    ReadingPromises,
    CataloguePromises,
    ListingPromises,
    DeletingPromises,
    UpkeepPromises,
    ProcessPromises,
    CrashPromises,
    Contract,
):
    """Inherit it, set `provider`, and give `options` where the store needs any.

        class TestSqlite(StoreContract):
            provider = "sqlite"

            @pytest.fixture
            def options(self, tmp_path):
                return {"path": str(tmp_path / "sessions.db")}

    Each test gets a store of its own, empty at its start. `store` is the fixture to use in tests of
    what is special to a backend.

    Other processes open the store with the same options, which therefore are JSON values and paths. A store that lives
    in one process sets `shared` to False: what is promised to other processes is skipped then.
    """

    kind = "stores"
    shared: ClassVar[bool] = True

    @pytest.fixture
    async def store(self, opened: Opened) -> AsyncIterator[SessionStore]:
        """The store under test, open."""
        async with opened() as store:
            yield store

    @pytest.fixture
    def elsewhere(self, options: dict[str, Any], anyio_backend_name: str) -> StartedElsewhere:
        """What starts a process that has opened the same store."""
        if not self.shared:
            pytest.skip(f"{self.provider} lives in one process only")
        order = self.order(options, anyio_backend_name)
        return lambda: elsewhere("store_process", order)

    @pytest.fixture
    def outage(self) -> Callable[[], AbstractContextManager[object]] | None:
        """Override it where you can have the store fail: within its block the next `append` raises `Unavailable`."""
        return None
