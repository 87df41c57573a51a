"""The nouns that pass between the core and its plugins, all immutable."""

from kiro_core.types.agents import AgentConfig, AgentSummary, Engine, Problem, Resource
from kiro_core.types.peers import Notice, PeerInfo
from kiro_core.types.processes import Command, Exit, Receipt
from kiro_core.types.records import (
    GAP,
    INBOX_MESSAGES,
    INBOX_REMEMBERED,
    MESSAGE_BYTES,
    MESSAGE_ID_CHARACTERS,
    NO_CONTACT,
    Contact,
    Finding,
    Message,
    Record,
    Report,
    Told,
)
from kiro_core.types.sessions import FORMAT, Page, Pruned, PruneRule, SessionId, SessionInfo, SessionQuery

__all__ = [
    "FORMAT",
    "GAP",
    "INBOX_MESSAGES",
    "INBOX_REMEMBERED",
    "MESSAGE_BYTES",
    "MESSAGE_ID_CHARACTERS",
    "NO_CONTACT",
    "AgentConfig",
    "AgentSummary",
    "Command",
    "Contact",
    "Engine",
    "Exit",
    "Finding",
    "Message",
    "Notice",
    "Page",
    "PeerInfo",
    "Problem",
    "PruneRule",
    "Pruned",
    "Receipt",
    "Record",
    "Report",
    "Resource",
    "SessionId",
    "SessionInfo",
    "SessionQuery",
    "Told",
]
