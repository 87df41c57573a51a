"""Every asynchronous test runs on asyncio and on trio, with a home of its own."""

import os

import pytest


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """No test reads or writes the person's own files, or settings from its environment."""
    for name in [name for name in os.environ if name.startswith(("KIRO_", "CLAUDE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIRO_HOME", str(tmp_path / "home" / ".kiro"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / ".kiro"
