"""Keeps secrets out of the record and away from clients: what an agent or a person says is shown without them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from kiro_core import Provider, hookimpl
from kiro_core.ports import Middleware

if TYPE_CHECKING:
    from kiro_redact.options import RedactOptions


@asynccontextmanager
async def _open(options: RedactOptions | None) -> AsyncIterator[Middleware]:
    from kiro_redact.layer import Redaction
    from kiro_redact.options import RedactOptions
    from kiro_redact.redactor import Redactor

    yield Redaction(Redactor(options or RedactOptions(), os.environ))


def _options() -> type[RedactOptions]:
    from kiro_redact.options import RedactOptions

    return RedactOptions


@hookimpl
def kiro_middlewares() -> Iterable[Provider[Middleware, RedactOptions]]:
    """Provide the middleware `redact`."""
    yield Provider("redact", _open, _options, "masks secrets in what is recorded and shown")
