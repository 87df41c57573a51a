"""What a person changes of a session from the command line, and how it is audited."""

import json

import pytest

SECOND = '[engines.second]\ncommand = ["{python}", "-P", "-m", "kiro_core.rehearsal", "--like", "claude"]\n'


@pytest.fixture
def agents(home):
    """Write an agent configuration of the user's own."""

    def write(name, **fields):
        (home / "agents").mkdir(parents=True, exist_ok=True)
        (home / "agents" / f"{name}.json").write_text(json.dumps({"name": name, **fields}))

    return write


@pytest.fixture
def session(kiro, home):
    """Have one turn with the rehearsal agent; the session's id."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "kiro.toml").write_text(SECOND)

    def begun(prompt, *options):
        answer = kiro("run", "--engine", "rehearsal", "--output", "json", *options, prompt)
        return json.loads(answer.stdout)["sessionId"]

    return begun


def shown(kiro, session):
    (info,) = [each for each in json.loads(kiro("sessions", "list", "--json").stdout) if each["id"] == session]
    return info


def test_a_session_is_swapped_to_another_engine_and_agent_and_goes_on(kiro, session, agents):
    agents("strict", prompt="Be strict.")
    id_ = session("remember 42")
    swapped = kiro("sessions", "swap", id_[:8], "--engine", "second", "--agent", "strict")
    assert swapped.returncode == 0, swapped.stderr
    assert f"{id_}: engine rehearsal -> second" in swapped.stderr
    assert f"{id_}: agent kiro_default -> strict" in swapped.stderr
    assert f"{id_}: engine second already" in kiro("sessions", "swap", id_, "--engine", "second").stderr
    assert "goes on as 'strict' with the engine 'second'" in kiro("sessions", "show", id_).stdout
    assert (shown(kiro, id_)["engine"], shown(kiro, id_)["agent"]) == ("second", "strict")
    went_on = kiro("run", "--session", id_, "and now?").stdout
    assert "> remember 42" in went_on
    assert "Be strict." in went_on


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "write --agent NAME or --engine NAME"),
        (("--engine", "secnod"), "did you mean 'second'"),
        (("--agent", "nobody"), "No agent configuration is called 'nobody'"),
        (("--engine", "second", "--agent", "nobody"), "No agent configuration is called 'nobody'"),
    ],
)
def test_a_swap_that_cannot_be_made_says_why_and_changes_nothing(kiro, session, options, said):
    id_ = session("remember 42")
    refused = kiro("sessions", "swap", id_, *options)
    assert refused.returncode in {1, 2, 4}
    assert said in refused.stderr
    assert shown(kiro, id_)["engine"] == "rehearsal"


def test_an_edit_of_a_configuration_counts_when_the_session_is_reloaded(kiro, session, agents):
    agents("strict", prompt="Be strict.")
    id_ = session("hello", "--agent", "strict")
    agents("strict", prompt="Be very strict.")
    assert "Be very strict." not in kiro("run", "--session", id_, "again").stdout
    assert "read again" in kiro("sessions", "reload", id_).stderr
    assert "Be very strict." in kiro("run", "--session", id_, "once more").stdout
    assert "nothing has changed" in kiro("sessions", "reload", id_).stderr


def test_every_decision_about_a_tool_is_shown_with_its_rule(kiro, session, agents):
    agents("strict", toolsSettings={"write": {"allowedPaths": ["*.md"], "deniedPaths": ["*.lock"]}})
    id_ = session("/write a.md text\n/write b.lock text\n/write c.txt text", "--agent", "strict")
    lines = [json.loads(line) for line in kiro("sessions", "audit", id_, "--json").stdout.splitlines()]
    assert [line["outcome"] for line in lines] == ["allowed", "denied", "denied"]
    assert [line["by"] for line in lines] == ["policy", "policy", "nobody to ask"]
    assert "*.lock" in lines[1]["rule"]
    assert all(line["at"] and line["tool"] == "write" for line in lines)
    told = kiro("sessions", "audit", id_).stdout.splitlines()
    assert len(told) == 3
    assert "denied" in told[1]
    assert "b.lock" in told[1]


def test_trusted_tools_need_no_question_but_what_is_denied_stays_denied(kiro, session, agents):
    agents("strict", toolsSettings={"write": {"deniedPaths": ["*.lock"]}})
    id_ = session("/write a.md text\n/write b.lock text", "--agent", "strict", "--trust-tools", "write")
    lines = [json.loads(line) for line in kiro("sessions", "audit", id_, "--json").stdout.splitlines()]
    assert [line["outcome"] for line in lines] == ["allowed", "denied"]
    assert lines[0]["origin"] == "flag"
