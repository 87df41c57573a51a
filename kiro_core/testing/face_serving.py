"""What a face promises while it serves, and when it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from kiro_core.errors import SettingsError
from kiro_core.testing.face_client import Connect
from kiro_core.testing.face_samples import Served
from kiro_core.testing.promising import promise

_NOISE = "what somebody prints"
_FIRE = "The store is on fire."


class ServingPromises:
    """Beginning, conversing, ending. Prompts are `/echo TEXT`, which the agent answers with the text."""

    @promise("face.started", core=True)
    async def test_it_is_started_when_clients_can_come(self, served: Served, connect: Connect) -> None:
        """`task_status` is started with the place where clients find it, or None, and from then on they are served."""
        async with served() as serving:
            assert serving.place is None or isinstance(serving.place, str)
            async with connect(serving):
                assert not serving.ended.is_set()

    @promise("face.cancelled", core=True)
    async def test_a_cancelled_face_ends_and_lets_go_of_its_clients(self, served: Served, connect: Connect) -> None:
        """A face that is cancelled ends in bounded time, detaches its clients, and can serve again."""
        for _ in range(2):
            async with served() as serving:
                with anyio.CancelScope() as scope:
                    async with connect(serving):
                        serving.stop()
                        await serving.ended.wait()
                        scope.cancel()
                        await anyio.sleep_forever()
                assert serving.desk.attached == 0

    @promise("face.stdout", core=True)
    async def test_stdout_is_for_the_protocol_alone(self, served: Served, connect: Connect) -> None:
        """Where stdout carries the protocol, nothing that is printed gets in; else the face prints nothing to it."""
        async with served() as serving:
            print(_NOISE, flush=True)  # noqa: T201 - what a library does
            os.write(1, f"{_NOISE}\n".encode())
            async with connect(serving):
                pass
            if serving.place is None:
                assert _NOISE.encode() not in serving.heard
                return
            with anyio.move_on_after(0.2):
                while True:
                    await serving.receive()
            assert serving.heard.decode().replace(f"{_NOISE}\n", "") == ""

    @promise("face.conversation")
    async def test_a_client_has_conversations(self, served: Served, connect: Connect, tmp_path: Path) -> None:
        """A client begins sessions and has turns, and each turn has its own answer in the right session."""
        async with served() as serving, connect(serving) as client:
            sessions = [await client.new(tmp_path) for _ in range(2)]
            assert len(set(sessions)) == 2
            for text in ("hello", "größe 世界 \U0001f600"):
                for session in sessions:
                    assert await client.prompt(session, f"/echo {text}") == text

    @promise("face.refused")
    async def test_a_desk_that_cannot_be_opened_is_told_in_its_words(
        self, served: Served, connect: Connect, tmp_path: Path
    ) -> None:
        """Where no session can be had the client is told the sentence that says why, or the face ends with it."""
        told = list[str]()
        try:
            async with served(SettingsError(_FIRE)) as serving, connect(serving) as client:
                await client.new(tmp_path)
        except Exception as error:  # noqa: BLE001 - a client has errors of its own
            told = [str(leaf) for leaf in _leaves(error)]
        assert any(_FIRE in words for words in told), told or "a session was begun"

    @promise("face.hang-up")
    async def test_a_client_that_hangs_up_is_detached(self, served: Served, connect: Connect) -> None:
        """A client that is gone is detached; where it was the only one there can be, the face has ended by itself."""
        async with served() as serving:
            async with connect(serving):
                pass
            if serving.place is None:
                await serving.hang_up()
                await serving.ended.wait()
            await serving.desk.until(0)

    @promise("face.several")
    async def test_several_clients_do_not_know_each_other(
        self, served: Served, connect: Connect, tmp_path: Path
    ) -> None:
        """At a place where many can come each has its own sessions, and who leaves takes nobody along."""
        async with served() as serving:
            if serving.place is None:
                pytest.skip("it serves one client, over stdin and stdout")
            async with connect(serving) as one:
                session = await one.new(tmp_path)
                async with connect(serving) as other:
                    assert await other.prompt(await other.new(tmp_path), "/echo other") == "other"
                assert await one.prompt(session, "/echo one") == "one"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The failures themselves, of one task or of several."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
