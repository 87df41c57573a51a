"""What a file or an address holds has to be one JSON object, and in plain words why it is none."""

from __future__ import annotations

import json
from typing import Any

from kiro_core.agentconfig.reading import Unreadable


def json_object(text: str) -> dict[str, Any]:
    """The JSON object that a text is.

    Raises:
        Unreadable: it is none.

    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"is not JSON at line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise Unreadable("holds a value that is not JSON") from error
    if not isinstance(value, dict):
        raise Unreadable("is not a JSON object")
    return value
