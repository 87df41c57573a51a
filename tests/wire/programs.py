"""The programs at both ends of a wire, as argument lists."""

import json
import sys
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("kiro-core"))
REHEARSAL = [sys.executable, "-P", "-m", "kiro_core.rehearsal"]
FUZZ_AGENT = [sys.executable, "-P", str(Path(__file__).with_name("fuzz_agent.py"))]
SCRIPTED = str(Path(__file__).parents[1] / "desk" / "scripted_agent.py")


def scripted(**code):
    """The argv of an agent that does as `tests/desk/scripted_agent.py` explains."""
    return [sys.executable, "-P", SCRIPTED, json.dumps(code)]


def engine(name, command):
    """An engine of the settings; JSON strings are TOML strings."""
    return f"[engines.{name}]\ncommand = {json.dumps(command)}\n"
