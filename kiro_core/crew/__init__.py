"""Crews: stages as data, which of them starts when, what became of them, and the runs that do all this for real.

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.late import Loading, late

if TYPE_CHECKING:
    from kiro_core.crew.document import SUFFIXES as SUFFIXES
    from kiro_core.crew.document import Loaded as Loaded
    from kiro_core.crew.document import load_crew as load_crew
    from kiro_core.crew.document import read_crew as read_crew
    from kiro_core.crew.events import AttemptOutcome as AttemptOutcome
    from kiro_core.crew.events import Choice as Choice
    from kiro_core.crew.events import Ending as Ending
    from kiro_core.crew.events import Event as Event
    from kiro_core.crew.events import Outcome as Outcome
    from kiro_core.crew.events import Policy as Policy
    from kiro_core.crew.fitting import Known as Known
    from kiro_core.crew.graph import as_mermaid as as_mermaid
    from kiro_core.crew.graph import as_text as as_text
    from kiro_core.crew.kiro import load_kiro as load_kiro
    from kiro_core.crew.prompting import prompt_of as prompt_of
    from kiro_core.crew.reporting import RunReport as RunReport
    from kiro_core.crew.reporting import StageReport as StageReport
    from kiro_core.crew.reporting import report as report
    from kiro_core.crew.runs import Runs as Runs
    from kiro_core.crew.schedule import Schedule as Schedule
    from kiro_core.crew.stages import Crew as Crew
    from kiro_core.crew.stages import Loop as Loop
    from kiro_core.crew.stages import Retry as Retry
    from kiro_core.crew.stages import Stage as Stage
    from kiro_core.crew.state import Attempt as Attempt
    from kiro_core.crew.state import StageState as StageState

_HOME = {
    "SUFFIXES": "kiro_core.crew.document",
    "Loaded": "kiro_core.crew.document",
    "load_crew": "kiro_core.crew.document",
    "read_crew": "kiro_core.crew.document",
    "AttemptOutcome": "kiro_core.crew.events",
    "Choice": "kiro_core.crew.events",
    "Ending": "kiro_core.crew.events",
    "Event": "kiro_core.crew.events",
    "Outcome": "kiro_core.crew.events",
    "Policy": "kiro_core.crew.events",
    "Known": "kiro_core.crew.fitting",
    "as_mermaid": "kiro_core.crew.graph",
    "as_text": "kiro_core.crew.graph",
    "load_kiro": "kiro_core.crew.kiro",
    "prompt_of": "kiro_core.crew.prompting",
    "RunReport": "kiro_core.crew.reporting",
    "StageReport": "kiro_core.crew.reporting",
    "report": "kiro_core.crew.reporting",
    "Runs": "kiro_core.crew.runs",
    "Schedule": "kiro_core.crew.schedule",
    "Crew": "kiro_core.crew.stages",
    "Loop": "kiro_core.crew.stages",
    "Retry": "kiro_core.crew.stages",
    "Stage": "kiro_core.crew.stages",
    "Attempt": "kiro_core.crew.state",
    "StageState": "kiro_core.crew.state",
}

__all__ = [
    "SUFFIXES",
    "Attempt",
    "AttemptOutcome",
    "Choice",
    "Crew",
    "Ending",
    "Event",
    "Known",
    "Loaded",
    "Loop",
    "Outcome",
    "Policy",
    "Retry",
    "RunReport",
    "Runs",
    "Schedule",
    "Stage",
    "StageReport",
    "StageState",
    "as_mermaid",
    "as_text",
    "load_crew",
    "load_kiro",
    "prompt_of",
    "read_crew",
    "report",
]

__getattr__: Loading = late(__name__, _HOME)
