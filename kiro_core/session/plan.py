"""What is decided about a session before its task starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kiro_core.agentconfig import BUILT_IN, preface
from kiro_core.agentconfig.names import FIELDS
from kiro_core.errors import KiroError
from kiro_core.frames import Frame
from kiro_core.mcp_servers import CLIENT, CREW, SessionServer
from kiro_core.messages import MARK
from kiro_core.middleware import Middlewares
from kiro_core.policy import Policy
from kiro_core.ports import Launcher, SessionStore, Wire
from kiro_core.session.choices import Choices
from kiro_core.settings import Limits
from kiro_core.trust import Document
from kiro_core.types import NO_CONTACT, AgentConfig, Command, Contact, Engine, Notice, SessionInfo

_RECORDED = ("name", "description", "prompt", "model", "origin", "digest", "workspace")
"""What is recorded of an agent configuration, so that it comes back when the session does."""
_NOT_RECORDED = ("prompt", "systemPrompt", "mcpServers")
"""Fields that are not: the prompt is there already, servers may hold secrets."""
_RECORDED_FIELDS = FIELDS - {*_NOT_RECORDED}
"""Those that are; a misspelt one may hold what another must not show, so of the others only the names are."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The backends and limits that a session works with, and the settings of the same names.

    `strict` shows nothing that is not durable; `message_days` is the setting of that name for crews; `contact` is how
    the desk can be reached.
    """

    store: SessionStore
    launcher: Launcher
    wire: Wire
    limits: Limits
    recovery: Sequence[str] = ("resume", "load", "text")
    waiting_prompts: str = "ask"
    swap_when_busy: str = "wait"
    when_left: str = "linger"
    strict: bool = False
    allow_unguarded: bool = False
    fail_closed: Sequence[str] = ("preToolUse",)
    message_days: int = 7
    contact: Contact = NO_CONTACT
    middlewares: Middlewares = field(default_factory=Middlewares)


@dataclass(frozen=True, slots=True)
class Plan:
    """A resolved session: `info` as it is first written, `request` the client's own request.

    `loaded` continues a recorded one; `replay` shows the client its conversation first; `refusal` says
    why no agent can be started for it; `choices` are what it can be changed to; `servers` its MCP servers, `untrusted`
    what is not used since nobody agreed to it, and `wanted` the agent that was asked for;
    `prompted` says that the desk applies the configuration although the engine could by a mode;
    `required` that no other configuration may stand in, `changed` that it is not the recorded one, `exact` that
    whatever of it cannot be applied is an error, and `handed` that the agent program took its prompt at the
    opening; `instead_of` names the engine that it had, when it gets another.
    """

    info: SessionInfo
    engine: Engine
    config: AgentConfig
    request: Frame
    policy: Policy
    loaded: bool = False
    replay: bool = False
    refusal: KiroError | None = None
    notices: Sequence[Notice] = ()
    choices: Choices = field(default_factory=Choices)
    prompted: bool = False
    required: bool = False
    changed: bool = False
    servers: Sequence[SessionServer] = ()
    untrusted: Sequence[Document] = ()
    wanted: str = ""
    exact: bool = False
    handed: bool = False
    instead_of: str = ""

    @property
    def command(self) -> Command:
        """How the agent program is started; the session's id travels in `KIRO_SESSION_ID`."""
        env = {**self.engine.env, **(self.engine.guard if self.guards else {}), "KIRO_SESSION_ID": self.info.id}
        return Command(tuple(self.engine.command), self.info.cwd, env, tuple(self.engine.unset))

    @property
    def program(self) -> str:
        """The program without its arguments, which may hold secrets."""
        return self.engine.command[0] if self.engine.command else ""

    @property
    def guards(self) -> bool:
        """Whether the configuration forbids something, or has a trigger decide."""
        hooks = self.config.fields.get("hooks")
        decides = isinstance(hooks, Mapping) and bool(hooks.get("preToolUse")) and not self.by_mode
        return decides or bool(self.policy.guards)

    @property
    def by_mode(self) -> bool:
        """Whether the agent applies the configuration by itself when its mode is set.

        Never one of which something is withheld: the agent would read the whole file and start what it says.
        """
        return self.engine.agents == "mode" and not self.config.withheld and not self.prompted

    @property
    def preface(self) -> str:
        """The configuration's prompt, where the desk has to put it in front of the first turn."""
        return "" if self.by_mode or self.handed else self.instructions

    @property
    def instructions(self) -> str:
        """What the configuration tells a model."""
        return preface(self.config)

    @property
    def mcp_servers(self) -> list[str]:
        """The names of its MCP servers."""
        return [server.name for server in self.servers]

    @property
    def server_tools(self) -> Mapping[str, tuple[Sequence[str], Sequence[str]]]:
        """Which tools of them are disabled and which approved, by the names of those that say so."""
        tools = {server.name: (server.disabled_tools, server.auto_approve) for server in self.servers}
        return {name: said for name, said in tools.items() if any(said)}

    @property
    def handed_servers(self) -> Sequence[SessionServer]:
        """Those that the agent program is given; one that reads the configuration by itself finds the others there.

        One that takes no servers at all is not given the desk's own: nobody has asked for that.
        """
        by_itself = self.by_mode or (self.engine.agents == "mode" and self.config.origin == BUILT_IN.origin)
        servers = [server for server in self.servers if not by_itself or server.origin in (CLIENT, CREW)]
        return [server for server in servers if server.origin != CREW or "mcpServers" not in self.engine.lacks]

    @property
    def has_crew(self) -> bool:
        """Whether the agent program is given the tools of a crew."""
        return any(server.origin == CREW for server in self.handed_servers)

    def answer(self, result: Mapping[str, Any], **ours: Any) -> dict[str, Any]:
        """The agent's result as the client gets it: our session id, and under `_meta` what was chosen."""
        meta = result.get("_meta")
        ours = {"agent": self.config.name, "engine": self.engine.name, **ours}
        answer = {**result, "_meta": {**(meta if isinstance(meta, dict) else {}), MARK: ours}}
        # Some agents answer a load with their own id, which is nobody's business.
        answer.pop("sessionId", None)
        return answer if self.loaded else {"sessionId": self.info.id, **answer}

    def effective(self) -> Mapping[str, Any]:
        """The effective configuration for the record; of whatever may be secret only the names."""
        also = {"unknown": sorted(set(self.config.fields) - FIELDS), "serverTools": self.server_tools}
        return {
            "loaded": self.loaded,
            "cwd": self.info.cwd,
            "agent": {
                **{name: getattr(self.config, name) for name in _RECORDED},
                "fields": {name: value for name, value in self.config.fields.items() if name in _RECORDED_FIELDS},
            },
            "withheld": list(self.config.withheld),
            "engine": {"name": self.engine.name, "origin": self.engine.origin, "program": self.program},
            "env": sorted(self.engine.env),
            "model": self.info.model or self.config.model,
            "roots": list(self.info.roots),
            "mcpServers": self.mcp_servers,
            **{name: value for name, value in also.items() if value},
        }
