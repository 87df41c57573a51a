"""Words that look drawn by lot: what has no form that gives it away, for those who want it."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from math import log2

from kiro_redact.kind import Kind

_CHARS = "A-Za-z0-9+=_-"
_LEAST, _MOST = 20, 256
_CLASSES = [re.compile(expression) for expression in ("[a-z]", "[A-Z]", "[0-9]")]
_DIGEST = re.compile("sha[0-9]{1,3}[-_=]|md5[-_=]")


def unlikely(bits: float) -> Kind:
    """The kind of words that have at least so many bits of entropy a character, small and capital letters and digits.

    Hexadecimal digits, so hashes and UUIDs, have at most four. A slash ends a word, so paths are several; what is
    longer than 256 characters is data and no key.
    """
    lead = f"(?<![{_CHARS}])(?=[{_CHARS}]{{{_LEAST}}}|[{_CHARS}]++\\Z)"
    return Kind("random text", ("",), lead, _CHARS, _LEAST, most=_MOST, judge=partial(_is_random, bits))


def _is_random(bits: float, word: str) -> bool:
    if not all(chars.search(word) for chars in _CLASSES) or _DIGEST.match(word):
        return False
    return -sum(n / len(word) * log2(n / len(word)) for n in Counter(word).values()) >= bits
