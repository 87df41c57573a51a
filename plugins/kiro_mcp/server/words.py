"""Shapes and texts that several families of tools share."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.views import Question

SESSION: Any = Field(default="", description="The session; without it the active one.")


class OptionShape(TypedDict):
    """One answer to a question."""

    id: str
    name: str
    kind: str


class QuestionShape(TypedDict):
    """What an agent waits for."""

    question_id: str
    title: str
    tool: str
    options: list[OptionShape]
    asked_at: str


class FailureShape(TypedDict):
    """A failure, in the one shape of all."""

    code: str
    message: str
    details: dict[str, Any]
    hint: str


def question_of(question: Question) -> QuestionShape:
    """A question as results have it; `kiro_permission_answer` answers it."""
    return {
        "question_id": question.id,
        "title": question.title,
        "tool": question.tool,
        "options": [{"id": one.id, "name": one.name, "kind": one.kind} for one in question.options],
        "asked_at": question.asked_at,
    }


def failure_shape(failure: ToolFailure) -> FailureShape:
    """A failure as part of a result that tells of it without being one."""
    return {"code": failure.code, "message": failure.sentence, "details": failure.details, "hint": failure.hint}
