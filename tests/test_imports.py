"""Every start pays for what is imported before the answer, so that is bounded here, without a clock."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from kiro_core import processes
from kiro_local import belonging, sweeping, watchdog

PROGRAM = Path(sys.executable).with_name("kiro-core")
IMPORTED = re.compile(r"import time:\s+\d+ \|\s+\d+ \| +(\S+)")
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": 1}}

CORE = {"click", "kiro_core"}
LOOP = {"anyio", "exceptiongroup", "idna", "kiro_acp", "msgspec", "pluggy", "sniffio", "typing_extensions"}
TRIED = {"_wmi", "org"}  # of Windows and of Jython, which the standard library looks for

LATER = {"pydantic", "pydantic_core", "pydantic_settings", "rich", "trio", "hypothesis", "pytest", "mcp", "acp", "http"}
DESK = {f"kiro_core.{name}" for name in ("dispatcher", "journal", "rehearsal", "session", "settings.models", "testing")}
MACHINES = {"kiro_agents", "kiro_files", "kiro_local", "sqlite3", "multiprocessing", "unittest", "xml"}
LIMITS = {"help": (32, 131), "initialize": (69, 333)}
"""How many modules of ours, and how many in all."""


def modules(environment, command, stdin="", until=""):
    """What it had imported when it wrote `until`: stdout and stderr are one pipe, whose order is that of time."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=True,
        env=environment,
    )
    before, found, _ = told.stdout.partition(until) if until else (told.stdout, True, "")
    assert found, told.stdout[-2000:]
    return set(IMPORTED.findall(before))


@pytest.fixture(scope="module", params=["help", "initialize"])
def start(request, tmp_path_factory):
    """Which start it is, and what it has imported when it answers, besides what Python and its site packages do."""
    home = str(tmp_path_factory.mktemp("home"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KIRO_")} | {"HOME": home}
    bare = modules(environment, ["-c", "pass"])
    if request.param == "help":
        return request.param, modules(environment, [PROGRAM, "--help"]) - bare
    hello = json.dumps(HELLO) + "\n"
    return request.param, modules(environment, [PROGRAM, "acp"], hello, '"protocolVersion"') - bare


def test_a_watchdog_imports_next_to_nothing_until_it_is_needed(tmp_path):
    isolated = ["-I", "-S"]
    shared = [module.__file__ for module in (processes, belonging, sweeping)]
    nothing_left = [watchdog.__file__, *shared, tmp_path, str(os.getpid())]
    usual = modules(None, [*isolated, "-c", "import os"])
    assert modules(None, [*isolated, *nothing_left]) - usual == {"select"}


def top(name):
    return name.partition(".")[0]


def under(names, heads):
    """Those of the names that are one of the heads or below one."""
    return sorted(name for name in names if any(f"{name}.".startswith(f"{head}.") for head in heads))


def test_no_start_imports_what_only_some_commands_need(start):
    _, imported = start
    assert under(imported, LATER | DESK | MACHINES) == []


def test_the_help_needs_no_event_loop_no_plugin_and_no_network(start):
    which, imported = start
    if which == "help":
        assert under(imported, LOOP | {"asyncio", "email", "importlib.metadata", "socket", "ssl", "subprocess"}) == []


def test_a_start_imports_no_distribution_but_those_that_it_is_known_to_need(start):
    which, imported = start
    known = sys.stdlib_module_names | CORE | TRIED | (LOOP if which == "initialize" else set())
    assert sorted(name for name in imported if top(name) not in known) == []


def test_the_number_of_modules_stays_small(start):
    which, imported = start
    ours, everything = LIMITS[which]
    own = under(imported, {"kiro_core", "kiro_acp"})
    assert len(own) <= ours, f"{len(own)} modules of ours: {', '.join(own)}"
    counts = Counter(top(name) for name in imported).most_common()
    assert len(imported) <= everything, f"{len(imported)} modules: {', '.join(f'{n} {c}' for n, c in counts)}"
