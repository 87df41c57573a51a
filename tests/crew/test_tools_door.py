"""Agents reach the tools of their crews at the socket of the desk: each those of its session, as long as that lasts."""

import logging
import os
import re
import subprocess
import sys
import threading
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest
from crew_office import scripted
from crew_tools import Echo, FarEnd, IdleCrew, given

from kiro_core import Frame, Provider, hookimpl
from kiro_core.cli.serve.faces import any_face
from kiro_core.errors import PluginError
from kiro_core.testing import RecordingClient
from kiro_mcp.crew import AgentTools

BOUND_S = 30


class EchoPlugin:
    """Serves with `Echo` in place of the bundled server."""

    @hookimpl
    def kiro_transports(self):
        @asynccontextmanager
        async def opened(_):
            yield Echo()

        yield Provider("echo", opened)


@pytest.fixture
def opened_office(opened_desk):
    """`async with opened_office() as office`: its sessions have the tools, served by `Echo`, and its crew is idle."""

    @asynccontextmanager
    async def opened(**settings):
        crew = {"server": "echo", "for_agents": "all", **settings.pop("crew", {})}
        with anyio.fail_after(BOUND_S):
            async with opened_desk(face="crew", plugins=[EchoPlugin()], crew=crew, **settings) as office:
                office.idle = office.desk.crew = IdleCrew(office.desk.crew)
                async with office.desk.attach(RecordingClient()) as office.agent:
                    yield office

    return opened


async def opened(office):
    """A session, the path of the desk's socket, and the session's token."""
    session = await office.start(office.agent)
    entry, token = given(office.desk.live[session])
    return session, Path(entry["args"][-1]), token


async def test_a_connection_with_the_token_of_a_session_is_that_sessions(opened_office):
    async with opened_office() as office:
        first, place, token = await opened(office)
        second, _, other = await opened(office)
        async with FarEnd(place, token) as one, FarEnd(place, other) as two:
            assert one.answer == two.answer == {"jsonrpc": "2.0", "id": 0, "result": {}}
            assert [await one.line(), await two.line()] == [first.encode(), second.encode()]
            await one.stream.send(b"said by the one\n")
            assert await one.line() == b"said by the one"


async def test_the_command_that_an_agent_is_given_comes_there(opened_office):
    async with opened_office() as office:
        session, _, _ = await opened(office)
        entry, _ = given(office.desk.live[session])
        env = {one["name"]: one["value"] for one in entry["env"]}
        done = await anyio.run_process([entry["command"], *entry["args"]], input=b"hello\n", env=env)
        assert done.stdout == session.encode() + b"\nhello\n"


@pytest.mark.parametrize("guess", ["", "x" * 43, "é\ud800", "TOKEN-", "the session's id"])
async def test_who_guesses_is_told_nothing_and_let_go_of(opened_office, guess):
    async with opened_office() as office:
        session, place, token = await opened(office)
        guess = {"TOKEN-": token[:-1], "the session's id": session}.get(guess, guess)
        async with FarEnd(place, guess) as stranger:
            assert stranger.answer["error"]["message"] == "This is not possible."
            assert await stranger.line() == b""
        async with FarEnd(place, token) as own:
            assert "result" in own.answer


@pytest.mark.parametrize("params", [{}, {"token": None}, {"token": 3}, []])
async def test_a_request_without_a_token_is_refused(opened_office, params):
    async with opened_office() as office:
        _, place, _ = await opened(office)
        stranger = FarEnd(place, "")
        await stranger.stream.send(Frame.of("_kiro_core/crew", params, id=7).raw + b"\n")
        assert b'"error"' in await stranger.line()
        assert await stranger.line() == b""
        await stranger.stream.aclose()


async def test_a_session_that_has_ended_has_no_token_and_no_connection(opened_office):
    async with opened_office() as office:
        session, place, token = await opened(office)
        async with FarEnd(place, token) as before:
            assert await before.line()
            await office.agent.close(Frame.of("session/close", {"sessionId": session}, id=0))
            assert await before.line() == b""
        async with FarEnd(place, token) as late:
            assert "error" in late.answer


async def test_a_session_that_is_opened_again_has_another_token(opened_office):
    async with opened_office() as office:
        session, place, token = await opened(office)
        await office.agent.close(Frame.of("session/close", {"sessionId": session}, id=0))
        params = {"sessionId": session, "cwd": str(office.cwd), "mcpServers": []}
        await office.agent.open(Frame.of("session/load", params, id=0), replay=True)
        _, another = given(office.desk.live[session])
        assert another != token
        async with FarEnd(place, token) as old, FarEnd(place, another) as new:
            assert "error" in old.answer
            assert await new.line() == session.encode()


