"""What is generated is what the code says today, and each thing that people can meet is documented."""

import re

import click
import pytest
from doc_commands import CONTEXT, tree
from doc_kinds import notices, records
from doc_options import providers
from doc_pages import PAGES, ROOT, filled, parts
from doc_parts import FAMILIES, PARTS, part

from kiro_core import types
from kiro_core.cli.failing import EXIT_CODES
from kiro_core.specs import KiroSpecs
from kiro_core.types import GAP


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_generated_part_is_current(page):
    told = page.read_text("utf-8")
    assert told.count(": generated -->") == len(parts(page)), "a mark without its other half"
    for name in parts(page):
        assert name in PARTS or name.partition("-")[0] in FAMILIES, name
    assert filled(told, part) == told, "run: python tests/documentation/generate.py"


def test_everything_that_can_be_generated_stands_somewhere():
    assert {name for page in PAGES for name in parts(page)} >= PARTS.keys()


def test_every_option_of_a_provider_is_described():
    for kind, provider in providers():
        model = provider.model()
        for name, field in model.model_fields.items() if model else ():
            assert field.description, f"{kind} {provider.name}: {name}"


def test_every_command_helps_with_an_example():
    for path, command in tree():
        told = command.get_help(click.Context(command, CONTEXT, info_name=path[-1]))
        assert "Example" in told, path


def test_every_hook_is_told_with_its_setting():
    page = (ROOT / "docs" / "plugins.md").read_text("utf-8")
    hooks = [name for name in vars(KiroSpecs) if name.startswith("kiro_")]
    assert [name for name in hooks if f"| `{name}` |" not in page] == []


def test_every_type_is_told():
    page = (ROOT / "docs" / "types.md").read_text("utf-8")
    told = re.findall(r"^### `(\w+)`$|^\| `([A-Z]\w+)` \|", page, re.MULTILINE)
    assert sorted(noun or constant for noun, constant in told) == sorted(["Frame", *types.__all__])


def test_the_readme_tells_the_exit_codes():
    told = ", ".join(f"{code} {words}" for code, words in EXIT_CODES.items())
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert f"Exit codes: {told}." in readme


def rows(heading):
    """The rows of a table of docs/records.md: the names in the first cell, and the second cell."""
    page = (ROOT / "docs" / "records.md").read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    for line in re.findall(r"^\| (`.+) \|$", page, re.MULTILINE):
        first, second, *_ = line.split(" | ")
        yield re.findall(r"`(\w+)`", first), second


def test_every_kind_of_record_is_told():
    told = {name for names, _ in rows("Kinds of records") for name in names}
    assert (records() - told, told - records()) == (set(), {GAP})


def test_every_kind_of_notice_is_told_with_its_severity():
    told = {name: set(severity.split(", ")) for names, severity in rows("Kinds of notices") for name in names}
    there = notices()
    assert (there.keys() - told.keys(), told.keys() - there.keys()) == (set(), set())
    assert [(name, there[name], told[name]) for name in told if told[name] != there[name]] == []
