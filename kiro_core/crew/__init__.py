"""Crews: stages as data, which of them starts when, what became of them, and the runs that do all this for real."""

from kiro_core.crew.document import SUFFIXES, Loaded, load_crew, read_crew
from kiro_core.crew.events import AttemptOutcome, Choice, Ending, Event, Outcome, Policy
from kiro_core.crew.fitting import Known
from kiro_core.crew.graph import as_mermaid, as_text
from kiro_core.crew.kiro import load_kiro
from kiro_core.crew.prompting import prompt_of
from kiro_core.crew.report import RunReport, StageReport, report
from kiro_core.crew.runs import Runs
from kiro_core.crew.schedule import Schedule
from kiro_core.crew.stages import Crew, Loop, Retry, Stage
from kiro_core.crew.state import Attempt, StageState

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
