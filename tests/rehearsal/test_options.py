"""The command line of the rehearsal agent: what it offers, and what it imports."""

import subprocess
import sys

import pytest

from kiro_core.rehearsal.features import FEATURES

LIMIT_S = 20


def test_a_model_and_a_mode_can_be_chosen(rehearsal):
    with rehearsal("--modes", "ask,code") as agent:
        agent.begin()
        assert agent.seen[-1]["result"]["modes"]["currentModeId"] == "ask"
        assert agent.call("session/set_mode", sessionId=agent.session, modeId="code")["result"] == {}
        assert agent.call("session/set_mode", sessionId=agent.session, modeId="x")["error"]["code"] == -32602
        options = {"sessionId": agent.session, "configId": "model"}
        chosen = agent.call("session/set_config_option", **options, value="rehearsal-2")["result"]
        assert chosen["configOptions"][0]["currentValue"] == "rehearsal-2"
        assert agent.call("session/set_config_option", **options, value="x")["error"]["code"] == -32602


def test_without_modes_none_are_taken(rehearsal):
    with rehearsal() as agent:
        agent.begin()
        assert "modes" not in agent.seen[-1]["result"]
        assert agent.code("session/set_mode", sessionId=agent.session, modeId="x") == -32601


def test_without_config_options_none_are_offered_or_taken(rehearsal):
    with rehearsal("--no-config-options") as agent:
        agent.begin()
        assert "configOptions" not in agent.seen[-1]["result"]
        assert agent.call("session/set_config_option", sessionId=agent.session)["error"]["code"] == -32601


def test_the_state_of_mcp_servers_is_told_before_the_session_is_there(rehearsal):
    with rehearsal("--mcp", "docs=initialized", "--mcp", "web=failed", "--mcp", "slow=late") as agent:
        agent.begin()
    told = [(message["method"], message["params"]["serverName"]) for message in agent.seen[:-1]]
    assert told == [("_kiro.dev/mcp/server_initialized", "docs"), ("_kiro.dev/mcp/server_init_failure", "web")]
    assert agent.seen[1]["params"]["sessionId"] == agent.session
    assert agent.seen[1]["params"]["error"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--mcp", "docs=odd"],
        ["--die-at", "initialize", "x"],
        ["--die-at", "x", "1"],
        ["--hang-at", "x"],
        ["--with", "image,x"],
        ["--without", "x"],
        ["--like", "x"],
    ],
)
def test_a_wrong_option_is_refused_with_status_2(rehearsal, arguments):
    with rehearsal(*arguments) as agent:
        _, stderr = agent.process.communicate(timeout=LIMIT_S)
        assert agent.process.returncode == 2
        assert arguments[0] in stderr.decode()


def test_its_help_has_an_example(rehearsal):
    with rehearsal("--help") as agent:
        stdout, _ = agent.process.communicate(timeout=LIMIT_S)
    assert b"example:" in stdout
    for name, text in FEATURES.items():
        assert f"{name:14} {text}" in stdout.decode()


def test_it_imports_nothing_but_the_standard_library():
    program = (
        "import sys; before = set(sys.modules); import kiro_core.rehearsal.__main__, kiro_core.rehearsal.memory;"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(tops - sys.stdlib_module_names))"
    )
    found = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, check=True, timeout=LIMIT_S)
    assert found.stdout.strip() == b"['kiro_core']"


ALL = ",".join(FEATURES)
CAPABILITIES = {
    "load": ("loadSession",),
    "image": ("promptCapabilities", "image"),
    "audio": ("promptCapabilities", "audio"),
    "embedded": ("promptCapabilities", "embeddedContext"),
    "mcp-http": ("mcpCapabilities", "http"),
    "mcp-sse": ("mcpCapabilities", "sse"),
    "resume": ("sessionCapabilities", "resume"),
    "list": ("sessionCapabilities", "list"),
    "delete": ("sessionCapabilities", "delete"),
    "close": ("sessionCapabilities", "close"),
    "directories": ("sessionCapabilities", "additionalDirectories"),
    "logout": ("auth", "logout"),
}
METHODS = {name: f"session/{name}" for name in ("load", "resume", "list", "delete", "close")} | {"logout": "logout"}


@pytest.mark.parametrize("feature", CAPABILITIES)
def test_each_capability_can_be_switched_and_is_served_as_it_is_told(rehearsal, feature):
    def offered(*arguments):
        with rehearsal(*arguments) as agent:
            group, *name = CAPABILITIES[feature]
            value = agent.greet()["agentCapabilities"].get(group, {})
            value = value.get(name[0], False) if name else value
            served = feature not in METHODS or agent.call(METHODS[feature]).get("error", {}).get("code") != -32601
        return value, served

    value, served = offered("--with", feature)
    assert value in (True, {})
    assert served
    value, served = offered("--with", ALL, "--without", feature)
    assert value is False
    assert served == (feature not in METHODS)


