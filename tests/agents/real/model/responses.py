"""OpenAI's responses, which Codex speaks."""

import json

from real.model.chat import text
from real.model.script import Answer, Said

ENDS_WITH = ("/responses",)


def read(request):
    """The conversation and the names of the tools."""
    conversation = []
    for item in request["input"]:
        if item["type"] == "function_call_output":
            conversation.append(Said(text(item["output"]), result=True))
        elif item["type"] == "message" and item["role"] == "user":
            conversation.append(Said(text(item["content"])))
    return conversation, [tool["name"] for tool in request.get("tools") or () if "name" in tool]


def stream(answer: Answer):
    """The events of an answer; of one that hangs, those before the end."""
    yield _event("response.created", response={"id": f"resp_{answer.id}"})
    for index, item in enumerate(_items(answer)):
        started = item | ({"content": []} if item["type"] == "message" else {})
        yield _event("response.output_item.added", output_index=index, item=started)
        if item["type"] == "message":
            yield _event(
                "response.output_text.delta", item_id=item["id"], output_index=index, content_index=0, delta=answer.text
            )
        if answer.hangs:
            return
        yield _event("response.output_item.done", output_index=index, item=item)
    yield _event("response.completed", response=whole(answer))


def whole(answer: Answer):
    """An answer that is not streamed."""
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    return {
        "id": f"resp_{answer.id}",
        "object": "response",
        "status": "completed",
        "output": list(_items(answer)),
        "usage": usage,
    }


def _items(answer):
    if answer.text:
        content = [{"type": "output_text", "text": answer.text}]
        yield {"type": "message", "id": f"msg_{answer.id}", "role": "assistant", "content": content}
    if answer.tool:
        call = {"name": answer.tool, "arguments": json.dumps(answer.arguments)}
        yield {"type": "function_call", "id": f"fc_{answer.id}", "call_id": answer.id, **call}


def _event(kind, **body):
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | body)}\n\n".encode()
