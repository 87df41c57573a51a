"""An agent's question, put to the person behind the host: by a request of ours, or by a result that wants input."""

from __future__ import annotations

import json
from enum import Enum, auto
from typing import Any

import anyio
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from kiro_mcp.server.tool import Call
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.showing import one_line, shown
from kiro_mcp.service.views import Question

_TITLED_SINCE = "2025-11-25"
"""The first version whose forms name options by `oneOf`; older ones have `enumNames`."""


class Asked(Enum):
    """What became of asking: there is an outcome, the same call has asked before, or the host cannot ask anybody."""

    DONE = auto()
    ALREADY = auto()
    NOT_OFFERED = auto()


class Asking:
    """The questions of one call, each of which is put once."""

    def __init__(self, call: Call, task_id: str) -> None:
        """Ask on behalf of a call that waits for this task."""
        self._call = call
        self._task_id = task_id
        self._put: set[str] = set()
        self._offered = _offers_forms(call)

    async def ask(self, question: Question, left_s: float) -> Asked | InputRequiredResult:
        """Have a person answer, for so long; a result that wants an input is the call's own result."""
        if not self._offered:
            return Asked.NOT_OFFERED
        if question.id in self._put:
            return Asked.ALREADY
        self._put.add(question.id)
        if self._call.ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return self._wanted(question)
        return await self._elicit(question, left_s)

    def _wanted(self, question: Question) -> InputRequiredResult:
        """2026-07-28: the host asks, and calls again with the answer and this state, which nobody else can make."""
        form = ElicitRequestFormParams(message=_message(question), requested_schema=_form(question, _TITLED_SINCE))
        state = json.dumps({"task": self._task_id, "question": question.id})
        return InputRequiredResult(input_requests={question.id: ElicitRequest(params=form)}, request_state=state)

    async def _elicit(self, question: Question, left_s: float) -> Asked:
        """The handshake era: a form of the host's, closed when somebody else was faster."""
        result: ElicitResult | None = None
        offered = True
        with anyio.move_on_after(left_s):
            async with anyio.create_task_group() as tasks:

                async def gone() -> None:
                    await self._call.service.questions.settled(question.id)
                    tasks.cancel_scope.cancel()

                tasks.start_soon(gone)
                try:
                    result = await self._call.ctx.session.elicit_form(
                        _message(question), _form(question, self._call.ctx.protocol_version), self._call.ctx.request_id
                    )
                except (MCPError, ValidationError):
                    offered = False
                tasks.cancel_scope.cancel()
        if result is not None:
            decide(self._call, question.id, result)
        return Asked.DONE if offered else Asked.NOT_OFFERED


def decide(call: Call, question_id: str, result: ElicitResult) -> None:
    """Answer a question as a person did; who neither agreed nor chose has said no.

    One that is not open any more has its outcome, and so has the call that goes on.
    """
    chosen = (result.content or {}).get("decision") if result.action == "accept" else None
    try:
        if isinstance(chosen, str):
            call.service.questions.answer(call.host, question_id, chosen, by_person=True)
            return
    except ToolFailure:
        pass
    call.service.questions.refuse(call.host, question_id)


def resumed(call: Call) -> str:
    """The task for which a call is made again, "" for one that is new; what the host answers is taken.

    The SDK has checked that the state is ours, of the same tool with the same arguments.
    """
    if not call.params.request_state:
        return ""
    state = json.loads(call.params.request_state)
    response = (call.params.input_responses or {}).get(state["question"])
    if isinstance(response, ElicitResult):
        decide(call, state["question"], response)
    return str(state["task"])


def _offers_forms(call: Call) -> bool:
    """Whether the host can show a form; one that says nothing of modes can (2025-06-18)."""
    capabilities = call.ctx.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _message(question: Question) -> str:
    asked = one_line(f"The agent asks before it goes on ({question.tool}): {question.title}")
    return f"{asked}\n\n{shown(question.about)}" if question.about else asked


def _form(question: Question, version: str) -> dict[str, Any]:
    if version >= _TITLED_SINCE:
        titled: dict[str, Any] = {"oneOf": [{"const": one.id, "title": one_line(one.name)} for one in question.options]}
    else:
        titled = {
            "enum": [one.id for one in question.options],
            "enumNames": [one_line(one.name) for one in question.options],
        }
    decision = {"type": "string", "title": "Decision", **titled}
    return {"type": "object", "properties": {"decision": decision}, "required": ["decision"]}
