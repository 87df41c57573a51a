"""What tests ask of a session that spawns others, at a desk with a client."""

from contextlib import asynccontextmanager

import anyio

from kiro_core.crew.members import RESULT
from kiro_core.errors import CrewRefused
from kiro_core.frames import Frame
from kiro_core.journal import entry
from kiro_core.testing import RecordingClient
from kiro_core.types import SessionId
from kiro_files import FilesOptions, open_store

SAYS = "/tool Look\n/echo "
"""A task of a rehearsal agent whose result is the rest."""

SLEEPS = "/sleep 600"


class Company:
    """A desk, a client with a session at the top (`main`), and what a test asks of its members."""

    def __init__(self, desk, agent, client, main, cwd):
        self.desk, self.crew, self.agent, self.client, self.main, self.cwd = desk, desk.crew, agent, client, main, cwd

    async def spawn(self, task, by="", **more):
        return await self.crew.spawn(by or self.main, task, **more)

    async def settled(self, *names, by="", **more):
        """What members have come to, once all have settled."""
        return await self.crew.wait(by or self.main, names, timeout_s=30, **more)

    async def until(self, happened, by=""):
        """The members of the tree, as soon as that is true of them."""
        while True:
            changed = self.crew.trees.changed
            members = {each.name: each for each in await self.crew.members(by or self.main, "all")}
            if happened(members):
                return members
            await changed.wait()

    async def working(self, name, by=""):
        """The member of that name, as soon as its agent has the prompt."""
        members = await self.until(lambda found: found[name].status == "working", by)
        await self.prompted(members[name].session)
        return members[name]

    async def prompted(self, session):
        """Wait until the agent of a session has a prompt."""
        while not (
            (live := self.desk.live.get(session))
            and (live.turns and live.turns.running and live.turns.running.dispatched)
        ):
            await anyio.lowlevel.checkpoint()

    async def open(self, session):
        frame = Frame.of("session/resume", {"sessionId": session, "cwd": str(self.cwd), "mcpServers": []}, id=0)
        return await self.agent.open(frame, replay=False)

    async def close(self, session):
        await self.agent.close(Frame.of("session/close", {"sessionId": session}, id=0))

    async def prompt(self, session, text):
        params = {"sessionId": session, "prompt": [{"type": "text", "text": text}]}
        return await (await self.agent.prompt(Frame.of("session/prompt", params, id=0))).settled()

    async def kept(self, session=""):
        """What the metadata of a session say of its members: outcomes by name."""
        info = await self.desk.info(SessionId(session or self.main))
        return {each["name"]: each.get("outcome", "") for each in info.crew.get("members", [])}

    async def results(self, session):
        """What is on a member's own record."""
        items = [entry(record) async for record in self.desk.read(session)]
        return [(item.value["outcome"], item.value["text"]) for item in items if item.kind == RESULT]

    async def delivered(self, session="", count=1, kind="result"):
        """The letters of a kind that came to a session, as soon as there are so many on its record."""
        journal = self.desk.live[session or self.main].journal
        while True:
            head = self.desk.live[session or self.main].db.head
            items = [entry(record) async for record in self.desk.read(SessionId(session or self.main))]
            letters = [item.value for item in items if item.kind == "message" and item.value["kind"] == kind]
            if len(letters) >= count:
                return letters
            await journal.grown(head)


@asynccontextmanager
async def company(opened, cwd, client=None, **settings):
    """A desk of `opened`, with a client of its own."""
    client = client or RecordingClient()
    async with opened(**settings) as office, office.desk.attach(client) as agent:
        yield Company(office.desk, agent, client, await office.start(agent), cwd)


async def at_rest(session):
    """The metadata of a session and what is pending in its inbox, when no desk has it."""
    async with open_store(FilesOptions()) as store, store.open(SessionId(session)) as db:
        return db.info, [message.id for message in await db.pending()]


async def refusal(awaitable):
    """The rule by which something is refused."""
    try:
        await awaitable
    except CrewRefused as error:
        return error.details["rule"]
    return ""
