"""How a command ends: what a person is told of a failure, and the exit code that a script sees."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable
from typing import Final

import click

from kiro_core.cli.text import give_up, tell_failure, tell_lines
from kiro_core.errors import AgentNotFound, AgentUntrusted, KiroError, McpFailed, SettingsError, UnknownName

DONE = 0
FAILED = 1
USAGE = 2
MCP_MISSING = 3
AGENT_MISSING = 4
DENIED = 5
CANCELLED = 130

EXIT_CODES: Final = {
    DONE: "done",
    FAILED: "failure",
    USAGE: "wrong usage",
    MCP_MISSING: "a required MCP server does not start",
    AGENT_MISSING: "the named agent configuration is missing or not trusted",
    DENIED: "a question was denied or the agent refused",
    CANCELLED: "cancelled",
}
"""What each says. Where a command has others, or means less, its help says so."""


def attempt(command: Callable[[], int], *, debug: bool) -> int:
    """Run a command; its exit code, or that of its failure, which was told then."""
    try:
        code = command()
        sys.stdout.flush()
    except (click.ClickException, click.exceptions.Exit):
        raise
    except KeyboardInterrupt:
        return CANCELLED
    except BrokenPipeError:
        give_up(1)  # whoever read the output has enough
        return FAILED
    except OSError as error:
        return _unwritten(error) if _is_of_the_output(error) else _failed(error, debug=debug)
    except Exception as error:  # noqa: BLE001 - the command line is a boundary: a person gets a sentence
        return _failed(error, debug=debug)
    return code


def _is_of_the_output(error: OSError) -> bool:
    return not isinstance(error, KiroError) and error.errno in (errno.ENOSPC, errno.EIO)


def _unwritten(error: OSError) -> int:
    """The end of a command whose output has no room, or whose terminal is gone."""
    give_up(1)
    if error.errno == errno.EIO:
        give_up(2)
        return CANCELLED
    tell_failure(f"The output could not be written: {error.strerror}.")
    return FAILED


def _failed(error: Exception, *, debug: bool) -> int:
    if debug:
        tell_lines("".join(traceback.format_exception(error)))
    return _told(error)


def _told(error: Exception) -> int:
    if isinstance(error, ExceptionGroup) and (ours := error.split(KiroError)[0]):
        return max(_told(each) for each in ours.exceptions)
    if not isinstance(error, KiroError):
        tell_failure(f"Something failed: {type(error).__name__}: {error}.", "Run it again with --debug to see where.")
        return FAILED
    tell_failure(str(error), error.hint)
    return exit_code(type(error))


def exit_code(error: type[KiroError]) -> int:
    """The code of a command that ends with such an error."""
    if issubclass(error, AgentNotFound | AgentUntrusted):
        return AGENT_MISSING
    if issubclass(error, McpFailed):
        return MCP_MISSING
    return USAGE if issubclass(error, SettingsError | UnknownName) else FAILED
