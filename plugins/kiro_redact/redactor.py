"""What a session's redaction is made of: texts, values and messages without their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiro_core.frames import Frame, decode, encode
from kiro_redact.entropy import unlikely
from kiro_redact.finding import Finder
from kiro_redact.masking import Masker, Stream
from kiro_redact.options import RedactOptions
from kiro_redact.places import Way
from kiro_redact.values import VALUE, secret_values
from kiro_redact.walking import walked

_UNTOLD = "secret"
"""The kind where the mask is all that is left of a line."""


def is_extension(frame: Frame) -> bool:
    """Whether a message is none of the protocol's own."""
    return (frame.method or "").startswith("_")


class Redactor:
    """Knows what is a secret, and puts a mask in its place; it keeps nothing of what it has seen."""

    def __init__(self, options: RedactOptions, environment: Mapping[str, str]) -> None:
        """Look for what the options say; the values of variables are read here, once."""
        kinds = list(options.kinds())
        words = [unlikely(options.entropy)] if options.entropy else []
        masks = {options.mask_of(name) for name in (*(kind.name for kind in (*kinds, *words)), VALUE, _UNTOLD)}
        # A word of the masks is nobody's secret, and would be found in each of them.
        written = "\n".join(masks)
        values = [value for value in secret_values(environment, options.env) if value not in written]
        self._mask_of = options.mask_of
        self._all = Finder([*kinds, *words], values)
        finders = {Way.ALL: self._all, Way.FORMS: Finder(kinds, values)}
        self._maskers = {way: Masker(finder, options.mask_of, masks) for way, finder in finders.items()}

    @property
    def mask(self) -> str:
        """What stands in place of a secret whose kind was told before."""
        return self._mask_of(_UNTOLD)

    def stream(self) -> Stream:
        """A text that will come in pieces."""
        return Stream(self._all, self._mask_of)

    def may_have(self, raw: bytes) -> bool:
        """Whether a message may hold a secret; most do not."""
        return self._all.may_have(raw)

    def raw(self, raw: bytes, *, free: bool = False) -> bytes:
        """JSON text with its texts redacted, and every other byte as it is; see `walked`."""
        return walked(raw, self._text, free=free) if self.may_have(raw) else raw

    def frame(self, frame: Frame, *, free: bool = False) -> Frame:
        """A message as it may be shown; of one that answers an extension's all is `free`."""
        raw = self.raw(frame.raw, free=free or is_extension(frame))
        return frame if raw is frame.raw else Frame.read(raw)

    def value(self, value: Any) -> Any:
        """A JSON value as it may be recorded and shown; once more it stays as it is."""
        raw = encode(value)
        shown = self.raw(raw)
        return value if shown is raw else decode(shown)

    def _text(self, text: str, how: Way, before: str) -> str:
        return self._maskers[how].masked(text, before=before, cut=True)
