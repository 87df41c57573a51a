"""Whatever happens to a run, it comes to what a model says that does one thing after the other."""

import json
from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kiro_core.crew import Event, Schedule, load_crew, report

MOST_STEPS = 5000
REDO = "please REDO it"

SAID = [*[("succeeded", "fine")] * 8, ("failed", "broken"), ("timed_out", "slow"), None]
SENT_BACK = [("succeeded", "fine"), *[("succeeded", REDO)] * 3, ("failed", "broken")]
WHEN = ["all_succeeded", "all_succeeded", "all_done", "any_failed"]


@st.composite
def crews(draw):
    """A crew that may run, and of each stage what its attempts come to; None is one that hangs.

    Only the size is drawn, and the rest comes of a seed: to draw all of it takes longer than to run it.
    """
    random = Random(draw(st.integers(0, 2**32)))
    stages, before = [], {}
    for number in range(draw(st.integers(1, 30))):
        recent = [stage["id"] for stage in stages[-6:]]
        chosen = random.sample(recent, random.randint(0, min(3, len(recent))))
        before[f"s{number}"] = {*chosen, *(one for each in chosen for one in before[each])}
        retry = {"times": random.randint(0, 2), "backoff_s": random.choice([0, 1, 60])}
        stage = {"id": f"s{number}", "prompt": "work", "depends_on": chosen, "retry": retry, "timeout_s": 30}
        stages.append(stage | ({"when": random.choice(WHEN)} if chosen else {}))
    fields = {"name": "any", "max_parallel": random.randint(1, 5), "stages": stages}
    for stage in random.sample(stages, min(8, len(stages))):
        if earlier := sorted(before[stage["id"]]):
            most = random.randint(1, 3)
            stage["loop"] = {"target": random.choice(earlier), "trigger": "REDO", "max_iterations": most}
            if load_crew(fields).crew is None:  # it crosses another one
                del stage["loop"]
    scripts = {
        stage["id"]: random.choices(SENT_BACK if "loop" in stage else SAID, k=random.randint(0, 8)) for stage in stages
    }
    return load_crew(fields).crew, scripts


def attempts_of(script):
    """What the attempts of a stage come to, one after the other: as scripted, then always well."""
    yield from script
    while True:
        yield "succeeded", "fine"


class Model:
    """One stage after the other, and back where a loop says so; knows no time and no events."""

    def __init__(self, crew, scripts):
        self.stages = {stage.id: stage for stage in crew.stages}
        self.coming = {stage: attempts_of(script) for stage, script in scripts.items()}
        self.outcomes, self.results, self.attempts, self.rounds = {}, {}, Counter(), Counter()
        self.bodies = {stage.id: self.body(stage) for stage in crew.stages if stage.loop}
        self.run(self.sequence())

    def reaches(self, late, early):
        return late == early or any(self.reaches(one, early) for one in set(self.stages[late].depends_on))

    def body(self, stage):
        return {one for one in self.stages if self.reaches(stage.id, one) and self.reaches(one, stage.loop.target)}

    def sequence(self):
        """The stages in an order in which each loop is over before somebody outside looks at what is in it."""
        done = []
        while len(done) < len(self.stages):
            done.append(next(one for one in self.stages if one not in done and self.has_all(one, done)))
        return done

    def has_all(self, stage, done):
        before = self.stages[stage].depends_on
        ends = [end for end, body in self.bodies.items() if stage not in body and body & set(before)]
        return set(before) | set(ends) <= set(done)

    def run(self, sequence):
        for number, stage in enumerate(sequence):
            if self.goes_back(self.stages[stage]):
                self.run([one for one in sequence[: number + 1] if one in self.bodies[stage]])

    def goes_back(self, stage):
        became = [self.outcomes[one] for one in stage.depends_on]
        runs = {
            "all_succeeded": all(one == "succeeded" for one in became),
            "all_done": True,
            "any_failed": "failed" in became or "timed_out" in became,
        }
        if runs[stage.when]:
            return self.work(stage)
        self.outcomes[stage.id] = "skipped"
        return False

    def work(self, stage):
        for _ in range(stage.retry.times + 1):
            self.attempts[stage.id] += 1
            outcome, text = next(self.coming[stage.id]) or ("timed_out", "")
            self.outcomes[stage.id] = outcome
            if outcome == "succeeded":
                self.results[stage.id] = text
                break
        if stage.loop is None or outcome != "succeeded" or "REDO" not in text:
            return False
        self.rounds[stage.id] += 1
        if self.rounds[stage.id] > stage.loop.max_iterations:
            self.outcomes[stage.id] = "failed"
            return False
        return True


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


EXAMPLES = max(250, settings().max_examples)


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
