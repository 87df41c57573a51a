"""The nouns that pass between the core and its plugins, all immutable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, NewType, TypeVar

SessionId = NewType("SessionId", str)
"""Ours: a UUID in its canonical form. The agent's own id is kept beside it, never instead of it."""

T = TypeVar("T")

FORMAT = 1
"""The format of records and metadata that this program writes; a newer one is opened read-only."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session's metadata, one JSON object in the store; times are RFC 3339 in UTC.

    `roots` are the absolute paths of the folders that it may use besides `cwd` (ACP
    `additionalDirectories`); `name` is what a person calls it, unique among the sessions of a folder
    by the will of who gives it; `tags` are sorted and unique; `titled` tells that a person gave the
    title, which nothing that is observed replaces then; `spoken` that an agent has finished a turn.
    `mode` and `options` (values by id) are what was chosen of the agent program's own; the record behind
    the number `configured` has the whole configuration that `config_digest` names. `trashed` is when it was
    put into the trash, where nobody finds or opens it until somebody restores it; empty where it was not. `answers`
    are what a person has allowed or denied for the whole session, in the words of its policy; `inherited` is what
    bound each session above it when it began, the nearest first. `imported` is when it came out of an archive, whose
    records may be anybody's; empty where it did not.
    """

    id: SessionId
    cwd: str
    created: str
    updated: str
    title: str = ""
    agent: str = ""
    engine: str = ""
    model: str = ""
    agent_session: str = ""
    parent: str = ""
    config_digest: str = ""
    roots: tuple[str, ...] = ()
    name: str = ""
    tags: tuple[str, ...] = ()
    titled: bool = False
    spoken: bool = False
    mode: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    configured: int = 0
    trashed: str = ""
    answers: tuple[Mapping[str, Any], ...] = ()
    inherited: tuple[Mapping[str, Any], ...] = ()
    imported: str = ""
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions to list; an empty field matches all.

    `cwd` is the folder under any of its names, `name` the whole name, `tag` one of the tags. Those in the
    trash are listed with `trashed`, and then alone.
    """

    cwd: str = ""
    name: str = ""
    tag: str = ""
    trashed: bool = False


@dataclass(frozen=True, slots=True)
class PruneRule:
    """Which sessions go to the trash: those with the tag and of the folder that are named, if any is.

    The newest `keep` of them stay, and so does what was used within `older_than`. A rule that sets neither
    of these nor `tag` takes nothing: `cwd` alone only narrows.
    """

    older_than: timedelta = timedelta()
    keep: int = 0
    tag: str = ""
    cwd: str = ""

    def __bool__(self) -> bool:
        """Whether it takes anything."""
        return bool(self.older_than or self.keep or self.tag)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning did with a session, or would do; the fields that it shares with `SessionInfo` are as there.

    `outcome` is "trashed", "deleted" (for good, after its time in the trash), or says why it was left alone,
    which `reason` has as a sentence: "held" (somebody has it open), "changed" (since it was looked at),
    "unreadable" and "failed" (the store could not do it). `until` is until when a trashed one can be
    restored at least.
    """

    session: SessionId
    outcome: str
    updated: str = ""
    cwd: str = ""
    name: str = ""
    title: str = ""
    until: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing; `cursor` is opaque and None on the last page.

    `damaged` are the ids of what cannot be read and is left out, the same on every page.
    """

    items: Sequence[T]
    cursor: str | None = None
    damaged: Sequence[SessionId] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """How whoever holds a session can be reached, for messages and for asking it.

    `face` is what it serves ("acp", "run"), `socket` the path of its desk socket; empty for none.
    """

    face: str = ""
    socket: str = ""


NO_CONTACT = Contact()


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a session's log: the store gives `seq` and `epoch`, the core the body.

    `seq` grows strictly within a session (gaps allowed); `epoch` is the writer's fence; `body` is
    one strict JSON object without a newline.
    """

    seq: int
    epoch: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What a record tells (see `Desk.told`): `seq` is its number, `at` its time (RFC 3339 in UTC), `turn` what ran.

    `kind` and what goes with it, in `text` and in `details` (JSON values):

    - "prompt": it was accepted; its text, `{task}` as whoever prompted calls it (`_meta.kiro_core.task`); "begun":
      the agent is sent it, `{session}` is the agent's own id; "user": it is part of the conversation now; its text;
      "ended": the turn's one outcome, `{state, stopReason?, error?, reason?}`, where `state` is "settled",
      "cancelled", "failed", "unknown" (it was cut off) or "refused" (it was never accepted);
    - of the agent: "agent" and "thought" (a chunk's text), "tool" (its title; `{toolCallId, title?, kind?,
      status?}`), "plan" (`{entries}`), "update" (any other, as it came, and what a child of the agent says);
    - "question" (somebody is asked; its title, `{toolCallId?, kind?, options?}`), "answer" (`{toolCallId, by, ...}`),
      "notice" (what clients were told; its sentence);
    - "reset" (the agent's context began anew; why), "cleared" (what a person is shown begins here), "lost" (records are
      missing here), "closed" (the session ended; why).

    Where reading began in the midst of a turn, `turn` is empty until the next one, and "agent", "thought" and "tool"
    have the id under which the agent speaks as `session`: another one than of "begun" is a child's.
    """

    seq: int
    kind: str
    at: str
    turn: str = ""
    text: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """Something in a session's inbox; what it says is its sender's and its reader's business.

    `id` is the sender's choice, such as the session and the turn that it comes from: sent again under it, it is
    there once. `at` is when it came, RFC 3339 in UTC; `body` is one strict JSON object without a newline.
    """

    id: str
    at: str
    body: bytes


INBOX_MESSAGES = 100
"""How many messages may be pending in an inbox."""

INBOX_REMEMBERED = 1000
"""Of how many settled messages an inbox knows the ids at least, the newest ones."""

MESSAGE_BYTES = 2**16
"""How long the body of a message may be."""

MESSAGE_ID_CHARACTERS = 200
"""How long the id of a message may be; it is printable and not empty."""

GAP = "gap"
"""The kind of the one record that a store makes by itself: numbers that are lost, see `SessionStore.read`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a stored session that is not as it was written: a stable `kind` and a sentence.

    Kinds: "gap" (records that are lost for good, which readers are told), "damaged" (bytes that are
    no record), "torn" (a batch or a message that was not written to its end), "metadata", "inbox" (bytes that
    are no message), "owner" (nobody can say who held the session). `first` and `last` are the numbers of lost
    records, 0 for none.
    """

    kind: str
    sentence: str
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What a check of a stored session found.

    `records` can be read, the last of them is number `head`; `repaired` tells that all of `findings`
    but the gaps are mended now.
    """

    session: SessionId
    records: int
    head: int
    findings: Sequence[Finding] = ()
    repaired: bool = False

    @property
    def sound(self) -> bool:
        """Whether nothing is left to mend; a gap cannot be, and is no loss that anybody hides."""
        return self.repaired or all(finding.kind == GAP for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Command:
    """What a launcher starts: `argv` without a shell, `cwd` absolute.

    `env` is added to what the launcher inherits, `unset` is taken away from it first. `output_only` is for
    a command that nobody talks to: its stdin is empty, and its stderr goes into its stdout in order.
    """

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str] = field(default_factory=dict)
    unset: Sequence[str] = ()
    output_only: bool = False


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: `code` is its exit code, or minus the signal's number."""

    code: int

    def __str__(self) -> str:
        """Words for a message: `status 3` or `signal 9`."""
        return f"status {self.code}" if self.code >= 0 else f"signal {-self.code}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a launcher ended of a launch that nobody owned any more.

    `identity` is the process's own (see `Process`), `program` its name without arguments, `ended` how many
    processes it was together with all that it had started.
    """

    identity: str
    program: str
    ended: int


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that goes with an agent's prompt: `text` is a file's, and `uri` (`file:///...`) says which.

    Of a skill, `skill` is the name and `text` the description; its body is read on demand, at `uri`.
    """

    uri: str
    text: str
    skill: str = ""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """An agent configuration as far as the core uses it; everything else stays in `fields`.

    `fields` is the whole JSON object as written; `origin` names where it came from; `digest` is the
    SHA-256 of its bytes (hexadecimal); `workspace` is the folder that it belongs to, empty for the user's
    own. A source leaves the rest to the core: `prompt` is as written until the core has read the file
    that it may name, `resources` are read by then too, and `withheld` names the fields for which the
    document is not used, since its folder is not trusted.
    """

    name: str
    description: str = ""
    prompt: str = ""
    model: str = ""
    origin: str = "built-in"
    digest: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    withheld: Sequence[str] = ()
    workspace: str = ""
    resources: Sequence[Resource] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that is not as it should be: where, which field, why.

    `field` is a dotted path inside the file and `line` counts from 1; both may be unknown ("", 0). `severity` is
    "error" for a file that is not used, and "warning" for one that is used all the same. `reason` is the end
    of a sentence, without its full stop.
    """

    path: Path
    field: str
    reason: str
    line: int = 0
    severity: str = "error"

    def __str__(self) -> str:
        """One line: path, line, field, reason."""
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return ": ".join(part for part in (place, self.field, self.reason) if part)


