"""What may be set for the transport `http`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class HttpOptions(BaseModel):
    """The options of the transport `http`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address to listen at. Whoever reaches it learns whether the desk is ready, and why not.",
    )
    port: int = Field(default=8080, ge=0, le=65535, description="The TCP port to listen at; 0 takes a free one.")
