"""OpenAI's chat completions, which most agents speak to a model of one's own."""

import json

from real.model.script import Answer, Said

ENDS_WITH = ("/chat/completions",)


def read(request):
    """The conversation and the names of the tools."""
    conversation = [
        Said(text(m.get("content")), m["role"] == "tool") for m in request["messages"] if m["role"] in {"user", "tool"}
    ]
    return conversation, [tool["function"]["name"] for tool in request.get("tools") or () if "function" in tool]


def text(content):
    """What is written in a content, which is text or a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content or ())


def stream(answer: Answer):
    """The events of an answer; of one that hangs, those before the end."""
    if answer.text:
        yield _chunk(answer, {"role": "assistant", "content": answer.text})
    if answer.tool:
        function = {"name": answer.tool, "arguments": json.dumps(answer.arguments)}
        yield _chunk(
            answer,
            {
                "role": "assistant",
                "tool_calls": [{"index": 0, "id": answer.id, "type": "function", "function": function}],
            },
        )
    if not answer.hangs:
        yield _chunk(answer, {}, "tool_calls" if answer.tool else "stop")
        yield b"data: [DONE]\n\n"


def whole(answer: Answer):
    """An answer that is not streamed."""
    message = {"role": "assistant", "content": answer.text}
    return _envelope(answer, "chat.completion", {"index": 0, "message": message, "finish_reason": "stop"})


def _chunk(answer, delta, reason=None):
    body = _envelope(answer, "chat.completion.chunk", {"index": 0, "delta": delta, "finish_reason": reason})
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _envelope(answer, kind, choice):
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {
        "id": f"chat-{answer.id}",
        "object": kind,
        "created": 1,
        "model": "faked",
        "choices": [choice],
        "usage": usage,
    }
