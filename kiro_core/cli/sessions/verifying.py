"""Checks what is stored of sessions, and mends it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.failing import DONE, FAILED
from kiro_core.cli.options import Given, command
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.text import show, tell, tell_failure

if TYPE_CHECKING:
    from kiro_core.ports import Desk
    from kiro_core.types import Report, SessionId

_EXAMPLES = ("kiro-core sessions verify", "kiro-core sessions verify 3f2a --repair")


@click.command(epilog=example(*_EXAMPLES))
@click.argument("session", metavar="[ID]", required=False, default="", shell_complete=session_ids)
@click.option("--repair", is_flag=True, help="Mend what is wrong; what is cut out is kept beside.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with a report for each session.")
@command
def verify(given: Given, *, session: str, repair: bool, as_json: bool) -> int:
    """Check that what is stored of a session is whole and in order; without ID, of all sessions.

    Those in the trash are among all. A gap, where damage has taken records for good, is told, and nothing that
    could be mended. The beginning of an ID is enough.

    Exit codes: 0 in order now, 1 something is wrong, 2 usage.
    """
    reports, failed = at_desk(given, partial(_reports, session, repair=repair))
    if as_json:
        show(json.dumps([asdict(report) for report in reports], indent=2) + "\n")
    else:
        _print(reports, all_=not session)
    wrong = [report for report in reports if not report.sound]
    if wrong and not repair:
        which = f" {wrong[0].session}" if len(wrong) == 1 else ""
        tell(f"`kiro-core sessions verify{which} --repair` mends it.")
    return FAILED if wrong or failed else DONE


def _print(reports: Sequence[Report], *, all_: bool) -> None:
    for report in reports:
        for finding in report.findings:
            mended = " It is mended." if report.repaired and finding.kind != "gap" else ""
            show(f"{report.session}: {finding.sentence}{mended}\n")
        if not (report.findings or all_):
            show(f"{report.session}: in order, {report.records} records\n")
    if all_:
        found = sum(bool(report.findings) for report in reports)
        number = "1 session" if len(reports) == 1 else f"{len(reports)} sessions"
        tell(f"{number} checked, {found or 'none'} with something to tell")


async def _reports(written: str, desk: Desk, *, repair: bool) -> tuple[Sequence[Report], bool]:
    """A report for each session, and whether there is one without; why is told."""
    from kiro_core.cli.finding import find_stored
    from kiro_core.cli.progress import progress
    from kiro_core.errors import KiroError, SessionNotFound

    sessions = [await find_stored(desk, written)] if written else await _all(desk)
    reports, failed = [], False
    async with progress(f"checking {'the session' if written else f'{len(sessions)} sessions'}"):
        for session in sessions:
            try:
                reports.append(await desk.verify(session))
                if repair and not reports[-1].sound:
                    reports[-1] = await desk.verify(session, repair=True)
            except KiroError as error:
                if written:
                    raise
                if isinstance(error, SessionNotFound):
                    continue  # deleted since it was listed
                failed = True
                tell_failure(error.sentence, error.hint)
    return reports, failed


async def _all(desk: Desk) -> list[SessionId]:
    from kiro_core.cli.finding import all_pages
    from kiro_core.types import SessionQuery

    sessions: list[SessionId] = []
    for trashed in (False, True):
        async for page in all_pages(desk, SessionQuery(trashed=trashed)):
            sessions += (info.id for info in page.items)
    return [*sessions, *page.damaged]
