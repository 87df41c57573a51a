"""A promise whose test cannot fail is none: each core one is broken on purpose, and that is noticed."""

from collections import defaultdict
from pathlib import Path

import mutants
import pytest

from kiro_core.testing import promises
from kiro_core.testing.promising import promise_of

CORE = [promise.id for promise in promises() if promise.core]


class Watching:
    """A plugin of the inner run: keeps only the test that a class is about, and what came of it."""

    def __init__(self):
        self.outcomes = defaultdict(set)
        self._about = {}

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if promise_of(item.function).id == item.cls.only]
        self._about = {item.nodeid: (item.cls.only, item.cls.__name__.startswith("TestMutant")) for item in items}

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or not report.passed:
            self.outcomes[self._about[report.nodeid]].add(report.outcome)


def outcomes(folder):
    """By the id of a promise, and whether it was broken: what came of its test."""
    watching = Watching()
    options = ["-q", "--noconftest", "--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
    options += [f"--rootdir={folder}", "-c", str(folder / "pytest.ini"), f"--basetemp={folder / 't'}"]
    (folder / "pytest.ini").write_text("[pytest]\n")
    pytest.main([*options, str(Path(__file__).with_name("mutated.py"))], plugins=[watching])
    return watching.outcomes


def test_every_core_promise_has_a_mutant():
    assert sorted(mutants.MUTANTS) == sorted(CORE)


# All of them in one run, which a part in each process of a parallel run would repeat.
def test_a_broken_promise_is_noticed_and_a_kept_one_is_not(tmp_path):
    found = outcomes(tmp_path)
    assert {promise: found[promise, False] for promise in CORE} == {promise: {"passed"} for promise in CORE}
    assert [promise for promise in CORE if "failed" not in found[promise, True]] == []
