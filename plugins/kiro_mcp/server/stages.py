"""A crew as tools take it: the fields of a crew file, with what Kiro calls some of them."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from kiro_mcp.server.tool import Arguments, Whole


class Loop(Arguments):
    """Sends the crew back, see docs/crew.md."""

    target: str = Field(description="The stage to go back to.")
    trigger: str = Field(description="What the result has to contain for that, at least 4 characters.")
    max_iterations: Whole = Field(default=3, description="How often, 1 to 10.")


class Retry(Arguments):
    """Another attempt of a stage that failed."""

    times: Whole = Field(description="How often, at most.")
    backoff_s: float = Field(default=1, description="Seconds before the second attempt.")
    factor: float = Field(default=2, description="By which that grows with each attempt.")


class StageArguments(Arguments):
    """One stage; what the desk knows of its fields is not known here, so it says what is wrong with them."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str = Field(default="", description="Of the stage: letters, digits, - and _.")
    prompt_template: str = Field(
        default="", description="What it is to do. {task} is the task; the results of depends_on are put behind it."
    )
    role: str = Field(default="", description="Its agent configuration; the default one without it.")
    engine: str = Field(default="", description="Its agent program; the default one without it.")
    model: str = Field(default="", description="Its model.")
    depends_on: list[str] = Field(default=[], description="Stages that have to be done before.")
    when: str = Field(default="", description='"all_succeeded" (the default), "all_done" or "any_failed" of those.')
    timeout_s: float | None = Field(default=None, description="Seconds that an attempt may take.")
    retry: Retry | None = Field(default=None, description="What becomes of an attempt that fails.")
    loop: Loop | None = Field(default=None, description="Work that this stage sends back.")

    @property
    def called(self) -> str:
        """Its id."""
        return self.name or str((self.model_extra or {}).get("id", ""))


class CrewArguments(Arguments):
    """A task, and the stages in which it is done."""

    task: str = Field(default="", description="What the crew is to do.")
    stages: list[StageArguments] = Field(min_length=1, description="Who does what, in any order.")
    max_parallel: Whole | None = Field(default=None, description="How many stages at a time.")

    def fields(self) -> dict[str, Any]:
        """As they were given."""
        return self.model_dump(exclude_unset=True, include={"task", "stages", "max_parallel"})
