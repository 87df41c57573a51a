"""Whatever happens to a run, it comes to what a model says that does one thing after the other."""

import json
from collections import Counter
from random import Random

from any_crew import Model, attempts_of, crews
from hypothesis import given, settings
from hypothesis import strategies as st

from kiro_core.crew import Event, Schedule, report

MOST_STEPS = 5000


class Driver:
    """Runs a crew with agents that do as they are told, in any order, and dies as often as it likes."""

    def __init__(self, crew, scripts, random):
        self.crew, self.random, self.now = crew, random, 1000.0
        self.coming = {stage: attempts_of(script) for stage, script in scripts.items()}
        self.schedule, self.events = Schedule(crew, self.now), []
        self.running, self.lost, self.deaths, self.settled = {}, {}, 0, {}
        self.kept, self.begun = {}, 0

    def run(self, *, until=lambda _: False):
        for _ in range(MOST_STEPS):
            if self.schedule.done or until(self):
                return
            self.step()
        raise AssertionError("it does not end")

    def told(self, event):
        if event is None:
            return
        if event.kind in ("cancelled", "timed_out"):
            self.kept = self.settled
            self.begun = sum(event.kind == "started" for event in self.events)
        self.events.append(event)
        known = list(self.settled.items())
        self.settled = dict(self.schedule.outcomes)
        assert list(self.settled.items())[: len(known)] == known, "a stage settled twice"
        phases = Counter(state.phase for state in self.schedule.states.values())
        assert phases["running"] == len(self.running) <= self.crew.max_parallel

    def step(self):
        self.now += self.random.choice([0.0, 0.5, 2.0])
        self.told(self.schedule.tick(self.now))
        for stage, outcome in self.schedule.overdue(self.now).items():
            self.settle(stage, outcome)
        for stage in self.schedule.ready(self.now):
            self.start(stage)
        talking = [stage for stage, comes in self.running.items() if comes is not None]
        if self.random.random() < 0.1 and self.deaths < 8:
            self.die()
        elif self.lost and self.random.random() < 0.5:
            self.answer(self.random.choice(sorted(self.lost)))
        elif talking and self.random.random() < 0.9:
            stage = self.random.choice(sorted(talking))
            self.settle(stage, *self.running[stage])
        elif not self.schedule.done and not self.lost and not talking:
            due = self.schedule.next_due(self.now)
            assert due is not None, "nothing happens any more"
            self.now = due

    def start(self, stage):
        over = {one for one, state in self.schedule.states.items() if state.is_over}
        assert over >= set(stage.depends_on)
        comes = self.lost.pop(stage.id) if stage.id in self.lost else next(self.coming[stage.id])
        self.running[stage.id] = comes
        self.told(self.schedule.started(stage.id, self.now))

    def settle(self, stage, outcome, text=""):
        self.running.pop(stage, None)
        self.lost.pop(stage, None)
        attempt = len(self.schedule.states[stage].attempts)
        self.told(self.schedule.settled(stage, attempt, outcome, text, self.now))

    def answer(self, stage):
        """Somebody says to run it again, or finds what it said before everything died."""
        if self.schedule.states[stage].phase != "unknown":
            return
        if self.lost[stage] is None or self.random.random() < 0.5:
            self.told(self.schedule.answered(stage, "retry", self.now))
        else:
            self.settle(stage, *self.lost[stage])

    def die(self):
        self.deaths += 1
        record = json.loads(json.dumps([event.to_json() for event in self.events]))
        again = Schedule.replay(self.crew, self.schedule.began, map(Event.from_json, record))
        assert (again.states, again.outcomes, again.ending) == (
            self.schedule.states,
            self.schedule.outcomes,
            self.schedule.ending,
        )
        self.schedule = again
        self.lost |= self.running
        self.running = {}
        self.told(again.resume(self.random.choice(["retry", "ask"]), self.now))


EXAMPLES = max(100, settings().max_examples)


@settings(max_examples=EXAMPLES)
@given(crews(), st.integers(0, 2**32).map(Random))
def test_a_run_comes_to_what_the_model_says_whoever_dies_in_between(given_crew, random):
    crew, scripts = given_crew
    driver, model = Driver(crew, scripts, random), Model(crew, scripts)
    driver.run()
    told = report(driver.schedule, "r1").to_json()
    stages = {stage["id"]: stage for stage in told["stages"]}
    assert {one: stage["outcome"] for one, stage in stages.items()} == model.outcomes
    assert {one: stage["result"] for one, stage in stages.items() if stage["result"]} == model.results
    real = {one: [each for each in stage["attempts"] if each["outcome"] != "unknown"] for one, stage in stages.items()}
    assert {one: len(attempts) for one, attempts in real.items() if attempts} == dict(model.attempts)
    assert all(
        [each["number"] for each in stage["attempts"]] == [*range(1, len(stage["attempts"]) + 1)]
        for stage in stages.values()
    )
    assert told["totals"]["attempts"] == sum(len(stage["attempts"]) for stage in stages.values())
    assert {one: told["totals"][one] for one in set(model.outcomes.values())} == dict(Counter(model.outcomes.values()))
    bad = {"failed", "timed_out"} & set(model.outcomes.values())
    assert told["outcome"] == ("failed" if bad else "succeeded")
    assert json.loads(json.dumps(told, allow_nan=False)) == told


@settings(max_examples=EXAMPLES)
@given(crews(), st.integers(0, 2**32).map(Random), st.integers(0, 60), st.booleans())
def test_a_run_that_is_ended_starts_nothing_and_keeps_what_was_settled(given_crew, random, behind, is_late):
    crew, scripts = given_crew
    if is_late:
        crew = crew.model_copy(update={"timeout_s": 1.0 + behind * 10})
    driver, model = Driver(crew, scripts, random), Model(crew, scripts)
    driver.run(until=lambda self: not is_late and len(self.events) >= behind)
    if not driver.schedule.ending:
        driver.told(driver.schedule.cancel(driver.now))
    driver.run()
    assert sum(event.kind == "started" for event in driver.events) == driver.begun
    assert driver.kept == {one: model.outcomes[one] for one in driver.kept}
    for stage, state in driver.schedule.states.items():
        assert state.phase == "settled"
        assert state.attempts or state.outcome in ("cancelled", "skipped"), stage
