"""A plugin that never comes back from its import keeps nobody from ending the command."""

import os
import signal
import subprocess

import pytest
import warm

STUCK = "import sys, time\nprint('stuck', file=sys.stderr, flush=True)\ntime.sleep(600)\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [("run", "--engine", "rehearsal", "Hello"), ("sessions", "list")], ids=" ".join)
def test_a_signal_ends_a_command_that_waits_for_an_import(installed, command, number):
    env = os.environ | {"PYTHONPATH": str(installed("stuck", STUCK))}
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with warm.start([warm.PROGRAM, *command], env=env, **options) as process:
        try:
            assert process.stderr.readline() == "stuck\n"
            process.send_signal(number)
            told = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, told[0]) == (130, "")
    assert told[1] == "kiro-core: WARNING: plugin 'stuck' (stuck 1.0) was being loaded\n"
