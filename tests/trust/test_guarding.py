"""What a folder brings along starts nothing, allows nothing and reads nothing outside before its user agreed."""

import os
import shutil

import pytest
import workspaces
from workspaces import SECRET, UNTRUSTED, UNUSABLE

from kiro_core.agentconfig import BUILT_IN
from kiro_core.errors import AgentUntrusted
from kiro_core.mcp_servers import merged
from kiro_core.trust import document_of, refusal, survey


@pytest.mark.parametrize("name", UNTRUSTED)
async def test_what_nobody_agreed_to_is_not_used_at_all(tmp_path, choose, trust, sources, name):
    given = workspaces.build(tmp_path, name)
    resolved, used = await choose(given.folder, given.agent)
    (document,) = resolved.untrusted
    assert set(given.fields) <= set(resolved.config.withheld)
    assert (resolved.found, resolved.asked) == (False, given.agent)
    assert (used.name, used.prompt, used.resources, used.workspace) == ("kiro_default", "", [], "")
    assert used.fields == BUILT_IN.fields
    assert any("is not used, since its folder is not trusted" in str(problem) for problem in resolved.problems)
    assert document.starts
    assert not given.witness.exists()
    trust.grant(str(given.folder), await survey(sources, given.folder))
    resolved, used = await choose(given.folder, given.agent)
    assert (resolved.found, resolved.untrusted, used.name) == (True, (), given.agent)
    if "prompt" in given.fields or "resources" in given.fields:
        assert SECRET in used.prompt + str(used.resources)


@pytest.mark.parametrize("name", UNTRUSTED)
async def test_who_is_asked_is_told_no_secret_of_the_user(tmp_path, choose, name):
    given = workspaces.build(tmp_path, name)
    resolved, _ = await choose(given.folder, given.agent)
    shown = repr((resolved.untrusted, resolved.problems, refusal(resolved).details))
    assert SECRET not in shown


@pytest.mark.parametrize("name", UNUSABLE)
async def test_a_file_that_cannot_be_read_stops_nobody(workspace, choose, sources, name, request):
    if name == "unreadable file":
        request.getfixturevalue("unprivileged")
    UNUSABLE[name](workspace)
    resolved, used = await choose(workspace.folder)
    assert (resolved.found, used.name, resolved.untrusted) == (False, "kiro_default", ())
    assert resolved.problems
    assert await survey(sources, workspace.folder) == []


async def test_fields_that_nobody_knows_start_nothing_and_need_no_trust(workspace, choose):
    workspaces.engine_override(workspace)
    resolved, used = await choose(workspace.folder)
    assert (resolved.found, used.name, resolved.untrusted) == (True, "review", ())
    assert not workspace.witness.exists()


async def test_the_servers_of_the_folder_itself_need_trust_too(workspace, choose, trust, home):
    path = workspaces.mcp_json(workspace)

    def servers(config):
        return merged([], config, workspace.folder, home, trust.trusted, None, {})

    _, used = await choose(workspace.folder, "kiro_default")
    found = servers(used)
    assert (list(found.servers), [document.origin for document in found.untrusted]) == ([], [str(path)])
    trust.grant(str(workspace.folder), found.untrusted)
    assert [server.name for server in servers(used).servers] == ["evil"]
    path.write_text(path.read_text().replace("evil", "worse"))
    assert list(servers(used).servers) == []


async def test_what_only_restricts_or_describes_needs_no_trust(workspace, choose):
    (workspace.folder / "docs").mkdir()
    (workspace.folder / "docs" / "a.md").write_text("ours")
    workspace.write(
        description="Looks.",
        prompt="file://prompt.md",
        model="m",
        tools=["read", "shell"],
        excludedTools=["shell"],
        toolsSettings={"shell": {"denyByDefault": True}, "write": {"deniedPaths": ["secrets"]}},
        permissions={"rules": [{"capability": "shell", "effect": "deny"}, {"capability": "mcp", "effect": "ask"}]},
        resources=["file://docs/*.md"],
        hooks={},
        mcpServers={},
        allowedTools=[],
    )
    (workspace.agents / "prompt.md").write_text("Be kind.")
    resolved, used = await choose(workspace.folder)
    assert (resolved.found, used.name, used.prompt, resolved.untrusted) == (True, "review", "Be kind.", ())
    assert [resource.text for resource in used.resources] == ["ours"]


