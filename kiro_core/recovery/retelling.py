"""A recorded conversation as text, for an agent that does not remember it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import NamedTuple

from kiro_core.frames import Frame
from kiro_core.journal import Entry, prompt_text, text_of
from kiro_core.recovery.quoting import Quoting
from kiro_core.recovery.reading import entries, told
from kiro_core.types import Record

_HEAD = "The conversation so far, from the record, since you do not remember it. Go on from here.\n"
_CUT = "(Its beginning is left out.)\n"
_CUT_OFF = "(This turn was cut off.)"
_LEFT_OUT = ("the thoughts", "what tools printed")
_WINDOW = 4096
_WIDER = 8
_MISSING = "(Something is missing here.)"


class Conversation(NamedTuple):
    """A conversation as text, `""` when nothing was said; `lost` names in words what is not in it."""

    text: str = ""
    lost: tuple[str, ...] = ()


async def retold(read: Callable[[int], AsyncIterator[Record]], head: int, characters: int) -> Conversation:
    """What was said and which tools were used, as text for an agent; the end counts most.

    `read` gives the records behind a number, `head` is the last one's; it goes back no further than the text does.
    Of prompts only those that an agent was sent, and nothing from before its context was cleared. Thoughts,
    plans and what the tools printed are left out. Every line that somebody else wrote is quoted, so that none
    is taken for a command or for ours. The text has at most that many characters, quoting included, and a
    frame of some 150 around them.
    """
    window = _WINDOW
    while True:
        after = max(0, head - window)
        retelling = _Retelling(characters)
        async with aclosing(entries(read(after))) as items:
            async for item in items:
                retelling.follow(item)
        text, cut = retelling.quoting.text()
        if not after or (retelling.is_clear and (retelling.quoting.is_full or retelling.was_cleared)):
            return _framed(text, cut=cut)
        window *= _WIDER


def _framed(text: str, *, cut: bool) -> Conversation:
    if not text and not cut:
        return Conversation()
    lost = ("its beginning", *_LEFT_OUT) if cut else _LEFT_OUT
    return Conversation(f"<conversation>\n{_HEAD}{_CUT if cut else ''}\n{text}</conversation>", lost)


class _Retelling:
    """Quotes one entry after the other.

    In a part of the log `is_clear` tells that nothing refers to what stands before it; `was_cleared` that nothing
    from there would be told.
    """

    def __init__(self, characters: int) -> None:
        self.quoting = Quoting(characters)
        self.is_clear = True
        self.was_cleared = False
        self._characters = characters
        self._waiting: dict[str, str] = {}
        self._unread: dict[str, str] = {}
        self._came: set[str] = set()
        self._sent: set[str] = set()
        self._begun: set[str] = set()

    def follow(self, item: Entry) -> None:
        match item.kind:
            case "prompt" | "turn_begun" | "turn_ended":
                self._turn(item)
            case "update":
                _follow(item.frame, self.quoting)
            case "message":
                self._unread[str(told(item).get("id"))] = str(told(item).get("text") or "")
                self._came.add(str(told(item).get("id")))
            case "message_read" | "message_expired":
                self._read(item)
            case "context_reset" if told(item).get("to") == "nothing":
                self.quoting = Quoting(self._characters)
                self._sent.clear()
                self.was_cleared = True
            case "unrecorded" | "gap":
                self.quoting.remark(_MISSING)

    def _read(self, item: Entry) -> None:
        """Letters that the agent has asked for; of those that it was told with a prompt, that has the text."""
        ids = told(item).get("ids")
        for name in ids if isinstance(ids, list) else [told(item).get("id")]:
            text = self._unread.pop(str(name), "")
            if item.kind == "message_read":
                self.is_clear = self.is_clear and str(name) in self._came
                self.quoting.say("A message", text)

    def _turn(self, item: Entry) -> None:
        if item.kind == "prompt":
            self._waiting[item.turn] = prompt_text(item.frame)
            return
        asked = self._waiting.pop(item.turn, None)
        if item.kind == "turn_begun":
            self.is_clear = self.is_clear and (asked is not None or item.turn in self._begun)
            self._begun.add(item.turn)
            for name in told(item).get("messages") or ():
                self._unread.pop(str(name), None)
            if asked is not None and not told(item).get("order"):
                if before := told(item).get("told"):
                    self.quoting.say("Messages", str(before))
                self.quoting.say("User", asked)
                self._sent.add(item.turn)
            return
        if _was_cut_off(item):
            if item.turn in self._sent:
                self.quoting.remark(_CUT_OFF)
            self.is_clear = self.is_clear and (asked is not None or item.turn in self._begun)
        self._sent.discard(item.turn)


def _was_cut_off(item: Entry) -> bool:
    outcome = told(item)
    return outcome.get("state") in ("unknown", "failed") or "error" in outcome


def _follow(frame: Frame, quoting: Quoting) -> None:
    update = frame.params.get("update")
    if frame.method != "session/update" or not isinstance(update, dict):
        return
    match update.get("sessionUpdate"):
        case "agent_message_chunk":
            quoting.say("You", text_of(update.get("content")), joint="")
        case "agent_thought_chunk":
            quoting.end()
        case "tool_call":
            title = update.get("title") or update.get("kind") or "a tool"
            quoting.say("Tools", " ".join(str(title).split()), joint="\n")
