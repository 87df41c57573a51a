"""What the guide for authors shows is what they get: code, settings and commands are those of a new plugin."""

import re
from pathlib import Path

import pytest

from kiro_core import ports, testing
from kiro_core.cli.new_plugin.kinds import ABOUT
from kiro_core.cli.new_plugin.naming import Names
from kiro_core.cli.new_plugin.rendering import begin_with, rendered
from kiro_core.specs import KiroSpecs

GUIDE = (Path(__file__).parents[2] / "docs" / "writing-plugins.md").read_text("utf-8")
NAMES = Names.of("acme-vault")
MADE = {kind: rendered(kind, NAMES) for kind in ABOUT}
KINDS = {
    kind: re.findall(r"`(\w+)`", rest) for kind, rest in re.findall(r"^\| `(\w+)` (.*`kiro_.*)$", GUIDE, re.MULTILINE)
}
PORTS = dict(re.findall(r"^\| `([A-Z]\w+)` \|.*\n\|---\|---\|\n((?:\|.*\n)+)", GUIDE, re.MULTILINE))


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def stands_in(code):
    """The file of a plugin that is named above a block."""
    return re.findall(r"\bin\s`([\w/]+\.\w+)`", GUIDE.partition(code)[0], re.IGNORECASE)[-1]


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.partition("(")[0].split()[-1])
def test_its_code_stands_in_the_file_of_a_new_plugin_that_is_named_above(code):
    assert any(code in made.get(stands_in(code), "") for made in MADE.values())


def test_it_declares_a_plugin_as_a_new_one_is_declared():
    declaration, *_ = blocks("toml")
    assert stands_in(declaration) == "pyproject.toml"
    assert declaration in MADE["store"]["pyproject.toml"]


def test_its_settings_are_those_that_choose_a_new_plugin():
    chosen = {f"{about.settings}\n".replace("example", NAMES.provider) for about in ABOUT.values()}
    _, *settings = blocks("toml")
    assert {*settings} == chosen


def test_its_commands_are_those_that_its_author_is_told():
    told = begin_with("store", NAMES, Path("acme-vault"))
    _, commands = blocks("sh")
    assert commands.splitlines()[0] == "kiro-core new-plugin acme-vault --kind store"
    assert [line for line in commands.splitlines()[1:] if f"\n  {line}\n" not in told] == []
    for command in re.findall(r"`(kiro-core run .*store=.*?)`", GUIDE):
        assert f"\n  {command}\n" in told


@pytest.mark.parametrize("kind", ABOUT)
def test_every_kind_is_named_with_its_hook_its_ports_and_its_contracts(kind):
    hook, *rest = KINDS[kind]
    contracts = [name for name in rest if name.endswith("Contract")]
    assert hasattr(KiroSpecs, hook)
    assert contracts == [name for name in contracts if name in testing.__all__] != []
    for port in [name for name in rest if name[0].isupper() and name not in contracts and name != "NAME"]:
        assert port in PORTS


@pytest.mark.parametrize("port", PORTS)
def test_every_method_of_a_port_has_a_line(port):
    shown = re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in PORTS[port].splitlines()))
    assert sorted(shown) == sorted(name for name in dir(getattr(ports, port)) if not name.startswith("_"))
