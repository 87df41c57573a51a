"""Anthropic's messages, which Claude speaks."""

import json

from real.model.script import Answer, Said

ENDS_WITH = ("/messages",)


def read(request):
    """The conversation and the names of the tools."""
    conversation = [said for message in request["messages"] if message["role"] == "user" for said in _said(message)]
    return conversation, [tool["name"] for tool in request.get("tools") or ()]


def _said(message):
    content = message["content"]
    if isinstance(content, str):
        yield Said(content)
        return
    for block in content:
        if block["type"] == "tool_result":
            inner = block.get("content") or ""
            yield Said(inner if isinstance(inner, str) else "".join(b.get("text", "") for b in inner), result=True)
        elif block["type"] == "text":
            yield Said(block["text"])


def stream(answer: Answer):
    """The events of an answer; of one that hangs, those before the end."""
    yield _event("message_start", message=whole(Answer()) | {"content": [], "stop_reason": None})
    for index, block in enumerate(_blocks(answer)):
        empty = {"type": "text", "text": ""} if block["type"] == "text" else block | {"input": {}}
        yield _event("content_block_start", index=index, content_block=empty)
        delta = {"type": "text_delta", "text": answer.text}
        if block["type"] != "text":
            delta = {"type": "input_json_delta", "partial_json": json.dumps(answer.arguments)}
        yield _event("content_block_delta", index=index, delta=delta)
        if answer.hangs:
            return
        yield _event("content_block_stop", index=index)
    ending = {"stop_reason": "tool_use" if answer.tool else "end_turn", "stop_sequence": None}
    yield _event("message_delta", delta=ending, usage={"output_tokens": 1})
    yield _event("message_stop")


def whole(answer: Answer):
    """An answer that is not streamed."""
    return {
        "id": f"msg_{answer.id}",
        "type": "message",
        "role": "assistant",
        "model": "faked",
        "content": list(_blocks(answer)),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _blocks(answer):
    if answer.text:
        yield {"type": "text", "text": answer.text}
    if answer.tool:
        yield {"type": "tool_use", "id": f"toolu_{answer.id}", "name": answer.tool, "input": answer.arguments}


def _event(kind, **body):
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | body)}\n\n".encode()
