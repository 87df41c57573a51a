"""What a terminal printed is filtered before it is cut, and no more of it than that takes."""

from types import SimpleNamespace

import pytest

from kiro_core.journal import RECORDED_BYTES, Output
from kiro_core.session.services.ending import recordable

SECRET = "begin " + "k" * 20_000 + " end"
MANY_BYTES = 8 * 1024 * 1024


def session(filtered):
    return SimpleNamespace(journal=SimpleNamespace(filters=True, filtered=filtered))


def printed(text):
    output = Output(MANY_BYTES)
    output.add(text.encode(), final=True)
    return output


def test_a_long_output_is_not_filtered_as_a_whole():
    seen = []
    text, truncated = recordable(session(lambda words: seen.append(len(words)) or words), printed("word " * 1_000_000))
    assert (len(text), truncated) == (RECORDED_BYTES, True)
    assert sum(seen) <= 4 * RECORDED_BYTES


@pytest.mark.parametrize("between", ["", "x" * 10_000, "ü" * 30_000])
def test_no_half_of_what_is_masked_comes_into_view(between):
    text, truncated = recordable(
        session(lambda words: words.replace(SECRET, "[masked]")), printed((SECRET + between) * 40)
    )
    assert "k" not in text.replace("[masked]", "")
    assert truncated == (len(("[masked]" + between).encode()) * 40 > RECORDED_BYTES)
