"""Regular expressions mean what they mean elsewhere, and none takes longer than its text is long."""

import re
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kiro_core.agentconfig.expression import Expression
from kiro_core.agentconfig.syntax import Refused

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\s", r"\.", r"\b", r"\B", "^", r"\A", r"\Z", " ", "A"])
TIMES = st.sampled_from(["", "", "*", "+", "?", "*?", "{2}", "{1,2}", "{,2}", "{1,}"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map("|".join),
        st.tuples(st.sampled_from(["(", "(?:", "(?P<x>"]), inner, TIMES).map(
            lambda each: f"{each[0]}{each[1]}){each[2]}"
        ),
    ),
    max_leaves=6,
)
TEXTS = st.text("ab A.\n", max_size=6)


@given(st.sampled_from(["", "(?i)"]), PATTERNS, TEXTS)
def test_a_pattern_matches_what_it_matches_elsewhere(flags, pattern, text):
    # What \\B means in an empty text differs between versions of Python.
    assume(text or "\\B" not in pattern)
    try:
        known = re.compile(flags + pattern, re.DOTALL)
    except re.error:
        return
    assert Expression(flags + pattern).fullmatch(text) == bool(known.fullmatch(text))
    assert Expression(flags + pattern, anywhere=True).fullmatch(text) == bool(known.search(text))


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a|aa)+b", "(a+)+b", "(a*)*b", "(a|a)*b", "(.*)(.*)(.*)(.*)(.*)b", "(a?){300}a{300}b", "(((a+)+)+)+b"),
        *(f"{'.*' * 300}b", f"{'a?' * 300}{'a' * 300}b"),
    ],
)
def test_no_pattern_looks_at_a_character_more_often_than_it_has_states(pattern, monkeypatch):
    expression, looked = Expression(pattern), []
    closed = Expression._closed
    monkeypatch.setattr(Expression, "_closed", lambda *args: looked.append(1) or closed(*args))
    assert not expression.fullmatch("a" * 3000)
    assert len(looked) <= 3001


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=a)a", "look around"), ("(?<!a)b", "look around"), (r"(a)\1", "escape"), ("(?>a)", "known here"),
        ("(?P=x)", "known here"), ("a++", "already"), ("a**", "already"), ("*a", "nothing to repeat"),
        ("(a", "( without"), ("a)", ") without"), ("[a", "[ without"), ("[b-a]", "range"), ("\\", "escape"),
        ("[[a]", "differently"), ("[a--b]", "differently"), (r"\q", "escape"), ("a{3,2}", "repeats {3,2}"),
        ("a{2000}", "repeats"), ("(a{900}){900}", "too large"), ("((((){999}){999}){999}){999}", "too large"),
        ("(" * 40 + ")" * 40, "nested"), ("a" * 2000, "1000 characters"), ("a(?i)b", "known here"),
    ],
)  # fmt: skip
def test_what_cannot_be_matched_in_linear_time_or_is_malformed_is_refused(pattern, reason):
    with pytest.raises(Refused) as refused:
        Expression(pattern)
    assert reason in str(refused.value)


@given(st.text("ab()[]{}|*+?\\^$.,:<>=!-&~0129xiuPs", max_size=14), TEXTS)
def test_any_pattern_is_matched_or_refused(pattern, text):
    with suppress(Refused):
        Expression(pattern).fullmatch(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"git (status|log)( .*)?", "git log -1"), (r"^npm run [\w:-]+$", "npm run a:b"),
        (r"(?is)RM\s+-rf.*", "rm  -rf\n/"),
        (r"\x41\u0042\t", "AB\t"), (r"[]a]+", "]a"), (r"[^\]]\[", "a["),
        ("a{", "a{"), ("a{,x}", "a{,x}"), (r"a\z", "a"), ("", ""),
    ],
)  # fmt: skip
def test_what_people_write_is_understood(pattern, text):
    assert Expression(pattern).fullmatch(text)
    assert not Expression(pattern).fullmatch("~" + text)
