"""Tools and a prompt that need input, and get it by the client's next try, as servers do since 2026-07-28."""

import mcp_types as types
from mcp.shared.exceptions import MCPError

from official.fixture import Fixture, said, strings, tool, words

_CONFIRM = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


def _form(message, schema):
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))


def _sample(text, tokens=100):
    message = types.SamplingMessage(role="user", content=words(text))
    return types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=[message], max_tokens=tokens))


NAME = {"user_name": _form("What is your name?", strings("name"))}
CAPITAL = {"capital_question": _sample("What is the capital of France?")}
ROOTS = {"client_roots": types.ListRootsRequest()}
GREETING = {"greeting": _sample("Generate a greeting", 50)}
CONFIRM = {"confirm": _form("Please confirm", _CONFIRM)}
CONTEXT = {"user_context": _form("What context should the prompt use?", strings("context"))}
STEPS = (
    {"step1": _form("Step 1: What is your name?", strings("name"))},
    {"step2": _form("Step 2: What is your favorite color?", strings("color"))},
)


def _needing(requests, done, *, state=None):
    """An answer that needs these requests answered; `done` makes the result of the responses."""

    async def answer(context, params):
        given = params.input_responses or {}
        if not requests.keys() <= given.keys():
            return types.InputRequiredResult(input_requests=requests, request_state=state)
        if params.request_state != state:
            raise MCPError(types.INVALID_PARAMS, "This is not the state that was given.")
        return done(given)

    return answer


async def _in_two_steps(context, params):
    given, step = params.input_responses or {}, int(params.request_state or 0)
    if step == 0 or STEPS[step - 1].keys() <= given.keys():
        step += 1
    if step > len(STEPS):
        return said("Both steps are done.")
    return types.InputRequiredResult(input_requests=STEPS[step - 1], request_state=str(step))


async def _by_capability(context, params):
    offered = context.session.client_capabilities
    requests = (NAME if offered.elicitation is not None else {}) | (CAPITAL if offered.sampling is not None else {})
    if not requests:
        return said("The client offers nothing.")
    return types.InputRequiredResult(input_requests=requests)


def _prompted(given):
    text = f"Answer in this context: {given['user_context'].content}"
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=words(text))])


def _confirmed(given):
    return said("state-ok")


_NAMES = "test_input_required_result_"
TOOLS = {
    **tool(f"{_NAMES}elicitation", _needing(NAME, lambda given: said(f"Hello, {given['user_name'].content['name']}!"))),
    **tool(
        f"{_NAMES}sampling",
        _needing(CAPITAL, lambda given: types.CallToolResult(content=[given["capital_question"].content])),
    ),
    **tool(
        f"{_NAMES}list_roots", _needing(ROOTS, lambda given: said(*(str(r.uri) for r in given["client_roots"].roots)))
    ),
    **tool(f"{_NAMES}request_state", _needing(CONFIRM, _confirmed, state="confirming")),
    **tool(f"{_NAMES}tampered_state", _needing(CONFIRM, _confirmed, state="confirming")),
    **tool(f"{_NAMES}multiple_inputs", _needing({**NAME, **GREETING, **ROOTS}, _confirmed, state="all")),
    **tool(f"{_NAMES}multi_round", _in_two_steps),
    **tool(f"{_NAMES}capabilities", _by_capability),
}
PROMPT = types.Prompt(name=f"{_NAMES}prompt", description="A prompt that asks first.")
PROMPTS = {PROMPT.name: Fixture(PROMPT, _needing(CONTEXT, _prompted))}
