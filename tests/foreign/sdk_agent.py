"""An agent made of the SDK, run as a program: `sdk_agent.py FOLDER [refuse|forget|exit]`.

It keeps in FOLDER what passes on its connection. The first word of a prompt chooses what it does. `refuse` is a login
that it wants, `forget` and `exit` are what it does when it is to load a session.
"""

import asyncio
import os
import sys
from pathlib import Path
from uuid import uuid4

sys.path.append(str(Path(__file__).parent))

import acp
from acp import schema
from sdk_wire import tapped

FOLDER = Path(sys.argv[1])
OPTIONS = [
    schema.PermissionOption(option_id="y", name="Yes", kind="allow_once"),
    schema.PermissionOption(option_id="n", name="No", kind="reject_once"),
]
ODD = {"odd.example/extra": {"z": 1.0, "a": [10**30, None, "é \u2028 \U0001f600"]}}


class SdkAgent:
    """What the SDK calls an agent."""

    def __init__(self):
        self.client = None
        self.cancelled = {}

    def on_connect(self, client):
        self.client = client

    async def initialize(self, **_):
        about = schema.Implementation(name="sdk agent", version="1")
        takes = schema.PromptCapabilities(image=True)
        can = schema.AgentCapabilities(load_session=True, prompt_capabilities=takes)
        return schema.InitializeResponse(protocol_version=1, agent_info=about, agent_capabilities=can)

    async def new_session(self, **_):
        if "refuse" in sys.argv[2:]:
            raise acp.RequestError.auth_required()
        session = str(uuid4())
        self.cancelled[session] = asyncio.Event()
        return schema.NewSessionResponse(session_id=session)

    async def load_session(self, session_id, **_):
        if "forget" in sys.argv[2:]:
            raise acp.RequestError.resource_not_found(session_id)
        if "exit" in sys.argv[2:]:
            os._exit(0)
        self.cancelled[session_id] = asyncio.Event()
        await self._say(session_id, "what I said before")
        # Agents that we have met answer with their id, which the protocol does not ask for.
        return {"sessionId": session_id}

    async def cancel(self, session_id, **_):
        self.cancelled[session_id].set()

    async def prompt(self, session_id, prompt, **_):
        self.cancelled[session_id].clear()
        self.prompted = prompt
        word = [block.text for block in prompt if block.type == "text"][-1].split()[0]
        reason = await getattr(self, f"_{word}")(session_id)
        return schema.PromptResponse(stop_reason=reason or "end_turn")

    async def _stream(self, session):
        for word in ("I ", "stream ", "my ", "answer."):
            await self._say(session, word)

    async def _blocks(self, session):
        await self._say(session, "|".join(block.text for block in self.prompted))

    async def _odd(self, session):
        update = schema.AgentMessageChunk(
            session_update="agent_message_chunk",
            content=schema.TextContentBlock(type="text", text='Look: é \u2028 \U0001f600 "\\"'),
            field_meta=ODD,
        )
        await self.client.session_update(session_id=session, update=update, **ODD)

    async def _ask(self, session):
        call = schema.ToolCallUpdate(tool_call_id="call-1", title="Open the cellar", field_meta=ODD)
        answer = await self.client.request_permission(session_id=session, tool_call=call, options=OPTIONS)
        outcome = answer.outcome
        await self._say(session, f"{outcome.outcome} {getattr(outcome, 'option_id', '')}".strip())
        return "cancelled" if outcome.outcome == "cancelled" else None

    async def _wait(self, session):
        await self._say(session, "waiting")
        await self.cancelled[session].wait()
        return "cancelled"

    async def _fail(self, _):
        raise RuntimeError("The cellar is flooded.")

    async def _die(self, session):
        await self._say(session, "Good")
        os.write(2, b"bye, cruel world\n")
        os._exit(7)

    async def _say(self, session, text):
        update = schema.AgentMessageChunk(
            session_update="agent_message_chunk", content=schema.TextContentBlock(type="text", text=text)
        )
        await self.client.session_update(session_id=session, update=update)


async def main():
    reader, writer = await acp.stdio_streams(limit=2**20)
    with tapped(reader, writer, FOLDER):
        await acp.run_agent(SdkAgent(), writer, reader)


if __name__ == "__main__":
    asyncio.run(main())
