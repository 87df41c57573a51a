"""What hosts are shown, all immutable; times are RFC 3339 in UTC with a Z."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kiro_mcp.service.failing import ToolFailure


@dataclass(frozen=True, slots=True)
class Command:
    """A command that an agent offers, its name without a slash."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that is open here; `working_directory` is absolute.

    `state` is "ready", "busy" (a turn of ours runs or waits), "ending" or "ending_failed" (its process survives,
    and it can be ended again).
    """

    id: str
    agent: str
    engine: str
    working_directory: str
    title: str
    created_at: str
    last_active: str
    state: str
    commands: Sequence[Command] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question; `kind` is ACP's: allow_once, allow_always, reject_once, reject_always."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Question:
    """What an agent asks before it does something with a `tool`: its name, else its kind (read, edit, execute, ...).

    `about` is what it would work on: commands, addresses, paths; "" where that is not known. One that
    is `person_only` no program may answer: where no person can be asked, the host is told the `notice`. One that is
    `of_session` no turn asks, but the desk, before the session begins its next one.
    """

    id: str
    session_id: str
    title: str
    tool: str
    options: Sequence[Option]
    asked_at: str
    person_only: bool = False
    notice: str = ""
    of_session: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a host is told besides: a stable `kind` ("agent_not_found", "mcp_failed", ...) and a sentence.

    `severity` is "info", "warning" or "error".
    """

    kind: str
    message: str
    severity: str = "warning"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer; the last one is `is_final` if the turn has ended."""

    content: str
    index: int
    timestamp: str
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class ToolState:
    """A tool call of a turn: `status` is ACP's: pending, in_progress, completed or failed."""

    title: str
    status: str


@dataclass(frozen=True, slots=True)
class TaskView:
    """A turn as it stands: `status` is pending, running, streaming, completed, failed or cancelled.

    `chunks` are those from the index that was asked for, some hundred KiB of them at most: while there are more, the
    task is not done. `last_chunk_index` is that of the last one that was told so far, -1 for none. `total_bytes` is of
    UTF-8. `question` is what the agent of the session waits for. `text` is the whole answer, of a task that is done and
    where it is asked for. `tools` are the newest twenty. Times that did not come are "". `cancel_requested` says that
    it goes on although somebody has cancelled it.
    """

    id: str
    session_id: str
    status: str
    is_done: bool
    created_at: str = ""
    started_at: str = ""
    completed_at: str = ""
    total_bytes: int = 0
    chunks: Sequence[Chunk] = ()
    last_chunk_index: int = -1
    question: Question | None = None
    stop_reason: str = ""
    failure: ToolFailure | None = None
    text: str = ""
    tools: Sequence[ToolState] = ()
    cancel_requested: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command that is no turn answered; `exit_code` is 0 or 1."""

    success: bool
    output: str
    error: str
    exit_code: int
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """An archive that was written: its absolute path and its size in bytes."""

    session_id: str
    path: str
    bytes: int
