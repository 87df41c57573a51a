import pytest
from kiro_core.testing import StoreContract


class TestSqlite(StoreContract):
    provider = "sqlite"

    @pytest.fixture
    def options(self, path):
        return {"path": path}

    @pytest.fixture
    def outage(self, full_disk):
        return full_disk
