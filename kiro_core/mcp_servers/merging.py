"""One order decides between all places that name an MCP server, the same for every engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from kiro_core.agentconfig import BUILT_IN
from kiro_core.explain import dotted, near_miss
from kiro_core.mcp_servers.allowed import McpRegistry
from kiro_core.mcp_servers.documents import FIELD, Named, of_agent, of_files
from kiro_core.mcp_servers.expanding import Unusable
from kiro_core.mcp_servers.servers import CLIENT, LeftOut, Merged, SessionServer
from kiro_core.trust import Document
from kiro_core.types import AgentConfig, Problem


def merged(  # noqa: PLR0913, PLR0917 - one argument for each thing that decides
    client: Sequence[Mapping[str, Any]],
    config: AgentConfig,
    cwd: Path,
    home: Path,
    trusted: Callable[[Document], bool],
    registry: McpRegistry | None,
    environ: Mapping[str, str],
) -> Merged:
    """The servers of a session in `cwd`; it reads two small files, so call it in a thread.

    `client` are the ACP entries of the request, objects with a name. By name the client's counts over the agent
    configuration's, that over the folder's `mcp.json`, that over the user's in `home` (`$KIRO_HOME`, else `~/.kiro`);
    the one that counts replaces the whole entry, also when it is disabled or cannot be used. A document of the folder
    that is not `trusted` counts for nothing, and `kiro_default` stands in for such an agent configuration. With a
    `registry` only servers that it lists are used, whoever names them, and of a document of the folder only those that
    start what the registry says. `environ` fills in `${VAR}`; a client has done
    that itself.
    """
    merging = _Merging(cwd, registry, environ)
    if registry is not None and registry.problem is not None:
        merging.problems.append(registry.problem)
    for entry in client:
        merging.from_client(entry)
    if not merging.from_document(of_agent(config), trusted):
        config = BUILT_IN
    for named in of_files(config, cwd, home):
        merging.from_document(named, trusted)
    return Merged(merging.servers, merging.left_out, merging.problems, merging.untrusted)


class _Merging:
    """What was decided so far; `_counts` has the origin that counts for each name."""

    def __init__(self, cwd: Path, registry: McpRegistry | None, environ: Mapping[str, str]) -> None:
        self.servers: list[SessionServer] = []
        self.left_out: list[LeftOut] = []
        self.problems: list[Problem] = []
        self.untrusted: list[Document] = []
        self._counts: dict[str, str] = {}
        self._cwd = cwd
        self._registry = registry
        self._environ = environ

    def from_client(self, entry: Mapping[str, Any]) -> None:
        name = str(entry.get("name"))
        if self._claimed(name, CLIENT) and self._listed(name, CLIENT):
            self.servers.append(SessionServer(name, CLIENT, entry))

    def from_document(self, named: Named, trusted: Callable[[Document], bool]) -> bool:
        """Take what a document names, and tell whether it may count at all."""
        if named.problem is not None:
            self.problems.append(named.problem)
        if named.document is not None and not trusted(named.document):
            self.untrusted.append(named.document)
            for name in named.entries:
                self._leave(name, named.origin, "untrusted", "nobody has agreed to the file that names it")
            return False
        for name, entry in named.entries.items():
            if self._claimed(name, named.origin):
                self._take(name, named.origin, entry, strange=named.document is not None)
        return True

    def _take(self, name: str, origin: str, entry: Any, *, strange: bool) -> None:
        if isinstance(entry, Mapping) and entry.get("disabled") is True:
            self._leave(name, origin, "disabled", "it is disabled")
            return
        if not self._listed(name, origin):
            return
        try:
            if not isinstance(entry, Mapping):
                raise Unusable("", "is not an object")  # noqa: TRY301 - one way out for all that is wrong
            if strange and self._registry is not None and not self._registry.same(name, entry):
                self._leave_other(name, origin, self._registry)
                return
            from kiro_core.mcp_servers.entry import session_server  # models, which most sessions never need

            self.servers.append(session_server(name, origin, self._resolved(name, entry), self._cwd, self._environ))
        except Unusable as error:
            field = f"{dotted((FIELD, name))}.{error.field}".removesuffix(".")
            self.problems.append(Problem(Path(origin), field, error.reason))
            self._leave(name, origin, "invalid", f"its {error.field or 'entry'} {error.reason}")

    def _resolved(self, name: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        if entry.get("type") != "registry":
            return entry
        if self._registry is None:
            raise Unusable("type", "is registry, and the setting mcp_registry names none")
        return self._registry.entry(name, entry)

    def _claimed(self, name: str, origin: str) -> bool:
        if name in self._counts:
            self._leave(name, origin, "shadowed", f"the one of {self._counts[name]} counts")
            return False
        self._counts[name] = origin
        return True

    def _listed(self, name: str, origin: str) -> bool:
        registry = self._registry
        if registry is None or name in registry.servers:
            return True
        reason = f"is not in the registry {registry.source}"
        if registry.problem is None:
            near = near_miss(name, registry.servers).rstrip(".")
            self.problems.append(Problem(Path(origin), dotted((FIELD, name)), reason + near))
        self._leave(name, origin, "unlisted", f"it {reason}")
        return False

    def _leave_other(self, name: str, origin: str, registry: McpRegistry) -> None:
        reason = f"is not what the registry {registry.source} says of it; refer to that with the type registry"
        self.problems.append(Problem(Path(origin), dotted((FIELD, name)), reason))
        self._leave(name, origin, "unlisted", f"it {reason}")

    def _leave(
        self,
        name: str,
        origin: str,
        why: Literal["shadowed", "disabled", "untrusted", "unlisted", "invalid"],
        reason: str,
    ) -> None:
        self.left_out.append(LeftOut(name, origin, why, reason))
