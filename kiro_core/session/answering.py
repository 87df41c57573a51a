"""What counts as an answer to each kind of question, what says no, and what is recorded of it."""

from __future__ import annotations

from typing import Any, Protocol

from kiro_core import messages
from kiro_core.frames import Frame
from kiro_core.messages import options_of


class Asked(Protocol):
    """A kind of question that an agent asks a person."""

    @property
    def refused(self) -> str:
        """What happens to one that nobody answers, in a word."""
        ...

    def is_answer(self, question: Frame, response: Frame) -> bool:
        """Whether a client's response answers the question."""
        ...

    def refusal(self, question: Frame) -> Frame:
        """The response that says no."""
        ...

    def taken_back(self) -> Frame:
        """The response that says that the turn was cancelled."""
        ...

    def recorded(self, response: Frame) -> dict[str, Any]:
        """What the record keeps of a response."""
        ...


class Permission:
    """ACP `session/request_permission`."""

    refused = "denied"

    def is_answer(self, question: Frame, response: Frame) -> bool:
        """One of the options, or `cancelled`."""
        outcome = response.result.get("outcome")
        if response.failed or not isinstance(outcome, dict):
            return False
        offered = [option.get("optionId") for option in options_of(question)]
        return outcome.get("outcome") == "cancelled" or outcome.get("optionId") in offered

    def refusal(self, question: Frame) -> Frame:
        """Choose the agent's own way to say no, the narrowest first; else `cancelled`."""
        return messages.refuse(question)

    def taken_back(self) -> Frame:
        """As a client must answer when it cancels a turn."""
        return messages.chosen(None)

    def recorded(self, response: Frame) -> dict[str, Any]:
        """The outcome."""
        return {"outcome": response.result.get("outcome")}


class Elicitation:
    """ACP `elicitation/create`."""

    refused = "cancelled"

    def is_answer(self, question: Frame, response: Frame) -> bool:  # noqa: ARG002 - the protocol's signature
        """One of the three actions."""
        return not response.failed and response.result.get("action") in ("accept", "decline", "cancel")

    def refusal(self, question: Frame) -> Frame:  # noqa: ARG002 - the protocol's signature
        """Nobody has said no, so it is not a `decline`."""
        return self.taken_back()

    def taken_back(self) -> Frame:
        """The person is gone or has gone on."""
        return Frame.answer({"action": "cancel"})

    def recorded(self, response: Frame) -> dict[str, Any]:
        """The action and the names of the fields: what was filled in may be a secret."""
        content = response.result.get("content")
        return {"action": response.result.get("action"), "fields": sorted(content) if isinstance(content, dict) else []}


def kind_of(question: Frame) -> Asked:
    """What kind of question it is."""
    return Elicitation() if question.method == "elicitation/create" else Permission()


def chosen(question: Frame, response: Frame) -> dict[str, Any] | None:
    """The option of a permission question that a response chooses."""
    outcome = response.result.get("outcome")
    name = outcome.get("optionId") if isinstance(outcome, dict) else None
    return next((option for option in options_of(question) if name and option.get("optionId") == name), None)
