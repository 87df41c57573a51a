"""The secrets that are known by their form, in one table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kiro_redact.kind import Kind

_ALONE = r"(?:(?<![A-Za-z0-9+/])|(?<=\\[nrt])|(?<=[0-9;\[]m))"
"""Not inside a word: at a boundary, behind an escaped line break or behind a colour."""

_WORD, _DASHED = "A-Za-z0-9", "A-Za-z0-9_-"
_VALUE = "A-Za-z0-9_~+/=%#@^*-"
"""Nothing that a shell acts on, so that no command is hidden with a secret which only its surroundings give away."""

_NAMES = "token|secret|passw(?:or)?d|passphrase|(?:api|access|secret|private)[_-]?key|credentials?"
_NAMED = ("token", "secret", "pass", "key", "credential")
_QUOTE, _WIDE = r"(?:\\{0,4}[\"'])?", r"\s{0,4}"
_DIGIT, _DIGITS = "(?=[^0-9]{0,127}[0-9])", "(?=[^0-9]{0,127}[0-9][^0-9]{0,127}[0-9])"
_HEADER = "hbGc|0eXA|raWQ|4NX|lbmM|jdHk"
"""How the header of a token begins behind its first letters: `alg`, `typ`, `kid`, `x5...`, `enc`, `cty`."""

_NO_CODE = r"(?!(?![A-Za-z0-9/+]{40}\Z)[/~]|[A-Za-z_]\w{0,64}\.[A-Za-z_])"
"""No path, unless it is as long as a secret key of AWS, and no attribute of something."""


def _token(name: str, prefixes: str, chars: str, least: int, **more: Any) -> Kind:
    """One that begins with letters of its own: `prefixes` are separated by blanks, `hints` a part of each."""
    begins = prefixes.split()
    anyone = "|".join(prefix.replace(".", r"\.") for prefix in begins)
    hints = more.pop("hints", tuple(prefix.lower() for prefix in begins))
    more = {"begun": "", **more}
    return Kind(name, hints, f"{more.pop('lead', '')}(?:{anyone})", chars, least, **more)


_TOKENS = (
    Kind("aws key", ("akia", "asia"), f"{_ALONE}A[KS]IA", "A-Z2-7", 16, most=16, after="(?![A-Za-z0-9])", begun=""),
    _token("github token", "ghp_ gho_ ghu_ ghs_ ghr_", _WORD, 30),
    _token("github token", "github_pat_", "A-Za-z0-9_", 22),
    _token(
        "gitlab token",
        "glpat- gldt- glrt- glcbt- glptt- glft-",
        _DASHED,
        16,
        between="[.]",
    ),
    _token("slack token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-", "A-Za-z0-9-", 10, between="[.]", hints=("xox",)),
    _token("slack token", "xapp-", "A-Za-z0-9-", 16),
    _token("slack webhook", "hooks.slack.com/services/ hooks.slack.com/workflows/", "A-Za-z0-9/", 20),
    # Two digits, since classes in style sheets begin like that too.
    _token("api key", "sk-", _DASHED, 20, lead=_ALONE, look=_DIGITS, begun=_DIGIT),
    _token("google key", "AIza", _DASHED, 35, lead=_ALONE),
    _token("google token", "ya29.", _DASHED, 20, between="[.]"),
    _token("google secret", "GOCSPX-", _DASHED, 20),
    _token("stripe key", "sk_live_ sk_test_ rk_live_ rk_test_", _WORD, 16, hints=("k_live_", "k_test_")),
    _token("npm token", "npm_", _WORD, 36),
    _token("pypi token", "pypi-AgE", _DASHED, 40),
    _token("hugging face token", "hf_", _WORD, 30),
    _token("jwt", "eyJ", _DASHED, 20, lead=_ALONE, look=r"[\w-]{7,2048}\.[\w-]{7}", between="[.]", begun=_HEADER),
)

_BLOCK = Kind(
    "private key",
    ("private key",),
    r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----[\s\\\"'+>|]{0,16}",
    "A-Za-z0-9+/=",
    24,
    between=r"[\s\\\"'>|:,.()@]|-(?!-)",
    look=r"(?s:.{0,300}?)[A-Za-z0-9+/=]{24}",
    begun="[A-Za-z0-9+/]{16}",
)

_IN_URL = Kind(
    "password",
    ("://",),
    r"://[^\s/:@\"'<>]{0,64}:",
    "A-Za-z0-9_~+%#^*=,.!?-",
    1,
    most=256,
    between="[$:]",
    after="@",
)
_SCHEMES = "https?|s?ftp|postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|smtps?|ldaps?"
"""Behind whose hosts stands a number if anything; an image has a tag there, or a digest."""

_SURROUNDED = (
    _IN_URL,
    replace(_IN_URL, lead=f"(?:{_SCHEMES}){_IN_URL.lead}", begun=r"(?![0-9]{1,5}(?:[^A-Za-z0-9]|\Z))"),
    Kind("bearer token", ("bearer",), r"(?i:bearer)\s{1,4}", "A-Za-z0-9_~+/=-", 16, between="[.]", look=_DIGIT),
    Kind(
        "credentials",
        ("authorization",),
        rf"(?i:authorization){_QUOTE}{_WIDE}[:=]{_WIDE}{_QUOTE}(?:[A-Za-z]{{1,16}}\s{{1,4}})?",
        "A-Za-z0-9_~+/=-",
        16,
        between="[.]",
    ),
    # A variable, as shells and .env files set it.
    Kind(
        "secret",
        _NAMED,
        rf"(?:{_NAMES.upper()})[0-9]{{0,3}}={_QUOTE}",
        _VALUE,
        8,
        between="[.,:!?$]",
        look=_NO_CODE,
        after=r"(?![(\[])",
    ),
    # Any other name, of which code is full: so one with a digit.
    Kind(
        "secret",
        _NAMED,
        rf"(?i:{_NAMES})[0-9]{{0,3}}{_QUOTE}{_WIDE}[:=]{_WIDE}{_QUOTE}",
        _VALUE,
        12,
        between="[.,:!?$]",
        look=_DIGIT + _NO_CODE,
        after=r"(?![(\[])",
    ),
)

BUILTIN = (*_TOKENS, _BLOCK, *_SURROUNDED)
