"""The rehearsal agent does what it is told, as a process that speaks JSON lines."""

import json
import os
import select
import signal
import stat
import subprocess
import sys

import pytest

from kiro_core.rehearsal.directives import DIRECTIVES, describe

LIMIT_S = 20


class Rehearsal:
    """The agent's process and the plainest client there can be."""

    def __init__(self, *arguments):
        command = [sys.executable, "-P", "-m", "kiro_core.rehearsal", *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        self.rest = b""
        self.seen = []
        self.session = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self.process:
            if self.process.returncode is None:
                os.killpg(self.process.pid, signal.SIGKILL)

    def write(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, **message):
        self.write(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def line(self):
        while b"\n" not in self.rest:
            assert select.select([self.process.stdout], [], [], LIMIT_S)[0], "the agent says nothing"
            chunk = os.read(self.process.stdout.fileno(), 65536)
            assert chunk, "the agent has ended"
            self.rest += chunk
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def receive(self):
        """The next message, which is also kept in `seen`."""
        self.seen.append(json.loads(self.line()))
        return self.seen[-1]

    def until(self, wanted):
        """The next message that `wanted` accepts."""
        while not wanted(message := self.receive()):
            pass
        return message

    def answer(self, number):
        return self.until(lambda message: message.get("id") == number and "method" not in message)

    def call(self, method, **params):
        self.send(id=method, method=method, params=params)
        return self.answer(method)

    def begin(self):
        self.session = self.call("session/new", cwd="/", mcpServers=[])["result"]["sessionId"]
        return self

    def prompt(self, text, number="prompt"):
        blocks = [{"type": "text", "text": text}]
        self.send(id=number, method="session/prompt", params={"sessionId": self.session, "prompt": blocks})

    def cancel(self):
        self.send(method="session/cancel", params={"sessionId": self.session})

    def ask(self, text):
        """Prompt, and wait for the answer."""
        self.prompt(text)
        return self.answer("prompt")

    def updates(self, kind):
        found = [m["params"]["update"] for m in self.seen if m.get("method") == "session/update"]
        return [update for update in found if update["sessionUpdate"] == kind]

    def said(self):
        return [update["content"]["text"] for update in self.updates("agent_message_chunk")]

    def end(self):
        """Its exit status, at the end of its stdin."""
        self.process.stdin.close()
        return self.process.wait(LIMIT_S)


@pytest.fixture
def agent():
    with Rehearsal() as agent:
        yield agent.begin()


def test_it_says_what_it_is_and_offers_two_models():
    with Rehearsal() as agent:
        hello = agent.call("initialize", protocolVersion=1)["result"]
        session = agent.call("session/new", cwd="/", mcpServers=[])["result"]
    assert (hello["protocolVersion"], hello["agentInfo"]["name"]) == (1, "rehearsal")
    assert hello["agentCapabilities"]["loadSession"] is False
    assert session["sessionId"] == f"rehearsal-1-{agent.process.pid}"
    assert [option["value"] for option in session["configOptions"][0]["options"]] == ["rehearsal-1", "rehearsal-2"]


def test_a_plain_prompt_is_repeated_word_by_word_before_the_answer(agent):
    result = agent.ask("mind the gap")["result"]
    assert result["stopReason"] == "end_turn"
    assert "".join(agent.said()) == "This is the rehearsal agent, which repeats what it is told: mind the gap"
    assert len(agent.said()) == 14
    assert result["usage"] == {"inputTokens": 3, "outputTokens": 14, "totalTokens": 17}


def test_the_text_of_embedded_resources_and_the_address_of_links_belong_to_the_prompt(agent):
    blocks = [
        {"type": "text", "text": "/echo look"},
        {"type": "resource", "resource": {"uri": "file:///a", "text": "/echo inside"}},
        {"type": "resource_link", "uri": "file:///b", "name": "b"},
    ]
    agent.call("session/prompt", sessionId=agent.session, prompt=blocks)
    assert agent.said()[:2] == ["look", "inside"]
    assert agent.said()[-1] == "file:///b"


def test_two_starts_say_the_same_bytes():
    lines = []
    for _ in range(2):
        with Rehearsal() as agent:
            agent.begin().prompt("/plan\n/tool\n/thought hm\nhello")
            lines.append([agent.line().replace(agent.session.encode(), b"") for _ in range(17)])
    assert lines[0] == lines[1]


def test_directives_run_in_their_order_one_a_line(agent):
    agent.ask("/echo one\n/tool Sweep\nplain\n/plan\n/thought two")
    kinds = [message["params"]["update"]["sessionUpdate"] for message in agent.seen if "params" in message]
    assert kinds[:3] == ["agent_message_chunk", "tool_call", "tool_call_update"]
    assert kinds[-2:] == ["plan", "agent_thought_chunk"]
    assert agent.updates("tool_call")[0]["title"] == "Sweep"
    assert agent.updates("tool_call_update")[0]["status"] == "completed"


def test_help_lists_the_whole_table(agent):
    agent.ask("/help")
    text = "".join(agent.said())
    for name, does in DIRECTIVES.items():
        assert describe(does).startswith(f"`/{name}")
        assert describe(does) in text


@pytest.mark.parametrize(
    ("option", "status"), [("once", "completed"), ("always", "completed"), ("no", "failed"), ("odd", "failed")]
)
def test_a_permission_is_asked_and_its_outcome_told(agent, option, status):
    agent.prompt("/permission Delete all\n/echo done")
    question = agent.until(lambda message: message.get("method") == "session/request_permission")
    kinds = {o["optionId"]: o["kind"] for o in question["params"]["options"]}
    assert sorted(kinds.values()) == ["allow_always", "allow_once", "reject_once"]
    assert question["params"]["toolCall"]["title"] == "Delete all"
    agent.send(id=question["id"], result={"outcome": {"outcome": "selected", "optionId": option}})
    assert agent.answer("prompt")["result"]["stopReason"] == "end_turn"
    assert agent.said() == [f"Permission: {kinds.get(option, 'no usable answer')}. ", "done"]
    assert [update["status"] for update in agent.updates("tool_call_update")] == [status]


@pytest.mark.parametrize("how", ["outcome", "cancel"])
def test_a_cancelled_question_cancels_the_turn(agent, how):
    agent.prompt("/permission\n/echo never")
    question = agent.until(lambda message: message.get("method") == "session/request_permission")
    if how == "outcome":
        agent.send(id=question["id"], result={"outcome": {"outcome": "cancelled"}})
    else:
        agent.cancel()
    assert agent.answer("prompt")["result"]["stopReason"] == "cancelled"
    assert agent.said() == []


def test_cancel_overtakes_a_turn_and_the_session_goes_on(agent):
    agent.prompt("/echo started\n/sleep 1000\n/echo never")
    agent.until(lambda message: message.get("method") == "session/update")
    agent.cancel()
    assert agent.answer("prompt")["result"]["stopReason"] == "cancelled"
    assert agent.ask("/echo again")["result"]["stopReason"] == "end_turn"
    assert agent.said() == ["started", "again"]


def test_a_hanging_turn_ignores_cancel_and_holds_up_no_other_session(agent):
    hanging = agent.session
    agent.prompt("/hang", number="hanging")
    agent.cancel()
    agent.begin()
    assert agent.ask("/echo free")["result"]["stopReason"] == "end_turn"
    agent.session = hanging
    assert agent.ask("/echo second")["error"]["code"] == -32600
    assert all(message.get("id") != "hanging" for message in agent.seen)
    assert agent.end() == 0


def test_a_flood_arrives_whole_and_in_order(agent):
    agent.ask("/flood 1000 40")
    assert [text[:4] for text in agent.said()[9:12]] == ["9 ..", "10 .", "11 ."]
    assert len(agent.said()) == 1000
    assert {len(text) for text in agent.said()} == {40}


def test_a_big_chunk_is_one_line(agent):
    agent.ask("/big 1000000")
    assert [len(text) for text in agent.said()] == [1000000]


def test_a_raw_line_is_written_as_it_is_even_when_it_is_no_text(agent):
    agent.prompt('/raw {"forged": "\udcff"} \n/raw null,"kind":"permission"')
    assert agent.line() == b'{"forged": "\xff"} '
    assert agent.line() == b'null,"kind":"permission"'


def test_a_lone_surrogate_travels_as_it_came(agent):
    agent.ask("/echo \ud83d")
    assert agent.said() == ["\ud83d"]


def test_something_is_said_after_the_turn(agent):
    agent.ask("/say-later 0.05 by the way")
    assert agent.said() == []
    agent.receive()
    assert agent.said() == ["by the way"]


def test_a_turn_ends_with_the_reason_or_the_error_that_was_asked_for(agent):
    assert agent.ask("/stop refusal")["result"]["stopReason"] == "refusal"
    assert agent.ask("/error -32000 log in")["error"] == {"code": -32000, "message": "log in"}


def test_a_directive_says_what_it_cannot_take(agent):
    error = agent.ask("/sleep long")["error"]
    assert error["code"] == -32602
    assert "/sleep SECONDS" in error["message"]


def test_an_environment_variable_is_told(monkeypatch):
    monkeypatch.setenv("KIRO_SESSION_ID", "s-1")
    with Rehearsal() as other:
        other.begin().ask("/env KIRO_SESSION_ID\n/env KIRO_NO_SUCH")
        assert other.said() == ["KIRO_SESSION_ID=s-1 ", "KIRO_NO_SUCH is not set. "]


def test_it_dies_with_the_status_that_it_was_told(agent):
    agent.prompt("/stderr 2\n/die 3")
    assert agent.process.wait(LIMIT_S) == 3
    assert agent.process.stderr.read().decode().splitlines() == [
        "This is line 0 of the rehearsal agent.",
        "This is line 1 of the rehearsal agent.",
        "The rehearsal agent ends in a turn with status 3, as it was told.",
    ]


def test_it_ends_with_its_stdin_and_by_sigterm(agent):
    assert agent.end() == 0
    with Rehearsal() as other:
        other.begin().process.terminate()
        assert other.process.wait(LIMIT_S) == -signal.SIGTERM


def test_told_to_ignore_sigterm_it_also_outlives_its_stdin(agent):
    agent.ask("/ignore-term")
    agent.process.terminate()
    agent.prompt("/say-later 0.05 still here")
    agent.answer("prompt")
    agent.process.stdin.close()
    agent.receive()
    assert agent.said() == ["still here"]


def test_bad_lines_and_unknown_things_are_answered_with_their_numbers(agent):
    def number(line):
        agent.write(line)
        return agent.receive()["error"]["code"]

    assert number(b"{nonsense") == -32700
    assert number(b"\xff") == -32700
    assert number(b"[1]") == -32600
    assert number(b'{"id":1,"method":"no/such"}') == -32601
    assert number(b'{"id":1,"method":"session/load","params":{"sessionId":"x"}}') == -32601
    assert number(b'{"id":1,"method":"session/prompt","params":{"sessionId":"x"}}') == -32002
    assert number(b'{"id":1,"method":"session/prompt","params":[]}') == -32002
    assert number(b'{"id":1,"method":7}') == -32601
    agent.write(b'{"method":"no/such/notification"}\n\n{"method":"session/cancel","params":{"sessionId":[]}}')
    assert agent.ask("/echo alive")["result"]["stopReason"] == "end_turn"


def test_a_model_and_a_mode_can_be_chosen():
    with Rehearsal("--modes", "ask,code") as agent:
        agent.begin()
        assert agent.seen[-1]["result"]["modes"]["currentModeId"] == "ask"
        assert agent.call("session/set_mode", sessionId=agent.session, modeId="code")["result"] == {}
        assert agent.call("session/set_mode", sessionId=agent.session, modeId="x")["error"]["code"] == -32602
        options = {"sessionId": agent.session, "configId": "model"}
        chosen = agent.call("session/set_config_option", **options, value="rehearsal-2")["result"]
        assert chosen["configOptions"][0]["currentValue"] == "rehearsal-2"
        assert agent.call("session/set_config_option", **options, value="x")["error"]["code"] == -32602


def test_without_config_options_none_are_offered_or_taken():
    with Rehearsal("--no-config-options") as agent:
        agent.begin()
        assert "configOptions" not in agent.seen[-1]["result"]
        assert agent.call("session/set_config_option", sessionId=agent.session)["error"]["code"] == -32601


def test_a_closed_session_ends_its_turn_and_is_forgotten(agent):
    agent.prompt("/sleep 1000")
    agent.send(id="close", method="session/close", params={"sessionId": agent.session})
    answers = {message["id"]: message["result"] for message in (agent.receive(), agent.receive())}
    assert answers["close"] == {}
    assert answers["prompt"]["stopReason"] == "cancelled"
    assert agent.ask("hello")["error"]["code"] == -32002


def test_a_slow_start_holds_up_nothing_else():
    with Rehearsal("--start-delay", "1000") as agent:
        agent.send(id="slow", method="session/new", params={})
        assert "result" in agent.call("initialize")
        assert agent.end() == 0


def test_it_hangs_at_the_request_that_it_was_told():
    with Rehearsal("--hang-at", "session/new") as agent:
        agent.send(id="hanging", method="session/new", params={})
        assert "result" in agent.call("initialize")
        assert [message["id"] for message in agent.seen] == ["initialize"]
        assert agent.end() == 0


def test_it_dies_at_the_request_that_it_was_told():
    with Rehearsal("--die-at", "initialize", "7") as agent:
        agent.send(id=0, method="initialize", params={})
        _, stderr = agent.process.communicate(timeout=LIMIT_S)
        assert agent.process.returncode == 7
        assert b"at initialize with status 7" in stderr


def test_the_state_of_mcp_servers_is_told_before_the_session_is_there():
    with Rehearsal("--mcp", "docs=initialized", "--mcp", "web=failed", "--mcp", "slow=late") as agent:
        agent.begin()
    told = [(message["method"], message["params"]["serverName"]) for message in agent.seen[:-1]]
    assert told == [("_kiro.dev/mcp/server_initialized", "docs"), ("_kiro.dev/mcp/server_init_failure", "web")]
    assert agent.seen[1]["params"]["sessionId"] == agent.session
    assert agent.seen[1]["params"]["error"]


@pytest.mark.parametrize("arguments", [["--mcp", "docs=odd"], ["--die-at", "initialize", "x"], ["--die-at", "x", "1"]])
def test_a_wrong_option_is_refused_with_status_2(arguments):
    with Rehearsal(*arguments) as agent:
        _, stderr = agent.process.communicate(timeout=LIMIT_S)
        assert agent.process.returncode == 2
        assert arguments[0] in stderr.decode()


def test_its_help_has_an_example():
    with Rehearsal("--help") as agent:
        stdout, _ = agent.process.communicate(timeout=LIMIT_S)
    assert b"example:" in stdout


def test_with_a_memory_another_process_loads_the_conversation(tmp_path):
    folder = tmp_path / "memory"
    with Rehearsal("--memory", str(folder)) as first:
        first.begin().ask("/echo one\n/tool")
        first.call("session/set_config_option", sessionId=first.session, configId="model", value="rehearsal-2")
        assert first.end() == 0
    with Rehearsal("--memory", str(folder)) as second:
        abilities = second.call("initialize")["result"]["agentCapabilities"]
        assert abilities["loadSession"] is True
        assert "resume" in abilities["sessionCapabilities"]
        second.session = first.session
        loaded = second.call("session/load", sessionId=first.session, cwd="/", mcpServers=[])["result"]
        assert loaded["configOptions"][0]["currentValue"] == "rehearsal-2"
        assert [update["content"]["text"] for update in second.updates("user_message_chunk")] == ["/echo one\n/tool"]
        assert second.said() == ["one"]
        second.ask("/tool")
        calls = [update["toolCallId"] for update in second.updates("tool_call")]
        assert len(set(calls)) == 2
        before = len(second.seen)
        assert "result" in second.call("session/resume", sessionId=first.session)
        assert len(second.seen) == before + 1
        assert second.call("session/load", sessionId="../../etc/passwd")["error"]["code"] == -32002
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())] == [0o700, 0o600]


def test_a_child_stays_in_its_group_and_is_named_on_stderr():
    with Rehearsal("--spawn-child") as agent:
        agent.begin()
        word, pid = agent.process.stderr.readline().split()
        assert word == b"child"
        assert os.getpgid(int(pid)) == agent.process.pid


def test_it_imports_nothing_but_the_standard_library():
    program = (
        "import sys; before = set(sys.modules); import kiro_core.rehearsal.__main__, kiro_core.rehearsal.memory;"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(tops - sys.stdlib_module_names))"
    )
    found = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, check=True, timeout=LIMIT_S)
    assert found.stdout.strip() == b"['kiro_core']"
