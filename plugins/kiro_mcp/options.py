"""What people may set for MCP hosts: where they connect, how long they wait, and what they may see and decide."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class McpOptions(BaseModel):
    """The options of the transport `mcp`; without a port it takes stdin and stdout."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int | None = Field(default=None, ge=0, le=65535, description="The TCP port for HTTP; 0 takes a free one.")
    host: str = Field(default="127.0.0.1", min_length=1, description="The address to listen at.")
    allowed_hosts: list[str] = Field(
        default=[],
        description="What clients may call this server besides its own address, as in `Host`: names, with a port.",
    )
    behind_tls_proxy: bool = Field(
        default=False, description="Something in front of it speaks TLS, so that it may listen beyond this machine."
    )
    token_file: str = Field(
        default="",
        description="The file of the token that HTTP clients need, made at the first start; $KIRO_HOME/mcp-token.",
    )
    tools: Literal["all", "core"] = Field(
        default="all", description='"core" offers the eight tools that are needed daily: descriptions cost context.'
    )
    sessions: Literal["own", "all"] = Field(
        default="own",
        description="The sessions that a connection sees: those that it opened, or those of all connections.",
    )
    permissions: Literal["ask", "deny"] = Field(
        default="ask", description='Who decides what an agent asks: the host and its person, or with "deny" nobody.'
    )
    working_directory: str = Field(
        default="", description="Where sessions work that name no folder; where this was started."
    )
    chat_wait_s: Seconds = Field(
        default=50, description="Seconds that a call waits for an answer; then it returns a task."
    )
    max_sessions: int = Field(
        default=10, ge=0, description="Sessions that are open at a time; 0: as many as are asked for."
    )
    max_tasks: int = Field(default=100, gt=0, description="Turns that are not finished at a time.")
    session_idle_s: float = Field(
        default=1800,
        ge=0,
        allow_inf_nan=False,
        description="Seconds without a call or a turn until a session ends; 0: never.",
    )
