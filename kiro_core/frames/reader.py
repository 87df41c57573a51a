"""Blocks of lines become messages: what is provably usual as one `Run`, anything else line by line.

What an agent says in a flood are updates that nobody here has to read. A few passes over the whole block find out
whether it is that; a block that is not goes the way of single lines, which means the same and takes longer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from operator import itemgetter

import msgspec

from kiro_core.frames.codec import REFUSED
from kiro_core.frames.frame import Frame
from kiro_core.frames.head import SHORT, is_bounded, is_utf8
from kiro_core.frames.lines import parse
from kiro_core.frames.run import Run

_LARGEST = 1 << 20
_OPENING = re.compile(
    rb'(\{"jsonrpc": ?"2\.0", ?"method": ?"session/update", ?"params": ?\{"sessionId": ?)"([!#-\[\]-~]+)"'
)
"""As the SDKs write it. The id is in characters that JSON text does not escape."""
_STAND_IN = b'{"params_":{"session_":""'
"""Stands for the opening and the id while the rest of a line is checked, to which these names say nothing."""


class _Said(msgspec.Struct, tag_field="sessionUpdate", tag="agent_message_chunk", gc=False):
    pass


class _Thought(msgspec.Struct, tag_field="sessionUpdate", tag="agent_thought_chunk", gc=False):
    pass


class _Echoed(msgspec.Struct, tag_field="sessionUpdate", tag="user_message_chunk", gc=False):
    pass


class _Planned(msgspec.Struct, tag_field="sessionUpdate", tag="plan", gc=False):
    pass


class _Params(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    session_: str
    update: _Said | _Thought | _Echoed | _Planned  # the kinds in which a session has nothing to read
    _meta: msgspec.Raw = msgspec.Raw()


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    params_: _Params


_decode = msgspec.json.Decoder(_Line).decode_lines


def read(block: bytes) -> Sequence[Frame]:
    """The messages in a block of whole lines: what `parse` gives, perhaps as a `Run`."""
    return usual(block) or parse(block)


def usual(block: bytes) -> Run | None:
    """A block of nothing but plain updates of one session, each on a line of its own; None for any other.

    Each line is cut into an opening that all have in common, a rest, and its last brace. Nothing that matters may
    come twice: beside the opening's members only `update` and `_meta` are allowed, and of a doubled `update` each
    is looked at. The decoder also takes an object that spans two lines, and two on one. But where two lines meet, a
    closing brace meets an opening one, and no string has a raw newline in it: so two objects meet there, and as many
    objects as lines are one a line.
    """
    opening = _OPENING.match(block)
    rests = _rests(block, opening[0]) if opening is not None else None
    if opening is None or rests is None:
        return None
    try:
        count = len(_decode(b"%b%b}" % (_STAND_IN, (b"}\n" + _STAND_IN).join(rests))))
    except REFUSED:
        return None
    run = Run(opening[1], opening[2].decode(), rests)
    longest = max(map(len, rests)) + opening.end() + 1
    return run if count == len(rests) and is_utf8(block) and _is_bounded(block, longest) else None


def _rests(block: bytes, head: bytes) -> list[bytes] | None:
    """What stands in each line between the same head and a brace; None where that is not so."""
    cut = itemgetter(slice(len(head), -2))
    if len(block) > _LARGEST:
        # One line perhaps, which is copied no more often than it must be.
        return [cut(block)] if block.find(b"\n") == len(block) - 1 and block.endswith(b"}\n") else None
    # Measured: `split` takes four times as long, with more than a byte ten times; a comparison is nearly free.
    rests = list(map(cut, BytesIO(block).readlines()))
    return rests if b"%b%b}\n" % (head, (b"}\n" + head).join(rests)) == block else None


def _is_bounded(block: bytes, longest: int) -> bool:
    if longest <= SHORT:
        return True
    lines = [block] if len(block) > _LARGEST else block.split(b"\n")
    return all(map(is_bounded, lines))
