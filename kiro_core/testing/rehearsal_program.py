"""The rehearsal agent as a fixture: a real agent program that needs no account."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def rehearsal() -> list[str]:
    """The argv that starts it; options and what a prompt can make it do stand in `kiro_core.rehearsal`."""
    return [sys.executable, "-P", "-m", "kiro_core.rehearsal"]
