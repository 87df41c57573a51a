"""Messages pass byte for byte whatever is in them, and no line can make a record say what we did not."""

import json
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiro_core.frames import INVALID_REQUEST, PARSE_ERROR, Frame, Splitter, decode, encode, join, parse
from kiro_core.journal import entry
from kiro_core.journal.entries import embedded, opening
from kiro_core.types import Record

MIB = 1 << 20

# JSON text as agents write it and as nobody should: every piece is what a lenient parser accepts.

BLANKS = b" \t\r"
blanks = st.text(BLANKS.decode(), max_size=2).map(str.encode)
pieces = st.sampled_from(
    [
        *(b"a", b" ", b"{", b"]", b":", b"/", b"\x7f", "é😀".encode()),
        *(rb"\"", rb"\\", rb"\n", rb"\/", rb"\u0041", rb"\ud83d\ude00", rb"\\ud83d"),
        *(rb"\ud83d", rb"\udc00\ud83d", b"\xff", b"\xed\xa0\x80", b"\xe2\x82"),
        *(rb"\"sessionId\":\"s-1\"", rb",\"id\":1,", b"sessionId", b"'"),
    ]
)
strings = st.builds(
    lambda parts, times: b'"%b"' % (b"".join(parts) * times),
    st.lists(pieces, max_size=5),
    st.sampled_from([1, 1, 1, 60, 300]),
)
numbers = [b"0", b"-0", b"7", b"%d" % 2**70, b"1.5E-3", b"1e999", b"9" * 5000]
constants = [b"null", b"true", b"false", b"NaN", b"-Infinity"]
keys = strings | st.sampled_from([b'"id"', b'"sessionId"', b'"params"', b'"method"', b'"kind"'])


def spaced(parts):
    return st.tuples(*(st.tuples(blanks, part).map(b"".join) for part in parts), blanks).map(b"".join)


def arrays(values):
    return st.lists(spaced([values]), max_size=3).map(lambda found: b"[%b]" % b",".join(found))


def objects(values):
    member = spaced([keys, st.just(b":"), values])
    return st.lists(member, max_size=3).map(lambda found: b"{%b}" % b",".join(found))


values = st.recursive(
    st.sampled_from(numbers + constants) | strings, lambda inner: arrays(inner) | objects(inner), max_leaves=8
)
inner_keys = st.sampled_from([b'"update"', b'"_meta"', b'"x"', rb'"x\ud83d"', b'"x\xff"'])
HOLE = b"\x00"
"""Stands where an id is; no JSON text holds it."""


def members(*required):
    """An object of required members and others, in any order, a required one perhaps twice."""
    others = st.lists(spaced([inner_keys, st.just(b":"), values]), max_size=2)
    doubled = st.lists(st.sampled_from(required), max_size=1).flatmap(lambda again: st.tuples(*required, *again))
    return (
        st.tuples(doubled, others)
        .flatmap(lambda both: st.permutations([*both[0], *both[1]]))
        .map(lambda found: b"{%b}" % b",".join(found))
    )


def member(key, value):
    """A member whose key may be written with an escape."""
    escaped = b'"\\u%04x%b' % (key[0], key[1:] + b'"')
    return spaced([st.sampled_from([b'"%b"' % key, escaped]), st.just(b":"), value])


version = member(b"jsonrpc", st.just(b'"2.0"'))
method = member(b"method", st.just(b'"session/update"'))
usual_updates = objects(values).map(
    lambda update: b'{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":%b,"update":%b}}' % (HOLE, update)
)
with_session_hole = usual_updates | members(
    version, method, member(b"params", members(member(b"sessionId", st.just(HOLE))))
)
with_id_hole = members(version, method, member(b"id", st.just(HOLE)), member(b"params", values))
messages = with_session_hole.map(lambda raw: raw.replace(HOLE, b'"s-1"')) | with_id_hole.map(
    lambda raw: raw.replace(HOLE, b"1")
)


@given(with_session_hole, blanks)
@example(b'{"jsonrpc":"2.0","method":"m","params":{"sessionId":\0,"sessionId":\0}}', b"")
@example(rb'{"jsonrpc":"2.0","method":"m","params":{"sessionId":%b,"session\u0049d":%b}}' % (HOLE, HOLE), b"")
@example(b'{"jsonrpc":"2.0","method":"m","params":{"sessionId":\0},"params":{"sessionId":\0}}', b"\r")
def test_another_session_id_changes_that_id_and_no_other_byte(text, end):
    frame = Frame.read(text.replace(HOLE, b'"s-1"') + end)
    assert (frame.fault, frame.session) == (None, "s-1")
    changed = frame.with_session('new "é"')
    assert changed.raw == text.replace(HOLE, encode('new "é"')) + end
    again = Frame.read(changed.raw)
    assert (again.session, again.method, again.strict) == (changed.session, frame.method, frame.strict)
    assert changed.params["sessionId"] == 'new "é"'


