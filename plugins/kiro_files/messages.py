"""Write and read the lines of an inbox: messages, and notes of which of them are settled.

`{"format":1,"id":ID,"at":TIME,"body":{...}}` is a message. `{"format":1,"settled":[ID,...],"seq":N}` notes that these
were settled by records up to number N of the log, and that what comes behind N is not noted yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from kiro_core.errors import RecordInvalid
from kiro_core.types import FORMAT, INBOX_REMEMBERED, Message
from kiro_files.lines import UNREADABLE, is_newer


class _Line(msgspec.Struct, gc=False):
    """A message, which has an id, or a note."""

    format: int
    id: str = ""
    at: str = ""
    body: msgspec.Raw = msgspec.Raw()
    settled: tuple[str, ...] | None = None
    seq: Annotated[int, msgspec.Meta(ge=0, lt=2**62)] = 0


_line = msgspec.json.Decoder(_Line).decode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(slots=True)
class Contents:
    """What an inbox holds: messages that are not noted as settled, ids of those that are, each in order of arrival.

    `noted` is the number of the last note. `damaged` are spans of bytes that are no line of ours, and `end` is where
    the last whole line ends; what comes behind it was not written to its end.
    """

    messages: dict[str, Message] = field(default_factory=dict)
    settled: dict[str, None] = field(default_factory=dict)
    noted: int = 0
    damaged: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0

    def add(self, text: bytes) -> None:
        """Take in the next whole line, given without its newline.

        Raises:
            RecordInvalid: it is of a newer format.

        """
        line, start = _decoded(text), self.end
        self.end += len(text) + 1
        if line is None:
            self.damaged.append((start, self.end))
        elif line.settled is not None:
            self.noted = line.seq
            for message_id in line.settled:
                self.messages.pop(message_id, None)
                self.settled[message_id] = None
        elif line.id not in self.settled:
            self.messages.setdefault(line.id, Message(line.id, line.at, bytes(line.body)))


def parse(text: bytes) -> Contents:
    """What stands in the text of an inbox.

    Raises:
        RecordInvalid: it is of a newer format.

    """
    contents = Contents()
    for line in text.split(b"\n")[:-1]:
        contents.add(line)
    return contents


def condensed(contents: Contents, damaged: Iterable[bytes]) -> bytes:
    """The text of an inbox without what is settled, but with the newest of its ids, and with these damaged lines."""
    remembered = list(contents.settled)[-INBOX_REMEMBERED:]
    lines = (encode_message(message) for message in contents.messages.values())
    return b"".join([encode_note(remembered, contents.noted), *damaged, *lines])


def encode_message(message: Message) -> bytes:
    """The line of a message."""
    name, at = msgspec.json.encode(message.id), msgspec.json.encode(message.at)
    return b'{"format":%d,"id":%b,"at":%b,"body":%b}\n' % (FORMAT, name, at, message.body)


def encode_note(settled: Collection[str], seq: int) -> bytes:
    """The line that notes these as settled, by records up to a number."""
    return b'{"format":%d,"settled":%b,"seq":%d}\n' % (FORMAT, msgspec.json.encode(settled), seq)


def is_object(body: bytes) -> bool:
    """Whether it is one strict JSON object on one line."""
    if body[:1] != b"{" or body[-1:] != b"}" or b"\n" in body:
        return False
    try:
        body.decode()
        _object(body)
    except UNREADABLE:
        return False
    return True


def _decoded(text: bytes) -> _Line | None:
    """One line, or None when it is damaged."""
    try:
        line = _line(text)
        text.decode()  # the parser passes over a body without looking at its encoding
    except UNREADABLE:
        line = None
    if line is not None and line.format == FORMAT:
        return line if line.settled is not None or (line.id and bytes(line.body)[:1] == b"{") else None
    if is_newer(text):
        raise RecordInvalid("The inbox is of a newer format than this version reads.", hint="Update kiro-core.")
    return None
