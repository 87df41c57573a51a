"""Turns globs of paths into expressions that need no more time than a path is long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from kiro_core.agentconfig.expression import ANYTHING, Expression
from kiro_core.agentconfig.syntax import Chain, Node, Refused, Repeat, Sign
from kiro_core.policy.expressions import Whole

GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\[[!^]?[^\]/]+\]")
"""What stands for more than itself in a glob."""

EVERYTHING = re.compile("(?s:.*)")

BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_MOST_FORMS = 500


def without_braces(glob: str) -> list[str]:
    """`{a,b}` as the globs for which it stands; of very many some braces stay."""
    forms = [glob]
    while (found := BRACES.search(forms[0])) and len(forms) * found[1].count(",") < _MOST_FORMS:
        forms = [form for each in forms for form in _without_first(each)]
    return forms


def _without_first(glob: str) -> list[str]:
    """The globs for which the first braces stand."""
    found = BRACES.search(glob)
    if found is None:
        return [glob]
    return [glob[: found.start()] + part + glob[found.end() :] for part in found[1].split(",")]


def glob_expression(glob: str, *, below: bool, denying: bool = False) -> Whole:
    """What a glob matches, with `below` all that is in a folder too.

    One that is too large matches nothing, or everything where it is there to deny.
    """
    if glob.endswith("/**"):
        glob, below = glob[:-3], True
    parts, at = list[Node](), 0
    for sign in GLOB.finditer(glob):
        parts += [*_literally(glob[at : sign.start()]), *_sign(sign.group())]
        at = sign.end()
    parts += [*_literally(glob[at:]), *([_BELOW] if below else [])]
    try:
        return Expression(Chain(tuple(parts)))
    except Refused:
        return EVERYTHING if denying else re.compile("(?!)")


def _literally(text: str) -> list[Node]:
    return [_one(re.escape(sign)) for sign in text]


@lru_cache(1024)
def _one(expression: str) -> Sign:
    return Sign(re.compile(expression, re.DOTALL))


_BELOW = Repeat(Chain((_one("/"), ANYTHING)), 0, 1)
_SIGNS: Mapping[str, Node] = {
    "**/": Repeat(Chain((ANYTHING, _one("/"))), 0, 1),
    "**": ANYTHING,
    "*": Repeat(_one("[^/]"), 0, None),
    "?": _one("[^/]"),
}


def _sign(sign: str) -> list[Node]:
    if sign in _SIGNS:
        return [_SIGNS[sign]]
    negated = sign[1] in "!^"
    inner = re.sub(r"(?<=\w)\\-(?=\w)", "-", re.escape(sign[2 if negated else 1 : -1]))
    try:
        return [Sign(re.compile(f"(?!/)[{'^' if negated else ''}{inner}]", re.DOTALL))]
    except re.error:
        return _literally(sign)
