"""The settings as typed values: every key, its default and its one line of documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, PrivateAttr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from kiro_core.catalog import Choice, Within
from kiro_core.settings.environment import DELIMITER, PREFIX
from kiro_core.settings.layers import VariableName
from kiro_core.types import PruneRule

AnyChoice = Annotated[Choice, PlainValidator(Choice.of)]
"""A backend and its options: `"files"` or `{use = "files", root = "..."}`."""


def _number(value: object) -> object:
    """A truth value, which pydantic takes for 0 or 1, is a mistake."""
    if isinstance(value, bool):
        message = "should be a number"
        raise ValueError(message)  # noqa: TRY004 - what pydantic tells as a finding
    return value


Whole = Annotated[int, BeforeValidator(_number)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Seconds = Annotated[Number, Field(gt=0)]
"""A bounded wait."""


def _is_registry(source: str) -> str:
    if source and not source.startswith(("https://", "/", "~")):
        message = "should be an absolute path, or an address that begins with https://"
        raise ValueError(message)
    return source


def _place(text: str) -> str:
    """`KEY.KEY` or `KEY.KEY EXPRESSION`."""
    try:
        re.compile(text.partition(" ")[2])
    except re.error as error:
        raise ValueError(f"has no regular expression after its blank: {error}") from error
    return text


Place = Annotated[str, AfterValidator(_place)]
"""Where in a tool call something is told."""

_STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class PluginSettings(BaseModel):
    """Which installed plugins are loaded, by the names of their entry points."""

    model_config = _STRICT

    only: list[str] | None = Field(default=None, description="load these and no other")
    block: list[str] = Field(default=[], description="never load these")
    strict: bool = Field(default=False, description="a plugin that does not load is an error at start")


class Limits(BaseModel):
    """How long and how much, at most; seconds where the name ends in `_s`."""

    model_config = _STRICT

    start_s: Seconds = Field(
        default=60, description="from starting an agent until it has opened its session; until a backend has opened"
    )
    control_s: Seconds = Field(default=30, description="until an agent has answered any request but a prompt")
    question_s: Seconds = Field(default=1800, description="until a person has answered a question; then it is denied")
    silence_s: Seconds = Field(default=600, description="without a word during a turn until the client is told")
    end_silent_turns: bool = Field(default=False, description="cancel a turn after that silence")
    mcp_start_s: Seconds = Field(default=5, description="until each MCP server of a new session has started")
    middleware_s: Seconds = Field(default=5, description="of its own time for a middleware at anything that passes")
    close_s: Seconds = Field(default=4, description="until one session has ended; then its process is killed")
    shutdown_s: Seconds = Field(
        default=8,
        description="until all sessions have ended, then their processes are killed; until a backend has closed",
    )
    drain_s: Seconds = Field(default=60, description="for running turns when a served desk is asked to end")
    max_sessions: Whole = Field(default=0, ge=0, description="that one desk has open; 0: as many as it is asked for")
    max_queued_prompts: Whole = Field(default=25, gt=0, description="prompts that wait behind a running turn")
    max_agents: Whole = Field(
        default=0, ge=0, description="agent programs at a time; for one more an idle one is put to sleep; 0: no limit"
    )
    idle_s: Number = Field(default=0, ge=0, description="without a turn until an agent is put to sleep; 0: never")
    linger_s: Number = Field(default=600, ge=0, description="without client and turn until a session ends")
    max_restarts: Whole = Field(
        default=5, ge=0, description="of an agent program, in a row without a turn that it finished"
    )
    max_retold_characters: Whole = Field(default=40_000, gt=0, description="of a conversation that is told as text")

    @property
    def backends(self) -> Within:
        """How long each backend of a plugin may take to open and to close."""
        return Within(self.start_s, self.shutdown_s)


class RetentionSettings(BaseModel):
    """Which sessions a served desk puts into the trash by itself: none while neither age, number nor tag is set."""

    model_config = _STRICT

    older_than_days: Whole = Field(
        default=0, ge=0, le=36500, description="since a session was last used; 0: at any age"
    )
    keep: Whole = Field(default=0, ge=0, description="the newest so many of them stay")
    tag: str = Field(default="", description="only sessions with this tag")
    trash_days: Whole = Field(
        default=7,
        ge=1,
        le=36500,
        description="in the trash, behind which the next pruning deletes a session for good",
    )

    @property
    def rule(self) -> PruneRule:
        """The same as a rule; one that takes nothing while nothing is set."""
        return PruneRule(timedelta(days=self.older_than_days), self.keep, self.tag)


class CrewSettings(BaseModel):
    """How crews run, and what the sessions of a crew may do."""

    model_config = _STRICT

    max_parallel: Whole = Field(
        default=4, ge=1, le=100, description="stages at a time, in a crew that does not say; members of a tree at work"
    )
    unknown_stages: Literal["ask", "retry"] = Field(
        default="ask", description="what becomes of a stage that was cut off with its desk, when its run is resumed"
    )
    max_depth: Whole = Field(
        default=3, ge=0, le=10, description="how far below a session others may be spawned; 0: none"
    )
    max_members: Whole = Field(
        default=50, ge=1, le=1000, description="members of a tree, and stages of its runs that go on"
    )
    children: Literal["end", "orphan"] = Field(
        default="end",
        description="what becomes of members and runs when their parent ends: they end too, or go on alone",
    )
    message_days: Whole = Field(default=7, ge=1, le=365, description="until a letter that nobody has read expires")
    for_agents: Literal["members", "all", "none"] = Field(
        default="members",
        description="which sessions get the tools of a crew: members and those whose agent configuration names them",
    )
    server: AnyChoice = Field(default=Choice("crew"), description="what serves the tools of a crew to agents")


class TriggerSettings(BaseModel):
    """What the shell hooks of an agent configuration may decide."""

    model_config = _STRICT

    fail_closed: list[Literal["preToolUse"]] = Field(
        default=["preToolUse"], description="events at which a trigger that fails keeps the tool from running"
    )


class PermissionSettings(BaseModel):
    """One rule of the operator's: what is allowed, asked or denied in every session, beside its configuration."""

    model_config = _STRICT

    capability: Literal["fs_read", "fs_write", "shell", "web_fetch", "web_search", "mcp", "subagent", "all"] = Field(
        description="what agents do; `docs/permissions.md` says which tools that are"
    )
    effect: Literal["allow", "ask", "deny"] = Field(description="what the rule says: deny beats ask beats allow")
    match: list[str] = Field(default=[], description="globs of paths, commands, addresses, ...; none: all of it")
    exclude: list[str] = Field(default=[], description="globs of what is not meant")


