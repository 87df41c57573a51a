"""Two programs with one session: whoever came second goes on when the first is killed."""

import pytest


def test_the_second_editor_joins_and_goes_on_when_the_first_is_killed(editor):
    one = editor()
    session = one.new()
    one.answer(one.prompt(session, "/echo first"))
    two = editor()
    two.load(session)
    assert two.said(session) == "first"
    pending = two.prompt(session, "/echo at work\n/hang")
    two.until("at work")
    one.kill()
    error = two.answer(pending)["error"]
    assert error["data"]["code"] == "DISCONNECTED"
    assert f"has ended (pid {one.process.pid})" in error["message"]
    assert two.answer(two.prompt(session, "/echo second"))["result"]["stopReason"] == "end_turn"
    assert two.said(session).endswith("second")


def test_the_second_editor_goes_on_when_the_first_leaves(editor):
    one = editor()
    session = one.new()
    two = editor()
    two.load(session)
    assert one.hang_up() == 0
    assert two.answer(two.prompt(session, "/echo second"))["result"]["stopReason"] == "end_turn"


def test_a_third_editor_joins_where_the_session_is_now(editor):
    one = editor()
    session = one.new()
    one.answer(one.prompt(session, "/echo first"))
    two = editor()
    two.load(session)
    one.kill()
    two.answer(two.prompt(session, "/echo second"))
    three = editor()
    three.load(session)
    assert three.answer(three.prompt(session, "/echo third"))["result"]["stopReason"] == "end_turn"
    assert three.said(session).endswith("third")


def test_who_does_not_want_to_join_is_refused(editor):
    one = editor()
    session = one.new()
    two = editor("--no-attach")
    error = two.load(session)["error"]
    assert error["data"]["code"] == "SESSION_HELD"
    assert error["data"]["owner"]["pid"] == one.process.pid


@pytest.mark.parametrize("leaves", ["kill", "hang_up"])
def test_no_socket_is_in_the_way_of_the_next_start(editor, home, leaves):
    one = editor()
    one.ask("session/list")
    getattr(one, leaves)()
    two = editor()
    assert two.new()
    (socket,) = (home / "run" / "desks").glob("*.sock")
    assert socket.name.startswith(f"{two.process.pid}-")