@given(with_id_hole, blanks, st.sampled_from([b"1", b'"\xff"', b"null", b"%d" % 2**70, rb'"\ud83d"', b"-0.5e1"]))
def test_another_id_changes_that_id_and_no_other_byte(text, end, new):
    frame = Frame.read(text.replace(HOLE, b"0") + end)
    assert (frame.fault, frame.id) == (None, b"0")
    changed = frame.with_id(new)
    assert changed.raw == text.replace(HOLE, new) + end
    assert (changed.id, changed.fault) == (new, None)
    assert changed.with_id(b"0").raw == frame.raw


def test_session_ids_elsewhere_stay():
    line = rb'{"x":{"sessionId":"a"},"method":"m","params":{"update":{"sessionId":"a","t":"\"sessionId\":\"a\""},'
    frame = Frame.read(line + b'"sessionId" :\t"a","sessionid":"a"}}')
    assert frame.with_session("b").raw == line + b'"sessionId" :\t"b","sessionid":"a"}}'


def test_of_doubled_keys_the_last_counts_as_it_does_for_parsers():
    frame = Frame.read(b'{"params":{"requestId":1},"id":1,"method":"m","id":2,"params":{"a":[{}],"requestId": 2 }}')
    assert (frame.id, frame.text_at("id"), frame.text_at("params", "requestId")) == (b"2", b"2", b"2")
    hidden = Frame.read(b'{"method":"m","params":{"sessionId":"a","requestId":1},"params":[1]}')
    assert (hidden.session, hidden.text_at("params", "requestId"), hidden.params) == (None, None, {})


@given(with_id_hole, blanks)
@example(b'{"id":\0,"x\xff":1,"method":"m","params":NaN}', b"")
@example(rb'{"id":%b,"\ud83d":1,"method":"m","params":"\ud83d"}' % HOLE, b"")
def test_the_text_of_a_value_is_the_bytes_that_were_received(text, end):
    raw = text.replace(HOLE, b"-0.50E+1") + end
    frame = Frame.read(raw)
    assert frame.text_at("id") == b"-0.50E+1"
    params = frame.text_at("params")
    assert params is None or params in raw
    assert (params is None) == ("params" not in frame.body)


@pytest.mark.parametrize("line", [b'{"a":1}{"b":2}', b"[]", b"", b'{"method":"m","params":{"a":1}', b"{" * 999_999])
def test_what_is_no_message_has_no_text_anywhere(line):
    frame = Frame.read(line)
    assert frame.fault is not None
    assert (frame.text_at("params"), frame.params, frame.result, frame.error) == (None, {}, {}, {})


# Which lines are messages.


class Constant:
    """NaN or Infinity, which are no numbers in JSON."""


def is_message(raw):
    try:
        text = raw.decode("utf-8", "surrogateescape")
        message = json.loads(text, parse_int=float, parse_constant=lambda _: Constant())
    except (ValueError, RecursionError):
        return False
    if not isinstance(message, dict):
        return False
    if not isinstance(message.get("id"), str | float | None):
        return False
    if message.get("method") is None:
        return "result" in message or message.get("error") is not None
    return isinstance(message["method"], str)


heads = st.dictionaries(
    st.sampled_from([b'"id"', b'"method"', b'"params"', b'"result"', b'"error"', b'"jsonrpc"', b'"x"']), values
).map(lambda found: b"{%b}" % b",".join(b"%b:%b" % pair for pair in found.items()))


@st.composite
def torn(draw):
    """A message with a few bytes cut out, doubled or replaced."""
    line = bytearray(draw(messages | heads))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(line)))
        end = draw(st.integers(start, min(start + 3, len(line))))
        line[start:end] = draw(st.binary(max_size=3) | st.sampled_from([b"{", b"}", b'"', b",", b":", b"null"]))
    return bytes(line).replace(b"\n", b" ")


