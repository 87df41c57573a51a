"""What an MCP host starts: it speaks nothing but the protocol on stdout, and leaves nothing behind however it ends."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
import warm

from kiro_core.cli.mcp.aliases import OTHER, PREFIX, SAME

WITHOUT_SDK = "import sys; sys.modules['mcp'] = None; from kiro_core.cli import main; main()"
OPENING = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "host", "version": "1"}}


class Host:
    """The program that started the command, with one request at a time unless it only sends."""

    def __init__(self, cwd, environment, *arguments):
        pipe = subprocess.PIPE
        command = [warm.PROGRAM, "mcp", "serve", *arguments]
        self.process = warm.start(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=cwd, env=environment)
        self._count = 0
        self._read = b""

    def open(self):
        """The handshake; what the server says of itself."""
        told = self.ask("initialize", **OPENING)["result"]
        self.write(method="notifications/initialized")
        return told

    def write(self, **message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def send(self, method, **params):
        """Its id."""
        self._count += 1
        self.write(id=self._count, method=method, params=params)
        return self._count

    def read(self):
        while b"\n" not in self._read:
            self._read += _some(self.process.stdout)
        line, _, self._read = self._read.partition(b"\n")
        return json.loads(line)

    def ask(self, method, **params):
        self.send(method, **params)
        while (message := self.read()).get("id") != self._count:
            pass
        return message

    def call(self, tool, **arguments):
        """What a tool returns, or the error that it is."""
        return self.ask("tools/call", name=tool, arguments=arguments)["result"]["structuredContent"]

    def working(self):
        """A session in which a turn has begun that never ends."""
        session = self.call("kiro_session_create")["id"]
        task = self.call("kiro_chat_async", message="/echo at work\n/sleep 600", session_id=session)["task_id"]
        assert self.call("kiro_task_status", task_id=task, wait_s=30)["new_content"] == "at work"
        return session

    def ended(self):
        """Its exit code, and what it still had to say on stdout and stderr."""
        if self.process.stdin.closed:
            self.process.stdin = None
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, [json.loads(line) for line in (self._read + out).splitlines()], err.decode()

    def told(self):
        """The next line of stderr."""
        line = b""
        while not line.endswith(b"\n"):
            line += _some(self.process.stderr, 1)
        return line.decode().strip()


def _some(stream, most=65536):
    ready, _, _ = select.select([stream], [], [], 30)
    assert ready, "nothing came in time"
    chunk = os.read(stream.fileno(), most)
    assert chunk, "it has ended"
    return chunk


@pytest.fixture
def host(environment, tmp_path):
    started = []

    def start(*arguments, **variables):
        started.append(Host(tmp_path, environment | variables, *arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def test_a_host_chats_and_its_leaving_is_the_end(host):
    one = host("--engine", "mem")
    assert one.open()["serverInfo"]["name"] == "kiro-core"
    answer = one.call("kiro_chat", message="/echo Hello")
    assert (answer["content"], answer["is_complete"]) == ("Hello", True)
    one.process.stdin.close()
    assert one.ended() == (0, [], "")


@pytest.mark.parametrize(
    ("number", "code"), [(None, 0), (signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_at_its_end_every_session_has_ended_and_is_free(host, kiro, number, code):
    one = host("--engine", "mem")
    one.open()
    sessions = [one.working(), one.working()]
    in_flight = one.send("tools/call", name="kiro_chat", arguments={"message": "/sleep 600", "session_id": sessions[0]})
    one.ask("ping")
    if number is None:
        one.process.stdin.close()
    else:
        one.process.send_signal(number)
    returned, said, err = one.ended()
    assert (returned, err) == (code, "")
    assert [answer["id"] for answer in said if "error" in answer] == [in_flight]
    for session in sessions:
        again = kiro("run", "--session", session, "/echo back")
        assert (again.returncode, again.stdout) == (0, "back\n")


def test_the_command_line_says_what_sessions_get_and_which_tools_there_are(host, home, tmp_path):
    (home / "agents").mkdir()
    (home / "agents" / "polite.json").write_text(json.dumps({"name": "polite", "prompt": "Say please."}))
    (tmp_path / "elsewhere").mkdir()
    one = host("--tools", "core", "--cwd", "elsewhere", "--engine", "rehearsal", "--agent", "polite")
    one.open()
    assert len(one.ask("tools/list")["result"]["tools"]) == 8
    session = one.call("kiro_session_create")
    assert (session["agent"], session["engine"]) == ("polite", "rehearsal")
    assert session["working_directory"] == str(tmp_path / "elsewhere")


class Remote:
    """A host over HTTP, with a token or without."""

    def __init__(self, url, token=""):
        self._url = url
        self._headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def open(self):
        """The handshake; what the server says of itself."""
        told = self._post(id=0, method="initialize", params=OPENING)
        self._post(method="notifications/initialized")
        return told

    def call(self, tool, **arguments):
        """What a tool returns."""
        return self._post(id=1, method="tools/call", params={"name": tool, "arguments": arguments})["structuredContent"]

    def _post(self, **message):
        request = urllib.request.Request(self._url, json.dumps({"jsonrpc": "2.0", **message}).encode(), self._headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            if connection := answer.headers.get("Mcp-Session-Id"):
                self._headers["Mcp-Session-Id"] = connection
            events = [line.removeprefix("data: ") for line in answer.read().decode().splitlines()]
        return next((json.loads(event)["result"] for event in events if '"result"' in event), None)


def test_over_http_it_tells_where_it_is_and_where_the_token_is_and_never_the_token(host, home):
    one = host("--http", "--port", "0", "--engine", "rehearsal")
    url = re.search(r"http://127\.0\.0\.1:\d+/mcp$", one.told())[0]
    assert one.told().endswith(str(home / "mcp-token"))
    token = (home / "mcp-token").read_text().strip()
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        Remote(url).open()
    refused.value.close()
    assert Remote(url, token).open()["serverInfo"]["name"] == "kiro-core"
    one.process.terminate()
    code, out, err = one.ended()
    assert (code, out, err) == (0, [], "")


@pytest.mark.parametrize("over", ["stdio", "http"])
def test_nothing_that_is_said_is_logged_however_much_is(host, home, over):
    one = host("-vv", "--engine", "rehearsal", *(["--http", "--port", "0"] if over == "http" else []))
    client, log = one, []
    if over == "http":
        while not (log and "mcp-token" in log[-1]):
            log.append(one.told())
        client = Remote(re.search(r"http://\S+/mcp", "\n".join(log))[0], (home / "mcp-token").read_text().strip())
    client.open()
    answer = client.call("kiro_chat", message="/echo pineapple")
    assert answer["content"] == "pineapple"
    one.process.terminate()
    assert "pineapple" not in one.ended()[2]


def test_with_a_desk_that_is_served_sessions_are_there_and_outlive_the_host(host, kiro, environment, tmp_path):
    command = [warm.PROGRAM, "serve", "--engine", "mem"]
    desk = warm.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment)
    try:
        _some(desk.stdout)
        one = host(KIRO_MCP_DEFAULT_AGENT="nobody")
        one.open()
        session = one.call("kiro_session_create")["id"]
        one.process.stdin.close()
        code, _, err = one.ended()
        assert (code, "nobody" in err) == (0, False), "what new sessions get is for that desk to say"
        status = json.loads(kiro("serve", "status", "--json").stdout)
        assert [live["sessionId"] for live in status["sessions"]] == [session]
    finally:
        desk.terminate()
        desk.communicate(timeout=30)


MANY = "KIRO_MCP_MAX_SESSIONS"


def test_a_variable_of_kiro_cli_mcp_counts_and_its_mistake_names_it(host, kiro):
    one = host("--engine", "rehearsal", **{MANY: "1"})
    one.open()
    assert one.call("kiro_session_create")["id"]
    assert one.call("kiro_session_create")["code"] == "SESSION_LIMIT_REACHED"
    told = kiro("mcp", "serve", **{MANY: "many"})
    assert (told.returncode, told.stdout) == (2, "")
    assert "max_sessions should be a valid integer" in told.stderr
    assert f"(environment variable {MANY})" in told.stderr


def test_any_real_setting_goes_before_it(kiro, home):
    assert kiro("mcp", "serve", "--set", "mcp.max_sessions=3", **{MANY: "many"}).returncode == 0
    assert kiro("mcp", "serve", KIRO_CORE_MCP__MAX_SESSIONS="3", **{MANY: "many"}).returncode == 0
    with (home / "kiro.toml").open("a") as settings:
        settings.write("[mcp]\nmax_sessions = 3\n")
    assert kiro("mcp", "serve", **{MANY: "many"}).returncode == 0
    assert kiro("mcp", "serve", **{MANY: ""}).returncode == 0


def test_the_program_that_it_names_is_the_engine_kiro(host, tmp_path):
    program = tmp_path / "my kiro"
    program.write_text(f'#!/bin/sh\n[ "$*" = acp ] && exec {sys.executable} -P -m kiro_core.rehearsal --like kiro\n')
    program.chmod(0o700)
    one = host(KIRO_MCP_CLI_PATH=str(program), KIRO_MCP_WORKING_DIRECTORY=str(tmp_path))
    one.open()
    session = one.call("kiro_session_create")
    assert (session["engine"], session["working_directory"]) == ("kiro", str(tmp_path))


def test_a_program_that_is_not_there_is_told_and_no_other_engine_is_taken(host):
    one = host(KIRO_MCP_CLI_PATH="/nowhere/kiro-cli")
    one.open()
    failure = one.call("kiro_session_create")
    assert failure["code"] == "KIRO_CLI_NOT_FOUND"
    assert "/nowhere/kiro-cli" in failure["message"]
    one.process.stdin.close()
    code, _, err = one.ended()
    assert (code, "/nowhere/kiro-cli" in err) == (0, True)


def test_an_agent_that_no_session_could_get_is_told_at_the_start(kiro, tmp_path):
    agents = tmp_path / ".kiro" / "agents"
    agents.mkdir(parents=True)
    (agents / "rev.json").write_text('{"name": "rev", "hooks": {"agentSpawn": [{"command": "true"}]}}')
    for name, sentence in (("nope", "No agent configuration is called 'nope'"), ("rev", "is not trusted")):
        told = kiro("mcp", "serve", "--engine", "mem", "--agent", name)
        assert (told.returncode, told.stdout) == (4, "")
        assert sentence in told.stderr
        told = kiro("mcp", "serve", "--engine", "mem", KIRO_MCP_DEFAULT_AGENT=name)
        assert (told.returncode, told.stdout) == (0, "")
        assert sentence in told.stderr
        assert "(environment variable KIRO_MCP_DEFAULT_AGENT)" in told.stderr
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    told = kiro("mcp", "serve", "--engine", "mem", "--cwd", str(elsewhere), "--agent", "rev")
    assert "No agent configuration is called 'rev'" in told.stderr


def test_an_agent_that_the_engine_may_know_by_itself_is_not_refused(kiro, tmp_path):
    engine = f"engines.kiro.command=['{sys.executable}', '-P', '-m', 'kiro_core.rehearsal', '--like', 'kiro']"
    told = kiro("mcp", "serve", "--set", engine, "--engine", "kiro", "--agent", "of-its-own")
    assert (told.returncode, told.stderr) == (0, "")


def test_every_other_variable_is_told_to_have_no_effect_and_what_there_is_instead(kiro):
    told = kiro("mcp", "serve", **{f"{PREFIX}{name}": "1" for name in [*OTHER, "TURBO"]})
    assert (told.returncode, told.stdout) == (0, "")
    lines = dict(
        re.fullmatch(r"kiro-core: (\w+) has no effect: (.+)", line).groups() for line in told.stderr.splitlines()
    )
    assert lines == {f"{PREFIX}{name}": text for name, text in OTHER.items()} | {
        "KIRO_MCP_TURBO": "no setting is known by that name."
    }


def test_none_of_its_variables_is_forgotten():
    known = """CLI_PATH COMMAND_TIMEOUT MAX_SESSIONS SESSION_TIMEOUT CLEANUP_INTERVAL WORKING_DIRECTORY LOG_LEVEL
        DEFAULT_MODEL DEFAULT_AGENT LOG_RESPONSE POOL_ENABLED POOL_SIZE POOL_IDLE_TIME POOL_MAX_USES MAX_ASYNC_TASKS
        TASK_TTL PROMPT_MATCHING_ENABLED PROMPTS_DIR"""
    assert {*SAME, *OTHER} == set(known.split())


def test_mistakes_are_a_sentence_on_stderr(kiro):
    for arguments, sentence in (
        (["--port", "1"], "--host and --port are for --http."),
        (["--set", "mcp.chat_wait=9"], "Transport 'mcp': there is no key 'chat_wait' (argument --set); did you mean"),
        (["--set", "mcp=acpp"], "No transport is called 'acpp'"),
        (["--engine", "nope"], "No engine is called 'nope'"),
        (["--config", "none.toml"], "The settings file none.toml (argument --config) does not exist."),
    ):
        told = kiro("mcp", "serve", *arguments)
        assert (told.returncode, told.stdout) == (2, "")
        assert sentence in told.stderr


def test_without_the_sdk_the_command_that_installs_it_is_told(environment, tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_SDK, "mcp", "serve"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.splitlines() == [
        "kiro-core: MCP hosts cannot be served, since the SDK of MCP is not installed.",
        "Install it: pip install 'kiro-core[mcp]'",
    ]
