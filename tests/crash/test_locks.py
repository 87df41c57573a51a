"""Four processes fight for one session and are killed: never two owners, never a stuck one, nothing lost or doubled."""

import shutil
from itertools import groupby

from crashing import figures
from crashing.effort import FULL, Effort, seeds
from crashing.programs import answer
from crashing.raw_log import read_log

BOUT = 100 if FULL else 30


def ownership(lines, written):
    """What the log says against one owner at a time, and against all that was acknowledged being there once."""
    faults, begun = [], set()
    for token, records in groupby(lines, lambda line: line.body["token"]):
        own = list(records)
        if token in begun or len({line.epoch for line in own}) > 1:
            faults.append(f"overlap: the records of {token} stand apart")
        begun.add(token)
        if any(line.epoch != line.body["epoch"] for line in own):
            faults.append(f"records of {token} carry an epoch that was not its own")
        if [line.body["number"] for line in own] != list(range(1, len(own) + 1)):
            faults.append(f"records of {token} are missing or doubled")
        number, seq = written.pop(token, (0, 0))
        if len(own) < number or (number and own[number - 1].seq != seq):
            faults.append(f"{token} was told that it had written {number} records, and {len(own)} are there")
    if len({line.epoch for line in lines}) != len(begun):
        faults.append("overlap: two owners wrote under one epoch")
    return faults + [f"nothing is there of {token}, to whom records were acknowledged" for token in written]


def test_a_session_has_one_owner_at_a_time_and_always_finds_the_next_one(tmp_path):
    effort = Effort("locks", share=0.25, each_second=10)
    findings, take_overs = [], []
    kills = owners = records = bouts = 0
    for name in effort.rounds(seeds(), ["random 1"]):
        root = tmp_path / "bout"
        result = answer("locks", root=str(root), seed=int(name.split()[1]), kills=BOUT)
        log = read_log(root / f"{result['session']}.jsonl", killed=True)
        shutil.rmtree(root)
        faults = result["faults"] + log.faults + ownership(log.lines, dict(result["written"]))
        findings += [f"{effort.named(name)}: {fault}" for fault in faults]
        bouts, kills, owners = bouts + 1, kills + result["kills"], owners + result["owners"]
        records += sum(number for number, _ in result["written"].values())
        take_overs += result["take_overs"]
        if effort.enough(kills, tried=True):
            break
    known = {
        "seconds": effort.seconds,
        "rounds": bouts,
        "kill -9": kills,
        "owners": owners,
        "acknowledged records": records,
        **figures.spread("take-over", take_overs),
        "overlaps": sum("overlap" in finding for finding in findings),
        "stuck": sum("stuck" in finding for finding in findings),
    }
    figures.conclude("locks", known, findings)
