"""Reads a length of time as people write it, the same wherever a command takes one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import click

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_WRITTEN = re.compile(r"([1-9][0-9]{0,4})([hdw])")


def duration(option: str, text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that takes `12h`, `30d` or `4w`, as a `timedelta`; zero, which cannot be written, without it."""
    return click.option(option, metavar="AGE", help=text, callback=_read)


def _read(_: click.Context, __: click.Parameter, value: str | None) -> timedelta:
    if value is None:
        return timedelta()
    if (written := _WRITTEN.fullmatch(value)) is None:
        raise click.BadParameter(
            f"{value!r} is no length of time. Write a number from 1 to 99999, and behind it h for hours, d for days or"
            " w for weeks, such as 30d."
        )
    return int(written[1]) * _UNITS[written[2]]
