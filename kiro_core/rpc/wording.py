"""Turn exceptions into JSON-RPC error objects and back, in one place for every connection."""

from __future__ import annotations

from typing import Any

from kiro_core.errors import KiroError, RpcError
from kiro_core.frames import Frame, Head

METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
CANCELLED = -32800

_KINDS = {kind.code: kind for kind in KiroError.__subclasses__() if kind is not RpcError}


def failure(error: Exception) -> Frame:
    """The JSON-RPC response for an exception: a sentence for a person, a stable code for programs.

    `data` is `{code, hint, ...details}` for our errors and the peer's own data for an `RpcError`.
    """
    if isinstance(error, RpcError):
        return Frame.failure(error.number, str(error), error.data)
    if isinstance(error, KiroError):
        data = {"code": error.code, "hint": error.hint, **error.details}
        return Frame.failure(error.rpc, f"{error} {error.hint}".rstrip(), data)
    return Frame.failure(INTERNAL_ERROR, "Something failed here; the log has the details.", {"code": "INTERNAL"})


def raised(response: Frame) -> Frame:
    """A response, unless it is one of our own errors from another desk, which is raised again as what it was there.

    Raises:
        KiroError: of the class whose `code` stands in the error's data.

    """
    data = response.error.get("data") if response.failed else None
    code = data.get("code") if isinstance(data, dict) else None
    kind = _KINDS.get(code) if isinstance(code, str) else None
    if not isinstance(data, dict) or kind is None:
        return response
    hint = str(data.get("hint", ""))
    error = kind(str(response.error.get("message", "")).removesuffix(hint).rstrip(), hint=hint)
    error.details = {key: value for key, value in data.items() if key not in ("code", "hint")}
    raise error


def exact(response: Frame) -> Frame:
    """A response as JSON-RPC 2.0 section 5 wants it: a result or an error, and of an error a number and a sentence.

    What another peer answered may be passed on, and not every peer is exact.
    """
    told, given = response.text_at("error"), response.text_at("result")
    versioned = response.text_at("jsonrpc") == b'"2.0"'
    if told is None and given is not None and versioned:
        return response
    if given is not None and not response.error:
        return Frame(b'{"jsonrpc":"2.0","id":null,"result":%b}' % given, Head(id=b"null"))
    error = response.error
    number, sentence = error.get("code"), error.get("message")
    if versioned and given is None and type(number) is int and isinstance(sentence, str):
        return response
    number = number if type(number) is int else INTERNAL_ERROR
    sentence = sentence if isinstance(sentence, str) else "The agent failed and gave no reason."
    return Frame.failure(number, sentence, error.get("data"))


def result(response: Frame, what: str) -> dict[str, Any]:
    """The result of a response.

    Raises:
        RpcError: the response is an error; the sentence says that `what` was refused and why.

    """
    if response.failed:
        error = response.error
        number = error.get("code")
        sentence = f"{what}: {_reason(error)}"
        raise RpcError(number if isinstance(number, int) else INTERNAL_ERROR, sentence, data=error.get("data"))
    return response.result


def _reason(error: dict[str, Any]) -> str:
    """The peer's message, and its data where that is text: many agents hide the reason there."""
    message, data = str(error.get("message") or "no reason given"), error.get("data")
    details = data.get("details") if isinstance(data, dict) else data
    told = isinstance(details, str) and details and details not in message
    return f"{message}: {details}" if told else message
