"""Every start pays for what is imported before the answer, so that is bounded here, without a clock."""

import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from kiro_core import processes
from kiro_core.crew import shim
from kiro_local import belonging, sweeping, watchdog

PROGRAM = Path(sys.executable).with_name("kiro-core")
IMPORTED = re.compile(r"import time:\s+\d+ \|\s+\d+ \| +(\S+)")
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": 1}}

CORE = {"click", "kiro_core"}
LOOP = {"anyio", "exceptiongroup", "idna", "kiro_acp", "msgspec", "pluggy", "sniffio", "typing_extensions"}
BESIDE = {"kiro_http", "kiro_mcp", "kiro_redact"}  # plugins that declare themselves, and load nothing
TRIED = {"_wmi", "org"}  # of Windows and of Jython, which the standard library looks for
BUILD = "_sysconfigdata"  # how this Python was built, in a module that has the name of its platform

MODELS = {"annotated_types", "dotenv", "pydantic", "pydantic_core", "pydantic_settings", "typing_inspection"}
LATER = {"rich", "trio", "hypothesis", "pytest", "mcp", "acp", "h11", "http"}
DESK = {f"kiro_core.{name}" for name in ("dispatcher", "journal", "session", "settings.models")} | MODELS
SOMETIMES = {
    *(f"kiro_core.{name}" for name in ("archive", "rehearsal", "testing", "agentconfig.format", "crew.stages")),
    *(f"kiro_core.{name}" for name in ("crew.running", "crew.record", "mcp_servers.entry")),
    *("sqlite3", "multiprocessing", "unittest", "xml"),
}
MACHINES = {"kiro_agents", "kiro_files", "kiro_local"}
LIMITS = {"help": (6, 78), "initialize": (48, 255), "new": (367, 721)}
"""How many modules of ours, and how many in all."""
REHEARSAL = 67


def modules(environment, command, stdin="", until="", status=0):
    """What it had imported when it wrote `until`: stdout and stderr are one pipe, whose order is that of time."""
    told = ""
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    ) as program:
        limit = threading.Timer(60, program.kill)
        limit.start()
        try:
            if until:
                program.stdin.write(stdin)
                program.stdin.flush()
                while until not in (line := program.stdout.readline()):
                    assert line, told[-2000:]
                    told += line
            rest, _ = program.communicate()
            told += "" if until else rest
        finally:
            limit.cancel()
    assert program.returncode == status, told[-2000:]
    return set(IMPORTED.findall(told))


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """That of a person who has set nothing."""
    home = str(tmp_path_factory.mktemp("home"))
    return {name: value for name, value in os.environ.items() if not name.startswith("KIRO_")} | {"HOME": home}


@pytest.fixture(scope="module", params=["help", "initialize", "new"])
def start(request, environment):
    """Which start it is, and what it has imported when it answers, besides what Python and its site packages do."""
    bare = modules(environment, ["-c", "pass"])
    if request.param == "help":
        return request.param, modules(environment, [PROGRAM, "--help"]) - bare
    new = {"jsonrpc": "2.0", "id": 2, "method": "session/new", "params": {"cwd": environment["HOME"], "mcpServers": []}}
    requests = [HELLO] if request.param == "initialize" else [HELLO, new]
    said = "".join(json.dumps(message) + "\n" for message in requests)
    until = '"protocolVersion"' if request.param == "initialize" else '"sessionId"'
    return request.param, modules(environment, [PROGRAM, "acp", "--engine", "rehearsal"], said, until) - bare


def test_a_watchdog_imports_next_to_nothing_until_it_is_needed(tmp_path):
    isolated = ["-I", "-S"]
    shared = [module.__file__ for module in (processes, belonging, sweeping)]
    nothing_left = [watchdog.__file__, *shared, tmp_path, str(os.getpid())]
    usual = modules(None, [*isolated, "-c", "import os"])
    assert modules(None, [*isolated, *nothing_left]) - usual == {"select"}


def test_what_a_member_of_a_crew_starts_imports_next_to_nothing():
    usual = modules(None, ["-I", "-S", "-c", "import os"])
    assert modules(None, ["-I", "-S", shim.__file__, "--help"], status=1) - usual <= {"_socket", "select"}


def test_the_rehearsal_agent_starts_without_what_is_not_of_the_standard_library(environment):
    usual = modules(environment, ["-c", "pass"])
    imported = (
        modules(environment, ["-m", "kiro_core.rehearsal"], json.dumps(HELLO) + "\n", '"protocolVersion"') - usual
    )
    assert sorted(name for name in imported if top(name) not in sys.stdlib_module_names | {"kiro_core"}) == []
    assert len(imported) <= REHEARSAL, sorted(imported)


def top(name):
    return name.partition(".")[0]


def under(names, heads):
    """Those of the names that are one of the heads or below one."""
    return sorted(name for name in names if any(f"{name}.".startswith(f"{head}.") for head in heads))


def test_no_start_imports_what_only_some_commands_need(start):
    which, imported = start
    assert under(imported, LATER | SOMETIMES | (set() if which == "new" else DESK | MACHINES)) == []


def test_the_help_needs_no_event_loop_no_plugin_and_no_network(start):
    which, imported = start
    if which == "help":
        assert under(imported, LOOP | {"asyncio", "email", "importlib.metadata", "socket", "ssl", "subprocess"}) == []


def test_a_start_imports_no_distribution_but_those_that_it_is_known_to_need(start):
    which, imported = start
    needed = {"help": set(), "initialize": LOOP, "new": LOOP | MODELS | MACHINES | BESIDE}[which]
    known = sys.stdlib_module_names | CORE | TRIED | needed
    assert sorted(name for name in imported if top(name) not in known and not name.startswith(BUILD)) == []


def test_the_number_of_modules_stays_small(start):
    which, imported = start
    ours, everything = LIMITS[which]
    own = under(imported, {"kiro_core", "kiro_acp", *MACHINES})
    assert len(own) <= ours, f"{len(own)} modules of ours: {', '.join(own)}"
    counts = Counter(top(name) for name in imported).most_common()
    assert len(imported) <= everything, f"{len(imported)} modules: {', '.join(f'{n} {c}' for n, c in counts)}"