async def test_the_users_own_configurations_need_no_trust(workspace, choose, home):
    (home / "agents").mkdir(parents=True)
    own = workspace.write(hooks={"stop": [{"command": workspace.command}]})
    shutil.move(own, home / "agents" / "review.json")
    resolved, used = await choose(workspace.folder)
    assert (resolved.found, used.name, resolved.untrusted) == (True, "review", ())


# Whose trust it is, and how long it lasts.


@pytest.fixture
async def trusted(workspace, trust, sources):
    """A folder whose one configuration is trusted."""
    workspaces.trigger(workspace)
    trust.grant(str(workspace.folder), await survey(sources, workspace.folder))
    return workspace


async def is_used(choose, folder, agent="review"):
    resolved, _ = await choose(folder, agent)
    assert resolved.found == (not resolved.untrusted)
    return resolved.found


async def test_what_changed_after_it_was_trusted_is_trusted_no_more(trusted, choose):
    assert await is_used(choose, trusted.folder)
    trusted.write(hooks={"agentSpawn": [{"command": "true"}]})
    assert not await is_used(choose, trusted.folder)
    workspaces.trigger(trusted)
    assert await is_used(choose, trusted.folder)  # these bytes are what the user agreed to


async def test_what_came_after_the_folder_was_trusted_is_not_trusted(trusted, choose):
    trusted.write("other.json", name="other", hooks={"stop": [{"command": trusted.command}]})
    assert not await is_used(choose, trusted.folder, "other")
    assert await is_used(choose, trusted.folder)


async def test_the_same_file_under_another_name_is_not_trusted(trusted, choose):
    (trusted.agents / "review.json").rename(trusted.agents / "moved.json")
    assert not await is_used(choose, trusted.folder)


async def test_a_folder_inside_of_a_trusted_one_is_not_trusted(trusted, choose):
    nested = trusted.folder / "vendor" / "lib"
    shutil.copytree(trusted.folder / ".kiro", nested / ".kiro")
    assert not await is_used(choose, nested)
    assert await is_used(choose, trusted.folder)


async def test_a_copy_of_a_trusted_folder_is_not_trusted(trusted, choose, tmp_path):
    shutil.copytree(trusted.folder, tmp_path / "copy")
    assert not await is_used(choose, tmp_path / "copy")


async def test_another_folder_that_links_to_a_trusted_configuration_is_not_trusted(trusted, choose, tmp_path):
    (tmp_path / "other" / ".kiro").mkdir(parents=True)
    (tmp_path / "other" / ".kiro" / "agents").symlink_to(trusted.agents)
    assert not await is_used(choose, tmp_path / "other")


async def test_a_folder_is_trusted_under_each_of_its_names(trusted, choose, tmp_path):
    (tmp_path / "link").symlink_to(trusted.folder)
    assert await is_used(choose, tmp_path / "link")
    assert await is_used(choose, trusted.folder / ".." / "project")


async def test_a_name_that_leads_to_another_folder_by_now_is_not_trusted(trusted, choose, tmp_path):
    (tmp_path / "link").symlink_to(trusted.folder)
    shutil.copytree(trusted.folder, tmp_path / "copy")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "copy")
    assert not await is_used(choose, tmp_path / "link")


async def test_trust_that_is_withdrawn_is_gone(trusted, choose, trust):
    assert trust.withdraw(str(trusted.folder))
    assert not await is_used(choose, trusted.folder)
    assert not trust.withdraw(str(trusted.folder))


async def test_a_damaged_file_of_trust_trusts_nobody_and_says_so(trusted, choose, trust):
    trust.path.write_text("{")
    resolved, _ = await choose(trusted.folder)
    assert not resolved.found
    told = [str(problem) for problem in resolved.problems if problem.path == trust.path]
    assert len(told) == 1
    assert told[0].endswith("; until it is mended, no folder is trusted")


