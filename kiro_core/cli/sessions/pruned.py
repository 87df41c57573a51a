"""Tells what pruning did or would do: to a person in lines, to a program as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from kiro_core.cli.text import one_line, show, tell

if TYPE_CHECKING:
    from kiro_core.types import Pruned

_DAY = len("2026-01-31")
_WORDS = {"trashed": "to the trash", "deleted": "deleted for good"}


def going(pruned: Sequence[Pruned]) -> Sequence[Pruned]:
    """Those that do not stay."""
    return [each for each in pruned if each.outcome in _WORDS]


def lines(gone: Sequence[Pruned]) -> Iterator[str]:
    """A line for each that does not stay, with what a person knows it by."""
    for each in gone:
        about = [one_line(each.name or each.title), f"last used {each.updated[:_DAY]}"]
        yield f"{each.session}: {', '.join(filter(None, about))}: {_WORDS[each.outcome]}"


def question(planned: Sequence[Pruned]) -> str:
    """What a person has to agree to, before it is done."""
    wishes = {"trashed": "put {} into the trash", "deleted": "delete {} for good"}
    text = " and ".join(wishes[outcome].format(number) for outcome, number in _counted(planned).items())
    return f"{text[0].upper()}{text[1:]}?"


def print_pruned(pruned: Sequence[Pruned], *, as_json: bool, dry_run: bool) -> None:
    """Print what went, and say how to get it back and what stays for which reason."""
    if as_json:
        show(json.dumps([asdict(each) for each in pruned], indent=2) + "\n")
    gone = going(pruned)
    if not as_json:
        show("".join(f"{line}\n" for line in lines(gone)))
    for each in pruned:
        if each.outcome not in _WORDS:
            tell(f"{each.session}: stays. {each.reason}")
    words = [f"{number} {_WORDS[outcome]}" for outcome, number in _counted(gone).items()]
    tell(f"{'Would go' if dry_run else 'Gone'}: {', '.join(words) or 'none'}.")
    if until := max((each.until for each in gone), default=""):
        tell(f"`kiro-core sessions restore ID` gets one back from the trash, until {until} at least.")


def _counted(gone: Sequence[Pruned]) -> dict[str, str]:
    """How many went where, in words."""
    numbers = Counter(each.outcome for each in gone)
    sessions = {outcome: f"{numbers[outcome]} session{'s' * (numbers[outcome] > 1)}" for outcome in _WORDS}
    return {outcome: text for outcome, text in sessions.items() if numbers[outcome]}
