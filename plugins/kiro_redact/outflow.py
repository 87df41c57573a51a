"""What one agent program says, redacted; of a text in pieces the end is held back while it may be a secret."""

from __future__ import annotations

from collections.abc import Iterable

from kiro_core.frames import Frame, Head
from kiro_redact.masking import Stream
from kiro_redact.pieces import Piece, is_single, piece_of, rest_of, with_text
from kiro_redact.redactor import Redactor

_STREAMS = 32
_NOISE = ("noise",)


class Outflow:
    """Turns what comes into what may be shown; only the text that came last is held back, so that the order stays."""

    def __init__(self, redactor: Redactor) -> None:
        """Nothing was said yet."""
        self._redactor = redactor
        self._streams: dict[tuple[str, ...], Stream] = {}
        self._last: tuple[Stream, Frame, Piece, bool] | None = None

    def passed(self, frames: Iterable[Frame]) -> list[Frame]:
        """What may be shown now that these have come."""
        return [shown for frame in frames for shown in self._passed(frame)]

    def let_go(self, *, cut: bool = True) -> list[Frame]:
        """What was held back; `cut` tells that its text may go on in spite of that."""
        if self._last is None:
            return []
        stream, frame, piece, was_shown = self._last
        self._last = None
        text = stream.flush(cut=cut)
        return [(rest_of if was_shown else with_text)(frame, piece, text)] if text else []

    def forget(self) -> None:
        """The texts are at their end: what comes next follows nothing."""
        self._streams.clear()

    def _passed(self, frame: Frame) -> list[Frame]:
        if frame.fault is not None:
            return [*self.let_go(), self._noise(frame)]
        piece = piece_of(frame)
        if piece is None:
            return [*self.let_go(), self._redactor.frame(frame)]
        stream = self._stream(piece.stream)
        before = [] if self._last is None or self._last[0] is stream else self.let_go()
        text = stream.feed(piece.text) + (stream.flush(cut=True) if piece.last else "")
        shown = self._shown(frame, piece, text)
        # What is held back as a whole comes with what follows, unless there is more to the message than its text.
        is_shown = bool(text) or not piece.text or b'"_meta"' in frame.raw
        self._last = (stream, shown, piece, is_shown)
        return [*before, shown] if is_shown else before

    def _shown(self, frame: Frame, piece: Piece, text: str) -> Frame:
        """The update with that text, and everything else in it redacted too."""
        if not self._redactor.may_have(frame.raw):
            return frame if text == piece.text else with_text(frame, piece, text)
        rest = with_text(frame, piece, "")
        redacted = self._redactor.frame(rest)
        if text == piece.text and redacted is rest and is_single(frame, piece.path):
            return frame
        return with_text(redacted, piece, text)

    def _noise(self, frame: Frame) -> Frame:
        """A line that is no message, as one of a text of such lines; what is in it is no JSON to anybody."""
        line = frame.raw.decode("utf-8", "surrogateescape")
        stream = self._stream(_NOISE)
        text = (stream.feed(f"{line}\n") + stream.flush(cut=True)).removesuffix("\n")
        if text == line:
            return frame
        raw = (text or self._redactor.mask).encode("utf-8", "surrogateescape")
        return Frame(raw, Head(id=frame.id, strict=False, failed=frame.failed, fault=frame.fault))

    def _stream(self, name: tuple[str, ...]) -> Stream:
        stream = self._streams.pop(name, None) or self._redactor.stream()
        self._streams[name] = stream
        if len(self._streams) > _STREAMS:
            del self._streams[next(iter(self._streams))]
        return stream
