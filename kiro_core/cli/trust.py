"""Shows what a folder asks for before anything of it runs, and remembers whether its user agreed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiro_core.cli.agreeing import agrees, require_person
from kiro_core.cli.commands import example
from kiro_core.cli.failing import DENIED, DONE
from kiro_core.cli.options import Given, command
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import one_line, show, tell

if TYPE_CHECKING:
    from kiro_core.ports import AgentSource
    from kiro_core.trust import Document, Trust

_FOLDER = click.Path(file_okay=False, resolve_path=True, path_type=Path)


@click.command(epilog=example("kiro-core trust", "kiro-core trust ~/projects/site --yes", "kiro-core trust --list"))
@click.argument("folder", metavar="[DIR]", type=_FOLDER, required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--withdraw", is_flag=True, help="Trust nothing of the folder any more.")
@click.option("--list", "listing", is_flag=True, help="List what is trusted, in all folders.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and do not ask.")
@command
def trust(  # noqa: PLR0913 - one argument an option
    given: Given, *, folder: Path | None, yes: bool, withdraw: bool, listing: bool, as_json: bool
) -> int:
    """Trust what a folder asks for, once you have seen it.

    That is what the agent configurations and the mcp.json of DIR (else of the current folder) would start, allow, or
    read elsewhere. A file that changes, or comes later, has to be trusted again.

    Exit codes: 0 done, 1 failure, 2 usage, 5 the answer was no.
    """
    from kiro_core.settings import kiro_home
    from kiro_core.trust import Trust

    if sum((yes, withdraw, listing)) > 1:
        raise click.UsageError("--yes, --withdraw and --list exclude each other.")
    trust, place = Trust(kiro_home(os.environ)), folder or Path.cwd()
    if listing:
        return _list(trust, as_json=as_json)
    if withdraw:
        return _withdraw(trust, place, as_json=as_json)
    if not place.is_dir():
        raise click.UsageError(f"There is no folder {place}.")
    documents = _documents(given, place)
    if as_json:
        return _print(trust, place, documents, grant=yes)
    return _ask(trust, place, documents, yes=yes)


def _documents(given: Given, folder: Path) -> Sequence[Document]:
    from kiro_core.cli.sources import with_sources
    from kiro_core.mcp_servers import workspace_document
    from kiro_core.settings import kiro_home
    from kiro_core.trust import survey

    async def found(sources: Sequence[AgentSource]) -> Sequence[Document]:
        return await survey(sources, folder)

    servers = workspace_document(folder, kiro_home(os.environ))
    return [*with_sources(given, found), *([servers] if servers is not None else [])]


def _ask(trust: Trust, folder: Path, documents: Sequence[Document], *, yes: bool) -> int:
    from kiro_core.cli.trust_question import lines_of

    _tell_problem(trust)
    new = [document for document in documents if not trust.trusted(document)]
    if not new:
        tell(f"{folder}: {'all that it asks for is trusted' if documents else 'nothing in it needs to be trusted'}.")
        return DONE
    lines = list(map(one_line, lines_of(folder, new)))
    if yes:
        show("".join(f"{line}\n" for line in lines))
    else:
        require_person("look at it with --json, and say --yes to trust it without a question")
        if not agrees(lines, "Trust it?"):
            tell("Nothing was trusted.")
            return DENIED
    trust.grant(str(folder), new)
    tell(f"{folder}: trusted.")
    return DONE


def _print(trust: Trust, folder: Path, documents: Sequence[Document], *, grant: bool) -> int:
    if grant:
        trust.grant(str(folder), documents)
    problem = trust.problem()
    listed = [
        {
            "origin": document.origin,
            "digest": document.digest,
            "starts": list(document.starts),
            "trusted": trust.trusted(document),
        }
        for document in documents
    ]
    about = {"folder": os.path.realpath(folder), "documents": listed, "problem": str(problem) if problem else ""}
    show(json.dumps(about, indent=2) + "\n")
    return DONE


def _withdraw(trust: Trust, folder: Path, *, as_json: bool) -> int:
    was_there = trust.withdraw(str(folder))
    if as_json:
        show(json.dumps({"folder": os.path.realpath(folder), "withdrawn": was_there}, indent=2) + "\n")
    else:
        tell(f"{folder}: {'trusted no more' if was_there else 'was not trusted'}.")
    return DONE


def _list(trust: Trust, *, as_json: bool) -> int:
    _tell_problem(trust)
    if as_json:
        show(json.dumps({"folders": trust.all()}, indent=2) + "\n")
        return DONE
    rows = [(folder, origin) for folder, documents in trust.all().items() for origin in documents]
    print_table(("folder", "document"), rows)
    return DONE


def _tell_problem(trust: Trust) -> None:
    if (problem := trust.problem()) is not None:
        tell(f"problem: {problem}.")
