"""Which agent configuration a session gets is one rule: the first choice decides, and a miss is never silent."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kiro_core.agentconfig import BUILT_IN, all_agents, resolve
from kiro_core.errors import AgentConfigInvalid
from kiro_core.types import AgentConfig, AgentSummary, Problem

CWD = Path("/project")


class Source:
    """An agent source in memory; a name whose value is a problem is a broken file."""

    def __init__(self, problems=(), **held):
        self.held = held
        self.extra = list(problems)

    async def find(self, name, cwd):
        assert cwd == CWD
        held = self.held.get(name)
        if isinstance(held, Problem):
            raise AgentConfigInvalid("Broken.", path=str(held.path), field=held.field, reason=held.reason)
        return held

    async def names(self, cwd):
        assert cwd == CWD
        return [AgentSummary(c.name, c.description) for c in self.held.values() if isinstance(c, AgentConfig)]

    async def problems(self, cwd):
        assert cwd == CWD
        return self.extra + [held for held in self.held.values() if isinstance(held, Problem)]


def configs(*names):
    return {name: AgentConfig(name, origin=f"/agents/{name}.json") for name in names}


BROKEN = Problem(Path("/agents/broken.json"), "model", "is a number")
OTHER = Problem(Path("/agents/other.json"), "", "is not JSON")


@pytest.fixture
def home(tmp_path):
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "cli.json").write_text(json.dumps({"chat.defaultAgent": "kiros", "x": 1}))
    return tmp_path


@pytest.mark.parametrize(
    ("choices", "asked", "origin"),
    [
        ({"requested": "a", "flag": "b", "recorded": "c", "default": "d"}, "a", "request"),
        ({"flag": "b", "recorded": "c", "default": "d"}, "b", "flag"),
        ({"recorded": "c", "default": "d"}, "c", "record"),
        ({"default": "d"}, "d", "settings"),
        ({}, "kiros", "kiro"),
    ],
)
async def test_the_first_choice_decides(home, choices, asked, origin):
    found = await resolve([Source(**configs("a", "b", "c", "d", "kiros"))], CWD, **choices, home=home)
    assert (found.config.name, found.asked, found.found, found.origin_of_choice) == (asked, asked, True, origin)
    assert found.problems == []


async def test_without_any_choice_the_built_in_applies(tmp_path):
    found = await resolve([Source(**configs("a"))], CWD, home=tmp_path)
    assert (found.config, found.asked, found.found) == (BUILT_IN, "kiro_default", True)
    assert (found.origin_of_choice, found.problems) == ("built-in", [])


async def test_a_source_may_replace_the_built_in(tmp_path):
    own = configs("kiro_default")
    for choice in ({}, {"flag": "kiro_default"}, {"flag": "unknown"}):
        assert (await resolve([Source(**own)], CWD, **choice, home=tmp_path)).config == own["kiro_default"]


async def test_sources_are_asked_in_order(tmp_path):
    second = {"a": AgentConfig("a", prompt="second"), "b": AgentConfig("b", prompt="second")}
    sources = [Source(**configs("a")), Source(**second)]
    assert (await resolve(sources, CWD, flag="a", home=tmp_path)).config.prompt == ""
    assert (await resolve(sources, CWD, flag="b", home=tmp_path)).config.prompt == "second"


async def test_a_name_that_nobody_knows_falls_to_the_built_in_and_not_to_the_next_choice(home):
    source = Source(**configs("b", "kiros"), broken=BROKEN)
    found = await resolve([source], CWD, requested="a", flag="b", home=home)
    assert (found.config, found.asked, found.found, found.origin_of_choice) == (BUILT_IN, "a", False, "request")
    assert found.problems == [BROKEN]


async def test_a_warning_about_another_file_does_not_explain_a_name_that_nobody_knows(tmp_path):
    source = Source(problems=[replace(OTHER, severity="warning"), OTHER], **configs("b"))
    assert (await resolve([source], CWD, flag="a", home=tmp_path)).problems == [OTHER]


async def test_a_broken_configuration_falls_back_too_and_no_other_source_stands_in(tmp_path):
    sources = [Source(broken=BROKEN, problems=[OTHER]), Source(**configs("broken"))]
    found = await resolve(sources, CWD, flag="broken", home=tmp_path)
    assert (found.config, found.found, found.problems) == (BUILT_IN, False, [BROKEN])


async def test_a_broken_replacement_of_the_built_in_is_told(tmp_path):
    found = await resolve([Source(kiro_default=BROKEN)], CWD, home=tmp_path)
    assert (found.config, found.asked, found.found, found.problems) == (BUILT_IN, "kiro_default", False, [BROKEN])


async def test_only_the_problems_of_the_file_in_use_are_told_with_it(tmp_path):
    own = Problem(Path("/agents/a.json"), "prompt", "cannot be read")
    found = await resolve([Source(**configs("a"), problems=[own, OTHER])], CWD, flag="a", home=tmp_path)
    assert (found.found, found.problems) == (True, [own])


@pytest.mark.parametrize("content", ["{", "[]", '"a"', '{"chat.defaultAgent": 1}', "[" * 100_000])
async def test_a_broken_setting_of_kiro_is_a_problem_and_no_failure(home, content):
    path = home / "settings" / "cli.json"
    path.write_text(content)
    found = await resolve([Source(**configs("a"))], CWD, home=home)
    assert (found.config, found.found) == (BUILT_IN, True)
    (problem,) = found.problems
    assert problem.path == path
    assert (await resolve([Source(**configs("a"))], CWD, flag="a", home=home)).problems == []


async def test_a_setting_of_kiro_that_nobody_knows_falls_back_visibly(home):
    found = await resolve([], CWD, home=home)
    assert (found.config, found.asked, found.found, found.origin_of_choice) == (BUILT_IN, "kiros", False, "kiro")


async def test_the_built_in_has_a_digest_of_its_own_that_does_not_change():
    assert BUILT_IN.fields["includeMcpJson"] is True
    assert BUILT_IN.digest == "dbe35bf9ac9cb76fffb959707cbf1d23384d8a2144e6dc3e603b0661d625b684"


async def test_the_listing_has_one_entry_a_name_and_the_built_in():
    first = Source(a=AgentConfig("a", "first"), broken=BROKEN)
    second = Source(a=AgentConfig("a", "second"), b=AgentConfig("b"), problems=[OTHER])
    agents, problems = await all_agents([first, second], CWD)
    assert [(agent.name, agent.description) for agent in agents][:2] == [("a", "first"), ("b", "")]
    assert (agents[2].name, agents[2].origin) == ("kiro_default", "built-in")
    assert problems == [BROKEN, OTHER]


async def test_the_listing_shows_a_replacement_of_the_built_in_once():
    agents, _ = await all_agents([Source(kiro_default=AgentConfig("kiro_default", "Ours."))], CWD)
    assert [(agent.name, agent.description) for agent in agents] == [("kiro_default", "Ours.")]
