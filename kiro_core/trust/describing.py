"""Says to a person what a configuration would do, before it does any of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kiro_core.types import AgentConfig

_LONGEST_LINE = 500
_MOST_LINES = 100


def starts_of(config: AgentConfig, needs: Sequence[str]) -> Sequence[str]:
    """One line for each thing that the fields `needs` would start, read or allow, in the order of the configuration.

    Commands are as written; of an environment and of headers only names are told, since the values may be secrets.
    What cannot be shown, such as a character that turns the writing round, is escaped, so that nothing hides.
    """
    lines = list(_link(config))
    for field in needs:
        lines += _LINES[field](config.fields.get(field)) if field in _LINES else ()
    more = [f"… and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return [_shown(line) for line in lines[:_MOST_LINES] or needs] + more


def _link(config: AgentConfig) -> Iterator[str]:
    place = os.path.realpath(config.origin)
    if not Path(place).is_relative_to(os.path.realpath(config.workspace)):
        yield f"is a link to {place}"


def _servers(value: Any) -> Iterator[str]:
    for name, entry in _items(value):
        if not isinstance(entry, Mapping):
            yield f"MCP server {name}"
            continue
        args = entry.get("args")
        words = [entry.get("command") or _address(entry.get("url")), *(args if isinstance(args, list) else ())]
        names = [key for field in ("env", "headers") for key, _ in _items(entry.get(field))]
        more = f" (with {', '.join(names)})" if names else ""
        yield f"MCP server {name}: {' '.join(map(str, words))}{more}"


def _address(url: Any) -> str:
    """An address without user and query, which may be secrets."""
    try:
        parts = urlsplit(str(url or ""))
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else ""


def _hooks(value: Any) -> Iterator[str]:
    for event, entries in _items(value):
        for entry in entries if isinstance(entries, list) else [entries]:
            yield f"trigger {event}: {entry.get('command') if isinstance(entry, Mapping) else _json(entry)}"


def _tools(value: Any) -> Iterator[str]:
    for tool in value if isinstance(value, list) else [value]:
        yield f"tool {tool} without asking"


def _settings(value: Any) -> Iterator[str]:
    for tool, settings in _items(value):
        yield from (f"tool {tool}, {key}: {_json(each)}" for key, each in _items(settings) if each)


def _permissions(value: Any) -> Iterator[str]:
    rules = value.get("rules") if isinstance(value, Mapping) else None
    for rule in rules if isinstance(rules, list) else ():
        if isinstance(rule, Mapping) and rule.get("effect") == "allow":
            yield f"{rule.get('capability')} without asking: {_json(rule.get('match') or 'all')}"


def _files(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        uri = each.get("source") if isinstance(each, Mapping) else each
        if isinstance(uri, str) and uri.startswith(("file://", "skill://")):
            yield f"reads {uri}"


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    yield from value.items() if isinstance(value, Mapping) else ()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _shown(line: str) -> str:
    escaped = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)
    rest = len(escaped) - _LONGEST_LINE
    return escaped if rest <= 0 else f"{escaped[:_LONGEST_LINE]}… ({rest} more characters)"


_LINES: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "mcpServers": _servers,
    "hooks": _hooks,
    "allowedTools": _tools,
    "toolsSettings": _settings,
    "permissions": _permissions,
    "prompt": _files,
    "systemPrompt": _files,
    "resources": _files,
}
