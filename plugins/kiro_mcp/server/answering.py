"""The tool with which a host decides for its person what an agent may do: `kiro_permission_answer`."""

from __future__ import annotations

from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.tool import Answer, Arguments, Call, Tool
from kiro_mcp.server.words import Id


class AnswerArguments(Arguments):
    """Of `kiro_permission_answer`."""

    question_id: Id = Field(min_length=1, description="Of the question in a result.")
    option_id: Id = Field(min_length=1, description="One of its options.")


class AnswerResult(TypedDict):
    """Of `kiro_permission_answer`."""

    success: bool
    question_id: str
    option_id: str
    session_id: str


async def _answer(call: Call, given: AnswerArguments) -> Answer:
    question = call.service.questions.answer(call.host, given.question_id, given.option_id)
    result: AnswerResult = {
        "success": True,
        "question_id": question.id,
        "option_id": given.option_id,
        "session_id": question.session_id,
    }
    return result


ANSWER = Tool(
    name="kiro_permission_answer",
    title="Answer an agent's question",
    description="Allow or refuse what an agent asks for in `question`. Ask the user first.",
    takes=AnswerArguments,
    gives=AnswerResult,
    run=_answer,
    destroys=True,
    open_world=True,
)
