"""The nouns that pass between the core and its plugins, all immutable."""

from kiro_core.types.agents import AgentConfig, AgentSummary, Engine, Problem, Resource
from kiro_core.types.crew import Member
from kiro_core.types.letters import LETTER_CHARACTERS, Letter, LetterKind
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
from kiro_core.types.sessions import (
    FORMAT,
    RUN,
    Page,
    Pruned,
    PruneRule,
    RunView,
    SessionId,
    SessionInfo,
    SessionQuery,
    StageView,
)
from kiro_core.types.usage import NO_USAGE, Usage

__all__ = [
    "FORMAT",
    "GAP",
    "INBOX_MESSAGES",
    "INBOX_REMEMBERED",
    "LETTER_CHARACTERS",
    "MESSAGE_BYTES",
    "MESSAGE_ID_CHARACTERS",
    "NO_CONTACT",
    "NO_USAGE",
    "RUN",
    "AgentConfig",
    "AgentSummary",
    "Command",
    "Contact",
    "Engine",
    "Exit",
    "Finding",
    "Letter",
    "LetterKind",
    "Member",
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
    "RunView",
    "SessionId",
    "SessionInfo",
    "SessionQuery",
    "StageView",
    "Told",
    "Usage",
]
