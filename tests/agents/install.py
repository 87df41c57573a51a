"""Installs the agent programs that are wanted, each from its own registry in its pinned version.

Usage: AGENTS_FOLDER=folder [AGENTS=name,name] install.py, with npm on the path. What is there already stays.
"""

import subprocess
import sys
import venv
from pathlib import Path

_LIMIT_S = 600


def main():
    """Install all that are wanted."""
    sys.path.append(str(Path(__file__).parent))  # a safe path leaves the script's own folder out
    from real.installed import folder_of, wanted
    from real.programs import PROGRAMS

    for name in wanted():
        complete = folder_of(name) / "complete"
        if not complete.exists():
            _install(PROGRAMS[name], folder_of(name))
            complete.touch()


def _install(program, folder):
    if program.from_npm:
        command = ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--no-update-notifier"]
    else:
        venv.create(folder, with_pip=True)
        command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, program.package], check=True, timeout=_LIMIT_S)


if __name__ == "__main__":
    main()
