"""The source `kiro` reads folders that people edit by hand and that strangers may have written."""

import hashlib
import json
import os

import anyio
import pytest

import kiro_agents
from kiro_core.errors import AgentConfigInvalid


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "project"


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home" / ".kiro"


@pytest.fixture
async def source(home):
    (provider,) = kiro_agents.kiro_agents()
    async with provider.open(provider.options(home=home)) as opened:
        yield opened


def write(root, file, content):
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def of_folder(folder, file, content):
    return write(folder / ".kiro" / "agents", file, content)


def of_user(home, file, content):
    return write(home / "agents", file, content)


async def test_no_folder_at_all_means_no_configuration_and_no_problem(source, folder):
    assert await source.find("any", folder) is None
    assert await source.names(folder) == []
    assert await source.problems(folder) == []


async def test_a_configuration_has_its_used_fields_and_keeps_the_rest_as_written(source, folder, home):
    written = {
        "name": "review",
        "description": "Reads.",
        "prompt": "Be kind.",
        "model": "m1",
        "tools": ["*"],
        "x": None,
    }
    path = of_user(home, "a.json", written)
    config = await source.find("review", folder)
    assert (config.name, config.description, config.prompt, config.model) == ("review", "Reads.", "Be kind.", "m1")
    assert (config.fields, config.origin, config.withheld, config.workspace) == (written, str(path), (), "")
    assert config.digest == hashlib.sha256(path.read_bytes()).hexdigest()


async def test_a_file_without_a_name_is_called_as_its_file_and_null_is_as_good_as_absent(source, folder, home):
    of_user(home, "plain.v2.json", b'\xef\xbb\xbf{"name": null, "model": null, "prompt": null}')
    config = await source.find("plain.v2", folder)
    assert (config.name, config.model, config.prompt) == ("plain.v2", "", "")


async def test_the_folder_goes_before_the_user_with_a_warning(source, folder, home):
    of_user(home, "same.json", {"prompt": "user"})
    of_user(home, "own.json", {"description": "Mine."})
    path = of_folder(folder, "same.json", {"prompt": "folder"})
    assert (await source.find("same", folder)).prompt == "folder"
    assert [(a.name, a.description) for a in await source.names(folder)] == [("same", ""), ("own", "Mine.")]
    assert (await source.names(folder))[0].origin == str(path)
    (problem,) = await source.problems(folder)
    assert (problem.path, problem.field, problem.severity) == (path, "name", "warning")
    assert str(home / "agents" / "same.json") in problem.reason


async def test_the_first_of_two_files_with_one_name_counts_and_the_second_is_a_problem(source, folder, home):
    of_user(home, "b.json", {"name": "twin", "prompt": "second"})
    of_user(home, "a.json", {"name": "twin", "prompt": "first"})
    assert (await source.find("twin", folder)).prompt == "first"
    (problem,) = await source.problems(folder)
    assert (problem.path.name, problem.field) == ("b.json", "name")
    assert "a.json" in problem.reason


