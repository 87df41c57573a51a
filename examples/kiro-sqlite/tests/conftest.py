"""What several tests have in common."""

import sqlite3
from contextlib import closing, contextmanager

import pytest

import kiro_sqlite


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


@pytest.fixture
def opened(path):
    """What opens the store of that file, each time that it is called."""
    (provider,) = kiro_sqlite.kiro_stores()
    return lambda **options: provider.open(provider.validated({"path": path, **options}))


@pytest.fixture
def full_disk(path):
    """Within its block, no record can be written."""

    @contextmanager
    def full_disk():
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("CREATE TRIGGER full BEFORE INSERT ON record BEGIN SELECT RAISE(ABORT, 'no space'); END")
            yield
            other.execute("DROP TRIGGER full")

    return full_disk
