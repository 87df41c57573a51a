"""What a crew is, as one schema: of the files that people write and of what tools are given."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from kiro_core.types import Usage

MAX_STAGES = 100
MAX_PROMPT = 16_000
"""Characters of a task, and of a prompt as it is written."""

LONGEST_WAIT_S = 3600
"""An hour between two attempts, however often they fail."""

_LONGEST_S = 7 * 24 * 3600
_CONFIG = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def is_id(text: str) -> bool:
    """Whether a stage can be called so."""
    return re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text) is not None


def _identifier(text: str) -> str:
    if not is_id(text):
        message = "should be 1 to 64 letters, digits, - and _"
        raise ValueError(message)
    return text


def _one_line(text: str) -> str:
    if not text.isprintable():
        message = "should be one line of text that can be shown"
        raise ValueError(message)
    return text


Id = Annotated[str, AfterValidator(_identifier)]
Ids = Annotated[list[str], BeforeValidator(lambda ids: [ids] if isinstance(ids, str) else ids)]
Line = Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_line)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]
Trigger = Annotated[str, StringConstraints(min_length=4, max_length=200), AfterValidator(_one_line)]
Prompt = Annotated[str, StringConstraints(max_length=MAX_PROMPT)]
Seconds = Annotated[float, Field(gt=0, le=_LONGEST_S)]
When = Literal["all_succeeded", "all_done", "any_failed"]


class Retry(BaseModel):
    """How often a stage that failed or ran out of time is tried again, and after how long."""

    model_config = _CONFIG

    times: int = Field(ge=0, le=10, description="attempts after the first one")
    backoff_s: float = Field(default=1.0, ge=0, le=LONGEST_WAIT_S, description="seconds before the second attempt")
    factor: float = Field(
        default=2.0, ge=1, le=10, description="by which that grows with each attempt; an hour at most"
    )

    def wait_s(self, failures: int) -> float:
        """The seconds to wait after so many attempts that failed, 1 at least."""
        return float(min(self.backoff_s * self.factor ** (failures - 1), LONGEST_WAIT_S))


class Loop(BaseModel):
    """Sends the work back: when the stage's result has `trigger`, all from `target` to the stage runs again."""

    model_config = _CONFIG

    target: str = Field(description="the id of a stage before this one")
    trigger: Trigger = Field(description="text, in upper and lower case")
    max_iterations: int = Field(3, ge=1, le=10, description="how often the work is sent back in the whole run")


class Limits(BaseModel):
    """How much all stages of a run may use together, as far as their agents tell it."""

    model_config = _CONFIG

    tokens: int | None = Field(None, gt=0, description="tokens of all kinds")
    cost: float | None = Field(None, gt=0, description="in any one currency")
    credits: float | None = Field(None, gt=0, description="of Kiro")

    def below(self, usage: Usage) -> bool:
        """Whether that is more."""
        over = (
            self.tokens is not None and usage.total_tokens > self.tokens,
            self.cost is not None and any(amount > self.cost for amount in usage.cost.values()),
            self.credits is not None and usage.credits > self.credits,
        )
        return any(over)


class Stage(BaseModel):
    """One piece of work that one agent does with one prompt."""

    model_config = _CONFIG

    id: Id = Field(description="unique in the crew: 1 to 64 letters, digits, - and _")
    agent: Line = Field("", description="an agent configuration; empty: the default")
    engine: Line = Field("", description="an agent program; empty: the default")
    model: Line = Field("", description="a model's id; empty: the agent's own")
    prompt: Annotated[Prompt, StringConstraints(min_length=1)] = Field(
        description="what the agent is told, with {task} and {stages.ID.result}; {{ and }} stand for braces"
    )
    depends_on: Ids = Field([], description="ids of the stages that come before")
    when: When = Field("all_succeeded", description="what must have become of them for this one to run")
    retry: Retry = Retry(times=0)
    timeout_s: Seconds | None = Field(None, description="seconds for each attempt")
    loop: Loop | None = None


class Crew(BaseModel):
    """Stages that work on one task; whether they fit together is said by `kiro_core.crew.checking`."""

    model_config = _CONFIG

    name: Title = Field(description="what people call it")
    task: Prompt = Field("", description="what {task} stands for")
    max_parallel: int = Field(4, ge=1, le=MAX_STAGES, description="stages that run at a time")
    timeout_s: Seconds | None = Field(None, description="seconds for the whole run")
    limits: Limits | None = Field(None, description="how much the whole run may use")
    stages: list[Stage] = Field(min_length=1, max_length=MAX_STAGES)
