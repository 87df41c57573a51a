"""The bundled store on a folder of the test's own."""

import pytest

from kiro_files import FilesOptions, open_store


@pytest.fixture
def root(tmp_path):
    return tmp_path / "sessions"


@pytest.fixture
async def store(root):
    async with open_store(FilesOptions(root=root)) as store:
        yield store