class EngineSettings(BaseModel):
    """An agent program: a new one, which needs `command`, or changes to one that is built in."""

    model_config = _STRICT

    command: list[str] = Field(
        default=[], min_length=1, description="how it is started; {python} stands for this Python"
    )
    env: dict[VariableName, str] = Field(default={}, repr=False, description="environment variables to add")
    unset: list[str] = Field(default=[], description="environment variables to take away")
    title: str = Field(default="", description="its name for people")
    install: str = Field(default="", description="a sentence that says how to get it")
    launcher: str = Field(default="", description="what starts it, instead of the general launcher")
    transport: str = Field(default="acp", description="what it speaks")
    agents: Literal["", "mode"] = Field(
        default="", description='"mode" when it takes agent configurations by session/set_mode'
    )
    reports_mcp: bool = Field(default=False, description="it announces the state of each MCP server")
    unguarded: list[str] = Field(default=[], description="its modes in which it acts without asking anybody")
    asks: bool = Field(default=True, description="it asks before it uses tools")
    unasked: list[str] = Field(default=[], description="the capabilities of which it does some without asking")
    guard: dict[VariableName, str] = Field(
        default={}, repr=False, description="environment variables with which it asks before every tool"
    )
    honours: list[str] = Field(default=[], description="the fields of agent configurations that it reads by itself")
    lacks: list[str] = Field(default=[], description="the fields of agent configurations that it cannot be given")
    tools: dict[str, str] = Field(default={}, description="its names of tools, and which of Kiro's each is")
    told: dict[str, list[Place]] = Field(default={}, description="where it tells the name and the command of a tool")
    login: list[str] = Field(
        default=[], description="the command of its own login, for a terminal; {python} stands for this Python"
    )
    lock: str = Field(
        default="", description="its own lock file of a session: a path with {kiro_home} and {session} (its id)"
    )


