"""Whatever of a run is killed, its desk or its agents, it goes on, does nothing twice and ends with every result."""

import shutil
import sys

import pytest
from crashing import figures
from crashing.crew_round import CrewRound
from crashing.effort import FULL, Effort, seeds

LEAST = 10


@pytest.mark.skipif(sys.platform != "linux", reason="it looks for agents in /proc")
def test_a_run_whose_desk_and_agents_are_killed_comes_to_what_its_stages_say(tmp_path):
    effort, played = Effort("crew", share=0.1, each_second=0), []
    findings = []
    for name in effort.rounds(seeds(), ["random 1"]):
        one = CrewRound(tmp_path, name, lives=3 if FULL else 1)
        one.play()
        played.append(one)
        findings += [f"{effort.named(name)}: {fault}" for fault in one.faults]
        shutil.rmtree(one.cwd)
        if effort.enough(len(played), tried=len(played) >= LEAST):
            break
    told = {
        "seconds": effort.seconds,
        "rounds": len(played),
        "kill -9": sum(one.kills for one in played),
        "kill -9 of agents": sum(one.killed_agents for one in played),
    }
    figures.conclude("crew", told, findings)
