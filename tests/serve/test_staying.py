"""A desk that stays is whole when it says that it is ready: nothing is imported later, and garbage is collected."""

import json
import sys

SCRIPT = """
import gc, json, os, signal, sys
from kiro_core.cli import main
from kiro_core.cli.serve import foreground

def announcing(_):
    def announce(line):
        ours = sorted(name for name in sys.modules if name.startswith("kiro_core."))
        print(json.dumps({"collects": gc.isenabled(), "imported": ours}), flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
    return announce

foreground._announcing = announcing
main()
"""


def test_a_served_desk_has_imported_what_its_sessions_may_need_and_collects_garbage(serve):
    desk = serve(command=(sys.executable, "-P", "-c", SCRIPT, "serve"))
    told = json.loads(desk.ready())
    assert told["collects"]
    later = {"crew.running", "crew.record", "crew.document", "crew.stages", "crew.reporting", "archive"}
    assert {f"kiro_core.{name}" for name in later | {"agentconfig.format"}} <= set(told["imported"])
    assert desk.ended()[0] == 0
