"""Writes a configuration the way it is read, so that what `agents create` makes says exactly what it was told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kiro_core.agentconfig.document import parse_document
from kiro_core.agentconfig.reading import Unreadable
from kiro_core.errors import AgentConfigInvalid


def as_json(fields: Mapping[str, Any]) -> str:
    """The fields as the text of a JSON document."""
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"


def as_markdown(fields: Mapping[str, Any]) -> str:
    """The same as Markdown: values as JSON, which is YAML too, and a prompt that is no file's as the text below.

    Raises:
        AgentConfigInvalid: Markdown cannot say it.

    """
    prompt = str(fields.get("prompt") or "")
    body = "" if prompt.startswith("file://") else prompt.strip()
    front = {field: value for field, value in fields.items() if not (field == "prompt" and (body or not prompt))}
    lines = [f"{_key(field)}: {json.dumps(value, ensure_ascii=False)}\n" for field, value in front.items()]
    text = "".join(["---\n", *lines, "---\n", f"\n{body}\n" if body else ""])
    try:
        says_the_same = parse_document(text, ".md").fields == front | ({"prompt": body} if body else {})
    except Unreadable:
        says_the_same = False
    if says_the_same:
        return text
    raise AgentConfigInvalid("The configuration cannot be written as Markdown.", hint="Leave --md out, for JSON.")


def _key(field: str) -> str:
    return field if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", field) else json.dumps(field)
