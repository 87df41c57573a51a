"""One error tree, so that every failure reaches a person as a sentence, a hint and a stable code.

KiroError
├── SettingsError        ValueError    SETTINGS_INVALID      a key, variable or value of the settings
├── PluginError          ValueError    PLUGIN_INVALID        a plugin that cannot be used as it stands
├── UnknownName          LookupError   NAME_UNKNOWN          no provider or engine of that name
├── AgentNotFound        LookupError   AGENT_NOT_FOUND       no agent configuration of that name
├── AgentConfigInvalid   ValueError    AGENT_CONFIG_INVALID  an agent configuration that cannot be read
├── CrewInvalid          ValueError    CREW_INVALID          a crew that cannot run, or a run that cannot go on so
├── CrewRefused          PermissionError  CREW_REFUSED       what the rules of a crew forbid a session
├── AgentUntrusted       PermissionError  AGENT_UNTRUSTED    an agent configuration of a folder that nobody trusted
├── EngineNotFound       LookupError   ENGINE_NOT_FOUND      no agent program to start
├── LaunchFailed         OSError       LAUNCH_FAILED         an agent program that did not start
├── AgentGone            OSError       AGENT_GONE            an agent program that ended
├── AgentTimeout         TimeoutError  AGENT_TIMEOUT         an agent that did not answer in time
├── EndingFailed         OSError       ENDING_FAILED         a process that survived being killed
├── AgentUnable          RuntimeError  AGENT_UNABLE          the agent lacks what the request needs
├── MiddlewareFailed     RuntimeError  MIDDLEWARE_FAILED     a middleware that raised or took too long
├── Vetoed               PermissionError  VETOED             what a middleware does not let pass
├── McpFailed            OSError       MCP_FAILED            an MCP server that does not start
├── AuthRequired         PermissionError  AUTH_REQUIRED      the agent program wants a login first
├── ModeUnguarded        PermissionError  MODE_UNGUARDED     a mode without questions that nobody agreed to
├── EngineUnguarded PermissionError  ENGINE_UNGUARDED    an agent that does not ask, where something is forbidden
├── ObserverOnly         PermissionError  OBSERVER_ONLY      a client that watches a session and may do no more
├── SessionNotFound      LookupError   SESSION_NOT_FOUND     no session of that id
├── SessionBusy          RuntimeError  SESSION_BUSY          its queue of prompts is full
├── InboxFull            RuntimeError  INBOX_FULL            its inbox takes no more messages
├── SessionClosing       RuntimeError  SESSION_CLOSING       it is being ended
├── DeskFull             RuntimeError  DESK_FULL             the desk has as many as its limits allow
├── Held                 RuntimeError  SESSION_HELD          another live owner holds its lease
├── Fenced               RuntimeError  SESSION_FENCED        this owner's lease has ended
├── Unavailable          OSError       STORE_UNAVAILABLE     the store did not take it; the outcome is unknown
├── RecordInvalid        ValueError    RECORD_INVALID        a record or message that cannot be read
├── ArchiveInvalid       ValueError    ARCHIVE_INVALID       an archive of a session that does not verify
├── LabelInvalid         ValueError    LABEL_INVALID         a title, name or tag that cannot be given
├── NameTaken            ValueError    NAME_TAKEN            another session of the folder has the name
├── Disconnected         ConnectionError  DISCONNECTED       the other side of a connection is gone
└── RpcError             RuntimeError  RPC_ERROR             a JSON-RPC error, ours or the peer's
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar


class KiroError(Exception):
    """A failure told to a person: `str(error)` is one sentence, `hint` says what to do next.

    `code` is stable and documented; `details` (JSON values) is for programs; `rpc` is the JSON-RPC
    number under which the error travels (JSON-RPC 2.0 section 5.1; ACP "Errors").
    """

    code: ClassVar[str] = "KIRO_ERROR"
    rpc: ClassVar[int] = -32603

    def __init__(self, sentence: str, *, hint: str = "", **details: Any) -> None:
        """`sentence` stands alone; `details` holds JSON values only."""
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        """The sentence alone; faces add the hint in their own way."""
        return self.sentence


class SettingsError(KiroError, ValueError):
    """A key, variable or value of the settings is wrong; the sentence names it and its origin."""

    code = "SETTINGS_INVALID"


class PluginError(KiroError, ValueError):
    """A plugin declares something that cannot be used; the sentence names plugin and reason."""

    code = "PLUGIN_INVALID"


class UnknownName(KiroError, LookupError):
    """No provider or engine has the name; the sentence has the near miss and what is available."""

    code = "NAME_UNKNOWN"


class AgentNotFound(KiroError, LookupError):
    """No agent configuration has the name that was required."""

    code = "AGENT_NOT_FOUND"


class AgentConfigInvalid(KiroError, ValueError):
    """An agent configuration cannot be read; the sentence names path, field and reason."""

    code = "AGENT_CONFIG_INVALID"


class CrewInvalid(KiroError, ValueError):
    """A crew cannot run as it is written; `details` has all `problems` (`{path, line, field, reason}`).

    Or its run cannot go on in the way that was asked for, which the sentence explains.
    """

    code = "CREW_INVALID"


class CrewRefused(KiroError, PermissionError):
    """The rules of a crew forbid what a session asked for; `details` has the `rule` by name, see `ports.Members`."""

    code = "CREW_REFUSED"


class AgentUntrusted(KiroError, PermissionError):
    """The agent configuration that was required wants what only a folder that its user trusts may."""

    code = "AGENT_UNTRUSTED"


class EngineNotFound(KiroError, LookupError):
    """No agent program can be started; the sentence lists what was looked for."""

    code = "ENGINE_NOT_FOUND"


class LaunchFailed(KiroError, OSError):
    """An agent program is missing, not executable or ended before it answered `initialize`."""

    code = "LAUNCH_FAILED"


class AgentGone(KiroError, OSError):
    """An agent program ended; the sentence has its status, `details` the end of its stderr."""

    code = "AGENT_GONE"


class AgentTimeout(KiroError, TimeoutError):
    """An agent did not answer a request within its deadline."""

    code = "AGENT_TIMEOUT"


class EndingFailed(KiroError, OSError):
    """Something of an agent program survived being killed; whoever raised it can be asked to try `again`."""

    code = "ENDING_FAILED"

    async def again(self) -> None:
        """Try to end it once more.

        Raises:
            EndingFailed: it is still there.

        """
        raise self


class AgentUnable(KiroError, RuntimeError):
    """The agent cannot do what the request needs (no resume and no load, say)."""

    code = "AGENT_UNABLE"


class MiddlewareFailed(KiroError, RuntimeError):
    """A middleware raised something or took too long; `details` has its name as `middleware`, `seam` says where."""

    code = "MIDDLEWARE_FAILED"


class Vetoed(KiroError, PermissionError):
    """A middleware does not let something pass; it raises this itself, with a sentence of its own."""

    code = "VETOED"


class McpFailed(KiroError, OSError):
    """An MCP server does not start, or is not among those of the session; `details` has its name as `server`."""

    code = "MCP_FAILED"


class AuthRequired(KiroError, PermissionError):
    """The agent program wants a login first (ACP "Authentication"); `details` has `authMethods` and `login`."""

    code = "AUTH_REQUIRED"
    rpc = -32000


class ModeUnguarded(KiroError, PermissionError):
    """A mode in which the agent acts without asking a person was not set, since nobody agreed to it."""

    code = "MODE_UNGUARDED"


class EngineUnguarded(KiroError, PermissionError):
    """The agent program does not ask before it uses tools, and the agent configuration forbids some."""

    code = "ENGINE_UNGUARDED"


class ObserverOnly(KiroError, PermissionError):
    """The client watches the session, and asked for what only a controller may do."""

    code = "OBSERVER_ONLY"


class SessionNotFound(KiroError, LookupError):
    """No session has the id."""

    code = "SESSION_NOT_FOUND"
    rpc = -32002


class SessionBusy(KiroError, RuntimeError):
    """The session's queue of prompts is full."""

    code = "SESSION_BUSY"


