"""Gemini's generateContent, which Gemini CLI speaks."""

import json

from real.model.script import Answer, Said

ENDS_WITH = (":streamGenerateContent", ":generateContent")


def read(request):
    """The conversation and the names of the tools."""
    conversation = [
        said for content in request["contents"] if content.get("role") != "model" for said in _said(content)
    ]
    declared = (tool.get("functionDeclarations") or () for tool in request.get("tools") or ())
    return conversation, [function["name"] for functions in declared for function in functions]


def _said(content):
    for part in content["parts"]:
        if "functionResponse" in part:
            yield Said(json.dumps(part["functionResponse"]["response"]), result=True)
        elif "text" in part:
            yield Said(part["text"])


def stream(answer: Answer):
    """The events of an answer; of one that hangs, those before the end."""
    body = whole(answer)
    if answer.hangs:
        del body["candidates"][0]["finishReason"]
    yield b"data: " + json.dumps(body).encode() + b"\n\n"


def whole(answer: Answer):
    """An answer that is not streamed."""
    parts = [{"text": answer.text}] if answer.text else []
    if answer.tool:
        parts.append({"functionCall": {"name": answer.tool, "args": answer.arguments}})
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 2}}
