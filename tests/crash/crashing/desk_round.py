"""One round of the desk: a day with an editor, a kill in it, and everything that must be true afterwards."""

import random
import signal
import time
from contextlib import suppress
from uuid import uuid4

from crashing.editor import MORTAL, Editor, Gone
from crashing.place import Place
from crashing.raw_log import read_log
from crashing.record import Conversation, said
from crashing.survivors import survivors

GONE_S = 5
TWICE = 0.5
OPENING = 80
BUSY = """/echo begun
/child 600
/tool look
/permission go
/run echo out
/run-forget sleep 600
/flood {flood} 40
/echo done"""


class Round:
    """It is played once; then `faults` says what was wrong, and the rest is for the figures.

    `write N` kills the desk at its N-th write boundary; `random SEED` at a moment that chance decides.
    """

    def __init__(self, root, name):
        cookie = uuid4().hex
        self.place = Place(root / cookie, cookie)
        self.faults = []
        self.kills = 0
        self.opened, self.survived = [], []
        self.acknowledged = 0
        self.interrupted, self.unnamed = [], []
        self._session = None
        how, number = name.split()
        rng = random.Random(int(number))
        self._step = number if how == "write" else "0"
        self._flood = 30 if how == "write" else 3000
        self._doom = None if how == "write" else _doom(rng)
        # Chance may kill the next desk too, in the midst of opening what the first one left.
        self._again = rng.randint(1, OPENING) if how == "random" and rng.random() < TWICE else 0

    def play(self):
        """The day, the kill, the next morning, and the search for survivors."""
        try:
            before = self._until_the_kill()
            if self._session is not None:
                self._look_at_the_record(before)
                self._die_again()
            self._next_morning(before)
        except (AssertionError, Gone, OSError) as error:
            self.faults.append(str(error))
        finally:
            self.survived = survivors(self.place.cookie, GONE_S)
            self.faults += [f"it survived: {command}" for command in self.survived]

    def _until_the_kill(self):
        with Editor(self.place, MORTAL, doom=self._doom, CRASH_AT=self._step) as editor:
            with suppress(Gone):
                self._day(editor)
            self._count(editor)
        return editor

    def _die_again(self):
        if self._again:
            with Editor(self.place, MORTAL, CRASH_AT=str(self._again)) as editor:
                with suppress(Gone):
                    editor.result("initialize", protocolVersion=1)
                    editor.result("session/load", sessionId=self._session, cwd=editor.cwd, mcpServers=[])
                    editor.hang_up()
                self._count(editor)

    def _count(self, editor):
        killed = editor.status() == -signal.SIGKILL
        assert killed or not editor.status(), f"it ended with status {editor.status()}: {editor.errors}"
        self.kills += killed

    def _day(self, editor):
        editor.result("initialize", protocolVersion=1)
        self._session = editor.result("session/new", cwd=editor.cwd, mcpServers=[])["sessionId"]
        editor.prompt(self._session, BUSY.format(flood=self._flood), "0")
        editor.prompt(self._session, "/echo waiting", "1")
        editor.answered("0")
        editor.answered("1")
        editor.ask("session/close", sessionId=self._session)
        editor.hang_up()

    def _record(self, *, killed=False):
        log = read_log(self.place.log(self._session), killed=killed)
        self.faults += log.faults
        return Conversation(log.lines)

    def _look_at_the_record(self, before):
        record = self._record(killed=True)
        told = [int(name) for name in ("0", "1") if "result" in before.answers.get(name, {})]
        self.faults += record.lacks(before.shown) + record.unanswered(told)
        self.acknowledged = len(before.shown) + len(told)
        self.interrupted = record.interrupted

    def _next_morning(self, before):
        with Editor(self.place) as editor:
            editor.result("initialize", protocolVersion=1)
            listed = [one["sessionId"] for one in editor.result("session/list")["sessions"]]
            if self._session is None:
                # One that was never answered may be there all the same, and then it opens.
                for session in listed:
                    self._open(editor, session)
            else:
                assert self._session in listed, "the session is not listed"
                self._go_on(editor, before)
            editor.hang_up()
            assert not editor.status(), f"the next desk ended with status {editor.status()}: {editor.errors}"

    def _open(self, editor, session):
        begun = time.monotonic()
        editor.result("session/load", sessionId=session, cwd=editor.cwd, mcpServers=[])
        self.opened.append(time.monotonic() - begun)

    def _go_on(self, editor, before):
        self._open(editor, self._session)
        replayed, shown = (list(filter(_is_text, map(said, one.shown))) for one in (editor, before))
        if replayed[: len(shown)] != shown:
            self.faults.append(f"{len(shown)} chunks were shown, and other {len(replayed)} are replayed")
        editor.prompt(self._session, "/echo back", "back")
        answer = editor.answered("back")
        if answer.get("result", {}).get("stopReason") != "end_turn":
            self.faults.append(f"it does not go on: {answer}")
        editor.ask("session/close", sessionId=self._session)
        record = self._record()
        self.unnamed = record.unnamed(self.interrupted)
        self.faults += record.doubled + self.unnamed


def _is_text(words):
    return isinstance(words, str)


def _doom(rng):
    """After some messages, and then a moment; or after a time, at which it may only just have started."""
    return rng.choice(
        ((rng.randint(1, 60), 0.01 * rng.random()), (rng.randint(20, 3000), 0.0), (0, 1.2 * rng.random()))
    )
