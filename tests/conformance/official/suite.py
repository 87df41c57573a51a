"""Runs the official suite against a server, and reads what it has found, check by check."""

import json
import os
import re
import subprocess
from pathlib import Path

FOLDER = "CONFORMANCE_FOLDER"
"""The variable that says where the suites are installed; without it they are not."""

STABLE, NEXT = VERSIONS = ("0.1.16", "0.2.0-alpha.12")
BOUND_S = float(os.environ.get("CONFORMANCE_S", "120"))
_LISTED = re.compile(r"^ +- ([\w-]+)", re.MULTILINE)
_RESULT = re.compile(r"server-(.+?)-\d{4}-\d\d-\d\dT[\d-]+Z")


def folder_of(version):
    return Path(os.environ[FOLDER]) / version


def listed(version, *options):
    """The names of all scenarios for servers."""
    told = _run(version, "list", *(["--server"] if version == NEXT else []), *options)
    return set(_LISTED.findall(told.partition("Client scenarios")[0]))


def checked(version, url, results, *options):
    """What all scenarios have found of the server: for each its checks, `(id, status)`, but those that only inform."""
    _run(version, "server", "--url", url, "--suite", "all", "--output-dir", results, *options)
    return {_RESULT.fullmatch(path.parent.name)[1]: _checks(path) for path in results.glob("*/checks.json")}


def passed(found):
    """The scenarios in which nothing is wrong, and of which something was checked."""
    return {name for name, checks in found.items() if {status for _, status in checks} == {"SUCCESS"}}


def problems(found):
    """All that is not as it should be: `(scenario, check, status)`."""
    return {(name, *check) for name, checks in found.items() for check in checks if check[1] != "SUCCESS"}


def _checks(path):
    checks = json.loads(path.read_text())
    return [(check["id"], check["status"]) for check in checks if check["status"] != "INFO"]


def _run(version, *arguments):
    program = folder_of(version) / "node_modules" / ".bin" / "conformance"
    # A failed check is exit code 1, and what failed is in the results.
    told = subprocess.run(
        [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BOUND_S, check=False
    )
    assert told.returncode in {0, 1}, told.stderr
    return told.stdout
