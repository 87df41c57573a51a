"""Tools that ask the client in mid-call, as servers of the handshake era do."""

import mcp_types as types
from mcp.shared.message import ServerMessageMetadata

from official.fixture import NO_INPUT, said, strings, tool, words

_DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
_CHOICES = ["option1", "option2", "option3"]
_TITLED = [{"const": f"value{number}", "title": f"{which} Option"} for number, which in enumerate(("First", "Second"))]
_ENUMS = {
    "untitledSingle": {"type": "string", "enum": _CHOICES},
    "titledSingle": {"type": "string", "oneOf": _TITLED},
    "legacyEnum": {
        "type": "string",
        "enum": ["opt1", "opt2", "opt3"],
        "enumNames": ["Option One", "Option Two", "Option Three"],
    },
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": _CHOICES}},
    "titledMulti": {"type": "array", "items": {"anyOf": _TITLED}},
}


async def _sampling(context, params):
    message = types.SamplingMessage(role="user", content=words(params.arguments["prompt"]))
    request = types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=[message], max_tokens=100))
    related = ServerMessageMetadata(related_request_id=context.request_id)
    answer = await context.session.send_request(request, types.CreateMessageResult, metadata=related)
    return said(f"LLM response: {answer.content.text}")


async def _elicitation(context, params):
    return await _elicited(context, params.arguments["message"], strings("username", "email"))


async def _defaults(context, params):
    return await _elicited(context, "Please confirm.", {"type": "object", "properties": _DEFAULTS})


async def _enums(context, params):
    return await _elicited(context, "Please choose.", {"type": "object", "properties": _ENUMS})


async def _elicited(context, message, schema):
    answer = await context.session.elicit_form(message, schema, context.request_id)
    return said(f"Elicitation completed: action={answer.action}, content={answer.content}")


TOOLS = {
    **tool("test_sampling", _sampling, strings("prompt")),
    **tool("test_elicitation", _elicitation, strings("message")),
    **tool("test_elicitation_sep1034_defaults", _defaults, NO_INPUT),
    **tool("test_elicitation_sep1330_enums", _enums, NO_INPUT),
}
