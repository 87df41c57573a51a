"""Finds the modules beside this one, which the command that regenerates the pages uses without pytest."""

import sys
from pathlib import Path

# `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))
