"""Implementations that only the kit's own tests have, beside this file: `importlib` mode puts no folder on the path."""

import sys
import tempfile
from pathlib import Path

import pytest

from kiro_core.testing import rehearsal  # noqa: F401 - a fixture

sys.path.append(str(Path(__file__).parent))


@pytest.fixture
def short():
    """A folder of this user alone, whose path is short enough for a socket's."""
    with tempfile.TemporaryDirectory(prefix="kit-", dir="/tmp") as folder:
        yield Path(folder)