@dataclass(frozen=True, slots=True)
class AgentSummary:
    """One agent configuration in a listing; `workspace` and `withheld` are as in `AgentConfig`."""

    name: str
    description: str = ""
    origin: str = ""
    withheld: Sequence[str] = ()
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """An agent program that speaks ACP: how it is started and what it does differently.

    `command` is an argv; `env` is added and `unset` removed; `install` is a sentence for people;
    `agents` says how the program takes an agent configuration: "mode" (by `session/set_mode`) or
    "" (the desk applies it); `reports_mcp` tells that it announces each MCP server's state;
    `automatic` is False for one that is used only when it is named; `unguarded` are the modes in which
    it stops asking; `login` is the argv of its own login, for a terminal; `logins` are its ways to log
    in over the wire (ACP `authMethods`: `{id, name, description?}`); `abilities` are what it does
    natively, in the words of `PeerInfo`; `asks` is False for one that asks before nothing that a configuration
    may forbid, `unasked` are the capabilities (`ToolUse.family`) of which it does some without asking, and `guard`
    is the environment with which it asks before every tool; `honours` are the fields of an agent configuration
    that it understands by itself and `lacks` those that cannot be given to it; `tools` maps its own names of tools
    to Kiro's, with `{server}` and `{tool}` for those of MCP servers, and `told` says where it tells a tool's
    "name" and "command" (see `engines.toml`); `lock` is the path of its own lock on a session, with
    `{kiro_home}` and `{session}` (its own id) to be filled in, or ""; `seen` is the day (`YYYY-MM-DD`)
    on which the entry was last compared with a real program, which was of `version`; `origin` names
    where the entry comes from.
    """

    name: str
    command: Sequence[str]
    title: str = ""
    install: str = ""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    unset: Sequence[str] = ()
    agents: str = ""
    reports_mcp: bool = False
    launcher: str = ""
    transport: str = "acp"
    automatic: bool = True
    unguarded: Sequence[str] = ()
    login: Sequence[str] = ()
    logins: Sequence[Mapping[str, Any]] = ()
    abilities: Sequence[str] = ()
    asks: bool = True
    unasked: Sequence[str] = ()
    guard: Mapping[str, str] = field(default_factory=dict)
    honours: Sequence[str] = ()
    lacks: Sequence[str] = ()
    tools: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lock: str = ""
    version: str = ""
    seen: str = ""
    origin: str = "built-in"

    def stops_asking(self, mode: str) -> bool:
        """Whether it asks nobody in that mode; agents take its name in any case of its letters."""
        return mode.casefold() in {name.casefold() for name in self.unguarded}


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """What the other side said of itself in `initialize`.

    `abilities` are verbs and services in the desk's words. Of an agent: "load", "resume", "list",
    "close", "delete", "additionalDirectories", "image", "audio", "embeddedContext", "mcp-http",
    "mcp-sse", "logout". Of a client: "notices", "configOptions", "compaction", "read", "write",
    "terminal", "elicitation-form", "elicitation-url", "login-terminal". `raw` is its own object of
    capabilities and `logins` its `authMethods`, both as received.
    """

    name: str = ""
    version: str = ""
    abilities: frozenset[str] = frozenset()
    raw: Mapping[str, Any] = field(default_factory=dict)
    logins: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a client is told outside the conversation.

    `kind` is stable ("agent_not_found", "mcp_late", ...); `sentence` is for a person; `details`
    holds JSON values for programs.
    """

    kind: str
    sentence: str
    severity: str = "warning"
    details: Mapping[str, Any] = field(default_factory=dict)
