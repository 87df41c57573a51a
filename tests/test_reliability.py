"""What the document on reliability promises is what tests prove: each test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"def (test_\w+)\(")


def test_every_promise_names_a_test_that_exists():
    named = set(NAMED.findall((ROOT / "docs" / "reliability.md").read_text()))
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "kiro_core" / "testing").rglob("*.py")]
    defined = {name for path in files for name in DEFINED.findall(path.read_text())}
    assert len(named) > 30
    assert named <= defined, sorted(named - defined)