async def test_one_that_was_required_is_refused_with_what_to_do(workspace, choose):
    workspaces.trigger(workspace)
    resolved, _ = await choose(workspace.folder)
    error = refusal(resolved)
    real = os.path.realpath(workspace.folder)  # noqa: ASYNC240 - a test may wait for its own disk
    assert isinstance(error, AgentUntrusted | PermissionError)
    assert str(error) == f"The agent configuration 'review' is not used, since the folder {real} is not trusted."
    assert f"`kiro-core trust {real}`" in error.hint
    assert error.details["withheld"] == ["hooks"]


# What a person reads before the question.


async def test_a_person_reads_each_thing_that_would_be_started_or_allowed(workspace, sources):
    workspace.write(
        mcpServers={
            "git": {"command": "npx", "args": ["-y", "git mcp"], "env": {"TOKEN": SECRET}},
            "web": {
                "url": f"https://user:{SECRET.replace(' ', '-')}@example.org/mcp?key={SECRET}",
                "headers": {"A": SECRET},
            },
        },
        hooks={"preToolUse": [{"command": "./check.sh --all", "matcher": "shell"}], "stop": [{"command": "notify"}]},
        allowedTools=["shell", "@git/*"],
        toolsSettings={"shell": {"allowedCommands": ["git .*"], "deniedCommands": []}},
        permissions={"rules": [{"capability": "fs_write", "match": ["/etc/**"], "effect": "allow"}]},
        prompt="file:///etc/hostname",
        resources=["file:///etc/passwd"],
    )
    (document,) = await survey(sources, workspace.folder)
    assert sorted(document.starts) == sorted(
        [
            "MCP server git: npx -y git mcp (with TOKEN)",
            "MCP server web: https://example.org/mcp (with A)",
            "trigger preToolUse: ./check.sh --all",
            "trigger stop: notify",
            "tool shell without asking",
            "tool @git/* without asking",
            'tool shell, allowedCommands: ["git .*"]',
            'fs_write without asking: ["/etc/**"]',
            "reads file:///etc/hostname",
            "reads file:///etc/passwd",
        ]
    )


async def test_a_person_is_told_of_a_link_out_of_the_folder(tmp_path, sources):
    given = workspaces.build(tmp_path, "linked agent")
    (document,) = await survey(sources, given.folder)
    assert document.starts == [f"is a link to {(given.outside / 'own.json').resolve()}"]


async def test_nothing_hides_from_the_person(workspace, sources):
    workspace.write(hooks={"stop": [{"command": "true \x1b[2K\u202e\n rm -r ~" + "x" * 600}]})
    (line,) = (await survey(sources, workspace.folder))[0].starts
    assert line.startswith("trigger stop: true \\x1b[2K\\u202e\\n rm -r ~xxx")
    assert line.endswith("… (142 more characters)")
    assert line.isprintable()


async def test_nobody_reads_thousands_of_lines(workspace, sources):
    workspace.write(hooks={"stop": [{"command": f"echo {number}"} for number in range(2000)]})
    starts = (await survey(sources, workspace.folder))[0].starts
    assert (len(starts), starts[99], starts[100]) == (101, "trigger stop: echo 99", "… and 1900 more")


async def test_all_of_a_folder_is_found_once_and_by_its_real_folder(workspace, sources, tmp_path):
    workspaces.trigger(workspace)
    workspace.write("other.json", name="other", mcpServers={"x": {"command": "y"}})
    workspace.write("plain.json", name="plain")
    (workspace.agents / "broken.json").write_text("{")
    (tmp_path / "link").symlink_to(workspace.folder)
    found = await survey([*sources, *sources], tmp_path / "link")
    assert [document.origin.rpartition("/")[2] for document in found] == ["other.json", "review.json"]
    assert {document.folder for document in found} == {str(workspace.folder.resolve())}


def test_what_needs_no_trust_is_no_document():
    assert document_of(BUILT_IN) is None
