"""Where the system has no room for another program, only that launch fails."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("kiro-core")
LIMIT_S = 60

# It looks when it is spoken to: then the launcher is done with it.
LOOKING = """
import os, resource, select, sys
select.select([0], [], [])
limits = [resource.prlimit(pid, resource.RLIMIT_NOFILE)[0] for pid in (os.getppid(), 0)]
open(sys.argv[1], "w").write(repr(limits))
os.execv(sys.executable, [sys.executable, "-P", "-m", "kiro_core.rehearsal"])
"""


def test_without_descriptors_a_session_is_refused_the_others_go_on_and_nothing_leaks():
    program = Path(__file__).with_name("full_desk.py")
    done = subprocess.run([sys.executable, "-P", program], capture_output=True, text=True, timeout=LIMIT_S, check=True)
    told = json.loads(done.stdout)
    assert "did not start: Too many open files. Close sessions, or allow more" in told["refused"]["LAUNCH_FAILED"]
    assert set(told["refused"]) <= {"LAUNCH_FAILED", "STORE_UNAVAILABLE"}
    assert told["stops"] == ["end_turn"]
    assert told["leaked"] == 0


def test_without_processes_a_launch_is_refused_the_others_go_on_and_nothing_leaks(desk):
    desk.order("become_nobody")
    assert desk.order("launch", "sleep", "600").startswith("pid ")
    before = desk.order("descriptors")
    desk.order("allow_no_process")
    refused = desk.order("launch", "sleep", "600")
    assert "did not start: Resource temporarily unavailable. Close sessions or end other programs" in refused
    assert desk.order("descriptors") == before
    desk.order("allow_processes")
    assert desk.order("launch", "sleep", "600").startswith("pid ")
    desk.order("allow_no_process")
    assert "Traceback" not in desk.end()  # which needs a thread, and there is none
    assert desk.process.returncode == 0


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="a child keeps the limit here")
def test_a_desk_has_all_descriptors_that_it_may_have_and_its_agents_what_it_was_given(home, tmp_path):
    home.mkdir()
    seen, hard = tmp_path / "seen", resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    command = [sys.executable, "-c", LOOKING, str(seen)]
    (home / "kiro.toml").write_text(f"[engines.looking]\ncommand = {json.dumps(command)}\n")
    script = 'ulimit -Sn 300; exec "$@"'
    run = ["sh", "-c", script, "sh", PROGRAM, "run", "--engine", "looking", "Hello"]
    subprocess.run(run, capture_output=True, timeout=LIMIT_S, check=True)
    assert json.loads(seen.read_text()) == [hard, 300]