class InboxFull(KiroError, RuntimeError):
    """As many messages are pending in the session's inbox as it takes; this one was not put there."""

    code = "INBOX_FULL"


class SessionClosing(KiroError, RuntimeError):
    """The session is being ended and takes nothing new."""

    code = "SESSION_CLOSING"


class DeskFull(KiroError, RuntimeError):
    """The desk has as many sessions or agent programs as its limits allow; the sentence names the limit."""

    code = "DESK_FULL"


class Held(KiroError, RuntimeError):
    """Another live owner holds the session's lease; the sentence names it."""

    code = "SESSION_HELD"


class Fenced(KiroError, RuntimeError):
    """This owner's lease has ended: never retry, stop the agent."""

    code = "SESSION_FENCED"


class Unavailable(KiroError, OSError):
    """The store did not take a write; the outcome is unknown and the same batch may be repeated."""

    code = "STORE_UNAVAILABLE"


class RecordInvalid(KiroError, ValueError):
    """A record, a message or metadata cannot be read, or have a newer format than this program knows."""

    code = "RECORD_INVALID"


class ArchiveInvalid(KiroError, ValueError):
    """An archive of a session does not verify; the sentence names what, and nothing of it was stored."""

    code = "ARCHIVE_INVALID"


class LabelInvalid(KiroError, ValueError):
    """A title, name or tag cannot be given to a session; the sentence says why."""

    code = "LABEL_INVALID"


class NameTaken(KiroError, ValueError):
    """Another session of the same folder has the name; `details` has its id as `session`."""

    code = "NAME_TAKEN"


class Disconnected(KiroError, ConnectionError):
    """The other side of a connection is gone, so nobody will answer."""

    code = "DISCONNECTED"


class RpcError(KiroError, RuntimeError):
    """A JSON-RPC error object, raised by us or answered by the peer.

    `number` is the JSON-RPC code, `data` its data as received (any JSON value or None).
    """

    code = "RPC_ERROR"

    def __init__(self, number: int, sentence: str, *, hint: str = "", data: Any = None) -> None:
        """`number`: JSON-RPC 2.0 section 5.1, or ACP's -32000, -32002, -32800."""
        super().__init__(sentence, hint=hint)
        self.number = number
        self.data = data


def innermost(error: BaseException) -> BaseException:
    """What a group inside of groups comes to where there is one failure in each; else the error itself."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


@contextmanager
def unwrapped() -> Iterator[None]:
    """Let a failure inside task groups come out as itself; several at once stay a group."""
    try:
        yield
    except BaseExceptionGroup as group:
        error = innermost(group)
        if error is group:
            raise
        raise error from error.__cause__
