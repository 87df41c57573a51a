"""What we offer does not depend on the engine: what one cannot take is translated, or named."""

import json

import anyio
import pytest

from kiro_core.errors import AgentUnable, RpcError
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo

IMAGE = {"type": "image", "mimeType": "image/png", "data": "aGk="}
AUDIO = {"type": "audio", "mimeType": "audio/wav", "data": "aGk="}
TEXT = {"type": "resource", "resource": {"uri": "file:///w/b.py", "mimeType": "text/x-python", "text": "x = 1"}}
BLOB = {"type": "resource", "resource": {"uri": "file:///w/b.bin", "blob": "aGk="}}
LINK = {"type": "resource_link", "uri": "file:///w/a.py", "name": "a.py"}
SERVERS = [
    {"name": "plain", "command": "x", "args": [], "env": []},
    {"type": "http", "name": "api", "url": "http://127.0.0.1:1/mcp", "headers": []},
    {"type": "sse", "name": "old", "url": "http://127.0.0.1:1/sse", "headers": []},
]
SAYS_PROMPT = "tell(json.dumps(got['session/prompt']['prompt']))"
SAYS_OPENING = "tell(json.dumps(got['session/new']))"
SAYS_CLIENT = "tell(json.dumps(got['initialize']['clientCapabilities']))"


def able(**capabilities):
    return f"answers['initialize']['agentCapabilities'] = json.loads({json.dumps(capabilities)!r})"


@pytest.mark.parametrize(("block", "name"), [(IMAGE, "image/png"), (AUDIO, "audio/wav"), (BLOB, "file:///w/b.bin")])
async def test_a_block_that_the_engine_cannot_take_is_refused_by_name_and_never_sent(
    opened_desk, scripted, block, name
):
    client = RecordingClient()
    async with opened_desk(client, engine_settings={"x": scripted(prompt="tell('sent')")}, engine="x") as office:
        with anyio.fail_after(20):
            session = await office.start()
            with pytest.raises(AgentUnable, match=f"x cannot take the .*{name}.*, block 2 of the prompt"):
                await office.prompt(session, "look", block)
            assert await office.entries(session, "prompt") == []
            assert (await office.prompt(session, "without it")).result["stopReason"] == "end_turn"
            assert client.text(session) == "sent"


async def test_blocks_that_the_engine_can_take_pass_as_they_are(opened_desk, scripted):
    engine = scripted(
        initialize=able(promptCapabilities={"image": True, "audio": True, "embeddedContext": True}), prompt=SAYS_PROMPT
    )
    async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x") as office:
        with anyio.fail_after(20):
            session = await office.start()
            await office.prompt(session, "look", IMAGE, AUDIO, TEXT, BLOB, LINK)
            said = json.loads(office.client.text(session))
            assert said == [{"type": "text", "text": "look"}, IMAGE, AUDIO, TEXT, BLOB, LINK]


async def test_an_embedded_resource_becomes_text_for_an_engine_that_takes_none(opened_desk, scripted):
    async with opened_desk(
        RecordingClient(), engine_settings={"x": scripted(prompt=SAYS_PROMPT)}, engine="x"
    ) as office:
        with anyio.fail_after(20):
            session = await office.start()
            await office.prompt(session, "look", TEXT, LINK)
            said = json.loads(office.client.text(session))
            assert said[1] == {"type": "text", "text": '<resource uri="file:///w/b.py">\nx = 1\n</resource>'}
            assert said[2] == LINK
            asked = (await office.entries(session, "prompt"))[0].frame.params["prompt"]
            assert asked[1] == TEXT, "the record has what the client sent"


async def test_servers_that_the_engine_cannot_reach_are_named_and_the_others_start(opened_desk, scripted):
    client = RecordingClient(PeerInfo("editor", abilities=frozenset({"notices"})))
    engine = scripted(initialize=able(mcpCapabilities={"http": True, "sse": False}), prompt=SAYS_OPENING)
    async with opened_desk(client, engine_settings={"x": engine}, engine="x") as office:
        with anyio.fail_after(20):
            session = (await office.new(params={"mcpServers": SERVERS}))["sessionId"]
            await office.prompt(session, "what did you get?")
            assert json.loads(client.text(session))["mcpServers"] == SERVERS[:2]
            notices = [update["title"] for update in client.updates(session) if update["sessionUpdate"] == "notice"]
            assert notices == ["The MCP server 'old' is left out: x takes no servers over sse."]


@pytest.mark.parametrize("takes_them", [True, False])
async def test_additional_directories_reach_an_engine_that_knows_them_else_that_is_told(
    opened_desk, scripted, tmp_path, takes_them
):
    more = tmp_path / "lib"
    more.mkdir()
    capabilities = {"sessionCapabilities": {"additionalDirectories": {}}} if takes_them else {}
    engine = scripted(initialize=able(**capabilities), prompt=SAYS_OPENING)
    client = RecordingClient(PeerInfo("editor", abilities=frozenset({"notices"})))
    async with opened_desk(client, engine_settings={"x": engine}, engine="x") as office:
        with anyio.fail_after(20):
            session = (await office.new(params={"additionalDirectories": [str(more)]}))["sessionId"]
            await office.prompt(session, "what did you get?")
            assert ("additionalDirectories" in json.loads(client.text(session))) is takes_them
            told = [update["title"] for update in client.updates(session) if update["sessionUpdate"] == "notice"]
            assert bool(told) is not takes_them
            assert list((await office.desk.info(session)).roots) == [str(more)]


@pytest.mark.parametrize("roots", ["/w", ["relative"], [7], ["/nowhere/at/all"]])
async def test_additional_directories_are_checked(opened_desk, roots):
    async with opened_desk(RecordingClient()) as office:
        with anyio.fail_after(20), pytest.raises(RpcError) as refused:
            await office.new(params={"additionalDirectories": roots})
        assert refused.value.number == -32602


async def test_an_agent_is_offered_files_and_terminals_always_and_the_rest_as_its_client_has_it(opened_desk, scripted):
    raw = {"elicitation": {"form": {}}, "auth": {"terminal": True}, "_meta": {"x": 1}, "fs": {"readTextFile": False}}
    client = RecordingClient(PeerInfo("editor", raw=raw))
    async with opened_desk(client, engine_settings={"x": scripted(prompt=SAYS_CLIENT)}, engine="x") as office:
        with anyio.fail_after(20):
            session = await office.start()
            await office.prompt(session, "who are you?")
            assert json.loads(client.text(session)) == {
                "elicitation": {"form": {}},
                "_meta": {"x": 1},
                "fs": {"readTextFile": True, "writeTextFile": True},
                "terminal": True,
            }


async def test_a_wish_for_the_desk_does_not_reach_the_agent(opened_desk, scripted):
    engine = scripted(prompt="tell(json.dumps([got['session/prompt'].get('_meta'), got['session/new'].get('_meta')]))")
    async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x") as office:
        with anyio.fail_after(20):
            session = await office.start(agent="kiro_default")
            await office.prompt(session, "hello", whenBusy="queue")
            assert json.loads(office.client.text(session)) == [None, None]
