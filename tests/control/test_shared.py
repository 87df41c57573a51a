"""Two programs, one session, both looking on: each has every update once and in order."""

import json
import subprocess

import warm


def conversation(editor, session):
    """What an editor was shown of the conversation, in order: the kind and the text."""
    told = (one["update"] for one in editor.updates if one["sessionId"] == session)
    kinds = ("agent_message_chunk", "user_message_chunk")
    return [(one["sessionUpdate"], one["content"]["text"]) for one in told if one["sessionUpdate"] in kinds]


def agents(editor, session):
    return [text for kind, text in conversation(editor, session) if kind == "agent_message_chunk"]


def test_both_see_each_update_once_and_in_order_and_prompts_of_both_work(editor):
    one = editor()
    session = one.new()
    one.answer(one.prompt(session, "/echo zero"))
    two = editor()
    two.load(session)
    expected = ["zero"]
    for number in range(4):
        first, second = f"one{number}", f"two{number}"
        mine = one.prompt(session, f"/echo {first}")
        two.until(first)
        one.answer(mine)
        theirs = two.prompt(session, f"/echo {second}")
        one.until(second)
        two.answer(theirs)
        expected += [first, second]
    assert agents(one, session) == expected
    assert agents(two, session) == expected


def test_prompts_of_others_are_shown_and_ones_own_are_not_repeated(editor):
    one = editor()
    session = one.new()
    two = editor()
    two.load(session)
    two.answer(two.prompt(session, "/echo hello"))
    one.until("hello")
    assert conversation(one, session) == [("user_message_chunk", "/echo hello"), ("agent_message_chunk", "hello")]
    assert conversation(two, session) == [("agent_message_chunk", "hello")]


def test_an_observer_sees_everything_and_prompts_nothing(editor):
    one = editor()
    session = one.new()
    two = editor()
    meta = {"kiro_core": {"role": "observer"}}
    two.ask("session/load", sessionId=session, cwd=two.cwd, mcpServers=[], _meta=meta)
    one.answer(one.prompt(session, "/echo shown"))
    two.until("shown")
    assert two.answer(two.prompt(session, "Hello"))["error"]["data"]["code"] == "OBSERVER_ONLY"


def test_one_that_leaves_ends_nothing_for_the_other(editor):
    one = editor()
    session = one.new()
    two = editor()
    two.load(session)
    pending = one.prompt(session, "/echo begun\n/sleep 1\n/echo done")
    two.until("begun")
    assert two.hang_up() == 0
    assert one.answer(pending)["result"]["stopReason"] == "end_turn"
    assert one.said(session).endswith("done")


def test_who_joins_behind_a_record_is_shown_only_what_follows(editor, kiro):
    one = editor()
    session = one.new()
    one.answer(one.prompt(session, "/echo known"))
    (*_, last) = json.loads(kiro("sessions", "show", session, "--json").stdout)["records"]
    one.answer(one.prompt(session, "/echo news"))
    two = editor()
    meta = {"kiro_core": {"after": last["seq"]}}
    two.ask("session/load", sessionId=session, cwd=two.cwd, mcpServers=[], _meta=meta)
    assert agents(two, session) == ["news"]


def test_when_the_first_is_killed_the_second_has_everything_once(editor):
    one = editor()
    session = one.new()
    two = editor()
    two.load(session)
    pending = one.prompt(session, "/echo begun\n/hang")
    two.until("begun")
    assert pending
    one.kill()
    two.answer(two.prompt(session, "/echo behind"))
    said = [text for text in agents(two, session) if not text.startswith("[kiro_core]")]
    assert said == ["begun", "behind"]


def test_a_terminal_looks_on_until_the_session_ends(editor, environment, tmp_path):
    one = editor()
    session = one.new()
    one.answer(one.prompt(session, "/echo before"))
    command = [warm.PROGRAM, "sessions", "attach", session, "--observe"]
    with warm.start(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment
    ) as looking:
        shown = b""
        while b"before" not in shown:
            shown += looking.stdout.read1()
        one.answer(one.prompt(session, "/echo behind"))
        while b"behind" not in shown:
            shown += looking.stdout.read1()
        one.ask("session/delete", sessionId=session)
        _, told = looking.communicate(timeout=30)
        assert b"The session has ended." in told
        assert looking.returncode == 0
