"""The run of the benchmarks that the pages tell, from the figures which are kept beside them."""

import sys

from doc_pages import ROOT

# At the end of the path: the checkout must not stand in for the installed program.
sys.path.append(str(ROOT))

from benchmarks.areas import CURVES, EXPERIMENTS, GOALS
from benchmarks.kept import loaded
from benchmarks.table import experiment_rows, markdown, report

KEPT = ROOT / "docs" / "performance.json"


def performance_part():
    """What was measured where, the goals and the growth."""
    return "\n" + report(loaded(KEPT.read_text("utf-8")), GOALS, CURVES, as_markdown=True) + "\n"


def experiments_part():
    """How each goal is measured."""
    return markdown(experiment_rows(EXPERIMENTS))
