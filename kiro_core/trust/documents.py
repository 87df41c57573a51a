"""Names a file that somebody else may have written, so that a person can agree to it and to nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """A file of a folder that starts or allows something.

    `folder` is what it belongs to, `origin` its path, `digest` the SHA-256 of its bytes (hexadecimal); `starts`
    says in one line each, for people, what it would start or allow.
    """

    folder: str
    origin: str
    digest: str
    starts: Sequence[str] = ()
