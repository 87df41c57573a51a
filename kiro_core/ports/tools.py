"""How the agent of a session is given the verbs of its crew as tools."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    # Whoever starts pays for each class, and these are for annotations only.
    from kiro_core.ports.members import Filter, GroupAction, Priority
    from kiro_core.types import Letter, Member, RunView, SessionId


class ByteStream(Protocol):
    """Bytes both ways; a cancelled send does not tear what it sends (see `PipeStream`)."""

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Wait for bytes; `anyio.EndOfStream` at the end."""
        ...

    async def send(self, item: bytes) -> None:
        """Write all of it; `anyio.BrokenResourceError` when nobody reads."""
        ...

    async def aclose(self) -> None:
        """Close both sides."""
        ...


class OwnCrew(Protocol):
    """What one session may have its crew do: the verbs of `Crews`, of which each acts for that session and no other."""

    @property
    def may_spawn(self) -> bool:
        """Whether others may be spawned below it; False at the greatest depth."""
        ...

    async def spawn(  # noqa: PLR0913 - what a member is asked for, all by name
        self,
        task: str,
        *,
        name: str = "",
        agent: str = "",
        engine: str = "",
        role: str = "",
        group: str = "",
        persistent: bool = False,
        depends_on: Sequence[str] = (),
        model: str = "",
    ) -> Member:
        """See `Members.spawn`."""
        ...

    async def send(self, target: str, text: str, *, priority: Priority = "normal") -> Letter:
        """See `Members.send`."""
        ...

    async def broadcast(self, group: str, text: str) -> Sequence[Letter]:
        """See `Members.broadcast`."""
        ...

    async def read(self, limit: int = 5) -> Sequence[Letter]:
        """See `Members.read`."""
        ...

    async def members(self, filter: Filter = "") -> Sequence[Member]:  # noqa: A002 - what it is
        """See `Members.members`."""
        ...

    async def status(self, target: str) -> Member:
        """See `Members.status`."""
        ...

    async def interrupt(self, target: str, text: str) -> Member:
        """See `Members.interrupt`."""
        ...

    async def inject(self, target: str, text: str) -> Letter:
        """See `Members.inject`."""
        ...

    async def group(
        self, action: GroupAction, name: str = "", target: str = "", role: str = ""
    ) -> Sequence[tuple[str, Sequence[Member]]]:
        """See `Members.group`."""
        ...

    async def revive(self, target: str, task: str) -> Member:
        """See `Members.revive`."""
        ...

    async def wait(
        self,
        targets: Sequence[str] = (),
        *,
        group: str = "",
        any: bool = False,  # noqa: A002 - of them
        timeout_s: float,
    ) -> Sequence[Member]:
        """See `Members.wait`."""
        ...

    async def end(self, target: str) -> Member:
        """See `Members.end`."""
        ...

    async def summarise(self, result: str, *, task: str = "", context: str = "") -> None:
        """See `Members.summarise`."""
        ...

    async def run(self, fields: Mapping[str, Any]) -> SessionId:
        """Run a crew below the session, in its folders: see `Crews.run`.

        `fields` are those of Kiro's tool `subagent` or of a crew file: `{task, stages: [{name, role, prompt_template,
        depends_on, model, loop}]}`, where a stage may have any field of a crew file.

        Raises:
            CrewInvalid, SessionClosing, Unavailable: as there.
            CrewRefused: the session is at the greatest depth.

        """
        ...

    def follow(self, run: SessionId) -> AsyncGenerator[RunView, None]:
        """See `Crews.follow`; `run` is what `run` returned."""
        ...

    async def report(self, run: SessionId) -> Mapping[str, Any]:
        """See `Crews.report`."""
        ...

    async def deliver(self, run: SessionId) -> None:
        """Have the report of a run put into the session's inbox when it ends; durable on return."""
        ...


class ToolServer(Protocol):
    """Serves the verbs of crews to agents; a provider of `kiro_transports`, which the setting `crew.server` names.

    It is opened anew for each connection.
    """

    async def serve_tools(self, crew: OwnCrew, stream: ByteStream) -> None:
        """Serve the agent at the other end until it hangs up, and close the stream; cancelled when its session ends.

        What the agent asks for then is cancelled too.
        """
        ...
