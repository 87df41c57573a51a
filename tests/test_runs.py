"""A block of usual updates stays one block, and means what its lines mean one by one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiro_core.frames import Frame, Run, Splitter, encode, join, parse, read
from kiro_core.journal.entries import said

USUAL = (
    b'{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"%b","update":'
    b'{"sessionUpdate":"%b","content":{"type":"text","text":"%b"}}}}'
)
SPACED = USUAL.replace(b'":', b'": ').replace(b',"', b', "')
KINDS = [b"agent_message_chunk", b"agent_thought_chunk", b"user_message_chunk", b"plan"]
AT = "2026-01-31T08:00:00.123Z"

texts = st.sampled_from(
    [b"", b"a", b"sessionUpdate", rb"\n\"}{\\", "é😀".encode(), rb"\u0073-1", b"s-1", b"}{", b"x" * 400, b"y" * 5000]
)
usual_lines = st.builds(
    lambda form, kind, text: form % (b"s-1", kind, text), st.just(USUAL), st.sampled_from(KINDS), texts
)
LINE = USUAL % (b"s-1", b"plan", b"t")
OPENING, _, REST = LINE.partition(b',"update"')
odd_lines = st.sampled_from(
    [
        *(b"", b" ", b"\r", b"noise", b"{}", b"[]", b"null", b"}", b"{", b'"', b"\xff", b"\x00"),
        *(LINE + b"\r", b" " + LINE, LINE + b" " + LINE, LINE + LINE, LINE[:-1], LINE + b"}", LINE[:40], LINE[40:]),
        # What a decoder of many lines takes for one, or for two.
        *(OPENING, b',"update"' + REST, OPENING + b',"update":', b'{"sessionUpdate":"plan"}}}', OPENING + b',"x":'),
        *(LINE + b' {"jsonrpc":', b'"2.0","method":"session/update","params":{"sessionId":"s-1","update"' + REST),
        LINE + b'{"params_":{"session_":"","update":{"sessionUpdate":"plan"}}}',
        *(OPENING + rest for rest in (b"0", b".5", b'"', b'",', b"}", b"}}", b":1}}", b',"session_":""}}')),
        # Members that come twice, perhaps with escapes.
        *(LINE[:-1] + more + b"}" for more in (b',"id":1', b',"method":"x"', b',"params":{}', b',"result":null')),
        *(
            LINE[:-1] + more + b"}"
            for more in (b',"params_":{}', b',"jsonrpc":"2.0"', rb',"\u0069d":7', b',"error":{}')
        ),
        *(
            LINE[:-2] + more + b"}}"
            for more in (b',"sessionId":"s-2"', b',"sessionId":"s-1"', rb',"session\u0049d":"x"')
        ),
        *(
            LINE[:-2] + more + b"}}"
            for more in (b',"update":{"sessionUpdate":"tool_call"}', b',"update":7', b',"_meta":{}')
        ),
        *(LINE[:-2] + b',"_meta":%b}}' % more for more in (b"NaN", b"1e999", b"9" * 4299, b"9" * 5000, rb'"\ud83d"')),
        *(
            LINE[:-3] + more + b"}}}"
            for more in (b',"sessionUpdate":"tool_call"', b',"x":"\xff"', b',"\xed\xa0\x80":1')
        ),
        *(LINE[:-3] + b',"x":' + b"[" * deep + b"]" * deep + b"}}}" for deep in (395, 397, 398, 399, 500, 2000)),
        *(SPACED % (b"s-1", b"plan", b"t"), USUAL % (b"s-2", b"plan", b"t"), USUAL % (b"s-1", b"tool_call", b"t")),
        *(USUAL % ("é".encode(), b"plan", b"t"), USUAL % (rb"\u0073-1", b"plan", b"t"), USUAL % (b"", b"plan", b"t")),
        *(b'{"jsonrpc":"2.0","id":1,"result":{}}', LINE.replace(b'"session/update"', rb'"session\/update"')),
        b'{"jsonrpc":"2.0","id":4,"method":"session/request_permission","params":{"sessionId":"s-1"}}',
    ]
)
blocks = st.lists(usual_lines, min_size=1, max_size=4) | st.lists(usual_lines | usual_lines | odd_lines, max_size=6)


def told(frames):
    return [(f.raw, f.method, f.id, f.session, f.strict, f.failed, f.fault) for f in frames]


def shown(frames):
    return join([frame.with_session("new-id") for frame in frames])


@given(
    blocks, st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b""]), st.lists(st.integers(0, 2000), max_size=4)
)
@example([LINE], b"\n", [])
@example([LINE, OPENING + b',"x":', LINE + b"}}", LINE + b" " + LINE], b"\n", [])
@example([LINE, LINE + b' {"params_":{"session_":"","x":', LINE], b"\n", [])
def test_a_block_means_what_its_lines_mean_wherever_it_was_cut(lines, end, cuts):
    stream = end.join([*lines, b""])
    splitter, at = Splitter(), 0
    for cut in [*sorted(cuts), len(stream)]:
        block = splitter.feed(stream[at:cut])
        at = max(at, cut)
        found, expected = read(block), parse(block)
        assert told(found) == told(expected)
        assert said(AT, found) == said(AT, expected)
        if isinstance(found, Run):
            assert found.block == join(found) == block == join(expected)
            assert (len(found), found.session) == (len(expected), expected[0].session)
            changed = found.with_session("new-id")
            assert changed.block == shown(expected)
            assert told(changed) == told(parse(changed.block))
        else:
            assert isinstance(found, list)


@pytest.mark.parametrize("form", [USUAL, SPACED])
@pytest.mark.parametrize("count", [1, 2, 300])
def test_usual_updates_of_one_session_stay_one_block(form, count):
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    block = b"".join(form % (b"s-1", kind, b"text %d" % number) + b"\n" for number, kind in enumerate(kinds))
    run = read(block)
    assert isinstance(run, Run)
    assert (len(run), run.session, run.block) == (count, "s-1", block)
    assert told(run) == told(parse(block))
    assert run.with_session("s-1") is run


@pytest.mark.parametrize("count", [1, 3])
def test_no_message_is_built_of_a_block_that_nobody_looks_at(monkeypatch, count):
    block = b"".join(USUAL % (b"s-1", b"plan", b"%d" % number) + b"\n" for number in range(9))
    built = []
    make = Frame.__init__
    monkeypatch.setattr(Frame, "__init__", lambda self, *head: (built.append(self), make(self, *head))[1])
    runs = [read(block).with_session('new "é"') for _ in range(count)]
    joined = Run.joined(runs)
    assert join(joined) == block.replace(b'"s-1"', encode('new "é"')) * count
    assert len(said(AT, joined)) == len(joined) == 9 * count
    assert not built
    assert [frame.session for frame in joined[:2]] == ['new "é"'] * 2
    assert joined[-1].params["update"]["content"]["text"] == "8"


def test_updates_of_two_sessions_are_no_run():
    block = b"".join(USUAL % (session, b"plan", b"t") + b"\n" for session in (b"s-1", b"s-2"))
    assert [frame.session for frame in read(block)] == ["s-1", "s-2"]
    assert not isinstance(read(block), Run)


@pytest.mark.parametrize("text", [b"x" * (2 << 20), b"x" * (1 << 20) + rb"\ud83d", b"x" * (1 << 20) + b"\xff"])
@pytest.mark.parametrize("more", [b"", LINE + b"\n"])
def test_a_huge_line_means_what_it_means(text, more):
    block = USUAL % (b"s-1", b"plan", text) + b"\n" + more
    assert told(read(block)) == told(parse(block))
    assert isinstance(read(block), Run) == (not more and text.endswith(b"x"))


def test_a_line_that_is_nested_too_deeply_is_no_run_though_a_carriage_return_stands_in_it():
    half = b"[" * 250
    block = LINE[:-3] + b',"x":' + half + b"\r" + half + b"]" * 500 + b"}}}\n"
    assert [frame.fault for frame in read(block * 2)] == [frame.fault for frame in parse(block * 2)]
    assert all(frame.fault for frame in read(block))
