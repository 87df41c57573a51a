"""What a choice of an agent configuration means for a session: its text, its MCP servers and its permissions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from anyio import to_thread

from kiro_core.agentconfig import Resolved, read_contents, resolve
from kiro_core.dispatcher.backends import Backends
from kiro_core.dispatcher.crew_giving import CrewGiving, Given
from kiro_core.dispatcher.inheriting import Inheriting
from kiro_core.dispatcher.remembered import usable
from kiro_core.mcp_servers import CLIENT, CREW, Merged, SessionServer, merged, notices_of, read_registry
from kiro_core.policy import Policy, compile_policy
from kiro_core.settings import kiro_home
from kiro_core.trust import Document, Trust, guarded
from kiro_core.types import AgentConfig, Notice, Problem, SessionInfo


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that a plan needs of a configuration; `untrusted` is what was left out since nobody agreed to it."""

    config: AgentConfig
    servers: Sequence[Any]
    policy: Policy
    untrusted: Sequence[Document] = ()
    notices: Sequence[Notice] = ()
    problems: Sequence[Problem] = field(default=())


class Preparing:
    """Reads what a configuration refers to, for a desk."""

    def __init__(self, backends: Backends) -> None:
        """Read nothing yet."""
        self.home: Final = kiro_home(os.environ)
        self.trust: Final = Trust(self.home)
        self.inheriting: Final = Inheriting(backends)
        self._giving = CrewGiving(backends)
        self._backends = backends

    async def resolved(self, cwd: Path, **choices: str) -> Resolved:
        """The configuration that `resolve` chooses, unless nobody agreed to it."""
        return await guarded(await resolve(self._backends.sources, cwd, home=self.home, **choices), self.trust)

    async def prepared(  # noqa: PLR0913 - what a session is made of, by name
        self,
        config: AgentConfig,
        info: SessionInfo,
        *,
        servers: Sequence[Mapping[str, Any]],
        trust_tools: Sequence[str] | None,
        untrusted: Sequence[Document] = (),
        as_recorded: bool = False,
        serving: AgentConfig | None = None,
        before: Sequence[SessionServer] = (),
    ) -> Prepared:
        """Prepare for a session; with `as_recorded` its prompt is there already, and its file is not read for it.

        Where the MCP servers are another configuration's, `serving` is that; `before` are those that it has now.
        """
        cwd = Path(info.cwd)
        read, problems = await to_thread.run_sync(read_contents, config, cwd, abandon_on_cancel=True)
        config = replace(read, prompt=config.prompt) if as_recorded else read
        given = self._giving.given(await self._merged(serving or config, cwd, servers), config, info, before)
        listed = given.merged
        unknown = [document for document in listed.untrusted if document not in untrusted]
        return Prepared(
            config,
            listed.servers,
            await self._policy(config, info, given, trust_tools),
            [*untrusted, *unknown],
            [*notices_of(listed), *given.notices, *usable(info.answers)[1]],
            problems,
        )

    async def _merged(self, config: AgentConfig, cwd: Path, servers: Sequence[Mapping[str, Any]]) -> Merged:
        settings = self._backends.settings
        registry = None
        if settings.mcp_registry:
            registry = await read_registry(settings.mcp_registry, self.home, settings.limits.control_s)
        work = partial(merged, servers, config, cwd, self.home, self.trust.trusted, registry, os.environ)
        return await to_thread.run_sync(work, abandon_on_cancel=True)

    async def _policy(
        self, config: AgentConfig, info: SessionInfo, given: Given, trust_tools: Sequence[str] | None
    ) -> Policy:
        listed = given.merged
        return compile_policy(
            config,
            cwd=info.cwd,
            roots=info.roots,
            trust_all="*" in (trust_tools or ()),
            trust_tools=trust_tools,
            operator=self._backends.settings.permissions,
            servers={server.name: (server.disabled_tools, server.auto_approve) for server in listed.servers},
            also=[f"@{server.name}" for server in listed.servers if server.origin in (CLIENT, CREW)],
            crew=CREW if given.approved else "",
            answers=usable(info.answers)[0],
            parent=await self.inheriting.parent(info),
        )
