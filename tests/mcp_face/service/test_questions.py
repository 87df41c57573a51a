"""What an agent asks is answered by a host, refused where nobody may be asked, and never answered by mistake."""

import json

import anyio
import pytest

from kiro_core.frames import Frame
from kiro_core.messages import open_session
from kiro_core.testing import RecordingClient
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.questioning import question_of

ASKS = "/permission Remove it\n/echo  done"


def code(call, *arguments, **options):
    with pytest.raises(ToolFailure) as caught:
        call(*arguments, **options)
    return caught.value.code


async def answers(place, session):
    """What each question got, by the record."""
    items = await place.service.past.transcript(place.host, session)
    return [item["details"]["outcome"].get("optionId") for item in items if item["kind"] == "answer"]


async def test_a_question_is_part_of_its_task_until_it_is_answered_with_one_of_its_options(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            begun = await place.tasks.start(place.host, ASKS)
            question = await place.asked(begun.id)
            assert (question.session_id, question.person_only) == (begun.session_id, False)
            assert question.title == "Remove it"
            assert [(option.id, option.kind) for option in question.options] == [
                ("once", "allow_once"),
                ("always", "allow_always"),
                ("no", "reject_once"),
            ]
            assert question.asked_at.endswith("Z")
            assert place.questions.of(begun.session_id) == question
            assert code(place.questions.answer, place.host, question.id, "perhaps") == "INVALID_COMMAND"
            assert place.questions.answer(place.host, question.id, "once") == question
            assert code(place.questions.answer, place.host, question.id, "no") == "INVALID_COMMAND"
            view = await place.done(begun.id)
            assert view.text.endswith("done")
            assert view.question is None
            assert await answers(place, begun.session_id) == ["once"]


async def test_an_unknown_question_is_not_answered_and_refusing_it_does_nothing(opened):
    with anyio.fail_after(10):
        async with opened() as place:
            assert code(place.questions.answer, place.host, "nonsense", "yes") == "INVALID_COMMAND"
            place.questions.refuse(place.host, "nonsense")
            await place.questions.settled("nonsense")


async def test_a_host_does_not_answer_for_another(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            question = await place.asked((await place.tasks.start(place.host, ASKS)).id)
            other = Host(connected=True)
            assert code(place.questions.answer, other, question.id, "yes") == "INVALID_COMMAND"
            place.questions.refuse(other, question.id)
            assert place.questions.of(question.session_id) == question
            place.questions.refuse(place.host, question.id)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["allow_once", "reject_always", "reject_once"], "reject_once"),
        (["allow_once", "reject_always"], "reject_always"),
        (["allow_once"], None),
    ],
)
async def test_refusing_takes_the_narrowest_no_that_the_agent_offers(opened, offered, chosen):
    with anyio.fail_after(20):
        async with opened() as place:
            options = [{"optionId": kind, "name": kind, "kind": kind} for kind in offered]
            asked = json.dumps({"toolCall": {"toolCallId": "x", "title": "Remove it"}, "options": options})
            begun = await place.tasks.start(place.host, f"/request session/request_permission {asked}")
            question = await place.asked(begun.id)
            place.questions.refuse(place.host, question.id)
            place.questions.refuse(place.host, question.id)
            await place.questions.settled(question.id)
            assert place.questions.of(begun.session_id) is None
            await place.done(begun.id)
            assert await answers(place, begun.session_id) == [chosen]


async def test_nobody_is_asked_where_the_options_deny(opened):
    with anyio.fail_after(20):
        async with opened(permissions="deny") as place:
            view = await place.chat(ASKS)
            assert view.is_done
            assert await answers(place, view.session_id) == ["no"]


async def test_a_person_elsewhere_is_asked_where_hosts_are_not(opened):
    editor = RecordingClient()
    with anyio.fail_after(20):
        async with opened(permissions="deny") as place, place.desk.attach(editor) as agent:
            session = await place.create()
            info = await place.desk.info(session)
            await agent.open(open_session(info.id, info.cwd, roots=info.roots), replay=False)
            await place.chat(ASKS)
            assert await answers(place, session) == ["once"]


async def test_a_question_that_nobody_answers_is_denied_in_time_and_is_gone(opened):
    with anyio.fail_after(20):
        async with opened(settings={"limits": {"question_s": 0.2}}) as place:
            begun = await place.tasks.start(place.host, ASKS)
            question = await place.asked(begun.id)
            await place.questions.settled(question.id)
            await place.done(begun.id)
            assert await answers(place, begun.session_id) == ["no"]


