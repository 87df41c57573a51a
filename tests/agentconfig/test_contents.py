"""What a configuration refers to becomes a part of it, and nothing that it may not refer to."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiro_core.agentconfig import BUILT_IN, contents, load, needs_trust, preface, read_contents, referring
from kiro_core.agentconfig.referring import budget, files_of


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "project" / ".kiro" / "agents").mkdir(parents=True)
    return tmp_path / "project"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIRO_HOME", str(tmp_path / "home" / ".kiro"))
    (tmp_path / "home" / ".kiro" / "agents").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def of_folder(folder):
    """Write and load a document of the folder."""

    def loaded(**fields):
        path = folder / ".kiro" / "agents" / "a.json"
        path.write_text(json.dumps(fields, indent=1))
        return load(path, str(folder)).config

    return loaded


@pytest.fixture
def of_user(home):
    """Write and load a document of the user."""

    def loaded(**fields):
        path = home / ".kiro" / "agents" / "a.json"
        path.write_text(json.dumps(fields, indent=1))
        return load(path).config

    return loaded


def put(path, text="text"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def texts(config, cwd):
    return [resource.text for resource in read_contents(config, cwd)[0].resources]


@pytest.mark.parametrize("field", ["prompt", "systemPrompt"])
def test_a_prompt_may_stand_in_a_file_beside_the_configuration(of_folder, folder, field):
    put(folder / ".kiro" / "agents" / "text" / "prompt.md", "Grüße.\n")
    config = of_folder(**{field: "file://./text/prompt.md"})
    assert read_contents(config, folder) == (replace(config, prompt="Grüße.\n", resources=[]), [])


def test_a_prompt_file_may_be_absolute_below_the_home_folder_or_named_by_a_variable(of_user, home, folder, monkeypatch):
    put(home / "prompt.md", "mine")
    monkeypatch.setenv("PROMPTS", str(home))
    for uri in (
        f"file://{home}/prompt.md",
        "file://~/prompt.md",
        "file://$PROMPTS/prompt.md",
        "file://${HOME}/prompt.md",
    ):
        assert read_contents(of_user(prompt=uri), folder)[0].prompt == "mine"


@pytest.mark.parametrize(
    "uri",
    [
        "file://missing.md",
        "file://",
        "file://a\0b",
        "file://~nobody-of-that-name/x",
        "file://$UNSET_9/x",
        "file:///dev/zero",
    ],
)
def test_a_prompt_file_that_cannot_be_read_means_no_prompt_and_a_warning_with_its_line(of_user, folder, uri):
    config, problems = read_contents(of_user(model="m", prompt=uri), folder)
    assert (config.prompt, config.model) == ("", "m")
    (problem,) = problems
    assert (problem.path, problem.field, problem.line) == (Path(config.origin), "prompt", 3)
    assert problem.severity == "warning"


def test_a_pipe_is_never_waited_for(of_folder, folder):
    os.mkfifo(folder / "pipe.md")
    config, (problem,) = read_contents(of_folder(resources=["file://pipe.md"]), folder)
    assert config.resources == []
    assert "not a regular file" in problem.reason


def test_resources_are_read_from_the_working_directory_sorted_and_once(of_folder, folder):
    for name in ("docs/b.md", "docs/a.md", "docs/deep/c.md", "docs/.hidden.md", "docs/.git/d.md", "docs/e.txt"):
        put(folder / name, name)
    config = of_folder(resources=["file://docs/**/*.md", "file://docs/a.md", "file://./docs/?.txt"])
    read, problems = read_contents(config, folder)
    assert [resource.text for resource in read.resources] == ["docs/a.md", "docs/b.md", "docs/deep/c.md", "docs/e.txt"]
    assert read.resources[0].uri == (folder / "docs" / "a.md").as_uri()
    assert problems == []


def test_the_users_own_resources_are_those_of_the_folder_in_which_one_works(of_user, folder, tmp_path):
    put(folder / "README.md", "project")
    put(tmp_path / "other" / "README.md", "other")
    config = of_user(resources=["file://README.md"])
    assert texts(config, folder) == ["project"]
    assert texts(config, tmp_path / "other") == ["other"]


def test_a_pattern_that_matches_nothing_is_no_problem_but_a_missing_file_is(of_folder, folder):
    put(folder / "file.md")
    config = of_folder(resources=["file://docs/**/*.md", "file://file.md/*", "file://missing.md"])
    assert [problem.field for problem in read_contents(config, folder)[1]] == ["resources.2"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**", ["a.md", "d/b.md", "d/e/c.txt"]),
        ("**/c.txt", ["d/e/c.txt"]),
        ("d/**/*.txt", ["d/e/c.txt"]),
        ("*/b.*", ["d/b.md"]),
        (".?/*", [".x/y.md"]),
        ("[a].md", []),
        ("d/*/../b.md", ["d/e/../b.md"]),
    ],
)
def test_globs_match_as_documented(tmp_path, pattern, found):
    for name in ("a.md", "d/b.md", "d/e/c.txt", ".x/y.md"):
        put(tmp_path / name)
    if "[" in pattern:
        assert files_of(f"file://{pattern}", tmp_path, budget()) == [tmp_path / "[a].md"]
    else:
        assert files_of(f"file://{pattern}", tmp_path, budget()) == [tmp_path / name for name in found]


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(referring, "MAX_LOOKED_AT", 100)


parts = st.sampled_from(["..", ".", "**", "*", "a?", "a", ".x", "~", "~nobody-9", "$HOME", "$UNSET_9", "\0", "y" * 300])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["file://", "skill://"]), st.lists(parts, max_size=70).map("/".join))
def test_any_uri_is_read_or_told_and_never_a_failure(of_folder, folder, few, scheme, path):
    config = of_folder(prompt="file://" + path, resources=[scheme + path])
    assert {"prompt", "resources"} >= {*needs_trust(config)}
    read, problems = read_contents(config, folder)
    assert (read.prompt, {problem.severity for problem in problems} <= {"warning"}) == ("", True)


def test_a_loop_of_links_is_not_walked(of_folder, folder):
    put(folder / "docs" / "a.md", "a")
    (folder / "docs" / "again").symlink_to(folder / "docs")
    assert texts(of_folder(resources=["file://docs/**/*.md"]), folder) == ["a"]


def test_a_pattern_that_looks_at_too_much_is_told_and_left_out(of_folder, folder, monkeypatch):
    monkeypatch.setattr(referring, "MAX_LOOKED_AT", 10)
    for number in range(20):
        put(folder / "docs" / f"{number}.md")
    config, (problem,) = read_contents(of_folder(resources=["file://docs/*.md"]), folder)
    assert config.resources == []
    assert "more than 10" in problem.reason


def test_what_all_patterns_look_at_is_bounded_and_what_was_not_looked_at_needs_trust(of_folder, folder, monkeypatch):
    monkeypatch.setattr(referring, "MAX_LOOKED_AT", 10)
    for number in range(6):
        put(folder / "docs" / f"{number}.md")
    once, often = of_folder(resources=["file://docs/*.md"]), of_folder(resources=["file://docs/*.md"] * 100)
    assert (needs_trust(once), needs_trust(often)) == ((), ("resources",))
    read, problems = read_contents(often, folder)
    assert (len(read.resources), len(problems)) == (6, 50)


def test_resources_are_bounded_one_by_one_and_together(of_folder, folder, monkeypatch):
    monkeypatch.setattr(contents, "MAX_FILE_BYTES", 10)
    monkeypatch.setattr(contents, "MAX_BYTES", 15)
    for name, size in {"a": 9, "b": 11, "c": 6, "d": 1}.items():
        put(folder / name, name * size)
    read, problems = read_contents(of_folder(resources=[f"file://{name}" for name in "abcd"]), folder)
    assert [resource.text for resource in read.resources] == ["a" * 9, "c" * 6]
    assert [problem.field for problem in problems] == ["resources.1", "resources.3"]


SKILL = "---\nname: backend\ndescription: |\n  Patterns of\n  the backend.\n---\n\nThe body.\n"


def test_of_a_skill_only_its_name_and_description_are_told_and_where_the_rest_is(of_folder, folder):
    path = put(folder / ".kiro" / "skills" / "backend" / "SKILL.md", SKILL)
    put(folder / ".kiro" / "skills" / "broken" / "SKILL.md", "no front matter")
    for uri in ("skill://.kiro/skills/*/SKILL.md", "skill://backend", "skill://.kiro/skills/backend"):
        read, _ = read_contents(of_folder(resources=[uri]), folder)
        (skill,) = read.resources
        assert (skill.skill, skill.text, skill.uri) == ("backend", "Patterns of the backend.", path.as_uri())
    assert (
        "no front matter"
        in read_contents(of_folder(resources=["skill://.kiro/skills/*/SKILL.md"]), folder)[1][0].reason
    )


def test_a_skill_of_the_user_is_found_by_its_name(of_user, home, folder):
    put(home / ".kiro" / "skills" / "own" / "SKILL.md", "---\ndescription: Mine.\n---\n")
    (skill,) = read_contents(of_user(resources=["skill://own"]), folder)[0].resources
    assert (skill.skill, skill.text) == ("own", "Mine.")


def test_the_preface_is_the_prompt_then_the_resources_then_the_skills(of_folder, folder):
    put(folder / "a b.md", "one")
    put(folder / ".kiro" / "skills" / "backend" / "SKILL.md", SKILL)
    config, _ = read_contents(of_folder(prompt="Be kind.", resources=["skill://backend", "file://a b.md"]), folder)
    uri = (folder / "a b.md").as_uri()
    assert preface(config).split("\n\n") == [
        "Be kind.",
        f'<resource uri="{uri}">\none\n</resource>',
        (
            "These skills are there. Before you do what one is for, read its file:\n"
            f"- backend: Patterns of the backend. ({folder}/.kiro/skills/backend/SKILL.md)"
        ),
    ]
    assert preface(BUILT_IN) == ""


def test_a_link_in_the_folder_does_not_make_the_users_own_configuration_read_another_file(of_user, folder, tmp_path):
    put(tmp_path / "secret", "secret")
    (folder / "README.md").symlink_to(tmp_path / "secret")
    (folder / "inside.md").symlink_to(put(folder / "real.md", "real"))
    read, problems = read_contents(of_user(resources=["file://*.md"]), folder)
    assert [resource.text for resource in read.resources] == ["real", "real"]
    assert ["link out of the folder" in problem.reason for problem in problems] == [True]
    assert texts(of_user(resources=["file://../secret"]), folder) == ["secret"]


NEEDING = [
    ({"mcpServers": {"x": {"command": "y"}}}, "mcpServers"),
    ({"hooks": {"stop": [{"command": "x"}]}}, "hooks"),
    ({"hooks": {"unheardOf": [{"command": "x"}]}}, "hooks"),
    ({"allowedTools": ["read"]}, "allowedTools"),
    ({"toolsSettings": {"fs_write": {"allowedPaths": ["x"]}}}, "toolsSettings"),
    ({"toolsSettings": {"shell": {"allowedCommands": ["x"]}}}, "toolsSettings"),
    ({"toolsSettings": {"aws": {"allowedServices": ["x"]}}}, "toolsSettings"),
    ({"toolsSettings": {"shell": {"autoAllowReadonly": True}}}, "toolsSettings"),
    ({"toolsSettings": {"shell": {"allowReadOnly": True}}}, "toolsSettings"),
    ({"toolsSettings": {"shell": {"deniedCommands": ["rm .*"]}}}, "toolsSettings"),
    ({"toolsSettings": {"web_fetch": {"trusted": [".*"]}}}, "toolsSettings"),
    ({"toolsSettings": {"web_fetch": {"blocked": ["evil"]}}}, "toolsSettings"),
    ({"toolsSettings": {"use_aws": {}}}, "toolsSettings"),
    ({"toolsSettings": {"aws": {"deniedServices": ["iam"]}}}, "toolsSettings"),
    ({"toolsSettings": {"aws": {"autoAllowReadonly": None}}}, "toolsSettings"),
    ({"toolsSettings": {"read": {"allowReadOnly": True}}}, "toolsSettings"),
    ({"toolsSettings": {"crew": {"trustedAgents": ["x"]}}}, "toolsSettings"),
    ({"permissions": {"rules": [{"capability": "shell", "effect": "allow"}]}}, "permissions"),
    ({"permissions": [{"capability": "shell", "effect": "allow"}]}, "permissions"),
    ({"prompt": "file://../../../secret"}, "prompt"),
    ({"prompt": "file:///etc/hosts"}, "prompt"),
    ({"prompt": "file://~/secret"}, "prompt"),
    ({"prompt": "file://$HOME/secret"}, "prompt"),
    ({"prompt": "file://link"}, "prompt"),
    ({"systemPrompt": "file:///etc/hosts"}, "systemPrompt"),
    ({"resources": ["file://../secret"]}, "resources"),
    ({"resources": ["file:///etc/host*"]}, "resources"),
    ({"resources": ["file://linked.md"]}, "resources"),
    ({"resources": ["file://*.md"]}, "resources"),
    ({"resources": ["file://away/x.md"]}, "resources"),
    ({"resources": ["file://**/../../secret"]}, "resources"),
    ({"resources": ["skill://~/skills/*/SKILL.md"]}, "resources"),
    ({"resources": ["skill://own"]}, "resources"),
    ({"resources": [{"type": "knowledgeBase", "name": "x", "source": "file:///etc"}]}, "resources"),
]


@pytest.fixture
def links(folder, tmp_path, home):
    put(tmp_path / "secret")
    put(tmp_path / "elsewhere" / "x.md")
    put(home / ".kiro" / "skills" / "own" / "SKILL.md", SKILL)
    (folder / ".kiro" / "agents" / "link").symlink_to(tmp_path / "secret")
    (folder / "linked.md").symlink_to(tmp_path / "secret")
    (folder / "away").symlink_to(tmp_path / "elsewhere")


@pytest.mark.parametrize(("fields", "field"), NEEDING, ids=[json.dumps(fields)[:60] for fields, _ in NEEDING])
def test_a_folders_document_needs_trust_for_what_it_starts_allows_or_reads_elsewhere(
    of_folder, of_user, links, fields, field
):
    assert needs_trust(of_folder(description="x", **fields)) == (field,)
    assert needs_trust(of_user(**fields)) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "x", "prompt": "Do.", "model": "m", "tools": ["*"], "excludedTools": ["shell"]},
        {
            "mcpServers": {},
            "hooks": {"stop": []},
            "allowedTools": [],
            "toolsSettings": {},
            "permissions": {"rules": []},
        },
        {
            "toolsSettings": {
                "shell": {"denyByDefault": True, "autoAllowReadonly": False},
                "read": {"deniedPaths": ["x"]},
            }
        },
        {"toolsSettings": {"aws": {"deniedServices": ["iam"], "autoAllowReadonly": False}}},
        {"toolsSettings": {"shell": {"autoAllowReadonly": True}, "execute_bash": {"allowReadOnly": False}}},
        {"permissions": [{"capability": "shell", "effect": "deny"}, {"capability": "all", "effect": "ask"}]},
        {"prompt": "file://../../docs/prompt.md", "resources": ["file://docs/**/*.md", "skill://nobody"]},
        {"includeMcpJson": True},
    ],
)
def test_what_restricts_or_stays_inside_needs_no_trust(of_folder, links, fields):
    assert needs_trust(of_folder(**fields)) == ()


def test_an_absolute_path_that_is_inside_needs_no_trust(of_folder, folder):
    assert needs_trust(of_folder(prompt=f"file://{folder}/docs/prompt.md")) == ()


def test_a_document_that_is_itself_a_link_out_of_the_folder_needs_trust_for_all_that_it_says(
    of_folder, folder, tmp_path
):
    config = of_folder(prompt="Mine.")
    elsewhere = put(tmp_path / "elsewhere.json", Path(config.origin).read_text())
    Path(config.origin).unlink()
    Path(config.origin).symlink_to(elsewhere)
    assert needs_trust(config) == ("prompt",)


def test_fields_that_are_not_of_the_format_count_as_the_worst_that_they_could_be(of_folder):
    config = replace(of_folder(), fields={"permissions": "allow everything", "tools": 1})
    assert needs_trust(config) == ("permissions", "tools")
