"""The redaction keeps the contract of middlewares."""

import pytest

from kiro_core.testing import MiddlewareContract


class TestRedact(MiddlewareContract):
    provider = "redact"


class TestRedactOfRandomText(MiddlewareContract):
    provider = "redact"

    @pytest.fixture
    def options(self):
        return {"entropy": 4.3, "env": []}
