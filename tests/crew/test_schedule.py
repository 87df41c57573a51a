"""What a run does in the cases that people ask about, one by one."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.crew import Event, Schedule, load_crew, prompt_of, report
from kiro_core.errors import RecordInvalid


def schedule(*stages, began=0.0, **fields):
    loaded = load_crew({"name": "x", "task": "the task", "stages": list(stages), **fields})
    assert not loaded.problems
    return Schedule(loaded.crew, began)


def stage(name, *depends_on, prompt="work", **fields):
    return {"id": name, "prompt": prompt, "depends_on": list(depends_on), **fields}


def ready(run, now=0.0):
    return [each.id for each in run.ready(now)]


def does(run, name, outcome="succeeded", text="", now=0.0):
    attempt = run.started(name, now).attempt
    run.settled(name, attempt, outcome, text, now)
    return attempt


@pytest.mark.parametrize(
    ("became", "succeeded", "done", "failed"),
    [
        ("succeeded", "", "", "nothing that it depends on failed"),
        ("failed", "'a' failed", "", ""),
        ("timed_out", "'a' ran out of time", "", ""),
        ("cancelled", "'a' was cancelled", "", "nothing that it depends on failed"),
    ],
)
def test_when_says_whether_a_stage_runs(became, succeeded, done, failed):
    kinds = ("all_succeeded", "all_done", "any_failed")
    run = schedule(stage("a"), *(stage(kind, "a", when=kind) for kind in kinds))
    does(run, "a", became)
    assert {kind: run.states[kind].reason for kind in kinds} == dict(zip(kinds, (succeeded, done, failed), strict=True))
    assert ready(run) == [kind for kind in kinds if not run.states[kind].reason]


def test_a_skipped_stage_is_no_success_and_says_which_one_it_missed():
    run = schedule(stage("a"), stage("b", "a"), stage("c", "b"), stage("d", "c", when="any_failed"))
    does(run, "a", "failed")
    assert run.done
    assert [run.states[one].reason for one in "bcd"] == [
        "'a' failed",
        "'b' was skipped",
        "nothing that it depends on failed",
    ]
    assert report(run).outcome == "failed"


def test_no_more_stages_run_than_may_and_the_first_ones_go_first():
    run = schedule(*(stage(name) for name in "abcd"), max_parallel=2)
    assert ready(run) == ["a", "b"]
    run.started("b", 0)
    assert ready(run) == ["a"]
    run.started("a", 0)
    assert ready(run) == []
    with pytest.raises(ValueError, match="does not fit"):
        run.started("c", 0)


def test_a_retry_waits_longer_each_time_and_at_most_an_hour():
    run = schedule(stage("a", retry={"times": 3, "backoff_s": 100, "factor": 10}))
    now = 0.0
    for wait in (100, 1000, 3600):
        does(run, "a", "failed", now=now)
        assert ready(run, now) == []
        now += wait
        assert run.next_due(now - wait) == now
        assert ready(run, now - 0.1) == []
        with pytest.raises(ValueError, match="does not fit"):
            run.started("a", now - 0.1)
        assert (ready(run, now), run.next_due(now)) == (["a"], None)
    does(run, "a", "failed", "no luck", now=now)
    assert run.outcomes == {"a": "failed"}
    assert [attempt.number for attempt in run.states["a"].attempts] == [1, 2, 3, 4]
    assert report(run).stages[0].error == "no luck"


def test_an_attempt_that_takes_too_long_is_to_be_ended():
    run = schedule(stage("a", timeout_s=5, retry={"times": 1, "backoff_s": 0}))
    run.started("a", 10)
    assert (run.next_due(10), run.overdue(14.9), run.overdue(15)) == (15, {}, {"a": "timed_out"})
    run.settled("a", 1, "timed_out", "", 15)
    assert ready(run, 15) == ["a"]


def test_the_time_of_a_whole_run_is_over_and_everything_ends():
    run = schedule(stage("a"), stage("b", "a"), timeout_s=60, began=1000)
    run.started("a", 1000)
    assert run.next_due(1000) == 1060
    assert run.tick(1059) is None
    assert run.tick(1060).kind == "timed_out"
    assert run.overdue(1060) == {"a": "timed_out"}
    assert run.states["b"].reason == "the time of the run was over"
    run.settled("a", 1, "timed_out", "", 1060)
    assert run.done
    assert run.tick(2000) is None
    assert (report(run).outcome, report(run).ended) == ("timed_out", "1970-01-01T00:17:40.000Z")


def test_what_succeeds_while_a_run_is_cancelled_has_succeeded():
    run = schedule(stage("a", retry={"times": 5}), stage("b"), stage("c", "a"))
    run.started("a", 0)
    run.started("b", 0)
    run.cancel(1)
    assert run.overdue(1) == {"a": "cancelled", "b": "cancelled"}
    run.settled("b", 1, "succeeded", "done", 1)
    run.settled("a", 1, "failed", "", 1)
    assert run.outcomes == {"c": "cancelled", "b": "succeeded", "a": "failed"}
    assert report(run).outcome == "cancelled"


def test_a_run_that_was_cancelled_when_all_was_done_but_told_has_succeeded():
    run = schedule(stage("a"))
    run.started("a", 0)
    run.cancel(1)
    assert report(run).outcome == "running"
    run.settled("a", 1, "succeeded", "", 1)
    assert report(run).outcome == "succeeded"


REVIEWED = [
    stage("plan"),
    stage("write", "plan", prompt="{task}: {stages.plan.result}"),
    stage("review", "write", loop={"target": "write", "trigger": "AGAIN", "max_iterations": 2}),
    stage("publish", "write"),
]


def test_work_is_sent_back_with_the_reason_until_it_is_good():
    run = schedule(*REVIEWED)
    does(run, "plan", text="be brief")
    assert prompt_of(run, "write") == "the task: be brief"
    does(run, "write", text="long")
    assert ready(run) == ["review"]  # nobody else looks at what may still be taken back
    does(run, "review", text="AGAIN: too long")
    assert "write" not in run.outcomes
    assert prompt_of(run, "write") == (
        "the task: be brief\n\nYou have done this before, and 'review' sends it back:\n\nAGAIN: too long"
    )
    assert does(run, "write", text="short") == 2
    assert prompt_of(run, "review") == "work"
    assert does(run, "review", text="good") == 2
    assert run.outcomes == {"plan": "succeeded", "write": "succeeded", "review": "succeeded"}
    assert ready(run) == ["publish"]
    assert report(run).stages[1].result == "short"


def test_work_that_is_never_good_has_failed():
    run = schedule(*REVIEWED)
    does(run, "plan")
    for _ in range(3):
        does(run, "write")
        does(run, "review", text="AGAIN")
    assert run.states["review"].reason == (
        "its result still has 'AGAIN' after the work was sent back as often as it may be (2)"
    )
    assert (run.outcomes["review"], run.outcomes["write"], ready(run)) == ("failed", "succeeded", ["publish"])


def test_work_is_not_sent_back_in_a_run_that_is_cancelled():
    run = schedule(*REVIEWED)
    does(run, "plan")
    does(run, "write")
    run.started("review", 0)
    run.cancel(0)
    run.settled("review", 1, "succeeded", "AGAIN", 0)
    assert run.states["review"].reason == "it sends the work back, and the run was cancelled"
    assert run.outcomes == {
        "plan": "succeeded",
        "publish": "cancelled",
        "write": "succeeded",
        "review": "cancelled",
    }


def test_a_loop_within_a_loop_keeps_count_over_the_whole_run():
    inner = {"target": "write", "trigger": "AGAIN", "max_iterations": 1}
    run = schedule(stage("write"), stage("review", "write", loop=inner), stage("test", "review", loop=inner))
    for name, text in [("write", ""), ("review", "AGAIN"), ("write", ""), ("review", ""), ("test", "AGAIN")]:
        does(run, name, text=text)
    assert prompt_of(run, "write").endswith("'test' sends it back:\n\nAGAIN")
    does(run, "write")
    does(run, "review", text="AGAIN")
    assert run.outcomes == {"test": "skipped", "review": "failed", "write": "succeeded"}


def test_what_ran_when_its_process_died_runs_again_and_is_not_counted_as_a_retry():
    run = schedule(stage("a"))
    events = [run.started("a", 1)]
    again = Schedule.replay(run.crew, run.began, events)
    assert again.states == run.states
    events.append(again.resume("retry", 2))
    assert [attempt.outcome for attempt in again.states["a"].attempts] == ["unknown"]
    does(again, "a", now=3)
    assert (again.outcomes, len(again.states["a"].attempts)) == ({"a": "succeeded"}, 2)


def test_what_was_cut_off_again_and_again_waits_for_an_answer():
    run = schedule(stage("a"), stage("b"))
    for _ in range(3):
        assert run.unknown == []
        run.started("a", 1)
        run.resume("retry", 2)
    assert (run.unknown, ready(run, 2), run.done) == (["a"], ["b"], False)
    run.answered("a", "retry", 3)
    assert ready(run, 3) == ["a", "b"]


def test_somebody_is_asked_what_becomes_of_a_stage_while_the_others_go_on():
    run = schedule(stage("a"), stage("b"), stage("c", "a"))
    run.started("a", 0)
    run.resume("ask", 1)
    assert (run.unknown, ready(run, 1), run.next_due(1)) == (["a"], ["b"], None)
    assert report(run).stages[0].phase == "unknown"
    run.answered("a", "skip", 2)
    assert run.outcomes == {"a": "skipped", "c": "skipped"}
    assert run.states["a"].reason == "somebody chose to go on without it"


def test_what_a_stage_said_before_everything_died_still_counts():
    run = schedule(stage("a"))
    run.started("a", 0)
    run.resume("ask", 1)
    run.settled("a", 1, "succeeded", "found in its record", 2)
    assert report(run).stages[0].result == "found in its record"
    assert run.done


def test_nobody_knows_what_became_of_a_stage_and_the_run_ends():
    run = schedule(stage("a"), stage("b", "a"))
    does(run, "a", "unknown")
    assert run.unknown == ["a"]
    run.cancel(1)
    assert run.outcomes == {"a": "unknown", "b": "cancelled"}


def test_what_did_not_succeed_is_said_where_its_result_would_be():
    prompt = "{{{stages.a.result}}} {stages.b.result}"
    run = schedule(stage("a"), stage("b", retry={"times": 0}), stage("c", "a", "b", when="all_done", prompt=prompt))
    does(run, "a", text="{task}")
    does(run, "b", "failed", "disk full")
    assert prompt_of(run, "c") == "{{task}} [No success: 'b' failed: disk full]"


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "started", "stage": "b", "attempt": 1},
        {"kind": "started", "stage": "a", "attempt": 2},
        {"kind": "started", "stage": "nobody", "attempt": 1},
        {"kind": "settled", "stage": "a", "attempt": 1, "outcome": "succeeded"},
        {"kind": "answered", "stage": "a", "choice": "retry"},
    ],
)
def test_what_cannot_have_happened_is_no_record_of_the_run(event):
    run = schedule(stage("a"), stage("b", "a"))
    with pytest.raises(RecordInvalid, match="is no record of a run of the crew 'x'"):
        Schedule.replay(run.crew, 0, [Event.from_json({"at": 1, **event})])


def test_an_attempt_settles_once():
    run = schedule(stage("a", retry={"times": 1, "backoff_s": 0}))
    does(run, "a", "failed")
    run.started("a", 0)
    for attempt, outcome in ((1, "succeeded"), (2, "")):
        with pytest.raises(ValueError, match="does not fit"):
            run.settled("a", attempt, outcome, "late", 0)


def test_a_clock_that_goes_back_does_not():
    run = schedule(stage("a"), began=100)
    assert run.started("a", 50).at == 100
    assert run.settled("a", 1, "succeeded", "", 70).at == 100


@given(st.dictionaries(st.sampled_from(["kind", "at", "stage", "attempt", "outcome"]), st.text() | st.integers()))
def test_what_is_no_event_is_refused(fields):
    with suppress(RecordInvalid):
        event = Event.from_json(fields)
        assert Event.from_json(event.to_json()) == event
