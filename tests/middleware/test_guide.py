"""The guide to middlewares shows one that works, and names every place at which one may veto or fail."""

import json
import re
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import anyio

from kiro_core import Registry
from kiro_core.ports import Agent, Client, Layer
from kiro_core.testing import MiddlewareContract, RecordingClient

GUIDE = (Path(__file__).parents[2] / "docs" / "middleware.md").read_text()
SNIPPET, REWRITING = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)

careful = ModuleType("careful")
exec(SNIPPET, vars(careful))


class TestCareful(MiddlewareContract):
    provider = "careful"
    plugin = careful


async def test_the_one_that_it_shows_does_what_it_says(opened_house):
    removing = {"title": "shell", "kind": "execute", "rawInput": {"command": "rm -rf /"}}
    listing = {"title": "shell", "kind": "execute", "rawInput": {"command": "ls"}}
    (provided,) = Registry(careful, installed=False).middlewares.entries.values()
    client = RecordingClient()
    async with provided.provider.open(None) as middleware:
        with anyio.fail_after(20):
            async with opened_house(client, careful=middleware.enter) as house:
                session = await house.start()
                await house.prompt(session, f"/permission {json.dumps(removing)}\n/permission {json.dumps(listing)}")
                assert "Permission: reject_once" in client.text(session)
                assert "Permission: allow_once" in client.text(session)
                assert [question.params["toolCall"]["rawInput"] for question in client.questions] == [{"command": "ls"}]
                (first, _) = await house.entries(session, "decision")
                assert first.value["reason"] == "Nothing is removed here."


async def test_the_one_that_rewrites_reaches_the_agent_and_not_the_record(opened_house):
    polite = {}
    exec(REWRITING, polite)

    @asynccontextmanager
    async def enter(session):
        yield polite["Polite"]()

    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_house(client, polite=enter) as house:
            session = await house.start()
            await house.prompt(session, "/echo Hello. ")
            assert client.text(session) == "Hello. Thank you."
            (prompt,) = await house.entries(session, "prompt")
            assert "Thank you" not in json.dumps(prompt.value)


def test_it_names_every_verb_of_a_layer_and_what_may_go_wrong_there():
    for verb in ("agent", "client", "record"):
        assert hasattr(Layer, verb)
        assert f"`Layer.{verb}" in GUIDE
    table = GUIDE.partition("| where | a veto | a failure |")[2].partition("\n\n")[0]
    for port, verbs in ((Client, ("notify", "request")), (Agent, ("prompt", "cancel"))):
        for verb in verbs:
            assert f"`{port.__name__}.{verb}`" in table
