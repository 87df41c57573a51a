"""A desk that is killed in the midst of everything: the next one opens, knows, goes on and has nobody left to fight."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, count

from crashing import figures
from crashing.desk_round import Round
from crashing.effort import Effort, seeds

EDITORS = 3
SHORT = ["write 25", "write 60", "random 3"]


class Tally:
    """What the rounds have come to; several editors play at once."""

    def __init__(self, effort, root):
        self.effort, self.findings, self.played = effort, [], []
        self._root = root
        self._lock = threading.Lock()
        self._boundaries = []

    def names(self):
        """Every write boundary until a day goes by without a kill, then chance."""
        steps = (f"write {step}" for step in count(1))
        systematic = iter(lambda: None if self._boundaries else next(steps), None)
        return self.effort.rounds(chain(systematic, seeds()), SHORT)

    def play(self, names):
        """Rounds, one after the other, until there are enough."""
        for name in names:
            one = Round(self._root, name)
            one.play()
            self._take(name, one)
            shutil.rmtree(one.place.root)
            if self.effort.enough(self.kills, tried=bool(self._boundaries)):
                return

    @property
    def kills(self):
        """How many desks were killed."""
        return sum(one.kills for one in self.played)

    def _take(self, name, one):
        with self._lock:
            self.played.append(one)
            self.findings += [f"{self.effort.named(name)}: {fault}" for fault in one.faults]
            if not one.kills and name.startswith("write"):
                self._boundaries.append(int(name.split()[1]))

    def figures(self):
        """For the table."""
        return {
            "seconds": self.effort.seconds,
            "rounds": len(self.played),
            "kill -9": self.kills,
            "write boundaries": min(self._boundaries, default=None),
            "acknowledged records": sum(one.acknowledged for one in self.played),
            **figures.spread("time to open", [seconds for one in self.played for seconds in one.opened]),
            "interrupted turns": sum(len(one.interrupted) for one in self.played),
            "of them unnamed": sum(len(one.unnamed) for one in self.played),
            "survivors": sum(len(one.survived) for one in self.played),
        }


def test_whatever_a_desk_is_killed_at_the_next_one_goes_on_with_everything_that_was_shown(tmp_path):
    tally = Tally(Effort("desk", share=0.6, each_second=1), tmp_path)
    names = tally.names()
    with ThreadPoolExecutor(EDITORS) as editors:
        playing = [editors.submit(tally.play, names) for _ in range(EDITORS)]
        try:
            for editor in playing:
                editor.result()
        finally:
            tally.effort.stop()
    figures.conclude("desk", tally.figures(), tally.findings)
