"""The end of what a command printed, since nobody needs all of a build's log and somebody always prints too much."""

from __future__ import annotations

import codecs


class Output:
    """The last `limit` bytes of an output as valid UTF-8; its first character is whole.

    Bytes that are no text become U+FFFD; a character of which only a part has come is waited for.
    """

    def __init__(self, limit: int) -> None:
        """Keep that many bytes, which may be none."""
        self._limit = limit
        self._kept = bytearray()
        self._cut = False
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def add(self, chunk: bytes, *, final: bool = False) -> None:
        """Take what was printed next; nothing comes behind a `final` one."""
        self._kept += self._decode(chunk, final).encode()
        if len(self._kept) > self._limit:
            del self._kept[: _whole(self._kept, self._limit)]
            self._cut = True

    def end(self, limit: int | None = None) -> tuple[str, bool]:
        """The text, at most `limit` bytes of it, and whether something is missing in front."""
        if limit is None or len(self._kept) <= limit:
            return self._kept.decode(), self._cut
        return self._kept[_whole(self._kept, limit) :].decode(), True


def _whole(text: bytearray, limit: int) -> int:
    """Where the last `limit` bytes begin, or the first whole character in them."""
    at = len(text) - limit
    while at < len(text) and text[at] & 0xC0 == 0x80:
        at += 1
    return at
