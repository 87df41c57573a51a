"""The SDK's models as judges of every message that we send."""

from collections import defaultdict
from typing import Any

from acp import schema
from pydantic import TypeAdapter
from sdk_wire import messages
from strictness import checked

PARAMS = {
    "initialize": "InitializeRequest",
    "authenticate": "AuthenticateRequest",
    "logout": "LogoutRequest",
    "session/new": "NewSessionRequest",
    "session/load": "LoadSessionRequest",
    "session/resume": "ResumeSessionRequest",
    "session/list": "ListSessionsRequest",
    "session/close": "CloseSessionRequest",
    "session/delete": "DeleteSessionRequest",
    "session/set_mode": "SetSessionModeRequest",
    "session/set_config_option": "SetSessionConfigOptionSelectRequest",
    "session/prompt": "PromptRequest",
    "session/cancel": "CancelNotification",
    "session/update": "SessionNotification",
    "session/request_permission": "RequestPermissionRequest",
    "fs/read_text_file": "ReadTextFileRequest",
    "fs/write_text_file": "WriteTextFileRequest",
    "terminal/create": "CreateTerminalRequest",
    "terminal/output": "TerminalOutputRequest",
    "terminal/wait_for_exit": "WaitForTerminalExitRequest",
    "terminal/kill": "KillTerminalRequest",
    "terminal/release": "ReleaseTerminalRequest",
    "elicitation/create": "CreateElicitationRequest",
    "elicitation/complete": "CompleteElicitationNotification",
    "$/cancel_request": "CancelRequestNotification",
}
RESULTS = {method: name.removesuffix("Request") + "Response" for method, name in PARAMS.items()} | {
    "session/set_config_option": "SetSessionConfigOptionResponse",
}
BEYOND = {
    # What an agent answers passes as it is: the models of the time before the option `model` are such an answer.
    "session/new result": {"models"},
    "session/load result": {"models", "sessionId"},
    "session/resume result": {"models", "sessionId"},
}
"""Fields that no model has and that pass us all the same; an id among them is ours."""

NEWEST = hasattr(schema, "SessionUpdateNotice")
"""Whether the models are those of the newest schema; older ones rightly drop what is newer than they are."""

TOO_NEW = set() if NEWEST else {"notice", "compaction_update", "compaction_summary_chunk"}

UNNAMED = {"session/set_model"}
"""Methods that no model describes, besides those with an underscore: left out of the protocol, but in use."""


def judge(received, sent):
    """Check all that came from us (`received`) as answers to what was `sent`: the names of what was judged.

    A model forgives much: a wrong value of an optional field becomes its default, an unknown field is
    dropped. So each message also has to come out of the newest model as it went in.
    """
    asked = defaultdict(list)  # some peers give one id to several requests, one behind the other
    for message in messages(sent):
        if "id" in message and "method" in message:
            asked[repr(message["id"])].append(message["method"])
    judged = []
    for line in received.read_bytes().splitlines():
        message = checked(line)
        name, model, body = _subject(message, asked)
        if model is not None:
            known = {key: value for key, value in body.items() if key not in BEYOND.get(name, ())}
            adapter = TypeAdapter(model)
            understood = adapter.validate_python(known)
            told = adapter.dump_python(understood, mode="json", by_alias=True, exclude_unset=True)
            assert told == known or not NEWEST, message
        judged.append(name)
    return judged


def _subject(message, asked):
    """What a message is: its name here, its model or None, and the part that the model describes."""
    if "method" in message:
        return message["method"], _model(PARAMS, message["method"], message), message.get("params")
    waiting = asked[repr(message["id"])]
    method = waiting.pop(0) if waiting else "nothing"
    if "error" in message:
        return f"{method} error", schema.Error, message["error"]
    return f"{method} result", _model(RESULTS, method, message), message["result"]


def _model(names, method, message) -> Any:
    newer = message.get("params", {}).get("update", {}).get("sessionUpdate") in TOO_NEW
    if method.startswith("_") or method in UNNAMED or newer:
        return None
    name = names[method]
    if method == "session/set_config_option" and message.get("params", {}).get("type") == "boolean":
        name = "SetSessionConfigOptionBooleanRequest"
    return getattr(schema, name)
