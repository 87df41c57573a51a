"""The SDK's models as judges of every message that we send."""

from acp import schema
from pydantic import Field
from sdk_wire import messages


class Loaded(schema.LoadSessionResponse):
    """Some agents add the session's id to this answer; an unknown field passes us, but an id must be ours."""

    session_id: str | None = Field(default=None, alias="sessionId")


PARAMS = {
    "initialize": schema.InitializeRequest,
    "session/new": schema.NewSessionRequest,
    "session/load": schema.LoadSessionRequest,
    "session/resume": schema.ResumeSessionRequest,
    "session/prompt": schema.PromptRequest,
    "session/cancel": schema.CancelNotification,
    "session/update": schema.SessionNotification,
    "session/request_permission": schema.RequestPermissionRequest,
    "$/cancel_request": schema.CancelRequestNotification,
}
RESULTS = {
    "initialize": schema.InitializeResponse,
    "session/new": schema.NewSessionResponse,
    "session/load": Loaded,
    "session/list": schema.ListSessionsResponse,
    "session/close": schema.CloseSessionResponse,
    "session/prompt": schema.PromptResponse,
    "session/request_permission": schema.RequestPermissionResponse,
}


def judge(folder):
    """Check what the SDK `received` from us: the methods and results that were judged.

    A model forgives much: a wrong value of an optional field becomes its default, an unknown field is
    dropped. So each message also has to come out of its model as it went in.
    """
    requests = [message for message in messages(folder / "sent") if "id" in message and "method" in message]
    asked = {request["id"]: request["method"] for request in requests}
    judged = []
    for message in messages(folder / "received"):
        name, model, body = _subject(message, asked)
        understood = model.model_validate(body)
        assert understood.model_dump(mode="json", by_alias=True, exclude_unset=True) == body, message
        judged.append(name)
    return judged


def _subject(message, asked):
    """What a message is: its name here, its model, and the part that the model describes."""
    assert message["jsonrpc"] == "2.0"
    if "method" in message:
        return message["method"], PARAMS[message["method"]], message["params"]
    method = asked[message["id"]]
    if "error" in message:
        return f"{method} error", schema.Error, message["error"]
    return f"{method} result", RESULTS[method], message["result"]
