"""A small agent that does in each request what its one argument says, for misbehaviour that nobody would ship.

The argument is a JSON object of Python code: `initialize`, `new` and `prompt` run before that request is
answered, `opened` after `session/new` was; any other method under its own name (`authenticate`, `_x/y`).
All code shares one namespace: `answers[METHOD]` is what it answers, `got` what it was sent (params, by
method), and `refuse(...)` answers with an error instead. Its session is called `s`.
"""

import json
import os
import signal
import sys
import time

CODE = json.loads(sys.argv[1])
ANSWERS = {
    "initialize": {"protocolVersion": 1},
    "session/new": {"sessionId": "s"},
    "session/prompt": {"stopReason": "end_turn"},
}


def say(**message):
    """Write one message."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def refuse(code, message, **data):
    """Answer what is being asked with an error."""
    say(id=shared["asked"]["id"], error={"code": code, "message": message, "data": data})
    shared["asked"].pop("id")


def update(**body):
    """Send an update of the session."""
    say(method="session/update", params={"sessionId": "s", "update": body})


def tell(text):
    """Say some text."""
    update(sessionUpdate="agent_message_chunk", content={"type": "text", "text": text})


shared = {"json": json, "os": os, "signal": signal, "sys": sys, "time": time, "answers": ANSWERS, "got": {}}
shared.update(say=say, update=update, tell=tell, refuse=refuse)


def main():
    """Answer what is asked until stdin ends."""
    for line in sys.stdin:
        shared["asked"] = json.loads(line)
        method = shared["asked"].get("method", "")
        shared["got"][method] = shared["asked"].get("params")
        if method == "session/new":
            shared["opening"] = shared["asked"]["params"]
        exec(CODE.get(method.removeprefix("session/"), ""), shared)
        if method and "id" in shared["asked"]:
            say(id=shared["asked"]["id"], result=ANSWERS.get(method, {}))
        if method == "session/new":
            exec(CODE.get("opened", ""), shared)


if __name__ == "__main__":
    main()
