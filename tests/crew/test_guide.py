"""What docs/crew.md says is so: its examples are read, drawn and run."""

import json
import re
import sys
import tomllib
from pathlib import Path

import anyio
import pytest
from crew_office import outcomes, scripted

from kiro_core.crew import as_mermaid, as_text, load_crew, read_crew
from kiro_core.crew.stages import Crew, Stage
from kiro_core.types import SessionId

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


async def test_the_example_runs(notes, opened_desk, home):
    (home / "agents").mkdir(parents=True)
    (home / "agents" / "writer.json").write_text(json.dumps({"name": "writer"}))
    engines = {name: scripted(prompt=f"tell('{name} did it')") for name in ("gemini", "claude", "mine")}
    with anyio.fail_after(60):
        async with opened_desk(engines=engines, engine="mine") as office:
            crew = read_crew(notes).crew.model_dump(mode="json", exclude_unset=True)
            report = await office.ended(await office.crew.run(crew, cwd=office.cwd))
            assert set(outcomes(report).values()) == {"succeeded"}
            results = {stage["id"]: stage["result"] for stage in report["stages"]}
            assert (results["review"], results["summary"]) == ("claude did it", "mine did it")


async def test_the_python_that_runs_a_crew_runs(tmp_path, capsys):
    snippet = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)[1]
    names = {}
    exec(snippet, names)
    with anyio.fail_after(30):
        crew = {"name": "x", "stages": [{"id": "a", "prompt": "hello"}]}
        assert await names["run"](crew, tmp_path) == "succeeded"
    assert "('a', 'running', " in capsys.readouterr().out


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


async def test_the_example_with_two_engines_runs_in_rehearsal(tmp_path, opened_desk):
    section = GUIDE[GUIDE.index("## An example\n") :]
    crew, configured = re.findall(r"^```toml\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    (tmp_path / "feature.toml").write_text(crew)
    engines = tomllib.loads(configured)["engines"]
    for engine in engines.values():
        engine["command"][0] = sys.executable
    with anyio.fail_after(60):
        async with opened_desk(engines=engines) as office:
            fields = read_crew(tmp_path / "feature.toml").crew.model_dump(mode="json", exclude_unset=True)
            report = await office.ended(await office.crew.run(fields, cwd=office.cwd))
            stages = {stage["id"]: stage for stage in report["stages"]}
            assert set(outcomes(report).values()) == {"succeeded"}
            sessions = [stages[name]["attempts"][0]["session"] for name in ("one", "other")]
            used = [(await office.desk.info(SessionId(session))).engine for session in sessions]
            assert used == ["claude", "codex"]
            one, other = stages["one"], stages["other"]
            assert max(one["started"], other["started"]) <= min(one["ended"], other["ended"])
            assert one["result"] in stages["review"]["result"]
            assert other["result"] in stages["review"]["result"]
            assert stages["review"]["result"] in stages["summary"]["result"]
            assert report["usage"]["total_tokens"] == sum(each["usage"]["total_tokens"] for each in stages.values()) > 0
