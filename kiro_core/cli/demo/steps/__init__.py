"""The steps of the demo in their order; each goes on where the one before has left its home."""

from __future__ import annotations

from kiro_core.cli.demo.steps.connected import CONNECTED
from kiro_core.cli.demo.steps.crew import CREW
from kiro_core.cli.demo.steps.killed import KILLED
from kiro_core.cli.demo.steps.question import QUESTION
from kiro_core.cli.demo.steps.together import TOGETHER
from kiro_core.cli.demo.steps.verified import VERIFIED

STEPS = (TOGETHER, QUESTION, KILLED, CREW, VERIFIED, CONNECTED)
