"""What a session's redaction is made of: texts, values and messages without their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiro_core.frames import Frame, decode, encode
from kiro_redact.entropy import unlikely
from kiro_redact.finding import Finder
from kiro_redact.masking import Stream, redacted
from kiro_redact.options import RedactOptions
from kiro_redact.places import Way
from kiro_redact.values import secret_values
from kiro_redact.walking import walked


class Redactor:
    """Knows what is a secret, and puts a mask in its place; it keeps nothing of what it has seen."""

    def __init__(self, options: RedactOptions, environment: Mapping[str, str]) -> None:
        """Look for what the options say; the values of variables are read here, once."""
        kinds = list(options.kinds())
        values = secret_values(environment, options.env)
        words = [unlikely(options.entropy)] if options.entropy else []
        self._mask_of = options.mask_of
        self._forms = Finder(kinds, values)
        self._all = Finder([*kinds, *words], values)

    @property
    def mask(self) -> str:
        """What stands in place of a secret whose kind was told before."""
        return self._mask_of("secret")

    def stream(self) -> Stream:
        """A text that will come in pieces."""
        return Stream(self._all, self._mask_of)

    def may_have(self, raw: bytes) -> bool:
        """Whether a message may hold a secret; most do not."""
        return self._all.may_have(raw)

    def raw(self, raw: bytes, *, free: bool = False) -> bytes:
        """JSON text with its texts redacted, and every other byte as it is; see `walked`."""
        return walked(raw, self._text, free=free) if self.may_have(raw) else raw

    def frame(self, frame: Frame) -> Frame:
        """A message as it may be shown."""
        raw = self.raw(frame.raw, free=(frame.method or "").startswith("_"))
        return frame if raw is frame.raw else Frame.read(raw)

    def value(self, value: Any) -> Any:
        """A JSON value as it may be recorded and shown; once more it stays as it is."""
        raw = encode(value)
        while (shown := self.raw(raw)) is not raw:
            raw, value = shown, decode(shown)
        return value

    def _text(self, text: str, how: Way, before: str) -> str:
        finder = self._all if how is Way.ALL else self._forms
        return redacted(finder, self._mask_of, text, before=before, cut=True)
