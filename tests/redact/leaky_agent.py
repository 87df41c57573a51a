"""An agent program that says a secret in every way that there is, and writes what it is told to its folder."""

import hashlib
import json
import os
import sys
from itertools import count
from pathlib import Path

IDS = count(1)


def secret(name):
    """A token that no two tests share: who leaks it is known by its name."""
    return "ghp_" + hashlib.sha256(name.encode()).hexdigest()[:36]


def write(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say(**message):
    write(json.dumps({"jsonrpc": "2.0", **message}))


def notify(method, **params):
    say(method=method, params={"sessionId": "s", **params})


def update(which, **body):
    notify("session/update", update={"sessionUpdate": which, **body})


def stream(text, kind="agent_message_chunk"):
    for at in range(0, len(text), 3):
        update(kind, content={"type": "text", "text": text[at : at + 3]})


def ask(method, **params):
    """Ask the client, and keep the answer."""
    number = next(IDS)
    say(id=number, method=method, params={"sessionId": "s", **params})
    answer = json.loads(sys.stdin.readline())
    keep(method, answer)
    return answer.get("result") or {}


def keep(name, value):
    with Path("told.jsonl").open("a") as file:
        file.write(json.dumps([name, value]) + "\n")


def leak():
    stream(f"The key is {secret('message')}, really. ")
    stream(f"Do not say {secret('thought')}! ", "agent_thought_chunk")
    stream(f"You said {secret('user')}. ", "user_message_chunk")
    text = {"type": "content", "content": {"type": "text", "text": secret("content")}}
    edit = {"type": "diff", "path": "/a.env", "oldText": f"A={secret('old')}\n", "newText": f"A={secret('new')}\n"}
    given = {"command": f"curl -H 'X: {secret('command')}'", "password": "correcthorse", "list": [secret("list")]}
    update("tool_call", toolCallId="t1", title=f"Use {secret('title')}", status="pending", kind="other", rawInput=given)
    update("tool_call_update", toolCallId="t1", status="in_progress", content=[text, edit])
    update("tool_call_update", toolCallId="t1", status="completed", rawOutput={"stdout": secret("output")})
    update("plan", entries=[{"content": f"rotate {secret('plan')}", "priority": "high", "status": "pending"}])
    update("session_info_update", title=f"About {secret('session title')}")
    update("available_commands_update", availableCommands=[{"name": "x", "description": secret("described")}])
    update("a_kind_of_tomorrow", deep={"er": [{"x": secret("unknown update")}]})
    notify("_x/told", key=secret("extension"))
    write(f"DEBUG {secret('noise')}")
    write(json.dumps([secret("batch")]))
    write(f'{{"method":"_x/odd","params":{{"sessionId":"s","n":NaN,"t":"{secret("lenient")}"}}}}')
    permission()
    terminal()
    ask("fs/write_text_file", path=str(Path("written.env").resolve()), content=f"A={secret('written')}\n")
    ask("_x/question", about=secret("asked"))
    form = {"type": "object", "properties": {"pin": {"type": "string", "title": secret("field")}}}
    ask("elicitation/create", mode="form", message=f"Is it {secret('form')}?", requestedSchema=form)
    stream(f"Bye: {secret('last')}")


def permission():
    call = {"toolCallId": "t2", "title": f"Run {secret('question')}", "kind": "execute", "status": "pending"}
    options = [{"optionId": "yes", "name": f"Yes, {secret('option')}", "kind": "allow_once"}]
    given = {"command": f"echo {secret('judged')}"}
    ask("session/request_permission", toolCall={**call, "rawInput": given}, options=options)


def terminal():
    program = f"print('{secret('printed')}'); print('key', '{secret('printed too')}')"
    made = ask(
        "terminal/create", command=sys.executable, args=["-c", program], env=[{"name": "K", "value": secret("env")}]
    )
    named = {"terminalId": made["terminalId"]}
    shown = [{"type": "terminal", **named}]
    update("tool_call", toolCallId="t3", title="Run", kind="execute", status="in_progress", content=shown)
    for method in ("wait_for_exit", "output", "release"):
        ask(f"terminal/{method}", **named)
    update("tool_call_update", toolCallId="t3", status="completed")


def answer(asked):
    """The result or the error of a request."""
    text = "".join(block.get("text", "") for block in (asked.get("params") or {}).get("prompt", ()))
    if "crash" in text:
        sys.stderr.write(f"Traceback: no {secret('stderr')}\n")
        sys.stderr.flush()
        os._exit(3)
    if "fail" in text:
        return {"error": {"code": -32603, "message": f"No {secret('error')}.", "data": {"why": secret("error data")}}}
    if "leak" in text:
        leak()
    results = {
        "initialize": {"protocolVersion": 1, "agentInfo": {"name": "leaky", "title": secret("agent"), "version": "1"}},
        "session/new": {"sessionId": "s", "_meta": {"key": secret("opening")}},
        "session/prompt": {"stopReason": "end_turn", "_meta": {"key": secret("outcome")}},
    }
    return {"result": results.get(asked["method"], {})}


def main():
    """Answer what is asked until stdin ends."""
    for line in sys.stdin:
        asked = json.loads(line)
        keep(asked.get("method"), asked.get("params"))
        if "id" in asked and "method" in asked:
            say(id=asked["id"], **answer(asked))


if __name__ == "__main__":
    main()
