"""What sessions can do with each other: spawn, speak, wait and end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from kiro_core.types import Letter, Member


Priority = Literal["normal", "escalation"]
Filter = Literal["", "blocked", "working", "idle", "terminated", "all"]
GroupAction = Literal["create", "add", "remove", "list"]


class Members(Protocol):
    """The verbs of members.

    `by` is the id of the session that acts, which is open at this desk, or empty for a person, who may speak to
    anybody. A `target` is looked up among the sessions of the same tree: by its name, then its id, then the beginning
    of one that is unique; the session at the top has its own name, or is called "main".

    Every verb raises, besides what it says:
        CrewRefused: the rules of a crew forbid it; `details` has the `rule`: "self" (it is meant itself), "stranger"
            (neither parent nor child of the other, nor in its group), "above" (only the sessions above may),
            "unknown" (no such session or group in the tree), "terminated" (it is not open), "blocked" (it has not
            begun), "working" (its task has not settled), "empty" (there is nobody), "rate" (too many letters a
            minute), "loop" (too many letters that only answer letters), "depth" and "members" (the bounds of a
            tree), "name" (it is taken or is none), "length" (a text is empty or too long).
        SessionNotFound: the session `by` is not open here.
        Unavailable, Fenced: it could not be put on record.
    """

    async def spawn(  # noqa: PLR0913 - what a member is asked for, all by name
        self,
        by: str,
        task: str,
        *,
        name: str = "",
        agent: str = "",
        engine: str = "",
        role: str = "",
        group: str = "",
        persistent: bool = False,
        depends_on: Sequence[str] = (),
        model: str = "",
    ) -> Member:
        """Give a task to a new session below `by`; returns when that is on record, and waits for nothing else.

        It begins when all that it depends on (targets among the members of the tree) has settled, whatever came of
        that, and fewer than `crew.max_parallel` members work; its prompt says what came of them. It works in the
        folders of its parent and may do no more than that one. What it comes to is put into its parent's inbox as a
        letter of kind "result", also when it cannot be started.

        Raises:
            AgentNotFound, UnknownName, EngineNotFound: agent or engine cannot be had; nothing was stored.
            SessionClosing: the desk is ending.

        """
        ...

    async def send(
        self,
        by: str,
        target: str,
        text: str,
        *,
        priority: Priority = "normal",
        id: str = "",  # noqa: A002 - its id
    ) -> Letter:
        """Put a letter into the inbox of a session, durable on return; it wakes one that is idle.

        An escalation may have no target: it goes up to the nearest session with a person at it, else to the top.
        With the same `id` a letter is there once.

        Raises:
            InboxFull: 100 are unread there.

        """
        ...

    async def broadcast(self, by: str, group: str, text: str) -> Sequence[Letter]:
        """The same letter for all others of a group that are open: its own, or one of members of its own.

        Raises:
            InboxFull, Unavailable: some have not got it: their names are `details["missed"]`, the others' `["got"]`.

        """
        ...

    async def read(self, by: str, limit: int = 5) -> Sequence[Letter]:
        """The oldest letters that the session has not read, which it has then.

        Its agent is told them again with the next prompt where the turn that runs does not end well.
        """
        ...

    async def members(self, by: str, filter: Filter = "") -> Sequence[Member]:  # noqa: A002 - what it is
        """The members of the tree of a session, of all trees for a person, each below its parent.

        Behind them the runs that go on for sessions of the tree, each called by the first eight signs of its id, and
        their stages, called as their sessions are (`3f2a91c4/write`).
        Without a filter, those that are not terminated; otherwise those with that status.
        """
        ...

    async def status(self, by: str, target: str) -> Member:
        """One member of the tree, or a run or stage as in `members`; a run that has ended by its whole id."""
        ...

    async def interrupt(self, by: str, target: str, text: str) -> Member:
        """Cancel the turn of a member below, and prompt it with `text` next, with which its task goes on.

        One whose task has settled gets it as another one.
        """
        ...

    async def inject(self, by: str, target: str, text: str) -> Letter:
        """Have a text (4000 characters) stand in front of a session's next prompt; it wakes nobody."""
        ...

    async def group(
        self, by: str, action: GroupAction, name: str = "", target: str = "", role: str = ""
    ) -> Sequence[tuple[str, Sequence[Member]]]:
        """Create or list groups, or have a member join or leave one; returns those of the tree with who is in each.

        A member is in one group at a time; it and those above it decide which.
        """
        ...

    async def revive(self, by: str, target: str, task: str) -> Member:
        """Give another task to a member below whose last one has settled; one that is not open is opened again."""
        ...

    async def wait(
        self,
        by: str,
        targets: Sequence[str] = (),
        *,
        group: str = "",
        any: bool = False,  # noqa: A002 - of them
        timeout_s: float,
    ) -> Sequence[Member]:
        """Wait until members have settled, all or `any` of them; without targets and group, the session's own.

        Returns them as they are then, also when the time is over: who has no `outcome` has not settled. The letters
        with the results that are returned count as read.
        """
        ...

    async def end(self, by: str, target: str) -> Member:
        """End a member below, with its turn, its process and all below it; what has not settled is cancelled.

        So does a run for which the session or one below it has asked.
        """
        ...

    async def summarise(self, by: str, result: str, *, task: str = "", context: str = "") -> None:
        """Put on record what the session's task came to; the last time counts."""
        ...

    def may_spawn(self, by: str) -> bool:
        """Whether the session is not at the greatest depth."""
        ...

    def describe(self, by: str) -> dict[str, Any]:
        """Who a session is in its tree: `{name, role, group, depth, parent}`, where `parent` is a name or empty."""
        ...
