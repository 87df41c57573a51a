"""One policy, whatever the session is: its own, a child's, one without a terminal, one that comes back."""

import json

import pytest
from cases import CALLS, CASES, CONFIGS, SERVERS, expected

from kiro_core.engines import load_engines
from kiro_core.policy import identify


@pytest.fixture
def decided(policy):
    """What is decided of a case by a policy with its fields and whatever else."""
    engine = load_engines({})["rehearsal"]

    def deciding(case, **more):
        return policy(case.fields, servers=SERVERS, **more).decide(identify(case.call, engine, list(SERVERS))).effect

    return deciding


@pytest.fixture
def answers(policy, use):
    """What a person answered before, as it stands in the record: of two uses that no case has."""
    asked = policy()
    kept = [
        asked.remember(use("shell", "execute", command="make all"), "allow_always", {}),
        asked.remember(use("shell", "execute", command="make none"), "reject_always", {}),
    ]
    return json.loads(json.dumps(kept))


def test_there_are_at_least_two_hundred_and_none_is_left_out():
    assert len(CASES) == len(CONFIGS) * len(CALLS) >= 200


@pytest.mark.parametrize("case", CASES, ids=str)
def test_main_child_headless_and_resumed_sessions_decide_alike(case, decided, policy, answers):
    main = decided(case)
    parent = policy(case.fields, servers=SERVERS)
    child = decided(case, parent=parent)
    grandchild = decided(case, parent=policy(case.fields, servers=SERVERS, parent=parent))
    headless = decided(case, trust_tools=None, trust_all=False)
    resumed = decided(case, answers=answers)
    assert [child, grandchild, headless, resumed] == [main] * 4
    assert main == expected(case)


@pytest.mark.parametrize("config", CONFIGS)
def test_a_child_with_any_other_configuration_is_never_wider(config, decided, policy):
    order = ["allow", "ask", "deny"]
    for case in CASES:
        child = decided(case, parent=policy(CONFIGS[config], servers=SERVERS))
        above = expected(next(each for each in CASES if (each.config, each.asked) == (config, case.asked)))
        assert child == max(expected(case), above, key=order.index)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_trust_in_everything_takes_only_questions_away(case, decided):
    trusting = decided(case, trust_all=True)
    assert (trusting == "deny") == (expected(case) == "deny")
    if expected(case) == "allow":
        assert trusting == "allow"
