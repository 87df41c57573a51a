"""Listens for HTTP, at an address of its own, with everything that a stranger could use up bounded."""

from __future__ import annotations

import logging
from typing import Any

import anyio
from anyio.abc import SocketAttribute, SocketStream, TaskStatus

from kiro_core.errors import SettingsError
from kiro_core.ports import Attachable
from kiro_http.answering import answer

_LOG = logging.getLogger(__name__)
_CONNECTIONS = 32
_EXCHANGE_S = 10.0
_PAUSE_S = 1.0


class HttpFace:
    """Implements `Face`: it attaches nobody, and tells how the desk is."""

    def __init__(self, host: str, port: int) -> None:
        """Listen there while it serves."""
        self._host = host
        self._port = port
        self._open = 0

    async def serve(self, desk: Attachable, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve until it is cancelled; started with its URL.

        Raises:
            SettingsError: nobody can listen there.

        """
        try:
            listener = await anyio.create_tcp_listener(
                local_host=self._host, local_port=self._port, backlog=_CONNECTIONS
            )
        except OSError as error:
            raise SettingsError(
                f"Nobody can listen at port {self._port} of {self._host}: {error.strerror}.",
                hint="Choose another host or port where the settings serve 'http', or end what listens there.",
            ) from error

        async def connected(stream: SocketStream) -> None:
            await self._exchange(stream, desk)

        async with listener, anyio.create_task_group() as tasks:
            port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, there is no database
            task_status.started(_url(self._host, port))
            while True:
                try:
                    await listener.serve(connected, tasks)
                except* OSError as group:
                    # No descriptor is left, say: health is what is asked again and again.
                    _LOG.warning("http takes no connection now: %s", group.exceptions[0])
                    await anyio.sleep(_PAUSE_S)

    async def _exchange(self, stream: SocketStream, desk: Attachable) -> None:
        self._open += 1
        try:
            async with stream:
                if self._open <= _CONNECTIONS:
                    with anyio.move_on_after(_EXCHANGE_S):
                        await answer(stream, desk.not_ready)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            _LOG.debug("whoever asked over http did not wait for the answer: %s", error)
        finally:
            self._open -= 1


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
