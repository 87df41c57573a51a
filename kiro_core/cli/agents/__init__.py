"""Shows which agent configurations there are for a folder, what stands in one, and what is wrong with any."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import agent_names
from kiro_core.cli.failing import DONE, FAILED
from kiro_core.cli.options import Given, command, folder
from kiro_core.cli.text import show, tell


@click.group(epilog=example("kiro-core agents list", "kiro-core agents show review", "kiro-core agents validate"))
def agents() -> None:
    """List, show, create and validate agent configurations."""


@agents.command("list", epilog=example("kiro-core agents list --cwd ."))
@click.option("--json", "as_json", is_flag=True, help="Print an object with agents and problems.")
@folder("As for a session in this folder.")
@command
def list_(given: Given, *, as_json: bool, cwd: Path | None) -> int:
    """List the agent configurations for a folder, and what could not be read."""
    from kiro_core.cli.agents.listing import list_agents

    return list_agents(given, cwd or Path.cwd(), as_json=as_json)


@agents.command("show", epilog=example("kiro-core agents show review --json"))
@click.argument("name", shell_complete=agent_names)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@folder("As for a session in this folder.")
@command
def show_(given: Given, *, name: str, as_json: bool, cwd: Path | None) -> int:
    """Show what an agent configuration comes to, and where each of its values comes from."""
    from kiro_core.cli.agents.showing import show_agent

    return show_agent(given, name, cwd or Path.cwd(), as_json=as_json)


@agents.command(epilog=example("kiro-core agents validate", "kiro-core agents validate review .kiro/agents/docs.json"))
@click.argument("written", metavar="[PATH|NAME]...", nargs=-1, shell_complete=agent_names)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of the problems.")
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@folder("As for a session in this folder.")
@command
def validate(given: Given, *, written: tuple[str, ...], as_json: bool, strict: bool, cwd: Path | None) -> int:
    """Tell what is wrong with agent configurations: all for a folder, or those named.

    Every problem is one line: file, line, field and reason. The exit code is 1 when there is an error; a
    warning is about a configuration that is used all the same.
    """
    from kiro_core.cli.agents.problems import find_problems, print_problems

    problems = find_problems(given, written, cwd or Path.cwd())
    print_problems(problems, as_json=as_json)
    return FAILED if any(strict or problem.severity == "error" for problem in problems) else DONE


@agents.command(epilog=example("kiro-core agents schema > agent.schema.json"))
@command
def schema(_: Given) -> int:
    """Print the JSON schema of agent configurations, for an editor that completes and checks them."""
    from kiro_core.agentconfig import json_schema

    show(json.dumps(json_schema(), indent=2) + "\n")
    return DONE


@agents.command(
    epilog=example('kiro-core agents create review --description "Reads changes." --prompt file://review.md')
)
@click.argument("name")
@click.option("--global", "own", is_flag=True, help="For all folders, below ~/.kiro/agents, not for this one.")
@click.option("--from", "source", metavar="NAME", default="", help="Begin with what this one says.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@click.option("--prompt", metavar="TEXT", help="What it is told first, or file:// and a path.")
@click.option("--model", metavar="ID", help="The model that it asks for.")
@click.option("--md", "markdown", is_flag=True, help="Write Markdown, with the prompt as its text.")
@folder("As for a session in this folder.")
@command
def create(  # noqa: PLR0913 - one argument an option
    given: Given,
    *,
    name: str,
    own: bool,
    source: str,
    description: str | None,
    prompt: str | None,
    model: str | None,
    markdown: bool,
    cwd: Path | None,
) -> int:
    """Write a new agent configuration; nothing that is there is changed."""
    from kiro_core.cli.agents.creating import create_agent

    said = {"description": description, "prompt": prompt, "model": model}
    changes = {field: value for field, value in said.items() if value is not None}
    path = create_agent(given, name, cwd or Path.cwd(), changes, own=own, source=source, markdown=markdown)
    show(f"{path}\n")
    tell(f"Check it after each change: kiro-core agents validate {path}")
    return DONE
