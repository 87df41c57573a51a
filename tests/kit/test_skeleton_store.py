"""The store that `kiro-core new-plugin` writes follows the port; `tox -e skeletons` has all of its promises."""

import pytest
import skeletons

from kiro_core.testing import StoreContract
from kiro_core.testing.store_samples import stored
from kiro_core.types import SessionQuery


class TestSkeleton(StoreContract):
    provider = "example"
    plugin = skeletons.store
    shared = False  # other processes cost more time than each run of the tests has for it
    waived = {"store.settle.remembered": "it takes a thousand writes to the disk"}  # noqa: RUF012 - as authors write it

    @pytest.fixture
    def options(self, tmp_path):
        return {"root": tmp_path / "sessions"}

    async def test_what_is_no_session_keeps_nobody_from_listing(self, store, options):
        info = await stored(store)
        (options["root"] / "session-stray").touch()
        page = await store.list(SessionQuery())
        assert (list(page.items), list(page.damaged)) == ([info], ["stray"])
