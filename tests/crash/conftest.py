"""Whatever is killed, and whenever: nothing that was acknowledged is lost, nothing is stuck, and nothing stays behind.

`tox -e crash` runs this for five minutes; `crashing/effort.py` tells the variables that make it longer, repeat a round
and write the figures. In an ordinary run each part takes a second or two, so that the suite cannot rot.
"""

import sys
from pathlib import Path

import pytest

# The modules beside this file: `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))

from crashing import figures  # found on the path since the line above


@pytest.fixture
def anyio_backend():
    return "asyncio"  # all that is tested runs in other processes


def pytest_terminal_summary(terminalreporter):
    """Print the figures, which no number of passed tests tells."""
    if figures.PARTS:
        terminalreporter.section("crash suite")
        for line in figures.table():
            terminalreporter.write_line(line)
        figures.write()
