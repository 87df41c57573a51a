"""The two kinds of patterns for texts: regular expressions of `toolsSettings`, globs of `permissions.rules`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from kiro_core.agentconfig.expression import Expression
from kiro_core.agentconfig.syntax import Refused
from kiro_core.policy.use import ToolUse

_PLAIN_URL = re.compile(r"https?://[^\s\\\x00-\x1f\x7f]+")
"""An address that every program reads alike: a backslash or a blank ends the host for some and not for others."""


class Whole(Protocol):
    """Something that all of a text may match, in time that does not grow faster than the text."""

    def fullmatch(self, string: str, /) -> object:
        """True in a condition where it does."""
        ...


def regular(texts: Sequence[str], *, denying: bool = False, anywhere: bool = False) -> list[Whole]:
    """Regular expressions; one that cannot be used matches nothing, or everything where it is there to deny.

    With `anywhere` it is enough that they occur in a text.
    """
    return [_compiled(text, "(?s:.*)" if denying else "(?!)", anywhere=anywhere) for text in texts]


def globs(patterns: Sequence[str]) -> list[re.Pattern[str]]:
    """Globs, in which `*` and `?` stand for any characters; `NAME *` is also NAME alone."""
    return [re.compile(_glob(pattern)) for pattern in patterns]


def _glob(pattern: str) -> str:
    begin = pattern.removesuffix(" *")
    first, *rest = ["".join("." if sign == "?" else re.escape(sign) for sign in part) for part in begin.split("*")]
    # What follows a star is taken where it first comes, and never sought again: that finds every match.
    stars = [f"(?>.*?{part})" for part in rest[:-1]] + [f".*{part}" for part in rest[-1:]]
    text = first + "".join(stars)
    return f"(?s:{text}(?: .*)?)" if begin != pattern else f"(?s:{text})"


def _compiled(text: str, otherwise: str, *, anywhere: bool) -> Whole:
    try:
        return Expression(text, anywhere=anywhere)
    except Refused:
        return re.compile(otherwise)


def agents_of(use: ToolUse) -> Sequence[Sequence[str]]:
    """The names of the agents that are to be started."""
    return [[name] for name in use.agents]


def services_of(use: ToolUse) -> Sequence[Sequence[str]]:
    """The AWS service that is called."""
    service = use.input.get("service_name")
    return [[service]] if isinstance(service, str) else []


def operations_of(use: ToolUse) -> Sequence[Sequence[str]]:
    """The AWS operation that is called."""
    operation = use.input.get("operation_name")
    return [[operation]] if isinstance(operation, str) else []


def searches_of(use: ToolUse) -> Sequence[Sequence[str]]:
    """What the web is searched for."""
    query = use.input.get("query")
    return [[query]] if isinstance(query, str) else []


def addresses_of(use: ToolUse) -> Sequence[Sequence[str]]:
    """Each address as it stands, its host, and both with its path; one that programs read differently has no form."""
    return [_forms(url) for url in use.urls]


def whole_addresses_of(use: ToolUse) -> Sequence[Sequence[str]]:
    """Each address as it stands."""
    return [_forms(url)[:1] for url in use.urls]


def _forms(url: str) -> Sequence[str]:
    if not _PLAIN_URL.fullmatch(url):
        return []
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return []
    return [url, host, host + parts.path]
