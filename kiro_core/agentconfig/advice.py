"""What stands in a usable configuration and does nothing, or something else than it seems to say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import AliasChoices, BaseModel, ValidationError

from kiro_core.agentconfig.expression import Expression
from kiro_core.agentconfig.format import TRIGGERS, AgentFormat, McpServer
from kiro_core.agentconfig.names import OLD_NAMES
from kiro_core.agentconfig.resources import KnowledgeBase
from kiro_core.agentconfig.syntax import Refused
from kiro_core.agentconfig.tools import ALIASES, canonical, is_exact
from kiro_core.agentconfig.toolsettings import OF_TOOL, PATTERNS
from kiro_core.explain import near_miss

_SHORTCUT = re.compile(r"(?:(?:ctrl|shift|alt)\+)*(?:[a-z0-9]|f(?:[1-9]|1[0-2])|tab)", re.IGNORECASE)
_TAGS = ("web", "context")
"""Names of groups of tools in V3 that are no tool's name (kiro.dev, Agent config)."""

_UNUSED = "is a field that nobody knows; it is kept, and not used"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about one place of a document; `reason` goes on behind the name of the place."""

    path: tuple[str | int, ...]
    reason: str


def remarks(typed: AgentFormat, fields: Mapping[str, Any]) -> Iterator[Remark]:
    """All of a configuration that can be used; `fields` are as written."""
    yield from _unknown(typed, ())
    yield from _unknown_parts(typed)
    hooks = fields.get("hooks") or {}
    yield from (_no(("hooks", event), TRIGGERS) for event in hooks if event not in TRIGGERS)
    yield from _tools(typed)
    yield from _patterns(typed)
    for number, resource in enumerate(typed.resources):
        if isinstance(resource, KnowledgeBase):
            yield Remark(("resources", number), "is a knowledge base, which is kept, and not served")
    if typed.include_powers:
        yield Remark(("includePowers",), "is kept, and not served")
    if typed.keyboard_shortcut and not _SHORTCUT.fullmatch(typed.keyboard_shortcut):
        yield Remark(("keyboardShortcut",), "is no key such as ctrl+shift+a; it is kept, and not used")


def field_name(model: type[BaseModel], name: str) -> str:
    """What a field of a model is called in a document."""
    field = model.model_fields[name]
    alias = field.validation_alias if isinstance(field.validation_alias, AliasChoices) else None
    return str(alias.choices[0]) if alias else field.alias or name


def _unknown(model: BaseModel, path: tuple[str | int, ...]) -> Iterator[Remark]:
    kind = type(model)
    known = [field_name(kind, name) for name in kind.model_fields]
    yield from (_no((*path, key), known) for key in model.model_extra or () if key not in OLD_NAMES)
    for name in kind.model_fields:
        value, place = getattr(model, name), (*path, field_name(kind, name))
        if isinstance(value, BaseModel):
            yield from _unknown(value, place)
        for key, item in _items(value):
            for inner, one in _items(item) if isinstance(item, list) else ((None, item),):
                if isinstance(one, BaseModel):
                    yield from _unknown(one, (*place, key) if inner is None else (*place, key, inner))


def _items(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _unknown_parts(typed: AgentFormat) -> Iterator[Remark]:
    """Of the parts that are checked one by one."""
    for name, entry in typed.mcp_servers.items():
        try:
            yield from _unknown(McpServer.model_validate(entry), ("mcpServers", name))
        except ValidationError:
            continue  # it is left out as a whole, which is told
    for tool, settings in typed.tools_settings.items():
        if model := OF_TOOL.get(canonical(tool)):
            yield from _unknown(model.model_validate(settings), ("toolsSettings", tool))
        else:
            yield Remark(("toolsSettings", tool), "is a tool that has no settings here; they are kept, and not used")


def _tools(typed: AgentFormat) -> Iterator[Remark]:
    known = {*ALIASES, *(alias for names in ALIASES.values() for alias in names), *_TAGS, *typed.tool_aliases.values()}
    lists = {"tools": typed.tools, "allowedTools": typed.allowed_tools, "excludedTools": typed.excluded_tools}
    for field, names in lists.items():
        for number, name in enumerate(names):
            if field == "allowedTools" and name == "*":
                reason = "is '*', which allows nothing here; name the tools, or @builtin and @server"
                yield Remark((field, number), reason)
            elif name not in known and not name.startswith("@") and is_exact(name):
                yield Remark((field, number), f"names no tool that is known{_near(name, known)}")


def _patterns(typed: AgentFormat) -> Iterator[Remark]:
    """The regular expressions that cannot be used, and what they do all the same."""
    for tool, settings in typed.tools_settings.items():
        for key, effect in PATTERNS.get(canonical(tool), {}).items():
            for number, text in enumerate(settings.get(key) or ()):
                try:
                    Expression(text)
                except Refused as refused:
                    yield Remark(("toolsSettings", tool, key, number), f"{refused}, so it {effect}")


def _no(path: tuple[str | int, ...], known: Any) -> Remark:
    return Remark(path, f"{_UNUSED}{_near(str(path[-1]), known)}")


def _near(name: str, known: Any) -> str:
    return near_miss(name, known).removesuffix(".")
