"""Kiro's names of tools, so that a configuration means the same tool in every place where it names one."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

ALIASES: Mapping[str, tuple[str, ...]] = {
    "read": ("fs_read", "fsRead"),
    "write": ("fs_write", "fsWrite"),
    "shell": ("execute_bash", "execute_cmd", "executeCmd"),
    "use_aws": ("aws",),
    "web_fetch": (),
    "web_search": (),
    "grep": (),
    "glob": (),
    "code": (),
    "subagent": ("agent_crew", "use_subagent", "crew"),
    "session_management": ("sessions",),
    "switch_to_execution": (),
    "introspect": (),
    "knowledge": (),
    "tool_search": (),
    "task": ("todo_list", "todo"),
    "summary": (),
    "delegate": (),
    "thinking": (),
}
"""Every built-in tool of Kiro with its other names (kiro-cli, agent configuration)."""

_CANONICAL = {name: tool for tool, names in ALIASES.items() for name in (tool, *names)}


def canonical(name: str) -> str:
    """The name under which a tool is judged: a built-in's own for any of its aliases, everything else as written."""
    return _CANONICAL.get(name, name)


def is_builtin(tool: str) -> bool:
    """Whether a canonical name is a built-in's."""
    return tool in ALIASES


def matches(pattern: str, tool: str) -> bool:
    """Whether a name or pattern of a configuration covers a tool, given by its canonical name.

    `tool` is a built-in's canonical name or `@server/tool`. A pattern is a name or an alias, `@server` (all its
    tools), `@server/tool`, `@builtin`, `@mcp`, or one of these with `*` and `?`; upper and lower case differ.
    """
    if pattern in ("@builtin", "@mcp"):
        return is_builtin(tool) if pattern == "@builtin" else tool.startswith("@")
    if pattern.startswith("@"):
        if "/" not in pattern:
            return tool.startswith("@") and fnmatchcase(tool.partition("/")[0], _only_globs(pattern))
        return fnmatchcase(tool, _only_globs(pattern))
    if tool.startswith("@"):
        return pattern == "*"
    names = (tool, *ALIASES.get(tool, ()))
    return any(fnmatchcase(name, _only_globs(pattern)) for name in names)


def is_exact(pattern: str) -> bool:
    """Whether a pattern names one tool, and not some."""
    is_group = pattern in ("@builtin", "@mcp") or (pattern.startswith("@") and "/" not in pattern)
    return not is_group and not any(sign in pattern for sign in "*?")


def _only_globs(pattern: str) -> str:
    """`*` and `?` are all that Kiro knows of patterns; a bracket is only a bracket."""
    return pattern.replace("[", "[[]")
