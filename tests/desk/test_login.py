"""Logging in: the client learns how, the engine is started for it and ended again, and a failure is no success."""

import json
import os
import sys

import anyio
import pytest

from kiro_core.errors import AgentTimeout, AgentUnable, AuthRequired, LaunchFailed, RpcError
from kiro_core.frames import Frame
from kiro_core.rpc import failure
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo

METHOD = {"id": "oauth", "name": "Browser"}
TERMINAL = {"id": "tty", "name": "Here", "type": "terminal", "args": ["--login"]}
REFUSES = "refuse(-32000, 'Authentication required', why='expired')"


def methods(*listed):
    return f"answers['initialize']['authMethods'] = json.loads({json.dumps(listed)!r})"


def with_terminal():
    return RecordingClient(PeerInfo("editor", abilities=frozenset({"login-terminal"})))


def authenticate(office, method="oauth"):
    return office.agent.authenticate(Frame.of("authenticate", {"methodId": method}, id=7))


@pytest.mark.parametrize(
    ("client", "expected"), [(RecordingClient, ["oauth"]), (with_terminal, ["oauth", "kiro-core-login"])]
)
async def test_a_session_that_wants_a_login_says_how_to_get_one(opened_desk, scripted, client, expected):
    engine = scripted(initialize=methods(METHOD, TERMINAL), new=REFUSES)
    async with opened_desk(client(), engine_settings={"x": engine}, engine="x") as office:
        with anyio.fail_after(20), pytest.raises(AuthRequired, match="x wants a login first: Authentication req") as e:
            await office.new()
    error = failure(e.value).error
    assert error["code"] == -32000
    assert [method["id"] for method in error["data"]["authMethods"]] == expected
    assert error["data"]["login"] == "kiro-core engines login x"
    assert error["data"]["data"] == {"why": "expired"}
    assert "kiro-core engines login x" in error["message"]


async def test_a_recorded_session_that_wants_a_login_says_so_instead_of_opening_without_an_agent(
    opened_desk, scripted, tmp_path
):
    able = "answers['initialize'].update(agentCapabilities={'loadSession': True}, authMethods=[])"
    load = "os.path.exists('logged-out') and " + REFUSES
    engine = scripted(initialize=able, load=load)
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            await office.close(session)
            (tmp_path / "logged-out").touch()
            with pytest.raises(AuthRequired):
                await office.load(session)
            (tmp_path / "logged-out").unlink()
            await office.load(session)
            assert (await office.prompt(session, "hello")).result["stopReason"] == "end_turn"


async def test_authenticate_starts_the_engine_that_wanted_it_and_ends_it_again(opened_desk, scripted, tmp_path):
    note = f"open({str(tmp_path / 'pid')!r}, 'w').write(json.dumps([os.getpid(), got['authenticate']]))"
    wants = scripted(initialize=methods(METHOD), new=REFUSES, authenticate=note)
    engines = {"x": scripted(authenticate="refuse(-32603, 'not me')"), "y": wants}
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="x") as office:
            with pytest.raises(AuthRequired):
                await office.new(engine="y")
            assert (await authenticate(office)).result == {}
            pid, params = json.loads((tmp_path / "pid").read_text())
            assert params == {"methodId": "oauth"}
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


async def test_a_login_that_the_engine_refuses_or_does_not_survive_is_an_error(opened_desk, scripted):
    engines = {
        "no": scripted(authenticate="refuse(-32602, 'unknown method')"),
        "dies": scripted(authenticate="sys.exit(3)"),
        "hangs": scripted(authenticate="time.sleep(1000)"),
        "late": scripted(initialize="time.sleep(1000)"),
    }
    expected = {"no": RpcError, "dies": LaunchFailed, "hangs": AgentTimeout, "late": AgentTimeout}
    for name, error in expected.items():
        limits = {"question_s": 1, "start_s": 2}
        with anyio.fail_after(20):
            async with opened_desk(RecordingClient(), engine_settings=engines, engine=name, limits=limits) as office:
                with pytest.raises(error):
                    await authenticate(office)


async def test_authenticate_without_a_method_is_refused(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            with pytest.raises(RpcError, match="needs a methodId"):
                await office.agent.authenticate(Frame.of("authenticate", {}, id=0))


async def test_an_engine_asks_during_a_login_only_what_the_client_offered(opened_desk, scripted):
    asking = (
        "say(id=1, method='elicitation/create', params={'requestId': asked['id'], 'mode': 'url', 'message': 'Go',"
        " 'elicitationId': 'e', 'url': 'https://example.com'});"
        "answer = json.loads(sys.stdin.readline());"
        "answer.get('error') and refuse(-32603, 'nobody went there')"
    )

    async def accept(_):
        return Frame.answer({"action": "accept"})

    for abilities in ((), ("elicitation-url",)):
        raw = {"elicitation": {"url": {}}} if abilities else {}
        client = RecordingClient(PeerInfo("editor", abilities=frozenset(abilities), raw=raw), answer=accept)
        with anyio.fail_after(20):
            async with opened_desk(client, engine_settings={"x": scripted(authenticate=asking)}, engine="x") as office:
                if not abilities:
                    with pytest.raises(RpcError, match="nobody went there"):
                        await authenticate(office)
                    assert client.questions == []
                else:
                    assert (await authenticate(office)).result == {}
                    assert client.questions[0].params["requestId"] == 7, "the id of the client's own request"


async def test_a_logout_reaches_an_engine_that_has_one_and_any_other_is_named(opened_desk, scripted):
    able = "answers['initialize']['agentCapabilities'] = {'auth': {'logout': {}}}"
    engines = {
        "x": scripted(initialize=able),
        "y": scripted(),
        "z": scripted(initialize=able, logout="refuse(1, 'no')"),
    }
    request = Frame.of("logout", {}, id=0)
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="x") as office:
            assert (await office.agent.logout(request)).result == {}
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="y") as office:
            with pytest.raises(AgentUnable, match="y cannot be logged out of"):
                await office.agent.logout(request)
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="z") as office:
            with pytest.raises(RpcError, match="z refused logout: no"):
                await office.agent.logout(request)


async def test_the_ways_to_log_in_are_those_of_the_default_engine(opened_desk):
    engine = {"command": [sys.executable]}
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x") as office:
            assert office.desk.logins(PeerInfo()) == []
