"""Reads archives from files and pipes, and writes them so that a file is whole or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import anyio

from kiro_core import PipeStream
from kiro_core.errors import KiroError

_CHUNK = 262144


@contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file (0600) that gets its name when the block has ended well, and else leaves nothing.

    Raises:
        KiroError: there is one of that name already (with `force`: no plain one), or it cannot be written.

    """
    _require_free(path, force=force)
    try:
        fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(fd, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _require_free(path, force=force)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except KiroError:
        raise
    except OSError as error:
        raise KiroError(
            f"{path} could not be written: {error.strerror or error}.", hint="Choose another place."
        ) from error


async def chunks_of(path: Path | None) -> AsyncGenerator[bytes, None]:
    """The bytes of a file, or of stdin; a pipe that nobody writes to can be given up at any time.

    Raises:
        KiroError: it cannot be read.

    """
    try:
        fd = os.dup(0) if path is None else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        stream = PipeStream(fd, os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC))
        try:
            while True:
                yield await stream.receive(_CHUNK)
        except anyio.EndOfStream:
            return
        finally:
            await stream.aclose()
    except OSError as error:
        raise KiroError(
            f"{path or 'stdin'} could not be read: {error.strerror or error}.", hint="See who may read it."
        ) from error


def _require_free(path: Path, *, force: bool) -> None:
    if not os.path.lexists(path):
        return
    if not force:
        raise KiroError(f"{path} exists already.", hint="Choose another name, or replace it with --force.")
    if not path.is_file():
        raise KiroError(f"{path} is not a plain file, so it is not replaced.", hint="Choose another name.")
