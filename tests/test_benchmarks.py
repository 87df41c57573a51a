"""The benchmarks run: what is never run is broken when it is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path


def test_a_goal_is_measured_against_its_baseline():
    root = Path(__file__).parents[1]
    # The checkout holds the benchmarks and must not stand in for the installed program, which runs in other processes.
    run = "import sys; sys.path.append(sys.argv.pop()); from benchmarks.__main__ import main; sys.exit(main())"
    told = subprocess.run(
        [sys.executable, "-c", run, "--quick", "--rounds", "1", "--only", "G6", "--json", str(root)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    )
    direct = json.loads(told.stdout)[0]
    assert direct["goal"] == "G6"
    assert len(direct["rounds"]) == 1
    assert direct["median"] > 0
