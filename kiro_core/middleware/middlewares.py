"""The middlewares that the settings name, opened with the desk and entered by each of its sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from kiro_core.errors import KiroError, Vetoed
from kiro_core.frames import Frame, decode, encode
from kiro_core.middleware.failing import Failing, Own
from kiro_core.middleware.keeping import kept
from kiro_core.middleware.layers import Layers
from kiro_core.middleware.stop import Layered, Stop
from kiro_core.ports import Middleware
from kiro_core.types import SessionInfo


class Middlewares:
    """What is chosen, each by the name in the settings, in their order."""

    def __init__(self, chosen: Sequence[tuple[str, Middleware]] = ()) -> None:
        """Have these."""
        self._chosen = chosen

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._chosen)

    @asynccontextmanager
    async def entered(self, info: SessionInfo, limit_s: float, session: Layered) -> AsyncIterator[Layers]:
        """Have all of them in one session; each has `limit_s` seconds of its own for anything that passes.

        Raises on entering:
            Vetoed, MiddlewareFailed: one does not let the session open.

        """
        async with AsyncExitStack() as stack:
            stops = []
            for name, middleware in self._chosen:
                failing = Failing(name, info.id)
                layer = await stack.enter_async_context(kept(middleware, info, failing, limit_s, session.fail))
                stops.append(Stop(layer, failing, limit_s, session))
            yield Layers(stops)

    async def recorded(self, info: SessionInfo, limit_s: float, value: Any) -> Any:
        """A value as it may be recorded of a session that is not open here.

        Raises:
            Vetoed, MiddlewareFailed: it may not.

        """
        async with self.entered(info, limit_s, _NobodyThere()) as layers:
            return layers.record(decode(encode(value))) if layers.record is not None else value


class _NobodyThere:
    """Implements `Layered` where there is no agent program: what fails is raised."""

    def fail(self, error: KiroError) -> None:
        pass

    async def kept_out(self, by: str, updates: int, veto: Vetoed) -> None:
        pass

    async def denied(self, by: str, frame: Frame, error: Own) -> Frame:  # noqa: ARG002 - `Layered`
        raise error
