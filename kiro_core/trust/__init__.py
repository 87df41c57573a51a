"""Which folders may start commands: nothing from a working directory runs before its user agreed."""

from kiro_core.trust.documents import Document
from kiro_core.trust.guarding import document_of, guarded, refusal
from kiro_core.trust.survey import survey
from kiro_core.trust.trusted import Trust

__all__ = ["Document", "Trust", "document_of", "guarded", "refusal", "survey"]
