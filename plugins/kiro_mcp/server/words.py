"""Shapes and texts that several families of tools share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from kiro_mcp.service import Service
from kiro_mcp.service.views import Question

Id = Annotated[str, StringConstraints(strip_whitespace=True)]
"""What names something, as people and models paste it."""

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
    about: str
    options: list[OptionShape]
    asked_at: str


class NoticeShape(TypedDict):
    """What a host is told besides, once; `severity` is "info", "warning" or "error"."""

    kind: str
    message: str
    severity: str


def question_of(question: Question) -> QuestionShape:
    """A question as results have it; `kiro_permission_answer` answers it."""
    return {
        "question_id": question.id,
        "title": question.title,
        "tool": question.tool,
        "about": question.about,
        "options": [{"id": one.id, "name": one.name, "kind": one.kind} for one in question.options],
        "asked_at": question.asked_at,
    }


def notices_of(service: Service, session_id: str) -> list[NoticeShape]:
    """What a session has told and no result has carried yet; this one does."""
    return [
        {"kind": one.kind, "message": one.message, "severity": one.severity} for one in service.notices.take(session_id)
    ]
