"""What a folder asks for is shown before anything of it runs, and a person's answer is remembered."""

import json
import os

import pytest

HOOKS = {"agentSpawn": [{"command": "touch witness"}]}
RUN = ("run", "--engine", "mem", "--agent", "review", "Hello")
QUESTION = "Trust it? [y/N] "


@pytest.fixture
def environment(environment):
    return environment | {"TERM": "xterm"}


@pytest.fixture
def write(tmp_path):
    """Write a configuration of the folder; its path."""

    def written(name="review", **fields):
        path = tmp_path / ".kiro" / "agents" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"name": name, **fields}))
        return path

    return written


@pytest.fixture
def servers(tmp_path):
    path = tmp_path / ".kiro" / "settings" / "mcp.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"mcpServers": {"git": {"command": "git-mcp", "env": {"TOKEN": "secret"}}}}))
    return path


@pytest.fixture
def recorded(home, tmp_path):
    """The names of the files of the folder that are trusted."""

    def names():
        path = home / "trust.json"
        folders = json.loads(path.read_text())["folders"] if path.exists() else {}
        return sorted(os.path.basename(origin) for origin in folders.get(str(tmp_path.resolve()), {}))  # noqa: PTH119

    return names


def test_a_yes_at_the_terminal_is_remembered(terminal, write, servers, recorded, tmp_path):
    write(hooks=HOOKS)
    screen = terminal("trust")
    screen.expect(QUESTION)
    asked = screen.shown.replace("\r\n", "\n")
    assert f"{tmp_path.resolve()} asks for what only a trusted folder may:\n" in asked
    assert ".kiro/agents/review.json\n- trigger agentSpawn: touch witness\n" in asked
    assert ".kiro/settings/mcp.json\n- MCP server git: git-mcp (with TOKEN)\n" in asked
    screen.type("y\n")
    assert screen.ended() == 0
    assert recorded() == ["mcp.json", "review.json"]
    assert not (tmp_path / "witness").exists()


@pytest.mark.parametrize("answer", ["n\n", "\n", "x\n", "\x04"])
def test_anything_but_a_yes_trusts_nothing(terminal, write, recorded, answer):
    write(hooks=HOOKS)
    screen = terminal("trust")
    screen.expect(QUESTION)
    screen.type(answer)
    assert screen.ended() == 5
    assert "Nothing was trusted." in screen.shown
    assert recorded() == []


def test_where_nobody_can_be_asked_it_has_to_be_said(kiro, write, recorded):
    write(hooks=HOOKS)
    refused = kiro("trust")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "say --yes to trust it without a question" in refused.stderr
    assert recorded() == []
    done = kiro("trust", "--yes")
    assert done.returncode == 0
    assert "- trigger agentSpawn: touch witness\n" in done.stdout
    assert recorded() == ["review.json"]


def test_only_what_is_new_is_shown_again(kiro, write, tmp_path):
    write(hooks=HOOKS)
    kiro("trust", "--yes")
    assert kiro("trust").stderr == f"{tmp_path}: all that it asks for is trusted.\n"
    write("other", allowedTools=["shell"])
    done = kiro("trust", "--yes")
    assert "- tool shell without asking\n" in done.stdout
    assert "review.json" not in done.stdout


def test_a_folder_that_asks_for_nothing_needs_no_answer(kiro, write, tmp_path, recorded):
    write(prompt="Be kind.")
    assert kiro("trust").stderr == f"{tmp_path}: nothing in it needs to be trusted.\n"
    assert recorded() == []


def test_programs_see_all_of_it_and_agree_by_an_option_alone(kiro, write, recorded, tmp_path):
    path = write(hooks=HOOKS)
    told = json.loads(kiro("trust", "--json").stdout)
    (document,) = told["documents"]
    assert (told["folder"], told["problem"], document["origin"]) == (str(tmp_path.resolve()), "", str(path))
    assert (document["starts"], document["trusted"]) == (["trigger agentSpawn: touch witness"], False)
    assert recorded() == []
    told = json.loads(kiro("trust", "--json", "--yes").stdout)
    assert told["documents"][0]["trusted"]
    listed = json.loads(kiro("trust", "--list", "--json").stdout)["folders"]
    assert listed == {str(tmp_path.resolve()): {str(path.resolve()): document["digest"]}}


