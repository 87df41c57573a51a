"""A client is told in the best form that it understands, and in one that any client shows."""

import pytest

from kiro_core.notices import at_next_turn, at_once
from kiro_core.types import Notice, PeerInfo, SessionId

SESSION = SessionId("s-1")
FALLBACK = {"requestedAgent": "a", "fallbackAgent": "b"}
NOTICE = Notice("agent_not_found", "There is no agent 'a'.", details={**FALLBACK, "near": ["c"]})
META = {"kiro_core": {"notice": "agent_not_found", **FALLBACK, "near": ["c"]}}


@pytest.mark.parametrize("name", ["an editor", "kiro-cli"])
def test_who_offered_notices_gets_a_notice(name):
    frame = at_once(NOTICE, PeerInfo(name, abilities=frozenset({"notices"})), SESSION)
    assert frame.is_notification
    assert (frame.method, frame.session) == ("session/update", SESSION)
    assert frame.params["update"] == {
        "sessionUpdate": "notice",
        "severity": "warning",
        "title": "There is no agent 'a'.",
        "_meta": META,
    }


@pytest.mark.parametrize(
    ("kind", "method", "details"),
    [
        ("agent_not_found", "_kiro.dev/agent/not_found", FALLBACK),
        ("agent_config_error", "_kiro.dev/agent/config_error", {"path": "/a", "error": "?"}),
        ("model_not_found", "_kiro.dev/model/not_found", {"requestedModel": "a", "fallbackModel": "b"}),
        ("mcp_failed", "_kiro.dev/mcp/server_init_failure", {"serverName": "a", "error": "?"}),
    ],
)
@pytest.mark.parametrize("name", ["kiro-cli", "Kiro CLI"])
def test_a_kiro_client_gets_kiros_own_notification(kind, method, details, name):
    notice = Notice(kind, "It is so.", details={**details, "ours": 1})
    frame = at_once(notice, PeerInfo(name), SESSION)
    assert frame.is_notification
    assert (frame.method, frame.params) == (method, {"sessionId": SESSION, **details})


@pytest.mark.parametrize(("name", "kind"), [("kiro-cli", "silence"), ("an editor", "agent_not_found"), ("", "silence")])
def test_anybody_else_is_told_at_the_next_turn_by_a_marked_chunk(name, kind):
    assert at_once(Notice(kind, "It is so."), PeerInfo(name), SESSION) is None
    frame = at_next_turn(NOTICE, SESSION)
    assert frame.is_notification
    assert (frame.method, frame.session) == ("session/update", SESSION)
    assert frame.params["update"] == {
        "sessionUpdate": "agent_message_chunk",
        "content": {"type": "text", "text": "[kiro_core] There is no agent 'a'.\n\n"},
        "_meta": META,
    }
