"""Agent programs of kiro_core in containers, so that they reach their folder and nothing else of the machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from kiro_core import Provider, hookimpl
from kiro_core.ports import Launcher
from pydantic import BaseModel, ConfigDict, Field


class DockerOptions(BaseModel):
    """The options of the launcher `docker`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str = Field(pattern="^[^-]", description="The image that has the agent program.")
    program: str = Field("docker", min_length=1, description="What is called: docker, podman, or a path.")
    network: str = Field("", description="As `--network` takes it; empty for the program's own default.")
    user: str = Field("", description="As `--user` takes it; empty for the image's own user.")
    mounts: list[str] = Field([], description="As `--volume` takes them; the working directory is always there.")
    pass_through: list[str] = Field([], description="Names of our environment variables that the container gets.")
    env: dict[str, str] = Field({}, repr=False, description="Variables that every container gets.")
    arguments: list[str] = Field([], description="Further arguments of `run`, in front of the image.")
    grace_s: float = Field(
        5.0,
        ge=0,
        le=60,
        description="Seconds that a program has to end once its stdin is closed, and once more behind SIGTERM.",
    )


@asynccontextmanager
async def open_launcher(options: DockerOptions) -> AsyncIterator[Launcher]:
    """Open the launcher; each container belongs to its own block, so there is nothing to close."""
    from .launcher import DockerLauncher

    yield DockerLauncher(options)


@hookimpl
def kiro_launchers() -> Iterator[Provider[Launcher, DockerOptions]]:
    """Offer the launcher `docker`."""
    yield Provider("docker", open_launcher, DockerOptions, "a container of docker or podman")
