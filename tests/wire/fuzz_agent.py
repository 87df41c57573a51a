"""An agent that writes the bytes that a prompt tells it to, and reports what it was answered.

The prompt `/write BASE64 COUNT` makes it write these bytes to its stdout; once so many answers have come
it ends the turn, with the lines of the answers in `_meta.heard`, and then answers the prompt once more.
It takes whatever JSON text it gets, as agents on node.js do.
"""

import json
import sys
from base64 import b64decode, b64encode

MODES = {"currentModeId": "ask", "availableModes": [{"id": "ask", "name": "Ask"}, {"id": "code", "name": "Code"}]}
MODELS = {"currentModelId": "m1", "availableModels": [{"modelId": "m1", "name": "M 1"}, {"modelId": "m2"}]}
ANSWERS = {
    "initialize": {
        "protocolVersion": 1,
        "agentCapabilities": {"loadSession": True, "sessionCapabilities": {"resume": {}}, "auth": {"logout": {}}},
        "authMethods": [{"id": "x", "name": "X"}],
    },
    "session/new": {"sessionId": "theirs", "modes": MODES, "models": MODELS},
    "authenticate": {},
    "logout": {},
    "session/load": {},
    "session/resume": {},
    "session/set_mode": {},
    "session/set_model": {},
}
waiting, heard = {}, []


def say(**message):
    """Write one message."""
    write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


def write(data):
    """Write bytes as they are."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def prompted(id_, text):
    """Do what a prompt says."""
    if text.startswith("/write "):
        _, data, count = text.split()
        waiting.update(id=id_, count=int(count))
        write(b64decode(data))
    else:
        say(id=id_, result={"stopReason": "end_turn"})


def settle():
    """End the turn once all answers are there."""
    if waiting and len(heard) >= waiting["count"]:
        result = {"stopReason": "end_turn", "_meta": {"heard": [b64encode(line).decode() for line in heard]}}
        say(id=waiting["id"], result=result)
        say(id=waiting["id"], error={"code": -1, "message": "This comes too late."})
        waiting.clear()
        heard.clear()


for line in sys.stdin.buffer:
    message = json.loads(line.decode(errors="replace"), parse_int=lambda digits: int(digits[:4000]))
    method, id_ = message.get("method"), message.get("id")
    if method is None:
        heard.append(line.rstrip(b"\n"))
    elif method == "session/prompt":
        params = message["params"]
        prompted(id_, next((block["text"] for block in params["prompt"] if isinstance(block.get("text"), str)), ""))
    elif "id" in message and method in ANSWERS:
        say(id=id_, result=ANSWERS[method])
    elif "id" in message:
        say(id=id_, error={"code": -32601, "message": "This agent knows no such method."})
    settle()
