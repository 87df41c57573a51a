"""JSON-RPC 2.0 over a byte stream, equal towards editors and agents."""

from kiro_core.rpc.peer import Handler, Peer, Stream
from kiro_core.rpc.pending import Pending
from kiro_core.rpc.wording import CANCELLED, INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND, failure, result

__all__ = [
    "CANCELLED",
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "METHOD_NOT_FOUND",
    "Handler",
    "Peer",
    "Pending",
    "Stream",
    "failure",
    "result",
]
