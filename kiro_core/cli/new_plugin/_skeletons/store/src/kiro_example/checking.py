"""Looks at all that is stored of a session, for a person who has to see to it."""

from pathlib import Path

from kiro_core.errors import RecordInvalid
from kiro_core.types import Finding, Report, SessionId

from .files import INBOX, LOG, cut, read_batches, read_info, read_letters, whole_lines


def check(place: Path, session: SessionId, *, repair: bool) -> Report:
    """What is wrong with a session; `repair`, which only its owner may, cuts what was not written to its end."""
    findings = list[Finding]()
    for kind, read in (("metadata", read_info), ("damaged", read_batches), ("inbox", read_letters)):
        try:
            read(place)
        except RecordInvalid as error:
            findings.append(Finding(kind, str(error)))
    damaged = bool(findings)
    for path in (place / LOG, place / INBOX):
        if torn := path.stat().st_size - sum(len(line) + 1 for line in whole_lines(path)):
            findings.append(Finding("torn", f"The last {torn} bytes of {path} were not written to their end."))
            if repair:
                cut(path)
    count = 0 if damaged else sum(len(batch.bodies) for batch in read_batches(place))
    return Report(session, count, count, findings, repaired=repair and bool(findings) and not damaged)
