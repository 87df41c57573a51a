"""Faces of four kinds keep the contract: one client over stdio, many at a socket, hosts of MCP, and health checks."""

import json
from contextlib import asynccontextmanager

import anyio
import pytest
import skeletons

from kiro_core import Registry, load_settings, open_desk
from kiro_core.testing import FaceContract


class TestAcpOverStdio(FaceContract):
    provider = "acp"


class TestAcpAtSocket(FaceContract):
    provider = "acp"

    @pytest.fixture
    def options(self, short):
        return {"socket": str(short / "acp")}


class TestSkeleton(FaceContract):
    provider = "example"
    plugin = skeletons.transport

    @pytest.fixture
    def options(self, short):
        return {"socket": short / "s"}


class TestHttp(FaceContract):
    provider = "http"
    waived = dict.fromkeys(
        ["face.conversation", "face.refused", "face.several", "face.order", "face.questions", "face.cancel"],
        "it tells health, and has no sessions",
    )

    @pytest.fixture
    def options(self):
        return {"port": 0}

    @pytest.fixture
    def connect(self):
        @asynccontextmanager
        async def connect(serving):
            async with await anyio.connect_tcp("127.0.0.1", int(serving.place.rpartition(":")[2])) as stream:
                await stream.send(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await stream.receive()).startswith(b"HTTP/1.1 200")
                yield

        return connect


class Host:
    """A host of MCP that writes its own lines."""

    def __init__(self, serving):
        self._serving, self._rest, self._ids = serving, b"", iter(range(1, 100))

    async def ask(self, method, **params):
        number = next(self._ids)
        await self.say({"id": number, "method": method, "params": params})
        while (answer := await self._line()).get("id") != number:
            pass
        return answer["result"]

    async def say(self, message):
        await self._serving.send(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def tool(self, name, **arguments):
        result = await self.ask("tools/call", name=name, arguments=arguments)
        if result.get("isError"):
            raise RuntimeError(result["content"][0]["text"])
        return result["structuredContent"]

    async def new(self, cwd):
        return (await self.tool("kiro_session_create", working_directory=str(cwd)))["session_id"]

    async def prompt(self, session, text):
        return (await self.tool("kiro_chat", session_id=session, message=text))["content"]

    async def _line(self):
        while b"\n" not in self._rest:
            self._rest += await self._serving.receive()
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)


class TestMcpOverStdio(FaceContract):
    provider = "mcp"
    waived = dict.fromkeys(
        ["face.order", "face.questions", "face.cancel"],
        "behind it is a whole desk, whose agents know other words: tests/mcp_face shows it",
    )

    @pytest.fixture
    async def desk(self, rehearsal):
        engines = {"rehearsal": {"command": rehearsal}}
        async with open_desk(load_settings({"engines": engines}), Registry(), engine="rehearsal") as desk:
            yield desk

    @pytest.fixture
    def connect(self):
        @asynccontextmanager
        async def connect(serving):
            host = Host(serving)
            about = {"name": "host", "version": "1"}
            await host.ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=about)
            await host.say({"method": "notifications/initialized"})
            yield host

        return connect
