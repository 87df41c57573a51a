"""What a host can read, and how it learns that there is something new."""

import json

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, ResourceUpdatedNotification


async def test_a_host_reads_sessions_agents_and_settings(opened_host):
    async with opened_host() as host:
        session = (await host.call("kiro_chat", message="/echo Hello"))["session_id"]
        listed = {str(one.uri) for one in (await host.client.list_resources()).resources}
        assert listed == {"kiro://sessions", "kiro://agents", "kiro://config", f"kiro://sessions/{session}"}
        [template] = (await host.client.list_resource_templates()).resource_templates
        assert template.uri_template == "kiro://sessions/{id}"
        sessions = await host.resource("kiro://sessions")
        assert [one["id"] for one in sessions["sessions"]] == [session]
        assert sessions["active_session_id"] == session
        transcript = (await host.resource(f"kiro://sessions/{session}"))["transcript"]
        assert [one["text"] for one in transcript if one["kind"] == "agent"] == ["Hello"]
        assert "kiro_default" in {one["name"] for one in (await host.resource("kiro://agents"))["agents"]}
        config = await host.resource("kiro://config")
        assert config["mcp"]["chat_wait_s"] == 50
        assert "values" in config["settings"]


@pytest.mark.parametrize("uri", ["kiro://nothing", "kiro://sessions/none", "file:///etc/passwd", "kiro://sessions/"])
async def test_what_there_is_not_is_no_parameter(opened_host, uri):
    async with opened_host() as host:
        with pytest.raises(MCPError) as refused:
            await host.client.read_resource(uri)
        assert refused.value.error.code == INVALID_PARAMS
        assert refused.value.error.data["uri"] == uri


async def test_the_prompts_of_agents_are_prompts(opened_host, home):
    (home / "agents").mkdir(parents=True)
    reviewer = {"name": "reviewer", "description": "Reads closely", "prompt": "Read closely."}
    (home / "agents" / "reviewer.json").write_text(json.dumps(reviewer))
    async with opened_host() as host:
        [prompt] = (await host.client.list_prompts()).prompts
        assert (prompt.name, prompt.description) == ("reviewer", "Reads closely")
        got = await host.client.get_prompt("reviewer")
        [message] = got.messages
        assert (message.role, message.content.text) == ("user", "Read closely.")
        with pytest.raises(MCPError) as refused:
            await host.client.get_prompt("nobody")
        assert refused.value.error.code == INVALID_PARAMS
        assert refused.value.error.data["code"] == "AGENT_NOT_FOUND"


@pytest.mark.parametrize("folder_named", ["nowhere", "~nobody-is-called-so/x", "a\0b"])
async def test_agents_of_a_folder_that_is_none_are_not_looked_for(opened_host, folder_named):
    async with opened_host() as host:
        for tool in ("kiro_agents_list", "kiro_prompts_list"):
            assert (await host.fails(tool, working_directory=folder_named))["code"] == "INVALID_CONFIG"


@pytest.mark.filterwarnings("ignore:resources/:mcp.shared.exceptions.MCPDeprecationWarning")
class TestOfTheHandshakeEra:
    @pytest.fixture
    def era(self):
        return "legacy"

    async def test_a_subscriber_is_told_of_changes_and_not_of_each_word(self, opened_host):
        updates, came = [], anyio.Event()

        async def told(message):
            if isinstance(message, ResourceUpdatedNotification):
                updates.append(str(message.params.uri))
                came.set()

        async with opened_host(told=told) as host:
            session = (await host.call("kiro_session_create"))["id"]
            uri = f"kiro://sessions/{session}"
            await host.client.subscribe_resource(uri)
            await host.client.subscribe_resource(uri)
            await host.call("kiro_chat", message="/flood 500")
            await came.wait()
            assert set(updates) == {uri}
            assert len(updates) < 20
            with pytest.raises(MCPError, match="no resource"):
                await host.client.subscribe_resource("kiro://nothing")
            for uri_of_no_news in ("kiro://agents", "kiro://config"):
                with pytest.raises(MCPError, match="Nobody is told") as refused:
                    await host.client.subscribe_resource(uri_of_no_news)
                assert refused.value.error.code == INVALID_PARAMS
            with pytest.raises(MCPError, match="no session none"):
                await host.client.subscribe_resource("kiro://sessions/none")
            await host.client.unsubscribe_resource(uri)
            await host.client.subscribe_resource("kiro://sessions")
            updates.clear()
            await host.call("kiro_session_create")
            while "kiro://sessions" not in updates:
                came = anyio.Event()
                await came.wait()
            assert uri not in updates[1:]

    async def test_a_session_that_has_ended_is_watched_no_more(self, opened_host):
        updates, came = [], anyio.Event()

        async def told(message):
            nonlocal came
            if isinstance(message, ResourceUpdatedNotification):
                updates.append(str(message.params.uri))
                came.set()
                came = anyio.Event()

        async with opened_host(told=told) as host:
            session = (await host.call("kiro_session_create"))["id"]
            uri = f"kiro://sessions/{session}"
            await host.client.subscribe_resource("kiro://sessions")
            await host.client.subscribe_resource(uri)
            await host.call("kiro_session_end", session_id=session)
            while updates[-1:] != ["kiro://sessions"]:
                await came.wait()
            await host.call("kiro_session_load", session_id=session)
            updates.clear()
            await host.call("kiro_chat", message="/flood 500")
            await host.call("kiro_session_create")
            while "kiro://sessions" not in updates:
                await came.wait()
            assert set(updates) == {"kiro://sessions"}


class TestWithoutAHandshake:
    @pytest.fixture
    def era(self):
        return "2026-07-28"

    async def test_who_listens_is_told_of_changes(self, opened_host):
        async with opened_host() as host:
            session = (await host.call("kiro_session_create"))["id"]
            uri = f"kiro://sessions/{session}"
            every = ["kiro://agents", uri, "kiro://sessions/none"]
            listening = host.client.listen(
                resource_subscriptions=every, resources_list_changed=True, tools_list_changed=True
            )
            async with listening as events:
                assert events.honored.resource_subscriptions == [uri]
                assert (events.honored.resources_list_changed, events.honored.tools_list_changed) == (True, None)
                await host.call("kiro_chat", message="/flood 500", session_id=session)
                assert (await anext(events)).uri == uri
                await host.call("kiro_session_create")
                while hasattr(await anext(events), "uri"):
                    pass
