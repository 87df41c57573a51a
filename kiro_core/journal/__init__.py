"""What the records of a session mean, and the one drain through which they reach the store."""

from kiro_core.journal.came import Came
from kiro_core.journal.contents import prompt_text, text_of
from kiro_core.journal.entries import Entry, entry, readable
from kiro_core.journal.journal import Journal, utc_now
from kiro_core.journal.output import Output
from kiro_core.journal.prompted import Prompted, prompted
from kiro_core.journal.replay import (
    STATE_UPDATES,
    Prompts,
    conversation,
    lost,
    said_at,
    spoken,
    unfinished_calls,
    user_message,
)
from kiro_core.journal.terminals import RECORDED_BYTES, content_of, retold, terminal_of, with_text
from kiro_core.journal.told import told

__all__ = [
    "RECORDED_BYTES",
    "STATE_UPDATES",
    "Came",
    "Entry",
    "Journal",
    "Output",
    "Prompted",
    "Prompts",
    "content_of",
    "conversation",
    "entry",
    "lost",
    "prompt_text",
    "prompted",
    "readable",
    "retold",
    "said_at",
    "spoken",
    "terminal_of",
    "text_of",
    "told",
    "unfinished_calls",
    "user_message",
    "utc_now",
    "with_text",
]
