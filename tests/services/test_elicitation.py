"""`elicitation/create`: shown by a client that offers it, always answered, and recorded without what was filled in."""

import anyio
import pytest

from kiro_core.errors import Disconnected
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient

FORM = {"mode": "form", "message": "Who?", "requestedSchema": {"type": "object", "properties": {"pin": {}}}}


async def answer(room):
    (item,) = room.entries("answer")
    return item.value


def giving(result):
    async def give(_):
        return Frame.answer(result)

    return give


async def never(_):
    await anyio.sleep_forever()


async def gone(_):
    raise Disconnected("gone")


async def test_the_answer_reaches_the_agent_and_the_record_has_the_names_of_its_fields(opened, able):
    filled = {"action": "accept", "content": {"pin": "1234", "a": True}}
    client = able("elicitation-form", answer=giving(filled))
    async with opened(client) as room:
        assert await room.ask("elicitation/create", **FORM, toolCallId="t") == filled
    (question,) = client.questions
    assert question.session == "ours"
    assert question.params["requestedSchema"] == FORM["requestedSchema"]
    assert await answer(room) == {"toolCallId": "t", "action": "accept", "fields": ["a", "pin"], "by": "client"}
    assert "1234" not in str(room.log.bodies)


async def test_a_mode_that_is_left_out_is_a_form(opened, able):
    async with opened(able("elicitation-form", answer=giving({"action": "decline"}))) as room:
        assert await room.ask("elicitation/create", message="?") == {"action": "decline"}
    assert (await answer(room))["fields"] == []


async def test_what_the_client_does_not_offer_is_refused(opened, able):
    async with opened(RecordingClient()) as room:
        refused = await room.refused("elicitation/create", **FORM)
        assert refused == (-32601, "The client does not offer elicitation/create.")
    async with opened(able("elicitation-url")) as room:
        refused = await room.refused("elicitation/create", **FORM)
        assert refused == (-32602, "The client does not offer the mode 'form' of elicitation/create.")


@pytest.mark.parametrize(
    ("reply", "by"),
    [
        (gone, "client gone"),
        (giving({"action": "shrug"}), "no valid answer"),
        (giving({"outcome": {"outcome": "cancelled"}}), "no valid answer"),
    ],
)
async def test_without_a_valid_answer_it_is_cancelled(opened, able, reply, by):
    async with opened(able("elicitation-form", answer=reply)) as room:
        assert await room.ask("elicitation/create", **FORM) == {"action": "cancel"}
    assert (await answer(room))["by"] == by


async def test_with_nobody_attached_it_is_cancelled(opened):
    async with opened(None) as room:
        assert await room.ask("elicitation/create", **FORM) == {"action": "cancel"}
    assert (await answer(room))["by"] == "nobody to ask"


async def test_after_its_deadline_it_is_cancelled_and_told(opened, able):
    async with opened(able("elicitation-form", answer=never), question_s=0.01) as room:
        assert await room.ask("elicitation/create", **FORM) == {"action": "cancel"}
    (notice,) = room.notices
    assert notice.sentence == "A question of the agent was not answered within 0.01 s and was cancelled."


async def test_a_cancelled_turn_cancels_it(opened, able):
    client = able("elicitation-form", answer=never)
    async with opened(client) as room, anyio.create_task_group() as tasks:

        async def cancel():
            await client.until(lambda c: c.questions)
            room.questions.cancel()

        tasks.start_soon(cancel)
        assert await room.ask("elicitation/create", **FORM) == {"action": "cancel"}
    assert (await answer(room))["by"] == "turn cancelled"


async def test_one_about_a_request_of_ours_is_shown_as_one_about_the_session(opened, able):
    client = able("elicitation-url", answer=giving({"action": "accept"}))
    async with opened(client) as room:
        params = {"requestId": 3, "mode": "url", "message": "Log in", "url": "https://x.test", "elicitationId": "e"}
        response = await room.services.request(Frame.of("elicitation/create", params, id=1))
        assert response.result == {"action": "accept"}
    del params["requestId"]
    assert client.questions[0].params == {"sessionId": "ours", **params}
