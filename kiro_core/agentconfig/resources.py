"""What goes with an agent's prompt: files and skills by URI, and knowledge bases, which only Kiro has."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

Text = Annotated[str, StringConstraints(strict=True)]


class KnowledgeBase(BaseModel):
    """A resource that Kiro searches; kept, and not served here."""

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="allow", frozen=True)

    type: Literal["knowledgeBase"]
    source: Text
    name: Text
    description: Text | None = None
    index_type: Literal["best", "fast"] | None = Field(None, alias="indexType")
    include: list[Text] = []
    exclude: list[Text] = []
    auto_update: bool = Field(default=False, alias="autoUpdate")


def _resource_uri(text: str) -> str:
    if not text.startswith(("file://", "skill://")):
        message = "should begin with file:// or skill://"
        raise ValueError(message)
    return text


Resource = Annotated[
    Annotated[Text, AfterValidator(_resource_uri), Tag("uri")] | Annotated[KnowledgeBase, Tag("object")],
    Discriminator(lambda value: "uri" if isinstance(value, str) else "object"),
]
