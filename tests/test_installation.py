"""What a person installs is what was tested, and what the README says of it is true."""

import importlib
import json
import os
import re
import sys
import tomllib
from importlib.metadata import distribution, entry_points
from importlib.resources import files
from pathlib import Path

import click
import pytest

from kiro_core import __version__
from kiro_core.cli.commands import kiro_core

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
BUNDLED = {name: f"kiro_{name}" for name in ("acp", "agents", "files", "http", "local", "mcp", "redact")}
COMMANDS = sorted(set(re.findall(r"kiro-core((?: [a-z]+(?:-[a-z]+)*\b(?![:/]))+)", README)))


def blocks(language, text=README):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(
    "TOX_ENV_NAME" not in os.environ, reason="only tox installs the wheel; elsewhere it is the checkout"
)
@pytest.mark.parametrize("package", ["kiro_core", *BUNDLED.values()])
def test_core_and_plugins_come_from_the_wheel_and_not_from_the_checkout(package):
    origin = Path(importlib.import_module(package).__file__)
    assert "site-packages" in origin.parts
    assert origin.is_relative_to(sys.prefix)


def test_the_version_that_it_tells_is_that_of_the_distribution():
    assert distribution("kiro-core").version == __version__


def test_the_bundled_plugins_are_found_by_entry_point_and_load():
    found = {point.name: point.module for point in entry_points(group="kiro_core") if point.dist.name == "kiro-core"}
    assert found == BUNDLED
    for point in entry_points(group="kiro_core"):
        point.load()


def test_type_checkers_may_read_the_installed_core():
    assert (files("kiro_core") / "py.typed").is_file()


def test_the_lowest_versions_are_those_that_the_project_promises():
    extras = PROJECT["optional-dependencies"]
    promised = PROJECT["dependencies"] + extras["testing"] + extras["mcp"]
    lowest = [line for line in (ROOT / "tests" / "lowest.txt").read_text("utf-8").splitlines() if line[0] != "#"]
    assert lowest == sorted(requirement.replace(">=", "==") for requirement in promised)


def test_one_command_tests_everything_for_people_and_machines():
    _, test_command, *_ = blocks("sh")
    assert (ROOT / ".ci" / "run").read_text("utf-8").endswith(f"\n{test_command}")


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 120


def test_the_readme_names_every_command():
    named = {command.split()[0] for command in COMMANDS}
    assert named == set(kiro_core.list_commands(click.Context(kiro_core)))


def test_the_editor_settings_of_the_readme_are_json_that_starts_the_command():
    for block in blocks("json"):
        server = json.loads(block)["agent_servers"]["kiro-core"]
        assert server["args"] == ["acp"]
        assert Path(server["command"]).is_absolute()


def test_the_settings_of_the_readme_are_accepted(tmp_path):
    from kiro_core.settings import load_settings

    path = tmp_path / "kiro.toml"
    path.write_text(blocks("toml")[0], "utf-8")
    settings = load_settings(config=path, environ={"KIRO_CORE_LIMITS__START_S": "5"})
    assert settings.engines["mine"].command == ["/opt/mine/bin/agent", "--acp"]
    assert (settings.engine, settings.limits.start_s) == ("mine", 5)


async def test_the_plugin_of_the_readme_works(tmp_path):
    plugin = {}
    exec(blocks("python")[0], plugin)
    (provider,) = plugin["kiro_agents"]()
    async with provider.open(None) as source:
        assert (await source.find("polite", tmp_path)).prompt == "Say please."
        assert [agent.name for agent in await source.names(tmp_path)] == ["polite"]
