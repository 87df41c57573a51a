"""Which MCP servers a session gets, whether one starts, and what became of those of a session."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from kiro_core.processes import start_token

SERVER = str(Path(__file__).parents[1] / "mcp" / "mini_server.py")
PROGRAM = Path(sys.executable).with_name("kiro-core")


def local(*arguments, **more):
    return {"command": sys.executable, "args": [SERVER, *arguments], **more}


@pytest.fixture
def user(home, environment):
    """Write the user's own `mcp.json`."""

    def write(**servers):
        path = home / "settings" / "mcp.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"mcpServers": servers}))
        return str(path)

    return write


@pytest.fixture
def workspace(tmp_path):
    """Write the `mcp.json` of the test's folder."""

    def write(**servers):
        path = tmp_path / ".kiro" / "settings" / "mcp.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"mcpServers": servers}))
        return str(path)

    return write


def rows(told):
    return [line.split() for line in told.stdout.splitlines()[1:]]


# mcp list


def test_servers_are_listed_with_their_origin_and_those_left_out_with_the_reason(kiro, user, workspace):
    mine = user(a=local(timeout=5), off={"disabled": True}, bad={"url": "http://example.com"})
    theirs = workspace(a=local(), w=local())
    told = kiro("mcp", "list")
    assert told.returncode == 0
    head, used, *others = told.stdout.splitlines()
    assert head.split() == ["server", "kind", "state", "origin", "about"]
    assert used.split()[:4] == ["a", "stdio", "used", mine]
    assert used.endswith("not told to agents: timeout")
    states = {line.split()[0]: line.split()[1] for line in others}
    assert states == {"a": "untrusted", "w": "untrusted", "off": "disabled", "bad": "invalid"}
    assert f"problem: {mine}: mcpServers.bad.url: begins with http://" in told.stderr
    assert f"Nobody has agreed to {theirs}: kiro-core trust " in told.stderr


def test_as_json_there_are_names_of_variables_and_headers_and_no_values(kiro, user):
    web = {"url": "https://x/mcp?key=S3CRET", "headers": {"Authorization": "S3CRET"}, "autoApprove": ["*"]}
    mine = user(a=local(env={"TOKEN": "S3CRET"}, disabledTools=["t"]), web=web)
    told = kiro("mcp", "list", "--json")
    assert "S3CRET" not in told.stdout
    a, b = json.loads(told.stdout)["servers"]
    about = {"name": "a", "kind": "stdio", "origin": mine, "command": sys.executable, "env": ["TOKEN"]}
    assert a == {**about, "disabledTools": ["t"], "autoApprove": [], "untold": []}
    assert (b["url"], b["headers"], b["autoApprove"]) == ("https://x/mcp", ["Authorization"], ["*"])


def test_an_agent_has_servers_of_its_own(kiro, user, home):
    user(u=local())
    (home / "agents").mkdir()
    agent = {"name": "review", "mcpServers": {"own": local()}}
    (home / "agents" / "review.json").write_text(json.dumps(agent))
    assert [row[0] for row in rows(kiro("mcp", "list"))] == ["u"]
    assert [row[0] for row in rows(kiro("mcp", "list", "--agent", "review"))] == ["own"]
    told = kiro("mcp", "list", "--agent", "revew")
    assert told.returncode == 4
    assert "did you mean 'review'?" in told.stderr


def test_a_registry_that_cannot_be_read_leaves_no_server_and_says_so(kiro, user, tmp_path):
    user(a=local())
    told = kiro("mcp", "list", "--set", f"mcp_registry={tmp_path}/none.json")
    assert rows(told)[0][:2] == ["a", "unlisted"]
    assert "without it no MCP server may be used" in told.stderr


# mcp test


def test_a_server_is_started_asked_for_its_tools_and_ended(kiro, user):
    mine = user(mini=local("noisy"))
    told = kiro("mcp", "test", "mini")
    assert (told.returncode, told.stderr) == (0, "")
    about, _, *tools = told.stdout.splitlines()
    assert about.startswith("mini: mini 1.2, MCP 2025-")
    assert about.endswith(f", from {mine}")
    assert [line.split()[0] for line in tools] == ["echo", "fail"]
    found = json.loads(kiro("mcp", "test", "mini", "--json").stdout)
    assert (found["server"], found["name"], found["version"], found["origin"]) == ("mini", "mini", "1.2", mine)
    assert [tool["name"] for tool in found["tools"]] == ["echo", "fail"]


def test_a_listing_of_tools_without_an_end_is_cut(kiro, user):
    user(mini=local("endless"))
    assert len(json.loads(kiro("mcp", "test", "mini", "--json").stdout)["tools"]) == 2


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        (local("exit"), "ended with status 1.\nIts last words: There is no key.\n"),
        ({"command": "/not/there"}, "does not start: There is no program '/not/there'.\nIt is named in "),
        (local("refuse=tools/list"), "could not be asked: Not here.\n"),
        ({"url": "http://127.0.0.1:9/mcp?key=S3CRET"}, "could not be asked: "),
        ({"url": "http://127.0.0.1:9/sse?key=S3CRET", "type": "sse"}, "could not be asked: "),
        ({"disabled": True}, "is left out: it is disabled.\n"),
    ],
)
def test_a_server_that_does_not_start_is_exit_code_3_with_the_reason(kiro, user, server, sentence):
    user(mini=server)
    told = kiro("mcp", "test", "mini")
    assert (told.returncode, told.stdout) == (3, "")
    assert f"kiro-core: The MCP server 'mini' {sentence}" in told.stderr
    assert "S3CRET" not in told.stderr


