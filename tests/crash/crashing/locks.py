"""Four contenders for one session, and one who kills them: mostly the owner, at any moment, in mid-line too.

Started as a program with one JSON object; it answers with one: what was acknowledged, and what it saw go wrong.
"""

import json
import os
import random
import select
import signal
import sys
import time
from functools import partial

import anyio

from crashing.contender import contend
from crashing.forks import fork, forked, teller, warm_up
from kiro_core.catalog import Choice
from kiro_core.registry import Registry
from kiro_core.testing.store_samples import session as new_session

CONTENDERS = 4
OWNED_S = 0.012
AT_THE_OWNER = 0.85
STUCK_S = 30
SIGKILLED = -signal.SIGKILL


class Fight:
    """One bout for one session; nobody else may see its contenders, so that a pid is always who it was."""

    def __init__(self, root, seed):
        self.rng = random.Random(seed)
        self._opened = partial(Registry(only={"files"}).stores.open, Choice("files", {"root": root}))
        self.session = new_session()
        self.faults, self.take_overs, self.written = [], [], {}
        self.kills = self.owners = self.epoch = self.head = 0
        self._seed = seed
        self._reading, writing = os.pipe()
        self._tell = teller(writing)
        self._rest = b""
        self._living = {}
        self._count = 0
        self._deaths = {}
        self._owner = ""

    def run(self, kills):
        """Have so many killed; everything that is worth knowing of it."""
        forked(_create, self._opened, self.session)
        for _ in range(CONTENDERS):
            self._start()
        while self.kills < kills and self._somebody_owns():
            self._listen(self.rng.random() * OWNED_S)
            self._kill(self._victim())
            self._start()
        for pid in list(self._living):
            self._kill(pid)
        known = ("faults", "take_overs", "written", "kills", "owners", "epoch", "head")
        return {"session": self.session.id, **{name: getattr(self, name) for name in known}}

    def _start(self):
        self._count += 1
        name = str(self._count)
        rng = random.Random(f"{self._seed} {name}")
        self._living[fork(self._contend, name, rng)] = name

    def _contend(self, name, rng):
        os.close(self._reading)  # or nobody would learn that the one who listens has ended
        contend(self._tell, self._opened, self.session.id, name, rng)

    def _somebody_owns(self):
        until = time.monotonic() + STUCK_S
        while not self._owner_lives and time.monotonic() < until:
            self._listen(until - time.monotonic(), once=True)
        if not self._owner_lives:
            self.faults.append(f"stuck: nobody had the session within {STUCK_S} s of its owner's end")
        return self._owner_lives

    @property
    def _owner_lives(self):
        return _name(self._owner) in self._living.values()

    def _victim(self):
        pids = [pid for pid, name in self._living.items() if name == _name(self._owner)]
        return pids[0] if pids and self.rng.random() < AT_THE_OWNER else self.rng.choice(list(self._living))

    def _kill(self, pid):
        os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._deaths[self._living.pop(pid)] = time.monotonic()
        if status != SIGKILLED:
            self.faults.append(f"a contender failed with status {status}; stderr has why")
        self.kills += 1
        self._listen(0)  # what it told before it died

    def _listen(self, seconds, *, once=False):
        until = time.monotonic() + seconds
        while select.select([self._reading], [], [], max(0, until - time.monotonic()))[0]:
            *lines, self._rest = (self._rest + os.read(self._reading, 65536)).split(b"\n")
            for line in lines:
                word, token, *numbers = json.loads(line)
                getattr(self, f"_{word}")(token, *numbers)
            if once or time.monotonic() >= until:
                return

    def _begun(self, token, epoch, head):
        # An owner says that it ends before it gives back, and the one who kills knows whom it has killed.
        if self._owner_lives:
            self.faults.append(f"overlap: {token} began while {self._owner} owned the session")
        if epoch <= self.epoch:
            self.faults.append(f"{token} has epoch {epoch}, after epoch {self.epoch}")
        if head < self.head:
            self.faults.append(f"{token} found {head} records, and {self.head} were acknowledged")
        if self._owner and not self._owner_lives:
            self.take_overs.append(time.monotonic() - self._deaths[_name(self._owner)])
        self._owner, self.epoch = token, epoch
        self.owners += 1

    def _written(self, token, number, head):
        self.written[token], self.head = [number, head], head

    def _ended(self, token):
        if self._owner == token:
            self._owner = ""


def _name(token):
    """The contender behind an acquisition."""
    return token.partition(".")[0]


def _create(tell, opened, info):
    anyio.run(_created, opened, info)


async def _created(opened, info):
    async with opened() as store, store.create(info):
        pass


def main():
    """Fight as the argument says, and print what came of it."""
    order = json.loads(sys.argv[1])
    warm_up()
    sys.stdout.write(json.dumps(Fight(order["root"], order["seed"]).run(order["kills"])))


if __name__ == "__main__":
    main()
