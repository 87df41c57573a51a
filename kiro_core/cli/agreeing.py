"""Asks before something is taken away; only a person at a terminal can agree, or the option that says so beforehand."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from kiro_core.cli.text import ask


def require_person(instead: str) -> None:
    """Make sure that somebody can be asked.

    Raises:
        click.UsageError: nobody is at a terminal; `instead` says what to write then.

    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError(f"Nobody is at a terminal who could be asked: {instead}.")


def agrees(lines: Iterable[str], question: str) -> bool:
    """Show what it is about, a line each, and ask; only a yes is one."""
    ask("\n".join([*lines, f"{question} [y/N] "]))
    answer = sys.stdin.readline()
    if not answer:
        ask("\n")
    return answer.strip().lower() in ("y", "yes")
