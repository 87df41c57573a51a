"""A program that serves over its stdin and stdout, and the SDK's client that has started it."""

import json
import os
import sys

import anyio
import pytest
from mcp import StdioServerParameters
from mcp.client import Client
from mcp_hosts import BOUND_S, REHEARSAL, Host

PROGRAM = """
import json, sys
import anyio
from kiro_core.dispatcher import open_desk
from kiro_core.registry import Registry
from kiro_core.settings import load_settings
from kiro_mcp.face import StdioFace
from kiro_mcp.options import McpOptions

settings, options, loop = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]

async def main():
    async with open_desk(load_settings(settings), Registry(), engine="rehearsal") as desk:
        await StdioFace(McpOptions(**options)).serve(desk)

anyio.run(main, backend=loop)
"""


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parametrize(("mode", "loop"), [("legacy", "asyncio"), ("2026-07-28", "trio")])
async def test_a_host_that_starts_it_is_served_and_its_end_ends_all(mode, loop, folder):
    settings = {"engines": {"rehearsal": {"command": REHEARSAL}}}
    options = {"working_directory": str(folder)}
    server = StdioServerParameters(
        command=sys.executable,
        args=["-P", "-c", PROGRAM, json.dumps(settings), json.dumps(options), loop],
        env=dict(os.environ),
    )
    with anyio.fail_after(BOUND_S):
        async with Client(server, mode=mode) as client:
            host = Host(client)
            said = await host.call("kiro_chat", message="/echo Grüße")
            assert said["content"] == "Grüße"
            assert (await host.call("kiro_chat", message="Again"))["session_id"] == said["session_id"]
