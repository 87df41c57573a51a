"""Installs the official conformance suites, each in its pinned version, where they are not there already.

Usage: CONFORMANCE_FOLDER=folder install.py, with npm on the path.
"""

import subprocess
import sys
from pathlib import Path

_LIMIT_S = 600


def main():
    """Install all of them."""
    sys.path.append(str(Path(__file__).parent))  # a safe path leaves the script's own folder out
    from official.suite import VERSIONS, folder_of

    for version in VERSIONS:
        complete = folder_of(version) / "complete"
        if not complete.exists():
            package = f"@modelcontextprotocol/conformance@{version}"
            command = ["npm", "install", "--prefix", folder_of(version), "--no-audit", "--no-fund", package]
            subprocess.run([*command, "--no-update-notifier"], check=True, timeout=_LIMIT_S)
            complete.touch()


if __name__ == "__main__":
    main()
