"""What the records of a session mean, and the one drain through which they reach the store."""

from kiro_core.journal.entries import Entry, entry
from kiro_core.journal.journal import Journal, utc_now
from kiro_core.journal.replay import STATE_UPDATES, conversation

__all__ = ["STATE_UPDATES", "Entry", "Journal", "conversation", "entry", "utc_now"]
