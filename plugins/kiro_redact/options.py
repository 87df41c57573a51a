"""What can be said about redaction in the settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from kiro_redact.builtin import BUILTIN
from kiro_redact.kind import Kind
from kiro_redact.values import VALUE

_CLASS = re.compile(r"(?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9_.~+/=%:@!*])+-?")

Name = Annotated[str, StringConstraints(pattern=r"^[\w -]{1,40}$")]
ENVIRONMENT = (
    "*TOKEN*",
    "*SECRET*",
    "*PASSWORD*",
    "*PASSWD*",
    "*PASSPHRASE*",
    "*API_KEY*",
    "*ACCESS_KEY*",
    "*PRIVATE_KEY*",
)


class Pattern(BaseModel):
    """A kind of secret of one's own: a beginning that nothing else has, and a run of characters behind it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    begins: str = Field(
        pattern=r"^[!#-\[\]-~]{3,64}$",
        description="What it begins with, exactly: 3 to 64 visible ASCII characters; it is shown.",
    )
    of: str = Field(
        default="A-Za-z0-9_-", description="The characters behind it: ranges such as `a-z`, and any of `_.~+/=%:@!*-`."
    )
    least: int = Field(default=8, ge=1, le=1024, description="How many there are at least.")

    @field_validator("of")
    @classmethod
    def _is_class(cls, of: str) -> str:
        if not _CLASS.fullmatch(of) or any(first > last for first, last in re.findall("(.)-(.)", of)):
            raise ValueError("name characters and ranges such as `A-Za-z0-9_-`")
        return of

    def kind(self, name: str) -> Kind:
        """The same as what is looked for."""
        return Kind(name, (self.begins.lower(),), re.escape(self.begins), self.of, self.least, begun="")


class RedactOptions(BaseModel):
    """The options of the middleware `redact`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mask: str = Field(
        default="[redacted: {kind}]",
        pattern=r"^\[[A-Za-z :*.-]{0,40}(?:\{kind\})?[A-Za-z :*.-]{0,40}\]$",
        description="What stands in place of a secret: words in brackets; `{kind}` becomes its kind.",
    )
    env: tuple[str, ...] = Field(
        default=ENVIRONMENT,
        description="Names of variables of the desk's environment, with `*` and `?`, whose values are secrets.",
    )
    patterns: dict[Name, Pattern] = Field(
        default={}, description="Kinds of your own, by name: `{begins, of?, least?}`."
    )
    allow: tuple[str, ...] = Field(
        default=(), description="Names of kinds, as masks show them, that are not looked for."
    )
    entropy: float = Field(
        default=0,
        ge=0,
        le=6,
        description="Also mask words with at least so many bits of entropy a character (4.3 is sensible); 0 does not.",
    )

    @model_validator(mode="after")
    def _are_known(self) -> RedactOptions:
        known = {kind.name for kind in BUILTIN} | self.patterns.keys()
        names = {kind.name for kind in self.kinds()}
        for kind in self.kinds():
            if any(any(kind.spans(self.mask_of(name), cut=True)) for name in (*names, VALUE)):
                raise ValueError(f"a mask would be taken for a secret: {kind.name!r}")
        if unknown := sorted(set(self.allow) - known):
            raise ValueError(f"no kind is called {unknown[0]!r}; there are: {', '.join(sorted(known))}")
        return self

    def kinds(self) -> Iterator[Kind]:
        """The kinds that are known by their form."""
        own = [pattern.kind(name) for name, pattern in self.patterns.items()]
        return (kind for kind in (*BUILTIN, *own) if kind.name not in self.allow)

    def mask_of(self, kind: str) -> str:
        """What stands in place of a secret of a kind."""
        return self.mask.replace("{kind}", kind)
