"""Of an output its end is kept, in whole characters."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from kiro_core.journal import Output


@given(
    st.one_of(st.text(), st.text("aé€😀"), st.binary()),
    st.integers(0, 40),
    st.lists(st.integers(0, 60)),
    st.integers(0, 40),
)
@settings(max_examples=max(500, settings().max_examples))
def test_the_kept_end_is_as_long_as_it_may_be_and_begins_with_a_whole_character(printed, limit, cuts, shorter):
    raw = printed if isinstance(printed, bytes) else printed.encode()
    output = Output(limit)
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    for begin, end in pairwise(edges):
        output.add(raw[begin:end])
    output.add(b"", final=True)
    whole = raw.decode(errors="replace")
    for at_most, (text, cut) in ((limit, output.end()), (min(limit, shorter), output.end(shorter))):
        kept, size = len(text.encode()), len(whole.encode())
        assert whole.endswith(text)
        assert kept <= at_most
        assert cut == (kept < size)
        assert not cut or kept > at_most - 4


def test_a_character_of_which_a_part_has_come_is_waited_for():
    output = Output(10)
    output.add("a😀".encode()[:3])
    assert output.end() == ("a", False)
    output.add("😀".encode()[2:])
    assert output.end() == ("a😀", False)