def test_models_stand_in_the_former_field_where_they_are_wanted(rehearsal):
    with rehearsal("--with", "models", "--without", "model-option") as agent:
        opened = agent.begin().seen[-1]["result"]
        assert opened["models"]["currentModelId"] == "rehearsal-1"
        assert [model["modelId"] for model in opened["models"]["availableModels"]] == ["rehearsal-1", "rehearsal-2"]
        assert "configOptions" not in opened
        assert agent.result("session/set_model", sessionId=agent.session, modelId="rehearsal-2") == {}
        assert agent.code("session/set_model", sessionId=agent.session, modelId="x") == -32602
        assert agent.code("session/set_config_option", sessionId=agent.session) == -32601
        agent.ask("/say-choices")
        assert '"model": "rehearsal-2"' in agent.said()[0]


def test_a_mode_that_is_also_an_option_changes_in_both_places(rehearsal):
    with rehearsal("--modes", "ask,code", "--with", "mode-option") as agent:
        opened = agent.begin().seen[-1]["result"]
        named = {"sessionId": agent.session}
        assert opened["modes"]["currentModeId"] == "ask"
        assert [(option["id"], option["category"]) for option in opened["configOptions"]] == [
            ("mode", "mode"),
            ("model", "model"),
        ]
        agent.result("session/set_mode", **named, modeId="code")
        assert agent.updates("config_option_update")[0]["configOptions"][0]["currentValue"] == "code"
        options = agent.result("session/set_config_option", **named, configId="mode", value="ask")["configOptions"]
        assert options[0]["currentValue"] == "ask"
        assert agent.updates("current_mode_update") == [
            {"sessionUpdate": "current_mode_update", "currentModeId": "ask"}
        ]


def test_a_yes_or_no_option_is_there_for_clients_that_take_it(rehearsal):
    with rehearsal("--with", "more-options") as agent:
        agent.greet(session={"configOptions": {"boolean": {}}})
        opened = agent.begin().seen[-1]["result"]
        chosen = {"sessionId": agent.session, "configId": "loud"}
        assert [option["id"] for option in opened["configOptions"]] == ["model", "pace", "loud"]
        assert opened["configOptions"][2]["type"] == "boolean"
        assert opened["configOptions"][2]["currentValue"] is False
        options = agent.result("session/set_config_option", **chosen, type="boolean", value=True)["configOptions"]
        assert options[2]["currentValue"] is True
        assert agent.code("session/set_config_option", **chosen, value=True) == -32602
        assert agent.code("session/set_config_option", **chosen, type="boolean", value="loud") == -32602
        assert agent.code("session/set_config_option", **{**chosen, "configId": "model"}, value=True) == -32602
    with rehearsal("--with", "more-options") as agent:
        agent.greet()
        opened = agent.begin().seen[-1]["result"]
        assert [option["id"] for option in opened["configOptions"]] == ["model", "pace"]
        chosen = {"sessionId": agent.session, "configId": "loud"}
        assert agent.code("session/set_config_option", **chosen, type="boolean", value=True) == -32602


@pytest.mark.parametrize("cwd", ["work", "", None])
def test_a_working_directory_has_to_be_absolute_unless_the_agent_is_lenient(rehearsal, cwd):
    with rehearsal() as agent:
        assert agent.code("session/new", cwd=cwd, mcpServers=[]) == -32602
    with rehearsal("--with", "lenient-cwd") as agent:
        assert agent.result("session/new", cwd=cwd, mcpServers=[])["sessionId"]


@pytest.mark.parametrize(("arguments", "answered"), [([], 1), (["--with", "echo-version"], 2)])
def test_a_version_that_it_does_not_speak_is_answered_with_its_own_or_repeated(rehearsal, arguments, answered):
    with rehearsal(*arguments) as agent:
        assert agent.result("initialize", protocolVersion=2)["protocolVersion"] == answered


def test_without_usage_the_answer_has_none(rehearsal):
    with rehearsal("--without", "usage") as agent:
        assert agent.begin().ask("hello")["result"] == {"stopReason": "end_turn"}


def test_the_servers_that_the_client_gave_are_told_to_run_where_it_is_wanted(rehearsal):
    servers = [{"name": name, "command": "x", "args": [], "env": []} for name in ("docs", "web")]
    with rehearsal("--with", "reports-mcp", "--mcp", "web=failed") as agent:
        agent.result("session/new", cwd="/", mcpServers=servers)
        assert [params["serverName"] for params in agent.told("_kiro.dev/mcp/server_initialized")] == ["docs"]
        assert [params["serverName"] for params in agent.told("_kiro.dev/mcp/server_init_failure")] == ["web"]
