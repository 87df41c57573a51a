"""An agent made of the SDK that has others work, run as a program: `sdk_lead.py FOLDER`.

It speaks with the server `crew` through the official client of MCP, as agents do that know nothing of us. Each line
of a prompt is the task of one more session; it waits for them, says what they came to, and tells that as its result.
"""

import asyncio
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import acp
from acp import schema
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from sdk_agent import SdkAgent
from sdk_wire import tapped


class Lead(SdkAgent):
    """It starts the server for each turn, and ends it."""

    def __init__(self):
        super().__init__()
        self.servers = {}

    async def new_session(self, mcp_servers=(), **more):
        answer = await super().new_session(**more)
        self.servers[answer.session_id] = {server.name: server for server in mcp_servers}
        return answer

    async def prompt(self, session_id, prompt, **_):
        tasks = "\n".join(block.text for block in prompt if block.type == "text").splitlines()
        server = self.servers[session_id]["crew"]
        env = {one.name: one.value for one in server.env}
        parameters = StdioServerParameters(command=server.command, args=server.args, env=env)
        async with Client(parameters) as crew:
            tools = sorted(tool.name for tool in (await crew.list_tools()).tools)
            await self._say(session_id, f"tools: {', '.join(tools)}\n")
            for number, task in enumerate(tasks, 1):
                await self._call(crew, "spawn_session", task=task, name=f"child-{number}", engine="rehearsal")
            waited = await self._call(crew, "wait", timeout_s=40)
            report = [f"{one['name']}: {one['outcome']}: {one['result']}" for one in waited["sessions"]]
            await self._say(session_id, "\n".join(sorted(report)))
            await crew.call_tool("summary", {"task_result": "\n".join(sorted(report))})
        return schema.PromptResponse(stop_reason="end_turn")

    async def _call(self, crew, command, **arguments):
        result = await crew.call_tool("session_management", {"command": command, **arguments})
        if result.is_error:
            raise RuntimeError(result.content[0].text)
        return result.structured_content


async def main():
    reader, writer = await acp.stdio_streams(limit=2**20)
    with tapped(reader, writer, Path(sys.argv[1])):
        await acp.run_agent(Lead(), writer, reader)


if __name__ == "__main__":
    asyncio.run(main())
