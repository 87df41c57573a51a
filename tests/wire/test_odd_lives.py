"""How real agents were seen to begin, to continue and to end otherwise than the protocol says."""

import json
import os
import select

import pytest
from far_end import BOUND_S
from programs import scripted

ABLE = "answers['initialize']['agentCapabilities'] = {'loadSession': True}; "
ABLE_TO_RESUME = "answers['initialize']['agentCapabilities'] = {'sessionCapabilities': {'resume': {}}}; "
OLD = "tell('said long ago'); update(sessionUpdate='user_message_chunk', content={'type': 'text', 'text': 'asked'})"
STAY = """
import subprocess, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
alive = os.open({fifo!r}, os.O_WRONLY)
subprocess.Popen(['sleep', '600'], pass_fds=[alive])
threading.Thread(target=time.sleep, args=(600,)).start()
"""


@pytest.fixture
def continued(place):
    """`continued(load="...")`: a far end that has loaded a session of another one, and the answer to that."""

    def continued(*, initialize=ABLE, method="session/load", allowed="resume,load", **code):
        far = place.start(engines={"odd": scripted(initialize=initialize, prompt="tell('mine')")})
        session = far.begin()
        far.prompt(session, "hello")
        far.hang_up()
        engines = {"odd": scripted(initialize=initialize, prompt="tell('mine too')", **code)}
        far = place.start(engines=engines, KIRO_CORE_RECOVERY=allowed)
        far.greet()
        return far, session, far.ask(method, sessionId=session, cwd=far.cwd, mcpServers=[])

    return continued


@pytest.mark.parametrize("number", [-32002, -32602, -32603])
def test_a_session_that_its_agent_has_forgotten_can_be_read_and_says_why_it_goes_on_no_more(continued, number):
    far, session, answer = continued(load=f"refuse({number}, 'What session?')")
    assert "What session?" in answer["result"]["_meta"]["kiro_core"]["refusesPrompts"]
    assert far.text(session) == "mine"
    error = far.prompt(session, "still there?")["error"]
    assert "What session?" in error["message"]


@pytest.mark.parametrize("answer", ["{}", "None", "{'sessionId': 's'}"])
def test_a_load_that_succeeds_in_whatever_form_goes_on(continued, answer):
    far, session, answer = continued(load=f"{OLD}; answers['session/load'] = {answer}")
    assert answer["result"].get("sessionId", session) == session
    assert far.prompt(session, "hello")["result"]["stopReason"] == "end_turn"
    assert far.text(session) == "minemine too"


@pytest.mark.parametrize(
    ("load", "why"), [("refuse(-32002, 'What?')", "What?"), ("os._exit(0)", "ended with status 0")]
)
def test_a_session_that_its_agent_has_forgotten_goes_on_from_the_record_and_that_is_told(continued, load, why):
    far, session, _ = continued(load=load, allowed="resume,load,text")
    assert far.prompt(session, "hello")["result"]["stopReason"] == "end_turn"
    told = far.text(session).removeprefix("mine").removesuffix("mine too")
    assert "is told the conversation as text" in told
    assert why in told


def test_an_agent_that_exits_when_it_is_asked_for_a_forgotten_session_is_described(continued):
    far, session, answer = continued(load="os.write(2, b'no such session'); os._exit(3)")
    assert "status 3" in answer["result"]["_meta"]["kiro_core"]["refusesPrompts"]
    assert far.text(session) == "mine"


@pytest.mark.parametrize("method", ["session/load", "session/resume", "session/close", "session/prompt"])
def test_an_unknown_session_is_always_the_same_error(place, method):
    far = place.start(engines={"odd": scripted(initialize=ABLE)})
    far.greet()
    text = [{"type": "text", "text": "x"}]
    error = far.ask(method, sessionId="nobody", cwd=far.cwd, mcpServers=[], prompt=text)["error"]
    assert error["code"] == -32002


@pytest.mark.parametrize("initialize", [ABLE, ABLE_TO_RESUME], ids=["load", "resume"])
@pytest.mark.parametrize("method", ["session/load", "session/resume"])
def test_the_history_that_an_agent_sends_is_not_shown_beside_ours(continued, initialize, method):
    far, session, _ = continued(initialize=initialize, method=method, load=OLD, resume=OLD)
    far.prompt(session, "hello")
    replayed = "mine" if method == "session/load" else ""
    assert far.text(session) == replayed + "mine too"
    assert "asked" not in json.dumps(far.updates(session))


def test_a_terminal_login_of_an_agent_is_offered_to_no_client_that_did_not_ask_for_one(place):
    methods = [
        {"id": "tty", "name": "Log in here", "type": "terminal", "args": ["--login"]},
        {"id": "key", "name": "K"},
    ]
    code = {"initialize": f"answers['initialize']['authMethods'] = {methods}", "new": "refuse(-32000, 'Who are you?')"}
    far = place.start(engines={"odd": scripted(**code)})
    assert all(method.get("type") != "terminal" for method in far.greet()["authMethods"])
    error = far.ask("session/new", cwd=far.cwd, mcpServers=[])["error"]
    assert error["code"] == -32000
    assert [method["id"] for method in error["data"]["authMethods"]] == ["key"]


def test_what_does_not_end_with_its_stdin_nor_by_a_signal_is_killed_with_its_children(place, tmp_path):
    fifo = str(tmp_path / "alive")
    os.mkfifo(fifo)
    alive = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    far = place.start(engines={"odd": scripted(prompt=STAY.format(fifo=fifo))}, limits={"close_s": 1})
    far.prompt(far.begin(), "hello")
    with pytest.raises(BlockingIOError):
        os.read(alive, 1)
    assert far.hang_up() == 0
    # Its end is the end of the last process that holds it.
    assert select.select([alive], [], [], BOUND_S)[0]
    assert os.read(alive, 1) == b""
    os.close(alive)


def test_an_agent_that_would_take_itself_for_a_part_of_another_does_not_see_that_one(place):
    code = "answers['session/prompt']['_meta'] = {'env': sorted(name for name in os.environ if 'CLAUDE' in name)}"
    outer = {"CLAUDECODE": "1", "CLAUDE_CODE_ENTRYPOINT": "cli", "CLAUDE_CODE_SSE_PORT": "1", "CLAUDE_CONFIG_DIR": "/x"}
    far = place.start(engines={"claude": scripted(prompt=code)}, **outer)
    assert far.prompt(far.begin(), "hello")["result"]["_meta"]["env"] == ["CLAUDE_CONFIG_DIR"]


def test_extensions_that_clients_and_agents_agreed_on_by_themselves_pass(place):
    steering = {"_meta": {"steering": {"x": [1]}, "claudeCode": {"toolName": "Bash"}}}
    call = {"sessionUpdate": "tool_call", "toolCallId": "c", "title": "t", **steering}
    say = f"say(method='_auth/status_update', params={{'status': 'ok'}}); update(**{call}); "
    code = f"{say}answers['session/prompt']['_meta'] = {{'new': got['session/new'], 'prompt': got['session/prompt']}}"
    far = place.start(engines={"odd": scripted(prompt=code)})
    far.greet()
    session = far.new(**steering)
    text = [{"type": "text", "text": "x", **steering}]
    told = far.ask("session/prompt", sessionId=session, prompt=text, **steering)["result"]["_meta"]
    assert told["new"]["_meta"] == steering["_meta"]
    assert told["prompt"] == {"sessionId": "s", "prompt": text, **steering}
    assert far.asked("_auth/status_update") == [{"status": "ok"}]
    assert call in far.updates(session)
