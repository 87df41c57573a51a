"""Every snippet of README.md and docs/ is run, read by what reads it in earnest, or shown by a test that is named."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import click
import pytest
from doc_pages import PAGES, ROOT, blocks, commands
from doc_rules import COVERED, ENDS, PARSED, why_not_run
from doc_typing import lines, ours, parse
from doc_world import World

from kiro_core.agentconfig import json_schema, load
from kiro_core.catalog import Catalog, Choice
from kiro_core.crew import load_crew
from kiro_core.registry import Registry
from kiro_core.settings import load_settings

BLOCKS = [block for page in PAGES for block in blocks(page) if (block.page, block.language) not in COVERED]
BOUND_S = 120


def of(*languages):
    return [pytest.param(block, id=str(block)) for block in BLOCKS if block.language in languages]


def typed(page):
    return [line for block in BLOCKS if block.page == page and block.language == "sh" for line in lines(block.text)]


def output_of(block):
    """What the page shows as the output of a block, or None: in ` ```text output ` behind it."""
    at = BLOCKS.index(block) + 1
    follows = at < len(BLOCKS) and BLOCKS[at].page == block.page and is_output(BLOCKS[at])
    return BLOCKS[at].text if follows else None


def is_output(block):
    return (block.language, block.info) == ("text", "output")


def is_like(shown, told):
    """Whether something was printed as it is shown, where `...` stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, shown.split("..."))), told, re.DOTALL) is not None


def test_every_block_has_a_rule():
    ruled = {"python", "sh", "toml", "json", "markdown"}
    unruled = [
        f"{block} ({block.language or 'no language'})"
        for before, block in pairwise([None, *BLOCKS])
        if block.language not in ruled and not (is_output(block) and before.language in ("python", "sh"))
    ]
    assert unruled == []


@pytest.mark.parametrize(("page", "language"), COVERED)
def test_what_other_tests_show_is_on_the_page_that_they_read(page, language):
    count, *tests = COVERED[page, language]
    there = [block for block in blocks(next(each for each in PAGES if each.name == page)) if block.language == language]
    assert len(there) == count, f"see that a test has the new block, then count it in COVERED: {', '.join(tests)}"
    for test in tests:
        assert page.removesuffix(".md") in (ROOT / "tests" / test).read_text()


def test_every_program_runs(tmp_path):
    programs = {str(block): block for block in BLOCKS if block.language == "python"}
    order = [
        {"name": name, "text": block.text, "folder": str(tmp_path / str(number))}
        for number, (name, block) in enumerate(programs.items())
    ]
    for each in order:
        Path(each["folder"]).mkdir()
    child = [sys.executable, "-P", str(Path(__file__).with_name("doc_programs.py"))]
    ran = subprocess.run(child, input=json.dumps(order), capture_output=True, text=True, timeout=BOUND_S, check=False)
    assert ran.returncode == 0, ran.stderr
    for each in json.loads(ran.stdout):
        shown = output_of(programs[each["name"]])
        assert (each["status"], each["stderr"]) == (0, ""), each
        assert shown is None or is_like(shown, each["stdout"]), each


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_there_is_every_command_that_a_page_names(page, capsys):
    named = commands(next(each for each in PAGES if each.name == page))
    for line in [*typed(page), *named]:
        for command in ours(line.removesuffix(" ...")):
            try:
                parse(command)
            except click.UsageError as error:
                # A text may name a command without its arguments.
                if line not in named or not isinstance(error, click.MissingParameter):
                    pytest.fail(f"{line}\n{error.format_message()}")


@pytest.mark.parametrize("page", [page.name for page in PAGES if page.name not in PARSED and typed(page.name)])
def test_what_a_page_has_people_type_works(page, tmp_path):
    world = World(tmp_path / "world")
    for block in BLOCKS:
        if block.page == page and block.language == "toml" and "[[stages]]" in block.text:
            (world.cwd / f"{tomllib.loads(block.text)['name']}.toml").write_text(block.text)
    for block in [block for block in BLOCKS if block.page == page and block.language == "sh"]:
        done = None
        for line in lines(block.text):
            if not why_not_run(line):
                done = world.type(line)
                assert done.returncode == ENDS.get(line, 0), (line, done.stdout, done.stderr)
        shown = output_of(block)
        assert shown is None or is_like(shown, done.stdout), done


@pytest.mark.parametrize("block", of("toml"))
def test_toml_is_what_it_is_meant_as(block):
    told = tomllib.loads(block.text)
    if "project" in told:
        assert "kiro_core" in told["project"].get("entry-points", {"kiro_core": {}})
    elif "stages" in told:
        assert load_crew(told).problems == []
    elif block.page == "crew.md" and "engines" not in told:
        crew = {"name": "x", "stages": [{"id": "a", "prompt": "x"}], **told}
        assert load_crew(crew).problems == []
    elif not {"tool", "build-system"} & told.keys():
        can_be_chosen(load_settings(told, environ={}))


@pytest.mark.parametrize("block", [each for each in of("toml") if "# KIRO_CORE_" in each.values[0].text])
def test_the_variables_beside_settings_say_the_same(block):
    written = re.findall(r"# (KIRO_CORE_.*)$", block.text, re.MULTILINE)
    variables = dict(shlex.split(each)[0].split("=", 1) for each in written)
    by_variables, by_file = load_settings(environ=variables), load_settings(tomllib.loads(block.text), environ={})
    assert dict(by_variables) == dict(by_file)


def can_be_chosen(settings):
    """Whether each backend that is named and installed takes its options."""
    catalogs = [each for each in vars(Registry()).values() if isinstance(each, Catalog)]
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        for choice in value if isinstance(value, list) else [value]:
            for catalog in catalogs if isinstance(choice, Choice) else ():
                if choice.use in catalog.entries:
                    catalog.identity(choice)


@pytest.mark.parametrize("block", of("json"))
def test_json_is_what_it_is_meant_as(block, tmp_path):
    told = json.loads(block.text)
    if told.keys() <= json_schema()["properties"].keys():
        is_a_configuration(block, tmp_path / "example.json")


@pytest.mark.parametrize("block", of("markdown"))
def test_markdown_is_an_agent_configuration(block, tmp_path):
    is_a_configuration(block, tmp_path / "example.md")


def is_a_configuration(block, path):
    path.write_text(block.text)
    loaded = load(path)
    assert loaded.config is not None, loaded.problems
    assert loaded.problems == []
