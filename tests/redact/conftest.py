"""What the redaction's tests have in common."""

import sys
from pathlib import Path

import pytest

# The module beside this file: `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))

from redact_seeds import ENVIRONMENT

from kiro_redact.options import RedactOptions
from kiro_redact.redactor import Redactor


@pytest.fixture(scope="session")
def redactor():
    """One with nothing but defaults."""
    return Redactor(RedactOptions(), ENVIRONMENT)


@pytest.fixture(scope="session")
def strict_redactor():
    """One that looks for random text, too."""
    return Redactor(RedactOptions(entropy=4.3), ENVIRONMENT)