class Settings(BaseSettings):
    """All settings, immutable; `load_settings` reads them."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
    )

    agent: str = Field(default="", description="the agent configuration to use when nobody asks for one")
    engine: str = Field(default="", description="the agent program to start when nobody asks for one")
    agent_sources: list[AnyChoice] = Field(
        default=[Choice("kiro")], description="where agent configurations come from, in order"
    )
    store: AnyChoice = Field(default=Choice("files"), description="where sessions are stored")
    durability: Literal["normal", "strict"] = Field(
        default="normal",
        description='"normal" has records on the disk 25 ms after they are written; "strict" before they are shown',
    )
    launcher: AnyChoice = Field(default=Choice("local"), description="how agent programs are started")
    middlewares: list[AnyChoice] = Field(
        default=[], description="what sees and may change what passes in a session; the first is next to the client"
    )
    engines: dict[str, EngineSettings] = Field(default={}, description="agent programs to add or change, by name")
    recovery: list[Literal["resume", "load", "text"]] = Field(
        default=["resume", "load", "text"], description="the ways in which an agent may get back a recorded session"
    )
    waiting_prompts: Literal["ask", "resume", "drop"] = Field(
        default="ask", description="what becomes of prompts that a killed desk had accepted and not yet sent"
    )
    swap_when_busy: Literal["wait", "refuse"] = Field(
        default="wait", description="what a change of agent or engine does while a turn runs: wait for its end, or fail"
    )
    when_left: Literal["linger", "end"] = Field(
        default="linger",
        description='what a session does whose last client has left: "linger" ends its turn first, "end" cancels it',
    )
    agent_engines: dict[str, str] = Field(default={}, description="which engine runs which agent configuration")
    mcp_registry: Annotated[str, AfterValidator(_is_registry)] = Field(
        default="",
        description="a JSON file or https address that lists which MCP servers may be used; read again daily",
    )
    permissions: list[PermissionSettings] = Field(
        default=[], description="what agents may do in every session: rules that go with those of the configuration"
    )
    allow_unguarded: bool = Field(
        default=False, description="start agents that do not ask, though their configuration forbids something"
    )
    serve: list[AnyChoice] = Field(
        default=[], description="the transports over which `kiro-core serve` serves clients, each with its options"
    )
    mcp: AnyChoice = Field(
        default=Choice("mcp"), description="how `kiro-core mcp serve` serves hosts: the transport and its options"
    )
    plugins: PluginSettings = Field(default=PluginSettings(), description="which plugins are loaded")
    retention: RetentionSettings = Field(
        default=RetentionSettings(),
        description="which sessions a served desk puts into the trash by itself",
    )
    triggers: TriggerSettings = Field(
        default=TriggerSettings(), description="what the shell hooks of an agent configuration may decide"
    )
    crew: CrewSettings = Field(default=CrewSettings(), description="how crews run")
    limits: Limits = Field(default=Limits(), description="how long and how much, at most")

    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the same
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what it is given: an instance reads no environment by itself, `load_settings` merges with origins."""
        return (init_settings,)

    @property
    def origins(self) -> Mapping[str, str]:
        """Where each key that is not at its default was set, such as `{"limits.start_s": "argument --..."}`."""
        return self._origins

    @classmethod
    def merged(cls, values: Mapping[str, Any], origins: Mapping[str, str]) -> Settings:
        """Validate what was merged from several sources.

        Raises:
            pydantic.ValidationError: a value has the wrong type.

        """
        settings = cls(**values)
        settings._origins = MappingProxyType(dict(origins))
        return settings
