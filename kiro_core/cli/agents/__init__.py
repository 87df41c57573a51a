"""Shows which agent configurations there are for a folder, what stands in one, and what is wrong with any."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import agent_names
from kiro_core.cli.failing import DONE, FAILED
from kiro_core.cli.options import Given, command, folder
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import show, tell


@click.group(epilog=example("kiro-core agents list", "kiro-core agents show review", "kiro-core agents validate"))
def agents() -> None:
    """List, show and validate agent configurations."""


@agents.command("list", epilog=example("kiro-core agents list --cwd ."))
@click.option("--json", "as_json", is_flag=True, help="Print an object with agents and problems.")
@folder("As for a session in this folder.")
@command
def list_(given: Given, *, as_json: bool, cwd: Path | None) -> int:
    """List the agent configurations for a folder, and what could not be read."""
    from kiro_core.cli.agents.problems import problem_line, problem_object
    from kiro_core.cli.sources import read_agents

    found, problems = read_agents(given, cwd or Path.cwd())
    if as_json:
        listed = {"agents": [asdict(agent) for agent in found], "problems": [problem_object(one) for one in problems]}
        show(json.dumps(listed, indent=2) + "\n")
        return DONE
    rows = [(agent.name, agent.description, agent.origin, " ".join(agent.withheld)) for agent in found]
    print_table(("agent", "description", "origin", "withheld"), rows)
    for problem in problems:
        tell(f"problem: {problem_line(problem)}")
    return DONE


@agents.command("show", epilog=example("kiro-core agents show review --json"))
@click.argument("name", shell_complete=agent_names)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@folder("As for a session in this folder.")
@command
def show_(given: Given, *, name: str, as_json: bool, cwd: Path | None) -> int:
    """Show an agent configuration, and where each of its values comes from."""
    from kiro_core.cli.agents.showing import show_agent

    return show_agent(given, name, cwd or Path.cwd(), as_json=as_json)


@agents.command(epilog=example("kiro-core agents validate", "kiro-core agents validate review .kiro/agents/docs.json"))
@click.argument("written", metavar="[PATH|NAME]...", nargs=-1, shell_complete=agent_names)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of the problems.")
@folder("As for a session in this folder.")
@command
def validate(given: Given, *, written: tuple[str, ...], as_json: bool, cwd: Path | None) -> int:
    """Tell what is wrong with agent configurations: all for a folder, or those named.

    Every problem is one line: file, line, field and reason. The exit code is 1 when there is one.
    """
    from kiro_core.cli.agents.problems import find_problems, print_problems

    problems = find_problems(given, written, cwd or Path.cwd())
    print_problems(problems, as_json=as_json)
    return FAILED if problems else DONE