def test_a_name_that_nobody_has_is_exit_code_3_with_the_near_miss(kiro, user):
    user(mini=local())
    told = kiro("mcp", "test", "mimi")
    assert told.returncode == 3
    assert "did you mean 'mini'?" in told.stderr


def test_a_server_ends_with_all_that_it_started(kiro, user):
    user(mini=local("child", "refuse=tools/list"))
    told = kiro("mcp", "test", "mini")
    assert told.returncode == 3
    child = int(told.stderr.rpartition("child ")[2].split()[0])
    assert start_token(child) == ""


def test_a_silent_server_is_not_waited_for(kiro, user):
    user(mini={"command": "/bin/sleep", "args": ["600"]})
    told = kiro("mcp", "test", "mini", "--set", "limits.start_s=0.2")
    assert told.returncode == 3
    assert "has not listed its tools within 0.2 s" in told.stderr


HTTP = """
import sys
from mcp.server import MCPServer
server = MCPServer("web")
@server.tool()
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b
server.run(transport=sys.argv[1], port=int(sys.argv[2]), host="127.0.0.1")
"""


@contextlib.contextmanager
def served(transport, port):
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", HTTP, transport, str(port)], stderr=subprocess.PIPE, text=True
    )
    try:
        for line in process.stderr:
            if "running on" in line:
                break
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("transport", "path"), [("streamable-http", "mcp"), ("sse", "sse")])
def test_a_server_with_an_address_is_asked_for_its_tools(kiro, user, free_port, transport, path):
    user(web={"type": transport, "url": f"http://127.0.0.1:{free_port}/{path}"})
    with served(transport, free_port):
        found = json.loads(kiro("mcp", "test", "web", "--json").stdout)
    assert (found["name"], [tool["name"] for tool in found["tools"]]) == ("web", ["add"])


@pytest.fixture
def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_without_the_sdk_a_test_says_how_to_install_it(environment, user, tmp_path):
    user(mini=local())
    without = "import sys; sys.modules['mcp'] = None; from kiro_core.cli import main; main()"
    told = subprocess.run(
        [sys.executable, "-P", "-c", without, "mcp", "test", "mini"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 3
    assert "pip install 'kiro-core[mcp]'" in told.stderr
    assert "Traceback" not in told.stderr


# run --require-mcp-startup


def test_a_run_with_servers_that_start_has_its_turn(kiro, user):
    user(mini=local(), other=local("exit"))
    told = kiro("run", "--engine", "mem", "--require-mcp-startup", "mini", "/echo done")
    assert (told.returncode, told.stdout) == (0, "done\n")


@pytest.mark.parametrize("name", ["dead", "*"])
def test_a_run_fails_before_its_turn_when_a_required_server_does_not_start(kiro, user, tmp_path, name):
    user(mini=local(), dead=local("exit"))
    told = kiro("run", "--engine", "mem", "--require-mcp-startup", name, f"/write {tmp_path}/x y")
    assert (told.returncode, told.stdout) == (3, "")
    assert "The MCP server 'dead' ended with status 1." in told.stderr
    session = json.loads(kiro("sessions", "list", "--json").stdout)[0]
    assert session["spoken"] is False


def test_a_run_fails_when_the_session_gets_no_server_of_the_name(kiro, user):
    user(mini=local(disabled=True))
    for name, reason in (("mini", "is left out: it is disabled"), ("none", "No MCP server is called 'none'")):
        told = kiro("run", "--engine", "mem", "--require-mcp-startup", name, "Hello")
        assert told.returncode == 3
        assert reason in told.stderr


@pytest.mark.parametrize(("state", "code"), [("failed", 3), ("initialized", 0)])
def test_of_an_engine_that_reports_its_servers_the_report_counts(kiro, user, home, state, code):
    user(dead=local("exit"))
    reporting = [sys.executable, "-P", "-m", "kiro_core.rehearsal", "--like", "kiro", "--mcp", f"dead={state}"]
    settings = ["[engines.kiroish]", f"command = {json.dumps(reporting)}", "reports_mcp = true"]
    (home / "kiro.toml").write_text("\n".join(settings))
    told = kiro("run", "--engine", "kiroish", "--require-mcp-startup", "dead", "/echo done")
    assert told.returncode == code
    assert ("The MCP server 'dead' did not start" in told.stderr) is (code == 3)


# mcp status


def test_the_record_tells_what_became_of_the_servers_of_a_session(kiro, home):
    reporting = [sys.executable, "-P", "-m", "kiro_core.rehearsal", "--like", "kiro", "--mcp", "a=failed"]
    settings = ["[engines.kiroish]", f"command = {json.dumps([*reporting, '--mcp', 'b=initialized'])}"]
    (home / "kiro.toml").write_text("\n".join([*settings, "reports_mcp = true"]))
    assert kiro("run", "--engine", "kiroish", "/echo done").returncode == 0
    states = json.loads(kiro("mcp", "status", "--json").stdout)
    reason = "The rehearsal agent was told to report a failure."
    assert {one["name"]: (one["state"], one["reason"]) for one in states} == {
        "a": ("failed", reason),
        "b": ("started", ""),
    }
    session = json.loads(kiro("sessions", "list", "--json").stdout)[0]["id"]
    head, *_ = kiro("mcp", "status", session[:8]).stdout.splitlines()
    assert head.split() == ["server", "state", "reason"]


def test_where_there_is_no_session_a_status_says_so(kiro):
    told = kiro("mcp", "status")
    assert told.returncode == 1
    assert "There is no session yet in " in told.stderr
