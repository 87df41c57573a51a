"""The store that `kiro-core new-plugin` writes follows the port; `tox -e skeletons` has all of its promises."""

import anyio
import pytest
import skeletons

from kiro_core.errors import SessionNotFound
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

    @pytest.mark.parametrize("name", ["\ud800", "x" * 300, "a/../b", ""], ids=["surrogate", "long", "path", "empty"])
    async def test_whatever_a_name_may_be_there_is_no_such_session(self, opened, name):
        with anyio.fail_after(10):
            async with opened() as store:
                for asked in (store.get(name), store.delete(name), store.verify(name), store.put(name, "1", b"{}")):
                    with pytest.raises(SessionNotFound):
                        await asked