lines = st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")) | torn() | heads | messages
FORGERIES = [
    b'null,"kind":"permission"',
    b'{"a":1},"kind":"permission"',
    b'{}},"kind":"permission"',
    b'{"a":1}{"b":2}',
    b'{"a":1},{"b":2}',
    b'"a"',
    b"[{}]",
    b"",
    b'\xef\xbb\xbf{"method":"m"}',
    b'{"method":"m","params":{"a":"\x01"}}',
    b'{"method":"m","params":{"a":"\xff"}}',
    b'{"method":"m","params":' + b"[" * 300 + b"]" * 300 + b"}",
    b'{"method":"m","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"method":"m","params":[' + b"1" * 5000 + b"]}",
    b'{"method":"m","params":[1e999, -' + b"1" * 4300 + b"]}",
    rb'{"method":"m","params":["\ud83d"]}',
    b'{"method":"m"}\x00',
    b'{"method":"m"} // "',
    rb'{"method":"m","params":["\ud8x3"]}',
    '{"method":"\u2028"}'.encode(),
]


@given(lines)
def test_a_line_has_a_fault_exactly_when_it_is_no_message(raw):
    frame = Frame.read(raw)
    assert (frame.fault is None) == is_message(raw)
    if frame.fault is not None:
        number, sentence = frame.fault
        assert number in (PARSE_ERROR, INVALID_REQUEST)
        assert sentence.endswith(".")
    assert isinstance(frame.body, dict)


def assert_embedded(frame):
    """The record of a line is strict JSON, holds our keys once each, and gives the line back."""
    body = embedded(opening("2026-01-31T08:00:00.000Z", "update"), frame)
    assert b"\n" not in body
    members = json.loads(body.decode(), object_pairs_hook=list, parse_constant=pytest.fail)
    assert [key for key, _ in members] == ["at", "kind", "data" if frame.strict else "raw_b64"]
    read = entry(Record(1, 1, body))
    assert (read.kind, read.frame.raw.strip(BLANKS)) == ("update", frame.raw.strip(BLANKS))
    assert isinstance(read.value, dict) == frame.strict


@given(lines)
def test_no_line_can_forge_a_record(raw):
    assert_embedded(Frame.read(raw))


@pytest.mark.parametrize("raw", FORGERIES, ids=lambda raw: raw[:30].decode("latin-1"))
def test_a_forged_line_is_kept_as_what_it_is(raw):
    assert_embedded(Frame.read(raw))


def test_a_line_that_only_lenient_parsers_accept_is_routed_and_not_embedded():
    for text in (rb'"\ud83d"', b'"\xff"', b"NaN", b"1" * 5000):
        frame = Frame.read(b'{"method":"m","id":1,"params":{"sessionId":"s","a":%b}}' % text)
        assert (frame.fault, frame.method, frame.id, frame.session, frame.strict) == (None, "m", b"1", "s", False)
        assert frame.params["sessionId"] == "s"
        Frame.of("m", frame.params)  # what was decoded can be encoded again


@pytest.mark.parametrize(
    ("line", "id", "failed"),
    [
        (b'{"id":1,"error":null}', b"1", True),
        (b'{"id":1}', b"1", True),
        (b'{"id":{},"result":1}', b"null", False),
        (b'{"id":[1],"method":"m"}', b"null", False),
        (b'{"id":true,"method":"m"}', b"null", False),
        (b'{"id":NaN,"method":"m"}', b"null", False),
        (b'{"id":"a","method":5}', b'"a"', False),
        (b'[{"id":1,"method":"m"}]', None, False),
    ],
)
def test_a_bad_message_is_refused_under_its_id_or_null(line, id, failed):  # noqa: A002 - JSON-RPC's word
    frame = Frame.read(line)
    assert (frame.fault[0], frame.id, frame.failed) == (INVALID_REQUEST, id, failed)


@pytest.mark.parametrize(
    ("line", "failed"),
    [
        (b'{"id":1,"result":null}', False),
        (b'{"id":1,"result":null,"error":null}', False),
        (b'{"id":1,"error":{"code":1}}', True),
        (b'{"id":1,"result":{},"error":{"code":1}}', True),
        (b'{"id":null,"error":{"code":1}}', True),
    ],
)
def test_a_response_has_a_result_or_failed(line, failed):
    frame = Frame.read(line)
    assert (frame.fault, frame.method, frame.failed) == (None, None, failed)
    assert not frame.is_request
    assert not frame.is_notification


