"""A desk that runs crews, with rehearsal and scripted agents behind it as real processes."""

import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kiro_core import Registry, load_settings, open_desk

# `importlib` mode puts no folder of tests on the path.
sys.path.extend([str(Path(__file__).parent), str(Path(__file__).parents[1] / "desk")])

from crew_office import Office
from frail_store import FrailStore


@pytest.fixture
def opened_desk(tmp_path):
    """`async with opened_desk() as office`: each is another desk, on the records of the same store."""

    @asynccontextmanager
    async def opened(*, engines=None, engine="rehearsal", plugins=(), face="", **settings):
        loaded = load_settings({**settings, "engines": engines or {}})
        async with open_desk(loaded, Registry(*plugins), engine=engine, face=face) as desk:
            yield Office(desk, tmp_path)

    return opened


@pytest.fixture
def store():
    """For `opened_desk(plugins=[store], store="frail")`."""
    return FrailStore()
