"""Open sessions with ever fewer descriptors left; one JSON object says how it went."""

import json
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

import anyio

from kiro_core import Frame, Registry, load_settings, open_desk
from kiro_core.errors import KiroError
from kiro_core.testing import RecordingClient

LIMIT = 100


async def begin(agent):
    answer = await agent.new(Frame.of("session/new", {"cwd": "/", "mcpServers": []}, id=0))
    return answer.result["sessionId"]


async def end(agent, session):
    await agent.close(Frame.of("session/close", {"sessionId": session}, id=0))


async def prompt(agent, session):
    params = {"sessionId": session, "prompt": [{"type": "text", "text": "Hello"}]}
    turn = await agent.prompt(Frame.of("session/prompt", params, id=0))
    return (await turn.settled()).result["stopReason"]


def descriptors():
    return len(list(Path("/dev/fd").iterdir()))


def fill(left):
    taken = []
    with suppress(OSError):
        while True:
            taken.append(os.dup(0))
    for fd in taken[:left]:
        os.close(fd)
    return taken[left:]


async def attempt(agent, left):
    taken = fill(left)
    try:
        return await begin(agent), None
    except KiroError as error:
        return "", error
    finally:
        for fd in taken:
            os.close(fd)


async def main():
    refused, stops = {}, set()
    async with (
        open_desk(load_settings({}), Registry(), engine="rehearsal") as desk,
        desk.attach(RecordingClient()) as agent,
    ):
        await end(agent, await begin(agent))  # so that all modules are imported
        before = descriptors()
        first = await begin(agent)
        resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        for left in range(16):
            session, error = await attempt(agent, left)
            if error is None:
                await end(agent, session)
            else:
                refused[error.code] = f"{error} {error.hint}"
            stops.add(await prompt(agent, first))
        await end(agent, first)  # one that has answered may still write its metadata
        leaked = descriptors() - before
    sys.stdout.write(json.dumps({"refused": refused, "stops": sorted(stops), "leaked": leaked}))


anyio.run(main)
