"""The official suite has nothing to say against our server, in both eras of the protocol and in every scenario."""

import os

import pytest
from official import suite
from official.scenarios import EXTENSIONS, HANDSHAKE, LATER, RUNS, STATELESS
from official.suite import NEXT, checked, listed, passed, problems

if suite.FOLDER not in os.environ:
    pytest.skip("the official suite is installed and run by `tox -e conformance`", allow_module_level=True)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_with_the_fixtures_every_scenario_passes(url, tmp_path, run):
    assert listed(run.version, *run.options) == run.scenarios
    found = checked(run.version, url, tmp_path, *run.options)
    assert found.keys() == run.scenarios
    assert problems(found) == run.known
    assert sum(map(len, found.values())) - len(run.known) == run.checks


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_the_server_alone_passes_what_needs_no_fixture(plain_url, tmp_path, run):
    found = checked(run.version, plain_url, tmp_path, *run.options)
    assert found.keys() == run.scenarios
    assert passed(found) >= run.plain


def test_nothing_but_extensions_is_left_out():
    assert listed(NEXT) - HANDSHAKE - LATER - STATELESS == EXTENSIONS
