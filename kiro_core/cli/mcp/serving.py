"""Serves hosts of the Model Context Protocol, over stdin and stdout or at an address, until they have gone."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from kiro_core.catalog import Choice
from kiro_core.cli.failing import DONE
from kiro_core.cli.known import require_known_agent, require_known_engine
from kiro_core.cli.options import Given
from kiro_core.cli.serve.faces import any_face
from kiro_core.cli.signals import until_signalled
from kiro_core.cli.text import tell, tell_failure
from kiro_core.control.places import listens
from kiro_core.dispatcher import Dispatcher
from kiro_core.errors import AgentNotFound, AgentUntrusted, PluginError

_FACE = "mcp"


async def serve_hosts(given: Given, names: Mapping[str, str]) -> int:
    """Serve by the setting `mcp` until stdin ends or a signal comes, and return the exit code.

    It is 128 and the signal's number where that took a host its server, and 0 where hosts come and go.
    `names` are the `agent` and the `engine` of new sessions that name none.

    Raises:
        SettingsError, UnknownName, PluginError: something that the settings name cannot be opened.
        AgentNotFound, AgentUntrusted: no session could get the `agent`.

    """
    telling = _Telling()

    async def serve() -> None:
        settings, registry = loaded = given.load()
        use = settings.mcp.use
        if use == _FACE and find_spec("mcp") is None:
            raise PluginError(
                "MCP hosts cannot be served, since the SDK of MCP is not installed.",
                hint="Install it: pip install 'kiro-core[mcp]'",
            )
        async with (
            registry.transports.open(settings.mcp, settings.limits.backends) as transport,
            given.desk(loaded, _FACE, agent=names["agent"], engine=names["engine"]) as desk,
        ):
            if given.standalone or not listens(desk.sharing.served_at):
                await _require_known(desk, names["agent"])
            face = any_face("mcp", use, transport)
            telling.token_file = str(getattr(face, "token_file", ""))
            await face.serve(desk, task_status=telling)

    code = await until_signalled(serve)
    return DONE if telling.place else code


async def _require_known(desk: Dispatcher, agent: str) -> None:
    """What new sessions get; where another desk is served, they are there, and get what it says."""
    require_known_engine(desk)
    settings = desk.settings
    if not (agent or settings.agent):
        return
    try:
        await require_known_agent(desk, agent or settings.agent, _folder(settings.mcp))
    except (AgentNotFound, AgentUntrusted) as error:
        if agent:
            raise
        origin = settings.origins.get("agent", "the settings")
        tell_failure(f"{error} Until then sessions that name no agent begin without it ({origin}).", error.hint)


def _folder(mcp: Choice) -> Path:
    """Where sessions work that name no folder."""
    return Path(str(mcp.options.get("working_directory") or ".")).expanduser().absolute()


class _Telling:
    """Implements `TaskStatus`: it tells people where hosts find the desk, on stderr."""

    def __init__(self) -> None:
        self.token_file = ""
        self.place = ""

    def started(self, value: object = None) -> None:
        self.place = str(value or "")
        if self.place:
            tell(f"MCP hosts find this desk at {self.place}")
            if self.token_file:
                tell(f"They need the token in {self.token_file}")
