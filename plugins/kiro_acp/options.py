"""What may be set for the transport `acp`, in a module of its own: pydantic takes longer than an editor waits."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator


class AcpOptions(BaseModel):
    """The options of the transport `acp`, where it serves clients."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    socket: str = Field(
        description="Serve all clients of this user that come to a local socket, instead of one over stdio: its "
        "absolute path, or the name of one that systemd hands over (FileDescriptorName=)."
    )

    @field_validator("socket")
    @classmethod
    def _is_a_place(cls, place: str) -> str:
        if not place or ("/" in place and not Path(place).expanduser().is_absolute()):
            message = "should be an absolute path, or the name of a socket that systemd hands over"
            raise ValueError(message)
        return place
