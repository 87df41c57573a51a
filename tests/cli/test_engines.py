"""Which agent programs a person has, what they say of themselves, and how to log in to one."""

import json
import os
import signal
import stat
import subprocess
import sys

import pytest
import warm

AGENT = """
import json, os, sys
METHODS = json.loads(os.environ["METHODS"])
for line in sys.stdin:
    asked = json.loads(line)
    answer = {"result": {}}
    if asked["method"] == "initialize":
        about = {"name": "fake", "version": "7.5"}
        answer["result"] = {"protocolVersion": 1, "agentInfo": about, "authMethods": METHODS, "agentCapabilities": {
            "loadSession": True, "promptCapabilities": {"image": True}, "auth": {"logout": {}}}}
    elif asked["params"].get("methodId") == "refused":
        answer = {"error": {"code": -32000, "message": "Not you."}}
    elif asked["params"].get("methodId") == "slow":
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}), flush=True)
"""


def method(id_, **more):
    return {"id": id_, "name": id_.title(), **more}


@pytest.fixture
def agent(home, environment, tmp_path):
    """The engine `fake`, whose ways to log in are those methods; `settings` are added to its own."""

    def installed(*methods, **settings):
        (tmp_path / "agent.py").write_text(AGENT)
        settings = {"command": [sys.executable, str(tmp_path / "agent.py")], **settings}
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        table = ["[engines.fake]", *lines, f"env = {{ METHODS = {json.dumps(json.dumps(methods))} }}"]
        (home / "kiro.toml").write_text("\n".join(table))

    return installed


def test_engines_are_listed_with_version_and_day_and_what_they_do_natively(kiro):
    head, *rows = kiro("engines").stdout.splitlines()
    assert head.split("  ")[0] == "engine"
    (codex,) = [row for row in rows if row.startswith("codex ")]
    assert "2026-11-21" in codex
    assert "npm install -g @agentclientprotocol/codex-acp" in codex
    assert codex.endswith("resume subagents systemPrompt title")


def test_one_engine_is_shown_whole_with_the_names_of_its_variables_only(kiro, agent):
    agent(title="Fake")
    shown = kiro("engines", "fake")
    assert "title: Fake\n" in shown.stdout
    assert "METHODS" in shown.stdout
    told = json.loads(kiro("engines", "fake", "--json").stdout)
    assert (told["name"], told["env"], told["origin"]) == ("fake", ["METHODS"], "settings")
    assert json.loads(kiro("engines", "show", "fake", "--json").stdout) == told


def test_one_engine_is_shown_with_the_way_of_each_field_of_an_agent_configuration(kiro):
    shown = kiro("engines", "codex").stdout
    assert "asks: no\n" in shown
    (prompt,) = [line for line in shown.splitlines() if line.startswith("prompt ")]
    assert "applied" in prompt
    (permissions,) = [line for line in shown.splitlines() if line.startswith("permissions ")]
    assert permissions.split(maxsplit=2)[1:] == ["cannot", "Codex does not ask before it uses a tool."]
    told = json.loads(kiro("engines", "kiro", "--json").stdout)["fields"]
    assert {way["way"] for way in told.values()} == {"native"}


def test_an_unknown_engine_is_wrong_usage_with_the_near_miss(kiro):
    told = kiro("engines", "codx")
    assert (told.returncode, told.stdout) == (2, "")
    assert "did you mean 'codex'?" in told.stderr


def test_a_probe_starts_the_program_and_corrects_what_is_known_of_it(kiro, agent, home):
    agent(method("web"))
    before = json.loads(kiro("engines", "fake", "--json").stdout)
    assert (before["version"], before["abilities"]) == ("", [])
    probed = json.loads(kiro("engines", "--probe", "fake", "--json").stdout)
    assert probed["name_of_itself"] == "fake"
    assert probed["corrected"]["version"] == {"was": "", "is": "7.5"}
    after = json.loads(kiro("engines", "fake", "--json").stdout)
    assert (after["version"], after["abilities"]) == ("7.5", ["image", "load", "logout"])
    assert after["logins"] == [method("web")]
    assert stat.S_IMODE((home / "engines.json").stat().st_mode) == 0o600
    again = kiro("engines", "--probe", "fake").stdout
    assert "corrected" not in again
    assert "\norigin: settings, probed here\n" in again


def test_a_probe_of_the_rehearsal_agent_needs_no_settings(kiro):
    assert "name of itself: rehearsal\n" in kiro("engines", "--probe", "rehearsal").stdout


def test_a_probe_of_a_program_that_is_not_installed_says_how_to_get_it(kiro):
    told = kiro("engines", "--probe", "codex")
    assert told.returncode == 1
    assert "npm install -g @agentclientprotocol/codex-acp" in told.stderr