async def test_only_documents_count_and_symbolic_links_are_followed(source, folder, home, tmp_path):
    target = write(tmp_path / "dotfiles", "real", {"prompt": "linked"})
    of_user(home, "notes.md", b"A text that somebody keeps here.")
    of_user(home, "notes.txt", b"{}")
    (home / "agents" / "link.json").symlink_to(target)
    assert [agent.name for agent in await source.names(folder)] == ["link"]
    assert (await source.find("link", folder)).prompt == "linked"
    assert await source.problems(folder) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{\n  "name": oops}', ("", "line 2, column 11")),
        (b"", ("", "line 1, column 1")),
        (b"[]", ("", "not a JSON object")),
        (b'{"x": NaN}', ("", "JSON cannot")),
        (b'{"x": "\\ud800"}', ("", "JSON cannot")),
        (b"[" * 200_000, ("", "JSON cannot")),
        (b'{"name": "\xff"}', ("", "not UTF-8 at byte 10")),
        (b'{"name": "' + b"x" * (1 << 20) + b'"}', ("", "larger than 1048576 bytes")),
        (b'{"name": " "}', ("name", "at least 1 character")),
        (b'{"name": 7}', ("name", "valid string")),
        (b'{"model": ["m"]}', ("model", "valid string")),
        (b'{"systemPrompt": {}}', ("systemPrompt", "valid string")),
        (b'{"model": "a", "model": "b"}', ("model", "stands there twice")),
        (b'{"name": "a\\nb"}', ("name", "one line")),
    ],
)
async def test_a_broken_file_is_told_with_field_and_reason_and_the_others_load(source, folder, home, content, told):
    field, reason = told
    path = of_user(home, "broken.json", content)
    of_user(home, "good.json", {})
    assert [agent.name for agent in await source.names(folder)] == ["good"]
    (problem,) = await source.problems(folder)
    assert (problem.path, problem.field) == (path, field)
    assert reason in problem.reason
    with pytest.raises(AgentConfigInvalid) as caught:
        await source.find("broken", folder)
    told = {"path": str(path), "field": field, "reason": problem.reason, "line": problem.line}
    assert caught.value.details == told
    assert str(caught.value).endswith(".")
    assert caught.value.hint


async def test_every_wrong_field_of_a_file_is_told(source, folder, home):
    of_user(home, "wrong.json", {"description": 1, "model": 2})
    assert [problem.field for problem in await source.problems(folder)] == ["description", "model"]


async def test_a_broken_file_of_the_folder_is_never_replaced_by_the_users(source, folder, home):
    of_user(home, "strict.json", {"prompt": "mine"})
    of_folder(folder, "strict.json", b"{")
    with pytest.raises(AgentConfigInvalid):
        await source.find("strict", folder)
    assert await source.names(folder) == []


async def test_a_broken_file_is_known_by_its_name_where_that_can_be_read(source, folder, home):
    of_user(home, "file.json", {"name": "inner", "model": 1})
    assert await source.find("file", folder) is None
    with pytest.raises(AgentConfigInvalid):
        await source.find("inner", folder)


async def test_what_is_no_regular_file_is_told_and_never_waited_for(source, folder, home):
    of_user(home, "good.json", {})
    os.mkfifo(home / "agents" / "pipe.json")
    (home / "agents" / "folder.json").mkdir()
    (home / "agents" / "loop.json").symlink_to("loop.json")
    (home / "agents" / "nowhere.json").symlink_to("missing")
    with anyio.fail_after(10):
        problems = {problem.path.name: problem.reason for problem in await source.problems(folder)}
    assert sorted(problems) == ["loop.json", "nowhere.json", "pipe.json"]
    assert "not a regular file" in problems["pipe.json"]
    assert [agent.name for agent in await source.names(folder)] == ["good"]


async def test_a_file_in_place_of_the_folder_is_told(source, folder):
    path = write(folder / ".kiro", "agents", b"")
    (problem,) = await source.problems(folder)
    assert problem.path == path
    assert "cannot be listed" in problem.reason


async def test_a_file_name_that_cannot_be_shown_is_left_out_and_told_in_printable_text(source, folder):
    of_folder(folder, "\x1b[2J.json", {})
    assert await source.names(folder) == []
    (problem,) = await source.problems(folder)
    assert str(problem).isprintable()


@pytest.mark.parametrize("field", ["prompt", "systemPrompt"])
async def test_what_a_document_refers_to_is_not_read(source, folder, home, field):
    write(home / "agents", "prompt.md", b"text")
    of_user(home, "a.json", {field: "file://prompt.md", "resources": ["file:///dev/zero"]})
    config = await source.find("a", folder)
    assert (config.prompt, config.resources) == ("file://prompt.md", ())
    assert await source.problems(folder) == []


async def test_the_prompt_goes_before_its_old_name_and_that_is_told(source, folder, home):
    of_user(home, "a.json", {"prompt": "new", "systemPrompt": "old"})
    assert (await source.find("a", folder)).prompt == "new"
    (problem,) = await source.problems(folder)
    assert (problem.field, problem.severity) == ("systemPrompt", "warning")


