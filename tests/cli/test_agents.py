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
    assert told["values"]["description"] == {"value": "Looks.", "origin": f"{path}:2"}
    assert told["values"]["prompt"] == {"value": "file://p.md", "origin": f"{path}:3"}
    assert told["values"]["tools"] == {"value": ["*"], "origin": "default"}
    assert told["values"]["engine"] == {"value": "mem", "origin": f"agent_engines.review in {home / 'kiro.toml'}"}
    assert (told["prompt"], told["problems"]) == ("Be kind.\n", [])
    shown = kiro("agents", "show", "review").stdout
    assert "not used before that, because of: mcpServers\n" in shown
    assert shown.endswith("\nprompt:\nBe kind.\n\n")


def test_the_resources_that_were_found_are_shown_with_where_they_are(kiro, write, tmp_path):
    (tmp_path / "notes.md").write_text("Six.\n")
    skill = tmp_path / ".kiro" / "skills" / "deploy" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("---\ndescription: To the cloud.\n---\n")
    write("review", {"resources": ["file://*.md", "skill://deploy", "file://none.txt"]})
    told = kiro("agents", "show", "review")
    assert [line.split() for line in told.stdout.splitlines()[-2:]] == [
        ["file", "5", "characters", (tmp_path / "notes.md").as_uri()],
        ["deploy", "To", "the", "cloud.", skill.as_uri()],
    ]
    assert "warning: resources.2: " in told.stderr


def test_what_may_be_secret_of_a_server_is_shown_as_names(kiro, own):
    server = {
        "command": "x",
        "env": {"TOKEN": "hush"},
        "headers": {"Authorization": "hush"},
        "oauth": {"clientSecret": "hush"},
    }
    own("docs", {"mcpServers": {"s": server, "broken": "hush?"}})
    for arguments in ((), ("--json",)):
        told = kiro("agents", "show", "docs", *arguments)
        assert "TOKEN" in told.stdout
        assert '"hush"' not in told.stdout + told.stderr


def test_nothing_outside_of_an_untrusted_folder_is_read_to_show_or_to_check_it(kiro, write, tmp_path):
    outside = tmp_path.parent / "outside.md"
    outside.write_text("secret")
    write("review", {"prompt": f"file://{outside}", "resources": [f"file://{outside}"]})
    told = kiro("agents", "show", "review")
    assert "secret" not in told.stdout
    assert "because of: prompt, resources" in told.stdout
    assert kiro("agents", "validate").stdout == ""


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
    assert f"{path}:3: model: " in told.stderr


