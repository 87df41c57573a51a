"""A desk with rehearsal agents, and the SDK's own client as a host in front of it."""

import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp.client import Client

from kiro_core.dispatcher import open_desk
from kiro_core.registry import Registry
from kiro_core.settings import load_settings
from kiro_mcp import build_server
from kiro_mcp.options import McpOptions

# The module beside this file: `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))

from mcp_hosts import BOUND_S, ERAS, REHEARSAL, Host


@pytest.fixture(params=ERAS)
def era(request):
    """What a host speaks."""
    return request.param


@pytest.fixture
def opened_desk(tmp_path):
    """`async with opened_desk(engines={...}, limits={...}) as desk`; agents remember their sessions."""

    @asynccontextmanager
    async def opened(*, engines=None, plugins=(), **settings):
        memory = ["--memory", str(tmp_path / "memory")]
        named = {"rehearsal": {"command": [*REHEARSAL, *memory]}}
        named |= {name: {"command": command} for name, command in (engines or {}).items()}
        loaded = load_settings({"engines": named, **settings})
        async with open_desk(loaded, Registry(*plugins), engine="rehearsal") as desk:
            yield desk

    return opened


@pytest.fixture
def folder(tmp_path):
    """Where sessions work."""
    folder = tmp_path / "work"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def opened_host(opened_desk, folder, era):
    """`async with opened_host(form=..., options={...}, limits={...}) as host`: a host of that era in memory."""

    @asynccontextmanager
    async def opened(*, form=None, options=None, told=None, **desk_settings):
        chosen = McpOptions(**{"working_directory": str(folder), **(options or {})})
        with anyio.fail_after(BOUND_S):
            async with opened_desk(**desk_settings) as desk:
                server = build_server(desk, chosen)
                client = Client(server, mode=era, elicitation_callback=form, message_handler=told)
                async with client:
                    yield Host(client, desk)

    return opened
