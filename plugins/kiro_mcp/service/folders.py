"""Paths that hosts and settings name: `~`, what a relative one is below, and what is wrong with one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiro_core.errors import KiroError
from kiro_mcp.options import McpOptions
from kiro_mcp.service.failing import ToolFailure


def folder(options: McpOptions, text: str = "") -> Path:
    """The absolute path of a working directory, see `below`; links in it stay.

    Raises:
        ToolFailure: INVALID_CONFIG, it is no folder.

    """
    try:
        # `resolve` follows links.
        whole = Path(os.path.abspath(below(options, text)))  # noqa: PTH100
        there = whole.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise _no_folder(text or options.working_directory) from error
    if not there:
        raise _no_folder(str(whole))
    return whole


def below(options: McpOptions, text: str) -> Path:
    """The path that `text` means to this server: a relative one is below its working directory.

    Raises:
        OSError, RuntimeError, ValueError: it means none, such as `~` of a person who is not known.

    """
    return Path.cwd() / Path(options.working_directory).expanduser() / Path(text).expanduser()


def unusable(path: str, why: str, hint: str) -> ToolFailure:
    """A file that a host has named, and that cannot be used."""
    return ToolFailure("INVALID_CONFIG", f"{path} {why}.", hint=hint, details={"path": path})


@contextmanager
def explained(path: str, hint: str) -> Iterator[None]:
    """Work with a file that a host has named; `hint` is what it is told if that fails.

    Raises:
        ToolFailure: INVALID_CONFIG, it cannot be used.

    """
    try:
        yield
    except KiroError:
        raise  # some of them are an OSError or a ValueError too
    except (FileNotFoundError, NotADirectoryError) as error:
        raise unusable(path, "is in a folder, or is a file, that does not exist", hint) from error
    except (OSError, RuntimeError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no path"
        raise unusable(path, f"cannot be used ({why})", hint) from error


def _no_folder(name: str) -> ToolFailure:
    return ToolFailure(
        "INVALID_CONFIG",
        f"There is no folder {name} to work in.",
        hint="Name one that exists.",
        details={"working_directory": name},
    )
