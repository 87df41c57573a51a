"""Tools that answer at once, with every kind of content that there is."""

import base64
import struct

import mcp_types as types

from official.fixture import PIXEL, said, tool, words

SILENCE = base64.b64encode(
    b"RIFF" + struct.pack("<I4s4sIHHIIHH4sI", 36, b"WAVE", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", 0)
).decode()
"""A WAV without a sample."""


def _resource(uri, kind, text):
    contents = types.TextResourceContents(uri=uri, mime_type=kind, text=text)
    return types.EmbeddedResource(type="resource", resource=contents)


IMAGE = types.ImageContent(type="image", data=PIXEL, mime_type="image/png")
AUDIO = types.AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")
JSON = _resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
PLAIN = _resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def _always(*content, failed=False):
    async def answer(context, params):
        return types.CallToolResult(content=list(content), is_error=failed)

    return answer


async def _with_progress(context, params):
    for progress in (0, 50, 100):
        await context.session.report_progress(progress, 100)
    return said("The work is done.")


async def _with_logging(context, params):
    for told in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        logged = types.LoggingMessageNotificationParams(level="info", data=told)
        await context.session.send_notification(
            types.LoggingMessageNotification(params=logged), related_request_id=context.request_id
        )
    return said("The work is done.")


TOOLS = {
    **tool("test_simple_text", _always(words("This is a simple text response for testing."))),
    **tool("test_image_content", _always(IMAGE)),
    **tool("test_audio_content", _always(AUDIO)),
    **tool("test_embedded_resource", _always(PLAIN)),
    **tool("test_multiple_content_types", _always(words("Multiple content types test:"), IMAGE, JSON)),
    **tool("test_error_handling", _always(words("This tool intentionally returns an error for testing"), failed=True)),
    **tool("test_tool_with_progress", _with_progress),
    **tool("test_tool_with_logging", _with_logging),
    **tool("json_schema_2020_12_tool", _always(words("The schema is what counts.")), SCHEMA),
}