def test_a_probe_of_a_program_that_ends_quotes_its_last_words(kiro, agent):
    agent(command=[sys.executable, "-c", "raise SystemExit('no key')"])
    told = kiro("engines", "--probe", "fake")
    assert told.returncode == 1
    assert "ended with status 1 before it had answered" in told.stderr
    assert "Its last words: no key" in told.stderr


def test_a_probe_of_a_program_that_says_nothing_ends(kiro, agent):
    agent(command=[sys.executable, "-c", "import time; time.sleep(600)"])
    told = kiro("engines", "--probe", "fake", "--set", "limits.start_s=0.2")
    assert told.returncode == 1
    assert "did not answer initialize within 0.2 s" in told.stderr


def test_a_probe_needs_a_name(kiro):
    assert kiro("engines", "--probe").returncode == 2


def test_the_own_login_of_an_engine_gets_the_terminal_and_its_exit_status_is_passed_on(kiro, agent):
    code = "import os, sys; print('who?', input(), os.environ['METHODS']); sys.exit(7)"
    agent(login=["{python}", "-c", code])
    told = kiro("engines", "login", "fake", stdin="me\n")
    assert (told.returncode, told.stdout) == (7, "who? me []\n")
    assert told.stderr.startswith("Runs: ")


def test_what_an_editor_starts_for_a_login_is_the_same(kiro, agent):
    agent(login=["{python}", "-c", "print('logged in')"])
    assert kiro("acp", "--engine", "rehearsal", "--login", "fake").stdout == "logged in\n"


def test_a_signal_reaches_the_login_itself(agent, environment, tmp_path):
    agent(login=["{python}", "-c", "print('begun', flush=True); input()"])
    with warm.start(
        [warm.PROGRAM, "engines", "login", "fake"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=tmp_path,
    ) as started:
        assert started.stdout.readline() == b"begun\n"
        os.kill(started.pid, signal.SIGTERM)
        assert started.wait(30) == -signal.SIGTERM


def test_a_login_whose_command_is_missing_says_so(kiro):
    told = kiro("engines", "login", "kiro")
    assert told.returncode == 1
    assert told.stderr.startswith("kiro-core: Kiro CLI cannot be logged in to: 'kiro-cli' cannot be found.\n")


def test_a_login_over_the_wire_takes_the_only_way_there_is(kiro, agent):
    agent(method("web"), method("tty", type="terminal"))
    told = kiro("engines", "login", "fake")
    assert (told.returncode, told.stdout) == (0, "")
    assert told.stderr.endswith("fake says that you are logged in.\n")


def test_of_several_ways_one_is_chosen(kiro, agent):
    agent(method("web", description="In a browser"), method("refused"))
    told = kiro("engines", "login", "fake")
    assert told.returncode == 2
    assert "  web: In a browser\n  refused: Refused\n" in told.stderr
    assert kiro("engines", "login", "fake", "--method", "web").returncode == 0
    told = kiro("engines", "login", "fake", "--method", "wbe")
    assert told.returncode == 2
    assert "did you mean 'web'?" in told.stderr


def test_a_refused_login_is_a_failure_with_the_reason(kiro, agent):
    agent(method("refused"))
    told = kiro("engines", "login", "fake")
    assert told.returncode == 1
    assert "fake refused the login: Not you." in told.stderr


def test_a_login_that_takes_too_long_ends(kiro, agent):
    agent(method("slow"))
    told = kiro("engines", "login", "fake", "--set", "limits.question_s=0.2")
    assert told.returncode == 1
    assert "did not finish the login within 0.2 s" in told.stderr


def test_an_engine_without_any_way_to_log_in_says_so(kiro, agent):
    agent()
    told = kiro("engines", "login", "fake")
    assert told.returncode == 1
    assert "fake offers no way to log in." in told.stderr


def asked(environment, tmp_path, **capabilities):
    """The authMethods that a client is told."""
    params = {"protocolVersion": 1, "clientCapabilities": capabilities}
    told = subprocess.run(
        [warm.PROGRAM, "acp"],
        input=json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment | {"KIRO_CORE_ENGINE": "fake"},
        cwd=tmp_path,
    )
    return json.loads(told.stdout.splitlines()[0])["result"]["authMethods"]


def test_an_editor_is_told_how_to_log_in_to_the_default_engine(kiro, agent, environment, tmp_path):
    agent(method("web"))
    kiro("engines", "--probe", "fake")
    assert asked(environment, tmp_path) == [method("web")]
    web, ours = asked(environment, tmp_path, auth={"terminal": True})
    assert (web, ours["args"]) == (method("web"), ["--login", "fake"])
    command = ours["_meta"]["terminal-auth"]
    told = subprocess.run(
        [command["command"], *command["args"]], capture_output=True, timeout=60, check=False, env=environment
    )
    assert told.returncode == 0


def test_wrong_settings_leave_the_greeting_without_logins(agent, environment, tmp_path):
    agent(method("web"), command=5)
    assert asked(environment, tmp_path, auth={"terminal": True}) == []
