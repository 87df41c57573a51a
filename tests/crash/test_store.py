"""A store whose process is killed at each of its write boundaries has all that it acknowledged, and goes on."""

import random
import time
from itertools import count, islice

from crashing import figures
from crashing.effort import Effort
from crashing.programs import answer

AT_ONCE = 25
RECOVERY_STEPS = 60


def boundaries(lives):
    """Every step of a life, until one is not reached any more; then each of them with the next owner killed too."""
    for step in count(1):
        if lives:
            break
        yield f"step {step}"
    rng = random.Random(time.time_ns())
    while True:
        yield f"step {rng.randint(1, lives[0])} then {rng.randint(1, RECOVERY_STEPS)}"


def play(part, share, root):
    """Kill a life at each of its steps, for that share of the time, and conclude."""
    effort = Effort(part, share=share, each_second=10 * share)
    lives, findings, opened = [], [], []
    rounds = kills = records = 0
    names = effort.rounds(boundaries(lives), [f"step {step}" for step in range(1, 60, 6)] + ["step 20 then 6"])
    while some := list(islice(names, AT_ONCE)):
        for result in answer("steps", root=str(root), names=some, life=f"{part}_life"):
            lives += [int(result["name"].split()[1]) for _ in range(result["complete"])]
            findings += [f"{effort.named(result['name'])}: {fault}" for fault in result["faults"]]
            opened += result["opened"]
            rounds, kills, records = rounds + 1, kills + result["kills"], records + result["records"]
        if effort.enough(kills, tried=bool(lives)):
            break
    known = {
        "seconds": effort.seconds,
        "rounds": rounds,
        "kill -9": kills,
        "write boundaries": min(lives) if lives and effort.systematic else None,
        "acknowledged records": records,
        **figures.spread("time to open", opened),
    }
    figures.conclude(part, known, findings)


def test_whatever_a_store_is_killed_at_nothing_acknowledged_is_lost_and_it_can_be_opened(tmp_path):
    play("store", 0.1, tmp_path)


def test_whatever_who_puts_or_settles_messages_is_killed_at_each_is_there_once_and_settled_once(tmp_path):
    play("inbox", 0.05, tmp_path)
