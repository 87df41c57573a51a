"""Middlewares keep the contract: one of a few lines, and one that lets everything pass."""

from contextlib import asynccontextmanager

import pytest
import small_middleware

from kiro_core import Provider, hookimpl
from kiro_core.ports import PassingLayer
from kiro_core.testing import MiddlewareContract
from kiro_core.testing.middleware_samples import RECORDED, passage


class Nothing:
    """A plugin whose middleware does nothing."""

    @hookimpl
    def kiro_middlewares(self):
        @asynccontextmanager
        async def opened(_):
            yield self

        yield Provider("nothing", opened)

    @asynccontextmanager
    async def enter(self, session):
        yield PassingLayer()


class TestNothing(MiddlewareContract):
    provider = "nothing"
    plugin = Nothing()

    async def test_it_stands_in_nobodys_way(self, entered):
        async with entered() as layer, passage(layer) as through:
            assert through.agent is through.echo
            assert layer.record(value := {}) is value


class TestHush(MiddlewareContract):
    provider = "hush"
    plugin = small_middleware

    @pytest.fixture
    def recorded(self):
        return [*RECORDED, "hush", {"text": ["hush"]}]

    async def test_the_word_is_said_to_the_agent_and_comes_back_otherwise(self, entered):
        async with entered() as layer, passage(layer) as through:
            await through.turn("s", "say hush")
            assert through.echo.frames[0].params["prompt"][0]["text"] == "say hush"
            assert through.client.text() == "say ****"
            assert layer.record({"text": ["hush"]}) == {"text": ["****"]}
