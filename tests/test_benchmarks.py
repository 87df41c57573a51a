"""The benchmarks run, and tell what they measured: what is never run is broken when it is needed."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

# At the end of the path: the checkout must not stand in for the installed program, which runs in other processes.
sys.path.append(str(Path(__file__).parents[1]))

from benchmarks import __main__ as program
from benchmarks.areas import CURVES, EXPERIMENTS, GOALS
from benchmarks.interrupts import held, once
from benchmarks.kept import loaded
from benchmarks.picture import drawn
from benchmarks.rounds import Absent, Experiment
from benchmarks.running import running
from benchmarks.table import described

ROOT = Path(__file__).parents[1]
RUN = "import sys; sys.path.append(sys.argv.pop()); from benchmarks.__main__ import main; sys.exit(main())"
MET = {goal.key: goal.stretch for goal in GOALS}
"""Figures that reach everything."""
WORST = {goal.key: 0.0 if goal.at_least else goal.must + 1 for goal in GOALS}


def bench(*arguments):
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments, str(ROOT)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    )


@pytest.fixture
def told(monkeypatch, capsys):
    """What the program says and how it ends, with experiments and arguments."""

    def tell(experiments, *arguments):
        monkeypatch.setattr(program, "EXPERIMENTS", experiments)
        monkeypatch.setattr(sys, "argv", ["benchmarks", "--rounds", "2", *arguments])
        code = program.main()
        return code, *capsys.readouterr()

    return tell


def experiment(numbers, one):
    return Experiment(numbers, lambda _scratch, _extent: nullcontext(one))


def gives(number, figures=MET):
    own = {key: value for key, value in figures.items() if key.partition(".")[0] == number}
    return experiment(number, lambda _: own)


def breaks(_):
    raise RuntimeError("the agent has gone")


def test_a_goal_is_measured_kept_and_told_again_as_it_was_measured(tmp_path):
    kept, first, again = tmp_path / "run.json", tmp_path / "first.svg", tmp_path / "again.svg"
    begun = ["--quick", "--rounds", "1", "--only", "g6"]
    measured = bench(*begun, "--json", str(kept), "--picture", str(first))
    assert measured.returncode == 0, measured.stderr
    run = json.loads(kept.read_text())
    direct = next(goal for goal in run["goals"] if goal["key"] == "G6.direct")
    assert len(direct["rounds"]) == 1
    assert direct["median"] > 0
    assert run["about"]["versions"]["anyio"]
    repeated = bench("--from", str(kept), "--only", "G6", "--picture", str(again))
    assert repeated.stdout == measured.stdout
    assert repeated.stdout.count("\nG6 ") == 2
    assert again.read_bytes() == first.read_bytes()
    assert bench("--from", str(kept), "--only", "G6", "--markdown").stdout.count("| G6 | ") == 2
    assert bench("--from", str(kept), "--json").stdout == kept.read_text()


def test_an_unknown_goal_is_refused_with_those_that_there_are():
    refused = bench("--only", "G6,G99")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no goal or curve g99; there are G1, " in refused.stderr


def test_what_is_no_run_is_refused(tmp_path):
    (tmp_path / "run.json").write_text("[]")
    refused = bench("--from", str(tmp_path / "run.json"))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "This is not the JSON of a run." in refused.stderr


def test_what_breaks_is_told_by_name_and_the_others_survive(told):
    code, out, err = told([experiment("G1 G2", breaks), gives("G6")], "--only", "G1,G6")
    assert code == 1
    assert err == "G1 G2 broke: RuntimeError: the agent has gone\n"
    assert re.search(r"^G1 .* broken: RuntimeError: the agent has gone$", out, re.MULTILINE)
    assert len(re.findall(r"^G6 .* stretch$", out, re.MULTILINE)) == 2


def test_a_figure_of_no_goal_breaks_its_measurement(told):
    code, _, err = told([experiment("G6", lambda _: {"G6.nothing": 1.0})], "--only", "G6")
    assert (code, err) == (1, "G6 broke: LookupError: There is no goal or curve for G6.nothing.\n")


def test_what_is_not_here_is_skipped_with_how_to_get_it(told):
    def absent(_):
        raise Absent("needs a thing: pip install thing")

    code, out, _ = told([experiment("G1", absent), experiment("G9", lambda _: {})], "--only", "G1,G9")
    assert code == 0
    assert "skipped: needs a thing: pip install thing\n" in out
    assert re.search(r"^G9 .* skipped: needs Linux \(", out, re.MULTILINE)


@pytest.mark.parametrize(("figures", "code"), [(MET, 0), (WORST, 1)])
def test_a_check_ends_with_what_was_missed(told, figures, code):
    assert told([gives("G6", figures)], "--only", "G6", "--check")[0] == code
    assert told([gives("G6", figures)], "--only", "G6")[0] == 0


def test_an_interrupt_tells_what_was_measured_and_leaves_no_process(told):
    pids = []

    @contextmanager
    def begin(_scratch, _extent):
        echo = [sys.executable, "-c", "import os; os.write(1, b'%d\\n' % os.getpid()); os.read(0, 1)"]
        with running(echo) as child:
            pids.append(int(child.read()))

            def one(turn):
                if turn == 2:
                    os.kill(os.getpid(), signal.SIGINT)
                return {key: value for key, value in MET.items() if key.startswith("G6.")}

            yield one

    code, out, _ = told([Experiment("G6", begin), experiment("G1", breaks)], "--only", "G1,G6")
    assert code == 130
    assert len(re.findall(r"^G6 .* stretch$", out, re.MULTILINE)) == 2
    assert re.search(r"^G1 .* skipped: interrupted$", out, re.MULTILINE)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_an_interrupt_waits_while_a_process_is_being_started():
    steps = []

    def start():
        with once(), held():
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("started")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert steps == ["started"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_every_goal_and_curve_has_a_measurement_and_no_measurement_is_of_anything_else():
    measured = {name for experiment in EXPERIMENTS for name in experiment.numbers.split()}
    assert measured == {goal.number for goal in GOALS} | {curve.key for curve in CURVES}
    keys = [goal.key for goal in GOALS] + [curve.key for curve in CURVES]
    assert len(keys) == len({key.lower() for key in keys})
    assert [each.numbers for each in EXPERIMENTS if len(described(each)) < 20] == []


def test_the_goals_of_the_documentation_are_those_that_there_are():
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    named = set(re.findall(r"\b[GHSX]\d+\b", page))
    there = {goal.number for goal in GOALS}
    assert (named - there, there - named) == (set(), set())


def test_the_picture_of_the_documentation_shows_the_run_that_is_kept():
    run = loaded((ROOT / "docs" / "performance.json").read_text("utf-8"))
    picture = (ROOT / "docs" / "performance.svg").read_text("utf-8")
    assert picture == drawn(run, GOALS, CURVES), "regenerate it as docs/performance.md says"
    assert len(picture.encode()) < 30_000
    words = [text.text for text in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    shown = {goal.what: goal.what.replace("`", "")[:40] for goal in GOALS}
    assert [what for what, begin in shown.items() if not any(word.startswith(begin) for word in words)] == []
