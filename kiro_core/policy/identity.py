"""Says which of Kiro's tools an agent program means, since a rule can only guard what it recognises."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from kiro_core.agentconfig.tools import canonical, is_builtin
from kiro_core.policy import inputs
from kiro_core.policy.use import ToolUse
from kiro_core.types import Engine

_KINDS = {
    "read": "read",
    "edit": "write",
    "delete": "write",
    "move": "write",
    "execute": "shell",
    "search": "grep",
    "fetch": "web_fetch",
}
"""The built-in tool of each kind of tool call that has one (ACP `ToolKind`)."""

_ANNOUNCED = "announced"
"""Our own key in what is known of a call: the title under which it was first told; some agents overwrite it later."""

_FIRST = "first"
"""Our own key too: all by which the call was first named, so that no later name takes its place unseen."""


_LONGEST_NAME = 100
_NAMING = ("title", "name", "_meta")
_KEPT = ("toolCallId", "kind", "locations", "rawInput", *_NAMING)


def told(known: Mapping[str, Any] | None, update: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is known of a call after one more `tool_call`, `tool_call_update` or question about it.

    A `tool_call` begins anew, whatever had its id before. Of its content only the paths of diffs are kept: the rest
    may be large, and is no argument.
    """
    known = _before(known, update)
    merged = {**known, **{key: update[key] for key in _KEPT if update.get(key)}}
    merged[_ANNOUNCED] = known.get(_ANNOUNCED) or update.get("title")
    merged[_FIRST] = {**_naming(update), **known.get(_FIRST, {})}
    if not merged.get("rawInput"):
        merged["rawInput"] = inputs.object_in(update.get("content"))
    diffs = [{"type": "diff", "path": path} for path in inputs.diffs_in(update)]
    return merged | {"content": diffs or known.get("content", [])}


def _naming(update: Mapping[str, Any]) -> dict[str, Any]:
    """All of an update that may name the tool: its arguments too, in some of which the name is a short text."""
    raw = update.get("rawInput")
    texts = raw.items() if isinstance(raw, Mapping) else ()
    short = {key: text for key, text in texts if isinstance(text, str) and len(text) <= _LONGEST_NAME}
    named = {key: update[key] for key in _NAMING if update.get(key)}
    return {**named, "rawInput": short} if short else named


def _before(known: Mapping[str, Any] | None, update: Mapping[str, Any]) -> Mapping[str, Any]:
    return {} if known is None or update.get("sessionUpdate") == "tool_call" else known


def identify(
    call: Mapping[str, Any], engine: Engine, servers: Collection[str], known: Mapping[str, Any] | None = None
) -> ToolUse:
    """Which tool a call is, and what it works on.

    `call` is the `toolCall` of `session/request_permission` or an update, `known` what `told` made of the earlier
    updates of the same id, `servers` the names of the session's MCP servers. The engine's own name for the tool
    decides (its table `tools`). Where it tells none that is known, the ACP `kind` does, but only together with
    what such a call works on. A name that may be two tools is none, and nor is a call that was announced as another.
    """
    whole = told(known, call)
    arguments = whole.get("rawInput")
    arguments = arguments if isinstance(arguments, Mapping) else {}
    commands = inputs.commands_in(arguments) or [next(_texts(whole, engine.told.get("command", ())), None)]
    command = commands[0] if len(commands) == 1 else None
    urls, shown = tuple(inputs.urls_in(arguments)), tuple(inputs.paths_told(whole))
    name, tool = _named(call, _before(known, call), engine, servers)
    worked_on = tuple(inputs.paths_in(arguments)) or shown
    if tool is None:
        tool = _by_kind(
            str(whole.get("kind")), {"shell": command, "read": worked_on, "write": worked_on, "web_fetch": urls}
        )
    if tool == "glob":
        worked_on += tuple(inputs.searched_in(arguments))
    return ToolUse(
        tool=tool,
        name=name,
        title=str(whole.get("title") or ""),
        call_id=str(whole.get("toolCallId") or ""),
        paths=tuple(dict.fromkeys(worked_on)),
        mentioned=tuple(dict.fromkeys((*worked_on, *shown))),
        command=command if tool in {"shell", ""} else None,
        urls=urls,
        input=arguments,
        told_commands=tuple(filter(None, commands)) if command is None and tool in {"shell", ""} else (),
    )


def _by_kind(kind: str, seen: Mapping[str, Any]) -> str:
    """The tool of a kind, unless what it would work on is not told."""
    tool = _KINDS.get(kind, "")
    return tool if seen.get(tool, True) else ""


def _named(
    call: Mapping[str, Any], known: Mapping[str, Any], engine: Engine, servers: Collection[str]
) -> tuple[str, str | None]:
    """The first name that the table has, with the tool that all such names are: "" for several, None for none."""
    places = engine.told.get("name", ("name",))
    present = {**call, _ANNOUNCED: known.get(_ANNOUNCED) or call.get("title")}
    names = [name for source in (present, known, known.get(_FIRST, {})) for name in _texts(source, places)]
    found = {name: tools for name in names if (tools := set(_tools(name, engine.tools, servers)))}
    if not found:
        return next(iter(names), ""), None
    tools = set().union(*found.values())
    return next(iter(found)), tools.pop() if len(tools) == 1 else ""


def _tools(name: str, table: Mapping[str, str], servers: Collection[str]) -> Iterator[str]:
    """Every tool that a name may stand for."""
    if name in table:
        yield canonical(table[name])
    for template, target in table.items():
        if "{server}" in template:
            yield from _of_servers(name, template, servers)
        elif template == "{tool}" == target and is_builtin(canonical(name)):
            yield canonical(name)


def _of_servers(name: str, template: str, servers: Collection[str]) -> Iterator[str]:
    """`@server/tool` for each server that fits; one that nobody named only where the template marks MCP's tools."""
    fits = False
    for server in filter(None, servers):
        for spelling in {server, re.sub(r"[^A-Za-z0-9_-]", "_", server)}:
            if match := re.fullmatch(_expression(template, re.escape(spelling)), name, re.DOTALL):
                fits = True
                yield f"@{server}/{match['tool']}"
    begin, _, rest = template.partition("{server}")
    separator = rest.partition("{tool}")[0]
    if not fits and begin and name.startswith(begin):
        halves = name[len(begin) :].split(separator)
        for cut in range(1, len(halves)):
            server, tool = separator.join(halves[:cut]), separator.join(halves[cut:])
            if server and tool:
                yield f"@{server}/{tool}"


def _expression(template: str, server: str) -> str:
    return re.escape(template).replace(r"\{server\}", server).replace(r"\{tool\}", "(?P<tool>.+)")


def _texts(source: Mapping[str, Any], places: Collection[str]) -> Iterator[str]:
    """The texts at places such as `_meta.toolName`; a regular expression after a blank says which part is meant."""
    for place in places:
        path, _, expression = place.partition(" ")
        value: Any = source
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, str) and value:
            match = re.fullmatch(expression, value, re.DOTALL) if expression else None
            if match or not expression:
                yield match[1] if match and match.re.groups else value
