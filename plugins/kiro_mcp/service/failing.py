"""Whatever fails reaches a host as one of fifteen codes, a sentence, details and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, get_args

from typing_extensions import TypedDict

from kiro_core.errors import DeskFull, KiroError, LaunchFailed, RpcError
from kiro_core.frames import Frame
from kiro_core.rpc import raised

Code = Literal[
    "INVALID_MESSAGE",
    "INVALID_COMMAND",
    "INVALID_CONFIG",
    "SESSION_NOT_FOUND",
    "SESSION_ALREADY_EXISTS",
    "SESSION_LIMIT_REACHED",
    "SESSION_INACTIVE",
    "COMMAND_TIMEOUT",
    "COMMAND_FAILED",
    "KIRO_CLI_NOT_FOUND",
    "EXECUTION_ERROR",
    "AGENT_NOT_FOUND",
    "SESSION_BUSY",
    "SERVER_OVERLOADED",
    "STREAM_INTERRUPTED",
]
"""The codes of kiro-cli-mcp, so that its users can switch."""

_ENDS = (".", "!", "?")

CODES: frozenset[Code] = frozenset(get_args(Code))

_CODES: Mapping[str, Code] = {
    "SETTINGS_INVALID": "INVALID_CONFIG",
    "PLUGIN_INVALID": "INVALID_CONFIG",
    "NAME_UNKNOWN": "KIRO_CLI_NOT_FOUND",
    "AGENT_NOT_FOUND": "AGENT_NOT_FOUND",
    "AGENT_CONFIG_INVALID": "INVALID_CONFIG",
    "AGENT_UNTRUSTED": "INVALID_CONFIG",
    "CREW_INVALID": "INVALID_CONFIG",
    "ENGINE_NOT_FOUND": "KIRO_CLI_NOT_FOUND",
    "LAUNCH_FAILED": "KIRO_CLI_NOT_FOUND",
    "AGENT_GONE": "STREAM_INTERRUPTED",
    "AGENT_TIMEOUT": "COMMAND_TIMEOUT",
    "MODE_UNGUARDED": "INVALID_CONFIG",
    "ENGINE_UNGUARDED": "INVALID_CONFIG",
    "SESSION_NOT_FOUND": "SESSION_NOT_FOUND",
    "SESSION_BUSY": "SESSION_BUSY",
    "SESSION_CLOSING": "SESSION_INACTIVE",
    "DESK_FULL": "SERVER_OVERLOADED",
    "SESSION_HELD": "SESSION_BUSY",
    "SESSION_FENCED": "STREAM_INTERRUPTED",
    "DISCONNECTED": "STREAM_INTERRUPTED",
    "RPC_ERROR": "COMMAND_FAILED",
}
"""Which code of a host stands for which of the desk; any other is an EXECUTION_ERROR."""


class FailureShape(TypedDict):
    """A failure as hosts are told it."""

    code: str
    message: str
    details: dict[str, Any]
    hint: str


class ToolFailure(Exception):
    """A call of a host that failed: `sentence` is for a person, `details` holds JSON values for programs."""

    def __init__(self, code: Code, sentence: str, *, hint: str = "", details: Mapping[str, Any] | None = None) -> None:
        """`hint` says what to do next, in terms of what a host can call."""
        super().__init__(sentence)
        self.code: Code = code
        self.sentence = sentence
        self.hint = hint
        self.details = dict(details or {})

    def told(self) -> FailureShape:
        """The one shape of all errors."""
        return {"code": self.code, "message": self.sentence, "details": self.details, "hint": self.hint}


def failure_of(error: Exception) -> ToolFailure:
    """A failure of the desk, in a host's words; `details.cause` is the desk's own code.

    What is none of the desk's says nothing of itself: whoever calls this logs it.
    """
    if isinstance(error, ToolFailure):
        return error
    if isinstance(error, KiroError):
        details = {**error.details, "cause": error.code}
        sentence = error.sentence if error.sentence.endswith(_ENDS) else f"{error.sentence}."  # it may be an agent's
        return ToolFailure(_code_of(error), sentence, hint=error.hint, details=details)
    if isinstance(error, TimeoutError):
        return ToolFailure("COMMAND_TIMEOUT", "It took too long.", hint="Try again.", details={"cause": "TIMEOUT"})
    return ToolFailure(
        "EXECUTION_ERROR",
        "Something failed here; the log has the details.",
        hint="See the log of the server.",
        details={"cause": "INTERNAL"},
    )


def _code_of(error: KiroError) -> Code:
    if isinstance(error, DeskFull) and "max_sessions" in error.details:
        return "SESSION_LIMIT_REACHED"
    if isinstance(error, LaunchFailed) and "status" in error.details:
        return "EXECUTION_ERROR"  # it is there, and ended before it was ready
    return _CODES.get(error.code, "EXECUTION_ERROR")


@contextmanager
def in_our_words() -> Iterator[None]:
    """Let no failure of the desk out of this block but as a `ToolFailure`."""
    try:
        yield
    except (KiroError, TimeoutError) as error:
        raise failure_of(error) from error


def failure_in(error: Mapping[str, Any]) -> ToolFailure:
    """The same for a JSON-RPC error object that was answered or recorded: the desk's own, or the agent's."""
    number, sentence = error.get("code"), str(error.get("message") or "The agent failed and gave no reason.")
    number = number if type(number) is int else 0
    try:
        raised(Frame.failure(number, sentence, error.get("data")))
    except KiroError as told:
        return failure_of(told)
    failure = failure_of(RpcError(number, sentence))
    failure.details["number"] = number
    return failure
