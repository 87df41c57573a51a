"""A long day of an editor: every request of the protocol, everything that an agent can be made to do, and mistakes."""

import json

from sdk_shapes import PARAMS

ANSWERS = {
    "session/request_permission": lambda asked: {
        "outcome": {"outcome": "selected", "optionId": asked["params"]["options"][0]["optionId"]}
    },
    "fs/read_text_file": {"content": "a\nb"},
    "fs/write_text_file": {},
    "terminal/create": {"terminalId": "t"},
    "terminal/output": {"output": "x", "truncated": False, "exitStatus": {"exitCode": 0}},
    "terminal/wait_for_exit": {"exitCode": 0, "signal": None},
    "terminal/kill": {},
    "terminal/release": {},
    "elicitation/create": {"action": "accept", "content": {"name": "x"}},
    "_example.dev/ask": {"x": [1]},
}
SERVERS = [
    {"name": "tools", "command": "/bin/true", "args": ["-v"], "env": [{"name": "K", "value": "v"}]},
    {"type": "http", "name": "far", "url": "http://127.0.0.1:9/mcp", "headers": [{"name": "A", "value": "b"}]},
    {"type": "sse", "name": "old", "url": "http://127.0.0.1:9/sse", "headers": []},
]
TURNS = [
    "What a morning.",
    "/thought hm\n/plan\n/tool\n/permission Remove it\n/diff a.py",
    "/updates\n/usage",
    "/write a.txt one\n/read a.txt 1 1\n/read /etc/passwd",
    "/run echo hello\n/run-kill sleep 60\n/run false\n/run-forget true\n/run-limit 3 echo hello",
    "/ask-form Who?\n/ask-url",
    '/request _example.dev/ask {"x":1}\n/request no/such\n/notify _example.dev/tell {"x":1}',
    '/after {"sessionUpdate":"usage_update","used":1,"size":2}',
    "/error -32603 No.",
    "/stop refusal",
    "/stop max_tokens",
]


def have_a_day(far, another_folder):
    """Do all of it in a session; its id."""
    far.ask("authenticate", methodId="nobody's")
    far.ask("logout")
    session = _opened(far, another_folder)
    _choose(far, session)
    for turn in TURNS:
        far.prompt(session, turn)
    _show_things(far, session)
    _cancel(far, session)
    _make_mistakes(far, session)
    far.ask("session/close", sessionId=session)
    for method in ("session/load", "session/resume"):
        far.ask(method, sessionId=session, cwd=far.cwd, mcpServers=[])
    return session


def have_another_day(far, session):
    """Continue with the session in a new process, and end it."""
    far.ask("session/load", sessionId=session, cwd=far.cwd, mcpServers=[])
    far.prompt(session, "And on.")
    far.ask("_kiro.dev/session/terminate", sessionId=session)
    far.ask("session/delete", sessionId=session)


def _opened(far, another_folder):
    plain = {"cwd": far.cwd, "mcpServers": SERVERS}
    full = {**plain, "additionalDirectories": [another_folder], "_meta": {"x": 1, "kiro_core": {"agent": "nobody"}}}
    far.ask("session/new", **plain)
    return far.ask("session/new", **full)["result"]["sessionId"]


def _choose(far, session):
    answer = far.ask("session/set_config_option", sessionId=session, configId="agent", value="kiro_default")
    for option in answer["result"]["configOptions"]:
        value = not option["currentValue"] if option["type"] == "boolean" else option["options"][-1]["value"]
        kind = {"type": "boolean"} if option["type"] == "boolean" else {}
        far.ask("session/set_config_option", sessionId=session, configId=option["id"], value=value, **kind)
    far.ask("session/set_config_option", sessionId=session, configId="engine", value="nobody's")
    far.ask("session/set_mode", sessionId=session, modeId="code")
    far.ask("session/set_model", sessionId=session, modelId="rehearsal-2")


def _show_things(far, session):
    resource = {"type": "resource", "resource": {"uri": "file:///w/b.py", "mimeType": "text/x-python", "text": "b"}}
    link = {"type": "resource_link", "uri": "file:///w/a.py", "name": "a.py"}
    image = {"type": "image", "mimeType": "image/png", "data": "AAAA"}
    text = {"type": "text", "text": "/blocks"}
    for blocks in ([text, resource, link], [text, image], [text, {"type": "audio", "mimeType": "x", "data": "AA"}]):
        far.ask("session/prompt", sessionId=session, prompt=blocks, _meta={"x": 1, "kiro_core": {"whenBusy": "queue"}})


def _cancel(far, session):
    far.messages.clear()
    far.begin_turn(session, "/echo asleep\n/sleep 600")
    far.begin_turn(session, "waits", "waiting")
    far.until(lambda: "asleep" in far.text(session))
    far.say({"method": "session/cancel", "params": {"sessionId": session}})
    far.answered("turn")
    far.answered("waiting")
    far.begin_turn(session, "/sleep 600")
    far.say({"method": "$/cancel_request", "params": {"requestId": "turn"}})
    far.answered("turn")


def _make_mistakes(far, session):
    for method in [*PARAMS, "_x/y", "session/fork", "session/set_model"]:
        if method not in ("initialize", "logout", "session/close", "session/delete", "$/cancel_request"):
            far.ask(method)
            far.ask(method, sessionId="nobody", cwd="relative", prompt=[], modelId=7)
    far.ask("_x/y", sessionId=session)
    far.ask("session/list", cursor="nonsense")
    far.write(b"no JSON\n[]\n7\n" + json.dumps({"id": {}, "method": "x"}).encode() + b"\n")
