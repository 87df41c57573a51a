"""The nouns that pass between the core and its plugins, all immutable.

Names load on first use: each is a class that takes a while to make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.late import Loading, late

if TYPE_CHECKING:
    from kiro_core.types.agents import AgentConfig as AgentConfig
    from kiro_core.types.agents import AgentSummary as AgentSummary
    from kiro_core.types.agents import Problem as Problem
    from kiro_core.types.agents import Resource as Resource
    from kiro_core.types.contacts import NO_CONTACT as NO_CONTACT
    from kiro_core.types.contacts import Contact as Contact
    from kiro_core.types.crew import Member as Member
    from kiro_core.types.engines import Engine as Engine
    from kiro_core.types.letters import LETTER_CHARACTERS as LETTER_CHARACTERS
    from kiro_core.types.letters import Letter as Letter
    from kiro_core.types.letters import LetterKind as LetterKind
    from kiro_core.types.peers import Notice as Notice
    from kiro_core.types.peers import PeerInfo as PeerInfo
    from kiro_core.types.processes import Command as Command
    from kiro_core.types.processes import Exit as Exit
    from kiro_core.types.processes import Receipt as Receipt
    from kiro_core.types.records import GAP as GAP
    from kiro_core.types.records import INBOX_MESSAGES as INBOX_MESSAGES
    from kiro_core.types.records import INBOX_REMEMBERED as INBOX_REMEMBERED
    from kiro_core.types.records import MESSAGE_BYTES as MESSAGE_BYTES
    from kiro_core.types.records import MESSAGE_ID_CHARACTERS as MESSAGE_ID_CHARACTERS
    from kiro_core.types.records import Finding as Finding
    from kiro_core.types.records import Message as Message
    from kiro_core.types.records import Record as Record
    from kiro_core.types.records import Report as Report
    from kiro_core.types.records import Told as Told
    from kiro_core.types.sessions import FORMAT as FORMAT
    from kiro_core.types.sessions import RUN as RUN
    from kiro_core.types.sessions import Page as Page
    from kiro_core.types.sessions import Pruned as Pruned
    from kiro_core.types.sessions import PruneRule as PruneRule
    from kiro_core.types.sessions import RunView as RunView
    from kiro_core.types.sessions import SessionId as SessionId
    from kiro_core.types.sessions import SessionInfo as SessionInfo
    from kiro_core.types.sessions import SessionQuery as SessionQuery
    from kiro_core.types.sessions import StageView as StageView
    from kiro_core.types.usage import NO_USAGE as NO_USAGE
    from kiro_core.types.usage import Usage as Usage

_HOME = {
    "AgentConfig": "kiro_core.types.agents",
    "AgentSummary": "kiro_core.types.agents",
    "Command": "kiro_core.types.processes",
    "Contact": "kiro_core.types.contacts",
    "Engine": "kiro_core.types.engines",
    "Exit": "kiro_core.types.processes",
    "FORMAT": "kiro_core.types.sessions",
    "Finding": "kiro_core.types.records",
    "GAP": "kiro_core.types.records",
    "INBOX_MESSAGES": "kiro_core.types.records",
    "INBOX_REMEMBERED": "kiro_core.types.records",
    "LETTER_CHARACTERS": "kiro_core.types.letters",
    "Letter": "kiro_core.types.letters",
    "LetterKind": "kiro_core.types.letters",
    "MESSAGE_BYTES": "kiro_core.types.records",
    "MESSAGE_ID_CHARACTERS": "kiro_core.types.records",
    "Member": "kiro_core.types.crew",
    "Message": "kiro_core.types.records",
    "NO_CONTACT": "kiro_core.types.contacts",
    "NO_USAGE": "kiro_core.types.usage",
    "Notice": "kiro_core.types.peers",
    "Page": "kiro_core.types.sessions",
    "PeerInfo": "kiro_core.types.peers",
    "Problem": "kiro_core.types.agents",
    "PruneRule": "kiro_core.types.sessions",
    "Pruned": "kiro_core.types.sessions",
    "RUN": "kiro_core.types.sessions",
    "Receipt": "kiro_core.types.processes",
    "Record": "kiro_core.types.records",
    "Report": "kiro_core.types.records",
    "Resource": "kiro_core.types.agents",
    "RunView": "kiro_core.types.sessions",
    "SessionId": "kiro_core.types.sessions",
    "SessionInfo": "kiro_core.types.sessions",
    "SessionQuery": "kiro_core.types.sessions",
    "StageView": "kiro_core.types.sessions",
    "Told": "kiro_core.types.records",
    "Usage": "kiro_core.types.usage",
}

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

__getattr__: Loading = late(__name__, _HOME)
