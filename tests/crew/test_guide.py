"""What docs/crew.md says is so: its examples are read, drawn and run."""

import re
from pathlib import Path

import pytest

from kiro_core.crew import as_mermaid, as_text, load_crew, read_crew
from kiro_core.crew.stages import Crew, Stage

GUIDE = (Path(__file__).parents[2] / "docs" / "crew.md").read_text()


def example(language):
    return re.search(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)[1]


@pytest.fixture
def notes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "notes.toml"
    path.write_text(example("toml"))
    return path


def test_the_example_is_a_crew_and_is_drawn_as_the_guide_shows(notes):
    loaded = read_crew(notes)
    assert loaded.problems == []
    assert as_text(loaded.crew) == example("text")
    assert as_mermaid(loaded.crew) == example("mermaid")


def test_the_python_of_the_guide_runs(notes, capsys):
    exec(example("python"), {})
    assert "Release notes for version 2" in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "model"), [("crew", Crew), ("stage", Stage)])
def test_every_field_is_in_the_tables_with_its_default(kind, model):
    table = re.search(rf"^\| field of a {kind} \|.*?\n\n", GUIDE, re.MULTILINE | re.DOTALL)[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|([^|]*)\|", table, re.MULTILINE))
    assert rows.keys() == model.model_fields.keys()
    assert {name for name, field in model.model_fields.items() if field.is_required()} == {
        name for name, default in rows.items() if not default.strip()
    }


def test_a_name_with_signs_that_mermaid_knows_is_drawn_as_it_is_written():
    stages = [{"id": "a", "prompt": "x", "agent": 'a"]<b>#1;'}, {"id": "end", "prompt": "x", "depends_on": ["a"]}]
    stages[1]["loop"] = {"target": "a", "trigger": '"no" --> | é'}
    assert as_mermaid(load_crew({"name": "x", "stages": stages}).crew).splitlines() == [
        "flowchart TD",
        '    s0["a<br/>agent a#34;#93;#60;b#62;#35;1#59;"]',
        '    s1["end"]',
        "    s0 --> s1",
        '    s1 -. "#34;#34;no#34; --#62; #124; é#34;, at most 3x" .-> s0',
    ]
