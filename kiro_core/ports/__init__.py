"""The verbs: what each kind of plugin, and each side of the desk, can be asked.

Protocols: nothing has to be inherited (what only passes on, `PassingAgent` and its like, may be).
Messages are ACP version 1 in shape whatever the wire speaks (a wire or face translates); each verb
takes the request's `Frame`, so that nothing is re-encoded and no unknown field is lost, and answers
with a response `Frame` whose JSON-RPC id the caller replaces by its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.late import Loading, late

if TYPE_CHECKING:
    from kiro_core.ports.desk import Attachable as Attachable
    from kiro_core.ports.desk import Desk as Desk
    from kiro_core.ports.machines import Face as Face
    from kiro_core.ports.machines import Launcher as Launcher
    from kiro_core.ports.machines import Process as Process
    from kiro_core.ports.machines import Wire as Wire
    from kiro_core.ports.middleware import Layer as Layer
    from kiro_core.ports.middleware import Middleware as Middleware
    from kiro_core.ports.passing import PassingAgent as PassingAgent
    from kiro_core.ports.passing import PassingClient as PassingClient
    from kiro_core.ports.passing import PassingLayer as PassingLayer
    from kiro_core.ports.passing import PassingTurn as PassingTurn
    from kiro_core.ports.stores import AgentSource as AgentSource
    from kiro_core.ports.stores import PromptDb as PromptDb
    from kiro_core.ports.stores import SessionDb as SessionDb
    from kiro_core.ports.stores import SessionStore as SessionStore
    from kiro_core.ports.talking import Agent as Agent
    from kiro_core.ports.talking import Client as Client
    from kiro_core.ports.talking import Turn as Turn
    from kiro_core.ports.tools import ByteStream as ByteStream
    from kiro_core.ports.tools import OwnCrew as OwnCrew
    from kiro_core.ports.tools import ToolServer as ToolServer

_HOME = {
    "Attachable": "kiro_core.ports.desk",
    "Desk": "kiro_core.ports.desk",
    "Face": "kiro_core.ports.machines",
    "Launcher": "kiro_core.ports.machines",
    "Process": "kiro_core.ports.machines",
    "Wire": "kiro_core.ports.machines",
    "Layer": "kiro_core.ports.middleware",
    "Middleware": "kiro_core.ports.middleware",
    "PassingAgent": "kiro_core.ports.passing",
    "PassingClient": "kiro_core.ports.passing",
    "PassingLayer": "kiro_core.ports.passing",
    "PassingTurn": "kiro_core.ports.passing",
    "AgentSource": "kiro_core.ports.stores",
    "PromptDb": "kiro_core.ports.stores",
    "SessionDb": "kiro_core.ports.stores",
    "SessionStore": "kiro_core.ports.stores",
    "Agent": "kiro_core.ports.talking",
    "Client": "kiro_core.ports.talking",
    "Turn": "kiro_core.ports.talking",
    "ByteStream": "kiro_core.ports.tools",
    "OwnCrew": "kiro_core.ports.tools",
    "ToolServer": "kiro_core.ports.tools",
}

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
    "PromptDb",
    "SessionDb",
    "SessionStore",
    "ToolServer",
    "Turn",
    "Wire",
]

__getattr__: Loading = late(__name__, _HOME)
