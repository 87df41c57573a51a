"""Health over HTTP: two questions, answered as HTTP wants it, whatever else is sent."""

from contextlib import asynccontextmanager

import anyio
import h11
import pytest

from kiro_core.catalog import Choice
from kiro_core.errors import SettingsError
from kiro_core.registry import Registry


class Watched:
    """What a face sees of a desk that is watched; `reason` is why it is not ready."""

    reason = ""

    def not_ready(self):
        return self.reason


@pytest.fixture
def desk():
    return Watched()


@asynccontextmanager
async def serving(desk, **options):
    """The face `http` at a free port of its own; yields the port."""
    async with (
        Registry(only={"http"}).transports.open(Choice("http", {"port": 0, **options})) as face,
        anyio.create_task_group() as tasks,
    ):
        url = await tasks.start(face.serve, desk)
        yield int(url.rpartition(":")[2])
        tasks.cancel_scope.cancel()


async def exchange(port, raw, *, hang_up=False):
    """Send bytes as they are; all that comes back until the other side ends."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(raw)
        if hang_up:
            await stream.send_eof()
        answer = b""
        with anyio.fail_after(10):
            async for chunk in stream:
                answer += chunk
        return answer


async def ask(port, target="/healthz", method="GET", headers=()):
    """Status, headers and body of an answer, read by the rules."""
    client = h11.Connection(h11.CLIENT)
    request = h11.Request(method=method, target=target, headers=[("Host", "x"), *headers])
    raw = await exchange(port, client.send(request) + (client.send(h11.EndOfMessage()) or b""))
    client.receive_data(raw)
    client.receive_data(b"")
    response = client.next_event()
    body = b""
    while isinstance(event := client.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    return response.status_code, dict(response.headers), body.decode()


async def test_it_lives_while_it_answers_and_is_ready_when_the_desk_is(desk):
    async with serving(desk) as port:
        assert (await ask(port, "/readyz"))[::2] == (200, "ready\n")
        desk.reason = "The desk is ending."
        assert (await ask(port, "/readyz"))[::2] == (503, "The desk is ending.\n")
        assert (await ask(port, "/healthz"))[::2] == (200, "alive\n")
        assert (await ask(port, "/readyz?verbose=1"))[0] == 503


async def test_there_is_nothing_else_and_nothing_to_be_done(desk):
    async with serving(desk) as port:
        for target in ("/", "/health", "/healthz/", "/sessions", "*"):
            assert (await ask(port, target))[0] == 404
        for method in ("POST", "DELETE", "OPTIONS", "BREW"):
            status, headers, _ = await ask(port, "/healthz", method)
            assert (status, headers[b"allow"]) == (405, b"GET, HEAD")


async def test_a_head_has_the_same_headers_and_no_body(desk):
    async with serving(desk) as port:
        raw = await exchange(port, b"HEAD /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        head, end, body = raw.partition(b"\r\n\r\n")
        assert (head.splitlines()[0], end, body) == (b"HTTP/1.1 200 OK", b"\r\n\r\n", b"")
        assert b"Content-Length: 6" in head
        assert b"Connection: close" in head


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"hello\r\n\r\n", b"400"),
        (b"GET /healthz HTTP/1.1\r\n\r\n", b"400"),  # no Host
        (b"GET /" + b"x" * 9000, b"431"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 2000, b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", None),  # TLS
        (b"GET /healthz HTTP/1.1\r\nHost: x", None),
        (b"", None),
    ],
)
async def test_what_is_no_request_harms_nobody(desk, raw, status):
    async with serving(desk) as port:
        answer = await exchange(port, raw, hang_up=status is None)
        if status is not None:
            assert answer.startswith(b"HTTP/1.1 " + status)
        assert (await ask(port))[0] == 200


async def test_who_says_nothing_keeps_nobody_else_out_and_too_many_are_sent_away(desk):
    async with serving(desk) as port:
        async with anyio.create_task_group() as tasks:
            silent = [await anyio.connect_tcp("127.0.0.1", port) for _ in range(31)]
            assert (await ask(port))[0] == 200
            silent += [await anyio.connect_tcp("127.0.0.1", port) for _ in range(2)]
            with anyio.fail_after(5):  # less than the silent ones have
                with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                    await silent[-1].receive()
            for stream in silent:
                tasks.start_soon(stream.aclose)
        with anyio.fail_after(5):
            while True:
                try:
                    assert (await ask(port))[0] == 200
                    break
                except (AssertionError, OSError, h11.RemoteProtocolError):
                    await anyio.lowlevel.checkpoint()


async def test_a_port_that_is_taken_is_named(desk):
    async with serving(desk) as port:
        with pytest.raises(SettingsError, match=f"listen at port {port} of 127.0.0.1: Address already in use"):
            async with Registry(only={"http"}).transports.open(Choice("http", {"port": port})) as face:
                await face.serve(desk)


async def test_it_listens_at_another_address_only_where_the_settings_say_so(desk):
    async with (
        Registry(only={"http"}).transports.open(Choice("http", {"port": 0, "host": "::1"})) as face,
        anyio.create_task_group() as tasks,
    ):
        url = await tasks.start(face.serve, desk)
        assert url.startswith("http://[::1]:")
        async with await anyio.connect_tcp("::1", int(url.rpartition(":")[2])):
            tasks.cancel_scope.cancel()
