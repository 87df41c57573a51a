"""Puts old sessions into the trash by rule, after a question that only a person or `--yes` can answer."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiro_core.cli.agreeing import agrees, require_person
from kiro_core.cli.commands import example
from kiro_core.cli.durations import duration
from kiro_core.cli.failing import DENIED, DONE, FAILED
from kiro_core.cli.options import Given, command, folder, named
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.sessions.pruned import going, lines, print_pruned, question
from kiro_core.cli.text import tell

if TYPE_CHECKING:
    from kiro_core.ports import Desk
    from kiro_core.types import Pruned, PruneRule, SessionId

_EXAMPLES = ("kiro-core sessions prune --older-than 30d", "kiro-core sessions prune --tag draft --keep 20 --dry-run")


@click.command(epilog=example(*_EXAMPLES))
@duration("--older-than", "Sessions that were last used longer ago: 12h, 30d, 4w.")
@click.option("--keep", metavar="N", type=click.IntRange(min=1), help="Sessions behind the newest N.")
@named("--tag", "TAG", "Only sessions with this tag.")
@folder("Only sessions of this folder.")
@click.option("--dry-run", is_flag=True, help="Tell what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with what becomes of each session.")
@command
def prune(  # noqa: PLR0913 - one keyword for each option
    given: Given,
    *,
    older_than: timedelta,
    keep: int | None,
    tag: str,
    cwd: Path | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Put old sessions into the trash, and delete for good what has been there long enough.

    All that you give of AGE, N and TAG must apply; N counts the sessions of TAG and folder. What somebody
    has open stays. `kiro-core sessions restore` gets a session back; after 7 days in the trash
    (`retention.trash_days`) the next pruning deletes it.

    Exit codes: 0 done, 1 failure, 2 usage, 5 the answer was no.
    """
    from kiro_core.types import PruneRule

    rule = PruneRule(older_than, keep or 0, tag, str(cwd or ""))
    if not rule:
        raise click.UsageError("Say which sessions are to go: --older-than AGE, --keep N, or --tag TAG.")
    asks = not (dry_run or yes)
    if asks:
        require_person("say --yes to prune without a question, or --dry-run to see what would go")
    pruned = _pruned(given, rule, dry_run=dry_run or asks)
    if asks and (planned := going(pruned)):
        if not agrees(lines(planned), question(planned)):
            tell("Nothing was pruned.")
            return DENIED
        pruned = _pruned(given, rule, only={each.session for each in planned})
    print_pruned(pruned, as_json=as_json, dry_run=dry_run)
    return FAILED if any(each.outcome == "failed" for each in pruned) else DONE


def _pruned(
    given: Given, rule: PruneRule, *, dry_run: bool = False, only: Container[SessionId] | None = None
) -> Sequence[Pruned]:
    async def work(desk: Desk) -> Sequence[Pruned]:
        from kiro_core.cli.progress import progress

        async with progress("looking at the sessions" if dry_run else "pruning"):
            return await desk.prune(rule, dry_run=dry_run, only=only)

    return at_desk(given, work)
