"""What a person may call a session: checked once, whatever face it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from kiro_core.errors import LabelInvalid, NameTaken
from kiro_core.ports import SessionStore
from kiro_core.types import SessionInfo, SessionQuery

_LONGEST = {"title": 150, "name": 100, "tag": 50}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def labels(title: str | None, name: str | None, tags: Iterable[str] | None) -> dict[str, Any]:
    """The fields of `SessionInfo` that these change, in the form in which they are kept; None changes nothing.

    Raises:
        LabelInvalid: a text is too long or has control characters, or a tag is empty or has blanks.

    """
    changes: dict[str, Any] = {}
    if title is not None:
        title = " ".join(title.split())
        changes |= {"title": _checked("title", title), "titled": bool(title)}
    if name is not None:
        changes["name"] = _checked("name", name.strip())
    if tags is not None:
        changes["tags"] = tuple(sorted({_tag(tag) for tag in tags}))
    return changes


async def require_free(store: SessionStore, name: str, info: SessionInfo) -> None:
    """Make sure that no other session of the same folder has the name; an empty one is free.

    Raises:
        NameTaken: one has it; the sentence names it.

    """
    if not name:
        return
    page = await store.list(SessionQuery(cwd=info.cwd, name=name), limit=2)
    for other in page.items:
        if other.id != info.id:
            raise NameTaken(
                f"The session {other.id} of the same folder is called '{name}' already.",
                hint="Choose another name, or give that session another one first.",
                session=other.id,
                name=name,
            )


def _tag(tag: str) -> str:
    if not tag or tag.split() != [tag]:
        raise LabelInvalid(f"{tag!r} is no tag.", hint="Write a tag as one word.", text=tag)
    return _checked("tag", tag)


def _checked(kind: str, text: str) -> str:
    if len(text) > _LONGEST[kind]:
        raise LabelInvalid(f"The {kind} has {len(text)} characters; {_LONGEST[kind]} are allowed.", hint="Shorten it.")
    if _CONTROLS.search(text):
        raise LabelInvalid(f"The {kind} {text!r} has control characters.", hint="Write it as plain text.")
    return text
