"""Plays lives of a session that end at a given step, and looks at what the next owner finds.

Started as a program with one JSON object, `{root, names, life}`, where the last names the module beside this one that
has the life; it answers with a list of one object a name. A name is `step N`, or `step N then M` where the next owner
is killed as well, at its M-th step.
"""

import json
import signal
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

from crashing import dying
from crashing.forks import forked, warm_up
from crashing.raw_log import read_log

KILLED = -signal.SIGKILL


class Steps:
    """One round: a life, its next owners, and its end."""

    def __init__(self, life, opened, root, name):
        from kiro_core.testing.store_samples import session

        _, step, *more = name.split()
        self._at, self._then = int(step), int(more[1]) if more else 0
        self._info = session()
        self._life = life
        self._opened = opened
        self._root = root
        self.result = {"name": name, "kills": 0, "faults": [], "opened": [], "complete": False, "records": 0}

    def play(self):
        """Everything; what came of it."""
        told = self._do(self._life.live, self._at)
        self.result["complete"] = ["deleted"] in told
        promise = self._life.Promise(told)
        for step in (self._then, 0) if self._then else (0,):
            recovery = self._do(self._life.recover, step)
            self.result["faults"] += promise.faults(recovery) + self._on_disk(killed=step > 0)
            self.result["opened"] += [values[0] for word, *values in recovery if word == "opened"]
        self.result["records"] = promise.records
        self._do(self._life.remove, 0)
        left = [path.name for path in self._root.glob(f"*{self._info.id}*")]
        self.result["faults"] += [f"deleting it left {left}"] if left else []
        return self.result

    def _do(self, act, step):
        status, told = forked(_dying_at, step, act, self._opened, self._info)
        self.result["kills"] += status == KILLED
        if status not in ((0, KILLED) if step else (0,)):
            self.result["faults"].append(f"{act.__name__} failed with status {status}; stderr has why")
        return told

    def _on_disk(self, *, killed):
        return read_log(self._root / f"{self._info.id}.jsonl", killed=killed).faults


def _dying_at(tell, step, act, opened, info):
    dying.die_at(step)
    act(tell, opened, info)


def main():
    """Play the rounds that the argument names, and print what came of them."""
    order = json.loads(sys.argv[1])
    dying.install()
    warm_up()
    from kiro_core.catalog import Choice
    from kiro_core.registry import Registry

    life = import_module(f"crashing.{order['life']}")
    opened = partial(Registry(only={"files"}).stores.open, Choice("files", {"root": order["root"]}))
    results = [Steps(life, opened, Path(order["root"]), name).play() for name in order["names"]]
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
