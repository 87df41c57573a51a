"""Lines as no peer should write them, each with the answer that it has to get.

Built of pieces of JSON text instead of values, since a value cannot say a doubled key, a lone surrogate,
`1e3` or a blank in an odd place. SESSION and CWD stand for what only a running test knows.
"""

from typing import NamedTuple

from fuzzed_json import (
    blanks,
    errors,
    foreign_ids,
    ids,
    keys,
    mixed,
    no_ids,
    no_methods,
    odd,
    texts,
    values,
    versions,
)
from hypothesis import strategies as st

NOWHERE = b"null"
"""The id under which a line is answered whose own id cannot be used."""


class Line(NamedTuple):
    """One line without its newline: `id` is the JSON text under which it is answered, or None.

    `noise` tells that it is no message with an id: an agent's program may print such lines, so
    there they are not answered.
    """

    raw: bytes
    id: bytes | None
    noise: bool = False


@st.composite
def messages(draw, *found, again=()):
    """An object of members `(key, text)`, their order turned, with `jsonrpc` right, wrong or missing.

    Its keys may be written with escapes, there may be something that nobody knows, and what comes
    `again` stands at the end, where parsers let it win.
    """
    found = list(found)
    if draw(st.booleans()):
        found.append((b"jsonrpc", draw(versions)))
    if draw(st.integers(0, 3)) == 0:
        found.append((draw(keys), draw(odd)))
    turn, escaped, blank = draw(st.integers(0, len(found) - 1)), draw(st.integers(0, 3)) == 0, draw(blanks)
    if escaped:
        found = [(b"\\u%04x%b" % (key[0], key[1:]) if key else key, text) for key, text in found]
    pairs = [
        b'%b"%b"%b:%b%b' % (blank, key, blank, blank, text) for key, text in [*found[turn:], *found[:turn], *again]
    ]
    return b"{%b}" % b",".join(pairs)


@st.composite
def params(draw, known):
    """Params of a method: each of the known ones good, odd or missing, with others besides; or no object at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(values)
    kept = []
    for key, good in known.items():
        how = draw(st.integers(0, 7))
        if how:
            kept.append(b'"%b":%b' % (key, draw(values) if how == 1 else good))
    if draw(st.integers(0, 3)) == 0:
        kept.append(b'"%b":%b' % (draw(keys), draw(values)))
    return b"{%b}" % b",".join(kept)


@st.composite
def requests(draw, methods):
    """Requests `[(method, {param: good text})]` under any id; a second id and method may stand behind."""
    first, (method, known) = draw(ids), draw(st.sampled_from(methods))
    last, again = first, []
    if draw(st.integers(0, 15)) == 0:
        last = draw(ids)
        again = [(b"id", last), (b"method", b'"no/such"')]
    asked = [(b"id", first), (b"method", b'"%b"' % method), (b"params", draw(params(known)))]
    return Line(draw(messages(*asked, again=again)), last)


@st.composite
def notifications(draw, methods):
    """Notifications of the same form."""
    method, known = draw(st.sampled_from(methods))
    told = (b"params", draw(params(known)))
    return Line(draw(messages((b"method", b'"%b"' % method), told)), None)


@st.composite
def responses(draw):
    """Responses to nothing that was asked, with a result, an error or both; one that says nothing is refused."""
    id_ = draw(foreign_ids)
    said = draw(st.integers(0, 7))
    found = [(b"result", draw(values))] if said & 1 else []
    found += [(b"error", draw(errors))] if said & 2 else []
    line = draw(messages((b"id", id_), *found, *([] if found else [(b"error", b"null")])))
    return Line(line, None if found else id_)


@st.composite
def misfits(draw):
    """JSON objects that are no messages: a wrong id, a wrong method, or neither."""
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return Line(draw(messages((b"id", draw(no_ids)), (b"method", draw(texts)))), NOWHERE)
    if kind == 1:
        id_ = draw(foreign_ids)
        return Line(draw(messages((b"id", id_), (b"method", draw(no_methods)))), id_)
    return Line(draw(messages((b"params", draw(values)))), NOWHERE, noise=True)


@st.composite
def truncated(draw, methods):
    """Requests that end too early, as at the death of their writer."""
    whole = draw(requests(methods)).raw.strip()
    return Line(whole[: draw(st.integers(1, min(len(whole) - 1, 80)))], NOWHERE, noise=True)


broken = st.sampled_from(
    [
        *(b"not json", b"{", b"}", b'{"id":1,}', b"{'id':1}", b'{"id":1}{"id":2}', b"\x00", b"\xff\xfe{\x00}\x00"),
        *(b'\xef\xbb\xbf{"id":1,"method":"m"}', b'{"id":1,"method":"a\x00b"}', b'{"id":01,"method":"m"}', b"nul"),
        *(b'{"id":1 "method":"m"}', b'"open', b"\\", b'{"id":1,"method":"m"}x', b'{"id":1,"method":"a\tb"}'),
        *(b"5", b"-1.5", b'"text"', b"null", b"true", b"NaN", b"9" * 5000, b"1e999"),
        *(b"[]", b"[1]", b'[{"jsonrpc":"2.0","id":1,"method":"initialize"}]', b'[{"id":1,"method":"m"},{"id":2}]'),
        *(b"[" * 100_000, b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"{" * 500),
    ]
).map(lambda raw: Line(raw, NOWHERE, noise=True))
empty = st.sampled_from([b"", b" ", b"\r", b"\t \r", b"\x0b\x0c"]).map(lambda raw: Line(raw, None))


def lines_of(methods, notes):
    """Any of all this, the usual more often."""
    asked, told = requests(methods), notifications(notes)
    return mixed(*[asked] * 6, *[told] * 3, responses(), misfits(), broken, truncated(methods), empty)
