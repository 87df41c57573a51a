"""Whoever is killed while old sessions are cleared away leaves each of them whole, and the next one does the rest."""

from crashing.effort import FULL
from crashing.programs import answer


def test_a_pruning_that_is_killed_at_any_step_leaves_every_session_whole_and_is_gone_on_with(tmp_path):
    done = answer("pruning", root=str(tmp_path), stride=1 if FULL else 4)
    assert not done["faults"], "\n".join(done["faults"])
    assert done["kills"] > (16 if FULL else 4)
