"""JSON-RPC 2.0 over a byte stream, equal towards editors and agents."""

from kiro_core.rpc.attending import speaking
from kiro_core.rpc.peer import Handler, Peer, Stream
from kiro_core.rpc.pending import Pending
from kiro_core.rpc.remote import Caller, RemoteAgent, RemoteClient, RemoteTurn
from kiro_core.rpc.verbs import answer, told
from kiro_core.rpc.wording import CANCELLED, INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND, failure, raised, result

__all__ = [
    "CANCELLED",
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "METHOD_NOT_FOUND",
    "Caller",
    "Handler",
    "Peer",
    "Pending",
    "RemoteAgent",
    "RemoteClient",
    "RemoteTurn",
    "Stream",
    "answer",
    "failure",
    "raised",
    "result",
    "speaking",
    "told",
]
