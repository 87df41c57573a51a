"""What is stored of a session beside its metadata, and what a check of it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kiro_core.types.sessions import SessionId


class Record(msgspec.Struct, frozen=True, gc=False):
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
      the agent is sent it, `{session}` is the agent's own id, `{messages?}` are the ids of letters that are read with
      it, and the text is what stood in front of the prompt because of them; "user": it is part of the conversation now;
      its text; "ended": the turn's one outcome, `{state, stopReason?, error?, reason?}`, where `state` is "settled",
      "cancelled", "failed", "unknown" (it was cut off) or "refused" (it was never accepted);
    - of the agent: "agent" and "thought" (a chunk's text), "tool" (its title; `{toolCallId, title?, kind?,
      status?}`), "plan" (`{entries}`), "update" (any other, as it came, and what a child of the agent says);
    - "summary": the result of its task, as the agent told it by a tool; `{description?, context?}`;
    - "question" (somebody is asked; its title, `{toolCallId?, kind?, options?}`), "answer" (`{toolCallId, by, ...}`),
      "notice" (what clients were told; its sentence);
    - "message" (a letter came; its text, `{id, sender, name, kind, hops, about}` as in `Letter`), "read" (letters that
      were asked for, `{ids}`), "expired" (one that nobody will read; as "message");
    - "reset" (the agent's context began anew; why), "cleared" (what a person is shown begins here), "lost" (records are
      missing here), "kept out" (a middleware let updates not pass; why, `{by, updates}`), "closed" (the session ended;
      why).

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
