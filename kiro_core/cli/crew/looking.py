"""Looks at crews and at runs, without starting anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.failing import DONE, FAILED
from kiro_core.cli.options import Given, command, folder
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import one_line, show, tell

if TYPE_CHECKING:
    from kiro_core.crew import Crew
    from kiro_core.dispatcher import Dispatcher
    from kiro_core.types import Problem, SessionInfo


@click.command("show", epilog=example("kiro-core crew show", "kiro-core crew show 3f2a --json"))
@click.argument("run_id", metavar="[RUN]", required=False, shell_complete=session_ids)
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@command
def show_(given: Given, *, run_id: str | None, as_json: bool) -> int:
    """Show how a run stands and what its stages came to, or without RUN which runs there are."""
    if run_id is None:
        at_desk(given, partial(_list, as_json=as_json))
    else:
        at_desk(given, partial(_show_json if as_json else _show_text, run_id))
    return DONE


async def _list(desk: Dispatcher, *, as_json: bool) -> None:
    from dataclasses import asdict

    from kiro_core.cli.crew.lines import outcome_words

    runs = [(info, await _outcome(desk, info)) for info in await desk.crew.runs()]
    if as_json:
        show(json.dumps([{**asdict(info), "outcome": outcome} for info, outcome in runs], indent=2) + "\n")
    else:
        rows = [
            (info.id, outcome_words(outcome), info.created, info.updated, info.cwd, info.title)
            for info, outcome in runs
        ]
        print_table(("run", "outcome", "began", "updated", "folder", "crew"), rows)


async def _outcome(desk: Dispatcher, info: SessionInfo) -> str:
    """Of one whose record cannot be read: that."""
    from kiro_core.errors import KiroError

    try:
        return str((await desk.crew.report(info.id))["outcome"])
    except KiroError:
        return "cannot be read"


async def _show_text(written: str, desk: Dispatcher) -> None:
    from kiro_core.cli.crew.lines import report_text
    from kiro_core.cli.finding import find_session

    info = await find_session(desk, written)
    async with aclosing(desk.crew.follow(info.id)) as views:
        view = await anext(views)
    report = await desk.crew.report(info.id)
    show(f"run: {info.id}\nfolder: {info.cwd}\n")
    show("".join(f"{line}\n" for line in report_text(view, report)))
    for stage in report["stages"]:
        for attempt in stage["attempts"]:
            if attempt["session"]:
                show(f"session of {stage['id']}, attempt {attempt['number']}: {attempt['session']}\n")
    if view.outcome == "waiting" and not await desk.holder(info.id):
        tell(f"Its process has ended; go on with it: kiro-core crew resume {info.id[:8]}")


async def _show_json(written: str, desk: Dispatcher) -> None:
    from kiro_core.cli.finding import find_session

    info = await find_session(desk, written)
    show(json.dumps(await desk.crew.report(info.id), indent=2) + "\n")


@click.command(epilog=example("kiro-core crew graph notes.toml", "kiro-core crew graph notes.toml --mermaid"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mermaid", is_flag=True, help="As a Mermaid flowchart.")
@command
def graph(_: Given, *, file: Path, mermaid: bool) -> int:
    """Draw the crew of FILE: who does what, and what comes before."""
    from kiro_core.crew import as_mermaid, as_text, read_crew

    loaded = read_crew(file)
    if loaded.crew is None:
        _print_problems(loaded.problems)
        return FAILED
    show((as_mermaid if mermaid else as_text)(loaded.crew))
    return DONE


@click.command(epilog=example("kiro-core crew check notes.toml"))
@click.argument("file", type=click.Path(path_type=Path))
@folder("As for a run in this folder.")
@command
def check(given: Given, *, file: Path, cwd: Path | None) -> int:
    """Tell all that is wrong with the crew of FILE, each with its line; the exit code is 1 then."""

    async def checked(desk: Dispatcher) -> tuple[Crew | None, Sequence[Problem]]:
        from kiro_core.crew import read_crew

        loaded = read_crew(file, known=await desk.crew.known(cwd or Path.cwd()))
        return loaded.crew, loaded.problems

    crew, problems = at_desk(given, checked)
    _print_problems(problems)
    if crew is None:
        return FAILED
    count = "1 stage" if len(crew.stages) == 1 else f"{len(crew.stages)} stages"
    show(f"{one_line(crew.name)}: {count}, nothing is wrong.\n")
    return DONE


def _print_problems(problems: Sequence[Problem]) -> None:
    from kiro_core.cli.agents.problems import print_problems

    print_problems(problems, as_json=False)
