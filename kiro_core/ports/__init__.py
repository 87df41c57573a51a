"""The verbs: what each kind of plugin, and each side of the desk, can be asked.

Protocols: nothing has to be inherited (what only passes on, `PassingAgent` and its like, may be).
Messages are ACP version 1 in shape whatever the wire speaks (a wire or face translates); each verb
takes the request's `Frame`, so that nothing is re-encoded and no unknown field is lost, and answers
with a response `Frame` whose JSON-RPC id the caller replaces by its own.
"""

from kiro_core.ports.desk import Attachable, Desk
from kiro_core.ports.machines import Face, Launcher, Process, Wire
from kiro_core.ports.middleware import Layer, Middleware
from kiro_core.ports.passing import PassingAgent, PassingClient, PassingLayer, PassingTurn
from kiro_core.ports.stores import AgentSource, SessionDb, SessionStore
from kiro_core.ports.talking import Agent, Client, Turn
from kiro_core.ports.tools import ByteStream, OwnCrew, ToolServer

__all__ = [
    "Agent",
    "AgentSource",
    "Attachable",
    "ByteStream",
    "Client",
    "Desk",
    "Face",
    "Launcher",
    "Layer",
    "Middleware",
    "OwnCrew",
    "PassingAgent",
    "PassingClient",
    "PassingLayer",
    "PassingTurn",
    "Process",
    "SessionDb",
    "SessionStore",
    "ToolServer",
    "Turn",
    "Wire",
]