async def test_a_document_of_the_folder_is_given_whole_and_says_where_it_belongs(source, folder, home):
    fields = {"mcpServers": {"s": {"command": "evil"}}, "hooks": {"stop": [{"command": "evil"}]}, "tools": ["*"]}
    of_folder(folder, "a.json", fields)
    of_user(home, "b.json", fields)
    assert (await source.find("a", folder)).fields == fields
    assert {agent.name: agent.workspace for agent in await source.names(folder)} == {"a": str(folder), "b": ""}


async def test_a_markdown_document_has_its_fields_in_front_and_its_prompt_below(source, folder):
    path = of_folder(folder, "review.md", b"---\ndescription: Reads.\ntools: [read]\n---\n\nBe kind.\n")
    config = await source.find("review", folder)
    assert (config.prompt, config.description, config.origin) == ("Be kind.", "Reads.", str(path))
    assert config.fields == {"description": "Reads.", "tools": ["read"], "prompt": "Be kind."}


async def test_a_folder_below_is_a_part_of_the_name(source, folder, home):
    of_user(home, "team/planner.md", b"---\nmodel: m\n---\n")
    of_user(home, "team/named.json", {"name": "own"})
    of_user(home, ".hidden/no.json", {})
    assert [agent.name for agent in await source.names(folder)] == ["own", "team/planner"]


async def test_a_link_to_a_folder_is_not_followed_so_that_no_loop_is_walked(source, folder):
    of_folder(folder, "a.json", {})
    (folder / ".kiro" / "agents" / "again").symlink_to(folder / ".kiro" / "agents")
    assert [agent.name for agent in await source.names(folder)] == ["a"]


async def test_no_more_than_a_bounded_number_of_documents_is_read(source, folder, monkeypatch):
    monkeypatch.setattr("kiro_agents.folders.MAX_FILES", 2)
    for name in "abc":
        of_folder(folder, f"{name}.json", {})
    assert [agent.name for agent in await source.names(folder)] == ["a", "b"]
    (problem,) = await source.problems(folder)
    assert "more than 2" in problem.reason


async def test_the_older_folders_count_only_where_there_is_no_newer_one(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KIRO_HOME", raising=False)
    write(folder / ".amazonq" / "cli-agents", "old.json", {})
    write(tmp_path / ".aws" / "amazonq" / "cli-agents", "older.json", {})
    (provider,) = kiro_agents.kiro_agents()
    async with provider.open(provider.options()) as source:
        assert [agent.name for agent in await source.names(folder)] == ["old", "older"]
        of_folder(folder, "new.json", {})
        of_user(tmp_path / ".kiro", "newer.json", {})
        assert [agent.name for agent in await source.names(folder)] == ["new", "newer"]
    async with provider.open(provider.options(home=tmp_path / "elsewhere")) as source:
        assert [agent.name for agent in await source.names(folder)] == ["new"]


async def test_in_the_home_folder_the_agents_are_the_users_own(source, home):
    of_user(home, "a.json", {"hooks": {"stop": [{"command": "mine"}]}})
    assert (await source.find("a", home.parent)).workspace == ""
    assert len(await source.names(home.parent)) == 1


async def test_the_users_folder_follows_the_environment(folder, tmp_path, monkeypatch):
    (provider,) = kiro_agents.kiro_agents()
    for variable, value, home in (("HOME", tmp_path / "h", tmp_path / "h/.kiro"), ("KIRO_HOME", tmp_path / "k", None)):
        monkeypatch.delenv("KIRO_HOME", raising=False)
        monkeypatch.setenv(variable, str(value))
        of_user(home or value, "a.json", {"prompt": variable})
        async with provider.open(provider.options()) as source:
            assert (await source.find("a", folder)).prompt == variable


async def test_a_changed_file_counts_at_the_next_question(source, folder, home):
    of_user(home, "a.json", {"prompt": "one"})
    assert (await source.find("a", folder)).prompt == "one"
    of_user(home, "a.json", {"prompt": "two"})
    assert (await source.find("a", folder)).prompt == "two"