async def test_a_question_ends_with_its_turn(opened):
    with anyio.fail_after(20):
        async with opened() as place:
            begun = await place.tasks.start(place.host, ASKS)
            question = await place.asked(begun.id)
            await place.tasks.cancel(place.host, begun.id)
            await place.questions.settled(question.id)
            assert (await place.done(begun.id)).status == "cancelled"
            assert place.questions.of(begun.session_id) is None


async def test_a_question_that_another_client_answers_is_gone(opened):
    editor = RecordingClient()
    with anyio.fail_after(20):
        async with opened() as place:
            begun = await place.tasks.start(place.host, ASKS)
            question = await place.asked(begun.id)
            async with place.desk.attach(editor) as agent:
                info = await place.desk.info(begun.session_id)
                await agent.open(open_session(info.id, info.cwd, roots=info.roots), replay=False)
                await place.questions.settled(question.id)
                assert (await place.done(begun.id)).text.endswith("done")


async def test_only_a_person_can_trust_a_folder(opened, tmp_path):
    agents = tmp_path / ".kiro" / "agents"
    agents.mkdir(parents=True)
    configuration = {"name": "mine", "mcpServers": {"x": {"command": "never-started"}}}
    (agents / "mine.json").write_text(json.dumps(configuration))
    with anyio.fail_after(20):
        async with opened(settings={"agent": "mine"}) as place:
            begun = await place.tasks.start(place.host, "/echo on")
            question = await place.asked(begun.id)
            assert question.person_only
            assert question.notice == f"The folder {tmp_path} is not trusted: kiro-core trust {tmp_path}"
            assert code(place.questions.answer, place.host, question.id, "trust") == "INVALID_COMMAND"
            place.questions.refuse(place.host, question.id)
            assert (await place.done(begun.id)).text.endswith("on")
            assert await answers(place, begun.session_id) == ["no"]
            assert [notice.message for notice in place.service.notices.take(begun.session_id)] == [question.notice]
            session = await place.create()
            begun = await place.tasks.start(place.host, "/echo on", session)
            question = await place.asked(begun.id)
            place.questions.answer(place.host, question.id, "no", by_person=True)
            assert (await place.done(begun.id)).text.endswith("on")


@pytest.mark.parametrize(
    ("shown", "about"),
    [
        ({"locations": [{"path": "/a/b.py", "line": 3}, {"path": "/c"}]}, "/a/b.py\n/c"),
        (
            {"content": [{"type": "diff", "path": "/a/b.py", "oldText": "x\n", "newText": "x\ny\n"}]},
            "/a/b.py (1 lines become 2)",
        ),
        ({"locations": "nonsense", "content": [7, {"type": "text"}]}, ""),
        ({"title": "rm -r x", "rawInput": {"command": "rm -r x"}}, ""),
    ],
)
async def test_a_question_says_what_it_is_about(opened, shown, about):
    call = {"toolCallId": "x", "title": "Do it", **shown}
    options = [{"optionId": "yes", "name": "Yes", "kind": "allow_once"}]
    with anyio.fail_after(20):
        async with opened() as place:
            request = f"/request session/request_permission {json.dumps({'toolCall': call, 'options': options})}"
            question = await place.asked((await place.tasks.start(place.host, request)).id)
            assert question.about == about
            place.questions.refuse(place.host, question.id)


def of(call, **ours):
    meta = {"_meta": {"kiro_core": ours}} if ours else {}
    params = {"sessionId": "s", "toolCall": {"toolCallId": "x", "title": "shell", **call}, "options": [], **meta}
    return question_of(Frame.of("session/request_permission", params, id=1), "/work")


def test_what_the_desk_found_out_is_told_first_and_nothing_twice():
    edit = {
        "content": [{"type": "diff", "path": "/a/b", "oldText": "", "newText": "x\n"}],
        "locations": [{"path": "/c"}],
    }
    question = of({"kind": "edit", **edit}, tool="fs_write", about="/c")
    assert (question.tool, question.about) == ("fs_write", "/c\n/a/b (0 lines become 1)")
    question = of({"kind": "execute", "rawInput": {"command": "make"}}, tool="shell", about="make check")
    assert (question.tool, question.about) == ("shell", "make check")


def test_of_an_older_desk_the_arguments_are_told_in_bounds():
    question = of({"kind": "execute", "rawInput": {"command": "m\u00e4ke", "x": "y" * 5000}})
    assert question.tool == "execute"
    assert question.about.startswith('{"command": "m\u00e4ke", "x": "yyy')
    assert len(question.about) == 2000
    assert question.about.endswith("...")
    assert of({"rawInput": {"command": "a\x1b[31mb"}}).about == '{"command": "a\\u001b[31mb"}'
    assert of({}, about="a\x1b[31mb\nc").about == "ab\nc"
