"""Each failure has one of fifteen codes, and says nothing that it should not."""

import inspect

import pytest

from kiro_core import errors
from kiro_core.errors import DeskFull, KiroError, LaunchFailed, RpcError
from kiro_mcp.service.failing import CODES, ToolFailure, failure_in, failure_of

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, KiroError)]


def made(kind):
    return kind(-32000, "It failed.") if kind is RpcError else kind("It failed.", hint="Try again.", more=1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_of_the_desk_has_a_code_and_keeps_its_own_as_the_cause(kind):
    failure = failure_of(made(kind))
    assert failure.code in CODES
    assert failure.sentence == "It failed."
    assert failure.details["cause"] == kind.code


def test_fifteen_codes_are_those_that_users_know():
    assert len(CODES) == 15


def test_a_limit_of_sessions_and_a_program_that_is_missing_are_told_apart_from_others():
    assert failure_of(DeskFull("Full.", max_sessions=1)).code == "SESSION_LIMIT_REACHED"
    assert failure_of(DeskFull("Full.")).code == "SERVER_OVERLOADED"
    assert failure_of(LaunchFailed("There is no program.", command=["x"])).code == "KIRO_CLI_NOT_FOUND"
    assert failure_of(LaunchFailed("It ended.", command="x", status="status 1")).code == "EXECUTION_ERROR"


def test_what_is_none_of_the_desks_says_nothing_of_itself():
    failure = failure_of(ValueError("secret"))
    assert (failure.code, failure.details) == ("EXECUTION_ERROR", {"cause": "INTERNAL"})
    assert "secret" not in str(failure.told())
    assert failure_of(TimeoutError()).code == "COMMAND_TIMEOUT"
    same = ToolFailure("INVALID_MESSAGE", "It is blank.")
    assert failure_of(same) is same


def test_an_error_in_an_answer_is_the_desks_own_or_the_agents():
    gone = {"code": -32603, "message": "It ended. Ask again.", "data": {"code": "AGENT_GONE", "hint": "Ask again."}}
    failure = failure_in(gone)
    assert (failure.code, failure.sentence, failure.hint) == ("STREAM_INTERRUPTED", "It ended.", "Ask again.")
    theirs = failure_in({"code": -32050, "message": "No credits", "data": {"code": "QUOTA"}})
    assert (theirs.code, theirs.details["number"]) == ("COMMAND_FAILED", -32050)
    assert failure_in({}).code == "COMMAND_FAILED"
    assert failure_in({"code": "x", "message": None}).sentence.endswith(".")