def test_what_is_trusted_can_be_listed_and_withdrawn_also_of_a_folder_that_is_gone(kiro, write, tmp_path, recorded):
    path = write(hooks=HOOKS)
    kiro("trust", str(tmp_path), "--yes")
    head, row = kiro("trust", "--list").stdout.splitlines()
    assert (head.split(), row.split()) == (["folder", "document"], [str(tmp_path.resolve()), str(path.resolve())])
    assert kiro("trust", "--withdraw").stderr == f"{tmp_path}: trusted no more.\n"
    assert kiro("trust", "--withdraw").stderr == f"{tmp_path}: was not trusted.\n"
    assert json.loads(kiro("trust", "--withdraw", "--json").stdout)["withdrawn"] is False
    assert recorded() == []
    gone = kiro("trust", str(tmp_path / "gone"), "--withdraw")
    assert (gone.returncode, gone.stderr) == (0, f"{tmp_path / 'gone'}: was not trusted.\n")


def test_wrong_usage_is_refused(kiro, tmp_path):
    assert kiro("trust", "--yes", "--withdraw").returncode == 2
    missing = kiro("trust", str(tmp_path / "gone"))
    assert missing.returncode == 2
    assert f"There is no folder {tmp_path / 'gone'}." in missing.stderr


def test_a_damaged_file_is_told_and_not_overwritten(kiro, write, home):
    write(hooks=HOOKS)
    (home / "trust.json").write_text("{")
    done = kiro("trust", "--yes")
    assert done.returncode == 1
    assert "until it is mended, no folder is trusted" in done.stderr
    assert "or delete it and trust again what you need" in done.stderr
    assert (home / "trust.json").read_text() == "{"
    assert "until it is mended" in kiro("trust", "--list").stderr
    assert "until it is mended" in json.loads(kiro("trust", "--json").stdout)["problem"]


# Before a conversation.


def test_run_asks_before_the_session_begins_and_only_once(terminal, write, recorded):
    write(hooks=HOOKS)
    screen = terminal(*RUN)
    screen.expect(QUESTION)
    assert "- trigger agentSpawn: touch witness\r\n" in screen.shown
    assert "Hello" not in screen.shown
    screen.type("yes\n")
    screen.expect("Hello")
    assert screen.ended() == 0
    assert recorded() == ["review.json"]
    again = terminal(*RUN)
    again.expect("Hello")
    assert again.ended() == 0
    assert "Trust it?" not in again.shown


def test_run_asks_for_the_servers_of_the_folder_too(terminal, servers, recorded):
    screen = terminal("run", "--engine", "mem", "Hello")
    screen.expect(QUESTION)
    assert "- MCP server git: git-mcp (with TOKEN)\r\n" in screen.shown
    screen.type("y\n")
    assert screen.ended() == 0
    assert recorded() == ["mcp.json"]


def test_run_asks_only_for_what_it_would_use(terminal, write, servers, recorded):
    write("other", hooks=HOOKS)
    write(prompt="Be kind.")
    screen = terminal(*RUN)
    assert screen.ended() == 0
    assert "Trust it?" not in screen.shown
    assert recorded() == []


def test_an_empty_line_is_no_consent(terminal, write, recorded):
    write(hooks=HOOKS)
    screen = terminal("run", "--engine", "mem", "--set", "agent=review", "Hello")
    screen.expect(QUESTION)
    screen.type("\n")
    screen.expect("Hello")
    screen.ended()
    assert recorded() == []


def test_a_script_is_not_asked(kiro, write, recorded):
    write(hooks=HOOKS)
    done = kiro("run", "--engine", "mem", "--set", "agent=review", "Hello")
    assert "Trust it?" not in done.stdout + done.stderr
    assert recorded() == []


def test_chat_asks_before_the_session_begins(terminal, write, recorded):
    write(hooks=HOOKS)
    screen = terminal("chat", "--engine", "mem", "--agent", "review")
    screen.expect("Trust it?")
    screen.type("y\r")
    screen.expect("/help lists the commands.")
    screen.type("\x04")
    assert screen.ended() == 0
    assert recorded() == ["review.json"]


def test_an_agent_that_is_named_and_not_trusted_is_as_good_as_missing(kiro, write, recorded):
    write(hooks=HOOKS)
    refused = kiro("run", "--engine", "mem", "--agent", "review", "Hello")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "kiro-core trust" in refused.stderr
    assert recorded() == []
