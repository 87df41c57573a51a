"""Resources that are static, made from a template, and watched."""

import json
import re

import mcp_types as types

from official.fixture import PIXEL

WATCHED = "test://watched-resource"
TEMPLATE = types.ResourceTemplate(
    name="template", uri_template="test://template/{id}/data", description="Data by id.", mime_type="application/json"
)
RESOURCES = [
    types.Resource(name="text", uri="test://static-text", description="A text.", mime_type="text/plain"),
    types.Resource(name="picture", uri="test://static-binary", description="A pixel.", mime_type="image/png"),
    types.Resource(name="watched", uri=WATCHED, description="A text that may change.", mime_type="text/plain"),
]
_FROM_TEMPLATE = re.compile(r"test://template/([^/]+)/data")


def reader_of(params):
    """Which of `READERS` a request to read is for."""
    return TEMPLATE.name if _FROM_TEMPLATE.fullmatch(params.uri) else params.uri


async def _text(context, params):
    return _read(types.TextResourceContents(uri=params.uri, mime_type="text/plain", text=f"The text of {params.uri}."))


async def _picture(context, params):
    return _read(types.BlobResourceContents(uri=params.uri, mime_type="image/png", blob=PIXEL))


async def _templated(context, params):
    number = _FROM_TEMPLATE.fullmatch(params.uri)[1]
    text = json.dumps({"id": number, "templateTest": True, "data": f"Data for ID: {number}"})
    return _read(types.TextResourceContents(uri=params.uri, mime_type="application/json", text=text))


def _read(contents):
    return types.ReadResourceResult(contents=[contents])


READERS = {
    "test://static-text": _text,
    "test://static-binary": _picture,
    WATCHED: _text,
    TEMPLATE.name: _templated,
}