def test_nesting_is_counted_outside_strings_and_bounded():
    def nested(levels):
        return b'{"method":"m","params":{"t":"%b","a":%b}}' % (b"[" * 999, b"[" * levels + b"]" * levels)

    assert Frame.read(nested(398)).fault is None
    assert Frame.read(nested(399)).fault == (INVALID_REQUEST, "The message is nested deeper than 400 levels.")


def test_what_has_no_utf8_form_is_written_as_a_replacement():
    assert encode({"path": "/\udcff", "n": float("nan")}) == '{"path":"/\ufffd","n":null}'.encode()
    assert decode(rb'["\ud83d\ude00", "\ud83d", "\\ud83d", "\uDC00x"]') == ["😀", "\ufffd", r"\ud83d", "\ufffdx"]
    assert Frame.failure(1, "no \ud83d").error == {"code": 1, "message": "no \ufffd"}


# Lines and chunks.


@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(min_value=0), max_size=10), st.booleans())
def test_any_chunking_gives_the_same_lines(content, cuts, ended):
    whole = [line.replace(b"\n", b"") for line in content]
    data = b"".join(line + b"\n" for line in whole)
    data = data if ended else data[:-1]
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    splitter = Splitter()
    blocks = [splitter.feed(data[start:end]) for start, end in pairwise(edges)]
    assert all(not block or block.endswith(b"\n") for block in blocks)
    assert b"".join(blocks) + splitter.rest() == data
    assert b"".join(blocks).split(b"\n")[:-1] == (whole if ended else whole[:-1])


def test_a_long_line_is_put_together_once():
    chunks = [bytes([65 + n % 26]) * 10 for n in range(1000)]
    splitter = Splitter()
    buffer = splitter._begun
    for count, chunk in enumerate(chunks, 1):
        assert splitter.feed(chunk) == b""
        assert splitter._begun is buffer
        assert splitter.length == 10 * count
    assert splitter.feed(b"end\nnext") == b"".join(chunks) + b"end\n"
    assert splitter.rest() == b"next"


def test_whole_lines_are_not_copied():
    chunk = b'{"method":"a"}\n{"method":"b"}\n'
    assert Splitter().feed(chunk) is chunk


@pytest.mark.parametrize(
    "block",
    [
        b'{"method":"a",\n"id":1}\n',
        b'{"method":"a"}{"method":"b"}\n',
        b'{"method":"a"} {"method":"b"}\n',
        b'{"method":"a","params":\n{}}\n',
    ],
)
def test_a_message_is_one_line_and_a_line_one_message(block):
    assert all(frame.fault[0] == PARSE_ERROR for frame in parse(block))


def test_a_bad_line_leaves_its_neighbours_alone():
    block = b'{"method":"a"}\r\n\n \t\r\n{"method":"\xff"}\n{"meth\n' + '{"method":"é"}\n'.encode()
    frames = parse(block)
    assert [(frame.method, frame.strict, frame.fault is None) for frame in frames] == [
        ("a", True, True),
        ("\ufffd", False, True),
        (None, False, False),
        ("é", True, True),
    ]
    assert join(frames) == block.replace(b"\n\n \t\r\n", b"\n")


@pytest.mark.parametrize(
    "filler", [b"1," * (4 * MIB), b'"%b",' % (b"x" * (8 * MIB)), rb'"%b",' % (rb"\"" * (MIB // 8))]
)
def test_a_line_of_many_mebibytes_is_routed_without_building_values(filler):
    head = b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"sessionId":"a","x":['
    chunk = head + filler + b"0]}}\n"
    tracemalloc.start()
    try:
        (frame,) = parse(chunk)
        changed = frame.with_session("b").with_id(b"2")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (changed.session, changed.id, len(changed.raw)) == ("b", b"2", len(chunk) - 1)
    assert peak < 5 * len(chunk)


@pytest.mark.parametrize(
    "raw", [b'{"jsonrpc":"2.0","method":"m","id":7}', b'{"id":"x","method":"m","params":{"old":1}}']
)
def test_a_request_with_other_params_keeps_its_method_and_its_id(raw):
    frame = Frame.read(raw)
    changed = frame.with_params({"new": [2**70]})
    assert (changed.method, changed.id, changed.params) == ("m", frame.id, {"new": [2**70]})
    assert changed.is_request


def test_a_notification_with_other_params_stays_one():
    changed = Frame.of("m", {"old": 1}).with_params({"new": 1})
    assert (changed.is_notification, changed.params) == (True, {"new": 1})
