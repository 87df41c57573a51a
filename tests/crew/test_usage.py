"""What a run and all that is below a session used, and that a run which uses more than it may ends."""

import json

import anyio
import pytest
from crew_office import found, outcomes, scripted, stage

from kiro_core.crew.usage import Using, used
from kiro_core.errors import SessionNotFound
from kiro_core.frames import Frame
from kiro_core.journal.entries import embedded, opening, value
from kiro_core.testing import RecordingClient
from kiro_core.types import Record, SessionId, Usage

TOKENS = "answers['session/prompt']['usage'] = {'inputTokens': 20, 'outputTokens': 10, 'totalTokens': 35}"
COST = "update(sessionUpdate='usage_update', used=1, size=2, cost={'amount': %s, 'currency': 'USD'})"


def cost(amount, currency="USD", session="s"):
    update = {"sessionUpdate": "usage_update", "used": 1, "size": 2, "cost": {"amount": amount, "currency": currency}}
    return Frame.of("session/update", {"sessionId": session, "update": update})


def kiro(*spent):
    return Frame.of("_kiro.dev/metadata", {"sessionId": "s", "meteringUsage": list(spent)})


def told(*frames):
    using = Using()
    for frame in frames:
        using.update(frame)
    return using.usage


def test_cost_is_that_of_the_agents_session_so_far_until_it_begins_anew():
    assert told(cost(0.1), cost(0.3)).cost == {"USD": 0.3}
    assert told(cost(0.1), cost(0.3), cost(0.05), cost(0.2)).cost == {"USD": 0.5}
    assert told(cost(0.1), cost(0.2, session="t"), cost(0.3)).cost == {"USD": 0.5}
    assert told(cost(0.1), cost(7, "JPY")).cost == {"USD": 0.1, "JPY": 7.0}


def test_credits_are_those_of_each_turn():
    credit = {"value": 0.01, "unit": "credit", "unitPlural": "credits"}
    assert told(kiro(credit), kiro(credit, credit), kiro({"value": 5, "unit": "second"})).credits == 0.03


@pytest.mark.parametrize("amount", [None, "much", -1, True, [1], 1e999])
def test_what_is_no_amount_counts_as_nothing(amount):
    raw = json.dumps({"method": "session/update", "params": cost(0).params}).replace(
        '"amount": 0', f'"amount": {amount}'
    )
    told_nothing = told(cost(amount) if amount != 1e999 else Frame.read(raw.encode()), kiro({"value": amount}), kiro(3))
    assert not told_nothing.credits
    assert not any(told_nothing.cost.values())


async def test_a_record_tells_the_same_with_the_tokens_of_its_turns():
    async def records():
        bodies = [
            opening("", "turn_ended", "1.1")
            + value({"usage": {"inputTokens": 2, "outputTokens": 3, "totalTokens": 9}}),
            embedded(opening("", "update"), cost(0.25)),
            opening("", "turn_ended", "1.2") + value({"usage": {"inputTokens": 2, "outputTokens": 3}}),
            opening("", "turn_ended", "1.3") + value({"usage": "none", "state": "failed"}),
            opening("", "turn_ended", "1.4") + value(None),
            b"?",
        ]
        for number, body in enumerate(bodies, 1):
            yield Record(number, 1, body)

    assert await used(records()) == Usage(4, 6, 14, {"USD": 0.25})


async def test_the_report_says_what_each_stage_used_over_all_its_attempts(opened_desk):
    engines = {
        "fails": scripted(prompt=f"{COST % 0.5}\nanswers['session/prompt']['stopReason'] = 'refusal'"),
        "tells": scripted(prompt=f"{TOKENS}\n{COST % 0.25}\ntell('done')"),
    }
    with anyio.fail_after(60):
        async with opened_desk(engines=engines) as office:
            stages = [
                stage("a", "x", engine="fails", retry={"times": 1, "backoff_s": 0}),
                stage("b", "x", engine="tells"),
            ]
            run = await office.begin(*stages)
            report = await office.ended(run)
            assert found(report, "a")["usage"]["cost"] == {"USD": 1.0}
            assert found(report, "b")["usage"] == {
                "input_tokens": 20, "output_tokens": 10, "total_tokens": 35, "cost": {"USD": 0.25}, "credits": 0.0
            }  # fmt: skip
            assert await office.crew.usage(run) == Usage(20, 10, 35, {"USD": 1.25}) == Usage(**report["usage"])


async def test_a_session_used_what_it_and_all_below_it_used(opened_desk):
    engines = {"tells": scripted(prompt=f"{TOKENS}\ntell('done')")}
    with anyio.fail_after(60):
        async with opened_desk(engines=engines, engine="tells") as office:
            async with office.desk.attach(RecordingClient()) as agent:
                session = await office.start(agent)
                blocks = [{"type": "text", "text": "x"}]
                turn = await agent.prompt(Frame.of("session/prompt", {"sessionId": session, "prompt": blocks}, id=0))
                await turn.settled()
                await office.ended(await office.begin(stage("a", "x"), stage("b", "x", "a"), parent=session))
                assert (await office.crew.usage(SessionId(session))).total_tokens == 3 * 35
            with pytest.raises(SessionNotFound):
                await office.crew.usage(SessionId("00000000-0000-4000-8000-000000000000"))


async def test_a_run_that_costs_more_than_it_may_ends_in_the_midst_of_a_turn(opened_desk):
    engines = {"dear": scripted(prompt=f"{COST % 2.5}\ntime.sleep(600)")}
    with anyio.fail_after(60):
        async with opened_desk(engines=engines, limits={"close_s": 0.5}) as office:
            stages = [stage("a", "/echo one"), stage("b", "x", "a", engine="dear"), stage("c", "x", "b")]
            report = await office.finished(*stages, limits={"cost": 2})
            assert report["outcome"] == "limited"
            assert outcomes(report) == {"a": "succeeded", "b": "cancelled", "c": "cancelled"}
            assert found(report, "b")["error"] == "The run had used more than it may."
            assert found(report, "c")["reason"] == "the run had used more than it may"
            assert report["usage"]["cost"] == {"USD": 2.5}


async def test_a_run_that_used_as_much_as_it_may_goes_on(opened_desk):
    engines = {"tells": scripted(prompt=f"{TOKENS}\ntell('done')")}
    with anyio.fail_after(60):
        async with opened_desk(engines=engines, engine="tells") as office:
            stages = [stage("a", "x"), stage("b", "x", "a"), stage("c", "x", "b")]
            report = await office.finished(*stages, limits={"tokens": 35})
            assert outcomes(report) == {"a": "succeeded", "b": "succeeded", "c": "cancelled"}
            assert report["outcome"] == "limited"
