"""What a source of agent configurations promises: one answer a name, and a broken document harms no other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import pytest

from kiro_core.errors import AgentConfigInvalid
from kiro_core.ports import AgentSource
from kiro_core.testing.promising import promise

ODD_NAMES = ("", " ", ".", "..", "../secret", "/etc/passwd", "a\nb", "a\0b", "ü 世界", "\udc80", "*", "x" * 5000)
"""Names that come from people and from other programs; no source has them."""


class FindingPromises:
    """Finding, listing, and what is wrong."""

    @promise("agents.find", core=True)
    async def test_a_configuration_is_found_by_its_name(
        self, agents: Mapping[str, str], source: AgentSource, cwd: Path
    ) -> None:
        """`find` gives the configuration of exactly that name, with its prompt, its origin and its fields as JSON."""
        for name, prompt in agents.items():
            config = await source.find(name, cwd)
            assert config is not None
            assert (config.name, config.prompt) == (name, prompt)
            assert config.origin
            json.dumps(dict(config.fields))

    @promise("agents.listing", core=True)
    async def test_what_is_listed_is_what_is_found(
        self, agents: Mapping[str, str], source: AgentSource, cwd: Path
    ) -> None:
        """`names` lists each name once, all of them and no other, and each entry is what `find` gives."""
        listed = await source.names(cwd)
        assert sorted(entry.name for entry in listed) == sorted(agents)
        for entry in listed:
            config = await source.find(entry.name, cwd)
            assert config is not None
            told = (config.description, config.origin, config.workspace)
            assert (entry.description, entry.origin, entry.workspace) == told

    @promise("agents.unknown", core=True)
    async def test_a_name_that_the_source_does_not_have_is_none(
        self, agents: Mapping[str, str], source: AgentSource, cwd: Path
    ) -> None:
        """`find` of any name that the source does not have is None and no error: the next source is asked then."""
        for name in (*ODD_NAMES, *(f"{name}." for name in agents), *(name[:-1] for name in agents)):
            if name not in agents:
                assert await source.find(name, cwd) is None, repr(name)

    @promise("agents.precedence")
    async def test_of_two_documents_of_one_name_one_counts(
        self, agents: Mapping[str, str], twice: Sequence[str], source: AgentSource, cwd: Path
    ) -> None:
        """Of two documents of one name the same one counts every time, and it is listed once; needs `twice`."""
        if not twice:
            pytest.skip("no name is there twice: give the fixture `twice`")
        for name in twice:
            for _ in range(3):
                config = await source.find(name, cwd)
                assert config is not None
                assert config.prompt == agents[name]
        assert [entry.name for entry in await source.names(cwd)].count(twice[0]) == 1

    @promise("agents.broken")
    async def test_a_broken_document_is_told_and_the_others_are_found(
        self, agents: Mapping[str, str], broken: Sequence[str], source: AgentSource, cwd: Path
    ) -> None:
        """What cannot be read is not listed; `find` raises `AgentConfigInvalid`, `problems` names place and reason.

        All others are found. Needs `broken`.
        """
        if not broken:
            pytest.skip("nothing of this source can be broken: else give the fixture `broken`")
        for name in broken:
            with pytest.raises(AgentConfigInvalid) as refused:
                await source.find(name, cwd)
            assert refused.value.hint
        problems = [problem for problem in await source.problems(cwd) if problem.severity == "error"]
        assert len({problem.path for problem in problems}) == len(broken)
        assert all(problem.reason and str(problem).isprintable() for problem in problems)
        assert sorted(entry.name for entry in await source.names(cwd)) == sorted(agents)
        assert all([await source.find(name, cwd) for name in agents])

    @promise("agents.sound")
    async def test_where_all_can_be_read_nothing_is_a_problem(
        self, agents: Mapping[str, str], source: AgentSource, cwd: Path
    ) -> None:
        """`problems` has no error where nothing is broken."""
        assert agents
        assert [problem for problem in await source.problems(cwd) if problem.severity == "error"] == []

    @promise("agents.no-folder")
    async def test_a_folder_that_does_not_exist_is_no_error(self, source: AgentSource, cwd: Path) -> None:
        """A working directory that is gone has no configurations of its own, and that is all."""
        gone = cwd / "no such folder"
        assert await source.find("no such agent", gone) is None
        await source.names(gone)
        assert [problem for problem in await source.problems(gone) if problem.severity == "error"] == []

    @promise("agents.at-a-time")
    async def test_many_can_ask_at_a_time_and_give_up(
        self, agents: Mapping[str, str], source: AgentSource, cwd: Path
    ) -> None:
        """Many sessions begin at a time and some are cancelled: everybody else gets the same answers."""
        prompts = list[tuple[str, str]]()

        async def ask(name: str) -> None:
            config = await source.find(name, cwd)
            if config is not None:
                prompts.append((name, config.prompt))

        with anyio.fail_after(30):
            async with anyio.create_task_group() as given_up:
                for name in agents:
                    given_up.start_soon(source.find, name, cwd)
                given_up.cancel_scope.cancel()
            async with anyio.create_task_group() as tasks:
                for name in [*agents] * 10:
                    tasks.start_soon(ask, name)
        assert sorted(prompts) == sorted([*agents.items()] * 10)
