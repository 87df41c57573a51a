"""Which agent configurations a folder has, what stands in one, and on which line something is wrong."""

import json

import pytest


@pytest.fixture
def write(tmp_path):
    """Write a configuration of the folder, as an object or as text."""

    def written(name, content):
        path = tmp_path / ".kiro" / "agents" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
        return path

    return written


@pytest.fixture
def own(home):
    """Write a configuration of the user."""

    def written(name, content):
        (home / "agents").mkdir(parents=True, exist_ok=True)
        path = home / "agents" / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    return written


def test_configurations_are_listed_with_origin_and_what_is_withheld(kiro, write, own):
    path = write("review", {"name": "review", "description": "Looks.", "hooks": {"stop": [{"command": "x"}]}})
    mine = own("docs", {"name": "docs"})
    head, *rows = kiro("agents", "list").stdout.splitlines()
    assert head.split() == ["agent", "description", "origin", "withheld"]
    assert rows[0].split() == ["review", "Looks.", str(path), "hooks"]
    assert rows[1].split() == ["docs", str(mine)]
    assert rows[2].startswith("kiro_default ")


def test_what_cannot_be_read_is_told_beside_the_listing(kiro, write):
    path = write("bad", '{\n  "name": "bad",\n  "model": 5\n}')
    told = kiro("agents", "list")
    assert "bad" not in told.stdout
    assert told.stderr.startswith(f"problem: {path}:3: model: ")
    listed = json.loads(kiro("agents", "list", "--json").stdout)
    assert [agent["name"] for agent in listed["agents"]] == ["kiro_default"]
    (problem,) = listed["problems"]
    assert (problem["path"], problem["line"], problem["field"]) == (str(path), 3, "model")


def test_another_folder_has_other_configurations(kiro, write, tmp_path):
    write("review", {"name": "review"})
    (tmp_path / "elsewhere").mkdir()
    listed = json.loads(kiro("agents", "list", "--json", "--cwd", "elsewhere").stdout)
    assert [agent["name"] for agent in listed["agents"]] == ["kiro_default"]


def test_a_configuration_is_shown_with_the_origin_of_each_value(kiro, write, home):
    path = write("review", {"description": "Looks.", "prompt": "file://p.md", "mcpServers": {"x": {"command": "y"}}})
    (path.parent / "p.md").write_text("Be kind.\n")
    with (home / "kiro.toml").open("a") as file:
        file.write('[agent_engines]\nreview = "mem"\n')
    told = json.loads(kiro("agents", "show", "review", "--json").stdout)
    assert (told["name"], told["origin"], told["withheld"]) == ("review", str(path), ["mcpServers"])
    assert told["values"]["description"] == {"value": "Looks.", "origin": str(path)}
    assert told["values"]["prompt"] == {"value": "file://p.md", "origin": str(path), "text": "Be kind.\n"}
    assert told["values"]["engine"] == {"value": "mem", "origin": str(home / "kiro.toml")}
    assert "mcpServers" not in told["values"]
    shown = kiro("agents", "show", "review").stdout
    assert "\nwithheld, since the folder is not trusted: mcpServers\n" in shown
    assert shown.endswith("\nprompt:\nBe kind.\n\n")


def test_the_built_in_configuration_can_be_shown(kiro):
    assert json.loads(kiro("agents", "show", "kiro_default", "--json").stdout)["origin"] == "built-in"


def test_a_configuration_that_nobody_knows_has_its_exit_code(kiro, write):
    write("review", {"name": "review"})
    told = kiro("agents", "show", "reviw")
    assert (told.returncode, told.stdout) == (4, "")
    assert told.stderr.startswith("kiro-core: No agent configuration is called 'reviw'; did you mean 'review'?\n")


def test_a_broken_configuration_is_not_shown_but_its_problem(kiro, write):
    path = write("bad", {"name": "bad", "model": 5})
    told = kiro("agents", "show", "bad")
    assert told.returncode == 4
    assert f"{path}: model: " in told.stderr


BROKEN = [
    ('{\n  "name": "x",\n  "description": 7\n}', 3, "description"),
    ('{\n  "name": "x",\n\n  "prompt":\n "file://none.md"}', 4, "prompt"),
    ('{\n  "name": "x",\n  }', 3, ""),
    ('{ // no comments\n  "name": "x" }', 1, ""),
    ("[]", None, ""),
    ('{"name": "x", "model": 1, \n "model": 2}', 2, "model"),
]


@pytest.mark.parametrize(("text", "line", "field"), BROKEN)
def test_a_problem_names_file_line_field_and_reason(kiro, write, text, line, field):
    path = write("x", text)
    told = kiro("agents", "validate", "--json")
    (problem,) = json.loads(told.stdout)
    assert told.returncode == 1
    assert (problem["path"], problem["line"], problem["field"]) == (str(path), line, field)
    assert problem["reason"]
    place = f"{path}:{line}" if line else str(path)
    assert kiro("agents", "validate").stdout.startswith(f"{place}: {f'{field}: ' if field else ''}")


def test_valid_configurations_are_no_words_and_no_failure(kiro, write):
    path = write("review", {"name": "review"})
    for arguments in ((), ("review",), (str(path),), ("kiro_default",), (".kiro/agents/review.json",)):
        told = kiro("agents", "validate", *arguments)
        assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_only_what_is_named_is_validated(kiro, write):
    path, other = write("bad", {"name": "bad", "model": 5}), write("worse", "{")
    assert kiro("agents", "validate", "bad").stdout.count("\n") == 1
    assert kiro("agents", "validate", str(other)).stdout.startswith(f"{other}:1: ")
    assert kiro("agents", "validate", str(path), "worse").stdout.count("\n") == 2


def test_a_configuration_of_the_user_is_validated_from_any_folder(kiro, own):
    path = own("docs", {"name": "docs", "model": 5})
    assert kiro("agents", "validate", str(path), "--cwd", "/").stdout.startswith(f"{path}:1: model: ")


def test_two_files_of_one_name_are_a_problem_of_the_second(kiro, write):
    write("a", {"name": "same"})
    second = write("b", {"name": "same"})
    told = kiro("agents", "validate", "same", str(second))
    assert told.returncode == 1
    assert told.stdout.startswith(f"{second}:2: name: ")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("nobody", "no agent configuration has this name"),
        ("none.json", "there is no such file"),
        ("stray.json", "no agent source reads this file"),
    ],
)
def test_what_is_no_configuration_is_a_problem(kiro, tmp_path, written, reason):
    (tmp_path / "stray.json").write_text("{}")
    told = kiro("agents", "validate", written)
    assert told.returncode == 1
    assert reason in told.stdout
