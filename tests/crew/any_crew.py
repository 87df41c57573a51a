"""Any crew with what its agents come to, and a model of its run that does one thing after the other."""

from collections import Counter
from hashlib import sha256
from random import Random

from hypothesis import strategies as st

from kiro_core.crew import load_crew

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
        prompt = " ".join(["work", *(f"{{stages.{one}.result}}" for one in chosen)])
        stage = {"id": f"s{number}", "prompt": prompt, "depends_on": chosen, "retry": retry, "timeout_s": 30}
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


def mark(stage, attempt, before):
    """What a success says of itself: which one it is, and the marks of all that went into it."""
    return f"<{stage}.{attempt}.{sha256(' '.join(before).encode()).hexdigest()[:8]}>"


def attempts_of(script):
    """What the attempts of a stage come to, one after the other: as scripted, then always well."""
    yield from script
    while True:
        yield "succeeded", "fine"


class Model:
    """One stage after the other, and back where a loop says so; knows no time and no events.

    `marks` are those of each stage's last success.
    """

    def __init__(self, crew, scripts):
        self.stages = {stage.id: stage for stage in crew.stages}
        self.coming = {stage: attempts_of(script) for stage, script in scripts.items()}
        self.outcomes, self.results, self.attempts, self.rounds = {}, {}, Counter(), Counter()
        self.marks = {}
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
                before = [self.marks[one] for one in stage.depends_on if one in self.marks]
                self.marks[stage.id] = mark(stage.id, self.attempts[stage.id], before)
                break
        if stage.loop is None or outcome != "succeeded" or "REDO" not in text:
            return False
        self.rounds[stage.id] += 1
        if self.rounds[stage.id] > stage.loop.max_iterations:
            self.outcomes[stage.id] = "failed"
            return False
        return True
