"""What a session tells besides its conversation reaches a host: once, with the next result, and in bounds."""

import json

import anyio

from kiro_mcp.service.notices import Notices, notice_of
from kiro_mcp.service.views import Notice


def kinds(place, session):
    return [notice.kind for notice in place.service.notices.take(session)]


async def told(place, session, kind):
    """Wait for a notice of that kind; it comes behind the answer of what it is about."""
    while True:
        found = {notice.kind: notice for notice in place.service.notices.take(session)}
        if kind in found:
            return found[kind]
        await anyio.wait_all_tasks_blocked()


def test_the_newest_twenty_are_kept_and_told_once():
    notices = Notices()
    for number in range(30):
        notices.add("one", Notice("silence", f"{number}"))
    notices.add("two", Notice("agent_gone", "It ended."))
    notices.add("two", Notice("agent_gone", "It ended."))
    assert [notice.message for notice in notices.take("one")] == [f"{number}" for number in range(10, 30)]
    assert notices.take("one") == ()
    assert len(notices.take("two")) == 1


def test_what_only_informs_is_left_out_but_that_an_agent_knows_nothing_any_more():
    notices = Notices()
    notices.add("one", Notice("engine_chosen", "The first one.", "info"))
    notices.add("one", Notice("context_reset", "It begins anew.", "info"))
    assert [notice.kind for notice in notices.take("one")] == ["context_reset"]


def test_what_is_not_true_any_more_is_dropped_and_nothing_grows():
    notices = Notices()
    notices.add("one", Notice("agent_untrusted", "Not used."))
    notices.add("one", Notice("mcp_failed", "Not started."))
    notices.drop("one", "agent_untrusted")
    assert [notice.kind for notice in notices.take("one")] == ["mcp_failed"]
    for number in range(3000):
        notices.add(f"{number}", Notice("silence", "Nothing."))
    assert len(notices._kept) <= 1000
    assert notices.take("2999")


def test_a_notice_is_read_in_any_form():
    meta = {"kiro_core": {"notice": "mcp_failed", "serverName": "x"}}
    assert notice_of({"title": "x did not start.", "severity": "error", "_meta": meta}) == Notice(
        "mcp_failed", "x did not start.", "error"
    )
    assert notice_of({"title": "Odd", "description": "But \x1b[31mwhy?"}) == Notice("agent", "Odd But why?")
    assert notice_of({"_meta": "nonsense", "title": None}) == Notice("agent", "")


async def test_what_the_desk_tells_of_a_session_is_kept_for_its_hosts(opened):
    with anyio.fail_after(20):
        async with opened(settings={"agent": "nobody"}) as place:
            session = await place.create()
            notice = await told(place, session, "agent_not_found")
            assert "'nobody'" in notice.message
            assert notice.severity == "warning"
            await place.sessions.clear(place.host)
            assert (await told(place, session, "context_reset")).severity == "info"


async def test_what_an_agent_itself_tells_is_kept_too(opened):
    update = {"sessionUpdate": "notice", "severity": "warning", "title": "Something is odd", "description": "But why?"}
    with anyio.fail_after(20):
        async with opened() as place:
            view = await place.chat(f"/update {json.dumps(update)}")
            assert await told(place, view.session_id, "agent") == Notice("agent", "Something is odd But why?")
            assert kinds(place, view.session_id) == []
