"""The real executor, whatever fails, hangs or dies around it: everything ends, once, as a model says.

All is real but the agents, the desk and the disk (`executor_world.py`), and time is virtual, so that hundreds of runs
take seconds.
"""

import json
import os
from collections import Counter
from random import Random

import pytest
from any_crew import Model, crews
from executor_world import World
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import EPOCH, in_virtual_time

from kiro_core.crew import Event, Schedule
from kiro_core.crew.stages import Limits

EXAMPLES = max(100, settings().max_examples)
LOOPS = pytest.mark.parametrize("loop", os.environ.get("TEST_BACKENDS", "asyncio,trio").split(","))


def played(loop, given_crew, seed, **more):
    """A world in which a run has ended, and its report."""
    world = World(*given_crew, Random(seed), **more)
    in_virtual_time(loop, world.play)
    assert world.faults == []
    assert_nothing_is_lost_or_doubled(world)
    return world, world.report


def assert_nothing_is_lost_or_doubled(world):
    """Each attempt is on record once, with what the record of its session says, and so is what all of them used."""
    report = world.report
    attempts = {each["session"]: (stage, each) for stage in report["stages"] for each in stage["attempts"]}
    events = [((one["stage"], one["attempt"], one["kind"]), one) for one in world.events() if one.get("attempt")]
    assert len(dict(events)) == len(events)
    for stage in report["stages"]:
        assert stage["phase"] == "settled"
        numbers = [each["number"] for each in stage["attempts"] if each["outcome"]]
        assert numbers == [*range(1, len(stage["attempts"]) + 1)]
        assert all((stage["id"], number, "settled") in dict(events) for number in numbers)
    children = world.children()
    for session, said in children.items():
        assert session in attempts or not said.prompted
        if said.succeeded:
            stage, attempt = attempts[session]
            event = dict(events)[stage["id"], attempt["number"], "settled"]
            assert (event["outcome"], event["text"]) == ("succeeded", said.result)
    tokens, cost = sum(said.tokens for said in children.values()), sum(said.cost for said in children.values())
    assert report["usage"]["total_tokens"] == tokens
    assert report["usage"]["cost"].get("USD", 0) == cost
    assert [one["outcome"] for one in world.letters()] == [report["outcome"]] * world.delivers
    assert json.loads(json.dumps(report, allow_nan=False)) == report


@LOOPS
@settings(max_examples=EXAMPLES)
@given(given_crew=crews(), seed=st.integers(0, 2**32))
def test_a_run_comes_to_what_the_model_says_whatever_fails_hangs_or_dies(loop, given_crew, seed):
    model = Model(*given_crew)
    _, report = played(loop, given_crew, seed)
    stages = {stage["id"]: stage for stage in report["stages"]}
    assert {one: stage["outcome"] for one, stage in stages.items()} == model.outcomes
    results = {one: f"{mark} {model.results[one]}" for one, mark in model.marks.items()}
    assert {one: stage["result"] for one, stage in stages.items() if stage["result"]} == results
    real = {one: [e for e in stage["attempts"] if e["outcome"] != "unknown"] for one, stage in stages.items()}
    assert {one: len(attempts) for one, attempts in real.items() if attempts} == dict(model.attempts)
    bad = {"failed", "timed_out"} & set(model.outcomes.values())
    assert report["outcome"] == ("failed" if bad else "succeeded")
    assert {one: report["totals"][one] for one in set(model.outcomes.values())} == Counter(model.outcomes.values())


ENDINGS = ["cancelled", "timed_out", "limited"]


@LOOPS
@settings(max_examples=EXAMPLES // 2)
@given(given_crew=crews(), seed=st.integers(0, 2**32), ending=st.sampled_from(ENDINGS), behind=st.integers(0, 20))
def test_a_run_that_is_ended_starts_nothing_more_and_keeps_what_was_settled(loop, given_crew, seed, ending, behind):
    crew, scripts = given_crew
    wanted = {
        "cancelled": {},
        "timed_out": {"timeout_s": 1.0 + behind * 5},
        "limited": {"limits": Limits(tokens=1 + behind * 3)},
    }
    crew = crew.model_copy(update=wanted[ending])
    world, report = played(loop, (crew, scripts), seed, cancel_at=behind if ending == "cancelled" else None)
    outcomes = {stage["id"]: stage["outcome"] for stage in report["stages"]}
    events, model = world.events(), Model(*given_crew)
    kinds = [one["kind"] for one in events]
    if ending == "limited":
        most, used = crew.limits.tokens, [one["usage"]["total_tokens"] for one in events if one.get("usage")]
        assert sum(used) > most if ending in kinds else sum(used[:-1]) <= most
    if ending not in kinds:
        assert outcomes == model.outcomes
        return
    before, behind = events[: kinds.index(ending)], kinds[kinds.index(ending) :]
    assert "started" not in behind
    kept = Schedule.replay(crew, EPOCH, map(Event.from_json, before)).outcomes
    assert kept == {one: model.outcomes[one] for one in kept}
    assert {*kept.items()} <= {*outcomes.items()}
    bad = "failed" in outcomes.values()
    undone = {"cancelled", "timed_out", "unknown"} & set(outcomes.values())
    assert report["outcome"] == (ending if undone else "failed" if bad else "succeeded")
