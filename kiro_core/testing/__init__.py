"""The conformance kit: a plugin's author inherits a contract, names a provider and has its tests."""

from __future__ import annotations

from pkgutil import iter_modules

import pytest

# Before the first of them is imported: only then can their asserts explain themselves.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))

from kiro_core.testing.client import RecordingClient  # noqa: E402 - see above
from kiro_core.testing.store import StoreContract  # noqa: E402 - see above

__all__ = ["RecordingClient", "StoreContract"]
