"""Plugins that load, and whose backends do not open or close: each name with its code, and what everybody is told."""

from textwrap import indent

from broken_declaring import Broken

OPTIONS = "Look at its options in the settings."
SLOW_OPEN = "Look at its options in the settings; limits.start_s is how long it may take."
PORTS = "The Protocols in kiro_core.ports say what it has to have."
HANGS = "await anyio.sleep_forever()\nyield"

OPENING = """
from contextlib import asynccontextmanager
import anyio
from pydantic import BaseModel, ConfigDict, field_validator
from kiro_agents.source import KiroOptions, open_source
from kiro_core import Provider, hookimpl
from kiro_files.store import FileStore

class Cupboard(FileStore):
    open = None

class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str = ""

    @field_validator("url")
    @classmethod
    def known(cls, url):
        return {{"": ""}}[url]

@asynccontextmanager
async def opened(options):
{body}

@hookimpl
def {hook}():
    yield Provider({name!r}, {open}, {options})
"""


def opening(name, hook, body, sentence, hint, *, opened="opened", options=None):
    code = OPENING.format(name=name, hook=hook, body=indent(body, "    "), open=opened, options=options)
    return name, Broken(hook, code, sentence, hint)


OPENED = dict(
    [
        opening(
            "agents-hang",
            "kiro_agents",
            HANGS,
            "Agent source 'agents-hang' (agents-hang 1.0) has not opened within 1 s.",
            SLOW_OPEN,
        ),
        opening(
            "agents-twice",
            "kiro_agents",
            "async with open_source(KiroOptions()) as source:\n    yield source\n    yield source",
            "Agent source 'agents-twice' (agents-twice 1.0) cannot be closed: its `open` yields twice.",
            OPTIONS,
        ),
        opening(
            "agents-exit",
            "kiro_agents",
            "raise SystemExit('bad licence')\nyield",
            "Agent source 'agents-exit' (agents-exit 1.0) cannot be opened: SystemExit: bad licence.",
            OPTIONS,
        ),
        opening(
            "stores-raise",
            "kiro_stores",
            "raise ConnectionRefusedError('nobody listens at db.example:5432')\nyield",
            "Store 'stores-raise' (stores-raise 1.0) cannot be opened: "
            "ConnectionRefusedError: nobody listens at db.example:5432.",
            OPTIONS,
        ),
        opening(
            "stores-no-open",
            "kiro_stores",
            "yield Cupboard(anyio.Path('/nowhere'))",
            "Store 'stores-no-open' (stores-no-open 1.0) cannot be used: "
            "its `open` yields a Cupboard, which is no SessionStore (it lacks open).",
            PORTS,
        ),
        opening(
            "launchers-never",
            "kiro_launchers",
            "if False:\n    yield",
            "Launcher 'launchers-never' (launchers-never 1.0) cannot be opened: its `open` yields nothing.",
            OPTIONS,
        ),
        opening(
            "launchers-list",
            "kiro_launchers",
            "yield",
            "Launcher 'launchers-list' (launchers-list 1.0) cannot be opened: its `open` gave a list.",
            "`open` returns an async context manager of the backend.",
            opened="lambda _: []",
        ),
        opening(
            "transports-hang",
            "kiro_transports",
            HANGS,
            "Transport 'transports-hang' (transports-hang 1.0) has not opened within 1 s.",
            SLOW_OPEN,
        ),
        opening(
            "transports-neither",
            "kiro_transports",
            "yield object()",
            "Transport 'transports-neither' (transports-neither 1.0) cannot be used: its `open` yields a object, "
            "which is no Wire (it lacks connect), no Face (it lacks serve), no ToolServer (it lacks serve_tools).",
            PORTS,
        ),
        opening(
            "middlewares-hang",
            "kiro_middlewares",
            HANGS,
            "Middleware 'middlewares-hang' (middlewares-hang 1.0) has not opened within 1 s.",
            SLOW_OPEN,
        ),
        opening(
            "middlewares-layer",
            "kiro_middlewares",
            "yield object()",
            "Middleware 'middlewares-layer' (middlewares-layer 1.0) cannot be used: "
            "its `open` yields a object, which is no Middleware (it lacks enter).",
            PORTS,
        ),
    ]
)

VALIDATING = opening("stores-odd", "kiro_stores", "yield", "", "", options="Options")[1].code
"""A store whose model of options fails in a way that pydantic does not know."""

CLOSING = opening(
    "agents-deaf",
    "kiro_agents",
    "async with open_source(KiroOptions()) as source:\n    yield source\n    await anyio.sleep_forever()",
    "",
    "",
)[1].code
"""An agent source that does not close."""

MUTE = opening(
    "agents-mute",
    "kiro_agents",
    "try:\n    async with open_source(KiroOptions()) as source:\n        yield source\nexcept Exception:\n    pass",
    "",
    "",
)[1].code
"""An agent source that keeps to itself whatever fails while it is open."""

LOST = opening(
    "agents-lost",
    "kiro_agents",
    "async def lose():\n    raise OSError('the line is dead')\n"
    "async with open_source(KiroOptions()) as source, anyio.create_task_group() as tasks:\n"
    "    tasks.start_soon(lose)\n"
    "    yield source",
    "",
    "",
)[1].code
"""An agent source that fails while it is used."""