BROKEN = [
    ('{\n  "name": "x",\n  "description": 7\n}', 3, "description"),
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


DOUBTFUL = [
    ('{\n  "name": "x",\n\n  "prompt":\n "file://none.md"}', 4, "prompt"),
    ('{"name": "x",\n  "resources": [\n"file://none.md"]}', 3, "resources.0"),
    ('{"name": "x",\n  "tols": []}', 2, "tols"),
]


@pytest.mark.parametrize(("text", "line", "field"), DOUBTFUL)
def test_what_is_used_all_the_same_is_a_warning_which_fails_only_a_strict_check(kiro, write, text, line, field):
    path = write("x", text)
    told = kiro("agents", "validate")
    assert (told.returncode, told.stdout.startswith(f"{path}:{line}: warning: {field}: ")) == (0, True)
    assert kiro("agents", "validate", "--strict", "x").returncode == 1
    (problem,) = json.loads(kiro("agents", "validate", "--json", str(path)).stdout)
    assert (problem["severity"], problem["line"], problem["field"]) == ("warning", line, field)


def test_a_document_anywhere_can_be_validated_by_its_path(kiro, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.md").write_text("---\nmodel: 5\n---\n")
    told = kiro("agents", "validate", "templates/x.md")
    assert told.returncode == 1
    assert told.stdout.startswith(f"{tmp_path}/templates/x.md:2: model: should be a valid string.\n")


def test_a_document_of_a_folder_below_is_validated_by_path_and_by_name(kiro, write):
    (write("a", {}).parent / "team").mkdir()
    path = write("team/planner", {"model": 5})
    for named in (str(path), ".kiro/agents/team/planner.json", "team/planner"):
        assert kiro("agents", "validate", named).stdout.startswith(f"{path}:2: model: ")


def test_the_schema_is_one_that_editors_take(kiro):
    schema = json.loads(kiro("agents", "schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"name", "prompt", "mcpServers", "hooks", "permissions"} <= set(schema["properties"])


def test_what_is_created_is_valid_and_is_there(kiro, tmp_path, home):
    told = kiro("agents", "create", "review", "--description", "Looks.", "--prompt", "Be kind.", "--model", "m1")
    path = tmp_path / ".kiro" / "agents" / "review.json"
    assert (told.returncode, told.stdout) == (0, f"{path}\n")
    assert json.loads(path.read_text()) == {
        "name": "review",
        "description": "Looks.",
        "prompt": "Be kind.",
        "tools": ["*"],
        "allowedTools": [],
        "resources": [],
        "model": "m1",
    }
    assert kiro("agents", "validate", "--strict").returncode == 0
    assert json.loads(kiro("agents", "list", "--json").stdout)["agents"][0]["withheld"] == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_created_in_markdown_has_its_prompt_as_text(kiro, home):
    path = home / "agents" / "docs.md"
    assert kiro("agents", "create", "docs", "--global", "--md", "--prompt", "Be kind.").stdout == f"{path}\n"
    assert path.read_text().endswith("---\n\nBe kind.\n")
    assert json.loads(kiro("agents", "show", "docs", "--json").stdout)["prompt"] == "Be kind."


def test_one_may_begin_with_another_whose_prompt_file_stays_found(kiro, write, home):
    path = write("review", {"prompt": "file://p.md", "tools": ["read"], "own": 1})
    (path.parent / "p.md").write_text("Be kind.")
    assert kiro("agents", "create", "mine", "--global", "--from", "review", "--model", "m1").returncode == 0
    fields = {"prompt": f"file://{path.parent}/p.md", "tools": ["read"], "own": 1, "name": "mine", "model": "m1"}
    assert json.loads((home / "agents" / "mine.json").read_text()) == fields
    assert kiro("agents", "create", "again", "--from", "review").returncode == 0
    assert json.loads((path.parent / "again.json").read_text())["prompt"] == "file://p.md"
    assert kiro("agents", "create", "other", "--from", "kiro_default").returncode == 0


def test_nothing_that_is_there_is_written_over(kiro, write):
    taken = write("file", {"name": "called"})
    before = taken.read_text()
    for name in ("file", "called"):
        for option in ((), ("--md",)):
            told = kiro("agents", "create", name, *option)
            assert (told.returncode, told.stdout) == (1, "")
            assert str(taken) in told.stderr
    assert [path.name for path in taken.parent.iterdir()] == ["file.json"]
    assert taken.read_text() == before


@pytest.mark.parametrize("name", ["../up", ".hidden", " ", "a\nb"])
def test_a_name_that_is_no_file_name_is_refused(kiro, tmp_path, name):
    told = kiro("agents", "create", name)
    assert (told.returncode, "cannot be the name of a file" in told.stderr) == (1, True)
    assert not (tmp_path / ".kiro").exists()


def test_one_cannot_begin_with_a_configuration_that_nobody_knows(kiro, tmp_path):
    assert kiro("agents", "create", "new", "--from", "none").returncode == 4
    assert not (tmp_path / ".kiro").exists()


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
    ("written", "reason", "code"),
    [
        ("nobody", "no agent configuration has this name", 1),
        ("none.json", "there is no such file", 1),
        ("stray.json", "warning: no agent source reads this file", 0),
        ("./stray.txt", "is not JSON", 1),
    ],
)
def test_what_is_no_configuration_is_a_problem(kiro, tmp_path, written, reason, code):
    (tmp_path / "stray.json").write_text("{}")
    (tmp_path / "stray.txt").write_text("text")
    told = kiro("agents", "validate", written)
    assert told.returncode == code
    assert reason in told.stdout
