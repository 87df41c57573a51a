"""What the author of a plugin or of a program gets wrong is an error for mypy before it runs.

Each mistake has the error that it is, which is ignored here; of one that is no error, mypy says that nothing was to be
ignored. Nobody runs this.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import BaseModel

from kiro_core import Frame, PeerInfo, Provider, Settings, hookimpl, messages, open_desk
from kiro_core.ports import AgentSource, Client, Desk, Launcher
from kiro_core.types import AgentConfig, AgentSummary, Problem, SessionQuery


class Options(BaseModel):
    root: Path


class Source:
    async def find(self, name: str, cwd: Path) -> AgentConfig | None:
        return None

    async def names(self, cwd: Path) -> Sequence[AgentSummary]:
        return []

    async def problems(self, cwd: Path) -> Sequence[Problem]:
        return []


class HalfASource:
    async def find(self, name: str, cwd: Path) -> AgentConfig | None:
        return None


@asynccontextmanager
async def opened(options: Options) -> AsyncIterator[Source]:
    yield Source()


@asynccontextmanager
async def half(options: Options) -> AsyncIterator[HalfASource]:
    yield HalfASource()


async def bare(options: Options) -> Source:
    return Source()


@hookimpl
def right() -> Iterator[Provider[AgentSource, Options]]:
    yield Provider("mine", opened, Options)


def wrong() -> Iterator[Provider[AgentSource, Options]]:
    yield Provider("half", half, Options)  # type: ignore[arg-type]
    yield Provider("bare", bare, Options)  # type: ignore[arg-type]
    yield Provider("other", opened, Settings)  # type: ignore[arg-type]
    yield Provider("", opened, Options, backends={"asyncio"})  # type: ignore[arg-type]


def of_another_hook() -> Iterator[Provider[Launcher, Options]]:
    yield Provider("mine", opened, Options)  # type: ignore[arg-type]


class Deaf:
    info = PeerInfo("deaf")

    async def notify(self, frames: Sequence[Frame]) -> None: ...


class Listening(Deaf):
    async def request(self, frame: Frame) -> Frame:
        return messages.refuse(frame)


async def embedded(settings: Settings) -> None:
    async with open_desk(settings) as desk:
        seen: Desk = desk
        client: Client = Listening()
        async with seen.attach(client) as agent:
            await agent.new(messages.new_session(Path()))
            await agent.new({"cwd": "."})  # type: ignore[arg-type]
            await agent.prompt(messages.prompt("session", 7))  # type: ignore[arg-type]
            await agent.close(messages.cancel)  # type: ignore[arg-type]
        seen.attach(Deaf())  # type: ignore[arg-type]
        await seen.drain(1)  # type: ignore[attr-defined]
        await desk.drain(1)
        desk.live  # type: ignore[attr-defined]  # noqa: B018 - what is inside a desk is nobody's business
        await desk.sessions("cwd")  # type: ignore[arg-type]
        await desk.sessions(SessionQuery(folder="."))  # type: ignore[call-arg]
    async with open_desk(settings, engines="mine"):  # type: ignore[call-arg]
        pass
