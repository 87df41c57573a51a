"""Questions of the agent: answered by the client, else denied, and always recorded with their answer."""

import anyio
import pytest

from kiro_core.errors import Disconnected
from kiro_core.frames import Frame
from kiro_core.journal import entry
from kiro_core.testing import RecordingClient


async def answers(office, session):
    return [e.value async for e in _entries(office, session) if e.kind == "answer"]


async def _entries(office, session):
    async for record in office.desk.read(session):
        yield entry(record)


async def never(_):
    await anyio.Event().wait()


async def gone(_):
    raise Disconnected("gone")


async def nonsense(_):
    return Frame.answer({"outcome": {"outcome": "selected", "optionId": "not offered"}})


async def failing(_):
    return Frame.failure(-32603, "no")


async def test_the_clients_answer_reaches_the_agent_and_the_record(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            await office.prompt(session, "/permission delete it")
            (question,) = client.questions
            assert question.session == session
            assert question.params["toolCall"]["title"] == "delete it"
            assert "completed" in str(client.updates(session)[-1])
            (answer,) = await answers(office, session)
            assert answer["by"] == "client"
            assert answer["outcome"] == {"outcome": "selected", "optionId": question.params["options"][0]["optionId"]}


@pytest.mark.parametrize(
    ("answer", "by"), [(gone, "client gone"), (nonsense, "no valid answer"), (failing, "nobody to ask")]
)
async def test_without_a_valid_answer_the_agent_is_told_no(opened_desk, answer, by):
    client = RecordingClient(answer=answer)
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            response = await office.prompt(session, "/permission delete it")
            assert response.result["stopReason"] == "end_turn"
            assert "failed" in str(client.updates(session)[-1])
            (recorded,) = await answers(office, session)
            assert recorded["by"] == by
            assert recorded["outcome"]["outcome"] == "selected"


async def test_with_nobody_attached_the_agent_is_told_no(opened_desk):
    leaving = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            async with office.desk.attach(leaving) as office.agent:
                session = await office.start()
                turn = await office.ask(session, "begun\n/sleep 0.2\n/permission delete it")
                await leaving.until(lambda c: "begun" in c.text(session))
            await turn.settled()
            assert leaving.questions == []
            assert [a["by"] for a in await answers(office, session)] == ["nobody to ask"]


async def test_a_question_that_nobody_answers_is_denied_after_its_deadline_and_says_so(opened_desk):
    client = RecordingClient(answer=never)
    with anyio.fail_after(20):
        async with opened_desk(client, limits={"question_s": 0.2}) as office:
            session = await office.start()
            await office.prompt(session, "/permission delete it")
            assert "was not answered" in client.text(session)
            assert [a["by"] for a in await answers(office, session)] == ["deadline"]


async def test_a_cancel_answers_an_open_question_with_cancelled(opened_desk):
    client = RecordingClient(answer=never)
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            turn = await office.ask(session, "/permission delete it")
            await client.until(lambda c: c.questions)
            await office.cancel(session)
            assert (await turn.settled()).result["stopReason"] == "cancelled"
            (answer,) = await answers(office, session)
            assert answer["outcome"] == {"outcome": "cancelled"}
            assert answer["by"] == "turn cancelled"


async def test_while_a_person_is_asked_silence_is_not_the_agents(opened_desk):
    asked = anyio.Event()

    async def slow(frame):
        with anyio.move_on_after(0.5):
            await asked.wait()
        return Frame.answer({"outcome": {"outcome": "cancelled"}})

    client = RecordingClient(answer=slow)
    with anyio.fail_after(20):
        async with opened_desk(client, limits={"silence_s": 0.1}) as office:
            session = await office.start()
            await office.prompt(session, "/permission delete it")
            kinds = [e.kind async for e in _entries(office, session)]
            assert kinds[kinds.index("question") : kinds.index("answer")] == ["question"]