@pytest.mark.parametrize("option", [("engine", "other"), ("agent", "plain")])
async def test_a_session_that_changes_its_agent_keeps_its_token(opened_office, tmp_path, option):
    agents = tmp_path / "home" / ".kiro" / "agents"
    agents.mkdir(parents=True)
    (agents / "plain.json").write_text('{"name": "plain", "tools": ["read"]}')
    async with opened_office(engines={"other": scripted()}) as office:
        session, place, token = await opened(office)
        name, value = option
        params = {"sessionId": session, "configId": name, "value": value}
        answer = await office.agent.call(Frame.of("session/set_config_option", params, id=0))
        assert not answer.failed, answer.error
        assert given(office.desk.live[session])[1] == token
        async with FarEnd(place, token) as own:
            assert await own.line() == session.encode()


async def test_one_session_has_four_connections_at_most_and_others_are_not_concerned(opened_office):
    async with opened_office() as office, AsyncExitStack() as stack:
        _, place, token = await opened(office)
        _, _, other = await opened(office)
        four = [await stack.enter_async_context(FarEnd(place, token)) for _ in range(4)]
        assert all("result" in one.answer for one in four)
        async with FarEnd(place, token) as fifth, FarEnd(place, other) as somebody:
            assert "error" in fifth.answer
            assert "result" in somebody.answer
        await four[0].stream.aclose()
        while True:  # the desk takes a moment to see it
            async with FarEnd(place, token) as again:
                if "result" in again.answer:
                    break


async def test_connections_take_no_place_of_other_visitors_and_no_thread(opened_office, monkeypatch):
    monkeypatch.setattr("kiro_core.control.listening._CONNECTIONS", 2)
    async with opened_office() as office, AsyncExitStack() as stack:
        _, place, token = await opened(office)
        threads = None
        for _ in range(6):
            _, _, token = await opened(office)
            far = await stack.enter_async_context(FarEnd(place, token))
            assert await far.line()
            threads = threads or threading.active_count()
        assert threading.active_count() <= threads


async def test_an_agent_that_does_not_read_holds_nobody_up_and_ends_with_its_session(opened_office):
    async with opened_office() as office:
        session, place, token = await opened(office)
        async with FarEnd(place, token) as deaf:
            with anyio.move_on_after(0.5):
                await deaf.stream.send(b"x" * 64 * 1024 * 1024)
            await office.agent.close(Frame.of("session/close", {"sessionId": session}, id=0))
            assert session not in office.desk.live


async def test_nothing_of_a_token_is_recorded_logged_or_told(opened_office, home, caplog):
    caplog.set_level(logging.DEBUG)
    async with opened_office() as office:
        client = RecordingClient()
        async with office.desk.attach(client) as agent:
            session = await office.start(agent)
            entry, token = given(office.desk.live[session])
            async with FarEnd(Path(entry["args"][-1]), token) as own, FarEnd(Path(entry["args"][-1]), token[:-1]):
                assert await own.line()
            prompt = [{"type": "text", "text": "/params"}]
            await (
                await agent.prompt(Frame.of("session/prompt", {"sessionId": session, "prompt": prompt}, id=0))
            ).settled()
            told = [frame.raw for frame in client.frames]
            status = str(office.desk.status()) + str(office.desk.configuration())
    assert token not in status + caplog.text
    assert token.encode() not in b"".join(told)
    found = [path for path in home.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    assert found == []


def test_a_run_without_a_crew_imports_nothing_for_it(tmp_path):
    program = str(Path(sys.executable).with_name("kiro-core"))
    command = [sys.executable, "-X", "importtime", program, "run", "--engine", "rehearsal", "Hello"]
    env = {**os.environ, "HOME": str(tmp_path)}
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=env, cwd=tmp_path)
    imported = set(re.findall(r"import time:\s+\d+ \|\s+\d+ \| +(\S+)", told.stderr))
    heads = ("mcp", "mcp_types", "kiro_mcp.crew", "kiro_mcp.server", "kiro_mcp.stdio")
    assert "kiro_core.dispatcher.desk" in imported
    assert [name for name in imported if name.startswith(heads)] == []


async def test_a_transport_that_serves_no_tools_is_named_in_the_log_and_ends_nothing_else(opened_office, caplog):
    async with opened_office(crew={"server": "acp"}) as office:
        _, place, token = await opened(office)
        async with FarEnd(place, token) as far:
            assert await far.line() == b""
        assert "Transport 'acp' serves no tools of a crew" in caplog.text
        assert await office.start(office.agent)


def test_what_serves_tools_is_no_face():
    with pytest.raises(PluginError, match="'crew' connects to agents only"):
        any_face("serve", "crew", AgentTools())
