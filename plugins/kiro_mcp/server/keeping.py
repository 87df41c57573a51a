"""The tools with which a host keeps what was said, or has it forgotten: clear, save and load."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.progress import Progress
from kiro_mcp.server.sessions import OpenedShape, opened_shape
from kiro_mcp.server.tool import Answer, Arguments, Call, Tool
from kiro_mcp.server.words import SESSION, Id


class ClearArguments(Arguments):
    """Of `kiro_session_clear`."""

    session_id: Id = SESSION


class ClearResult(TypedDict):
    """Of `kiro_session_clear`; `path` is "", since no file is involved."""

    success: bool
    message: str
    path: str
    session_id: str


class SaveArguments(Arguments):
    """Of `kiro_session_save`."""

    path: str = Field(min_length=1, description="The file to write, in the session's folder.")
    session_id: Id = SESSION


class SaveResult(TypedDict):
    """Of `kiro_session_save`."""

    success: bool
    output: str
    error: Literal[""]
    exit_code: Literal[0]
    session_id: str
    save_path: str


class LoadArguments(Arguments):
    """Of `kiro_session_load`: one of the first two."""

    session_id: Id = Field(default="", description="A stored session.")
    path: str = Field(default="", description="Or a file of kiro_session_save: its save_path.")
    working_directory: str = Field(default="", description="Another folder than its own.")


async def _clear(call: Call, given: ClearArguments) -> Answer:
    async with Progress(call.ctx).during("The agent is being started anew."):
        session = await call.service.sessions.clear(call.host, given.session_id)
    message = "The agent has a new context; what was said stays on record."
    result: ClearResult = {"success": True, "message": message, "path": "", "session_id": session.id}
    return result


async def _save(call: Call, given: SaveArguments) -> Answer:
    async with Progress(call.ctx).during("The session is being written."):
        saved = await call.service.sessions.save(call.host, given.path, given.session_id)
    result: SaveResult = {
        "success": True,
        "output": f"{saved.bytes} bytes were written.",
        "error": "",
        "exit_code": 0,
        "session_id": saved.session_id,
        "save_path": saved.path,
    }
    return result


async def _load(call: Call, given: LoadArguments) -> Answer:
    async with Progress(call.ctx).during("The session is being opened."):
        session = await call.service.sessions.load(
            call.host, session_id=given.session_id, path=given.path, working_directory=given.working_directory
        )
    return opened_shape(call, session)


CLEAR = Tool(
    name="kiro_session_clear",
    title="Clear the context",
    description="Make the agent of a session forget what was said.",
    takes=ClearArguments,
    gives=ClearResult,
    run=_clear,
    destroys=True,
    repeatable=True,
)


SAVE = Tool(
    name="kiro_session_save",
    title="Save a session",
    description="Write a session with its whole record into a file.",
    takes=SaveArguments,
    gives=SaveResult,
    run=_save,
    destroys=True,
    repeatable=True,
)


LOAD = Tool(
    name="kiro_session_load",
    title="Load a session",
    description="Go on with a stored or saved session; it becomes the active one.",
    takes=LoadArguments,
    gives=OpenedShape,
    run=_load,
)
