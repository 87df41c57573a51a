"""Starts the programs of this suite, each a process of its own that answers one JSON value with another."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parents[1]
BOUND_S = 300


def answer(module, **order):
    """What the program of that module answers; it fails with what the program wrote to stderr."""
    program = [sys.executable, "-P", "-m", f"crashing.{module}", json.dumps(order)]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    done = subprocess.run(program, env=environment, capture_output=True, timeout=BOUND_S, check=False)
    sys.stderr.buffer.write(done.stderr)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return json.loads(done.stdout)
