"""Serves hosts of the Model Context Protocol, over stdin and stdout or at an address, until they have gone."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from kiro_core.cli.options import Given
from kiro_core.cli.serve.faces import any_face
from kiro_core.cli.signals import until_signalled
from kiro_core.cli.text import tell
from kiro_core.errors import PluginError

_FACE = "mcp"


async def serve_hosts(given: Given, names: Mapping[str, str]) -> int:
    """Serve by the setting `mcp` until stdin ends or a signal comes: 0, or 128 and the signal's number.

    `names` are the `agent` and the `engine` of new sessions that name none.

    Raises:
        SettingsError, UnknownName, PluginError: something that the settings name cannot be opened.

    """

    async def serve() -> None:
        settings, registry = loaded = given.load()
        use = settings.mcp.use
        if use == _FACE and find_spec("mcp") is None:
            raise PluginError(
                "MCP hosts cannot be served, since the SDK of MCP is not installed.",
                hint="Install it: pip install 'kiro-core[mcp]'",
            )
        async with (
            registry.transports.open(settings.mcp) as transport,
            given.desk(loaded, _FACE, agent=names["agent"], engine=names["engine"]) as desk,
        ):
            face = any_face("mcp", use, transport)
            await face.serve(desk, task_status=_Telling(str(getattr(face, "token_file", ""))))

    return await until_signalled(serve)


class _Telling:
    """Implements `TaskStatus`: it tells people where hosts find the desk, on stderr."""

    def __init__(self, token_file: str) -> None:
        self._token_file = token_file

    def started(self, value: object = None) -> None:
        if value:
            tell(f"MCP hosts find this desk at {value}")
            if self._token_file:
                tell(f"They need the token in {self._token_file}")
