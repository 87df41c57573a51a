"""What docs/mcp.md says is what the program has: tools, codes, variables, and each test that it names."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from kiro_core.cli.connect.editors import EDITORS
from kiro_core.cli.mcp.aliases import OTHER, PREFIX, SAME
from kiro_mcp.server.table import CORE
from kiro_mcp.service.failing import CODES

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "mcp.md").read_text()
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
BLOCKS = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def rows(heading):
    """The cells of the table below a line that begins so."""
    table = PAGE.split(f"\n{heading}", 1)[1].split("|---|", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()[1:]]


def listed(schema, required, mark):
    """The names of fields; `mark` is for those that are required, or for the others where it is a question mark."""
    named = [f"`{name}`{mark if (name in required) == (mark == '*') else ''}" for name in schema.get("properties", {})]
    return ", ".join(named) or "-"


def row_of(tool):
    takes, gives = tool.input_schema, tool.output_schema
    needed = listed(takes, takes.get("required", ()), "*")
    return [f"`{tool.name}`", needed, listed(gives, gives["anyOf"][0]["required"], "?")]


@pytest.mark.parametrize("era", ["legacy"])
async def test_every_tool_is_told_with_what_it_takes_and_returns(opened_host, era):
    async with opened_host() as host:
        tools = (await host.client.list_tools()).tools
    assert rows("| tool | takes |") == [row_of(tool) for tool in tools]
    assert [tool.name for tool in tools[:8]] == [tool.name for tool in CORE]


def test_every_code_is_told():
    assert {row[0].strip("`") for row in rows("| code | when |")} == CODES


def test_every_variable_of_kiro_cli_mcp_is_told():
    same = {row[0].strip("`"): row[1].partition("`")[2].partition("`")[0] for row in rows("| variable | setting |")}
    assert same == {f"{PREFIX}{name}": ".".join(key) for name, key in SAME.items()}
    assert rows("| variable | instead |") == [[f"`{PREFIX}{name}`", text] for name, text in OTHER.items()]


def test_all_eighteen_weaknesses_have_a_test_that_is_there():
    table = rows("| weakness | test |")
    assert len(table) == 18
    for weakness, tests in table:
        named = NAMED.findall(tests)
        assert named, weakness
        for path, name in named:
            assert f"def {name}(" in (TESTS / path).read_text(), f"{path}::{name}"


def test_every_configuration_of_a_host_can_be_read_and_starts_or_finds_the_server():
    found = 0
    for language, text in BLOCKS.findall(PAGE):
        if language not in ("json", "toml"):
            continue
        told = json.loads(text) if language == "json" else tomllib.loads(text)
        (servers,) = (told[key] for key in ("mcpServers", "mcp_servers", "servers") if key in told)
        server = servers["kiro-core"]
        if "command" in server:
            assert server["args"] == ["mcp", "serve"]
        else:
            assert server.get("url", server.get("httpUrl")) == "http://127.0.0.1:8383/mcp"
            assert "DESK_TOKEN" in text or "${input:desk-token}" in text
        found += 1
    assert found == 8


@pytest.mark.parametrize("editor", [name for name, editor in EDITORS.items() if editor.command == ("mcp", "serve")])
def test_every_host_that_can_be_connected_is_named(editor):
    assert f"`{editor}`" in PAGE or f"connect {editor}`" in PAGE
