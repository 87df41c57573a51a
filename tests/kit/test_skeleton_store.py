"""The store that `kiro-core new-plugin` writes follows the port; `tox -e skeletons` has all of its promises."""

import pytest
import skeletons

from kiro_core.testing import StoreContract


class TestSkeleton(StoreContract):
    provider = "example"
    plugin = skeletons.store
    shared = False  # other processes cost more time than each run of the tests has for it
    waived = {"store.settle.remembered": "it takes a thousand writes to the disk"}  # noqa: RUF012 - as authors write it

    @pytest.fixture
    def options(self, tmp_path):
        return {"root": tmp_path / "sessions"}
