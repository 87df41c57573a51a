"""Which servers a session gets when several places name some."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.mcp_servers import CLIENT, McpRegistry, merged, notices_of, workspace_document
from kiro_core.types import AgentConfig

SH = {"command": "/bin/sh"}


def origins(found):
    return {server.name: server.origin for server in found.servers}


def left(found):
    return {(one.name, one.origin): one.why for one in found.left_out}


def entry(found, name):
    return next(server.entry for server in found.servers if server.name == name)


def test_the_higher_place_counts_for_a_name_and_other_names_add_up(places):
    places.client = [{"name": "a", "command": "/client", "args": [], "env": []}]
    agent = places.agent(include=True, a=SH, b=SH)
    work = places.workspace(a=SH, b=SH, c=SH)
    user = places.user(a=SH, b=SH, c=SH, d=SH)
    found = places.merged()
    assert origins(found) == {"a": CLIENT, "b": agent, "c": work, "d": user}
    assert entry(found, "a") is places.client[0]
    shadowed = [("a", agent), ("a", work), ("b", work), ("a", user), ("b", user), ("c", user)]
    assert left(found) == dict.fromkeys(shadowed, "shadowed")
    assert not found.problems
    assert notices_of(found) == []


def test_the_whole_entry_is_replaced_and_nothing_of_the_lower_one_stays(places):
    places.workspace(a={"command": "/bin/sh", "args": ["-c", "true"]})
    places.user(a={"command": "/bin/cat", "env": {"A": "b"}, "autoApprove": ["x"]})
    (server,) = places.merged().servers
    assert server.entry == {"name": "a", "command": "/bin/sh", "args": ["-c", "true"], "env": []}
    assert server.auto_approve == ()


def test_a_disabled_entry_switches_off_the_lower_one_and_need_not_say_how_it_starts(places):
    work = places.workspace(a={"disabled": True})
    user = places.user(a=SH)
    found = places.merged()
    assert found.servers == []
    assert left(found) == {("a", work): "disabled", ("a", user): "shadowed"}


@pytest.mark.parametrize(("include", "expected"), [(None, {"a"}), (False, {"a"}), (True, {"a", "w", "u"})])
def test_an_agent_gets_the_files_only_where_it_includes_them(places, include, expected):
    places.agent(include=include, a=SH)
    places.workspace(w=SH)
    places.user(u=SH)
    assert set(origins(places.merged())) == expected


def test_the_older_name_of_the_field_includes_them_too(places):
    places.user(u=SH)
    places.config = AgentConfig("old", fields={"useLegacyMcpJson": True})
    assert set(origins(places.merged())) == {"u"}


def test_a_second_server_of_one_name_in_a_request_is_left_out(places):
    places.client = [{"name": "a", "command": "/1"}, {"name": "a", "command": "/2"}]
    found = places.merged()
    assert [server.entry["command"] for server in found.servers] == ["/1"]
    assert left(found) == {("a", CLIENT): "shadowed"}


def test_in_the_home_folder_the_file_is_the_users_own(places):
    places.cwd = places.home.parent
    places.trusts = False
    assert origins(places.merged()) == {}
    places.user(u=SH)
    assert set(origins(places.merged())) == {"u"}
    assert workspace_document(places.cwd, places.home) is None


# What belongs to a folder


def test_an_untrusted_file_of_the_folder_counts_for_nothing(places):
    work = places.workspace(a={"command": "/evil", "args": ["x"], "env": {"TOKEN": "s3cret"}}, b={"disabled": True})
    user = places.user(a=SH, b=SH)
    places.trusts = False
    found = places.merged()
    assert origins(found) == {"a": user, "b": user}
    assert left(found) == {("a", work): "untrusted", ("b", work): "untrusted"}
    (document,) = found.untrusted
    assert (document.folder, document.origin) == (os.path.realpath(places.cwd), work)
    assert document == workspace_document(places.cwd, places.home)
    assert "MCP server a: /evil x (with TOKEN)" in document.starts
    assert "s3cret" not in repr(found) + str(notices_of(found))
    assert [notice.kind for notice in notices_of(found)] == ["mcp_left_out"] * 2


def test_a_file_that_changed_is_another_document(places):
    places.workspace(a=SH)
    agreed = workspace_document(places.cwd, places.home)
    places.trusts = lambda document: document == agreed
    assert set(origins(places.merged())) == {"a"}
    places.workspace(a={"command": "/other"})
    assert places.merged().servers == []


def test_in_place_of_an_untrusted_agent_stands_the_built_in_one(places):
    agent = places.agent(include=False, workspace=str(places.cwd), a=SH)
    places.user(u=SH)
    places.trusts = False
    found = places.merged()
    assert set(origins(found)) == {"u"}
    assert left(found) == {("a", agent): "untrusted"}
    assert [document.origin for document in found.untrusted] == [agent]


def test_an_untrusted_agent_whose_servers_are_malformed_decides_nothing_either(places):
    places.config = AgentConfig(
        "a", origin="/a.json", fields={"mcpServers": [1], "includeMcpJson": False}, workspace=str(places.cwd)
    )
    places.user(u=SH)
    places.trusts = False
    assert set(origins(places.merged())) == {"u"}


# What an entry says


def test_variables_are_filled_in_everywhere(places):
    places.environ |= {"NAME": "n", "EMPTY": ""}
    places.user(
        a={"command": "/bin/${NAME}", "args": ["${NAME}-${NONE:-d}", "${EMPTY:-e}", "$NAME"], "env": {"A": "${NAME}"}},
        b={"url": "https://${NAME}.example/mcp", "headers": {"Authorization": "Bearer ${env:NAME}"}},
    )
    found = places.merged()
    expected = {"command": "/bin/n", "args": ["n-d", "e", "$NAME"], "env": [{"name": "A", "value": "n"}]}
    assert entry(found, "a") == {"name": "a", **expected}
    headers = [{"name": "Authorization", "value": "Bearer n"}]
    assert entry(found, "b") == {"type": "http", "name": "b", "url": "https://n.example/mcp", "headers": headers}


def test_a_variable_that_is_not_set_is_told_and_its_server_is_left_out(places):
    user = places.user(a={**SH, "env": {"TOKEN": "${NOT_SET}"}}, b=SH)
    found = places.merged()
    assert set(origins(found)) == {"b"}
    (problem,) = found.problems
    told = "mcpServers.a.env.TOKEN: needs the environment variable NOT_SET, which is not set"
    assert str(problem) == f"{user}: {told}"


@pytest.mark.parametrize(
    ("written", "field"),
    [
        (3, "mcpServers.a"),
        ({}, "mcpServers.a.command"),
        ({"command": ""}, "mcpServers.a.command"),
        ({"command": 3}, "mcpServers.a.command"),
        ({"command": "x", "args": "y"}, "mcpServers.a.args"),
        ({"command": "x", "env": {"A": 1}}, "mcpServers.a.env.A"),
        ({"command": "x", "url": "https://x"}, "mcpServers.a"),
        ({"type": "http", "command": "x"}, "mcpServers.a.url"),
        ({"type": "carrier pigeon", "url": "https://x"}, "mcpServers.a.type"),
        ({"type": "registry"}, "mcpServers.a.type"),
        ({"url": "http://example.com"}, "mcpServers.a.url"),
        ({"url": "http://localhost.example.com"}, "mcpServers.a.url"),
        ({"url": "file:///etc/passwd"}, "mcpServers.a.url"),
        ({"url": "https://[x"}, "mcpServers.a.url"),
        ({"command": "~\0/x"}, "mcpServers.a.command"),
        ({"command": "x", "env": {"A": "\0"}}, "mcpServers.a.env"),
        ({"url": "x"}, "mcpServers.a.url"),
    ],
)
def test_one_malformed_entry_is_told_and_skipped_and_none_below_it_takes_its_place(places, written, field):
    work = places.workspace(a=written, b=SH)
    user = places.user(a=SH)
    found = places.merged()
    assert set(origins(found)) == {"b"}
    assert [problem.field for problem in found.problems] == [field]
    assert left(found) == {("a", work): "invalid", ("a", user): "shadowed"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "mcp.localhost"])
def test_http_is_for_this_machine(places, host):
    places.user(a={"url": f"http://{host}:8/mcp"})
    assert entry(places.merged(), "a")["url"] == f"http://{host}:8/mcp"


@pytest.mark.parametrize(
    ("kind", "expected"), [(None, "http"), ("http", "http"), ("streamable-http", "http"), ("sse", "sse")]
)
def test_the_kinds_of_addresses_are_those_of_acp(places, kind, expected):
    places.user(a={"url": "https://x"} | ({"type": kind} if kind else {}))
    (server,) = places.merged().servers
    assert (server.kind, server.entry["type"]) == (expected, expected)


def test_a_program_is_named_by_its_absolute_path_as_acp_wants_it(places):
    tool = places.cwd / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o700)
    places.user(a={"command": "sh"}, b={"command": "./tool"}, c={"command": "not-installed"})
    found = places.merged()
    assert Path(entry(found, "a")["command"]).is_absolute()
    assert Path(entry(found, "b")["command"]).samefile(tool)
    assert entry(found, "c")["command"] == "not-installed"


def test_what_acp_cannot_carry_is_named(places):
    places.user(
        a={**SH, "timeout": 5, "disabledTools": ["x"], "autoApprove": ["*"], "headers": {}},
        b={"url": "https://x", "env": {"A": "b"}, "oauth": {"clientId": "c"}, "mine": 1},
    )
    found = places.merged()
    a, b = found.servers
    assert (a.disabled_tools, a.auto_approve, a.untold) == (("x",), ("*",), ("headers", "timeout"))
    assert b.untold == ("env", "mine", "oauth")
    told = {notice.details["serverName"]: notice.details["fields"] for notice in notices_of(found)}
    assert told == {"a": ["headers", "timeout"], "b": ["env", "mine", "oauth"]}


# Files that are not as they should be


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is not JSON at line 1, column 2"),
        ("[]", "is not a JSON object"),
        ('{"mcpServers": []}', "mcpServers: is not an object of servers by name"),
        ("[" * 100_000, "holds a value that is not JSON"),
        (" " * ((1 << 20) + 1), "is larger than 1048576 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_the_others_count(places, text, reason):
    work = places.write(places.cwd / ".kiro", text)
    places.user(u=SH)
    found = places.merged()
    assert set(origins(found)) == {"u"}
    assert str(found.problems[0]).startswith(f"{work}: {reason}")
    assert [notice.kind for notice in notices_of(found)] == ["mcp_config_error"]


def test_a_pipe_in_place_of_a_file_is_not_waited_for(places):
    work = places.cwd / ".kiro" / "settings"
    work.mkdir(parents=True)
    os.mkfifo(work / "mcp.json")
    assert "is not a regular file" in str(places.merged().problems[0])


# A registry allows


def test_with_a_registry_only_listed_servers_are_used_whoever_names_them(places):
    places.client = [{"name": "a"}, {"name": "evil"}]
    user = places.user(b=SH, c=SH, off={"disabled": True})
    places.registry = McpRegistry("/r.json", {"a": {}, "b": {}, "cc": {}})
    found = places.merged()
    assert set(origins(found)) == {"a", "b"}
    assert left(found) == {("evil", CLIENT): "unlisted", ("c", user): "unlisted", ("off", user): "disabled"}
    assert str(found.problems[1]) == f"{user}: mcpServers.c: is not in the registry /r.json; did you mean 'cc'?"


def test_an_entry_of_the_registry_says_what_is_started_and_the_user_only_how(places):
    listed = {"command": "/listed", "args": ["1"], "env": {"A": "theirs", "B": "theirs"}, "timeout": 1}
    places.registry = McpRegistry("/r.json", {"a": listed, "name-only": {}})
    mine = {"type": "registry", "command": "/mine", "args": ["2"], "env": {"A": "mine"}, "disabledTools": ["x"]}
    places.user(**{"a": mine, "name-only": {"type": "registry"}})
    found = places.merged()
    env = [{"name": "A", "value": "mine"}, {"name": "B", "value": "theirs"}]
    assert entry(found, "a") == {"name": "a", "command": "/listed", "args": ["1"], "env": env}
    assert found.servers[0].disabled_tools == ("x",)
    assert [problem.field for problem in found.problems] == ["mcpServers.name-only"]


@pytest.mark.parametrize(
    ("entry_", "used"),
    [
        ({"type": "registry"}, True),
        ({"type": "registry", "command": "/evil"}, True),
        ({"command": "/listed", "args": ["1"]}, True),
        ({"command": "/listed", "args": ["1"], "env": {"A": "mine"}}, True),
        ({"command": "/listed"}, False),
        ({"command": "/evil", "args": ["1"]}, False),
        ({"url": "https://evil.example"}, False),
        ({"command": "/listed", "args": ["1"], "url": "https://evil.example"}, False),
    ],
)
@pytest.mark.parametrize("place", ["agent", "file"])
def test_a_folder_cannot_give_a_listed_name_to_another_server(places, place, entry_, used):
    places.registry = McpRegistry("/r.json", {"a": {"command": "/listed", "args": ["1"]}, "name-only": {}})
    both = {"a": entry_, "name-only": SH}
    origin = places.workspace(**both) if place == "file" else places.agent(workspace=str(places.cwd), **both)
    found = places.merged()
    assert [server.entry["command"] for server in found.servers] == (["/listed"] if used else [])
    expected = {("name-only", origin): "unlisted"} | ({} if used else {("a", origin): "unlisted"})
    assert left(found) == expected
    assert "is not what the registry /r.json says of it" in str(found.problems[-1])


# Whatever stands there

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = ("type", "command", "args", "env", "url", "headers", "timeout", "disabled", "disabledTools", "autoApprove")
_ENTRY = _JSON | st.dictionaries(st.sampled_from(_FIELDS), _JSON | st.just("${HOME}") | st.just("https://x"))


@given(st.dictionaries(st.text(max_size=5), _ENTRY, max_size=3) | _JSON)
def test_any_value_becomes_servers_or_problems_of_one_line(tmp_path_factory, servers):
    root = tmp_path_factory.getbasetemp()
    config = AgentConfig("any", fields={"mcpServers": servers})
    found = merged((), config, root, root, lambda _: True, None, {"HOME": "/h"})
    for server in found.servers:
        json.dumps(server.entry)
        assert server.name in servers
    named = servers if isinstance(servers, dict) else {}
    assert len(found.servers) + len(found.left_out) == len(named)
    assert all(problem.reason and "\n" not in problem.reason for problem in found.problems)


_SECRETS = [[], {}, "S3CRET", ["S3CRET", 1], {"A": ["S3CRET"]}, {"A": {"B": "S3CRET"}}]


@given(st.sampled_from(_FIELDS), st.sampled_from(_SECRETS))
def test_no_value_is_repeated_in_what_is_told(tmp_path_factory, field, value):
    root = tmp_path_factory.getbasetemp()
    local, remote = {"command": "S3CRET", "env": {"A": "S3CRET"}}, {"url": "http://S3CRET.example"}
    servers = {"a": {**local, field: value}, "b": {**remote, field: value}, "c": {**local, "args": ["${NO}S3CRET"]}}
    found = merged((), AgentConfig("any", fields={"mcpServers": servers}), root, root, lambda _: True, None, {})
    told = [*map(str, found.problems), *(notice.sentence for notice in notices_of(found)), repr(found)]
    assert [line for line in told if "S3CRET" in line] == []
